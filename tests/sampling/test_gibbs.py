"""Annealed blocked Gibbs: what is held stays, what is free follows the model."""

import numpy as np
import pytest
from numpy.random import Generator, Philox

from ripieno.sampling.gibbs import blank_share, sample_gibbs


def rng_of(seed: int) -> Generator:
    return Generator(Philox(key=[seed, 0]))


def uniform(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A model that finds 60, 61 and 62 equally likely, whatever is around them."""
    log_p = np.full((*pitches.shape, 128), -np.inf)
    log_p[..., 60:63] = -np.log(3)
    return log_p


def in_agreement(pitches: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A model of two voices that wants both on one pitch, 60 or 61, wherever it knows one of them."""
    log_p = uniform(pitches, known)
    log_p[..., 62] = -np.inf
    for voice in (0, 1):
        b, s = np.nonzero(known[:, :, 1 - voice])
        log_p[b, s, voice] = -np.inf
        log_p[b, s, voice, pitches[b, s, 1 - voice]] = 0.0
    return log_p


def run(fill, pitches: np.ndarray, held: np.ndarray, n_passes: int = 20, seed: int = 0) -> np.ndarray:
    return list(sample_gibbs(fill, pitches, held, n_passes, rng_of(seed)))[-1]


def test_what_is_held_stays_also_a_rest() -> None:
    pitches = np.full((8, 4), -1)
    pitches[:, 0] = [70, 71, -1, 72, 70, 70, -1, 69]
    held = np.zeros_like(pitches, dtype=bool)
    held[:, 0] = True
    for score in sample_gibbs(uniform, pitches, held, 10, rng_of(1)):
        np.testing.assert_array_equal(score[:, 0], pitches[:, 0])
        assert np.isin(score[:, 1:], (60, 61, 62)).all()


def test_what_is_free_and_not_held_is_not_looked_at() -> None:
    held = np.zeros((6, 2), dtype=bool)
    one, other = (run(in_agreement, np.full((6, 2), pitch), held) for pitch in (60, 61))
    np.testing.assert_array_equal(one, other)


def test_small_blocks_bring_voices_into_agreement() -> None:
    held = np.zeros((40, 2), dtype=bool)
    score = run(in_agreement, np.full((40, 2), -1), held, n_passes=80)
    assert np.mean(score[:, 0] == score[:, 1]) > 0.95  # at the first pass it is half
    assert len(np.unique(score)) == 2


def test_draws_follow_the_models_probabilities() -> None:
    held = np.zeros((600, 4), dtype=bool)
    counts = np.bincount(run(uniform, np.full((600, 4), -1), held, n_passes=2).ravel(), minlength=63)[60:63]
    expected = 2400 / 3
    assert ((counts - expected) ** 2 / expected).sum() < 13.8  # chi-square, 2 degrees of freedom, 0.1 %


def test_the_same_seed_gives_the_same_score_and_another_another() -> None:
    held = np.zeros((30, 4), dtype=bool)
    start = np.full((30, 4), -1)
    np.testing.assert_array_equal(run(uniform, start, held, seed=5), run(uniform, start, held, seed=5))
    assert (run(uniform, start, held, seed=5) != run(uniform, start, held, seed=6)).any()


def test_blocks_shrink_from_nine_tenths_to_one_over_three_quarters_of_the_run() -> None:
    assert blank_share(0.0) == 0.9
    assert blank_share(0.375) == pytest.approx(0.5)
    assert blank_share(0.75) == pytest.approx(0.1)
    assert blank_share(1.0) == 0.1


def test_nothing_to_do_is_refused() -> None:
    pitches = np.full((4, 4), 60)
    with pytest.raises(ValueError, match="leave some free"):
        next(sample_gibbs(uniform, pitches, np.ones((4, 4), dtype=bool), 5, rng_of(0)))
    with pytest.raises(ValueError, match="n_passes is 0"):
        next(sample_gibbs(uniform, pitches, np.zeros((4, 4), dtype=bool), 0, rng_of(0)))
