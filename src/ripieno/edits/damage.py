"""Damage: what training does to a piece so that the model can learn to mend it.  (Paper 4)

`corrupt` is the paper's: a share of the sounding cells cleared, a share of the silent ones sounded.

Differences from the paper, used by the configuration `chorale` and measured in docs/log.md:
1. `corrupt_notes` clears and adds whole notes, and puts notes a little off in pitch or in time: a wrong *note* of 4
   cells is not 4 wrong cells, and a model that only knew the latter found few of the former.
2. `corrupt_accompaniment` leaves the top or bottom line whole, which is what a person with a melody hands in.
3. Silent cells past the ends of the piece (`inside` false) are never sounded.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from ripieno.music.roll import Cells, bottom_line, notes_of, top_line
from ripieno.shapes import Bool


def corrupt(
    target: Cells,
    mask_ratio: float,
    noise_ratio: float,
    rng: Generator,
    inside: Bool[np.ndarray, " step"] | None = None,
) -> Cells:
    """Damage a roll cell by cell.  (Paper 4)

    Args:
        target: left untouched.
        mask_ratio: share of sounding cells to clear; the paper draws 0 to 1.
        noise_ratio: share of silent cells to sound; the paper draws 0 to 0.015.
        rng: the only source of chance.
        inside: the steps that belong to the piece; all of them unless given.

    Raises:
        ValueError: a ratio lies outside 0 to 1.
    """
    _check(mask_ratio=mask_ratio, noise_ratio=noise_ratio)
    source = target.copy()
    flat = source.reshape(-1)
    silent_cells = ~target if inside is None else ~target & inside[:, None]
    sounding, silent = np.flatnonzero(target), np.flatnonzero(silent_cells)
    flat[_draw(sounding, mask_ratio, rng)] = False
    flat[_draw(silent, noise_ratio, rng)] = True
    return source


def corrupt_notes(target: Cells, mask_ratio: float, n_wrong: int, rng: Generator) -> Cells:
    """Damage a roll note by note.

    Args:
        target: left untouched.
        mask_ratio: share of notes to clear.
        n_wrong: notes to put off: moved by a semitone, a tone, an octave or a sixteenth, or copied to a pitch near by.
        rng: the only source of chance.

    Raises:
        ValueError: `mask_ratio` lies outside 0 to 1, or `n_wrong` is negative.
    """
    _check(mask_ratio=mask_ratio)
    if n_wrong < 0:
        raise ValueError(f"n_wrong must be 0 or more, not {n_wrong}")
    source = target.copy()
    notes = notes_of(target)
    order = rng.permutation(len(notes))
    n_cleared = round(mask_ratio * len(notes))
    for i in order[:n_cleared]:
        note = notes[i]
        source[:, note.onset : note.end, note.pitch] = False
    for i in order[n_cleared : n_cleared + n_wrong]:
        note = notes[i]
        how = rng.integers(3)
        shift, delay = 0, 0
        if how == 0:  # off in time
            delay = int(rng.choice([-2, -1, 1, 2]))
        else:  # off in pitch
            shift = int(rng.choice([-12, -3, -2, -1, -1, 1, 1, 2, 3, 12]))
        if how < 2:  # in place of the right one; otherwise beside it
            source[:, note.onset : note.end, note.pitch] = False
        pitch = note.pitch + shift
        if 0 <= pitch < target.shape[2]:
            first, last = max(note.onset + delay, 0), max(note.end + delay, 0)
            source[0, first:last, pitch] = True
    return source


def corrupt_accompaniment(
    target: Cells,
    keep: Literal["top", "bottom"],
    mask_ratio: float,
    noise_ratio: float,
    rng: Generator,
    inside: Bool[np.ndarray, " step"] | None = None,
) -> Cells:
    """Damage a roll cell by cell, but leave its highest or lowest sounding line whole."""
    line = top_line(target) if keep == "top" else bottom_line(target)
    source = corrupt(target, mask_ratio, noise_ratio, rng, inside)
    steps = np.flatnonzero(line >= 0)
    source[:, steps, line[steps]] = target[:, steps, line[steps]]
    return source


def _draw(among: np.ndarray, ratio: float, rng: Generator) -> np.ndarray:
    return rng.permutation(among)[: round(ratio * len(among))]


def _check(**ratios: float) -> None:
    for name, ratio in ratios.items():
        if not 0 <= ratio <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {ratio}")
