"""Damage: what training does to a piece so that the model can learn to mend it.  (Paper 4)

`corrupt` is the paper's: a share of the sounding cells cleared, a share of the silent ones sounded.

Differences from the paper, used by the configuration `chorale` and measured in docs/log.md#what-each-choice-is-worth:
1. `corrupt_notes` clears and adds whole notes, and puts notes a little off in pitch or in time: a wrong *note* of 4
   cells is not 4 wrong cells, and a model that only knew the latter found few of the former.
2. `corrupt_accompaniment` leaves the top or bottom line whole, which is what a person with a melody hands in.
3. `break_line` changes the target itself: people hand in arpeggios and runs over octaves, which chorales lack.
4. Silent cells past the ends of the piece (`inside` false) are never sounded.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from ripieno.music.roll import Cells, bottom_line, notes_of, restrikable, top_line
from ripieno.shapes import Bool, Int


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


def corrupt_restrikes(
    target: Cells, source: Cells, mask_ratio: float, noise_ratio: float, rng: Generator
) -> Bool[np.ndarray, "1 step pitch"]:
    """Damage which notes are struck again: a second plane for a source whose first is damaged already.

    A chord repeats together, so half of the time whole steps are cleared, and extraneous bits come by steps too.

    Args:
        target: of two planes.
        source: its first plane, damaged.
        mask_ratio, noise_ratio: shares of the struck cells to clear, and of the places that could be struck to strike.
        rng: the only source of chance.
    """
    _check(mask_ratio=mask_ratio, noise_ratio=noise_ratio)
    n_steps, n_pitches = target.shape[1:]
    size = (n_steps, 1 if rng.random() < 0.5 else n_pitches)
    again = target[1] & (rng.random(size) >= mask_ratio)
    again = again ^ (rng.random(size) < noise_ratio)
    struck: np.ndarray = (again & restrikable(source))[None]
    return struck


def break_line(target: Cells, keep: Literal["top", "bottom"], rng: Generator) -> Int[np.ndarray, " step"]:
    """Break up the top or bottom line in place: octaves, chord tones, neighbours, leaps and rests, in a pattern.

    The other voices stay and are not crossed, so that they teach how such a line is carried.

    Args:
        target: of one plane; changed.
        keep: which line.
        rng: the only source of chance.

    Returns:
        the line as it is now, -1 where it rests.
    """
    line = top_line(target) if keep == "top" else bottom_line(target)
    sounding = target[0]
    n_steps, n_pitches = sounding.shape
    outward = 1 if keep == "top" else -1
    size = int(rng.choice([1, 2, 2, 4]))
    period = int(rng.choice([2, 4, 8]))
    kinds = rng.choice(
        ["kept", "octave", "chord", "neighbour", "rest", "leap"], period, p=[0.25, 0.2, 0.3, 0.1, 0.05, 0.1]
    )
    n_octaves = rng.integers(0, 3, period)
    which = rng.random(period)
    steps_of = rng.choice([-2, -1, 1, 2], period)
    leaps = rng.choice([3, 4, 5, 7], period)
    turn = int(rng.integers(period))
    for first in range(0, n_steps, size):
        turn = (turn + 1) % period
        if kinds[turn] == "kept" or line[first] < 0:
            continue
        old = int(line[first])
        end = first + 1
        while end < min(first + size, n_steps) and line[end] == old:
            end += 1
        sounding[first:end, old] = False
        if kinds[turn] == "rest":
            line[first:end] = -1
            continue
        others = np.flatnonzero(sounding[first:end].any(axis=0))
        bound = old - 12 * outward  # how far inward it may go
        if len(others):
            bound = int(others[-1]) + 1 if keep == "top" else int(others[0]) - 1
        if kinds[turn] == "octave":
            new = old + 12 * outward
        elif kinds[turn] == "chord":
            tones = [old, *others]
            wanted = int(tones[int(which[turn] * len(tones))])
            new = bound + outward * ((wanted - bound) * outward % 12 + 12 * int(n_octaves[turn]))
        else:
            new = old + int(steps_of[turn] if kinds[turn] == "neighbour" else outward * leaps[turn])
        while new >= n_pitches:
            new -= 12
        while new < 0:
            new += 12
        if (new - bound) * outward < 0:
            new = old  # it would cross
        sounding[first:end, new] = True
        line[first:end] = new
    return line


def _draw(among: np.ndarray, ratio: float, rng: Generator) -> np.ndarray:
    return rng.permutation(among)[: round(ratio * len(among))]


def _check(**ratios: float) -> None:
    for name, ratio in ratios.items():
        if not 0 <= ratio <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {ratio}")
