"""A copy of a score with some of its notes marked in colour, and words above them.

These are splices of the source's bytes, as in `files.musicxml.patch`: not a byte of the rest differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ripieno.files.door import PICTURES
from ripieno.files.musicxml.compressed import packed_score
from ripieno.files.musicxml.read import parse_musicxml
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.text import Element, Splice, XmlText, escaped
from ripieno.files.musicxml.write import musicxml_bytes
from ripieno.files.picture.score import draw_score
from ripieno.music.piece import Piece
from ripieno.whole import whole_file

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml.*?\?>\s*", re.DOTALL)  # of an encoding that text no longer has


@dataclass(frozen=True)
class Mark:
    """A note of the piece to be shown in colour, and what to say above it."""

    note: int  # Note.id
    colour: str  # as "#C03020"
    text: str = ""


def score_of(piece: Piece) -> Piece:
    """The piece as MusicXML has it: itself, if it came from there, else what a new score of it would be read as."""
    if isinstance(piece.source, MusicXmlSource):
        return piece
    data, _ = musicxml_bytes(piece)
    return replace(parse_musicxml(data, piece.name or "the piece"), name=piece.name)


def write_marked(piece: Piece, path: Path, marks: Sequence[Mark]) -> None:
    """Write a copy of a score with some notes in colour, and what is said of them above.

    Args:
        piece: from a MusicXML file, or from `score_of`.
        path: replaced only once the new file is whole. A name that ends in .mxl is written compressed, one in .png,
            .svg or .pdf is engraved.
        marks: of equal notes the first gives the colour.

    Raises:
        BadInput: the file cannot be written there, or the score cannot be engraved.
    """
    source = piece.source
    assert isinstance(source, MusicXmlSource)
    data = source.xml.spliced(_splices(source, marks))
    if path.suffix.lower() in PICTURES:
        draw_score(_DECLARATION.sub("", data.decode(source.xml.encoding)), path)
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
            yield from _marked(source.xml, inside, element, own[0].colour, text if i == 0 else "")


def _marked(xml: XmlText, measure: Element, element: Element, colour: str, text: str) -> Iterator[Splice]:
    """A note in colour unless that is "", with some words above it if there are any."""
    if text:
        notes = [child for child in measure.children if child.tag == "note"]
        head = element
        while head.has("chord") and notes.index(head):
            head = notes[notes.index(head) - 1]
        staff = element.first("staff")
        shown = f' color="{escaped(colour)}"' if colour else ""
        words = (
            '<direction placement="above"><direction-type>'
            f'<words font-size="8"{shown}>{escaped(text)}</words></direction-type>'
            f"{xml.raw(staff) if staff is not None else ''}</direction>"
        )
        yield Splice(head.start, head.start, words + xml.indent(head))
    if not colour:
        return
    tag = xml.text[element.start : xml.inner_start(element)].decode()
    plain = re.sub(r"""\scolor\s*=\s*("[^"]*"|'[^']*')""", "", tag)
    coloured = re.sub(r"^<note", f'<note color="{escaped(colour)}"', plain)
    yield Splice(element.start, element.start + len(tag.encode()), coloured)
