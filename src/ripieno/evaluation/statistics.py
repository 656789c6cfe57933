"""Statistics of the evaluation: bootstrap intervals over pieces, Holm's correction, how well wrong notes are ranked.

The unit that is drawn is the piece, with all that was done to it: bars of one piece are no independent draws. Each
figure has a stream of random numbers of its own, so that it does not hang on which others were computed before it.

SciPy's `bootstrap` draws arrays; our figures are of lists of reports and verdicts, and theirs would be other draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.random import Generator, Philox

from ripieno.shapes import Bool, Float, Int

LEVEL = 0.05
N_DRAWS = 4000


def bootstrap(
    figure: Callable[[Int[np.ndarray, " drawn"]], float],
    n: int,
    stream: int,
    n_draws: int = N_DRAWS,
    share: float = 1 - LEVEL,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a figure of n pieces, by drawing as many of them anew, with replacement.  (Efron 1979)

    Args:
        figure: of the pieces with these numbers; nan where it has none, and such draws are left out.
        n: pieces that there are.
        stream: names the figure; with `seed` the only source of chance.
        n_draws: how often to draw.
        share: how wide the interval is.
        seed: see `stream`.

    Returns:
        Its bounds; nan where no draw has a figure.
    """
    rng = Generator(Philox(key=[seed, stream]))
    values = np.array([figure(rng.integers(n, size=n)) for _ in range(n_draws)], dtype=float)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def mean_interval(
    values: Float[np.ndarray, " value"], of: Sequence[str], stream: int = 5, n_draws: int = N_DRAWS, seed: int = 0
) -> tuple[float, float, float]:
    """A mean and its 95 % bootstrap interval; `of` names the piece of each value, and pieces are drawn."""
    names = sorted(set(of))
    number = {name: i for i, name in enumerate(names)}
    owner = np.array([number[name] for name in of])
    sums = np.bincount(owner, weights=values, minlength=len(names))
    counts = np.bincount(owner, minlength=len(names))

    def mean(drawn: Int[np.ndarray, " drawn"]) -> float:
        return float(sums[drawn].sum() / counts[drawn].sum())

    return float(values.mean()), *bootstrap(mean, len(names), stream, n_draws, seed=seed)


def holm(p: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which of several hypotheses are rejected, with the chance of any wrong rejection at most `level`.  (Holm 1979)"""
    rejected = [False] * len(p)
    for rank, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] > level / (len(p) - rank):
            break
        rejected[int(i)] = True
    return rejected


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


def average_precision(scores: Float[np.ndarray, " note"], labels: Bool[np.ndarray, " note"]) -> float:
    """The area under the curve of precision against recall, a step at each score; nan if nothing is to be found.

    Notes of equal score are taken together, so that their order does not matter.
    """
    if not labels.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each stretch of equal scores
    n_found = np.cumsum(labels[order])[ends]
    return float((np.diff(n_found, prepend=0) * n_found / (ends + 1)).sum() / n_found[-1])


def roc_area(scores: Float[np.ndarray, " note"], labels: Bool[np.ndarray, " note"]) -> float:
    """The chance that a wrong note scores above a good one, a tie counting half; nan if one of them is missing."""
    values, rank = np.unique(scores, return_inverse=True)
    n_wrong = np.bincount(rank[labels], minlength=len(values))
    n_good = np.bincount(rank[~labels], minlength=len(values))
    n_pairs = int(n_wrong.sum()) * int(n_good.sum())
    below = np.cumsum(n_good) - n_good
    return float((n_wrong * (below + n_good / 2)).sum() / n_pairs) if n_pairs else float("nan")
