"""MusicXML: in as a `Piece` with spelled pitches, out again by patching the file that it came from.

A source is kept as the bytes it was. What is added or changed is spliced into them (see `files.xmltext`), so that
layout, lyrics, articulations, repeats and all that we have no name for leave as they came. New notes go to new parts
behind the others; each has an id that begins with `NEW_ID`, so that a program which draws the score can tell them
apart. A piece that came from elsewhere is written as a new score.

Pitches of a piece are sounding ones: those of a transposing part are moved, as its `<transpose>` says. Grace notes and
cues are left out of the piece (they have no time of their own), and stay in the file. Repeats are not played out: the
piece is the score as it is written, once from beginning to end.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.files.amending import Mark, Remains, amend_measure, marked, remains, repitch, retempo, tempo_at
from ripieno.files.engraving import (
    Frame,
    Label,
    Sheet,
    Staff,
    clef_for,
    label_xml,
    measures_of,
    score_part,
    time_xml,
    voices_of,
)
from ripieno.files.score import MusicXmlSource, piece_of_score
from ripieno.files.whole import whole_file
from ripieno.files.xmltext import MAX_BYTES, Splice, escaped, parse_xml
from ripieno.music.harmony import place_of
from ripieno.music.notation import Measure
from ripieno.music.piece import Key, NewPart, Piece, Revision, remaining_notes
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.music.spelling import Unspelled, spell
from ripieno.music.understanding import Reading, understand

SUFFIXES = (".musicxml", ".xml", ".mxl")
NEW_ID = "ripieno-"  # the ids of new notes begin so
CONTAINER = "META-INF/container.xml"
MAX_MEMBERS = 1000  # of a compressed score: pictures, and little else


def is_musicxml(path: Path) -> bool:
    """Whether a file is to be read as MusicXML: its suffix says so, or, where that says nothing, its first bytes."""
    if path.suffix.lower() in (*SUFFIXES, ".mid", ".midi") or not path.is_file():
        return path.suffix.lower() in SUFFIXES
    try:
        with path.open("rb") as file:
            begin = file.read(200)
    except OSError:
        return False
    return begin.startswith(b"PK") or begin.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def read_musicxml(path: Path) -> Piece:
    """Read a MusicXML file, plain (.musicxml, .xml) or compressed (.mxl).

    Raises:
        BadInput: there is no such file, or nothing in it that we can use; one line says what and what to do.
    """
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a MusicXML file in it")
        if not path.exists():
            raise BadInput(f"{path} does not exist; check its name and folder")
        if not path.is_file():
            raise BadInput(f"{path} is not an ordinary file; name a MusicXML file")
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} is larger than the {MAX_BYTES:,} bytes that are read; cut it")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    return parse_musicxml(data, path.name)


def parse_musicxml(data: bytes, name: str) -> Piece:
    """Read MusicXML from its bytes, plain or compressed; `name` is what an error calls it.

    Raises:
        BadInput: as `read_musicxml`.
    """
    archive, member = None, ""
    if data.startswith(b"PK"):
        archive = data
        member, data = _unpacked(data, name)
    piece = piece_of_score(parse_xml(data, name), name)
    return replace(piece, source=replace(piece.source, archive=archive, member=member))


def write_musicxml(
    piece: Piece,
    path: Path,
    revision: Revision | None = None,
    new_parts: Sequence[NewPart] = (),
    *,
    reading: Reading | None = None,
    colour: str = "",
    labels: Sequence[Label] = (),
    marks: Sequence[Mark] = (),
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
        marks: notes of the piece to be shown in colour in its own score, with words above them; those that are
            dropped or shortened are not.
        name: what an error calls the piece, for instance the name of its file.

    Returns:
        What a reader may notice that was not asked for, one line each; mostly nothing.

    Raises:
        BadInput: the file cannot be written there.
    """
    text, remarks = musicxml_bytes(
        piece, revision, new_parts, reading=reading, colour=colour, labels=labels, marks=marks
    )
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
    marks: Sequence[Mark] = (),
    name: str = "the piece",
) -> str:
    """The score that `write_musicxml` writes, uncompressed. The ids of new notes begin with `NEW_ID`."""
    data, _ = musicxml_bytes(
        piece, revision, new_parts, reading=reading, colour=colour, labels=labels, marks=marks, name=name
    )
    return parse_xml(data, "the score").text.decode("utf-8-sig")


def musicxml_bytes(
    piece: Piece,
    revision: Revision | None = None,
    new_parts: Sequence[NewPart] = (),
    *,
    reading: Reading | None = None,
    colour: str = "",
    labels: Sequence[Label] = (),
    marks: Sequence[Mark] = (),
    name: str = "the piece",
) -> tuple[bytes, list[str]]:
    """The uncompressed score that `write_musicxml` writes, in the encoding of its source, and its remarks."""
    revision = revision or Revision()
    if isinstance(piece.source, MusicXmlSource):
        return _patched(piece, piece.source, revision, new_parts, colour, labels, marks)
    reading = reading or understand(piece, name=name)
    return _new_score(piece, revision, new_parts, reading, colour, labels)


# Compressed files


def _unpacked(data: bytes, name: str) -> tuple[str, bytes]:
    """The name of the score in a compressed file, and its bytes."""
    again = "export it again, or without compression (.musicxml)"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            if len(members) > MAX_MEMBERS:
                raise BadInput(f"{name} holds {len(members):,} files, which no score does; {again}")
            member = _root_file(archive, members, name)
            return member, _member(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{name} is a damaged compressed score ({error}); {again}") from None


def _root_file(archive: zipfile.ZipFile, members: Sequence[str], name: str) -> str:
    if CONTAINER in members:
        container = parse_xml(_member(archive, CONTAINER, name), f"{name} ({CONTAINER})").root
        for root_file in container.walk():
            path = root_file.attributes.get("full-path", "")
            if (
                root_file.tag == "rootfile"
                and path in members
                and "pdf" not in root_file.attributes.get("media-type", "")
            ):
                return path
    scores = [member for member in members if member.lower().endswith((".musicxml", ".xml")) and member != CONTAINER]
    if not scores:
        raise BadInput(f"{name} is a compressed file without a score in it; export it again as MusicXML")
    return scores[0]


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """One file of the archive, which says how large it is and may lie."""
    with archive.open(member) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadInput(f"{name} unpacks to more than the {MAX_BYTES:,} bytes that are read; cut it")
    return data


# Writing


def packed_score(text: bytes, source: MusicXmlSource | None, stem: str) -> bytes:
    """A score, compressed: what else was in the source's is kept; without one, it is called by its stem."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if source is not None and source.archive is not None:
            total = 0
            with zipfile.ZipFile(io.BytesIO(source.archive)) as old:
                for info in old.infolist():
                    if info.filename == source.member:
                        archive.writestr(_dated(info.filename), text)
                        continue
                    with old.open(info) as file:
                        data = file.read(MAX_BYTES + 1 - total)
                    total += len(data)
                    if total > MAX_BYTES:
                        raise BadInput(
                            f"the compressed score unpacks to more than {MAX_BYTES:,} bytes; write .musicxml"
                        )
                    archive.writestr(_dated(info.filename), data)
        else:
            member = f"{stem}.musicxml"
            container = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<container>\n  <rootfiles>\n'
                f'    <rootfile full-path="{escaped(member)}" media-type="application/vnd.recordare.musicxml+xml"/>\n'
                "  </rootfiles>\n</container>\n"
            )
            archive.writestr(_dated(CONTAINER), container.encode())
            archive.writestr(_dated(member), text)
    return buffer.getvalue()


def _dated(name: str) -> zipfile.ZipInfo:
    """A member without a date of its own, so that the same score is the same file."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _patched(
    piece: Piece,
    source: MusicXmlSource,
    revision: Revision,
    new_parts: Sequence[NewPart],
    colour: str,
    labels: Sequence[Label],
    marks: Sequence[Mark],
) -> tuple[bytes, list[str]]:
    splices = [*_amended(piece, source, revision), *_repitched(piece, source, revision)]
    remarks: list[str] = []
    if revision.bpm is not None:
        splices += retempo(source.xml, revision.bpm)
        if not piece.tempos or piece.tempos[0].step > 0:
            splices.append(tempo_at(source.xml, source.measures[0].elements[0], revision.bpm))
    if new_parts:
        places = _places(piece, new_parts, [place.place for place in source.places])
        fermatas = frozenset(
            note.onset for note, place in zip(piece.notes, source.places, strict=True) if place.has_fermata
        )
        ids = _free_ids(source, len(new_parts))
        channels = _channels(piece, len(new_parts))
        sheets = [
            _new_sheet(part, id_, channel, number, places, colour, fermatas)
            for number, (part, id_, channel) in enumerate(zip(new_parts, ids, channels, strict=True), start=1)
        ]
        words = tuple(label for label in labels if label.chord is None)
        sheets[-1] = replace(sheets[-1], labels=words)
        labels = [label for label in labels if label.chord is not None]
        splices += _with_parts(source, sheets)
    splices += _labelled(source, labels)
    splices += _marked(piece, source, revision, marks)
    return source.xml.spliced(splices), remarks


def _labelled(source: MusicXmlSource, labels: Sequence[Label]) -> Iterator[Splice]:
    """Chord symbols in the first part of a score, words in the last."""
    for label in labels:
        i = max(i for i, measure in enumerate(source.measures) if measure.start <= label.step or i == 0)
        measure, part = source.measures[i], 0 if label.chord is not None else -1
        if label.chord is not None:  # in a transposing part it is written as the player reads it
            fifths = _fifths(source, part, label.step)
            chord = label.chord
            bass = None if chord.bass is None else chord.bass - fifths
            label = replace(label, chord=replace(chord, root=chord.root - fifths, bass=bass))
        element = measure.elements[part]
        first = next((child for child in element.children if child.tag in ("note", "backup", "forward")), None)
        at = element.stop if first is None else first.start
        offset = (label.step - measure.start) * measure.divisions[part] / STEPS_PER_BEAT
        yield Splice(at, at, label_xml(label, offset) + ("" if first is None else source.xml.indent(first)))


def _fifths(source: MusicXmlSource, part: int, step: Fraction) -> int:
    """How far on the line of fifths a part sounds from what is written."""
    signature = [one for one in source.signatures[part] if one.step <= step][-1:]
    return signature[0].fifths if signature else 0


def _marked(piece: Piece, source: MusicXmlSource, revision: Revision, marks: Sequence[Mark]) -> Iterator[Splice]:
    """Notes in colour, with words above them."""
    done: set[int] = set()
    for mark in marks:
        place = source.places[mark.note]
        if mark.note in revision.touched:
            continue
        for i, (element, number) in enumerate(zip(place.elements, place.measures, strict=True)):
            measure = source.measures[number].elements[place.part]
            is_new = element.start not in done
            done.add(element.start)
            text = mark.text if i == 0 else ""
            yield from marked(source.xml, measure, element, mark.colour if is_new else "", text)


def _amended(piece: Piece, source: MusicXmlSource, revision: Revision) -> Iterator[Splice]:
    """What drops and shortens the piece's own notes."""
    by_measure: dict[tuple[int, int], dict[int, Remains]] = {}
    for number, spans in revision.touched.items():
        place = source.places[number]
        pieces = remains(place.elements, place.onsets, piece.notes[number].end, spans)
        for one, i in zip(pieces, place.measures, strict=True):
            by_measure.setdefault((i, place.part), {})[one.element.start] = one
    for (i, part), touched in by_measure.items():
        measure = source.measures[i]
        yield from amend_measure(source.xml, measure.elements[part], measure.frame, touched, measure.cursors[part])


def _repitched(piece: Piece, source: MusicXmlSource, revision: Revision) -> Iterator[Splice]:
    """What writes notes of the piece at another pitch, spelled for the key in force."""
    for number, pitch in revision.pitches.items():
        note, place = piece.notes[number], source.places[number]
        keys = [key for key in piece.keys if key.step <= note.onset] or list(piece.keys[:1])
        new_place = place_of(pitch, keys[-1] if keys else None)
        for element, measure in zip(place.elements, place.measures, strict=True):
            signatures = [one for one in source.signatures[place.part] if one.step <= source.measures[measure].start]
            n_sharps = signatures[-1].n_sharps if signatures else 0
            yield from repitch(source.xml, element, pitch - note.pitch, new_place - place.place, n_sharps)


def _places(
    piece: Piece, new_parts: Sequence[NewPart], known: Sequence[int] | None, keys: Sequence[Key] | None = None
) -> dict[tuple[Fraction, int], int]:
    """The names of all notes, by onset and pitch."""
    notes = [
        Unspelled(note.onset, note.end, note.pitch, None if known is None else known[note.id])
        for note in piece.notes
        if not piece.parts[note.part].is_drums
    ]
    # what one player sounds once may stand in the staves as two notes, of two voices
    written = {
        note
        for part in new_parts
        for line in (part.notes, *(v for staff in part.staves for v in staff))
        for note in line
    }
    notes += [Unspelled(Fraction(note.onset), Fraction(note.end), note.pitch) for note in sorted(written)]
    names = spell(notes, piece.keys if keys is None else keys)
    return {(note.onset, note.pitch): name for note, name in zip(notes, names, strict=True)}


def _new_sheet(
    part: NewPart,
    id_: str,
    channel: int,
    number: int,
    places: dict[tuple[Fraction, int], int],
    colour: str,
    fermatas: frozenset[Fraction] = frozenset(),
) -> Sheet:
    staves = []
    for voices in part.staves or ((part.notes,),):
        pitches = [note.pitch for voice in voices for note in voice]
        sounds = [sounds for voice in voices for sounds in voices_of(voice, places)]
        staves.append(Staff(part.clef or clef_for(pitches), tuple(sounds) or ((),)))
    return Sheet(
        id=id_,
        name=part.name,
        abbreviation=part.abbreviation,
        program=part.program,
        channel=channel,
        diatonic=part.diatonic,
        chromatic=part.chromatic,
        staves=tuple(staves),
        note_id=f"{NEW_ID}{number}-",
        colour=colour,
        fermatas=fermatas,
    )


def _free_ids(source: MusicXmlSource, n_ids: int) -> list[str]:
    taken = {element.attributes["id"] for element in source.xml.root.walk() if "id" in element.attributes}
    found: list[str] = []
    number = 1
    while len(found) < n_ids:
        id_ = f"P{number}"
        if id_ not in taken and f"{id_}-I1" not in taken:
            found.append(id_)
        number += 1
    return found


def _channels(piece: Piece, n_channels: int) -> list[int]:
    """MIDI channels for new parts: those that no part has, as long as there are any."""
    free = [channel for channel in range(16) if channel != 9]
    taken = {part.channel for part in piece.parts}
    own = [channel for channel in free if channel not in taken] or free
    return [own[i % len(own)] for i in range(n_channels)]


def _with_parts(source: MusicXmlSource, sheets: Sequence[Sheet]) -> Iterator[Splice]:
    """What is spliced into a score to add parts to it."""
    xml, root = source.xml, source.xml.root
    part_list = root.first("part-list")
    entries = [line for sheet in sheets for line in score_part(sheet)]
    if part_list is not None and part_list.children:
        last = part_list.children[-1]
        yield Splice(last.end, last.end, _laid_out(entries, xml.indent(last)))
    else:
        first = root.children[0] if part_list is None else part_list
        lines = ["<part-list>", *(f"  {line}" for line in entries), "</part-list>"]
        end = first.start if part_list is None else first.end
        yield Splice(first.start, end, _laid_out(lines, xml.indent(first)).lstrip())
    frames = list(_frames(source))
    if root.tag == "score-partwise":
        last = list(root.all("part"))[-1]
        for sheet in sheets:
            lines = [f'<part id="{escaped(sheet.id)}">']
            lines += [f"  {line}" for measure in measures_of(sheet, frames) for line in measure]
            yield Splice(last.end, last.end, _laid_out([*lines, "</part>"], xml.indent(last)))
    else:
        for sheet in sheets:
            for measure, lines in zip(root.all("measure"), measures_of(sheet, frames), strict=True):
                last = list(measure.all("part"))[-1]
                lines = [f'<part id="{escaped(sheet.id)}">', *lines[1:-1], "</part>"]
                yield Splice(last.end, last.end, _laid_out(lines, xml.indent(last)))


def _laid_out(lines: Iterable[str], indent: str) -> str:
    """Lines, each on one of its own as its neighbours in the source are; all in one where those are."""
    if not indent:
        return "".join(line.strip() for line in lines)
    return "".join(indent + line for line in lines)


def _frames(source: MusicXmlSource) -> Iterator[Frame]:
    """The measures of a score as a new part has them: barlines and meters as in the first part, keys as they sound."""
    xml = source.xml
    chosen = max(source.signatures, key=len, default=())
    for measure in source.measures:
        first = measure.elements[0]
        holder = first
        if source.xml.root.tag == "score-timewise":
            holder = next(one for one in source.xml.root.all("measure") if first in one.children)
        barlines: dict[str, list[str]] = {"left": [], "right": []}
        for element in first.all("barline"):
            location = element.attributes.get("location", "right")
            if location in barlines:
                barlines[location].append(_without_ids(xml.raw(element)))
        times = [time for attributes in first.all("attributes") for time in attributes.all("time")]
        yield Frame(
            measure=measure.frame,
            attributes={
                name: holder.attributes[name]
                for name in ("number", "text", "implicit", "non-controlling")
                if name in holder.attributes
            },
            time=_on_one_line(_without_ids(xml.raw(times[0]))) if times else "",
            keys=tuple(
                (signature.step, signature.sounding, signature.mode)
                for signature in chosen
                if measure.start <= signature.step < measure.end
            ),
            left=tuple(map(_on_one_line, barlines["left"])),
            right=tuple(map(_on_one_line, barlines["right"])),
        )


def _without_ids(raw: str) -> str:
    """An element to be copied: an id may stand only once."""
    return re.sub(r"""\s(xml:)?id\s*=\s*("[^"]*"|'[^']*')""", "", raw)


def _on_one_line(raw: str) -> str:
    return re.sub(r">\s+<", "><", raw)


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
    places = _places(heard, new_parts, None, keys)
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
    channels = _channels(piece, len(new_parts))
    for number, (new, channel) in enumerate(zip(new_parts, channels, strict=True), start=1):
        sheets.append(_new_sheet(new, f"P{len(sheets) + 1}", channel, number, places, colour))
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
