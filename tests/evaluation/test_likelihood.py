"""The notewise figure is the chance of putting back just the missing cells, in any order."""

import itertools
import math
from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, Philox

from ripieno.evaluation.likelihood import (
    Window,
    notewise,
    notewise_all,
    notewise_levels,
    notewise_levels_all,
    windows_of,
)
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import RollNote, roll_of


def leaning(cells, context):
    """A model whose scores depend on the whole roll."""
    weights = np.arange(cells[0].size).reshape(cells[0].shape) % 7
    drift = (cells * weights).sum(axis=(1, 2, 3), keepdims=True) % 5
    logits = np.cos(weights + drift).astype(np.float32)
    return Prediction(logits, np.full(len(cells), np.nan))


def a_window() -> Window:
    return Window("toy", roll_of([RollNote(0, 60, 2), RollNote(1, 64, 1)], 2), context_of(2))


def test_all_orders_of_all_missing_cells_are_the_exact_chance() -> None:
    of = a_window()
    missing = [tuple(cell) for cell in np.argwhere(of.cells)]
    chance = 0.0
    for order in itertools.permutations(missing):
        roll, p = np.zeros_like(of.cells), 1.0
        for cell in order:
            logits = leaning(roll[None], None).logits[0].astype(float)
            p *= np.exp(logits[cell]) / np.exp(logits).sum()
            roll[cell] = True
        chance += p
    # 600 random orders of three cells: each of the six is met about as often
    estimate = notewise(leaning, of, 3, 600, 1, Generator(Philox(key=[0, 0])))
    assert estimate[0] == np.float64(estimate[0])
    assert abs(estimate[0] - math.log(chance) / 3) < 0.02


def test_a_model_that_points_at_the_missing_cell_scores_zero() -> None:
    of = a_window()

    def knowing(cells, context):
        return Prediction(np.where(cells != of.cells, 0.0, -1e9).astype(np.float32), np.zeros(len(cells)))

    # with one missing cell there is one order, and it is certain
    np.testing.assert_allclose(notewise(knowing, of, 1, 2, 3, Generator(Philox(key=[0, 0]))), 0, atol=1e-9)


def test_how_many_rolls_go_into_a_pass_changes_nothing() -> None:
    of = a_window()
    one, many = (notewise(leaning, of, 3, 4, 2, Generator(Philox(key=[1, 0])), batch=n) for n in (1, 40))
    np.testing.assert_allclose(one, many)


# A toy in plain Python: six cells, 2 steps of 3 pitches. A state is the set of those that sound.

GRID = [(0, step, pitch) for step in (0, 1) for pitch in (60, 61, 62)]
FOUR = frozenset([(0, 0, 60), (0, 0, 62), (0, 1, 60), (0, 1, 61)])
TWO = frozenset([(0, 0, 61), (0, 1, 62)])


@cache
def score(state, cell) -> float:
    """Depends on the cell, on whether it sounds, and on every pair of cells that sound."""
    place = GRID.index(cell) + 1
    pairs = sum(math.sin(3 * GRID.index(a) + 5 * GRID.index(b) + place) for a in state for b in state)
    return math.cos(place * place + len(state)) + 0.3 * pairs - (1.2 if cell in state else 0.0)


@cache
def chance(state, cell) -> float:
    return math.exp(score(state, cell)) / sum(math.exp(score(state, other)) for other in GRID)


def toy(cells, context):
    """The same as a model; it knows no cells outside the grid."""
    logits = np.full(cells.shape, -np.inf)
    for own, roll in zip(logits, cells, strict=True):
        state = frozenset(cell for cell in GRID if roll[cell])
        for cell in GRID:
            own[cell] = score(state, cell)
    return Prediction(logits, np.full(len(cells), np.nan))


def toy_window(target) -> Window:
    return Window("toy", roll_of([RollNote(step, pitch, 1) for _, step, pitch in target], 2), context_of(2))


def enumerated(target, missing, pool=None, given=False) -> tuple[float, float]:
    """Level 0, and levels 0 and 1: every sequence of K and of K+2 edits in the grid, if it visits the right cells."""
    source, k = target - missing, len(missing)
    free = [cell for cell in GRID if not (given and cell in source)]
    others = sorted((c for c in free if c not in missing), key=lambda c: score(source, c), reverse=True)[:pool]
    wanted = {k: [Counter(missing)], k + 2: [Counter([*missing, q, q]) for q in others]}
    sums = {}
    for length, visits in wanted.items():
        sums[length] = 0.0
        for sequence in itertools.product(free, repeat=length):
            if Counter(sequence) in visits:
                state, p = source, 1.0
                for cell in sequence:
                    p *= chance(state, cell) / sum(chance(state, other) for other in free)
                    state ^= {cell}
                assert state == target
                sums[length] += p
    return math.log(sums[k]) / k, math.log(sums[k] + sums[k + 2]) / k


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("pool", [1, 2, None])
@pytest.mark.parametrize("k", [2, 3])
def test_with_all_orders_both_levels_are_what_enumeration_gives(k, pool, given) -> None:
    # whichever cells were picked, the row must be theirs
    exact = np.array([enumerated(FOUR, frozenset(m), pool, given) for m in itertools.combinations(FOUR, k)])
    rng = Generator(Philox(key=[3, k]))
    rows = notewise_levels(
        toy, toy_window(FOUR), k, None, 12, rng, levels=1, pool=pool or len(GRID) - k, batch=7, given=given
    )
    assert rows.shape == (12, 2)
    error = np.abs(rows[:, None] - exact).max(axis=2)
    assert error.min(axis=1).max() < 1e-9
    assert len(set(error.argmin(axis=1))) > 1


def test_a_pool_of_all_cells_of_the_roll_gains_nothing_from_those_that_the_model_never_takes() -> None:
    rows = notewise_levels(toy, toy_window(TWO), 2, None, 1, Generator(Philox(key=[0, 0])), levels=1, pool=10_000)
    np.testing.assert_allclose(rows[0], enumerated(TWO, TWO), rtol=0, atol=1e-9)


def test_many_random_orders_come_near_the_exact_sum_at_either_level() -> None:
    # two cells sound, so there is one pick
    rows = notewise_levels(toy, toy_window(TWO), 2, 1500, 1, Generator(Philox(key=[0, 0])), levels=1, pool=3)
    (near_0, near_both), (exact_0, exact_both) = np.exp(2 * rows[0]), np.exp(2 * np.array(enumerated(TWO, TWO, 3)))
    assert near_0 == pytest.approx(exact_0, rel=0.02)
    assert near_both - near_0 == pytest.approx(exact_both - exact_0, rel=0.02)


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5))
def test_level_1_is_never_below_level_0_and_leaves_it_as_it_was(seed, k, n_orders, pool) -> None:
    of, key = toy_window(FOUR), [seed, 0]
    rows = notewise_levels(toy, of, k, n_orders, 2, Generator(Philox(key=key)), levels=1, pool=pool)
    assert (rows[:, 1] >= rows[:, 0]).all()
    np.testing.assert_allclose(rows[:, 0], notewise(toy, of, k, n_orders, 2, Generator(Philox(key=key))), atol=1e-12)


def test_who_doubts_what_is_given_pays_for_it_unless_it_is_said_to_be_given() -> None:
    free, kept = (
        notewise_levels(toy, toy_window(FOUR), 2, None, 6, Generator(Philox(key=[5, 0])), given=given)
        for given in (False, True)
    )
    assert (kept > free).all()


def test_a_seed_gives_the_same_figures_again_and_another_seed_does_not() -> None:
    windows = [toy_window(FOUR), toy_window(FOUR)]

    def figures(seed):
        return np.stack([v for _, v in notewise_levels_all(toy, windows, 3, 2, 4, seed, levels=1, pool=2)])

    np.testing.assert_array_equal(figures(0), figures(0))
    assert (figures(0) != figures(1)).any()
    level_0 = np.stack([v for _, v in notewise_all(toy, windows, 3, 2, 4, 0)])
    np.testing.assert_allclose(figures(0)[..., 0], level_0, atol=1e-12)


def test_what_cannot_be_computed_is_refused_by_name() -> None:
    of, rng = a_window(), Generator(Philox(key=[0, 0]))
    with pytest.raises(ValueError, match="levels must be 0 or 1, not 2"):
        notewise_levels(leaning, of, 2, 2, 1, rng, levels=2)
    with pytest.raises(ValueError, match="pool must be 1 or more, not 0"):
        notewise_levels(leaning, of, 2, 2, 1, rng, levels=1, pool=0)
    with pytest.raises(ValueError, match="n_orders must be 1 or more, or None for all orders, not 0"):
        notewise(leaning, of, 2, 0, 1, rng)
    many = Window("toy", roll_of([RollNote(0, 60, 9)], 9), context_of(9))
    with pytest.raises(ValueError, match="362880 sequences are too many to enumerate, at most 50000"):
        notewise(leaning, many, 9, None, 1, rng)
    # 5! + 20 * 7!/2: level 1 alone may be too much
    with pytest.raises(ValueError, match="50520 sequences"):
        notewise_levels(leaning, many, 5, None, 1, rng, levels=1, pool=20)


def test_windows_lie_end_to_end_and_know_their_place_in_the_piece() -> None:
    windows = windows_of("piece", roll_of([RollNote(0, 60, 300)], 300))
    assert len(windows) == 2
    np.testing.assert_array_equal(windows[1].context, context_of(300)[:, 128:256])
