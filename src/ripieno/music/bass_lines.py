"""Whether a line that sounds alone is a tune or a bass, by how it moves.

People write tunes low, so that height alone does not tell: what does is how many of a line's moves are thirds, fourths
and fifths, or wider leaps; whether it ends by a fourth up or a fifth down; and how far it ranges.
Where it lies counts only above `BASS_BELOW`, where no bass of Bach's lies, and where there is too little to hear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ripieno.shapes import Float, Int

BASS_BELOW = 54  # no lone line above it, on average, is a bass; JSB's basses average 46-56, its tenors 55-63
LEAST_MOVES = 4  # fewer tell nothing: such a line is what its height says
LEAST_CHANCE = 0.6  # of a bass, for who hands in one line mostly means a tune
UNSURE = (0.2, 0.8)  # chances between which a line may well be the other

SMOOTHING = 8  # moves that every line is taken to have made before, shared out as below
_BEFORE = (0.2, 0.2, 0.05)  # thirds; fourths and fifths; wider
WIDE = 1.25  # octaves that a bass ranges over; who goes further is no more of one
# Log-odds of a bass, fitted on basses and sopranos of JSB train, whole and in 4 and 8 bars, and on people's melodies:
# `python -m benchmarks.bass_lines --fit`. They are for lines that are as often one as the other.
WEIGHTS = {
    "always": -5.84,
    "thirds": -5.93,
    "fourths and fifths": 4.28,
    "wider leaps": 2.88,
    "ends by a fourth up or a fifth down": 2.68,
    "range in octaves, as far as it is wide": 6.19,
    "range beyond that": -8.54,
}


class LoneRole(NamedTuple):
    """What a line alone is taken to be."""

    is_bass: bool
    is_sure: bool


def lone_role(pitches: Sequence[int] | Int[np.ndarray, " note"], mean: float) -> LoneRole:
    """What a line that sounds alone is.

    Args:
        pitches: of its notes, in order.
        mean: of its pitch over its time.
    """
    if mean >= BASS_BELOW:
        return LoneRole(is_bass=False, is_sure=True)
    if np.count_nonzero(np.diff(pitches)) < LEAST_MOVES:
        return LoneRole(is_bass=True, is_sure=False)
    chance = bass_chance(pitches)
    return LoneRole(is_bass=chance > LEAST_CHANCE, is_sure=not UNSURE[0] < chance < UNSURE[1])


def bass_chance(pitches: Sequence[int] | Int[np.ndarray, " note"]) -> float:
    """How likely a line is a bass, whatever its height, from 0 to 1.

    Args:
        pitches: of its notes, in order; one at least.
    """
    return 1 / (1 + math.exp(-float(features_of(pitches) @ np.array(list(WEIGHTS.values())))))


def features_of(pitches: Sequence[int] | Int[np.ndarray, " note"]) -> Float[np.ndarray, " feature"]:
    """What is heard of a line, in the order of `WEIGHTS`. A note struck again is no move."""
    struck = np.asarray(pitches)
    heard = struck[np.append(True, np.diff(struck) != 0)]
    moves = np.diff(heard)
    size, n = np.abs(moves), len(moves)
    thirds, fifths = (size == 3) | (size == 4), (size == 5) | (size == 7)
    counts = np.array([thirds.sum(), fifths.sum(), ((size == 6) | (size > 7)).sum()])
    low, high = np.percentile(heard, (5, 95))
    octaves = float(high - low) / 12
    closes = n > 0 and moves[-1] in (5, -7)
    return np.array(
        [
            1.0,
            *(counts + SMOOTHING * np.array(_BEFORE)) / (n + SMOOTHING),
            float(closes),
            min(octaves, WIDE),
            max(octaves - WIDE, 0.0),
        ]
    )
