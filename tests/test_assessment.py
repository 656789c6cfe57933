"""A finished setting is judged: what is doubtful, by bar, and which of several is best."""

from dataclasses import replace

import numpy as np
import pytest

from ripieno import Session, piece_from_notes
from ripieno.assessment import MOST_BARS, Assessment, assess, ranked
from ripieno.export import changed_of_yours
from ripieno.models.runtime import Prediction
from ripieno.music.roll import RollNote, roll_of
from tests.sampling.fakes import model_of, wanting

TUNE = [RollNote(at, pitch, 8) for at, pitch in zip(range(0, 64, 8), (72, 74, 76, 77, 76, 74, 74, 72), strict=True)]


def under(*lines: tuple[int, ...]) -> list[RollNote]:
    return [RollNote(8 * i, pitch, 8) for line in lines for i, pitch in enumerate(line)]


def a_setting(notes: list[RollNote], model=None) -> Session:
    """As a person's tune with these notes beneath, all of them the model's."""
    target = roll_of([*TUNE, *notes], 64)
    session = Session(
        piece_from_notes(TUNE, meter=(4, 4)), model=model_of(wanting(target)), melody="top", key="C", mend="nothing"
    )
    list(session.run())
    np.testing.assert_array_equal(session.log.cells, target)
    if model is not None:
        session.model = model_of(model)
    return session


GOOD = under((67, 67, 67, 69, 67, 69, 65, 64), (64, 62, 60, 60, 60, 57, 59, 60), (48, 47, 48, 53, 48, 53, 55, 48))
BAD = under((67, 69, 71, 72, 71, 69, 69, 67), (64, 66, 60, 60, 60, 62, 59, 60), (48, 50, 52, 53, 52, 50, 50, 48))


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    found = assess(a_setting(GOOD))
    assert found.doubtful == ()
    assert found.n_faults == 0


def test_rules_that_are_broken_still_are_told_by_bar_in_a_few_lines() -> None:
    found = assess(a_setting(BAD))
    assert found.n_faults > 2
    assert found.price > 0
    assert 0 < len(found.doubtful) <= MOST_BARS + 1
    assert "parallel octaves of soprano and bass, beat 3" in found.doubtful[0]


def test_a_note_that_the_model_would_take_back_is_told_and_no_other() -> None:
    def doubting(cells, context):
        logits = np.full(cells.shape, -20.0, dtype=np.float32)
        logits[:, 0, 8:16, 62] = 5.0
        return Prediction(logits, np.full(len(cells), 7.0, dtype=np.float32))

    found = assess(a_setting(GOOD, doubting))
    assert found.doubtful == ("bar 1: D4 on beat 3, which the model doubts",)
    assert found.n_doubted == pytest.approx(7 / 8, abs=0.01)


def test_settings_are_ranked_by_faults_then_by_doubts_then_by_leaps_each_with_a_reason() -> None:
    plain = Assessment((), 0, 0.0, 1.0, 0.2)
    settings = [
        replace(plain, n_faults=2, price=2.0),
        plain,
        replace(plain, n_doubted=3.0),
        replace(plain, leaps=0.4),
    ]
    assert ranked(settings) == [
        (1, "no fault, the voices go most smoothly"),
        (3, "no fault, the model is surer of its notes than of the next's"),
        (2, "no fault of part-writing, fewer or lighter than the next"),
        (0, "2 faults of part-writing, more or graver than before"),
    ]
    assert ranked([plain, plain])[1] == (1, "no fault, as good as the one before")
    assert ranked([plain]) == [(0, "")]


def test_which_of_the_persons_notes_were_changed_is_told_with_what_they_became() -> None:
    target = roll_of([*TUNE[1:], RollNote(0, 71, 8), *GOOD], 64)
    target[0, 12:16, 74] = False
    session = Session(
        piece_from_notes(TUNE, meter=(4, 4)), model=model_of(wanting(target)), max_removals=2, mend="nothing", key="C"
    )
    list(session.run())
    assert changed_of_yours(session.document) == [
        "bar 1, beat 1: C5 became B4",
        "bar 1, beat 3: D5 was shortened from 2 to 1 quarters",
    ]
    assert changed_of_yours(a_setting(GOOD).document) == []
