"""Intervals, corrections and rankings as counted by hand or known from tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.evaluation.statistics import average_precision, bootstrap, holm, mean_interval, roc_area, student


def test_the_interval_is_wide_where_pieces_differ_and_a_point_where_they_agree() -> None:
    apart, alike = np.array([0.0, 1.0] * 10), np.full(20, 0.5)
    low, high = bootstrap(lambda drawn: float(apart[drawn].mean()), 20, stream=1)
    assert 0.2 < low < 0.5 < high < 0.8
    assert bootstrap(lambda drawn: float(alike[drawn].mean()), 20, stream=1) == (0.5, 0.5)


def test_draws_are_of_the_seed_and_the_stream_alone() -> None:
    values = np.arange(30.0)

    def interval(stream: int, seed: int = 0) -> tuple[float, float]:
        return bootstrap(lambda drawn: float(values[drawn].mean()), 30, stream=stream, n_draws=50, seed=seed)

    assert interval(1) == interval(1)
    assert len({interval(1), interval(2), interval(1, seed=1)}) == 3


def test_draws_without_a_figure_are_left_out() -> None:
    rare = np.array([np.nan] * 3 + [1.0])
    assert bootstrap(lambda drawn: float(rare[drawn].max()), 4, stream=1) == (1.0, 1.0)
    assert np.isnan(bootstrap(lambda drawn: float("nan"), 4, stream=1)).all()


def test_means_are_drawn_by_piece() -> None:
    values = np.repeat([0.0, 1.0], 500)
    mean, low, high = mean_interval(values, ["a"] * 500 + ["b"] * 500)
    assert (mean, low, high) == (0.5, 0.0, 1.0)  # two pieces, not a thousand values
    _, low, high = mean_interval(values, [str(i) for i in range(1000)])
    assert 0.46 < low < 0.48
    assert 0.52 < high < 0.54


def test_holm_stops_at_the_first_that_is_not_sure_enough() -> None:
    assert holm([0.01, 0.04, 0.03]) == [True, False, False]  # 0.03 > 0.05 / 2
    assert holm([0.01, 0.03, 0.02]) == [True, True, True]
    assert holm([0.02, 0.9]) == [True, False]
    assert holm([0.03, 0.9]) == [False, False]
    assert holm([]) == []


def test_students_t_is_as_tables_have_it() -> None:
    known = {1: 12.706, 2: 4.303, 4: 2.776, 5: 2.571, 7: 2.365, 11: 2.201, 30: 2.042, 1000: 1.962}
    assert {degrees: student(degrees) for degrees in known} == pytest.approx(known, abs=0.004)


def test_average_precision_as_counted_by_hand() -> None:
    labels = np.array([True, False, True, False])
    # found at ranks 1 and 3: (1/1 + 2/3) / 2
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), labels) == pytest.approx(5 / 6)
    # the first two tie: half a hit at precision 1/2, then half at 2/3
    assert average_precision(np.array([3.0, 3.0, 2.0, 1.0]), labels) == pytest.approx((1 / 2 + 2 / 3) / 2)
    # all tie: the share of wrong notes
    assert average_precision(np.zeros(4), labels) == pytest.approx(1 / 2)
    assert np.isnan(average_precision(np.zeros(2), np.zeros(2, dtype=bool)))


def test_roc_area_as_counted_by_hand() -> None:
    labels = np.array([True, False, True, False])
    # of four pairs, the wrong note is above in three
    assert roc_area(np.array([4.0, 3.0, 2.0, 1.0]), labels) == pytest.approx(3 / 4)
    assert roc_area(np.array([3.0, 3.0, 2.0, 1.0]), labels) == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert roc_area(np.zeros(4), labels) == pytest.approx(1 / 2)
    assert np.isnan(roc_area(np.zeros(2), np.ones(2, dtype=bool)))


few_scores = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=12).filter(
    lambda pairs: len({label for _, label in pairs}) == 2
)


@given(few_scores)
def test_roc_area_is_the_share_of_pairs_in_the_right_order(pairs) -> None:
    scores, labels = np.array([s for s, _ in pairs], dtype=float), np.array([w for _, w in pairs], dtype=bool)
    by_pair = np.mean([(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]])
    assert roc_area(scores, labels) == pytest.approx(by_pair)


@given(few_scores, st.permutations(range(12)))
def test_the_order_of_the_notes_changes_no_score(pairs, order) -> None:
    scores, labels = np.array([s for s, _ in pairs], dtype=float), np.array([w for _, w in pairs], dtype=bool)
    mixed = [i for i in order if i < len(pairs)]
    assert average_precision(scores, labels) == pytest.approx(average_precision(scores[mixed], labels[mixed]))
    assert roc_area(scores, labels) == pytest.approx(roc_area(scores[mixed], labels[mixed]))
