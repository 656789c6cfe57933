"""One edit is drawn, applied, fed back."""

from itertools import islice

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import RollNote, roll_of, silence
from ripieno.sampling.ancestral import (
    _tilt,
    allowed_probabilities,
    choose,
    expected_edits,
    generator_at,
    sample_ancestral,
)
from ripieno.sampling.stopping import StopRule
from tests.sampling.fakes import indifferent, pointing_at, wanting

CONTEXT = context_of(16)
HERE = Edit(0, 3, 60)


def sampled(model, log, n, policy=None, seed=0, **options):
    return list(islice(sample_ancestral(model, log, CONTEXT, policy or Policy(), seed, **options), n))


def test_sampling_follows_the_model() -> None:
    change = sampled(pointing_at(HERE), EditLog(silence(16)), 1)[0]
    assert change.edit == HERE
    assert change.added
    assert change.log.cells[HERE]
    assert change.probability == pytest.approx(1, abs=1e-6)


def test_what_the_model_added_it_may_take_back() -> None:
    first, second = sampled(pointing_at(HERE), EditLog(silence(16)), 2)
    assert (first.added, second.added) == (True, False)
    assert not second.log.cells.any()


def test_a_users_note_is_never_taken_however_much_the_model_wants_to() -> None:
    origin = roll_of([RollNote(0, 60, 16)], 16)
    for change in sampled(pointing_at(HERE), EditLog(origin), 20):
        assert change.log.cells[0, :, 60].all()


def test_draws_follow_the_softmax_over_the_allowed_cells() -> None:
    there = Edit(0, 5, 62)
    policy = Policy(selection=np.arange(16) == 5, temperature=2.0)
    prediction = pointing_at(HERE, there)(silence(16)[None], None)
    prediction.logits[0][there] = 6.0  # 127 cells of score 0 beside it, at temperature 2
    expected = np.exp(3.0) / (np.exp(3.0) + 127)
    log = EditLog(silence(16))
    choices = [choose(prediction, log, policy, generator_at(seed, 0)) for seed in range(800)]
    hits = np.mean([choice.edit == there for choice in choices])
    assert abs(hits - expected) < 4 * np.sqrt(expected * (1 - expected) / 800)
    assert all(choice.edit.step == 5 for choice in choices)
    assert choices[0].probability == pytest.approx(expected if choices[0].edit == there else (1 - expected) / 127)


def a_guess(seed: int, sharpness: float) -> tuple[Prediction, EditLog]:
    """A model that is surer of high notes, and a roll in which the model's own notes sound."""
    log = EditLog(silence(16)).with_note(60, 0, 8, by="model")
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(1, 1, 16, 128)) * np.linspace(0.5, 3, 128)
    logits[..., :30] = -np.inf
    return Prediction(logits.astype(np.float32), np.array([50.0], dtype=np.float32), sharpness), log


def height(probabilities: np.ndarray, log: EditLog) -> float:
    """The mean pitch of what is added."""
    added = np.where(log.cells, 0, probabilities).sum(axis=(0, 1))
    return float((added * np.arange(128)).sum() / added.sum())


@pytest.mark.parametrize("temperature", [0.5, 0.8, 1.25, 3.0])
def test_whatever_the_temperature_additions_lie_as_high_as_the_model_has_them(temperature: float) -> None:
    prediction, log = a_guess(0, sharpness=1.25)
    own = allowed_probabilities(prediction, log, Policy(temperature=1.25))
    plain = allowed_probabilities(prediction, log, Policy(temperature=temperature))
    level = allowed_probabilities(prediction, log, Policy(temperature=temperature, keeps_height=True))
    assert height(level, log) == pytest.approx(height(own, log), abs=0.05)
    assert temperature == 1.25 or abs(height(plain, log) - height(own, log)) > 0.5
    np.testing.assert_allclose(level[log.cells], plain[log.cells])  # what is taken back is as likely as before
    assert level.sum() == pytest.approx(1)
    assert not level[..., :30].any()


def test_at_the_models_own_temperature_nothing_is_out_of_height() -> None:
    prediction, log = a_guess(1, sharpness=1.25)
    plain, level = (
        allowed_probabilities(prediction, log, Policy(temperature=1.25, keeps_height=keeps)) for keeps in (False, True)
    )
    np.testing.assert_array_equal(plain, level)


def test_whatever_lies_where_the_mean_pitch_comes_no_further_off() -> None:
    rng = np.random.default_rng(0)
    pitch = np.arange(128)
    for _ in range(2000):
        low, high = rng.integers(30, 60), rng.integers(70, 100)
        own = np.exp(-np.abs(pitch - low) * rng.random() * 5) + rng.random() * np.exp(-np.abs(pitch - high) * 3)
        heights = own ** rng.uniform(0.3, 8)
        own, heights = own / own.sum(), heights / heights.sum()
        tilted = heights * _tilt(heights, own)
        wanted = (own * pitch).sum()
        assert abs((tilted * pitch).sum() - wanted) <= abs((heights * pitch).sum() - wanted) + 1e-9
        assert tilted.sum() == pytest.approx(1)


def test_where_nothing_can_be_added_there_is_no_height_to_keep() -> None:
    prediction, log = a_guess(2, sharpness=1.25)
    for only in (log.cells[0], ~log.cells[0] & (np.arange(128) == 64)):  # what sounds, and one pitch
        plain, level = (
            allowed_probabilities(prediction, log, Policy(selection=only, keeps_height=keeps))
            for keeps in (False, True)
        )
        np.testing.assert_allclose(plain, level)


def test_where_nothing_may_change_choosing_says_so_and_sampling_ends() -> None:
    log, policy = EditLog(silence(16)), Policy(locked=np.ones(16, dtype=bool))
    with pytest.raises(NothingAllowed, match="unlock some"):
        choose(indifferent(log.cells[None], None), log, policy, generator_at(0, 0))
    assert sampled(indifferent, log, 5, policy) == []


def test_the_same_seed_gives_the_same_piece_resumed_or_not_and_another_seed_another() -> None:
    log = EditLog(silence(16))
    whole = sampled(indifferent, log, 30, seed=7)
    resumed = sampled(indifferent, sampled(indifferent, log, 11, seed=7)[-1].log, 19, seed=7)
    assert whole[-1].log == resumed[-1].log
    assert sampled(indifferent, log, 30, seed=8)[-1].log != whole[-1].log


def test_negative_and_huge_seeds_are_seeds_like_others() -> None:
    drawn = {generator_at(seed, 0).random() for seed in (-1, -2, -700, 2**63, 2**63 + 1, 0, 1)}
    assert len(drawn) == 7


def test_iterations_are_a_limit() -> None:
    assert len(sampled(indifferent, EditLog(silence(16)), 100, iterations=12)) == 12


def test_a_run_stops_when_the_model_expects_nothing_more() -> None:
    target = roll_of([RollNote(0, 60, 8), RollNote(8, 62, 8)], 16)
    changes = sampled(wanting(target), EditLog(silence(16)), 1000, stop=StopRule())
    np.testing.assert_array_equal(changes[-1].log.cells, target)
    assert len(changes) == 16


def test_a_run_stops_when_it_only_goes_to_and_fro_and_not_on_a_note_it_would_take_back() -> None:
    changes = sampled(pointing_at(HERE), EditLog(silence(16)), 1000, stop=StopRule(memory=20))
    assert len(changes) in (20, 22)
    assert not changes[-1].log.cells.any()


def test_a_model_that_goes_to_and_fro_on_bad_notes_ends_by_taking_back_only() -> None:
    # it adds three notes in turn though it would take back whatever sounds, so some note always sounds that it regrets
    cells = [Edit(0, 3, pitch) for pitch in (60, 62, 64)]

    def regretful(rolls, context):
        logits = np.full(rolls.shape, -30.0, dtype=np.float32)
        for cell in cells:
            logits[(slice(None), *cell)] = np.where(rolls[(slice(None), *cell)], 1.0, 2.0)
        return Prediction(logits, np.full(len(rolls), 50.0, dtype=np.float32))

    changes = sampled(regretful, EditLog(silence(16)), 5000, stop=StopRule(memory=20), seed=1)
    assert 20 <= len(changes) < 40
    assert not changes[-1].added
    assert not changes[-1].log.cells.any()


def test_each_change_keeps_its_probability_in_the_log() -> None:
    change = sampled(indifferent, EditLog(silence(16)), 1)[0]
    assert change.log.entries[0].probability == pytest.approx(1 / (16 * 128))


def test_a_run_without_a_stop_rule_settles_if_what_is_most_improbable_may_stay() -> None:
    target = roll_of([RollNote(0, 60, 8), RollNote(8, 62, 8)], 16)

    def knowing(cells, context):  # and never quite sure
        prediction = wanting(target)(cells, context)
        return Prediction(prediction.logits / 3, prediction.n_left + 0.3)

    for_ever = sampled(knowing, EditLog(silence(16)), 60)
    assert len(for_ever) == 60
    assert len(sampled(knowing, EditLog(silence(16)), 1000, settled=0.05)) == 16


def test_no_more_notes_are_expected_than_there_is_room_for() -> None:
    log = EditLog(roll_of([RollNote(0, 60, 8)], 16))
    chance = np.zeros((1, 16, 128))
    chance[0, :, [64, 67]] = 0.75  # two voices more, everywhere
    chance[0, 3, 60] = 0.5
    assert expected_edits(chance, log, Policy()) == pytest.approx(24.5)
    assert expected_edits(chance, log, Policy(n_voices=3)) == pytest.approx(24.5)
    assert expected_edits(chance, log, Policy(n_voices=2)) == pytest.approx(8 * 1 + 8 * 1.5 + 0.5)
    assert expected_edits(chance, log, Policy(n_voices=1)) == pytest.approx(0 + 8 * 1 + 0.5)
