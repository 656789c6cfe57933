"""Annealed blocked Gibbs sampling: Coconet's way to write the voices that are not held.  (Paper 6)

Again and again a random block of cells is made blank and drawn anew, each from its own distribution, until the blocks
are so small that what is drawn fits its surroundings. (Yao, Yao, Shah, Murray 2014; Huang et al. 2017, section 4)

Differences from Huang et al. 2017:
1. They do not say what the first sample is; ours is drawn with everything blank that is not held.
2. They name 0.9 and 0.1 for the largest and the smallest share of blanks, and reach the latter after three quarters
   of the run; so do we. The number of passes is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from ripieno.models.runtime import Fill
from ripieno.music.roll import Voices
from ripieno.shapes import Bool

MOST, LEAST = 0.9, 0.1  # share of the free cells that are blank, at first and at last
ANNEALED = 0.75  # share of the passes after which it is the least


def blank_share(done: float) -> float:
    """The share of free cells that are made blank when `done` of the run, from 0 to 1, is over."""
    return max(LEAST, MOST - done * (MOST - LEAST) / ANNEALED)


def sample_gibbs(
    fill: Fill,
    pitches: Voices,
    held: Bool[np.ndarray, "step voice"],
    n_passes: int,
    rng: Generator,
) -> Iterator[Voices]:
    """Write the voices that are not held; yields the score after each pass.

    Args:
        fill: the model.
        pitches: MIDI numbers, -1 a rest. Only what is held is looked at.
        held: what stays as it is; held rests too.
        n_passes: Huang et al. take as many as there are cells in the score.
        rng: the only source of chance.

    Raises:
        ValueError: nothing is free, or no pass is to be made.
    """
    if n_passes < 1:
        raise ValueError(f"n_passes is {n_passes}: make at least one")
    if held.all():
        raise ValueError("every voice is held at every step: leave some free")
    now = np.where(held, pitches, -1)
    for number in range(n_passes):
        blank = ~held & (rng.random(held.shape) < (blank_share(number / n_passes) if number else 1.0))
        log_p = fill(now[None], ~blank[None])[0].astype(float)
        # Gumbel-max: each argmax is an exact draw
        drawn = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=-1)
        now = np.where(blank, drawn, now)
        yield now
