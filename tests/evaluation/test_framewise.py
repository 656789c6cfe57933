"""The framewise likelihood, against what can be worked out by hand."""

from math import log

import numpy as np
import pytest
import torch
from numpy.random import Generator, Philox

from ripieno.evaluation.framewise import framewise_nats, windows
from ripieno.models.coconet import Coconet, CoconetConfig, planes_of


def rng() -> Generator:
    return Generator(Philox(key=[0, 0]))


def a_score(n_steps: int = 16) -> np.ndarray:
    return np.random.default_rng(1).integers(40, 80, size=(n_steps, 4))


def test_an_untrained_coconet_knows_nothing_of_48_pitches() -> None:
    torch.manual_seed(0)
    config = CoconetConfig()
    network = Coconet(config).eval()

    def fill(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
        column = torch.from_numpy(pitches - config.lowest_pitch)
        with torch.no_grad():
            logits = network(*planes_of(column, torch.from_numpy(known), config.n_pitches))
        whole = np.full((*pitches.shape, 128), -np.inf)
        whole[..., 36:84] = torch.log_softmax(logits, -1).permute(0, 2, 1, 3).numpy()
        return whole

    nats = framewise_nats(fill, a_score(), np.arange(0, 16, 3), 5, rng())
    assert nats.mean() == pytest.approx(4 * log(48), abs=0.5)  # 15.48


def test_a_model_that_knows_the_score_pays_nothing() -> None:
    score = a_score()

    def fill(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
        log_p = np.full((*pitches.shape, 128), -np.inf)
        steps, voices = np.indices(score.shape)
        log_p[:, steps, voices, score] = 0.0
        return log_p

    np.testing.assert_allclose(framewise_nats(fill, score, np.arange(16), 2, rng()), 0)


def test_within_a_step_a_voice_hears_the_models_guess_not_the_truth() -> None:
    score = np.array([[72, 64]])

    def fill(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Guesses 60 for either voice; a voice that hears 60 has a quarter for the truth, one that hears it a half."""
        log_p = np.full((*pitches.shape, 128), -np.inf)
        for b in range(len(pitches)):
            for voice, true in enumerate(score[0]):
                other = pitches[b, 0, 1 - voice] if known[b, 0, 1 - voice] else None
                p = {None: 0.1, 60: 0.25}.get(other, 0.5)
                log_p[b, 0, voice, true] = log(p)
                log_p[b, 0, voice, 60] = log(1 - p)
        return log_p

    (nats,) = framewise_nats(fill, score, np.array([0]), 6, rng())
    assert nats == pytest.approx(-log(0.1) - log(0.25))


def test_orders_are_averaged_as_probabilities() -> None:
    score = np.array([[60], [62]])

    def fill(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Half for the truth, and all where the other step is known."""
        log_p = np.full((*pitches.shape, 128), -np.inf)
        for b in range(len(pitches)):
            log_p[b, 0, 0, 60] = 0.0 if known[b, 1, 0] else log(0.5)
        return log_p

    (nats,) = framewise_nats(fill, score, np.array([0]), 2000, rng())
    assert nats == pytest.approx(-log(0.75), abs=0.03)


def test_rests_cost_nothing_and_are_known_to_be_rests() -> None:
    score = a_score()
    score[4, 1] = -1
    seen = []

    def fill(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
        seen.append(pitches[:, 4, 1])
        return np.full((*pitches.shape, 128), -log(48))

    (nats,) = framewise_nats(fill, score, np.array([4]), 3, rng())
    assert nats == pytest.approx(3 * log(48))
    assert (np.concatenate(seen) == -1).all()


@pytest.mark.parametrize(("length", "expected"), [(64, [0]), (100, [0, 36]), (128, [0, 64]), (20, [0])])
def test_windows_cover_a_score_end_to_end(length: int, expected: list[int]) -> None:
    score = np.arange(length * 4).reshape(length, 4)
    cut = windows(score)
    assert [int(window[0, 0]) // 4 for window in cut] == expected
    assert all(len(window) == min(64, length) for window in cut)
