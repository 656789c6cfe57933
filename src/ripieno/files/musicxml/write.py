"""A piece as MusicXML: the file that it came from with the changes patched in, or a new score.

A source is kept as the bytes it was. What is added or changed is spliced into them (see `files.musicxml.text`), so that
layout, lyrics, articulations, repeats and all that we have no name for leave as they came. New notes go to new parts
behind the others; each has an id that begins with `NEW_ID`, so that a program which draws the score can tell them
apart. A piece that came from elsewhere is written as a new score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ripieno.files.musicxml.compressed import packed_score
from ripieno.files.musicxml.patch import patched
from ripieno.files.musicxml.sheet import (
    Frame,
    Label,
    Sheet,
    Staff,
    clef_for,
    free_channels,
    measures_of,
    names_of,
    new_sheet,
    score_part,
    time_xml,
    voices_of,
)
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.text import escaped, parse_xml
from ripieno.music.notation import Measure
from ripieno.music.piece import Key, NewPart, Piece, Revision, remaining_notes
from ripieno.music.understanding import Reading, understand
from ripieno.whole import whole_file


def write_musicxml(
    piece: Piece,
    path: Path,
    revision: Revision | None = None,
    new_parts: Sequence[NewPart] = (),
    *,
    reading: Reading | None = None,
    colour: str = "",
    labels: Sequence[Label] = (),
    name: str = "the piece",
) -> list[str]:
    """Write a piece: its source with the changes patched in, or a new score if it came from elsewhere.

    Args:
        piece: left untouched.
        path: replaced only once the new file is whole. A name that ends in .mxl is written compressed.
        revision: says which of the piece's own notes are dropped or shortened. Its new notes are not written: a caller
            gives them to parts.
        new_parts: each becomes a part behind the others.
        reading: what the piece was taken to be, for what it does not say itself: key, meter, bars. It is found anew
            unless given.
        colour: of the new notes, as "#1F5FA8"; as the reader of the file likes unless given.
        labels: chord symbols to stand above the first part, and words below the last.
        name: what an error calls the piece, for instance the name of its file.

    Returns:
        What a reader may notice that was not asked for, one line each; mostly nothing.

    Raises:
        BadInput: the file cannot be written there.
    """
    text, remarks = musicxml_bytes(piece, revision, new_parts, reading=reading, colour=colour, labels=labels, name=name)
    if path.suffix.lower() == ".mxl":
        source = piece.source if isinstance(piece.source, MusicXmlSource) else None
        text = packed_score(text, source, path.stem)
    with whole_file(path) as file:
        file.write(text)
    return remarks


def musicxml_text(
    piece: Piece,
    revision: Revision | None = None,
    new_parts: Sequence[NewPart] = (),
    *,
    reading: Reading | None = None,
    colour: str = "",
    labels: Sequence[Label] = (),
    name: str = "the piece",
) -> str:
    """The score that `write_musicxml` writes, uncompressed. The ids of new notes begin with `NEW_ID`."""
    data, _ = musicxml_bytes(piece, revision, new_parts, reading=reading, colour=colour, labels=labels, name=name)
    return parse_xml(data, "the score").text.decode("utf-8-sig")


def musicxml_bytes(
    piece: Piece,
    revision: Revision | None = None,
    new_parts: Sequence[NewPart] = (),
    *,
    reading: Reading | None = None,
    colour: str = "",
    labels: Sequence[Label] = (),
    name: str = "the piece",
) -> tuple[bytes, list[str]]:
    """The uncompressed score that `write_musicxml` writes, in the encoding of its source, and its remarks."""
    revision = revision or Revision()
    if isinstance(piece.source, MusicXmlSource):
        return patched(piece, piece.source, revision, new_parts, colour, labels), []
    reading = reading or understand(piece, name=name)
    return _new_score(piece, revision, new_parts, reading, colour, labels)


def _new_score(
    piece: Piece,
    revision: Revision,
    new_parts: Sequence[NewPart],
    reading: Reading,
    colour: str,
    labels: Sequence[Label],
) -> tuple[bytes, list[str]]:
    """A score for a piece that came from elsewhere."""
    remarks: list[str] = []
    keys = [replace(reading.key, step=Fraction(reading.start))]
    if not reading.is_key_guessed:
        keys += [key for key in piece.keys if reading.start < key.step]
    notes = remaining_notes(piece, revision)
    end = reading.start + reading.n_steps
    frames = list(_frames_of(piece, revision, reading, keys))
    heard = replace(piece, notes=notes)
    heard, n_moved = _quantised(heard)
    places = names_of(heard, new_parts, None, keys)
    sheets: list[Sheet] = []
    drums = [part.name or "the drums" for part in piece.parts if part.is_drums]
    if drums:
        remarks.append(f"The score leaves out the percussion ({', '.join(drums)})")
    if n_moved:
        remarks.append(f"{n_moved} of {len(notes)} notes are written on the nearest sixteenth or triplet")
    for number, part in enumerate(piece.parts):
        if part.is_drums:
            continue
        own = [(note.onset, min(note.end, Fraction(end)), note.pitch) for note in heard.notes if note.part == number]
        voices = voices_of(own, places)
        sheets.append(
            Sheet(
                id=f"P{len(sheets) + 1}",
                name=part.name or ("Melody" if len(piece.parts) == 1 else f"Part {number + 1}"),
                abbreviation="",
                program=part.program,
                channel=part.channel,
                staves=(Staff(clef_for([pitch for _, _, pitch in own]), tuple(voices)),),
                syllables={
                    (note.onset, note.pitch): note.syllable
                    for note in heard.notes
                    if note.part == number and note.syllable
                },
            )
        )
    channels = free_channels(piece, len(new_parts))
    for number, (new, channel) in enumerate(zip(new_parts, channels, strict=True), start=1):
        sheets.append(new_sheet(new, f"P{len(sheets) + 1}", channel, number, places, colour))
    if sheets:
        sheets[0] = replace(sheets[0], labels=tuple(label for label in labels if label.chord is not None))
        words = tuple(label for label in labels if label.chord is None)
        sheets[-1] = replace(sheets[-1], labels=(*sheets[-1].labels, *words))
    from ripieno import __version__

    lines = ['<score-partwise version="4.0">']
    if piece.name:
        lines += ["  <work>", f"    <work-title>{escaped(piece.name)}</work-title>", "  </work>"]
    lines += ["  <identification>", "    <encoding>", f"      <software>Ripieno {__version__}</software>"]
    lines += ["    </encoding>", "  </identification>", "  <part-list>"]
    for sheet in sheets:
        lines += [f"    {line}" for line in score_part(sheet)]
    lines.append("  </part-list>")
    for i, sheet in enumerate(sheets):
        lines.append(f'  <part id="{sheet.id}">')
        own_frames = frames if i == 0 else [replace(frame, bpm=None) for frame in frames]
        lines += [f"    {line}" for measure in measures_of(sheet, own_frames) for line in measure]
        lines.append("  </part>")
    lines.append("</score-partwise>")
    text = HEAD + "\n".join(lines) + "\n"
    return text.encode(), remarks


HEAD = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
"""


def _frames_of(piece: Piece, revision: Revision, reading: Reading, keys: Sequence[Key]) -> Iterator[Frame]:
    """The measures of a new score: the bars of the reading."""
    starts = [Fraction(reading.start + bar) for bar in reading.bar_starts]
    ends = [*starts[1:], Fraction(reading.start + reading.n_steps)]
    tempos = {tempo.step: tempo.bpm for tempo in piece.tempos}
    before = None
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        meter = [meter for meter in reading.meters if meter.step <= start][-1:] or [reading.meters[0]]
        full = meter[0].steps_per_bar
        is_pickup = bool(reading.pickup) and i == 0
        attributes = {"number": str(reading.first_bar + i)}
        if is_pickup:
            attributes["implicit"] = "yes"
        here = (meter[0].numerator, meter[0].denominator)
        bpm = [tempos[step] for step in tempos if start <= step < end]
        if i == 0:
            bpm = [reading.bpm] if reading.is_bpm_given else []
        elif revision.bpm is not None:
            bpm = []
        barline = '<barline location="right"><bar-style>light-heavy</bar-style></barline>'
        yield Frame(
            measure=Measure(
                start, end, *here, offset=max(full - (end - start), Fraction(0)) if is_pickup else Fraction(0)
            ),
            attributes=attributes,
            time=time_xml(*here) if here != before else "",
            keys=tuple((max(key.step, start), key.n_sharps, key.mode) for key in keys if start <= key.step < end),
            right=(barline,) if i == len(starts) - 1 else (),
            bpm=bpm[-1] if bpm else None,
        )
        before = here


GRIDS = (Fraction(1), Fraction(2, 3), Fraction(1, 2), Fraction(1, 3))  # sixteenths, triplets, thirty-seconds
TOLERANCE = Fraction(1, 20)  # of a step: what a file of coarse ticks is off


def _quantised(piece: Piece) -> tuple[Piece, int]:
    """A piece with every note where it can be written down, and how many notes that moves.

    Each quarter note of time is counted in sixteenths, triplets or finer, by what hits its onsets exactly; where
    nothing does, somebody played it, and the nearest sixteenth is meant.
    """
    points: dict[int, list[Fraction]] = {}
    for note in piece.notes:
        points.setdefault(math.floor(note.onset / 4), []).append(note.onset)
    grid_of: dict[int, Fraction] = {}
    for beat, onsets in points.items():
        fits = [grid for grid in GRIDS if all(abs(onset - _snap(onset, grid)) <= TOLERANCE for onset in onsets)]
        grid_of[beat] = fits[0] if fits else Fraction(1)
    n_moved = 0
    notes = []
    for note in piece.notes:
        onset = _snap(note.onset, grid_of[math.floor(note.onset / 4)])
        end_grid = grid_of.get(math.floor(note.end / 4), Fraction(1))
        if abs(note.end - _snap(note.end, end_grid)) > TOLERANCE:
            fitting = [grid for grid in GRIDS if abs(note.end - _snap(note.end, grid)) <= TOLERANCE]
            end_grid = fitting[0] if fitting and math.floor(note.end / 4) not in grid_of else end_grid
        end = _snap(note.end, end_grid)
        if end <= onset:
            end = onset + grid_of[math.floor(note.onset / 4)]
        n_moved += abs(onset - note.onset) > TOLERANCE
        notes.append(replace(note, onset=onset, duration=end - onset))
    return replace(piece, notes=tuple(notes)), n_moved


def _snap(position: Fraction, grid: Fraction) -> Fraction:
    return math.floor(position / grid + Fraction(1, 2)) * grid
