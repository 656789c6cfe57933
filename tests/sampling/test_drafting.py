"""Several edits a pass: apart, allowed, with the right probabilities, and as many as the distribution bears."""

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import silence
from ripieno.sampling.ancestral import generator_at, sample_ancestral
from ripieno.sampling.drafting import APART, NEAR, Pace, Quality, draft, drift_of
from ripieno.sampling.stopping import StopRule
from tests.sampling.fakes import indifferent, pointing_at, wanting

N_STEPS = 32
CONTEXT = context_of(N_STEPS)
BOLD = Quality(drift=1.0, longest=100, least=100)


def uniform(*cells: Edit) -> np.ndarray:
    probabilities = np.zeros((1, N_STEPS, 128))
    for cell in cells:
        probabilities[cell] = 1 / len(cells)
    return probabilities


def passes_and_changes(model, n, quality, policy=None, seed=0, **options):
    rolls = []

    def counted(cells, context):
        rolls.append(cells)
        return model(cells, context)

    log = EditLog(silence(N_STEPS))
    changes = list(
        sample_ancestral(counted, log, CONTEXT, policy or Policy(), seed, iterations=n, quality=quality, **options)
    )
    return len(rolls), changes


def test_the_edits_of_a_draft_lie_apart_and_come_once() -> None:
    probabilities = np.full((1, N_STEPS, 128), 1 / (N_STEPS * 128))
    drawn = draft(probabilities, EditLog(silence(N_STEPS)), Policy(), 6, generator_at(0, 0))
    steps = sorted(choice.edit.step for choice in drawn)
    assert len(drawn) > 2
    assert min(np.diff(steps)) >= APART


def test_each_edit_has_the_probability_that_it_was_drawn_with() -> None:
    cells = [Edit(0, 0, 60), Edit(0, 10, 60), Edit(0, 20, 60)]
    drawn = draft(uniform(*cells), EditLog(silence(N_STEPS)), Policy(), 30, generator_at(0, 0))
    assert [choice.probability for choice in drawn] == pytest.approx([1 / 3] * 3)
    assert {choice.edit for choice in drawn} == set(cells)


def test_no_cell_comes_sooner_than_its_share_of_the_mass_says() -> None:
    # of two draws, the second counts where it is another cell: so often both come, and so often one alone
    cells = [Edit(0, 0, 60), Edit(0, 10, 60), Edit(0, 20, 60)]
    p = np.array([0.6, 0.3, 0.1])
    probabilities = np.zeros((1, N_STEPS, 128))
    for cell, share in zip(cells, p, strict=True):
        probabilities[cell] = share
    log, n = EditLog(silence(N_STEPS)), 3000
    counts = np.zeros((3, 3))
    for seed in range(n):
        drawn = [cells.index(choice.edit) for choice in draft(probabilities, log, Policy(), 2, generator_at(seed, 0))]
        counts[drawn[0], drawn[-1]] += 1
    chi_square = ((counts - n * np.outer(p, p)) ** 2 / (n * np.outer(p, p))).sum()
    assert chi_square < 26.1  # 8 degrees of freedom, one run in a thousand


def test_a_budget_of_notes_binds_within_a_draft() -> None:
    _, changes = passes_and_changes(indifferent, 30, BOLD, Policy(max_additions=2, takes_back=False))
    assert changes[-1].log.n_added <= 2


def test_no_step_gets_more_notes_than_voices() -> None:
    _, changes = passes_and_changes(indifferent, 200, BOLD, Policy(n_voices=2))
    for change in changes:
        assert np.count_nonzero(change.log.cells[0], axis=1).max() <= 2


def test_a_distribution_that_stays_as_it_is_is_drawn_from_more_and_more_often() -> None:
    n_passes, changes = passes_and_changes(indifferent, 60, BOLD)
    assert len(changes) == 60
    assert n_passes < 30


def test_one_that_changes_with_every_edit_is_looked_at_more_often() -> None:
    def fickle(cells, context):
        logits = np.full(cells.shape, -50.0)
        logits[:, :, :, 40 + int(cells.sum()) % 20] = 0.0
        return Prediction(logits, np.full(len(cells), 99.0))

    quality = Quality(drift=0.1, longest=6, least=0.5)
    n_passes, changes = passes_and_changes(fickle, 40, quality)
    n_steady, _ = passes_and_changes(indifferent, 40, quality)
    assert len(changes) == 40
    assert n_passes >= 2 * n_steady


def test_a_draft_draws_no_more_often_than_edits_are_expected() -> None:
    pace = Pace(Quality(drift=1.0, longest=100, least=0.5), N_STEPS)
    everywhere = np.full((1, N_STEPS, 128), 1 / (N_STEPS * 128))
    assert pace.draws(everywhere, n_left=7.2) == 7
    assert pace.draws(everywhere, n_left=0.1) == 1
    assert pace.draws(everywhere, n_left=float("nan")) > 7


def test_a_finished_piece_is_left_by_drafts_too() -> None:
    target = silence(N_STEPS)
    target[0, ::8, 60] = True
    _, changes = passes_and_changes(wanting(target), None, BOLD, stop=StopRule())
    np.testing.assert_array_equal(changes[-1].log.cells, target)


def test_the_same_seed_gives_the_same_piece() -> None:
    one, other = (passes_and_changes(indifferent, 12, BOLD, seed=7)[1] for _ in range(2))
    assert [change.edit for change in one] == [change.edit for change in other]


def test_drift_is_nought_where_only_the_edited_steps_differ_or_what_is_far() -> None:
    used = 3 * uniform(Edit(0, 0, 60), Edit(0, 4, 60), Edit(0, 20, 60))
    near = 3 * uniform(Edit(0, 1, 60), Edit(0, 4, 60), Edit(0, 20, 60))
    far = 3 * uniform(Edit(0, 0, 60), Edit(0, 4, 60), Edit(0, 30, 60))
    assert drift_of(used, near, [0, 1]) == 0
    assert drift_of(used, far, [2]) == 0
    assert drift_of(used, near, [NEAR - 4]) == pytest.approx(1)  # its own step out, 0 and 1 remain: all of it moved


def test_where_hardly_anything_is_expected_drift_is_small_however_the_rest_is_shared() -> None:
    used, fresh = 0.02 * uniform(Edit(0, 0, 60)), 0.02 * uniform(Edit(0, 1, 60))
    assert drift_of(used, fresh, [4]) == pytest.approx(0.02)


def test_drafts_may_stop_at_more_expected_edits_than_single_ones() -> None:
    model = pointing_at(Edit(0, 3, 60), n_left=0.1)  # a twentieth for each of two bars
    for left, goes_on in ((1.0, True), (4.0, False)):
        quality = Quality(drift=1.0, longest=4, least=1, left=left)
        _, changes = passes_and_changes(model, 3, quality, stop=StopRule(left_per_bar=0.02))
        assert bool(changes) is goes_on


def test_a_chord_is_struck_again_together_and_nobody_with_it_who_is_to_hold() -> None:
    log = EditLog(silence(8, n_planes=2)).record(
        [Edit(0, step, pitch) for step in range(8) for pitch in (48, 55, 64)], "model"
    )
    probabilities = np.zeros((2, 8, 128))
    probabilities[1, 4, [48, 55]] = 0.45, 0.4
    probabilities[1, 4, 64] = 0.05
    n_together = n_ragged = 0
    for seed in range(60):
        drawn = {choice.edit.pitch for choice in draft(probabilities, log, Policy(), 4, generator_at(seed, 0))}
        n_together += {48, 55} <= drawn
        n_ragged += 64 in drawn
    assert n_together > 48
    assert n_ragged < 15
    assert {len(draft(probabilities, log, Policy(), 1, generator_at(seed, 0))) for seed in range(20)} == {1}


def test_what_is_held_again_goes_with_what_is_held_again() -> None:
    log = EditLog(silence(8, n_planes=2)).record(
        [Edit(0, step, pitch) for step in range(8) for pitch in (48, 55, 64)] + [Edit(1, 4, 48), Edit(1, 4, 55)],
        "model",
    )
    probabilities = np.zeros((2, 8, 128))
    probabilities[1, 4, [48, 55, 64]] = 0.4, 0.4, 0.2
    for seed in range(20):
        drawn = {choice.edit.pitch for choice in draft(probabilities, log, Policy(), 4, generator_at(seed, 0))}
        assert drawn in ({48, 55}, {64})


def test_what_a_budget_forbids_keeps_nobody_else_from_its_place() -> None:
    """Once a note of the one that may be added is begun, its neighbour grows it, whatever was drawn there before."""
    log = EditLog(silence(N_STEPS))
    first, forbidden, grows = Edit(0, 4, 60), Edit(0, 8, 72), Edit(0, 9, 60)
    log = log.record([Edit(0, step, 60) for step in (5, 6, 7, 8)], "model")
    probabilities = uniform(first, forbidden, grows)
    for seed in range(40):
        drawn = draft(probabilities, log, Policy(max_additions=1), 40, generator_at(seed, 0))
        edits = [choice.edit for choice in drawn]
        assert {first, grows} <= set(edits) or edits[0] == forbidden
