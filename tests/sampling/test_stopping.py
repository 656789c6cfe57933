"""A piece is finished when nothing is left to do, or nothing comes of doing it."""

from ripieno.edits.edit import Edit
from ripieno.edits.log import Author, EditLog
from ripieno.music.roll import silence
from ripieno.sampling.stopping import Returns, StopRule

RULE = StopRule(left_per_bar=2, memory=8)
TWO_BARS = EditLog(silence(32))


def toggled(n_times: int, author: Author = "model", places: int = 1) -> EditLog:
    log = TWO_BARS
    for i in range(n_times):
        log = log.record([Edit(0, i % places, 60)], author)
    return log


def test_hardly_any_edits_left_is_the_end_in_proportion_to_the_length() -> None:
    assert RULE.finished(TWO_BARS, n_left=3.9, removal_mass=0)
    assert not RULE.finished(TWO_BARS, n_left=4.1, removal_mass=0)


def test_the_end_is_no_state_that_the_model_would_take_something_back_from() -> None:
    assert not RULE.finished(TWO_BARS, n_left=1, removal_mass=0.5)
    assert not RULE.finished(toggled(8), n_left=float("nan"), removal_mass=0.5)


def test_what_it_would_take_back_is_nothing_where_hardly_any_edit_is_expected() -> None:
    assert RULE.finished(TWO_BARS, n_left=0.1, removal_mass=0.9)


def test_going_to_and_fro_is_the_end_also_for_a_model_that_cannot_count() -> None:
    assert not RULE.finished(toggled(7), n_left=float("nan"), removal_mass=0)
    assert RULE.finished(toggled(8), n_left=float("nan"), removal_mass=0)


def test_edits_that_last_are_no_to_and_fro() -> None:
    assert not RULE.finished(toggled(30, places=30), n_left=99, removal_mass=0)


def test_what_the_user_does_to_and_fro_does_not_count() -> None:
    assert not RULE.finished(toggled(20, author="user"), n_left=99, removal_mass=0)


def test_going_to_and_fro_is_no_end_while_the_model_would_take_something_back() -> None:
    assert not RULE.finished(toggled(24), n_left=99, removal_mass=0.9)


def test_a_roll_that_comes_back_a_third_time_with_probably_nothing_left_is_the_end() -> None:
    returns, one, other = Returns(), toggled(0), toggled(1)
    seen = [returns.again(log, n_left) for log, n_left in [(one, 0.2), (other, 0.9)] * 3]
    assert seen == [False, False, False, False, True, False]
    assert not any(Returns().again(one, n_left) for n_left in (3.0, float("nan")))
