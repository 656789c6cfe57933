"""Several edits a pass without loss: the law of the sequence is exactly the paper's.

Speculative sampling (Leviathan, Kalman, Matias 2023; Chen et al. 2023) with the network as its own draft model: after a
pass, edits are drawn one after the other from what that pass said, the cells that were drawn left out; the states that
they lead to are all shown to the network in one pass; and each edit is kept with a chance of its probability in its own
state over the one it was drawn with, if that is below 1. The first that is not kept is drawn anew from what its own
state has more of than the draft, and the rest of the draft is dropped. What is kept is distributed as if each edit had
been drawn from its own state (tests/sampling/test_speculative.py), at as many rolls in a pass as the draft is long: a
gain where a batch costs hardly more than one roll, as on a GPU, and a loss on a few cores.

The paper has nothing like this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Prediction
from ripieno.sampling.ancestral import generator_at, outlook
from ripieno.sampling.drafting import Choice, Probabilities, draw
from ripieno.sampling.passes import Ask, Change, Sampler
from ripieno.sampling.stopping import Returns, StopRule

LENGTH = 8  # edits in a draft


@dataclass
class Tally:
    """How many of the drafted edits were kept, of those that were looked at."""

    n_kept: int = 0
    n_looked_at: int = 0


def compose_lossless(
    log: EditLog,
    context: Context,
    policy: Policy,
    seed: int = 0,
    iterations: int | None = None,
    stop: StopRule | None = None,
    length: int = LENGTH,
    tally: Tally | None = None,
) -> Sampler:
    """`compose`, one edit after the other, with the passes of `length` edits joined.

    Chance is keyed by the seed and the position in the log at which a draft begins, so that a run is another than that
    of `compose` with the same seed, of the same law.

    Args:
        log, context, policy, seed, iterations, stop: as for `compose`.
        length: edits in a draft.
        tally: counts what becomes of the drafts.
    """
    tally = Tally() if tally is None else tally
    begun, returns = len(log.entries), Returns()
    answer = yield Ask(log.cells[None], context[None])
    assert answer is not None
    here = outlook(answer, log, policy, stop)
    while here is not None and (iterations is None or len(log.entries) - begun < iterations):
        rng = generator_at(seed, log.n_edits)
        used = here.probabilities
        states: list[EditLog] = []
        drafted: list[tuple[Choice, Probabilities]] = []
        left, after = used, log
        for _ in range(length if iterations is None else min(length, iterations - (len(log.entries) - begun))):
            if not left.any():
                break
            choice = draw(left, rng)
            drafted.append((choice, left))
            after = after.record([choice.edit], "model", probabilities=[choice.probability], where=policy.where)
            states.append(after)
            left = left.copy()
            left[choice.edit] = 0.0
            if total := left.sum():
                left /= total
        answer = yield Ask(np.stack([state.cells for state in states]), np.repeat(context[None], len(states), axis=0))
        assert answer is not None
        n_left = here.n_left
        for number, (choice, proposal) in enumerate(drafted):
            if here is None or (stop is not None and returns.again(log, here.n_left)):
                return log
            if number:  # the first was drawn from its own state
                tally.n_looked_at += 1
                own = here.probabilities
                if rng.random() * proposal[choice.edit] >= own[choice.edit]:
                    more = np.maximum(own - proposal, 0.0)
                    choice = draw(more / more.sum(), rng)
                    probability = float(own[choice.edit])
                    log = log.record([choice.edit], "model", probabilities=[probability], where=policy.where)
                    yield Change(log, choice.edit, bool(log.cells[choice.edit]), probability, here.n_left)
                    break
                tally.n_kept += 1
                n_left = here.n_left
            probability = float(here.probabilities[choice.edit])
            log = log.record([choice.edit], "model", probabilities=[probability], where=policy.where)
            yield Change(log, choice.edit, bool(log.cells[choice.edit]), probability, n_left)
            here = outlook(_only(answer, number), log, policy, stop)
        else:
            continue
        answer = yield Ask(log.cells[None], context[None])
        assert answer is not None
        here = outlook(answer, log, policy, stop)
    return log


def _only(prediction: Prediction, number: int) -> Prediction:
    """What is said of one roll of a batch."""
    one = slice(number, number + 1)
    return Prediction(prediction.logits[one], prediction.n_left[one], prediction.sharpness)
