"""What the model may do in a piece: options, locks and refusals as a `Policy`.  (Paper 5)

`policy_of` is the only place that builds one for a composition, so that the same request means the same everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ripieno.edits.log import USER, EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import BadInput
from ripieno.music.bass_lines import lone_role
from ripieno.music.chords import PlacedChord, asked_of_steps
from ripieno.music.ensembles import range_of
from ripieno.music.roll import N_PITCHES, RollNote, bottom_line, top_line
from ripieno.music.understanding import Reading, Role, steps_of_bars
from ripieno.music.voices import place_within
from ripieno.options import Options
from ripieno.shapes import Bool, Int

KEEPS_HEIGHT = True  # see `Policy`; a temperature below the model's own lifts the voices
NEAR = 4  # steps around a refused note; when anything there changes, it may be offered again


@dataclass(frozen=True)
class Locks:
    """Where the model changes nothing. Pitches and steps are the file's; locks do not bind the person."""

    notes: tuple[RollNote, ...] = ()
    voices: Mapping[str, tuple[RollNote, ...]] = field(default_factory=dict)  # what each sang when it was locked
    bars: frozenset[int] = frozenset()
    pitches: frozenset[int] = frozenset()  # whole rows

    def changed(self, data: object, start: int = 0) -> Locks:
        """With what an entry of the log says: locked or unlocked, or, as version 0.1.0 wrote it, all of them.

        Args:
            data: the entry's value.
            start: the step of the file on which the roll of version 0.1.0 began, from which it counted.

        Raises:
            BadInput: it says nothing that can be read.
        """
        try:
            said: dict[str, Any] = dict(data)  # type: ignore[call-overload]
            notes = tuple(map(_note, said.get("notes", [])))
            bars, pitches = frozenset(map(int, said.get("bars", []))), frozenset(map(int, said.get("pitches", [])))
            voices = {str(one["voice"]): tuple(map(_note, one["notes"])) for one in said.get("voices", [])}
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise BadInput(f"a lock cannot be read: {str(data)[:60]}") from error
        if "locked" not in said:
            there = {voice: _later(sung, start) for voice, sung in voices.items()}
            return Locks(_later(notes, start), there, bars, pitches)
        if said["locked"]:
            more = tuple(note for note in notes if note not in self.notes)
            return Locks(self.notes + more, {**self.voices, **voices}, self.bars | bars, self.pitches | pitches)
        fewer = tuple(note for note in self.notes if note not in notes)
        left = {voice: sung for voice, sung in self.voices.items() if voice not in voices}
        return Locks(fewer, left, self.bars - bars, self.pitches - pitches)


def _later(notes: Sequence[RollNote], steps: int) -> tuple[RollNote, ...]:
    return tuple(RollNote(note.onset + steps, note.pitch, note.duration) for note in notes)


def _note(data: Any) -> RollNote:
    if isinstance(data, Mapping):
        return RollNote(int(data["onset"]), int(data["pitch"]), int(data["duration"]))
    onset, pitch, duration = map(int, data)
    return RollNote(onset, pitch, duration)


@dataclass(frozen=True)
class RefusedSuggestion:
    """A suggestion that the person said no to, and what the music around it was."""

    cells: tuple[tuple[int, int], ...]  # step, pitch; the file's, in a document
    steps: tuple[int, int]
    around: str

    @classmethod
    def of(cls, cells: Sequence[tuple[int, int]], first: int, end: int, log: EditLog) -> RefusedSuggestion:
        """Of a note on the steps `first` to `end` - 1 of the roll, in the music as it is now."""
        steps = max(first - NEAR, 0), min(end + NEAR, log.cells.shape[1])
        return cls(tuple(cells), steps, _around(log, steps))

    def moved(self, steps: int, pitches: int) -> RefusedSuggestion:
        """The same so many steps later and semitones higher."""
        first, end = self.steps
        cells = tuple((step + steps, pitch + pitches) for step, pitch in self.cells)
        return RefusedSuggestion(cells, (first + steps, end + steps), self.around)

    def holds(self, log: EditLog) -> bool:
        """Whether the music around it, of the roll, is still what it was."""
        return _around(log, self.steps) == self.around

    def to_json(self) -> dict[str, Any]:
        """For the log."""
        return {"cells": [list(cell) for cell in self.cells], "steps": list(self.steps), "around": self.around}

    @classmethod
    def from_json(cls, data: Any) -> RefusedSuggestion:
        """What `to_json` wrote.

        Raises:
            BadInput: it is something else.
        """
        try:
            cells = tuple((int(step), int(pitch)) for step, pitch in data["cells"])
            first, end = map(int, data["steps"])
            around = str(data["around"])
        except (TypeError, ValueError, KeyError) as error:
            raise BadInput(f"a refusal cannot be read: {str(data)[:60]}") from error
        if not all(0 <= pitch < N_PITCHES for _, pitch in cells):
            raise BadInput(f"a refusal lies outside the roll: {str(data)[:60]}")
        return cls(cells, (first, end), around)


def _around(log: EditLog, steps: tuple[int, int]) -> str:
    return hashlib.sha256(log.cells[0, slice(*steps)].tobytes()).hexdigest()[:16]


def policy_of(
    options: Options,
    reading: Reading,
    log: EditLog,
    *,
    chords: Sequence[PlacedChord] = (),
    bass: Int[np.ndarray, " region"] | None = None,
    locks: Locks = Locks(),
    refusals: Sequence[RefusedSuggestion] = (),
    name: str = "the piece",
) -> Policy:
    """What the model may change now.

    Args:
        options: what was asked.
        reading: what the piece is taken to be.
        log: what was done.
        chords: that new notes belong to, by steps of the file.
        bass: that the piece has beside its melody, by steps of the region; pitches of the file.
        locks, refusals: of the document.
        name: what errors call the piece.

    Raises:
        BadInput: there are no such bars.
    """
    n_steps = log.cells.shape[1]
    selection = np.ones(n_steps, dtype=bool)
    if options.bars is not None:
        selection[:] = False
        selection[steps_of_bars(reading, *options.bars, name=name)] = True
    role, line = melody_of(options.melody, reading, log)
    classes, basses = asked_of_steps(chords, reading.start, n_steps) if chords else (None, None)
    there = [one.moved(-reading.start, reading.shift) for one in refusals]
    refused = {
        (0, step, pitch)
        for one in there
        if one.holds(log)
        for step, pitch in one.cells
        if 0 <= step < n_steps and 0 <= pitch < N_PITCHES
    }
    return Policy(
        locked=locked_cells(locks, reading, n_steps),
        selection=selection,
        pitches=range_on_roll(options, reading.shift),
        n_voices=options.n_voices,
        n_doubling=doubling(locks, reading, role, line, log.cells),
        max_removals=options.max_removals,
        max_additions=options.max_additions,
        melody=role,
        line=line,
        floor=None if bass is None else _still_there(bass, reading, log)[0],
        n_above=place_within(line, options.n_voices or 0) if role == "inner" else None,
        chords=classes,
        basses=None if role == "bass" else basses,
        refused=frozenset(refused),
        temperature=options.temperature,
        keeps_height=KEEPS_HEIGHT,
    )


def locked_cells(locks: Locks, reading: Reading, n_steps: int) -> Bool[np.ndarray, "step pitch"]:
    """Where locks forbid the model to change anything."""
    locked: np.ndarray = np.zeros((n_steps, N_PITCHES), dtype=bool)
    for bar in locks.bars:
        if reading.first_bar <= bar <= reading.last_bar:
            locked[steps_of_bars(reading, bar, bar)] = True
    for pitch in locks.pitches:
        if 0 <= pitch + reading.shift < N_PITCHES:
            locked[:, pitch + reading.shift] = True
    for note in (*locks.notes, *(note for sung in locks.voices.values() for note in sung)):
        if 0 <= note.pitch + reading.shift < N_PITCHES:  # the cell on either side too, or it could grow
            begin, end = note.onset - 1 - reading.start, note.end + 1 - reading.start
            locked[max(begin, 0) : max(end, 0), note.pitch + reading.shift] = True
    return locked


def doubling(
    locks: Locks,
    reading: Reading,
    role: Role | None,
    line: Int[np.ndarray, " step"],
    cells: Bool[np.ndarray, "_ step pitch"],
) -> Int[np.ndarray, " step"] | None:
    """How many of the locked voices sing at each step what the melody or another locked voice sings.

    These have their note; one more that sounds would be sung by them. None where none does.
    """
    sings: dict[tuple[int, int], set[str]] = {}
    for voice, sung in locks.voices.items():
        for note in sung:
            for step in range(max(note.onset - reading.start, 0), min(note.end - reading.start, len(line))):
                sings.setdefault((step, note.pitch + reading.shift), set()).add(voice)
    melody = {"top": "soprano", "bass": "bass"}.get(role or "")
    found: np.ndarray = np.zeros(len(line), dtype=int)
    for (step, pitch), voices in sings.items():
        if 0 <= pitch < cells.shape[2] and cells[0, step, pitch]:
            found[step] += len(voices | ({melody} if melody and line[step] == pitch else set())) - 1
    return found if found.any() else None


def range_on_roll(options: Options, shift: int) -> tuple[int, int]:
    """The lowest and highest pitch of the roll on which the model may add notes."""
    low, high = options.pitches or (None, None)
    if options.pitches is None and options.ensemble is not None:
        low, high = range_of(options.ensemble)
    lowest = 0 if low is None else min(max(low + shift, 0), N_PITCHES - 1)
    return lowest, N_PITCHES - 1 if high is None else max(min(high + shift, N_PITCHES - 1), lowest)


def melody_of(asked: str | None, reading: Reading, log: EditLog) -> tuple[Role | None, Int[np.ndarray, " step"]]:
    """Which line new notes keep off, as the person has it now; -1 where it rests."""
    n_steps = log.cells.shape[1]
    own = (log.user_cells & log.cells)[:1]
    role = asked if asked in ("top", "bass", "inner") else None
    silent: np.ndarray = np.full(n_steps, -1)
    if (reading.line >= 0).any():  # the file's line, as far as it is still there
        moved, is_still = _still_there(reading.line, reading, log)
        if reading.melody == "inner":
            return "inner", moved
        is_drawn = np.zeros(n_steps, dtype=bool)  # who names the side means what is drawn in its rests, too
        if role is not None:
            is_drawn[:] = (own[0] & (log.author_of[0] == USER)).any(axis=1)
        outer = top_line(own) if reading.melody == "top" else bottom_line(own)
        is_sung = _fitted(reading.line, n_steps) >= 0
        return reading.melody, np.where(is_still, moved, np.where(is_sung | is_drawn, outer, -1))
    if role == "inner" or not own.any():
        return None, silent
    if role is None:
        if int(np.count_nonzero(own[0], axis=1).max()) > 1:
            return None, silent
        line = top_line(own)
        sung = line[line >= 0] - reading.shift
        role = "bass" if lone_role(sung, float(sung.mean())).is_bass else "top"
    return ("top", top_line(own)) if role == "top" else ("bass", bottom_line(own))


def _still_there(
    line: Int[np.ndarray, " region"], reading: Reading, log: EditLog
) -> tuple[Int[np.ndarray, " step"], Bool[np.ndarray, " step"]]:
    """A line of the file on the roll, -1 where it rests or the person has taken it away; and where it is there."""
    n_steps = log.cells.shape[1]
    own = log.user_cells[0] & log.cells[0]
    fitted = _fitted(line, n_steps)
    moved = fitted + reading.shift
    is_still = (fitted >= 0) & (moved >= 0) & (moved < N_PITCHES)
    is_still &= own[np.arange(n_steps), np.clip(moved, 0, N_PITCHES - 1)]
    return np.where(is_still, moved, -1), is_still


def _fitted(line: Int[np.ndarray, " region"], n_steps: int) -> Int[np.ndarray, " step"]:
    """A line cut or lengthened to so many steps."""
    fitted: np.ndarray = np.full(n_steps, -1)
    fitted[: min(len(line), n_steps)] = line[:n_steps]
    return fitted
