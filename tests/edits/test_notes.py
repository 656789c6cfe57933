"""A log reads as notes whose ends are where a person sees them, and notes are written to it all or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.notes import NoteGone, OwnedNote, note_at, notes_of_batch, owned_notes, put_notes
from ripieno.errors import BadInput
from ripieno.music.roll import RollNote, roll_of, silence

N_STEPS = 16


@pytest.fixture
def log() -> EditLog:
    """C4 for a beat, from the file; two planes, so that repeated notes stay apart."""
    return EditLog(roll_of([RollNote(0, 60, 4)], N_STEPS, 2))


def shapes(log: EditLog) -> list[tuple[int, int, int]]:
    return [(note.onset, note.pitch, note.duration) for note in owned_notes(log)]


def test_each_note_knows_whose_it_is(log: EditLog) -> None:
    log = put_notes(log, add=[RollNote(8, 62, 2)])
    log = log.record([Edit(0, 8, 64), Edit(0, 9, 64)], "model", [0.5, 0.5])
    assert owned_notes(log) == [
        OwnedNote(0, 60, 4, "file"),
        OwnedNote(8, 62, 2, "user"),
        OwnedNote(8, 64, 2, "model"),
    ]
    assert owned_notes(log, {64}) == [OwnedNote(8, 64, 2, "model")]


def test_a_note_of_the_models_does_not_lengthen_one_of_the_persons(log: EditLog) -> None:
    log = log.record([Edit(0, 4, 60), Edit(0, 5, 60)], "model", [0.5, 0.5])
    assert owned_notes(log) == [OwnedNote(0, 60, 4, "file"), OwnedNote(4, 60, 2, "model")]


def test_a_note_that_is_stretched_stays_one_note(log: EditLog) -> None:
    log = put_notes(log, remove=[RollNote(0, 60, 4)], add=[RollNote(0, 60, 6)])
    assert owned_notes(log) == [OwnedNote(0, 60, 6, "user")]
    assert len(log.entries) == 2  # the two new cells


def test_a_repeated_note_stays_two_notes(log: EditLog) -> None:
    log = put_notes(log, add=[RollNote(4, 60, 4)])
    assert shapes(log) == [(0, 60, 4), (4, 60, 4)]


def test_a_note_drawn_into_another_cuts_it(log: EditLog) -> None:
    log = put_notes(log, add=[RollNote(1, 60, 2)])
    assert shapes(log) == [(0, 60, 1), (1, 60, 2), (3, 60, 1)]


def test_a_note_drawn_before_one_of_ones_own_that_another_hand_had_led_up_to_does_not_lengthen_it() -> None:
    log = put_notes(EditLog(silence(N_STEPS, 2)), add=[RollNote(7, 60, 1)])
    log = put_notes(log, add=[RollNote(2, 60, 6)], author="model")  # over it
    log = put_notes(log, add=[RollNote(1, 60, 6)])
    assert shapes(log) == [(1, 60, 6), (7, 60, 1)]


def test_a_note_that_is_not_there_so_cannot_be_removed_and_nothing_is_done(log: EditLog) -> None:
    for wrong in (RollNote(0, 60, 3), RollNote(1, 60, 3), RollNote(0, 61, 4)):
        with pytest.raises(NoteGone) as gone:
            put_notes(log, remove=[wrong], add=[RollNote(8, 62, 2)])
        assert gone.value.note == wrong


@pytest.mark.parametrize("note", [RollNote(15, 60, 2), RollNote(-1, 60, 2), RollNote(0, 128, 1), RollNote(0, 60, 0)])
def test_a_note_outside_the_piece_is_refused(log: EditLog, note: RollNote) -> None:
    with pytest.raises(BadInput, match="does not fit"):
        put_notes(log, add=[note])


def test_the_note_at_a_cell(log: EditLog) -> None:
    assert note_at(log, 2, 60) == OwnedNote(0, 60, 4, "file")
    assert note_at(log, 4, 60) is None


def test_a_batch_reads_as_what_it_added_and_removed(log: EditLog) -> None:
    log = put_notes(log, remove=[RollNote(0, 60, 4)], add=[RollNote(4, 62, 4), RollNote(8, 62, 2)])
    places = list(range(len(log.entries)))
    assert notes_of_batch(log, places) == ([RollNote(4, 62, 4), RollNote(8, 62, 2)], [RollNote(0, 60, 4)])


def test_a_cell_that_is_changed_and_changed_back_within_a_batch_is_nothing() -> None:
    log = EditLog(silence(4)).record([Edit(0, 0, 60)], "model", [0.5])
    log = log.record([Edit(0, 0, 60)], "model", [0.5], batch=0)
    assert notes_of_batch(log, [0, 1]) == ([], [])


notes = st.builds(
    lambda onset, pitch, length: RollNote(onset, pitch, min(length, N_STEPS - onset)),
    st.integers(0, N_STEPS - 1),
    st.integers(60, 62),
    st.integers(1, 6),
)


@given(st.lists(st.tuples(notes, st.sampled_from(["user", "model"])), max_size=8))
def test_whatever_is_drawn_is_there_and_no_two_notes_share_a_cell(drawn) -> None:
    log = EditLog(silence(N_STEPS, 2))
    for note, author in drawn:
        log = put_notes(log, add=[note], author=author)
        if author == "user":
            assert (note.onset, note.pitch, note.duration) in shapes(log)
    cells = [(step, note.pitch) for note in owned_notes(log) for step in range(note.onset, note.end)]
    assert len(cells) == len(set(cells)) == log.cells[0].sum()


@given(st.lists(notes, max_size=6))
def test_removing_every_note_leaves_silence(drawn: list[RollNote]) -> None:
    log = EditLog(silence(N_STEPS, 2))
    for note in drawn:
        log = put_notes(log, add=[note])
    log = put_notes(log, remove=owned_notes(log))
    assert not log.cells[0].any()
