"""Ancestral sampling: draw one edit, apply it, look again.  (Paper 5)

`choose` draws and has no side effect; `sample_ancestral` is the loop. Chance is a counter-based generator keyed by the
seed and the position in the log, so that a run which is resumed, or computed in a batch, is the same run.

Differences from the paper:
1. Cells that the policy forbids are never drawn.  The paper caps removals and iterations only.
2. It ends by itself.  (stopping.py; the paper lets it run for a set number of iterations.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, Philox

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import Context
from ripieno.models.runtime import Predict, Prediction
from ripieno.sampling.stopping import StopRule
from ripieno.shapes import Float

Probabilities = Float[np.ndarray, "plane step pitch"]


@dataclass(frozen=True)
class Choice:
    """One edit drawn, and the probability it was drawn with."""

    edit: Edit
    probability: float


@dataclass(frozen=True)
class Change:
    """What one iteration did; `n_left` is how many edits the model expected before it.

    It is one edit, but for a note that was changed for a fault of part-writing (`why`, the rule's name): that is a
    batch of the log, and `edit` the first cell of the new pitch.
    """

    log: EditLog
    edit: Edit
    added: bool
    probability: float
    n_left: float
    why: str | None = None


def generator_at(seed: int, position: int) -> Generator:
    """The only source of chance at one position in the log."""
    return Generator(Philox(key=np.array([seed % 2**64, position], dtype=np.uint64)))


def allowed_probabilities(prediction: Prediction, log: EditLog, policy: Policy) -> Probabilities:
    """The softmax over every allowed cell, float64 (plane, step, pitch); 0 elsewhere.

    Raises:
        NothingAllowed: no cell may change.
    """
    logits = np.where(policy.allowed(log), prediction.logits[0].astype(float) / policy.temperature, -np.inf)
    top = logits.max()
    if top == -np.inf:
        raise NothingAllowed("no note may change: unlock some, or raise max_removals or max_additions")
    weights = np.exp(logits - top)
    probabilities: Probabilities = weights / weights.sum()
    return probabilities


def choose(prediction: Prediction, log: EditLog, policy: Policy, rng: Generator) -> Choice:
    """Draw one edit from the softmax over every allowed cell.  (Paper 5)

    Args:
        prediction: of the log's roll, a batch of one.
        log: what has been done so far; constraints depend on who wrote what.
        policy: which cells may change, and the temperature.
        rng: the only source of chance.

    Raises:
        NothingAllowed: no cell may change.
    """
    return _draw(allowed_probabilities(prediction, log, policy), rng)


def _draw(probabilities: Probabilities, rng: Generator) -> Choice:
    # one uniform number and one search: half a millisecond cheaper than a Gumbel number for each cell
    cumulative = np.cumsum(probabilities)
    drawn = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    plane, step, pitch = (int(i) for i in np.unravel_index(drawn, probabilities.shape))
    return Choice(Edit(plane, step, pitch), float(probabilities[plane, step, pitch]))


def sample_ancestral(
    predict: Predict,
    log: EditLog,
    context: Context,
    policy: Policy,
    seed: int = 0,
    iterations: int | None = None,
    stop: StopRule | None = None,
) -> Iterator[Change]:
    """Edit a roll until the model expects nothing more, or goes only to and fro.  (Paper 5)

    Args:
        predict: the model.
        log: where to begin; a run that was interrupted goes on from its last log.
        context: of the roll, float (feature, step).
        policy: which cells may change, and the temperature.
        seed: with the position in the log, the only source of chance.
        iterations: edits at the most; None for no limit but the stop rule's.
        stop: when the piece is finished; None goes on for ever, as the paper does.
    """
    begun = len(log.entries)
    while iterations is None or len(log.entries) - begun < iterations:
        prediction = predict(log.cells[None], context[None])
        n_left = float(prediction.n_left[0])
        try:
            probabilities = allowed_probabilities(prediction, log, policy)
        except NothingAllowed:
            return
        if stop is not None:
            removal_mass = float(probabilities[log.cells].sum())
            if stop.finished(log, n_left, removal_mass):
                return
            if removal_mass and stop.goes_to_and_fro(log):
                probabilities = np.where(log.cells, probabilities / removal_mass, 0.0)
        choice = _draw(probabilities, generator_at(seed, len(log.entries)))
        log = log.record([choice.edit], "model", probabilities=[choice.probability])
        yield Change(log, choice.edit, bool(log.cells[choice.edit]), choice.probability, n_left)
