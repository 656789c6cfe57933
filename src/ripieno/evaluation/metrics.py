"""Tables 2 and 3 and figure 3: what pitches a set of pieces uses, as published and corrected.  (Paper 6.3)

Table 2 describes a set of pieces by four statistics, all pieces pooled:

PC    pitch classes in use
P     pitches in use
ISR   in-scale rate: share of sounding cells whose pitch class is in C major
PR    polyphonic rate: share of steps on which four or more pitches sound

Table 3 compares two sets by the share of sounding cells at each pitch (figure 3): Bhattacharyya distance and the
Kolmogorov-Smirnov statistic.

Differences from the paper:
1. Its PC and ISR take `pitch // 10` for the pitch class, a fault of the library that it used (pypianoroll 0.5.3 to
   1.0.4). JSB's training split, cut to whole bars of 16 steps, gives PC 6, ISR 0.541 that way and PC 12, ISR 0.787 by
   pitch class. `as_published=True` gives the former. P and PR are the same either way.
2. Its Kolmogorov-Smirnov test takes the 46 shares of one set and the 46 of the other for two samples, and so forgets
   which share belongs to which pitch. `kolmogorov_smirnov(..., as_published=True)` does the same; the other compares
   the two distributions over pitch, and has no p: cells of one note are no independent draws.
3. ISR supposes C major, also for pieces in other keys. So does ours, corrected or not, or figures would not compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from ripieno.evaluation.statistics import bootstrap
from ripieno.music.roll import N_PITCHES, STEPS_PER_BAR, Cells
from ripieno.shapes import Bool, Float, Int

C_MAJOR = (0, 2, 4, 5, 7, 9, 11)
N_DRAWS = 1000  # of the bootstrap
MANY = 4  # pitches on a step, from which on it counts as polyphonic

Shares = Float[np.ndarray, " pitch"]


@dataclass(frozen=True)
class PitchStatistics:
    """One row of Table 2."""

    n_bars: int
    pitch_classes: int  # PC
    pitches: int  # P
    in_scale_rate: float  # ISR
    polyphonic_rate: float  # PR


@dataclass(frozen=True)
class Pooled:
    """What the statistics of a set follow from; pools add up."""

    n_cells: Int[np.ndarray, " pitch"]  # sounding, at each pitch
    n_many: int  # steps with four or more
    n_steps: int

    def __add__(self, other: Pooled) -> Pooled:
        return Pooled(self.n_cells + other.n_cells, self.n_many + other.n_many, self.n_steps + other.n_steps)

    @property
    def shares(self) -> Shares:
        """Of the sounding cells at each pitch: figure 3."""
        shares: Shares = self.n_cells / max(int(self.n_cells.sum()), 1)
        return shares


def pooled(cells: Cells) -> Pooled:
    """One roll's counts, of its whole bars of 16 steps."""
    sounding = cells[0, : cells.shape[1] // STEPS_PER_BAR * STEPS_PER_BAR]
    return Pooled(sounding.sum(axis=0), int((sounding.sum(axis=1) >= MANY).sum()), len(sounding))


def pool(rolls: Iterable[Bool[np.ndarray, "_ _ _"]]) -> Pooled:
    """The counts of a set of rolls (plane, step, pitch), of any lengths."""
    return sum((pooled(cells) for cells in rolls), Pooled(np.zeros(N_PITCHES, dtype=int), 0, 0))


def pitch_statistics(of: Pooled, as_published: bool = False) -> PitchStatistics:
    """A row of Table 2.

    Raises:
        ValueError: nothing sounds in the set.
    """
    total = int(of.n_cells.sum())
    if not total:
        raise ValueError("a set of pieces in which nothing sounds has no statistics: give it some that do")
    classes = np.arange(N_PITCHES) // 10 if as_published else np.arange(N_PITCHES) % 12
    used = np.flatnonzero(of.n_cells)
    return PitchStatistics(
        n_bars=of.n_steps // STEPS_PER_BAR,
        pitch_classes=len(np.unique(classes[used])),
        pitches=len(used),
        in_scale_rate=float(of.n_cells[np.isin(classes, C_MAJOR)].sum() / total),
        polyphonic_rate=of.n_many / of.n_steps,
    )


def bhattacharyya(one: Shares, other: Shares) -> float:
    """Minus the logarithm of how far two distributions overlap; 0 if they are the same, inf if they share nothing."""
    overlap = float(np.sqrt(one * other).sum())
    return float(-np.log(min(overlap, 1.0))) if overlap > 0 else float("inf")


def kolmogorov_smirnov(one: Shares, other: Shares, as_published: bool = False) -> tuple[float, float]:
    """The statistic D of two sets' shares, and p: nan unless as published.

    Args:
        one, other: shares of the sounding cells at each pitch.
        as_published: the shares of the pitches that either uses are two samples of numbers.
    """
    if not as_published:
        return float(np.abs(np.cumsum(one) - np.cumsum(other)).max()), float("nan")
    used = (one > 0) | (other > 0)
    first, second = np.sort(one[used]), np.sort(other[used])
    values = np.concatenate([first, second])
    steps = np.searchsorted(first, values, side="right") - np.searchsorted(second, values, side="right")
    apart = int(np.abs(steps).max())
    return apart / len(first), exact_p(apart, len(first))


def exact_p(apart: int, n: int) -> float:
    """Chance that two samples of n from one distribution lie `apart` / n apart, or more.  (Gnedenko, Korolyuk 1951)"""
    if apart <= 0:
        return 1.0
    terms = ((-1) ** (k - 1) * comb(2 * n, n - k * apart) for k in range(1, n // apart + 1))
    return float(min(2 * sum(terms) / comb(2 * n, n), 1.0))


def statistic_interval(sets: Sequence[Pooled], name: str, as_published: bool = False) -> tuple[float, float]:
    """95 % bootstrap interval of one statistic of a set, by drawing its pieces anew.

    Args:
        sets: the counts of each piece.
        name: a field of `PitchStatistics`.
        as_published: see `pitch_statistics`.
    """
    cells = np.stack([one.n_cells for one in sets])
    many, steps = (np.array([getattr(one, field) for one in sets]) for field in ("n_many", "n_steps"))

    def statistic(drawn: Int[np.ndarray, " drawn"]) -> float:
        again = Pooled(cells[drawn].sum(axis=0), int(many[drawn].sum()), int(steps[drawn].sum()))
        return float(getattr(pitch_statistics(again, as_published), name))

    return bootstrap(statistic, len(sets), stream=3, n_draws=N_DRAWS)
