"""The notewise figure is the chance of putting back just the missing cells, in any order."""

import itertools
import math

import numpy as np
from numpy.random import Generator, Philox

from ripieno.evaluation.likelihood import Window, interval_by_piece, notewise, windows_of
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


def test_windows_lie_end_to_end_and_know_their_place_in_the_piece() -> None:
    windows = windows_of("piece", roll_of([RollNote(0, 60, 300)], 300))
    assert len(windows) == 2
    np.testing.assert_array_equal(windows[1].context, context_of(300)[:, 128:256])


def test_the_interval_is_wide_when_pieces_differ_and_narrow_when_they_agree() -> None:
    apart = [(f"{i}", np.full(4, float(i % 2))) for i in range(20)]
    alike = [(f"{i}", np.array([0.0, 1.0, 0.0, 1.0])) for i in range(20)]
    low, high = interval_by_piece(apart)
    assert low < 0.5 < high
    assert high - low > 0.2
    assert interval_by_piece(alike) == (0.5, 0.5)
