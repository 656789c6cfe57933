"""Several edits a pass: draws that lie apart in time, as many as the distribution bears.

One pass for each edit is the price of the paper's method, and most of it is wasted: an edit moves the distribution over
the rest of the roll by a percent or two, except close by. So of one pass several cells are drawn, as the paper would
draw them if nothing changed in between, and of those that lie closer than `APART` the first is kept: the others wait
until the model has looked again. Where all of the mass is in one place that is one edit, where it is spread they are
many, and no cell comes sooner than its share of the mass says.

How many are drawn follows what they do. After the next pass the distribution that was used is compared with the fresh
one around each edit, but for the steps that were edited; if it has drifted by more than the budget, the next draft is
shorter, if by less, longer. A draft draws no more often than edits are still expected, but for a few near the end.

A chord is struck again together: where a draft draws that one of its notes is, the others go with it, as far as the
model expects it of them as much (`_chord`). Their marginals alone, with nothing else drawn at that step until the next
pass, would leave every chord ragged for as long as there are voices. With one draw a pass there is no need: the model
looks at what was struck before the next.

Tried and dropped: draws without replacement, which near the end reach for cells of no likelihood; and to set all cells
at once that almost certainly change, since two halves of a note agree less well than each with the truth
(docs/log.md#drafts-a-first-look). The paper has nothing like this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.music.roll import STEPS_PER_BAR
from ripieno.shapes import Float

Probabilities = Float[np.ndarray, "plane step pitch"]

APART = 4  # steps between two edits of a draft, at the least
NEAR = 8  # steps around an edit in which drift is looked for
SMOOTHING = 0.5  # how far the length of a draft goes towards what the last drift asks for


@dataclass(frozen=True)
class Choice:
    """One edit drawn, and the probability it was drawn with."""

    edit: Edit
    probability: float


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How much drafts may take for granted."""

    drift: float  # of what is expected near an edit, before and after it, as `drift_of` has it
    longest: float  # draws in a draft, for every 16 steps of the roll
    least: float  # draws near the end, for every 16 steps, where hardly any edits are expected
    # How many times as many edits may be left at the end as the stop rule says. Near the end drafts fill the texture
    # further than single edits do, since the stop rule looks on less often; this makes up for it
    # (docs/log.md#drafts-as-dense-as-single-edits).
    left: float = 1.0


EXACT = Quality(drift=0.0, longest=0.0, least=0.0)  # one edit a pass, the paper's
QUALITIES = {
    "exact": EXACT,
    "high": Quality(drift=0.5, longest=8, least=2, left=5),
    "fast": Quality(drift=0.9, longest=10, least=3, left=10),
}


def draw(probabilities: Probabilities, rng: Generator) -> Choice:
    """Draw one edit."""
    return _drawn(probabilities, rng, 1)[0]


def draft(
    probabilities: Probabilities,
    log: EditLog,
    policy: Policy,
    n_draws: int,
    rng: Generator,
    apart: int = APART,
    most: int | None = None,
) -> list[Choice]:
    """Draw several times from one distribution, and keep what lies apart, each allowed when those before it are done.

    Args:
        probabilities: of every cell, as `allowed_probabilities` gives them.
        log: what they are the probabilities after.
        policy: which cells may change.
        n_draws: 1 or more; between one edit and so many come back.
        rng: the only source of chance.
        apart: steps between two edits, at the least.
        most: edits that are kept; None for all that lie apart.

    Returns:
        Each edit with the probability it was drawn with; after one of plane 1 those that go with it.
    """
    has_budget = policy.max_additions is not None or bool(policy.max_removals)
    drawn: list[Choice] = []
    taken = np.zeros(probabilities.shape[1], dtype=bool)  # too near to what was drawn
    for choice in _drawn(probabilities, rng, n_draws):
        step = choice.edit.step
        if taken[step]:
            continue
        along = _chord(choice, probabilities, log, rng) if choice.edit.plane and n_draws > 1 else []
        n_before = len(drawn)
        for one in (choice, *along):
            if has_budget:
                if drawn and not policy.allowed(log)[one.edit]:
                    continue
                log = log.record([one.edit], "model", where=policy.where)
            drawn.append(one)
        if len(drawn) == n_before:
            continue
        if most is not None and len(drawn) >= most:
            break
        taken[max(step - apart + 1, 0) : step + apart] = True
    return drawn


def _chord(choice: Choice, probabilities: Probabilities, log: EditLog, rng: Generator) -> list[Choice]:
    """What is struck, or held, at a step together with one note.

    A level is drawn below the probability of that note, and all that is more probable goes along: who is as likely to
    be struck always does, who is half as likely every other time. Who is struck goes with what is struck alone, and who
    is held with what is held.

    Args:
        choice: of plane 1.
        probabilities: that it was drawn from.
        log: before it was made.
        rng: the only source of chance.
    """
    plane, step, pitch = choice.edit
    there = probabilities[plane, step]
    level = rng.random() * choice.probability
    along = np.flatnonzero((there > level) & (log.cells[plane, step] == log.cells[choice.edit]))
    return [Choice(Edit(plane, step, int(other)), float(there[other])) for other in along if other != pitch]


def _drawn(probabilities: Probabilities, rng: Generator, n: int) -> list[Choice]:
    # a uniform number and a search for each: half a millisecond cheaper than a Gumbel number for each cell
    flat = probabilities.ravel()
    cumulative = np.cumsum(flat)
    cells = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    planes, steps, pitches = np.unravel_index(cells, probabilities.shape)
    where = zip(planes.tolist(), steps.tolist(), pitches.tolist(), strict=True)
    return [Choice(Edit(*at), float(flat[cell])) for at, cell in zip(where, cells, strict=True)]


def drift_of(used: Probabilities, fresh: Probabilities, steps: list[int]) -> float:
    """How far what is expected has moved near the steps that were edited.

    Args:
        used, fresh: how many edits are expected of each cell, before and after.
        steps: that were edited.

    Returns:
        Of the steps within `NEAR` of an edited one, the edited ones left out: total variation between both, as a share
        of the edits that were expected there, or of one edit where fewer were; the mean over the edited steps.
    """
    edited = np.zeros(used.shape[1], dtype=bool)
    edited[steps] = True
    apart = np.abs(used - fresh).sum(axis=(0, 2))
    before, after = used.sum(axis=(0, 2)), fresh.sum(axis=(0, 2))
    apart[edited] = before[edited] = after[edited] = 0.0
    shares = []
    for step in steps:
        near = slice(max(step - NEAR, 0), step + NEAR + 1)
        shares.append(0.5 * apart[near].sum() / max(before[near].sum(), after[near].sum(), 1.0))
    return float(np.mean(shares))


class Pace:
    """How many draws the next draft may have, from what the last ones did."""

    def __init__(self, quality: Quality, n_steps: int) -> None:
        self.quality = quality
        n_bars = n_steps / STEPS_PER_BAR
        self._longest = max(quality.longest * n_bars, 1.0)
        self._least = min(max(quality.least * n_bars, 1.0), self._longest)
        self._length = max(self._longest / 2, 1.0)
        self._used: Probabilities | None = None
        self._steps: list[int] = []

    def draws(self, fresh: Probabilities, n_left: float) -> int:
        """How often to draw from a fresh distribution.

        Args:
            fresh: the probabilities after what was done since the last call.
            n_left: edits still expected; nan if the model cannot tell.
        """
        if self._longest == 1.0:
            return 1
        fresh = fresh * (n_left if np.isfinite(n_left) else self._longest)
        if self._used is not None and self._steps:
            asked = self._length * self.quality.drift / max(drift_of(self._used, fresh, self._steps), 1e-6)
            asked = min(max(asked, self._length / 2), self._length * 2)
            self._length = min(max(self._length + SMOOTHING * (asked - self._length), self._least), self._longest)
        self._used = fresh
        bound = max(n_left, self._least) if np.isfinite(n_left) else self._longest
        return max(round(min(self._length, bound)), 1)

    def did(self, steps: list[int]) -> None:
        """Take note of the steps that were edited since."""
        self._steps = steps
