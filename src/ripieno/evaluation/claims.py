"""What is claimed of ES-Net, fixed before the figures were seen, and how each claim is tested.

The unit is the input: a chorale, not a bar. Methods are compared on the same inputs, paired.

Better, named beforehand (`BETTER`): fewer parallel fifths and octaves than Gibbs by a factor of 3; notes that are wrong
found better than by Coconet; a higher notewise figure than orderless NADE. Each is claimed if its 95 % bootstrap
interval excludes the opposite.

No worse, for every other rule and measure of the style report and for each method: what counts is how bad a piece is:
of a rule, how often it is broken; of a measure, how far it lies from Bach's own setting of the same tune. Of an input's
pieces, one for each seed, the mean of that counts, not how far their mean lies from Bach. The claim is
that ES-Net is worse by less than `MARGIN` of the standard deviation of Bach's own pieces, tested one-sided at 5 % with
Holm's correction over all of a method's rules and measures. Where Bach's pieces do not differ at all, or a figure is
not there in most pieces, nothing is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import Generator, Philox

from ripieno.music.part_writing import COUNTED, RULES, Count, Report
from ripieno.music.part_writing.consecutives import PARALLEL_FIFTHS, PARALLEL_OCTAVES
from ripieno.shapes import Float

MARGIN = 0.2  # of Bach's standard deviation
FACTOR = 3  # fewer parallels than Gibbs
LEVEL = 0.05
N_DRAWS = 4000
LEAST_PIECES = 20  # with a figure in both, and more than half of all, or nothing is tested

NAMED = tuple(
    rule.name for rule in (PARALLEL_FIFTHS, PARALLEL_OCTAVES)
)  # claimed to be better, so not tested for being no worse


@dataclass(frozen=True)
class NoWorse:
    """How much worse ES-Net is, in standard deviations of Bach's pieces, and the p of its being MARGIN or more."""

    name: str
    worse: float
    upper: float  # one-sided 95 % bound
    p: float
    n: int
    holds: bool = False


def holm(p: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which of several hypotheses are rejected, with the chance of any wrong rejection at most `level`.  (Holm 1979)"""
    rejected = [False] * len(p)
    for rank, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] > level / (len(p) - rank):
            break
        rejected[int(i)] = True
    return rejected


def no_worse(
    ours: Sequence[Sequence[Report]],
    theirs: Sequence[Sequence[Report]],
    bachs: Sequence[Report],
    margin: float = MARGIN,
) -> list[NoWorse]:
    """Test every rule and measure but those of `NAMED`.

    Args:
        ours, theirs: of each tune the reports of the pieces written to it.
        bachs: of each tune Bach's own; all in the same order.
        margin: in standard deviations of Bach's pieces.
    """
    rules = {rule.name for rule in RULES}
    tests = []
    for name in (entry.name for entry in COUNTED if entry.name not in NAMED):
        bach = np.array([report[name].rate for report in bachs])
        spread = spread_of(bach)
        if name in rules:
            one, other = (
                np.array([sum((piece[name] for piece in own), Count()).rate for own in some]) for some in (ours, theirs)
            )
        else:
            one, other = (np.array(list(map(_distance, some, bach, [name] * len(bach)))) for some in (ours, theirs))
        worse = one - other
        worse = worse[np.isfinite(worse)]
        if spread == 0 or len(worse) < max(LEAST_PIECES, len(bachs) / 2):
            continue
        mean, error = float(worse.mean()) / spread, float(worse.std(ddof=1)) / spread / len(worse) ** 0.5
        z = (mean - margin) / error if error else float("-inf") if mean < margin else float("inf")
        upper = mean + NormalDist().inv_cdf(1 - LEVEL) * error
        p = NormalDist().cdf(z) if np.isfinite(z) else float(mean >= margin)
        tests.append(NoWorse(name, mean, upper, p, len(worse)))
    held = holm([test.p for test in tests])
    return [NoWorse(t.name, t.worse, t.upper, t.p, t.n, holds) for t, holds in zip(tests, held, strict=True)]


def _distance(pieces: Sequence[Report], bach: float, name: str) -> float:
    """How far pieces lie from Bach's, on average."""
    return float(np.mean([abs(piece[name].rate - bach) for piece in pieces]))


def student(degrees: int) -> float:
    """Student's t for a two-sided interval of 95 %, to 0.004; beyond a table by the expansion of Fisher and Cornish."""
    if degrees < 5:
        return (12.706, 4.303, 3.182, 2.776)[degrees - 1]
    z, n = NormalDist().inv_cdf(0.975), degrees
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return float(z + first / n + second / n**2 + third / n**3)


def spread_of(rates: Sequence[float] | Float[np.ndarray, " piece"]) -> float:
    """The standard deviation of a figure over pieces, of those that have it; 0 where fewer than two do."""
    finite = np.asarray(rates, dtype=float)
    finite = finite[np.isfinite(finite)]
    return float(finite.std()) if len(finite) > 1 else 0.0


def ratio_interval(
    ours: Sequence[Report], theirs: Sequence[Report], names: Sequence[str], seed: int = 0
) -> tuple[float, float, float]:
    """How many times as often the others break some rules: the ratio of the pooled rates, and its 95 % interval.

    Half a fault is added to either side, so that a side without faults gives a number.
    """
    ours_n, theirs_n = (np.array([sum(r[name].n for name in names) for r in some]) for some in (ours, theirs))
    ours_of, theirs_of = (np.array([r[names[0]].of for r in some]) for some in (ours, theirs))

    def ratio(which: np.ndarray) -> float:
        rates = [(n[which].sum() + 0.5) / of[which].sum() for n, of in ((theirs_n, theirs_of), (ours_n, ours_of))]
        return float(rates[0] / rates[1])

    rng = Generator(Philox(key=[seed, 4]))
    drawn = [ratio(rng.integers(len(ours), size=len(ours))) for _ in range(N_DRAWS)]
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2])
    return ratio(np.arange(len(ours))), float(low), float(high)


def mean_interval(values: Float[np.ndarray, " value"], of: Sequence[str], seed: int = 0) -> tuple[float, float, float]:
    """A mean and its 95 % bootstrap interval; `of` names the piece of each value, and pieces are drawn."""
    names = sorted(set(of))
    owner = np.array([names.index(name) for name in of])
    sums = np.bincount(owner, weights=values, minlength=len(names))
    counts = np.bincount(owner, minlength=len(names))
    drawn = Generator(Philox(key=[seed, 5])).integers(len(names), size=(N_DRAWS, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return float(values.mean()), float(low), float(high)
