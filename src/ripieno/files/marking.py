"""A copy of a score with some of its notes marked in colour, and words above them.

These are splices of the source's bytes, as in `files.amending`: not a byte of the rest differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ripieno.files import scorepicture
from ripieno.files.amending import Mark, marked
from ripieno.files.musicxml import musicxml_bytes, packed_score, parse_musicxml
from ripieno.files.score import MusicXmlSource
from ripieno.files.whole import whole_file
from ripieno.files.xmltext import Splice
from ripieno.music.piece import Piece
from ripieno.music.understanding import Reading

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml.*?\?>\s*", re.DOTALL)  # of an encoding that text no longer has


def as_score(piece: Piece, reading: Reading | None = None) -> Piece:
    """The piece as MusicXML has it: itself, if it came from there, else what a new score of it would be read as."""
    if isinstance(piece.source, MusicXmlSource):
        return piece
    data, _ = musicxml_bytes(piece, reading=reading)
    return replace(parse_musicxml(data, piece.name or "the piece"), name=piece.name)


def write_marked(piece: Piece, path: Path, marks: Sequence[Mark]) -> None:
    """Write a copy of a score with some notes in colour, and what is said of them above.

    Args:
        piece: from a MusicXML file, or from `as_score`.
        path: replaced only once the new file is whole. A name that ends in .mxl is written compressed, one in .png,
            .svg or .pdf is engraved.
        marks: of equal notes the first gives the colour.

    Raises:
        BadInput: the file cannot be written there, or the score cannot be engraved.
    """
    source = piece.source
    assert isinstance(source, MusicXmlSource)
    data = source.xml.spliced(_splices(source, marks))
    if path.suffix.lower() in scorepicture.SUFFIXES:
        scorepicture.draw_score(_DECLARATION.sub("", data.decode(source.xml.encoding)), path)
        return
    with whole_file(path) as file:
        file.write(packed_score(data, source, path.stem) if path.suffix.lower() == ".mxl" else data)


def _splices(source: MusicXmlSource, marks: Sequence[Mark]) -> Iterator[Splice]:
    by_note: dict[int, list[Mark]] = {}
    for mark in marks:
        by_note.setdefault(mark.note, []).append(mark)
    for note, own in by_note.items():
        place = source.places[note]
        text = "; ".join(dict.fromkeys(mark.text for mark in own if mark.text))
        for i, (element, measure) in enumerate(zip(place.elements, place.measures, strict=True)):
            inside = source.measures[measure].elements[place.part]
            yield from marked(source.xml, inside, element, own[0].colour, text if i == 0 else "")
