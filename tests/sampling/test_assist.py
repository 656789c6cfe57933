"""What a person asks the model: whole notes, doubts, other ways; each by its own probabilities."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import RollNote, roll_of, silence
from ripieno.sampling.assist import beliefs, doubts, fill, suggest_notes
from ripieno.sampling.passes import Ask
from tests.sampling.fakes import wanting

N_STEPS = 32
CONTEXT = context_of(N_STEPS)
CHORD = [RollNote(at, pitch, 8) for pitch in (48, 55, 64) for at in range(0, N_STEPS, 8)]


def driven(asking: Generator[Ask, Any, Any], predict: Callable[..., Prediction]) -> tuple[Any, int]:
    """What a generator returns when a model answers it, and how many rolls it asked about."""
    n_rolls = 0
    try:
        ask = next(asking)
        while True:
            n_rolls += len(ask.cells)
            ask = asking.send(predict(ask.cells, ask.context))
    except StopIteration as end:
        return end.value, n_rolls


def knowing(*notes: RollNote) -> Callable[..., Prediction]:
    return wanting(roll_of(notes, N_STEPS)[None])


def test_a_cells_probability_is_its_share_of_the_edits_still_expected() -> None:
    cells = silence(4)
    logits = np.full((1, 1, 4, 128), -np.inf, dtype=np.float32)
    logits[0, 0, 0, 60:64] = np.log([0.5, 0.25, 0.125, 0.125])
    wrong = beliefs(Prediction(logits, np.array([2.0], dtype=np.float32)), cells)
    assert wrong[0, 60:64] == pytest.approx([1.0, 0.5, 0.25, 0.25])
    assert wrong[1:].sum() == 0


def test_a_model_that_cannot_tell_how_many_are_left_is_sure_of_what_it_likes_best() -> None:
    logits = np.zeros((1, 1, 4, 128), dtype=np.float32)
    logits[0, 0, 1, 60] = 3.0
    wrong = beliefs(Prediction(logits, np.array([np.nan], dtype=np.float32)), silence(4))
    assert wrong[1, 60] == pytest.approx(1.0)
    assert wrong[0, 0] == pytest.approx(np.exp(-3.0))


def test_a_suggestion_is_a_whole_note() -> None:
    (found, n_left), _ = driven(
        suggest_notes(EditLog(silence(N_STEPS)), CONTEXT, Policy(), 2), knowing(RollNote(3, 60, 5), RollNote(10, 62, 2))
    )
    assert [one.note for one in found] == [RollNote(3, 60, 5), RollNote(10, 62, 2)]
    assert all(one.adds and one.probability > 0.9 for one in found)
    assert n_left == 7


def test_a_suggestion_may_be_to_take_a_note_back() -> None:
    log = EditLog(silence(N_STEPS)).record([Edit(0, at, 61) for at in range(4, 8)], "model", [0.1] * 4)
    (found, _), _ = driven(suggest_notes(log, CONTEXT, Policy(), 3), knowing())
    (only,) = found
    assert (only.note, only.adds) == (RollNote(4, 61, 4), False)


def test_what_the_policy_forbids_is_not_suggested() -> None:
    refused = frozenset((0, at, 60) for at in range(3, 8))
    policy = Policy(refused=refused)
    (found, _), _ = driven(
        suggest_notes(EditLog(silence(N_STEPS)), CONTEXT, policy, 3), knowing(RollNote(3, 60, 5), RollNote(10, 62, 2))
    )
    assert [one.note for one in found] == [RollNote(10, 62, 2)]
    with pytest.raises(NothingAllowed):
        driven(suggest_notes(EditLog(silence(N_STEPS)), CONTEXT, Policy(selection=np.zeros(N_STEPS, bool))), knowing())


def test_nothing_is_suggested_for_a_finished_piece() -> None:
    log = EditLog(roll_of(CHORD, N_STEPS))
    (found, n_left), n_rolls = driven(suggest_notes(log, CONTEXT, Policy(), 3), knowing(*CHORD))
    assert (found, n_left, n_rolls) == ([], 0.0, 1)


def test_the_first_suggestion_grows_once_it_is_there() -> None:
    """A model that sees the next cell of a note only when the one before it sounds."""

    def slow(cells, context):
        logits = np.full(cells.shape, -30.0, dtype=np.float32)
        for roll, scores in zip(cells, logits, strict=True):
            scores[0, np.count_nonzero(roll[0, :, 60]), 60] = 1.0
        return Prediction(logits, np.ones(len(cells), dtype=np.float32))

    (found, _), n_rolls = driven(suggest_notes(EditLog(silence(N_STEPS)), CONTEXT, Policy(), 1), slow)
    assert found[0].note == RollNote(0, 60, 3)
    assert len(found[0].edits) == len(found[0].probabilities) == 3
    assert n_rolls == 3


def test_a_wrong_note_is_doubted_and_a_right_one_is_not() -> None:
    log = EditLog(roll_of([RollNote(0, 60, 4), RollNote(4, 61, 4)], N_STEPS))
    told, _ = driven(doubts(log, CONTEXT), knowing(RollNote(0, 60, 4)))
    assert {one.note.pitch: round(one.belongs) for one in told.notes} == {60: 1, 61: 0}
    assert {(step, pitch) for step, pitch, _ in told.cells} == {(step, 61) for step in range(4, 8)}
    assert told.n_left == 4


def fillings(n_new: int | None, seeds: list[int], pitches: tuple[int, int] = (40, 70)) -> tuple[list[Any], EditLog]:
    log = EditLog(roll_of([RollNote(0, 72, N_STEPS)], N_STEPS))
    log = log.record([Edit(0, at, 50) for at in range(8, 16)], "model", [0.1] * 8)
    cleared = [Edit(0, at, 50) for at in range(8, 16)]
    reach = np.zeros((N_STEPS, 128), dtype=bool)
    reach[8:24, pitches[0] : pitches[1]] = True
    found, _ = driven(fill(log, CONTEXT, Policy(), cleared, reach, n_new, seeds), knowing(*CHORD, RollNote(0, 72, 32)))
    return found, log


def test_a_filling_clears_its_place_and_writes_one_note_at_a_time() -> None:
    found, log = fillings(1, [1, 2, 3])
    assert len(found) == 3
    for way in found:
        after = log.record(way.edits, "model", way.probabilities).cells[0]
        assert not after[:, 50].any()
        assert (np.count_nonzero(after[8:24, 40:70], axis=1) == 1).all()
        outside = np.r_[0:8, 24:N_STEPS]
        assert np.array_equal(after[outside], log.cells[0, outside])
    assert len({way.edits for way in found}) == 3


def test_a_filling_without_a_number_of_notes_is_as_full_as_the_model_wants() -> None:
    (way,), log = fillings(None, [5])
    after = log.record(way.edits, "model", way.probabilities).cells[0]
    assert (np.count_nonzero(after[8:24, 40:70], axis=1) == 3).all()


def test_the_same_seed_fills_alike_and_ways_that_came_out_alike_are_one() -> None:
    assert fillings(1, [7])[0] == fillings(1, [7])[0]
    assert len(fillings(1, [7, 7])[0]) == 1
    assert len(fillings(1, [1, 2, 3, 4], pitches=(60, 70))[0]) == 1  # only E4 is within reach
