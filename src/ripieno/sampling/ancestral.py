"""Ancestral sampling: draw one edit, apply it, look again.  (Paper 5)

`choose` draws and has no side effect; `compose` is the loop, for whoever runs the model (`sampling.passes`), and
`sample_ancestral` the same with the model at hand. Chance is a counter-based generator keyed by the seed and the
position in the log, so that a run which is computed in a batch is the same run, and so is, at one edit a pass, one
which is resumed. With several edits a pass (`sampling.drafting`) a resumed run begins with a draft of medium length.

Differences from the paper:
1. Cells that the policy forbids are never drawn.  The paper caps removals and iterations only.
2. It ends by itself.  (stopping.py; the paper lets it run for a set number of iterations.)
3. Several edits may be drawn of one pass.  (drafting.py; one, unless asked for.)
4. If asked to (`Policy.keeps_height`), a temperature leaves additions as high as the model has them, on average.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, Philox

from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import Context
from ripieno.models.runtime import Predict, Prediction
from ripieno.music.roll import N_PITCHES
from ripieno.sampling.drafting import EXACT, Choice, Pace, Probabilities, Quality, draft, draw
from ripieno.sampling.passes import Ask, Change, Sampler, alone
from ripieno.sampling.stopping import Returns, StopRule
from ripieno.shapes import Bool, Float

_LEAST_MASS = 1e-9  # of additions, below which their height does not matter
_NEWTON = 4  # steps towards the right mean
_STEEPEST = 0.2  # nats a semitone


def generator_at(seed: int, position: int) -> Generator:
    """The only source of chance at one position in the log."""
    return Generator(Philox(key=np.array([seed % 2**64, position], dtype=np.uint64)))


def allowed_probabilities(prediction: Prediction, log: EditLog, policy: Policy) -> Probabilities:
    """The softmax over every allowed cell, at the policy's temperature, float64 (plane, step, pitch); 0 elsewhere.

    Raises:
        NothingAllowed: no cell may change.
    """
    return _probabilities(prediction, policy.allowed(log), log, policy)


def _probabilities(
    prediction: Prediction,
    allowed: Bool[np.ndarray, "plane step pitch"],
    log: EditLog,
    policy: Policy,
    own: Probabilities | None = None,
) -> Probabilities:
    """Of every allowed cell; `own` is the softmax without any temperature, times anything, if it is at hand."""
    probabilities = _softmax(prediction, allowed, policy.temperature)
    if policy.keeps_height and policy.temperature != prediction.sharpness:
        own = _softmax(prediction, allowed, prediction.sharpness) if own is None else np.where(allowed, own, 0.0)
        silent = ~log.cells[0]
        tilt = _tilt(_heights(probabilities, silent), _heights(own, silent))
        np.multiply(probabilities[0], tilt, out=probabilities[0], where=silent)
    return probabilities


def _heights(probabilities: Probabilities, silent: Bool[np.ndarray, "step pitch"]) -> Float[np.ndarray, " pitch"]:
    """How the additions of a softmax lie over the pitches."""
    heights: np.ndarray = np.where(silent, probabilities[0], 0.0).sum(axis=0)
    return heights


def _tilt(heights: Float[np.ndarray, " pitch"], own: Float[np.ndarray, " pitch"]) -> Float[np.ndarray, " pitch"]:
    """What additions at each pitch are multiplied by, so that their mean pitch is as in `own`, and their sum as it was.

    A temperature below the model's own favours what it is sure of. Beneath a melody these are the voices next to it,
    and a piece sampled so lies too high (docs/log.md#a-low-temperature-lifts-the-voices). Of all reweightings with the
    right mean the exponential one changes the distribution least.
    """
    total, own_total = heights.sum(), own.sum()
    if total < _LEAST_MASS or own_total < _LEAST_MASS:
        return np.ones(N_PITCHES)
    pitch = np.arange(N_PITCHES)
    wanted = (own * pitch).sum() / own_total
    untilted = abs((heights * (pitch - wanted)).sum() / total)
    slope = 0.0
    for _ in range(_NEWTON):
        weights = heights * np.exp(slope * (pitch - wanted))
        weights /= weights.sum()
        off = (weights * (pitch - wanted)).sum()
        spread = (weights * (pitch - wanted) ** 2).sum() - off**2
        if spread < 1e-6:
            break
        slope = float(np.clip(slope - off / spread, -_STEEPEST, _STEEPEST))
    tilted = np.exp(slope * (pitch - wanted))
    if abs((heights * tilted * (pitch - wanted)).sum()) > untilted * (heights * tilted).sum():
        return np.ones(N_PITCHES)  # two far humps: the steps have jumped to and fro
    scaled: np.ndarray = tilted * (total / (heights * tilted).sum())
    return scaled


def _softmax(
    prediction: Prediction, allowed: Bool[np.ndarray, "plane step pitch"], temperature: float
) -> Probabilities:
    logits = np.where(allowed, prediction.logits[0].astype(float) / temperature, -np.inf)
    top = logits.max()
    if top == -np.inf:
        raise NothingAllowed("no note may change: unlock some, or raise max_removals or max_additions")
    weights = np.exp(logits - top)
    probabilities: Probabilities = weights / weights.sum()
    return probabilities


def change_probabilities(prediction: Prediction) -> Probabilities:
    """Of each cell, the chance that it has to change: its share of the model's own softmax, times `n_left`.

    The loss of the paper makes all cells that have to change equally probable, so that this is what the model has
    learned. With three tenths of the cells missing or more it is about right; in nearly finished pieces, one in
    twenty missing, chances below 0.6 are several times too large (docs/log.md#change-probabilities). nan where the
    model cannot tell `n_left`.
    """
    every = np.ones(prediction.logits[0].shape, dtype=bool)
    return _softmax(prediction, every, prediction.sharpness) * float(prediction.n_left[0])


def expected_edits(chance: Probabilities, log: EditLog, policy: Policy) -> float:
    """How many edits are still to come, of those that may be made.

    Args:
        chance: of each cell that may change; 0 elsewhere.
        log: what has been done so far.
        policy: where only some more voices may sound, no more notes are expected than there is room for.
    """
    if policy.most is None:
        return float(chance.sum())
    sounding = log.cells[0]
    added = np.where(sounding, 0.0, chance[0]).sum(axis=1)
    room = np.maximum(policy.most - np.count_nonzero(sounding, axis=1), 0)
    return float(chance.sum() - np.maximum(added - room, 0.0).sum())


@dataclass(frozen=True)
class Outlook:
    """What may come next: the probability of every cell, and how many edits are still to come."""

    probabilities: Probabilities
    n_left: float


def outlook(
    prediction: Prediction, log: EditLog, policy: Policy, stop: StopRule | None, settled: float = 0.0
) -> Outlook | None:
    """What a prediction, of a batch of one, says of the next edit; None where the piece is finished.

    The other arguments are those of `compose`.
    """
    allowed = policy.allowed(log)
    try:
        every = change_probabilities(prediction) if np.isfinite(prediction.n_left[0]) else None
        probabilities = _probabilities(prediction, allowed, log, policy, every)
    except NothingAllowed:
        return None
    n_left = float(prediction.n_left[0])
    if every is not None:
        chance = np.where(allowed, every, 0.0)
        n_left = expected_edits(chance, log, policy)
        if settled and n_left < 1:
            probabilities = np.where(chance >= settled, probabilities, 0.0)
            if not probabilities.any():
                return None
            probabilities /= probabilities.sum()
    if stop is not None:
        removal_mass = float(probabilities[log.cells].sum())
        if stop.finished(log, n_left, removal_mass):
            return None
        if removal_mass and stop.goes_to_and_fro(log):
            probabilities = np.where(log.cells, probabilities / removal_mass, 0.0)
    return Outlook(probabilities, n_left)


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
    return draw(allowed_probabilities(prediction, log, policy), rng)


def compose(
    log: EditLog,
    context: Context,
    policy: Policy,
    seed: int = 0,
    iterations: int | None = None,
    stop: StopRule | None = None,
    quality: Quality = EXACT,
    settled: float = 0.0,
) -> Sampler:
    """Edit a roll until the model expects nothing more, or goes only to and fro.  (Paper 5)

    Args:
        log: where to begin; a run that was interrupted goes on from its last log.
        context: of the roll, float (feature, step).
        policy: which cells may change, and the temperature.
        seed: with the position in the log, the only source of chance.
        iterations: edits at the most; None for no limit but the stop rule's.
        stop: when the piece is finished; None goes on for ever, as the paper does.
        quality: how many edits may be drawn of one pass; one unless given.
        settled: once fewer than one edit is expected, cells with a lower chance than this stay as they are, and when
            there are no others the run ends; 0 goes on, as the paper does. For runs without a stop rule.
    """
    begun = len(log.entries)
    stop = None if stop is None else replace(stop, left_per_bar=stop.left_per_bar * quality.left)
    pace, returns = Pace(quality, log.cells.shape[1]), Returns()
    while iterations is None or len(log.entries) - begun < iterations:
        prediction = yield Ask(log.cells[None], context[None])
        assert prediction is not None
        now = outlook(prediction, log, policy, stop, settled)
        if now is None or (stop is not None and returns.again(log, now.n_left)):
            return log
        n_draws = pace.draws(now.probabilities, now.n_left)
        if iterations is not None:
            n_draws = min(n_draws, iterations - (len(log.entries) - begun))
        drawn = draft(now.probabilities, log, policy, n_draws, generator_at(seed, log.n_edits))
        if iterations is not None:  # a chord that is struck together is several
            drawn = drawn[: iterations - (len(log.entries) - begun)]
        pace.did([choice.edit.step for choice in drawn])
        edits, chances = [choice.edit for choice in drawn], [choice.probability for choice in drawn]
        log = log.record_each(edits, "model", chances, policy.where)
        for choice in drawn:
            yield Change(log, choice.edit, bool(log.cells[choice.edit]), choice.probability, now.n_left)
    return log


def sample_ancestral(
    predict: Predict,
    log: EditLog,
    context: Context,
    policy: Policy,
    seed: int = 0,
    iterations: int | None = None,
    stop: StopRule | None = None,
    quality: Quality = EXACT,
    settled: float = 0.0,
) -> Iterator[Change]:
    """`compose`, with a model: one change after the other."""
    return alone(compose(log, context, policy, seed, iterations, stop, quality, settled), predict)
