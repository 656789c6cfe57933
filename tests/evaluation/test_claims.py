"""Claims hold where the figures bear them, and not otherwise."""

from collections.abc import Sequence

import numpy as np
import pytest

from ripieno.evaluation.claims import no_worse, ratio_interval
from ripieno.music.part_writing import COUNTED, Count, Report

ALL = [entry.name for entry in COUNTED]
N = 60


def reports(rates: Sequence[float], name: str = "crossing", of: int = 1000) -> list[Report]:
    """Pieces that break a rule so often, and no other."""
    return [Report({n: Count(round(rate * of) if n == name else 0, of) for n in ALL}, 100, 1) for rate in rates]


def drawn(mean: float, seed: int, spread: float = 0.05) -> list[float]:
    return (mean + spread * np.random.default_rng(seed).standard_normal(N)).clip(0, 1).tolist()


def one_test(ours: Sequence[float], theirs: Sequence[float], bachs: Sequence[float], name: str = "crossing"):
    one, other = ([[report] for report in reports(rates, name)] for rates in (ours, theirs))
    tests = {t.name: t for t in no_worse(one, other, reports(bachs, name))}
    assert list(tests) == [name]  # the others do not differ in Bach
    return tests[name]


def test_an_equal_method_is_no_worse() -> None:
    same = drawn(0.3, 1)
    test = one_test(same, same, drawn(0.3, 2))
    assert test.holds
    assert test.worse == 0


def test_a_method_that_is_worse_by_half_a_standard_deviation_is_not_called_no_worse() -> None:
    theirs = drawn(0.3, 1)
    test = one_test([rate + 0.025 for rate in theirs], theirs, drawn(0.3, 2))
    assert not test.holds
    assert test.worse == pytest.approx(0.5, abs=0.15)


def test_too_few_or_too_various_pieces_show_nothing() -> None:
    assert not one_test(drawn(0.3, 1), drawn(0.3, 3), drawn(0.3, 2)).holds
    few = slice(10)
    ours, bachs = (reports(drawn(0.3, seed)[few]) for seed in (1, 2))
    assert no_worse([[one] for one in ours], [[one] for one in ours], bachs) == []


def test_what_most_pieces_do_not_have_is_not_tested() -> None:
    bachs = reports(drawn(0.3, 2))
    rare = [[report if i % 3 == 0 else Report({n: Count() for n in ALL}, 100, 1)] for i, report in enumerate(bachs)]
    assert no_worse(rare, rare, bachs) == []
    assert [test.name for test in no_worse([[one] for one in bachs], [[one] for one in bachs], bachs)] == ["crossing"]


def test_pieces_that_lie_far_off_on_either_side_are_far_off() -> None:
    """Their mean is Bach's; each of them is not."""
    bachs = drawn(0.5, 2)
    to_both_sides, nearer, own = (
        list(zip(*(reports([rate + by for rate in bachs], "onsets") for by in shifts), strict=True))
        for shifts in ((-0.1, 0.0, 0.1), (-0.04, -0.04, -0.04), (0.0,))
    )
    (test,) = no_worse(to_both_sides, nearer, [piece for (piece,) in own])
    assert test.worse > 0.4  # of 0.05: 0.067 on average, and 0.04
    assert not test.holds


def test_of_a_measure_it_counts_how_far_a_piece_lies_from_bachs() -> None:
    bachs = drawn(0.5, 2)
    above = [rate + 0.1 for rate in bachs]
    below = [rate - 0.1 for rate in bachs]
    test = one_test(above, below, bachs, "onsets")
    assert test.holds
    assert test.worse == pytest.approx(0, abs=0.01)
    assert not one_test(above, bachs, bachs, "onsets").holds


def test_parallels_are_compared_as_pooled_rates() -> None:
    ours, theirs = ([Report({"parallel fifths": Count(n, 100)}, 100, 1)] * 40 for n in (1, 5))
    ratio, low, high = ratio_interval(ours, theirs, ["parallel fifths"])
    assert ratio == pytest.approx(200.5 / 40.5)
    assert low == high == ratio  # all pieces are alike


def test_a_method_without_faults_gives_a_number() -> None:
    ours, theirs = ([Report({"parallel fifths": Count(n, 100)}, 100, 1)] * 40 for n in (0, 1))
    assert ratio_interval(ours, theirs, ["parallel fifths"])[0] == pytest.approx(81)
