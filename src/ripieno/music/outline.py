"""The outline of a piece: what is known of each step beside the notes. Bars, phrases and key.

A reading of a file fills one in for whoever composes, a corpus for whoever trains; a network hears it as its context
(`models.context`). Whatever is not known says so, and a piece may be known in part. The paper's model has none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.shapes import Int

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Outline:
    """Step by step, what is known; `UNKNOWN` where it is not.

    bar_step: steps since the bar line.
    bar_length, beat_length: of the bar and of its beat, in steps.
    rests: 1 while the last note of a phrase lasts, else 0.
    tonic: pitch class of the key, 0 = C.
    minor: 1 in minor, 0 in major.
    """

    bar_step: Int[np.ndarray, " step"]
    bar_length: Int[np.ndarray, " step"]
    beat_length: Int[np.ndarray, " step"]
    rests: Int[np.ndarray, " step"]
    tonic: Int[np.ndarray, " step"]
    minor: Int[np.ndarray, " step"]

    @property
    def n_steps(self) -> int:
        """Steps in the piece."""
        return len(self.bar_step)

    def taken(self, steps: Int[np.ndarray, " step"]) -> Outline:
        """The outline of other steps: each is one of these, or `UNKNOWN`."""
        known = (steps >= 0) & (steps < self.n_steps)
        safe = np.where(known, steps, 0)
        return Outline(*(np.where(known, getattr(self, field.name)[safe], UNKNOWN) for field in fields(self)))


def unknown_outline(n_steps: int) -> Outline:
    """Of a piece of which nothing is known."""
    return Outline(*(np.full(n_steps, UNKNOWN) for _ in fields(Outline)))


def outline_of(
    n_steps: int,
    bars: Sequence[tuple[int, int, int]] = (),
    phrases: Sequence[tuple[int, int]] | None = None,
    keys: Sequence[tuple[int, Key]] = (),
) -> Outline:
    """Lay out what is known of a piece.

    Args:
        n_steps: of the piece.
        bars: of each bar, the step on which it begins (before 0 for a pickup, whose bar began earlier), its length and
            the length of its beat, in steps; none where bars are not known.
        phrases: of each phrase, the onset of its last note, and the step after it; None where they are not known.
        keys: each with the step from which it holds, the first from the beginning; none where they are not known.
    """
    outline = unknown_outline(n_steps)
    for start, length, beat in bars:
        steps = np.arange(max(start, 0), min(start + length, n_steps))
        outline.bar_step[steps] = steps - start
        outline.bar_length[steps] = length
        outline.beat_length[steps] = beat
    if phrases is not None:
        outline.rests[:] = 0
        for onset, end in phrases:
            outline.rests[max(onset, 0) : end] = 1
    for i, (step, key) in enumerate(sorted(keys, key=lambda one: one[0])):
        first = 0 if i == 0 else max(step, 0)
        outline.tonic[first:] = key.tonic
        outline.minor[first:] = key.mode == "minor"
    return outline


def beat_of(numerator: int, denominator: int) -> int:
    """The length of a meter's beat in steps: a dotted quarter in 6/8, 9/8 and 12/8, a quarter or half elsewhere."""
    unit = max(16 // denominator, 1)
    if numerator % 3 == 0 and numerator > 3 and denominator >= 8:
        return 3 * unit
    return max(unit, STEPS_PER_BEAT)
