"""What the program understands of a piece before it adds to it: melody, meter, pickup, key, tempo.

Each is read where the file says and guessed where it does not; `Reading.sentence` says which, and every one can be
overruled by an argument of `understand`. The paper takes a bare roll and needs none of this.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np

from ripieno.errors import BadInput
from ripieno.music.bass_lines import BASS_BELOW, lone_role
from ripieno.music.harmony import MODES, identify_key, key_fits, key_name, key_of, note_name, parse_key, usable
from ripieno.music.outline import Outline, beat_of, outline_of
from ripieno.music.phrases import (
    Phrase,
    PhraseSource,
    Place,
    WrittenSource,
    last_notes_at,
    metre_in,
    parse_phrases,
    phrases_of,
    written_ends,
)
from ripieno.music.piece import Key, Meter, Note, Piece, bar_starts, n_steps
from ripieno.music.roll import STEPS_PER_BEAT, RollNote
from ripieno.music.segmentation import MOST_GUESSED, Tune, guess_ends
from ripieno.shapes import Float, Int

Role = Literal["top", "bass", "inner"]
ROLES: tuple[Role, ...] = ("top", "bass", "inner")
_LINES = {"top": "top line", "bass": "bass line", "inner": "inner line"}
_OTHERWISE = {"top": "a tune", "bass": "a bass"}

# Where the body of a line lies comfortably, from and to: about what Bach's chorales ask of a soprano, of alto and
# tenor, and of a bass (JSB: 60-81, 46-74, 36-66), so that the model has room for the other voices.
COMFORT = {"top": (57, 81), "inner": (48, 76), "bass": (36, 64)}
CLEARLY_OUTSIDE = 1.0  # semitones beyond it, on average over the line; nearer ones stay where they are
INNER_MEANS = (52, 69)  # where a tenor or an alto may lie on average; Bach's lie within 55-68 (JSB train)

MOST_NOTES = 50_000  # a long symphony has fewer
MOST_AT_ONCE = 200

WRITTEN = get_args(WrittenSource)
MOST_SAID = 12  # phrases whose ends the sentence names
UNSURE = 0.5

ON_GRID = Fraction(1, 8)  # of a step: a player's unevenness, but no triplet


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What we take a piece to be. Of all its time the model sees the region, which is made of whole bars.

    Steps are those of the region unless it says otherwise; pitches are the file's.
    """

    melody: Role  # which side new notes keep on: below a top line, above a bass, anywhere around an inner one
    is_melody_sure: bool  # else a line that lies low and sounds alone may be a bass as well as a tune
    melody_part: str  # where it was found, as one says it
    melody_notes: frozenset[int]  # Note.id
    part: int | None  # index of the part that the melody is in; none if it was looked for in all of them
    line: Int[np.ndarray, " step"]  # pitch of the melody at each step, -1 where it rests
    tune: tuple[RollNote, ...]  # the melody's notes, one after the other
    phrases: tuple[Phrase, ...]  # of the tune
    phrases_from: PhraseSource
    meters: tuple[Meter, ...]  # the one the region begins in, then those that it changes to (steps of the file)
    is_meter_guessed: bool
    key: Key
    is_key_guessed: bool
    keys: tuple[tuple[int, Key], ...]  # that the piece is in, each from a step on; the first from 0
    bpm: float  # quarter notes a minute, at first
    is_bpm_given: bool
    start: int  # step of the file on which the region begins
    n_steps: int
    bar_starts: tuple[int, ...]  # the first is 0, also where that is a pickup
    first_bar: int  # the number of the first of them: 0 for a pickup, 1, or more where empty bars come before
    pickup: int  # steps from the first note to the first bar line; 0 if there is no pickup
    shift: int  # semitones that the model sees everything higher than it is: whole octaves
    selection: slice  # the bars asked for; all of them unless asked
    warnings: tuple[str, ...]

    @property
    def beat_phase(self) -> int:
        """Which sixteenth of its quarter the region's first step is: 0, unless a pickup in eighths begins it."""
        return -self.bar_starts[1] % STEPS_PER_BEAT if self.pickup else 0

    @property
    def n_bars(self) -> int:
        """Bars in the region, a pickup not counted."""
        return len(self.bar_starts) - bool(self.pickup)

    @property
    def bar_spans(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Of each bar but a pickup: its start, its end and the length of its beat, in steps of the file."""
        starts = [Fraction(self.start + bar) for bar in (*self.bar_starts, self.n_steps)]
        spans = []
        for start, end in pairwise(starts[bool(self.pickup) :]):
            meter = _meter_at([replace(self.meters[0], step=Fraction(self.start)), *self.meters], start)
            is_compound = meter.numerator % 3 == 0 and meter.numerator > 3 and meter.denominator >= 8
            spans.append((start, end, Fraction(16, meter.denominator) * (3 if is_compound else 1)))
        return spans

    @property
    def outline(self) -> Outline:
        """What is known of every step of the region beside its notes: bars, phrases, keys, guessed ones too."""
        ends = [*self.bar_starts[1:], self.n_steps]
        bars = []
        for start, end in zip(self.bar_starts, ends, strict=True):
            meter = meter_at(self, start)
            length = math.ceil(meter.steps_per_bar)
            # a pickup is the end of its bar
            first = end - length if self.pickup and start == self.bar_starts[0] else start
            bars.append((first, length, beat_of(meter.numerator, meter.denominator)))
        phrases = None if self.phrases_from == "nobody" else [(one.rest, one.end) for one in self.phrases]
        return outline_of(self.n_steps, bars, phrases, self.keys)

    @property
    def last_bar(self) -> int:
        """The number of the last bar."""
        return self.first_bar + len(self.bar_starts) - 1

    def place(self, step: int) -> str:
        """Where a step of the region is, as a musician counts: "bar 3, beat 2", or "beat 2.5" half a beat later."""
        bar, beat = self.bar_and_beat(step)
        return f"bar {bar}, beat {beat:g}"

    def bar_and_beat(self, step: int) -> tuple[int, float]:
        """The same as numbers: the bar's, and the beat within it, from 1."""
        i = bisect_right(self.bar_starts, step) - 1
        meter = meter_at(self, step)
        offset = step - self.bar_starts[i]
        if self.pickup and i == 0:  # it is the end of a bar
            offset = step - self.bar_starts[1] + math.ceil(meter.steps_per_bar)
        return self.first_bar + i, 1 + offset * meter.denominator / 16

    def step_at(self, bar: int, beat: float) -> Fraction:
        """The step of the region at a beat of a bar, as `bar_and_beat` counts them.

        Raises:
            BadInput: there is no such place.
        """
        steps = steps_of_bars(self, bar, bar)
        meter = meter_at(self, steps.start)
        offset = Fraction(beat - 1) * 16 / meter.denominator
        if self.pickup and bar == self.first_bar:
            offset -= math.ceil(meter.steps_per_bar) - self.bar_starts[1]
        if not 0 <= offset < steps.stop - steps.start:
            first, last = (self.bar_and_beat(step)[1] for step in (steps.start, steps.stop - 1))
            raise BadInput(
                f"bar {bar} has no beat {beat:g}: its beats go from {math.ceil(first)} to {math.floor(last)}"
            )
        return int(steps.start) + offset

    def end_of(self, phrase: Phrase) -> Place:
        """Where a phrase ends, as one says it: the bar and beat of its last note; the bar alone if none follows."""
        bar, beat = self.bar_and_beat(phrase.rest)
        ends = (*self.bar_starts[1:], self.n_steps)
        is_last = not any(phrase.rest < note.onset < ends[bar - self.first_bar] for note in self.tune)
        return Place(bar) if is_last else Place(bar, beat)

    def sentence(self) -> str:
        """The reading in one line: "Melody: top line of track 1. 4/4, A flat major (guessed), 92 bpm, 8 bars"."""
        said = [
            _in_figures(self.meters[0]) + (" (guessed)" if self.is_meter_guessed else ""),
            key_name(self.key) + (" (guessed)" if self.is_key_guessed else ""),
            f"{self.bpm:.0f} bpm" + ("" if self.is_bpm_given else " (not given)"),
            "1 bar" if self.n_bars == 1 else f"{self.n_bars} bars",
        ]
        if len(self.meters) == 2:
            bar = self.first_bar + bisect_right(self.bar_starts, self.meters[1].step - self.start) - 1
            said[0] += f" ({_in_figures(self.meters[1])} from bar {bar})"
        elif len(self.meters) > 2:
            said[0] += f" (changing {len(self.meters) - 1} times)"
        if self.first_bar > 1:
            said[3] += f" ({self.first_bar} to {self.last_bar})"
        if self.pickup:
            said.append(f"pickup of {_length_in_words(self.pickup, self.meters[0])}")
        if self.shift:
            octaves = "an octave" if abs(self.shift) == 12 else f"{abs(self.shift) // 12} octaves"
            said.append(f"moved {'up' if self.shift > 0 else 'down'} {octaves} for the model and back again")
        said += self._phrases_in_words()
        line = f"{_LINES[self.melody]} of {self.melody_part}"
        if not self.is_melody_sure:
            other = "top" if self.melody == "bass" else "bass"
            line += f" (guessed: if it is {_OTHERWISE[other]}, say --melody {other})"
        return f"Melody: {line}. {', '.join(said)}"

    def _phrases_in_words(self) -> list[str]:
        """As "4 phrases (guessed): bars 2, 4?, 6, 8"; a question mark says that it may well be otherwise."""
        if not self.phrases:
            return ["no phrases"] if self.phrases_from == "said" else []
        n = len(self.phrases)
        said = f"{n} phrases" if n > 1 else "1 phrase"
        if self.phrases_from == "said":
            return [said]
        if n == 1:  # which is as much as to have found none
            return []
        said += f" ({self.phrases_from})"
        if self.phrases_from in WRITTEN or n > MOST_SAID:
            return [said]
        ends = [f"{self.end_of(one)}{'?' if one.sure < UNSURE else ''}" for one in self.phrases]
        return [f"{said}: bars {', '.join(ends)}"]


def understand(
    piece: Piece,
    *,
    name: str = "the piece",
    melody: str | None = None,
    meter: str | None = None,
    pickup: Fraction | float | int | None = None,
    key: str | None = None,
    bars: tuple[int, int] | None = None,
    phrases: str | None = None,
    lowest: int = 28,
    highest: int = 91,
) -> Reading:
    """Read or guess what a piece is.

    Args:
        piece: drums in it are left alone.
        name: what an error calls the piece, for instance the name of its file.
        melody: "top", "bass" or "inner", or a part by its number, counted from 1, or by a piece of its name.
        meter: as "3/4", for the whole piece; else the file's, else a guess.
        pickup: beats, as the lower number of the meter counts them, from the first note to the first bar line.
        key: as "Ab" or "F sharp minor"; else the file's unless the notes speak against it, else a guess.
        bars: first and last bar of the selection, by their numbers in the reading.
        phrases: where they end, as "2:4, 4", or their syllables, as "8.6.8.6"; "none"; else as written, or a guess.
        lowest, highest: the pitches that the model knows.

    Raises:
        BadInput: there is nothing to read, or an argument does not fit the piece.
    """
    notes = [note for note in piece.notes if not piece.parts[note.part].is_drums]
    if not notes:
        raise BadInput(f"{name} has no notes besides drums; choose one with a melody in it")
    _check_size(notes, name)
    found_melody = _find_melody(piece, notes, melody)
    role, part, line_notes = found_melody.role, found_melody.part, found_melody.notes
    meters, is_meter_guessed = _find_meters(piece, notes, meter)
    # Who names another meter or pickup says that the file's bar lines are wrong.
    metered = replace(piece, meters=meters, bars=piece.bars if meter is None and pickup is None else ())
    found = _find_bars(metered, notes) if pickup is None else _find_bars_after(metered, notes, pickup)
    start = found.lines[0]
    line = _line_of(line_notes, start, found.end - start, role)
    shift = _find_shift(line, notes, role, lowest, highest)
    if role == "inner" and len(line_notes) == len(notes):
        shift = _shift_of_inner(line, lowest, highest)
    chosen_key, is_key_guessed = _find_key(piece, notes, start, key)
    sung = _one_by_one(line_notes, start, found.end - start, role)
    tempos = [tempo for tempo in piece.tempos if tempo.step <= start] or list(piece.tempos[:1])
    reading = Reading(
        melody=role,
        is_melody_sure=found_melody.is_sure,
        melody_part="all tracks" if part is None else _label(piece, part),
        melody_notes=frozenset(note.id for note in line_notes),
        part=part,
        line=line,
        tune=tuple(sung),
        phrases=(),
        phrases_from="nobody",
        meters=_meters_of(found, meters),
        is_meter_guessed=is_meter_guessed,
        key=chosen_key,
        is_key_guessed=is_key_guessed,
        keys=_keys_of(piece, chosen_key, start, found.end, is_given=key is None and not is_key_guessed),
        bpm=tempos[-1].bpm if tempos else 120.0,  # what a MIDI file without a tempo is played at
        is_bpm_given=bool(tempos),
        start=start,
        n_steps=found.end - start,
        bar_starts=tuple(line - start for line in found.lines),
        first_bar=found.first_bar,
        pickup=found.lines[1] - min(note.steps.start for note in notes) if found.has_pickup else 0,
        shift=shift,
        selection=slice(0, found.end - start),
        warnings=tuple(_warnings(piece, notes, found, chosen_key if is_key_guessed else None, shift, lowest, highest)),
    )
    if role == "inner" and shift:
        reading = replace(reading, warnings=(*reading.warnings, _moved_inner_in_words(shift)))
    reading = (
        _with_phrases_found(piece, reading, sung) if phrases is None else with_phrases(reading, phrases, name=name)
    )
    return replace(reading, selection=steps_of_bars(reading, *bars, name=name)) if bars else reading


def _check_size(notes: Sequence[Note], name: str) -> None:
    """Refuse what is a fault of a file, and would take for ever.

    Raises:
        BadInput: there are too many notes, or too many at once.
    """
    fault = "see whether a program wrote notes that never end, or cut it"
    if len(notes) > MOST_NOTES:
        raise BadInput(f"{name} has {len(notes):,} notes, more than the {MOST_NOTES:,} that are read; {fault}")
    turns: dict[int, int] = {}
    for note in notes:
        steps = note.steps
        turns[steps.start] = turns.get(steps.start, 0) + 1
        turns[steps.stop] = turns.get(steps.stop, 0) - 1
    at_once = 0
    for step in sorted(turns):
        at_once += turns[step]
        if at_once > MOST_AT_ONCE:
            raise BadInput(f"{name} has more than {MOST_AT_ONCE} notes at once; {fault}")


def blank(piece: Piece, n_bars: int, *, meter: str | None = None, key: str | None = None) -> Reading:
    """The reading of a piece in which nothing is written yet: so many whole bars, new notes anywhere.

    Args:
        piece: without notes; its tempo, and its meter and key unless given, count.
        n_bars: 1 or more.
        meter, key: as for `understand`; 4/4 and C major unless either says.

    Raises:
        BadInput: there is no such meter or key, or its bars do not begin on sixteenths.
    """
    meters, is_guessed = _find_meters(piece, [], meter) if meter or piece.meters else ((_meter(4, 4),), False)
    length = meters[0].steps_per_bar
    if length.denominator != 1:
        raise BadInput(f"bars of {_in_figures(meters[0])} do not end on a sixteenth; choose a meter over 16 or less")
    n_steps = n_bars * int(length)
    chosen_key = parse_key(key) if key else piece.keys[0] if piece.keys else key_of(0, "major")
    return Reading(
        melody="inner",
        is_melody_sure=True,
        melody_part="an empty piece",
        melody_notes=frozenset(),
        part=None,
        line=np.full(n_steps, -1),
        tune=(),
        phrases=(),
        phrases_from="nobody",
        meters=meters[:1],
        is_meter_guessed=is_guessed,
        key=chosen_key,
        is_key_guessed=False,
        keys=((0, chosen_key),),
        bpm=piece.tempos[0].bpm if piece.tempos else 120.0,
        is_bpm_given=bool(piece.tempos),
        start=0,
        n_steps=n_steps,
        bar_starts=tuple(range(0, n_steps, int(length))),
        first_bar=1,
        pickup=0,
        shift=0,
        selection=slice(0, n_steps),
        warnings=(),
    )


def meter_at(reading: Reading, step: int) -> Meter:
    """The meter in force at a step of the region."""
    return _meter_at([replace(reading.meters[0], step=Fraction(reading.start)), *reading.meters], reading.start + step)


def beat_at(reading: Reading, step: int) -> int:
    """The length of the beat in force at a step of the region, in steps: of 6/8 a dotted quarter."""
    meter = meter_at(reading, step)
    return beat_of(meter.numerator, meter.denominator)


def key_at(reading: Reading, step: int) -> Key:
    """The key in force at a step of the region."""
    return [key for first, key in reading.keys if first <= step][-1] if step > 0 else reading.keys[0][1]


def lengthened(reading: Reading, n_bars: int) -> Reading:
    """The reading of the same piece with so many more bars at its end, in its last meter."""
    length = math.ceil(meter_at(reading, reading.n_steps).steps_per_bar)
    n_steps = reading.n_steps + n_bars * length
    is_selected_to_end = reading.selection.stop == reading.n_steps
    return replace(
        reading,
        n_steps=n_steps,
        bar_starts=(*reading.bar_starts, *range(reading.n_steps, n_steps, length)),
        line=np.concatenate([reading.line, np.full(n_steps - reading.n_steps, -1)]),
        selection=slice(reading.selection.start, n_steps) if is_selected_to_end else reading.selection,
    )


def steps_of_bars(reading: Reading, first: int, last: int, *, name: str = "the piece") -> slice:
    """The steps of the region from one bar to another, both included.

    Raises:
        BadInput: the piece has no such bars.
    """
    asked, n_asked = f"bars {first}-{last}", last - first
    if first > last:
        raise BadInput(f"{asked} run backwards; try {last}-{first}")
    has = f"{reading.n_bars} bars" if reading.first_bar <= 1 else f"bars {reading.first_bar} to {reading.last_bar}"
    if last > reading.last_bar:
        remedy = f"{max(reading.last_bar - n_asked, reading.first_bar)}-{reading.last_bar}"
        raise BadInput(f"{asked} lie past the end: {name} has {has}; try {remedy}")
    if first < reading.first_bar:
        remedy = f"{reading.first_bar}-{min(reading.first_bar + n_asked, reading.last_bar)}"
        why = f"{name} has {has}" if reading.first_bar != 1 else f"{name} has no pickup, so that bar 1 is the first"
        raise BadInput(f"{asked} begin too early: {why}; try {remedy}")
    ends = (*reading.bar_starts[1:], reading.n_steps)
    return slice(reading.bar_starts[first - reading.first_bar], ends[last - reading.first_bar])


# The melody


# What a part's name says about its being the melody; the first match counts.
_NAMES = (
    (r"melod|sopran|cantus|\blead|\bsolo|\btune|\btheme", 2.0),
    (r"vocal|voice|\bvox\b|\bsing|song", 1.5),
    (r"bass|contrab|tuba|\bpad\b|chord|accomp|\bcomp\b|rhythm|\bleft|\bl\.?h\b|backing", -2.0),
    (r"\balto\b(?! *(sax|fl|rec))|\btenor\b(?! *(sax|horn|rec))|viola", -0.5),
    (r"flute|oboe|violin|recorder|clarinet|trumpet|sax|whistle|descant|\bright|\br\.?h\b", 0.5),
)
_MELODY_NAMES = _NAMES[0][0]
_BASS_NAMES = r"bass(?!oon|et| *cl)|contrab|tuba"
_INNER_NAMES = r"^\W*(alto|tenor|viola)\W*\d*\W*(voice)?\W*$"
_BASS_PROGRAMS = {*range(32, 40), 43, 58}  # General MIDI: basses, double bass, tuba


class _FoundMelody(NamedTuple):
    role: Role
    is_sure: bool
    part: int | None  # none: all of them
    notes: list[Note]


def _find_melody(piece: Piece, notes: Sequence[Note], asked: str | None) -> _FoundMelody:
    """The melody's role, its part and its notes."""
    by_part = _by_part(notes)
    clock = _clock_of(notes)
    role = next((role for role in ROLES if asked is not None and role == asked.strip().lower()), None)
    if role in ("top", "bass") and len(by_part) > 1:
        return _FoundMelody(role, True, None, _outer_line(notes, role, clock))
    if asked is None or role is not None:
        n_sounding = _n_sounding(notes)
        part = max(by_part, key=lambda part: (_melody_score(piece, part, by_part[part], n_sounding, clock), -part))
    else:
        part = _part_called(piece, by_part, asked)
    is_sure = True
    if role is None:
        role, is_sure = _role_of(piece, part, by_part[part], _edges_of(notes), clock)
    return _FoundMelody(role, is_sure, part, _outer_line(by_part[part], role, clock))


def given_bass(piece: Piece, reading: Reading) -> Int[np.ndarray, " step"] | None:
    """The bass that a piece has already, beside a melody above it: its pitch at each step, -1 where it rests.

    A part counts if it is called one, is played on one, or is as low as one, lies nearly always lowest, sounds singly,
    and for half of the melody's time or more. None where there is no such part.
    """
    if reading.part is None or reading.melody == "bass":
        return None
    notes = [note for note in piece.notes if not piece.parts[note.part].is_drums]
    edges, clock = _edges_of(notes), _clock_of(notes)
    for part, own in _by_part(notes).items():
        is_called = (
            re.search(_BASS_NAMES, piece.parts[part].name.lower()) or piece.parts[part].program in _BASS_PROGRAMS
        )
        mean = np.average([note.pitch for note in own], weights=[len(note.steps) for note in own])
        if part == reading.part or not (is_called or mean < BASS_BELOW):
            continue
        if _role_of(piece, part, own, edges, clock)[0] != "bass":
            continue
        outer = _outer_line(own, "bass", clock)
        line = _line_of(outer, reading.start, reading.n_steps, "bass")
        is_single = len(outer) >= 0.9 * len(own)
        if is_single and np.count_nonzero(line >= 0) >= np.count_nonzero(reading.line >= 0) / 2:
            return line
    return None


def _by_part(notes: Iterable[Note]) -> dict[int, list[Note]]:
    """The notes of each part that has any."""
    found: dict[int, list[Note]] = {}
    for note in notes:
        found.setdefault(note.part, []).append(note)
    return found


def _part_called(piece: Piece, by_part: dict[int, list[Note]], asked: str) -> int:
    """The part with this number or name."""
    wanted = re.sub(r"^track\s+(?=\d+$)", "", asked.strip(), flags=re.IGNORECASE)  # as the choices call them
    if wanted.isdecimal():
        found = [int(wanted) - 1] if int(wanted) - 1 in range(len(piece.parts)) else []
    else:
        names = {part: piece.parts[part].name.lower() for part in range(len(piece.parts))}
        found = [part for part, name in names.items() if wanted and name.strip() == wanted.lower()]
        found = found or [part for part, name in names.items() if wanted and wanted.lower() in name]
    pitched = [part for part in found if part in by_part]
    choices = ", ".join(_label(piece, part) for part in sorted(by_part))
    if len(pitched) == 1:
        return pitched[0]
    if len(pitched) > 1:
        raise BadInput(f'the melody "{wanted}" could be several tracks; give the number of one: {choices}')
    why = "is the drums" if found else "is no track of this piece"
    raise BadInput(f'the melody "{wanted}" {why}; choose top, bass, inner or one of these: {choices}')


def _melody_score(piece: Piece, part: int, own: Sequence[Note], n_sounding: int, clock: _Clock) -> float:
    """How likely a part has the melody: its name, then its height, how steadily and how singly it sounds.

    Args:
        piece: the whole.
        part: the one in question.
        own: its notes.
        n_sounding: steps on which the piece sounds.
        clock: when each note sounds.
    """
    name = piece.parts[part].name.lower()
    by_name = next((score for pattern, score in _NAMES if re.search(pattern, name)), 0.0)
    line = _outer_line(own, "top", clock)
    weights = [len(note.steps) for note in line]
    height = float(np.average([note.pitch for note in line], weights=weights))
    coverage = _n_sounding(line) / n_sounding
    singleness = len(line) / len(own)
    return by_name + float(np.clip((height - 60) / 12, -2, 1.5)) + 2 * coverage + singleness


def _n_sounding(notes: Iterable[Note]) -> int:
    """Steps on which at least one of some notes sounds."""
    n, reached = 0, 0
    for first, stop in sorted((note.steps.start, note.steps.stop) for note in notes):
        if stop > reached:
            n += stop - max(first, reached)
            reached = stop
    return n


class _Edges(NamedTuple):
    """The outermost pitches at each step of a piece, whose they are, and what the other parts' are.

    -1 stands where nothing sounds, as a pitch and as a part.
    """

    highest: Int[np.ndarray, " step"]
    highest_part: Int[np.ndarray, " step"]
    next_highest: Int[np.ndarray, " step"]  # of all parts but that one
    lowest: Int[np.ndarray, " step"]
    lowest_part: Int[np.ndarray, " step"]
    next_lowest: Int[np.ndarray, " step"]

    def above(self, part: int) -> Int[np.ndarray, " step"]:
        """The highest pitch at each step in all parts but one."""
        return np.where(self.highest_part == part, self.next_highest, self.highest)

    def below(self, part: int) -> Int[np.ndarray, " step"]:
        """The lowest pitch at each step in all parts but one."""
        return np.where(self.lowest_part == part, self.next_lowest, self.lowest)


def _edges_of(notes: Sequence[Note]) -> _Edges:
    """The edges of a piece, from each of its notes taken once."""
    length = max(note.steps.stop for note in notes)
    upwards = sorted(notes, key=lambda note: note.pitch)
    return _Edges(*_edge(upwards, length), *_edge(reversed(upwards), length))


def _edge(notes: Iterable[Note], length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At each of `length` steps: the outermost pitch, its part, and the outermost of the other parts.

    The notes come from the inside out, so that each is the outermost yet.
    """
    pitch, part, other = (np.full(length, -1) for _ in range(3))
    for note in notes:
        here = slice(note.steps.start, note.steps.stop)
        np.copyto(other[here], pitch[here], where=part[here] != note.part)
        pitch[here], part[here] = note.pitch, note.part
    return pitch, part, other


def _role_of(piece: Piece, part: int, own: Sequence[Note], edges: _Edges, clock: _Clock) -> tuple[Role, bool]:
    """Whether a part's line, of its own notes, is the top, the bass, or within; and whether that is sure."""
    own_line = _outer_line(own, "top", clock)
    above = edges.above(part)
    line = _in_order(own_line, len(above))
    shared = (line >= 0) & (above >= 0)
    # mostly alone: nothing to compare with but what people call such lines, and how they move
    if np.count_nonzero(shared) < np.count_nonzero(line >= 0) / 4:
        if len(own_line) < len(own):
            return "top", True
        name = piece.parts[part].name.lower()
        if re.search(_INNER_NAMES, name):
            return "inner", True
        if re.search(_BASS_NAMES, name) or piece.parts[part].program in _BASS_PROGRAMS:
            return "bass", True
        if re.search(_MELODY_NAMES, name):
            return "top", True
        mean = float(np.average([note.pitch for note in own_line], weights=[len(note.steps) for note in own_line]))
        is_bass, is_sure = lone_role([note.pitch for note in own_line], mean)
        return "bass" if is_bass else "top", is_sure
    # Voices cross now and then; what counts is where the line lies nearly always.
    if np.count_nonzero((line >= above)[shared]) >= 0.8 * np.count_nonzero(shared):
        return "top", True
    below = edges.below(part)
    bottom = _in_order(_outer_line(own, "bass", clock), len(below))
    shared = (bottom >= 0) & (below >= 0)
    n_lowest = np.count_nonzero((bottom <= below)[shared])
    return "bass" if n_lowest >= 0.8 * np.count_nonzero(shared) else "inner", True


def _in_order(line: Iterable[Note], length: int) -> Int[np.ndarray, " step"]:
    """The pitch of a line at each step of a piece, -1 where it rests; where two notes overlap, the later one's."""
    pitches = np.full(length, -1)
    for note in line:
        pitches[note.steps.start : note.steps.stop] = note.pitch
    return pitches


_When = tuple[int, int] | tuple[Fraction, Fraction]  # onset and end
_Clock = Mapping[int, _When]  # by Note.id

MOST_TICKS = 2**32  # of a step; what files count in divides some thousands


def _clock_of(notes: Iterable[Note]) -> _Clock:
    """When each note sounds, by its id, in ticks that all onsets and durations are whole numbers of.

    Whole numbers compare many times faster than fractions. Where a file's times have no such tick of a reasonable
    size, they stay fractions, in steps.
    """
    n_ticks = 1
    for note in notes:
        n_ticks = math.lcm(n_ticks, note.onset.denominator, note.duration.denominator)
        if n_ticks > MOST_TICKS:
            return {note.id: (note.onset, note.end) for note in notes}

    def in_ticks(length: Fraction) -> int:
        return length.numerator * (n_ticks // length.denominator)

    onsets = {note.id: in_ticks(note.onset) for note in notes}
    return {note.id: (onsets[note.id], onsets[note.id] + in_ticks(note.duration)) for note in notes}


def _outer_line(notes: Sequence[Note], role: Role, clock: _Clock) -> list[Note]:
    """The top line of some notes, or the lowest for a bass: the notes that nothing covers, less the accompaniment.

    Where a melody rests, the highest note that goes on is its accompaniment. It counts as such if it lies nearer to the
    notes that the melody covers, before and after, than to those of the melody.
    """
    sign = -1 if role == "bass" else 1
    ordered = sorted(notes, key=lambda note: (note.steps.start, -sign * note.pitch))
    outer, covered, over = [], [], []
    sounding: list[Note] = []
    for note in ordered:
        sounding = [other for other in sounding if other.steps.stop > note.steps.start]
        if any(
            sign * other.pitch > sign * note.pitch and _covers(clock[other.id], clock[note.id]) for other in sounding
        ):
            covered.append(note)
        else:
            outer.append(note)
        sounding.append(note)
    if not covered:
        return outer
    # Those with something under them at their onset are the melody's for sure; a note alone may be either's.
    spans = sorted((note.steps.start, note.steps.stop) for note in covered)
    starts = np.array([first for first, _ in spans])
    reach = np.maximum.accumulate([last for _, last in spans])
    for note in outer:
        begun = int(np.searchsorted(starts, note.steps.start, side="right")) - 1
        over.append(begun >= 0 and int(reach[begun]) > note.steps.start)
    melody = [note for note, sure in zip(outer, over, strict=True) if sure]
    if not melody:
        return outer
    is_nearer = _distances(outer, melody) <= _distances(outer, covered)
    return [note for note, sure, near in zip(outer, over, is_nearer, strict=True) if sure or near]


def _covers(other: _When, note: _When) -> bool:
    """Whether a note sounds on over one that begins later or with it, and not only as a legato overlaps.

    By the clock, since the notes of an ornament follow one another within a step.
    """
    (other_onset, other_end), (onset, end) = other, note
    overlap = min(other_end, end) - max(other_onset, onset)
    return overlap > 0 and 2 * overlap >= min(other_end - other_onset, end - onset)


def _distances(notes: Sequence[Note], line: Sequence[Note]) -> Int[np.ndarray, " note"]:
    """Semitones from each note to its neighbours in a line, the one before and the one after, together."""
    after = np.searchsorted([other.steps.start for other in line], [note.steps.start for note in notes])
    pitches, around = np.array([note.pitch for note in notes]), np.array([other.pitch for other in line])
    before, after = np.maximum(after - 1, 0), np.minimum(after, len(line) - 1)
    return np.asarray(np.abs(pitches - around[before]) + np.abs(pitches - around[after]))


def _line_of(notes: Iterable[Note], start: int, length: int, role: Role) -> Int[np.ndarray, " step"]:
    """The pitch of a line at each step of the region; where two of its notes overlap, the outer one."""
    line = np.full(length, -1)
    for note in sorted(notes, key=lambda note: -note.pitch if role == "bass" else note.pitch):
        line[max(note.steps.start - start, 0) : max(note.steps.stop - start, 0)] = note.pitch
    return line


def _find_shift(line: np.ndarray, notes: Sequence[Note], role: Role, lowest: int, highest: int) -> int:
    """The octaves by which the model should see the piece higher, so that the melody lies where it knows melodies."""
    low, high = COMFORT[role]
    low, high = max(low, lowest), min(high, highest)
    pitches = line[line >= 0]

    def discomfort(shift: int) -> float:
        moved = pitches + shift
        return float(np.mean(np.maximum(low - moved, 0) + np.maximum(moved - high, 0)))

    def n_lost(shift: int) -> int:
        return sum(not lowest <= note.pitch + shift <= highest for note in notes)

    def n_lost_of_line(shift: int) -> int:
        return int(np.sum((pitches + shift < lowest) | (pitches + shift > highest)))

    if discomfort(0) <= CLEARLY_OUTSIDE and not n_lost_of_line(0):
        return 0
    shifts = sorted(range(-120, 121, 12), key=abs)
    best = min(shifts, key=lambda shift: (n_lost_of_line(shift), max(discomfort(shift), CLEARLY_OUTSIDE), abs(shift)))
    if n_lost_of_line(best) < n_lost_of_line(0):
        return best
    # For comfort alone nothing of the accompaniment may leave what the model hears, and it must be worth it.
    return best if n_lost(best) <= n_lost(0) and discomfort(best) < discomfort(0) / 2 else 0


def _shift_of_inner(line: np.ndarray, lowest: int, highest: int) -> int:
    """The octaves by which a tune alone is seen higher, so that it is a tenor or an alto, with room above and below.

    Raises:
        BadInput: it is neither in any octave.
    """
    low, high = COMFORT["inner"]
    pitches = line[line >= 0]

    def is_inner(shift: int) -> bool:
        moved = pitches + shift
        beyond = float(np.mean(np.maximum(low - moved, 0) + np.maximum(moved - high, 0)))
        is_heard = lowest <= moved.min() and moved.max() <= highest
        return bool(is_heard and beyond <= CLEARLY_OUTSIDE and INNER_MEANS[0] <= moved.mean() <= INNER_MEANS[1])

    found = next((shift for shift in sorted(range(-120, 121, 12), key=abs) if is_inner(shift)), None)
    if found is None:
        raise BadInput(
            f"a melody from {note_name(int(pitches.min()))} to {note_name(int(pitches.max()))} ranges too far for an "
            f"inner line, in whichever octave: a tenor or an alto lies between {note_name(low)} and {note_name(high)}; "
            "call it the top or the bass, or narrow it"
        )
    return found


# Meter and bars


def _find_meters(piece: Piece, notes: Sequence[Note], asked: str | None) -> tuple[tuple[Meter, ...], bool]:
    if asked is None:
        if piece.meters:
            default = () if piece.meters[0].step == 0 else (_meter(4, 4),)
            return (*default, *piece.meters), False
        return _guess_meters(notes), True
    found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", asked)
    if found is None or int(found[2]) not in (1, 2, 4, 8, 16) or not 1 <= int(found[1]) <= 32:
        raise BadInput(f'no meter is called "{asked}"; write one like "4/4", "3/4" or "6/8"')
    meter = _meter(int(found[1]), int(found[2]))
    short = _short_first_bar(piece.meters)
    if short is not None and short.steps_per_bar < meter.steps_per_bar:  # the pickup stays one
        return (short, replace(meter, step=short.step + short.steps_per_bar)), False
    return (meter,), False


def _short_first_bar(meters: Sequence[Meter]) -> Meter | None:
    """The meter that is there only to make a pickup: for one bar, shorter than the next."""
    if len(meters) < 2 or meters[0].step != 0:
        return None
    first, second = meters[:2]
    is_pickup = second.step <= first.steps_per_bar and second.step < second.steps_per_bar
    return first if is_pickup else None


def _guess_meters(notes: Sequence[Note]) -> tuple[Meter, ...]:
    """4/4, 3/4 or 6/8 by how far the accents come again a bar later. A long note is an accent.

    On Infinite Bach's top lines this leaves 404 of 409 in 4/4 and finds 41 of 57 in 3/4; in doubt it is 4/4. Where it
    is not, the bars begin on the strongest beat, as they do in 45 of 46 of those found from all voices.
    """
    first = min(note.steps.start for note in notes)
    accents = np.zeros(max(note.steps.start for note in notes) - first + 1)
    for note in notes:
        accents[note.steps.start - first] += min(len(note.steps), 8)
    centred = accents - accents.mean()

    def alike(lag: int) -> float:
        if lag >= len(centred) or not centred.any():
            return 0.0
        covariance = float(centred[:-lag] @ centred[lag:]) / (len(centred) - lag)
        return covariance / float(centred @ centred) * len(centred)

    if alike(12) + alike(24) - alike(16) - alike(32) < 0.2:
        return (_meter(4, 4),)
    in_eighths = alike(6) - (alike(4) + alike(8)) / 2 > 0.15
    meter, beat = (_meter(6, 8), 2) if in_eighths else (_meter(3, 4), 4)
    bar = np.zeros(12)
    np.add.at(bar, np.arange(len(accents)) % 12, accents)
    lead = (first + int(bar[::beat].argmax()) * beat) % 12
    return (_meter(lead, 16), replace(meter, step=Fraction(lead))) if lead else (meter,)


def _meter(numerator: int, denominator: int, step: Fraction = Fraction(0)) -> Meter:
    return Meter(step=step, numerator=numerator, denominator=denominator)


def _meter_at(meters: Sequence[Meter], step: Fraction | int) -> Meter:
    return [meter for meter in meters if meter.step <= step][-1]


@dataclass(frozen=True)
class _Bars:
    lines: tuple[int, ...]  # where the bars of the region begin, in steps of the file
    end: int
    first_bar: int
    has_pickup: bool


def _find_bars(piece: Piece, notes: Sequence[Note]) -> _Bars:
    """The bars from the first note to the last, as the piece's meters have them.

    A pickup is a short first bar, or what is left of a bar whose first half or more rests.
    """
    first, last = min(note.steps.start for note in notes), n_steps(piece)
    lines = bar_starts(piece)
    lines.append(lines[-1] + _meter_at(piece.meters, lines[-1]).steps_per_bar)
    i = bisect_right(lines, first) - 1
    beat = _beat(_meter_at(piece.meters, first))
    on_beat = lines[i] + (first - lines[i]) // beat * beat
    is_short = _short_first_bar(piece.meters) is not None
    if piece.bars:
        is_short = lines[1] - lines[0] < _meter_at(piece.meters, lines[0]).steps_per_bar
    begins_late = on_beat > lines[i] and 2 * (lines[i + 1] - on_beat) <= lines[i + 1] - lines[i]
    has_pickup = (begins_late or (is_short and i == 0)) and last > lines[i + 1]
    # Empty bars before the first note keep their numbers, so that ours are those of the user's score.
    first_bar = 0 if has_pickup and i == 0 else i if is_short else i + 1
    if piece.bars:
        first_bar = piece.bars[i].number
    return _bars([on_beat if has_pickup else lines[i], *lines[i + 1 :]], first_bar, has_pickup, last)


def _find_bars_after(piece: Piece, notes: Sequence[Note], pickup: Fraction | float | int) -> _Bars:
    """The bars if the first bar line comes so many beats after the first note begins."""
    first, last = min(note.steps.start for note in notes), n_steps(piece)
    meters = piece.meters[1:] if _short_first_bar(piece.meters) else piece.meters
    meter = _meter_at([replace(meters[0], step=Fraction(0)), *meters], first)
    length = Fraction(pickup) * 16 / meter.denominator
    in_words = f"a pickup of {float(pickup):g} beats"
    if not 0 <= length < meter.steps_per_bar:
        raise BadInput(f"{in_words} does not fit {_in_figures(meter)}: give 0 to less than {meter.numerator}")
    if length.denominator != 1:
        raise BadInput(f"{in_words} does not end on a sixteenth; give whole beats, halves or quarters of one")
    line = first + length
    if line >= last:
        raise BadInput(f"{in_words} would be the whole piece; give less")
    change = next((later.step for later in meters if later.step > line and not _is_same(later, meter)), Fraction(last))
    n_bars = math.ceil((change - line) / meter.steps_per_bar)
    lines = [line + i * meter.steps_per_bar for i in range(n_bars)]
    lines += [later for later in bar_starts(piece) if later >= change]
    lines.append(lines[-1] + _meter_at([replace(meter, step=Fraction(0)), *meters], lines[-1]).steps_per_bar)
    # The region begins on a beat, also where the first note comes between two.
    begin = max(line - math.ceil(length / _beat(meter)) * _beat(meter), Fraction(0))
    return _bars([begin, *lines] if length else lines, 0 if length else 1, bool(length), last)


def _bars(lines: Sequence[Fraction], first_bar: int, has_pickup: bool, last: int) -> _Bars:
    """Bars from their lines, that at the end of the last bar included."""
    end = lines[-1]
    if has_pickup:  # the last bar and the pickup often make one bar together
        short = end - (lines[1] - lines[0])
        end = short if short >= last and short > lines[-2] else end
    return _Bars(tuple(math.floor(line) for line in lines[:-1]), math.ceil(end), first_bar, has_pickup)


def _beat(meter: Meter) -> Fraction:
    """The beat that a region may begin on, in steps: a quarter, or the eighth of a meter in eighths."""
    return min(Fraction(16, meter.denominator), Fraction(STEPS_PER_BEAT))


def _is_same(one: Meter, other: Meter) -> bool:
    return (one.numerator, one.denominator) == (other.numerator, other.denominator)


def _in_figures(meter: Meter) -> str:
    return f"{meter.numerator}/{meter.denominator}"


def _meters_of(bars: _Bars, meters: Sequence[Meter]) -> tuple[Meter, ...]:
    """The meter of the region's first whole bar, and those that it changes to later."""
    begin = bars.lines[1] if bars.has_pickup else bars.lines[0]
    found: list[Meter] = []
    for meter in [_meter_at(meters, begin), *(meter for meter in meters if begin < meter.step < bars.end)]:
        if not found or not _is_same(found[-1], meter):
            found.append(meter)
    return tuple(found)


# The key


def _find_key(piece: Piece, notes: Sequence[Note], start: int, asked: str | None) -> tuple[Key, bool]:
    """The key asked for, or the file's, or a guess; and whether it is guessed."""
    if asked is not None:
        return replace(parse_key(asked), step=Fraction(start)), False
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += float(note.duration)
    end = max(note.steps.stop for note in notes)
    final = min(note.pitch for note in notes if note.steps.stop == end) % 12
    guess = replace(identify_key(weights, final), step=Fraction(start))
    given = [key for key in piece.keys if key.step <= start] or list(piece.keys[:1])
    if not given:
        return guess, True
    # Who changes the signature on the way means it.
    is_doubtful = len(piece.keys) == 1 and _contradicts(given[-1], guess, weights, final)
    return (guess, True) if is_doubtful else (given[-1], False)


def _contradicts(given: Key, guess: Key, weights: Float[np.ndarray, " pitch_class"], final: int) -> bool:
    """Whether the notes speak so clearly for another key that the file's must be its program's habit.

    Many programs write C major whatever the music, so that it counts for less. So set, this catches the habit in 98 %
    of Infinite Bach's files, and overrules 5 % of their true signatures: mostly those that spell a Dorian G minor with
    one flat, which file and program alike take for D minor. A key that has all the notes is not overruled by one that
    lacks some.
    """
    sung = set(np.flatnonzero(weights).tolist())
    if sung <= usable(given) and not sung <= usable(guess):
        return False
    fits = key_fits(weights, final)
    gain = fits[MODES.index(guess.mode), guess.tonic] - fits[MODES.index(given.mode), given.tonic]
    return bool(gain > (0.2 if given.n_sharps == 0 and given.mode == "major" else 0.5))


def _keys_of(piece: Piece, key: Key, start: int, end: int, *, is_given: bool) -> tuple[tuple[int, Key], ...]:
    """The keys of the region: the chosen one, and those that the file changes to, if its first one is believed."""
    later = [(math.ceil(one.step) - start, one) for one in piece.keys if start < one.step < end] if is_given else []
    return ((0, key), *later)


# The phrases


def _one_by_one(notes: Iterable[Note], start: int, length: int, role: Role) -> dict[RollNote, Note]:
    """A line's notes in steps of the region, one after the other: each ends where the next begins, the outer one
    of those that begin together counts.
    """
    outer: dict[int, Note] = {}
    for note in notes:
        onset = note.steps.start - start
        sign = -1 if role == "bass" else 1
        if 0 <= onset < length and (onset not in outer or sign * note.pitch > sign * outer[onset].pitch):
            outer[onset] = note
    onsets = sorted(outer)
    ends = [*onsets[1:], length]
    return {
        RollNote(onset, outer[onset].pitch, min(outer[onset].steps.stop - start, end) - onset): outer[onset]
        for onset, end in zip(onsets, ends, strict=True)
    }


def with_phrases(reading: Reading, said: str, *, name: str = "the piece") -> Reading:
    """The reading with phrases as a person says them; see `parse_phrases`.

    Raises:
        BadInput: it is nothing that phrases can be.
    """
    places = [place for place in parse_phrases(said) if isinstance(place, Place)]
    metre = [n for n in parse_phrases(said) if isinstance(n, int)]
    if metre:
        guess = guess_ends(tune_heard(reading), metre) if 0 < len(reading.tune) <= MOST_GUESSED else None
        if guess is None:
            raise BadInput(
                f'no text in the metre "{said.strip()}" fits a melody of {len(reading.tune)} notes; '
                "say where the phrases end, as in 2:4, 4"
            )
        return replace(reading, phrases=phrases_of(reading.tune, guess.last), phrases_from="said")
    bars = f"{reading.n_bars} bars" if reading.first_bar <= 1 else f"bars {reading.first_bar} to {reading.last_bar}"
    ends = []
    for place in places:
        if not reading.first_bar <= place.bar <= reading.last_bar:
            raise BadInput(f"no phrase can end at {place}: {name} has {bars}; give one of them")
        if place.beat is None:
            ends.append(steps_of_bars(reading, place.bar, place.bar).stop - 1)
        else:
            ends.append(math.floor(reading.step_at(place.bar, place.beat)))
    if not reading.tune:
        return replace(reading, phrases=_phrases_of_silence(reading, places, ends), phrases_from="said")
    found = phrases_of(reading.tune, last_notes_at(ends, reading.tune, places)) if places else ()
    return replace(reading, phrases=found, phrases_from="said")


def _phrases_of_silence(reading: Reading, places: Sequence[Place], ends: Sequence[int]) -> tuple[Phrase, ...]:
    """Phrases where no tune is written yet: they come to rest on the beat that is named, or on the last bar's first."""
    found, start = [], 0
    for place, step in zip(places, ends, strict=True):
        bar = steps_of_bars(reading, place.bar, place.bar)
        beat = 16 // meter_at(reading, step).denominator
        rest, end = (bar.start, bar.stop) if place.beat is None else (step, min(step + beat, bar.stop))
        found.append(Phrase(start, rest, end))
        start = end
    return tuple(found)


def _with_phrases_found(piece: Piece, reading: Reading, sung: Mapping[RollNote, Note]) -> Reading:
    """The reading with the phrases that the score marks, or else a guess."""
    if len(sung) < 2:
        return reading
    written = written_ends(piece.marks, reading.tune, reading.start, reading.part)
    if written.source and written.divides(len(sung)):
        last = [i for i in written.last if i < len(sung) - 1]
        return replace(reading, phrases=phrases_of(reading.tune, [*last, len(sung) - 1]), phrases_from=written.source)
    tune = replace(
        tune_heard(reading), syllables=tuple(note.syllable for note in sung.values()), sure=frozenset(written.last)
    )
    if len(tune.onsets) > MOST_GUESSED:
        return reading
    metre = metre_in(piece.name, least=3)
    guess = (guess_ends(tune, metre) if metre else None) or guess_ends(tune)
    assert guess is not None, "a tune can always be cut where no metre binds"
    return replace(reading, phrases=phrases_of(reading.tune, guess.last, guess.chances), phrases_from=guess.source)


def tune_heard(reading: Reading) -> Tune:
    """The melody as the guess hears it; without its words."""
    meter = reading.meters[0]
    is_compound = meter.numerator % 3 == 0 and meter.numerator > 3 and meter.denominator >= 8
    onsets = np.array([note.onset for note in reading.tune])
    ends = np.array([note.end for note in reading.tune])
    bars = np.array([*reading.bar_starts, reading.n_steps])
    bar = math.ceil(meter.steps_per_bar)
    if reading.pickup:
        bars[0] = bars[1] - bar
    bounds = np.append(onsets, ends[-1])
    return Tune(
        onsets=onsets,
        ends=ends,
        pitches=np.array([note.pitch for note in reading.tune]),
        places=bounds - bars[np.searchsorted(bars, bounds, side="right") - 1],
        bar=bar,
        beat=max(16 // meter.denominator * (3 if is_compound else 1), 1),
        tonic=reading.key.tonic,
        is_bar_known=not reading.is_meter_guessed,
    )


# What is said


def _label(piece: Piece, part: int) -> str:
    """A part as the user is shown it: by its number from 1, and its name where that tells it from others."""
    name = piece.parts[part].name.strip()
    return f"track {part + 1} ({name})" if name and len(piece.parts) > 1 else f"track {part + 1}"


def _length_in_words(length: int, meter: Meter) -> str:
    beat = 16 // meter.denominator
    values = [(8, "half"), (4, "quarter"), (2, "eighth"), (1, "sixteenth")]
    if beat >= STEPS_PER_BEAT and length % beat == 0:
        value, n_values = "beat", length // beat
    else:
        value, n_values = next((word, length // steps) for steps, word in values if length % steps == 0)
    numbers = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return f"{numbers[n_values - 1] if n_values <= 9 else n_values} {value}{'s' if n_values > 1 else ''}"


def _moved_inner_in_words(shift: int) -> str:
    octaves = "an octave" if abs(shift) == 12 else f"{abs(shift) // 12} octaves"
    high, low = ("higher", "lower") if shift < 0 else ("lower", "higher")
    return (
        f"As it is written the melody is no tenor's or alto's: the setting around it lies {octaves} {high} than a "
        f"choir's; write it {octaves} {low} for one"
    )


def _warnings(
    piece: Piece, notes: Sequence[Note], bars: _Bars, guess: Key | None, shift: int, lowest: int, highest: int
) -> Iterable[str]:
    drums = [_label(piece, part) for part in range(len(piece.parts)) if piece.parts[part].is_drums]
    if drums:
        yield f"The drums ({', '.join(drums)}, channel 10) are left alone"
    if guess is not None and piece.keys:
        yield f"The file says {key_name(piece.keys[0])}, but its notes say {key_name(guess)}"
    off = [note for note in notes if _is_off_grid(note.onset)]
    if off:
        where = _in_ranges({bars.first_bar + max(bisect_right(bars.lines, note.onset) - 1, 0) for note in off})
        yield (
            f"{len(off)} of {len(notes)} notes begin off the sixteenth grid (bar{where}): "
            "the model hears them on the nearest sixteenth, the file keeps them as they are"
        )
    lost = sum(not lowest <= note.pitch + shift <= highest for note in notes)
    if lost:
        known = f"{note_name(lowest - shift)} to {note_name(highest - shift)}"
        yield f"{lost} of {len(notes)} notes lie outside {known}: the model does not hear them, the file keeps them"


def _in_ranges(bars: Collection[int]) -> str:
    """Bars as one says them, after "bar": " 3", "s 1-4, 7"; of many the first."""
    ordered = sorted(bars)
    begins = [bar for bar in ordered if bar - 1 not in bars]
    ends = [bar for bar in ordered if bar + 1 not in bars]
    ranges = [f"{first}" if first == last else f"{first}-{last}" for first, last in zip(begins, ends, strict=True)]
    said = ", ".join(ranges[:6]) + (f" and {len(ranges) - 6} more places" if len(ranges) > 6 else "")
    return f" {said}" if len(ordered) == 1 else f"s {said}"


def _is_off_grid(onset: Fraction) -> bool:
    beyond = onset.numerator % onset.denominator
    return min(beyond, onset.denominator - beyond) * ON_GRID.denominator > ON_GRID.numerator * onset.denominator
