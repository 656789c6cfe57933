"""Several edits a pass: draws without replacement that lie apart, as many as the distribution bears.

One pass for each edit is the price of the paper's method, and most of it is wasted: an edit moves the distribution over
the rest of the roll by a percent or two, except close by. So after a pass several edits are drawn at once, by the
Gumbel-top-k trick (Kool, van Hoof, Welling 2019), and of those the ones kept that lie `APART` steps from each other.
How many there are adapts itself: after the next pass the distribution that was used is compared with the fresh one
where nothing was edited. If it has drifted by more than the budget, the next draft is shorter, if by less, longer.

As a draft never holds more than a share of the edits that the model still expects, it falls to one edit by itself
towards the end. Each edit keeps the probability with which it was drawn, given those that were drawn before it in the
same draft. "exact" is one edit a pass, `sample_ancestral`.

The paper has nothing like this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import Context
from ripieno.models.runtime import Predict
from ripieno.sampling.ancestral import Change, Choice, Probabilities, allowed_probabilities, generator_at
from ripieno.sampling.stopping import StopRule

APART = 4  # steps between two edits of a draft, at the least
N_PERTURBED = 8  # candidates looked at for each edit wanted
SMOOTHING = 0.5  # how far the length of a draft goes towards what the last drift asks for


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How much drafts may take for granted."""

    drift: float  # total variation between the distribution that was used and the fresh one, where nothing was edited
    longest: int  # edits in a draft, for every 16 steps of the roll
    share: float  # of the edits still expected that a draft may hold


QUALITIES = {
    "high": Quality(drift=0.05, longest=2, share=0.1),
    "fast": Quality(drift=0.15, longest=4, share=0.25),
}


def draft(
    probabilities: Probabilities, log: EditLog, policy: Policy, n_edits: int, rng: Generator
) -> list[tuple[Choice, EditLog]]:
    """Draw edits without replacement, apart from each other, each allowed when those before it are done.

    Args:
        probabilities: of every cell, as `allowed_probabilities` gives them.
        log: what they are the probabilities after.
        policy: which cells may change.
        n_edits: at the most; at least one comes back.
        rng: the only source of chance.

    Returns:
        Each edit with its probability given those before it, and the log after it.
    """
    flat = probabilities.ravel()
    possible = np.flatnonzero(flat)
    # log p plus a Gumbel number: from high to low they are draws without replacement
    perturbed = np.log(flat[possible]) + rng.gumbel(size=len(possible))
    wanted = min(n_edits * N_PERTURBED, len(possible))
    best = np.argpartition(-perturbed, wanted - 1)[:wanted]
    order = possible[best[np.argsort(-perturbed[best])]]
    has_budget = policy.max_additions is not None or bool(policy.max_removals)
    drawn: list[tuple[Choice, EditLog]] = []
    steps: list[int] = []
    left = 1.0  # probability of all that was not drawn before
    for cell in order:
        plane, step, pitch = (int(i) for i in np.unravel_index(cell, probabilities.shape))
        probability = float(flat[cell])
        if all(abs(step - other) >= APART for other in steps):
            edit = Edit(plane, step, pitch)
            if drawn and has_budget and not policy.allowed(log)[edit]:
                continue
            given = min(probability / left, 1.0)
            log = log.record([edit], "model", probabilities=[given])
            drawn.append((Choice(edit, given), log))
            steps.append(step)
            if len(drawn) == n_edits:
                break
        left = max(left - probability, probability)
    return drawn


def drift_of(used: Probabilities, fresh: Probabilities, steps: list[int]) -> float:
    """Total variation, 0 to 1, between two distributions over the cells of all steps but those that were edited."""
    others = np.ones(used.shape[1], dtype=bool)
    others[steps] = False
    before, after = used[:, others], fresh[:, others]
    mass = before.sum(), after.sum()
    if min(mass) <= 0:
        return 1.0
    return 0.5 * float(np.abs(before / mass[0] - after / mass[1]).sum())


def sample_drafts(
    predict: Predict,
    log: EditLog,
    context: Context,
    policy: Policy,
    quality: Quality,
    seed: int = 0,
    iterations: int | None = None,
    stop: StopRule | None = None,
) -> Iterator[Change]:
    """Edit a roll like `sample_ancestral`, several edits a pass.

    Args:
        predict: the model.
        log: where to begin.
        context: of the roll, float (feature, step).
        policy: which cells may change, and the temperature.
        quality: how much a draft may take for granted.
        seed: with the position in the log, the only source of chance.
        iterations: edits at the most; None for no limit but the stop rule's.
        stop: when the piece is finished; None goes on for ever.
    """
    begun = len(log.entries)
    most = max(quality.longest * log.cells.shape[1] / 16, 1.0)
    length = 1.0
    used: Probabilities | None = None
    edited: list[int] = []
    while iterations is None or len(log.entries) - begun < iterations:
        prediction = predict(log.cells[None], context[None])
        n_left = float(prediction.n_left[0])
        try:
            probabilities = allowed_probabilities(prediction, log, policy)
        except NothingAllowed:
            return
        if used is not None:
            asked = length * quality.drift / max(drift_of(used, probabilities, edited), 1e-6)
            asked = min(max(asked, length / 2), length * 2)
            length = min(max(length + SMOOTHING * (asked - length), 1.0), most)
        used = probabilities
        if stop is not None:
            removal_mass = float(probabilities[log.cells].sum())
            if stop.finished(log, n_left, removal_mass):
                return
            if removal_mass and stop.goes_to_and_fro(log):
                probabilities = np.where(log.cells, probabilities / removal_mass, 0.0)
        n_edits = int(length)
        if np.isfinite(n_left):
            n_edits = min(n_edits, int(quality.share * n_left))
        if iterations is not None:
            n_edits = min(n_edits, iterations - (len(log.entries) - begun))
        drawn = draft(probabilities, log, policy, max(n_edits, 1), generator_at(seed, len(log.entries)))
        edited = [choice.edit.step for choice, _ in drawn]
        for choice, after in drawn:
            log = after
            yield Change(log, choice.edit, bool(log.cells[choice.edit]), choice.probability, n_left)
