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

from ripieno.evaluation.statistics import LEVEL, bootstrap, holm, spread_of
from ripieno.music.part_writing import COUNTED, RULES, Count, Report
from ripieno.music.part_writing.completeness import MISSING_THIRD
from ripieno.music.part_writing.consecutives import PARALLEL_FIFTHS, PARALLEL_OCTAVES
from ripieno.music.part_writing.habits import (
    DISSONANT_PAIRS,
    FOUR_OR_MORE,
    MOVING_PAIRS,
    ONSETS,
    SEVENTHS_ON_BEATS,
    TRIADS_ON_BEATS,
)
from ripieno.music.part_writing.melody import FALSE_RELATION, LONE_SIXTEENTH
from ripieno.music.part_writing.motion import CROSSING, HIDDEN_LEAP
from ripieno.music.part_writing.resolution import UNRESOLVED_LEADING_NOTE, UNRESOLVED_SEVENTH
from ripieno.music.part_writing.spacing import RANGE, SPACING
from ripieno.shapes import Int

MARGIN = 0.2  # of Bach's standard deviation
FACTOR = 3  # fewer parallels than Gibbs
LEAST_PIECES = 20  # with a figure in both, and more than half of all, or nothing is tested

# claimed to be better, so not tested for being no worse
NAMED = tuple(rule.name for rule in (PARALLEL_FIFTHS, PARALLEL_OCTAVES))

# what short tables tell
SHOWN = tuple(
    entry.name
    for entry in (
        PARALLEL_FIFTHS,
        PARALLEL_OCTAVES,
        MOVING_PAIRS,
        HIDDEN_LEAP,
        CROSSING,
        SPACING,
        RANGE,
        UNRESOLVED_LEADING_NOTE,
        UNRESOLVED_SEVENTH,
        MISSING_THIRD,
        FALSE_RELATION,
        ONSETS,
        FOUR_OR_MORE,
        DISSONANT_PAIRS,
        TRIADS_ON_BEATS,
        SEVENTHS_ON_BEATS,
        LONE_SIXTEENTH,
    )
)


@dataclass(frozen=True)
class NoWorse:
    """How much worse ES-Net is, in standard deviations of Bach's pieces, and the p of its being MARGIN or more."""

    name: str
    worse: float
    upper: float  # one-sided 95 % bound
    p: float
    n: int
    holds: bool = False


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


def ratio_interval(
    ours: Sequence[Report], theirs: Sequence[Report], names: Sequence[str]
) -> tuple[float, float, float]:
    """How many times as often the others break some rules: the ratio of the pooled rates, and its 95 % interval.

    Half a fault is added to either side, so that a side without faults gives a number.
    """
    ours_n, theirs_n = (np.array([sum(r[name].n for name in names) for r in some]) for some in (ours, theirs))
    ours_of, theirs_of = (np.array([r[names[0]].of for r in some]) for some in (ours, theirs))

    def ratio(which: Int[np.ndarray, " drawn"]) -> float:
        rates = [(n[which].sum() + 0.5) / of[which].sum() for n, of in ((theirs_n, theirs_of), (ours_n, ours_of))]
        return float(rates[0] / rates[1])

    return ratio(np.arange(len(ours))), *bootstrap(ratio, len(ours), stream=4)
