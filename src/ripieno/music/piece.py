"""Piece: what a file holds, with exact positions, and the way from it to a roll and back.

Positions and durations are exact fractions of a step (a sixteenth), counted from the file's beginning. A roll holds a
stretch of the piece on whole steps: it begins on the file's step `start` and lies `shift` semitones above it.
Drums are never in a roll: their pitches are not pitches.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ripieno.music.chords import PlacedChord
from ripieno.music.roll import N_PITCHES, Cells, RollNote, notes_of, roll_of


@dataclass(frozen=True, kw_only=True)
class Note:
    """One note of a piece. `id` is its place in `Piece.notes`."""

    id: int
    part: int  # index into Piece.parts
    pitch: int  # MIDI number
    onset: Fraction  # steps
    duration: Fraction  # steps
    velocity: int = 80
    syllable: str = ""  # that is sung on it, of the first verse; ends in a hyphen where its word goes on

    @property
    def end(self) -> Fraction:
        """Where it stops, in steps."""
        return self.onset + self.duration

    @cached_property
    def steps(self) -> range:
        """The steps that it sounds on: both ends go to the nearest, and no note is too short for one."""
        first = _nearest(self.onset)
        return range(first, max(_nearest(self.end), first + 1))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A line of a piece as its file divides it: one channel of one track."""

    name: str = ""
    program: int = 0  # General MIDI instrument, 0-127
    channel: int = 0  # 0-15
    is_drums: bool = False
    track: int = 0  # index of the source's track


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """Quarter notes a minute from `step` on."""

    step: Fraction
    bpm: float


@dataclass(frozen=True, kw_only=True)
class Meter:
    """A time signature from `step` on."""

    step: Fraction
    numerator: int
    denominator: int

    @property
    def steps_per_bar(self) -> Fraction:
        """Length of a bar, in steps."""
        return Fraction(16 * self.numerator, self.denominator)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of the piece, and the number that it has in the score."""

    step: Fraction
    number: int


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key from `step` on. `tonic` is a pitch class, 0 = C; `n_sharps` is negative for flats."""

    step: Fraction
    tonic: int
    mode: Literal["major", "minor"]
    n_sharps: int


@dataclass(frozen=True, kw_only=True)
class PhraseMark:
    """A sign in a score at which a phrase ends: on the note that begins at `step`, or at the bar line there."""

    step: Fraction
    kind: Literal["fermata", "breath", "double bar", "line"]  # a line of the words
    part: int | None = None  # index into Piece.parts; None for a double bar, which is everybody's


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What a file holds. Empty `tempos`, `meters` or `keys`: the file does not say."""

    notes: tuple[Note, ...]
    parts: tuple[Part, ...]
    tempos: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    name: str = ""
    chords: tuple[PlacedChord, ...] = ()  # that the file names
    bars: tuple[Bar, ...] = ()  # where the file draws its bar lines, if it does; else its meters say
    marks: tuple[PhraseMark, ...] = ()  # in the order of their steps
    source: Any = field(default=None, repr=False, compare=False)  # what the file's writer needs to patch it
    path: Path | None = field(default=None, repr=False, compare=False)  # of the file it was read from


class SungSyllable(NamedTuple):
    """What is sung from a step of the file on, until the next syllable."""

    step: int
    text: str  # as in `Note.syllable`: it ends in a hyphen where its word goes on
    is_within: bool  # the word began before
    until: int  # where the melody has its next syllable, or ends


@dataclass(frozen=True)
class NewPart:
    """A line to be added to a piece: notes on whole steps of the file, for one General MIDI instrument."""

    name: str
    program: int  # 0-127
    velocity: int  # 1-127
    notes: tuple[RollNote, ...]
    staves: tuple[tuple[tuple[RollNote, ...], ...], ...] = ()  # the voices on each staff; one staff unless given
    abbreviation: str = ""
    clef: str = ""  # treble, treble8 (as tenors read), alto, tenor, bass; what suits the notes unless given
    diatonic: int = 0  # a transposing instrument sounds so many letters and semitones above what is written
    chromatic: int = 0
    syllables: tuple[SungSyllable, ...] = ()  # on notes that begin there


class NoteCells(NamedTuple):
    """Where a note of the piece lies in a roll: cells (`first` to `end` - 1, `pitch`)."""

    note: int  # Note.id
    first: int
    end: int
    pitch: int


class Span(NamedTuple):
    """A stretch of time, in steps of the file."""

    onset: Fraction
    end: Fraction


@dataclass(frozen=True)
class Revision:
    """How a changed roll reads as notes: what is left of the piece's own, and which ones are new."""

    touched: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)  # by Note.id; () where nothing is left
    new_notes: tuple[RollNote, ...] = ()  # steps and pitches of the file
    pitches: Mapping[int, int] = field(default_factory=dict)  # by Note.id, where it is another than it was
    bpm: float | None = None  # one tempo for the whole file, in place of those it has; None: as it was


def piece_from_notes(
    notes: Iterable[RollNote],
    *,
    bpm: float | None = None,
    meter: tuple[int, int] | None = None,
    name: str = "",
    program: int = 0,
) -> Piece:
    """A piece of one part, made in Python. It has no tempo or meter unless they are given."""
    return Piece(
        notes=tuple(
            Note(id=i, part=0, pitch=note.pitch, onset=Fraction(note.onset), duration=Fraction(note.duration))
            for i, note in enumerate(sorted(notes))
        ),
        parts=(Part(name=name, program=program),),
        tempos=one_tempo(bpm),
        meters=() if meter is None else (Meter(step=Fraction(0), numerator=meter[0], denominator=meter[1]),),
        name=name,
    )


def one_tempo(bpm: float | None) -> tuple[Tempo, ...]:
    """The tempos of a piece that keeps one throughout; none if that is not known."""
    return () if bpm is None else (Tempo(step=Fraction(0), bpm=bpm),)


def n_steps(piece: Piece) -> int:
    """Steps from the file's beginning to the end of its last note, drums left out."""
    return max((note.steps.stop for note in piece.notes if not piece.parts[note.part].is_drums), default=0)


def bar_starts(piece: Piece) -> list[Fraction]:
    """Where the file's own bars begin: 4/4 where it does not say. A change of meter begins a bar."""
    if piece.bars:
        return [bar.step for bar in piece.bars]
    length = n_steps(piece)
    meters = [Meter(step=Fraction(0), numerator=4, denominator=4)]
    for meter in piece.meters:
        if meter.step == 0:
            meters = [meter]
        elif (meter.numerator, meter.denominator) != (meters[-1].numerator, meters[-1].denominator):
            # Programs repeat the meter in force anywhere in a bar, which says nothing about bars.
            meters.append(meter)
    ends = [min(meter.step, Fraction(length)) for meter in meters[1:]] + [Fraction(length)]
    starts = []
    for meter, end in zip(meters, ends, strict=True):
        n_bars = max(math.ceil((end - meter.step) / meter.steps_per_bar), 0)
        starts += [meter.step + bar * meter.steps_per_bar for bar in range(n_bars)]
    return starts


def note_cells(
    piece: Piece, start: int, n_steps: int, shift: int = 0, parts: Collection[int] | None = None
) -> list[NoteCells]:
    """Which of the piece's notes the cells of a roll come from; two parts may share a cell.

    Args:
        piece: drums, and notes that `shift` would move out of the 128 pitches, are left out.
        start: the step of the file on which the roll begins.
        n_steps: length of the roll; a note is cut off at its ends.
        shift: semitones by which the roll lies above the file.
        parts: indexes of the parts that the roll holds; all of them unless given.
    """
    found = []
    for note in piece.notes:
        steps, pitch = note.steps, note.pitch + shift
        first, end = max(steps.start - start, 0), min(steps.stop - start, n_steps)
        wanted = not piece.parts[note.part].is_drums and (parts is None or note.part in parts)
        if wanted and first < end and 0 <= pitch < N_PITCHES:
            found.append(NoteCells(note.id, first, end, pitch))
    return found


def roll_of_piece(
    piece: Piece,
    start: int,
    n_steps: int,
    shift: int = 0,
    parts: Collection[int] | None = None,
    n_planes: int = 1,
) -> Cells:
    """The roll of a stretch of a piece, each note on its nearest steps; arguments as for `note_cells`."""
    held = note_cells(piece, start, n_steps, shift, parts)
    return roll_of((RollNote(owner.first, owner.pitch, owner.end - owner.first) for owner in held), n_steps, n_planes)


def revise(
    piece: Piece,
    cells_before: Cells,
    cells_after: Cells,
    start: int,
    shift: int = 0,
    parts: Collection[int] | None = None,
) -> Revision:
    """Read the difference between two rolls as notes dropped, shortened and new.

    A cell that falls silent is taken from every note that owned it; what is left of a note keeps its exact ends where
    it still reaches them. A new note never lengthens an old one, also where it touches it at the same pitch. The
    piece's own notes are told apart by the file, so that the re-struck plane is read for new notes only.

    Args:
        piece: left untouched.
        cells_before: the roll as `roll_of_piece` made it with the same `start`, `shift` and `parts`.
        cells_after: the same stretch after the edits.
        start: the step of the file on which the rolls begin.
        shift: semitones by which the rolls lie above the file. A new note that cannot be moved back within the 128
            pitches goes to the nearest octave that has it.
        parts: indexes of the parts that the rolls hold; all of them unless given.
    """
    removed = cells_before[0] & ~cells_after[0]
    touched = {}
    if removed.any():
        for owner in note_cells(piece, start, removed.shape[0], shift, parts):
            gone = np.flatnonzero(removed[owner.first : owner.end, owner.pitch]) + owner.first + start
            if len(gone):
                touched[owner.note] = _spans_left(piece.notes[owner.note], {int(step) for step in gone})
    added = cells_after.copy()
    added[0] &= ~cells_before[0]
    new_notes = (
        RollNote(onset=note.onset + start, pitch=within_range(note.pitch - shift), duration=note.duration)
        for note in notes_of(added)
    )
    return Revision(touched, tuple(sorted(new_notes)))


def remaining_notes(piece: Piece, revision: Revision) -> tuple[Note, ...]:
    """What a revision leaves of the piece's own notes, numbered anew."""
    left: list[Note] = []
    for note in piece.notes:
        for span in revision.touched.get(note.id, (Span(note.onset, note.end),)):
            pitch = revision.pitches.get(note.id, note.pitch)
            left.append(replace(note, id=len(left), pitch=pitch, onset=span.onset, duration=span.end - span.onset))
    return tuple(left)


def _spans_left(note: Note, gone: Collection[int]) -> tuple[Span, ...]:
    kept = {step for step in note.steps if step not in gone}
    begins = sorted(step for step in kept if step - 1 not in kept)
    ends = sorted(step + 1 for step in kept if step + 1 not in kept)
    return tuple(
        Span(
            onset=note.onset if begin == note.steps.start else Fraction(begin),
            end=note.end if end == note.steps.stop else Fraction(end),
        )
        for begin, end in zip(begins, ends, strict=True)
    )


def _nearest(position: Fraction) -> int:
    """The nearest step, the later one of two."""
    return (2 * position.numerator + position.denominator) // (2 * position.denominator)


def within_range(pitch: int) -> int:
    """A pitch, moved by octaves to the nearest of the 128 that MIDI has if it is none of them."""
    return pitch % 12 if pitch < 0 else pitch if pitch < N_PITCHES else N_PITCHES - 12 + (pitch + 4) % 12
