"""Samplers that share passes give what each gives alone."""

import numpy as np

from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import silence
from ripieno.sampling.ancestral import compose, sample_ancestral
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.passes import MOST, Ask, answered, together


def by_the_roll(cells, context) -> Prediction:
    """Each roll has scores of its own, whatever else is in the batch."""
    sums = cells.sum(axis=(1, 2, 3))
    pitch = np.arange(128)
    logits = np.cos(sums[:, None, None, None] + pitch * 0.7) * np.ones(cells.shape)
    return Prediction(logits.astype(np.float32), np.full(len(cells), 40.0))


def test_the_same_seed_gives_the_same_piece_alone_or_beside_others_of_any_length() -> None:
    lengths = (32, 48, 32, 16, 32)
    for quality in QUALITIES.values():
        own = [
            [
                change.edit
                for change in sample_ancestral(
                    by_the_roll, EditLog(silence(n)), context_of(n), Policy(), seed, iterations=40, quality=quality
                )
            ]
            for seed, n in enumerate(lengths)
        ]
        samplers = [
            compose(EditLog(silence(n)), context_of(n), Policy(), seed, iterations=40, quality=quality)
            for seed, n in enumerate(lengths)
        ]
        shared: list[list[object]] = [[] for _ in lengths]
        for number, change in together(samplers, by_the_roll):
            shared[number].append(change.edit)
        assert shared == own


def test_those_that_wait_at_once_share_a_pass_and_those_that_are_done_wait_no_more() -> None:
    sizes = []

    def watched(cells, context):
        sizes.append(len(cells))
        return by_the_roll(cells, context)

    samplers = [
        compose(EditLog(silence(16)), context_of(16), Policy(), seed, iterations=2 + 6 * seed) for seed in (0, 1)
    ]
    list(together(samplers, watched))
    assert sizes == [2, 2, 1, 1, 1, 1, 1, 1]


def test_a_large_batch_is_cut_into_what_the_cores_do_best() -> None:
    sizes = []

    def watched(cells, context):
        sizes.append(len(cells))
        return by_the_roll(cells, context)

    asks = [Ask(np.repeat(silence(128)[None], n, axis=0), np.repeat(context_of(128)[None], n, axis=0)) for n in (5, 9)]
    answers = answered(watched, asks)
    assert sizes == [MOST, 14 - MOST]
    assert [len(answer.logits) for answer in answers] == [5, 9]
