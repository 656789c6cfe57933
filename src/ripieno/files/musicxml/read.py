"""A MusicXML score as it is read: the piece, and where in the file each of its notes is.

A measure is as long as the longest of its parts, and as long as its meter says where nothing is in it. One that is
shorter than its meter is a pickup at the beginning, and later perhaps the second half of a bar that a repeat has cut.

Pitches of a piece are sounding ones: those of a transposing part are moved, as its `<transpose>` says. Grace notes and
cues are left out of the piece (they have no time of their own), and stay in the file. Repeats are not played out: the
piece is the score as it is written, once from beginning to end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.door import bytes_of
from ripieno.files.midi import MAX_STEPS
from ripieno.files.musicxml.compressed import is_compressed, unpacked
from ripieno.files.musicxml.source import MusicXmlSource, NotePlace, ScoreMeasure, Signature
from ripieno.files.musicxml.text import MAX_BYTES, Element, XmlText, parse_xml
from ripieno.music.chords import Chord, PlacedChord, chord_of_degrees
from ripieno.music.harmony import key_fits
from ripieno.music.piece import Bar, Key, Meter, Note, Part, PhraseMark, Piece, Tempo, n_steps
from ripieno.music.pitch import LETTERS, pitch_of, place_of, within_seven
from ripieno.music.roll import N_PITCHES

MODES = {"major": 0, "ionian": 0, "dorian": 2, "phrygian": 4, "lydian": -1, "mixolydian": 1, "minor": 3, "aeolian": 3}
MODES["locrian"] = 5  # fifths from the tonic of the major key with the same signature
SNARE = 38  # what a drum is taken for that the file does not name
_MINOR = {"dorian", "phrygian", "minor", "aeolian", "locrian"}
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?")
_QUARTERS = {"long": 16, "breve": 8, "whole": 4, "half": 2, "quarter": 1}
_QUARTERS_OF = {
    **{value: Fraction(n) for value, n in _QUARTERS.items()},
    **{value: Fraction(1, 2**i) for i, value in enumerate(("eighth", "16th", "32nd", "64th", "128th"), start=1)},
}


_MarkOnNote = Literal["fermata", "breath", "line"]


@dataclass
class _Sounded:
    """A note as it is put together from those that are tied."""

    part: int
    staff: int
    voice: str
    pitch: int
    place: int
    onset: Fraction
    velocity: int
    is_drum: bool
    verses: tuple[str, ...]  # of each <lyric> with words, its number
    syllable: str = ""
    marks: set[_MarkOnNote] = field(default_factory=set)
    end: Fraction = Fraction(0)
    elements: list[Element] = field(default_factory=list)
    onsets: list[Fraction] = field(default_factory=list)
    measures: list[int] = field(default_factory=list)


@dataclass
class _InMeasure:
    """What one part has in one measure, with times from the measure's beginning."""

    length: Fraction = Fraction(0)
    cursor: Fraction = Fraction(0)  # where it ends
    divisions: Fraction = Fraction(1)  # of a quarter note
    events: list[tuple[Fraction, Fraction, Element]] = field(default_factory=list)  # onset, duration, note
    others: list[tuple[Fraction, Element]] = field(default_factory=list)  # attributes, directions, sounds, harmonies


def read_musicxml(path: Path) -> Piece:
    """Read a MusicXML file, plain (.musicxml, .xml) or compressed (.mxl).

    Raises:
        BadInput: there is no such file, or nothing in it that we can use; one line says what and what to do.
    """
    return parse_musicxml(bytes_of(path, "MusicXML", MAX_BYTES), path.name)


def parse_musicxml(data: bytes, name: str) -> Piece:
    """Read MusicXML from its bytes, plain or compressed; `name` is what an error calls it.

    Raises:
        BadInput: as `read_musicxml`.
    """
    archive, member = None, ""
    if is_compressed(data):
        archive = data
        member, data = unpacked(data, name)
    piece = piece_of_score(parse_xml(data, name), name)
    return replace(piece, source=replace(piece.source, archive=archive, member=member))


def piece_of_score(xml: XmlText, name: str) -> Piece:
    """The piece that a score is; `name` is what an error calls it.

    Raises:
        BadInput: it is no score, is damaged, or has no notes.
    """
    return _Reader(xml, name).piece()


def _syllable(element: Element) -> str:
    """What is sung on a note in the first of its verses, with a hyphen behind where the word goes on."""
    lyrics = [lyric for lyric in element.all("lyric") if lyric.has("text")]
    if not lyrics:
        return ""
    first = min(lyrics, key=lambda lyric: lyric.attributes.get("number", "1"))
    if first.attributes.get("number", "1") != "1":
        return ""
    text = " ".join(part.text.strip() for part in first.all("text")).strip()
    return text + "-" * (first.text_of("syllabic") in ("begin", "middle") and not text.endswith("-"))


def _marks_on(element: Element) -> set[_MarkOnNote]:
    """The signs on a note at which a phrase ends."""
    found: set[_MarkOnNote] = set()
    for notations in element.all("notations"):
        if notations.has("fermata"):
            found.add("fermata")
        if any(own.has("breath-mark") or own.has("caesura") for own in notations.all("articulations")):
            found.add("breath")
    if any(lyric.has("end-line") or lyric.has("end-paragraph") for lyric in element.all("lyric")):
        found.add("line")
    return found


def _marks(
    sounded: Sequence[_Sounded], measures: Sequence[ScoreMeasure], parts: Mapping[tuple[int, int, bool], int]
) -> list[PhraseMark]:
    """The signs at which phrases end, those of several notes of a chord once; no double bar at the very end."""
    found = {
        PhraseMark(step=note.onset, kind=kind, part=parts[note.part, note.staff, note.is_drum])
        for note in sounded
        for kind in note.marks
    }
    for measure in measures[:-1]:
        for barline in measure.elements[0].all("barline"):
            if _location(barline) == "right" and barline.text_of("bar-style") in ("light-light", "light-heavy"):
                found.add(PhraseMark(step=measure.end, kind="double bar"))
    return sorted(found, key=lambda mark: (mark.step, mark.kind, -1 if mark.part is None else mark.part))


def number_of(text: str, what: str, name: str) -> Fraction:
    """A number as MusicXML writes it, of a size that music has."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise BadInput(f'{name} is damaged: it has "{text[:20]}" as {what}; export it again')
    return Fraction(text)


class _Reader:
    """Reads one score."""

    def __init__(self, xml: XmlText, name: str) -> None:
        self.xml = xml
        self.root = xml.root
        self.name = name
        self.ids, self.rows = self._rows()

    def piece(self) -> Piece:
        read = [self._read_part(row) for row in self.rows]
        measures = self._measures(read)
        heads = {element.attributes.get("id", ""): element for element in self._score_parts()}
        sounded: list[_Sounded] = []
        signatures, n_graces = [], 0
        chords: list[list[PlacedChord]] = []
        for number, row in enumerate(read):
            score_part = heads.get(self.ids[number])
            reader = _PartReader(self.name, number, _unpitched(score_part))
            for i, (here, measure) in enumerate(zip(row, measures, strict=True)):
                reader.read(i, here, measure.start)
            sounded += reader.sounded
            signatures.append(reader.signatures)
            n_graces += reader.n_graces
            chords.append(reader.chords)
        if not sounded:
            raise BadInput(f"{self.name} has no notes; choose a file with a melody in it")
        if all(note.is_drum for note in sounded):
            raise BadInput(f"{self.name} has nothing but percussion; choose a file with a melody in it")
        sounded.sort(key=lambda note: (note.onset, note.part, note.staff, note.pitch))
        lines = sorted({(note.part, note.staff, note.is_drum) for note in sounded})
        at = {line: i for i, line in enumerate(lines)}
        has_repeats = any(
            element.has("repeat") or element.has("ending")
            for measure in measures
            for element in measure.elements[0].all("barline")
        )
        piece = Piece(
            notes=tuple(
                Note(
                    id=i,
                    part=at[note.part, note.staff, note.is_drum],
                    pitch=note.pitch,
                    onset=note.onset,
                    duration=note.end - note.onset,
                    velocity=note.velocity,
                    syllable=note.syllable,
                )
                for i, note in enumerate(sounded)
            ),
            parts=tuple(self._parts(lines, heads)),
            tempos=tuple(self._tempos(read, measures)),
            meters=tuple(_meters(measures)),
            keys=tuple(_keys(signatures, sounded)),
            name=self._title(),
            chords=tuple(sorted(chords, key=len)[-1]),
            bars=tuple(self._bars(measures)),
            marks=tuple(_marks(sounded, measures, at)),
            source=MusicXmlSource(
                xml=self.xml,
                measures=tuple(measures),
                signatures=tuple(tuple(own) for own in signatures),
                places=tuple(
                    NotePlace(
                        tuple(note.elements),
                        tuple(note.onsets),
                        tuple(note.measures),
                        note.part,
                        note.place,
                        bool(note.verses),
                        "fermata" in note.marks,
                    )
                    for note in sounded
                ),
                n_graces=n_graces,
                has_repeats=has_repeats,
                n_verses=len({number for note in sounded for number in note.verses}),
            ),
        )
        if n_steps(piece) > MAX_STEPS:
            raise BadInput(
                f"{self.name} lasts {n_steps(piece):,} sixteenths, more than the {MAX_STEPS:,} that are read; cut it"
            )
        return piece

    def _rows(self) -> tuple[list[str], list[list[Element]]]:
        """The ids of the score's parts, and the measures of each."""
        root = self.root
        if root.tag == "score-partwise":
            parts = list(root.all("part"))
            ids = [part.attributes.get("id", "") for part in parts]
            rows = [list(part.all("measure")) for part in parts]
        elif root.tag == "score-timewise":
            ids = []
            for measure in root.all("measure"):
                ids += [id_ for part in measure.all("part") if (id_ := part.attributes.get("id", "")) not in ids]
            rows = [[] for _ in ids]
            for measure in root.all("measure"):
                here = {part.attributes.get("id", ""): part for part in measure.all("part")}
                if set(here) != set(ids):
                    raise BadInput(f"{self.name} is damaged: not every measure has all parts; export it again")
                for id_, row in zip(ids, rows, strict=True):
                    row.append(here[id_])
        else:
            raise BadInput(f"{self.name} is no MusicXML score but <{root.tag[:40]}>; export it as MusicXML")
        if not rows or not any(rows):
            raise BadInput(f"{self.name} has no notes; choose a file with a melody in it")
        if len({len(row) for row in rows}) > 1:
            counts = ", ".join(str(len(row)) for row in rows[:8])
            raise BadInput(f"{self.name} is damaged: its parts have {counts} measures; export it again")
        return ids, rows

    def _score_parts(self) -> Iterator[Element]:
        part_list = self.root.first("part-list")
        return iter(()) if part_list is None else part_list.all("score-part")

    def _title(self) -> str:
        return self.root.text_of("work", "work-title") or self.root.text_of("movement-title")

    def _read_part(self, row: Sequence[Element]) -> list[_InMeasure]:
        divisions = Fraction(1)  # of a quarter note
        found = []
        for measure in row:
            here = _InMeasure()
            cursor = before = Fraction(0)
            for element in measure.children:
                tag = element.tag
                if tag == "note":
                    if element.has("grace"):
                        here.events.append((cursor, Fraction(0), element))
                        continue
                    duration = self._duration(element, divisions)
                    if element.has("chord"):
                        here.events.append((before, duration, element))
                    else:
                        here.events.append((cursor, duration, element))
                        before, cursor = cursor, cursor + duration
                elif tag == "forward":
                    cursor += self._duration(element, divisions)
                elif tag == "backup":
                    cursor = max(cursor - self._duration(element, divisions), Fraction(0))
                else:
                    if tag == "attributes" and element.has("divisions"):
                        divisions = number_of(element.text_of("divisions"), "divisions of a quarter note", self.name)
                        if divisions <= 0:
                            raise BadInput(f"{self.name} is damaged: a quarter note has no divisions; export it again")
                    offset = element.text_of("offset") if tag == "harmony" else ""
                    later = 4 * number_of(offset, "an offset", self.name) / divisions if offset else Fraction(0)
                    here.others.append((max(cursor + later, Fraction(0)), element))
                here.length = max(here.length, cursor)
                here.cursor = cursor
            here.divisions = divisions
            found.append(here)
        return found

    def _duration(self, element: Element, divisions: Fraction) -> Fraction:
        """In steps."""
        written = element.text_of("duration")
        if written:
            return max(4 * number_of(written, "a duration", self.name) / divisions, Fraction(0))
        value = _QUARTERS_OF.get(element.text_of("type"), Fraction(0))
        return 4 * value * (2 - Fraction(1, 2 ** min(sum(1 for _ in element.all("dot")), 4)))

    def _measures(self, read: Sequence[Sequence[_InMeasure]]) -> list[ScoreMeasure]:
        """Where the measures lie: each is as long as its longest part, and as its meter says where nothing is in it."""
        found: list[ScoreMeasure] = []
        numerator, denominator = 4, 4
        start = Fraction(0)
        for i in range(len(self.rows[0])):
            for row in read:
                for _, element in row[i].others:
                    time = element.first("time") if element.tag == "attributes" else None
                    if time is not None:
                        numerator, denominator = self._meter(time) or (numerator, denominator)
            full = Fraction(16 * numerator, denominator)
            length = max(row[i].length for row in read) or full
            elements = tuple(row[i] for row in self.rows)
            offset = Fraction(0)
            if length < full:
                offset = full - length if not found else _second_half(found[-1], elements[0], length, full)
            cursors = tuple(row[i].cursor for row in read)
            divisions = tuple(row[i].divisions for row in read)
            found.append(
                ScoreMeasure(start, start + length, numerator, denominator, offset, elements, cursors, divisions)
            )
            start += length
            if start > 4 * MAX_STEPS:
                raise BadInput(f"{self.name} lasts more than the {MAX_STEPS:,} sixteenths that are read; cut it")
        return found

    def _meter(self, time: Element) -> tuple[int, int] | None:
        pairs = list(zip(time.all("beats"), time.all("beat-type"), strict=False))
        total = Fraction(0)
        denominator = 1
        for beats, beat_type in pairs:
            numbers = [part.strip() for part in beats.text.split("+")]
            unit = beat_type.text.strip()
            if not all(re.fullmatch(r"\d{1,3}", number) for number in (*numbers, unit)):
                return None
            if int(unit) not in (1, 2, 4, 8, 16, 32, 64):
                return None
            denominator = max(denominator, int(unit))
            total += Fraction(sum(map(int, numbers)), int(unit))
        numerator = total * denominator
        return (int(numerator), denominator) if 0 < numerator <= 128 else None

    def _bars(self, measures: Sequence[ScoreMeasure]) -> Iterator[Bar]:
        """The bars as musicians count them: the halves of one that a repeat has cut in two are one."""
        number = 0
        for i, measure in enumerate(measures):
            if i and measure.offset:
                continue
            written = measure.elements[0].attributes.get("number", "")
            is_pickup = i == 0 and measure.offset > 0
            if i == 0:
                number = int(written) if re.fullmatch(r"\d{1,6}", written) else 0 if is_pickup else 1
            else:
                number += 1
            yield Bar(step=measure.start, number=number)

    def _tempos(self, read: Sequence[Sequence[_InMeasure]], measures: Sequence[ScoreMeasure]) -> list[Tempo]:
        found: dict[Fraction, float] = {}
        for row in reversed(read):  # the first part has the last word
            for here, measure in zip(row, measures, strict=True):
                for at, element in here.others:
                    for bpm in _bpms(element):
                        if 1 <= bpm <= 10_000:
                            found[measure.start + at] = bpm
        tempos: list[Tempo] = []
        for step, bpm in sorted(found.items()):
            if not tempos or tempos[-1].bpm != bpm:
                tempos.append(Tempo(step=step, bpm=bpm))
        return tempos

    def _parts(self, lines: Sequence[tuple[int, int, bool]], heads: dict[str, Element]) -> Iterator[Part]:
        """A part of the piece for each staff of each part of the score."""
        free = [channel for channel in range(16) if channel != 9]
        for part, staff, is_drum in lines:
            head = heads.get(self.ids[part])
            name = "" if head is None else head.text_of("part-name")
            program = "" if head is None else head.text_of("midi-instrument", "midi-program")
            n_staves = sum(1 for line in lines if line[0] == part and line[2] == is_drum)
            yield Part(
                name=f"{name} (staff {staff})" if n_staves > 1 else name,
                program=int(program) - 1 if re.fullmatch(r"\d{1,3}", program) and 1 <= int(program) <= 128 else 0,
                channel=9 if is_drum else free[part % len(free)],
                is_drums=is_drum,
                track=part,
            )


class _PartReader:
    """Reads what a part sounds, measure by measure: transposed, and with its ties put together."""

    def __init__(self, name: str, number: int, unpitched: Mapping[str, int]) -> None:
        self.name = name  # of the file
        self.number = number
        self.unpitched = unpitched
        self.sounded: list[_Sounded] = []
        self.signatures: list[Signature] = []
        self.chords: list[PlacedChord] = []
        self.n_graces = 0
        self._tied: dict[int, list[_Sounded]] = {}  # by pitch: what goes on
        self._transposed: dict[int, tuple[int, int]] = {}  # by staff, 0 for all others: semitones, fifths
        self._loudness = 90.0

    def read(self, i: int, here: _InMeasure, start: Fraction) -> None:
        """Read measure `i`, which begins at `start`."""
        moments = [(at, 0, Fraction(0), element) for at, element in here.others]
        moments += [(at, 1, duration, element) for at, duration, element in here.events]
        for at, kind, duration, element in sorted(moments, key=lambda moment: moment[:2]):
            if kind == 0:
                self._read_other(start + at, element)
            elif element.has("grace"):
                self.n_graces += 1
            elif not element.has("rest") and not element.has("cue") and duration > 0:
                self._read_note(i, start + at, duration, element)

    def _read_other(self, step: Fraction, element: Element) -> None:
        if element.tag == "harmony":
            self.chords.append(PlacedChord(step, self._chord(element)))
        for transpose in element.all("transpose"):
            staff = transpose.attributes.get("number", "0")
            self._transposed[int(staff) if re.fullmatch(r"\d{1,3}", staff) else 0] = self._transposition(transpose)
        keys = [key for key in element.all("key") if key.attributes.get("number", "1") == "1" and key.has("fifths")]
        if keys:
            written = int(number_of(keys[0].text_of("fifths"), "a key signature", self.name))
            if abs(written) > 11:
                raise BadInput(f"{self.name} is damaged: it has a key of {written} sharps; export it again")
            moved = self._transposed.get(1, self._transposed.get(0, (0, 0)))[1]
            mode = keys[0].text_of("mode").lower()
            self.signatures.append(Signature(step, written, within_seven(written + moved), moved, mode))
        sound = element if element.tag == "sound" else element.first("sound")
        if sound is not None and _NUMBER.fullmatch(sound.attributes.get("dynamics", "")):
            self._loudness = float(sound.attributes["dynamics"])

    def _read_note(self, i: int, step: Fraction, duration: Fraction, element: Element) -> None:
        written_staff = element.text_of("staff")
        staff = int(written_staff) if re.fullmatch(r"\d{1,3}", written_staff) else 1
        voice = element.text_of("voice")
        is_drum = not element.has("pitch")
        pitch, place = self._drum(element) if is_drum else self._pitch(element, staff)
        goes_on, is_tied = _ties(element)
        note = self._continued(pitch, step, staff, voice) if goes_on else None
        if note is None:
            loudness = element.attributes.get("dynamics", "")
            note = _Sounded(
                part=self.number,
                staff=staff,
                voice=voice,
                pitch=pitch,
                place=place,
                onset=step,
                velocity=_velocity(float(loudness) if _NUMBER.fullmatch(loudness) else self._loudness),
                is_drum=is_drum,
                verses=tuple(
                    lyric.attributes.get("number", "1") for lyric in element.all("lyric") if lyric.has("text")
                ),
                syllable=_syllable(element),
            )
            self.sounded.append(note)
        note.end = step + duration
        note.elements.append(element)
        note.onsets.append(step)
        note.measures.append(i)
        note.marks |= _marks_on(element)
        if is_tied:
            self._tied.setdefault(pitch, []).append(note)

    def _continued(self, pitch: int, step: Fraction, staff: int, voice: str) -> _Sounded | None:
        """The note that a tie leads from to here; one of the same voice if several end here."""
        waiting = [note for note in self._tied.get(pitch, ()) if note.end == step]
        if not waiting:
            return None
        note = min(waiting, key=lambda note: (note.staff != staff, note.voice != voice))
        self._tied[pitch].remove(note)
        return note

    def _drum(self, element: Element) -> tuple[int, int]:
        instrument = element.first("instrument")
        called = instrument.attributes.get("id", "") if instrument is not None else ""
        return self.unpitched.get(called, SNARE), 0

    def _pitch(self, element: Element, staff: int) -> tuple[int, int]:
        """MIDI number and place on the line of fifths, as it sounds."""
        semitones, fifths = self._transposed.get(staff, self._transposed.get(0, (0, 0)))
        step = element.text_of("pitch", "step")
        letter = LETTERS.find(step.upper()) if len(step) == 1 else -1
        octave = number_of(element.text_of("pitch", "octave"), "an octave", self.name)
        written = number_of(element.text_of("pitch", "alter") or "0", "an alteration", self.name)
        if letter < 0 or abs(written) > 3:
            raise BadInput(f'{self.name} is damaged: it has a note called "{step[:20]}"; export it again')
        alteration = math.floor(written + Fraction(1, 2))  # of quarter tones the upper half
        pitch = pitch_of(letter, alteration, int(octave)) + semitones
        if not 0 <= pitch < N_PITCHES:
            raise BadInput(f"{self.name} has {step}{octave}, which no instrument plays; export it again")
        return pitch, place_of(letter, alteration) + fifths

    def _chord(self, element: Element) -> Chord | None:
        """A chord symbol as it sounds; none where it says that there is no chord, or says it in a way of its own."""
        fifths = self._transposed.get(1, self._transposed.get(0, (0, 0)))[1]

        def place(what: str) -> int | None:
            step = element.text_of(what, f"{what}-step").upper()
            letter = LETTERS.find(step) if len(step) == 1 else -1
            written = element.text_of(what, f"{what}-alter") or "0"
            if letter < 0 or not _NUMBER.fullmatch(written) or abs(float(written)) > 2:
                return None
            return place_of(letter, int(float(written))) + fifths

        root, bass = place("root"), place("bass")
        degrees = []
        for degree in element.all("degree"):
            value, alter = degree.text_of("degree-value"), degree.text_of("degree-alter") or "0"
            if re.fullmatch(r"\d{1,2}", value) and re.fullmatch(r"[+-]?[012]", alter):
                degrees.append((int(value), int(alter), degree.text_of("degree-type")))
        if root is None:
            return None
        return chord_of_degrees(element.text_of("kind"), root, None if bass == root else bass, degrees)

    def _transposition(self, transpose: Element) -> tuple[int, int]:
        """Semitones and fifths from what is written to what sounds."""

        def number(tag: str) -> int:
            return int(number_of(transpose.text_of(tag) or "0", "a transposition", self.name))

        semitones, octaves = number("chromatic"), number("octave-change")
        fifths = 7 * semitones - 12 * number("diatonic")
        if abs(semitones) > 48 or abs(octaves) > 8:
            raise BadInput(f"{self.name} is damaged: a part transposes by {semitones} semitones; export it again")
        if not transpose.has("diatonic") or abs(fifths) > 12:
            fifths = (7 * semitones + 5) % 12 - 5
        return semitones + 12 * octaves, fifths


def _second_half(before: ScoreMeasure, element: Element, length: Fraction, full: Fraction) -> Fraction:
    """Where in a bar a short measure begins: where the one before left off if the two are halves of one bar, else 0."""
    ends = before.offset + before.end - before.start
    number = element.attributes.get("number", "")
    is_half = (
        element.attributes.get("implicit") == "yes"
        or not number.isdecimal()
        or number == before.elements[0].attributes.get("number")
        or any(barline.has("repeat") for barline in element.all("barline") if _location(barline) == "left")
        or any(barline.has("repeat") for barline in before.elements[0].all("barline") if _location(barline) == "right")
    )
    return ends if is_half and ends < full and ends + length <= full else Fraction(0)


def _location(barline: Element) -> str:
    return barline.attributes.get("location", "right")


def _velocity(loudness: float) -> int:
    """MusicXML gives loudness in percent of a MIDI velocity of 90."""
    return min(max(round(loudness * 0.9), 1), 127)


def _ties(element: Element) -> tuple[bool, bool]:
    """Whether a note goes on another, and whether another goes on it."""
    kinds = {tie.attributes.get("type") for tie in element.all("tie")}
    if not kinds:
        kinds = {tied.attributes.get("type") for notation in element.all("notations") for tied in notation.all("tied")}
    return "stop" in kinds or "continue" in kinds, "start" in kinds or "continue" in kinds


def _unpitched(score_part: Element | None) -> dict[str, int]:
    """The MIDI number of each percussion instrument of a part."""
    found = {}
    for instrument in score_part.all("midi-instrument") if score_part is not None else ():
        number = instrument.text_of("midi-unpitched")
        if re.fullmatch(r"\d{1,3}", number) and 1 <= int(number) <= N_PITCHES:
            found[instrument.attributes.get("id", "")] = int(number) - 1
    return found


def _bpms(element: Element) -> Iterator[float]:
    """The tempos that an element sets; what is played counts before what is written."""
    sound = element if element.tag == "sound" else element.first("sound")
    if sound is not None and _NUMBER.fullmatch(sound.attributes.get("tempo", "")):
        yield float(sound.attributes["tempo"])
        return
    for kind in element.all("direction-type"):
        for metronome in kind.all("metronome"):
            per_minute = re.search(r"\d{1,4}(\.\d{1,4})?", metronome.text_of("per-minute"))
            quarters = _QUARTERS_OF.get(metronome.text_of("beat-unit"))
            if per_minute and quarters:
                n_dots = min(sum(1 for _ in metronome.all("beat-unit-dot")), 3)
                yield float(per_minute[0]) * float(quarters * (2 - Fraction(1, 2**n_dots)))


def _meters(measures: Sequence[ScoreMeasure]) -> Iterator[Meter]:
    before = None
    for measure in measures:
        meter = (measure.numerator, measure.denominator)
        if meter != before:
            yield Meter(step=measure.start, numerator=meter[0], denominator=meter[1])
        before = meter


def _keys(signatures: Sequence[Sequence[Signature]], sounded: Sequence[_Sounded]) -> Iterator[Key]:
    """The keys of the part that says most of them; where a mode is not given, the notes tell which it is."""
    chosen = max(signatures, key=lambda own: (len(own), any(one.mode for one in own)), default=())
    for i, signature in enumerate(chosen):
        n_sharps, mode = signature.sounding, signature.mode
        if mode not in MODES:
            until = chosen[i + 1].step if i + 1 < len(chosen) else None
            mode = _mode(n_sharps, signature.step, until, sounded)
        quality: Literal["major", "minor"] = "minor" if mode in _MINOR else "major"
        yield Key(
            step=signature.step,
            tonic=(n_sharps + MODES[mode]) * 7 % 12,
            mode=quality,
            n_sharps=max(min(n_sharps, 7), -7),
        )


def _mode(n_sharps: int, start: Fraction, until: Fraction | None, sounded: Sequence[_Sounded]) -> str:
    here = [note for note in sounded if start <= note.onset and (until is None or note.onset < until)]
    here = [note for note in here if not note.is_drum]
    if not here:
        return "major"
    weights = np.zeros(12)
    for note in here:
        weights[note.pitch % 12] += float(note.end - note.onset)
    last = max(note.end for note in here)
    fits = key_fits(weights, min(note.pitch for note in here if note.end == last))
    tonic = n_sharps * 7 % 12
    return "minor" if fits[1, (tonic + 9) % 12] > fits[0, tonic] else "major"
