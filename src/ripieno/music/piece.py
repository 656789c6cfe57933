"""Piece: what a file holds, with exact positions, and the way from it to a roll and back.

Positions and durations are exact fractions of a step (a sixteenth), counted from the file's beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Note:
    """One note of a piece. `id` is its place in `Piece.notes`."""

    id: int
    part: int  # index into Piece.parts
    pitch: int  # MIDI number
    onset: Fraction  # steps
    duration: Fraction  # steps
    velocity: int = 80

    @property
    def end(self) -> Fraction:
        """Where it stops, in steps."""
        return self.onset + self.duration


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
class Key:
    """A key from `step` on. `tonic` is a pitch class, 0 = C; `n_sharps` is negative for flats."""

    step: Fraction
    tonic: int
    mode: Literal["major", "minor"]
    n_sharps: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What a file holds. Empty `tempos`, `meters` or `keys`: the file does not say."""

    notes: tuple[Note, ...]
    parts: tuple[Part, ...]
    tempos: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    name: str = ""
    source: Any = field(default=None, repr=False, compare=False)  # what the file's writer needs to patch it
