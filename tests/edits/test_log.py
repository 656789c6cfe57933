"""The log is the document: the roll follows from it, anything in it can be undone, and a file holds all of it."""

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.edits.edit import Edit, apply, difference
from ripieno.edits.log import MODEL, NOBODY, USER, Author, CellEntry, EditLog, SettingEntry, UndoEntry
from ripieno.errors import BadInput
from ripieno.music.roll import Cells, RollNote, notes_of, restrikable, roll_of, silence

N_STEPS = 6
AUTHORS: st.SearchStrategy[Author] = st.sampled_from(["user", "model"])


@pytest.fixture
def log() -> EditLog:
    return EditLog(silence(32))


def ghosts(log: EditLog) -> Cells:
    """What is struck where no note goes on."""
    found = np.zeros_like(log.cells)
    found[1:] = log.cells[1:] & ~restrikable(log.cells)
    return found


def any_edit(n_planes: int) -> st.SearchStrategy[Edit]:
    """Few cells, so that entries overwrite one another."""
    cells = [Edit(plane, step, 60 + at) for plane, step, at in np.ndindex(n_planes, N_STEPS, 3)]
    return st.sampled_from(cells)


@st.composite
def origins(draw: st.DrawFn) -> Cells:
    cells = silence(N_STEPS, draw(st.sampled_from([1, 2])))
    return apply(cells, draw(st.lists(any_edit(cells.shape[0]), max_size=8)))


@st.composite
def logs(draw: st.DrawFn, max_changes: int = 12) -> EditLog:
    """Whatever people and a model may have done."""
    log = EditLog(draw(origins()))
    edit = any_edit(log.origin.shape[0])
    for i in range(draw(st.integers(0, max_changes))):
        author = draw(AUTHORS)
        batch = draw(st.none() | st.integers(0, log.n_batches))
        if batch is not None and any(isinstance(entry, UndoEntry) for entry in log.entries if entry.batch == batch):
            batch = None
        what = draw(st.sampled_from(["record", "set", "note", "setting", "undo", "undo", "redo", "one"]))
        changes = [place for place, entry in enumerate(log.entries) if not isinstance(entry, UndoEntry)]
        if what == "record":
            edits = draw(st.lists(edit, max_size=4))
            chances = draw(st.none() | st.just([0.5 / (i + 1)] * len(edits)))
            log = log.record(edits, author, chances, batch=batch, time=draw(st.none() | st.floats(0, 2e9)))
        elif what == "set":
            at = draw(edit)
            log = log.set(at.step, at.pitch, draw(st.booleans()), author, plane=at.plane, batch=batch, id=f"set {i}")
        elif what == "note":
            onset = draw(st.integers(0, N_STEPS - 2))
            log = log.with_note(draw(st.integers(60, 62)), onset, draw(st.integers(1, N_STEPS - onset)), author)
        elif what == "setting":
            value: Any = draw(st.sampled_from([90, "B flat", [1, [2, None]], {"first": 1.5}]))
            log = log.record_setting(draw(st.sampled_from(["tempo", "locked"])), value, author, batch=batch, id=i)
        elif changes:
            place = draw(st.sampled_from(changes))
            if what == "one":
                log = draw(st.sampled_from([log.undo, log.redo]))(entry=place, author=author)
            else:
                log = (log.undo if what == "undo" else log.redo)(log.entries[place].batch, author=author)
    return log


def live(log: EditLog) -> Iterator[CellEntry | SettingEntry]:
    """The entries that count, newest first: what the module's docstring says, taken at its word."""
    for place in reversed(range(len(log.entries))):
        entry = log.entries[place]
        if isinstance(entry, UndoEntry):
            continue
        verdicts = [later.kind for later in log.entries if isinstance(later, UndoEntry) and place in later.of]
        if not verdicts or verdicts[-1] == "redo":
            yield entry


def test_any_note_can_be_taken_back_whenever_it_was_added(log: EditLog) -> None:
    later = log.with_note(pitch=60, onset=8, by="user").with_note(pitch=64, onset=8, by="model")
    assert later.undo(batch=0).notes() == [RollNote(onset=8, pitch=64, duration=4)]
    assert later.undo(batch=1).notes() == [RollNote(onset=8, pitch=60, duration=4)]
    assert later.undo(batch=0).undo(batch=1).notes() == []


@given(logs())
def test_a_cell_has_the_value_of_its_newest_live_entry_else_the_origins(log: EditLog) -> None:
    cells, author_of, user_cells = log.origin.copy(), np.zeros(log.origin.shape, dtype=int), log.origin.copy()
    settings: list[SettingEntry] = []
    for entry in reversed(list(live(log))):
        if isinstance(entry, SettingEntry):
            settings.append(entry)
            continue
        cells[entry.edit] = entry.value
        author_of[entry.edit] = USER if entry.author == "user" else MODEL
        if entry.author == "user":
            user_cells[entry.edit] = entry.value
    np.testing.assert_array_equal(log.cells, cells)
    np.testing.assert_array_equal(log.author_of, author_of)
    np.testing.assert_array_equal(log.user_cells, user_cells)
    assert log.settings == tuple(settings)


@given(logs())
def test_what_is_carried_forward_is_what_a_replay_gives(log: EditLog) -> None:
    replayed = EditLog(log.origin, log.entries)
    for name in ("cells", "user_cells", "author_of", "user_note_of"):
        np.testing.assert_array_equal(getattr(log, name), getattr(replayed, name))
    for name in ("settings", "n_batches", "undone"):
        assert getattr(log, name) == getattr(replayed, name)
    assert log == replayed


@given(logs(), any_edit(1), AUTHORS)
def test_the_users_notes_are_numbered_anew_when_they_change(log: EditLog, edit: Edit, author: Author) -> None:
    assert log.user_note_of is log.user_note_of
    after = log.record([edit], author)
    np.testing.assert_array_equal(after.user_note_of, EditLog(log.origin, after.entries).user_note_of)


@given(logs(), st.lists(any_edit(1), min_size=1, max_size=6), AUTHORS)
def test_recording_edits_applies_them_and_undo_takes_them_away_again(log: EditLog, edits: list[Edit], author) -> None:
    after = log.record(edits, author)
    np.testing.assert_array_equal(after.cells[0], apply(log.cells, edits)[0])
    freed = np.argwhere(after.cells[1:] != log.cells[1:])  # with the cells that fell silent
    assert all(set(edits) & {Edit(0, step, pitch), Edit(0, step - 1, pitch)} for _, step, pitch in freed)
    assert after.entries[: len(log.entries)] == log.entries
    assert [entry.batch for entry in after.entries[len(log.entries) :]] == [log.n_batches] * (len(edits) + len(freed))
    undone = after.undo(log.n_batches)
    np.testing.assert_array_equal(undone.cells[0], log.cells[0])
    np.testing.assert_array_equal(undone.cells & ~ghosts(log), log.cells & ~ghosts(log))
    np.testing.assert_array_equal(undone.author_of[0], log.author_of[0])
    np.testing.assert_array_equal(undone.user_cells, log.user_cells)


@given(logs())
def test_undo_then_redo_is_as_if_nothing_had_happened(log: EditLog) -> None:
    for batch in {entry.batch for entry in log.entries if not isinstance(entry, UndoEntry)}:
        places = [place for place, entry in enumerate(log.entries) if entry.batch == batch]
        if log.undone.isdisjoint(places):
            again = log.undo(batch).redo(batch)
            for name in ("cells", "user_cells", "author_of"):
                np.testing.assert_array_equal(getattr(again, name), getattr(log, name))
            assert again.settings == log.settings


@given(logs())
def test_undoing_everything_leads_back_to_the_origin(log: EditLog) -> None:
    for batch in {entry.batch for entry in log.entries if not isinstance(entry, UndoEntry)}:
        log = log.undo(batch)
    np.testing.assert_array_equal(log.cells, log.origin)
    np.testing.assert_array_equal(log.user_cells, log.origin)
    assert (log.author_of == NOBODY).all()
    assert log.settings == ()


@given(origins(), st.lists(st.tuples(any_edit(1), AUTHORS), unique_by=lambda drawn: drawn[0]), st.data())
def test_undo_in_any_order_is_never_having_done_it_where_no_cell_is_shared(origin: Cells, drawn, data) -> None:
    batches = [(drawn[i : i + 2], drawn[i][1]) for i in range(0, len(drawn), 2)]
    done = EditLog(origin)
    for pairs, author in batches:
        done = done.record([edit for edit, _ in pairs], author)
    order = data.draw(st.permutations(range(len(batches))))
    unwanted = order[: data.draw(st.integers(0, len(batches)))]
    kept = EditLog(origin)
    for batch, (pairs, author) in enumerate(batches):
        if batch not in unwanted:
            kept = kept.record([edit for edit, _ in pairs], author)
    for batch in unwanted:
        assert done.overwritten(batch) == []
        done = done.undo(batch)
    np.testing.assert_array_equal(done.cells, kept.cells)
    np.testing.assert_array_equal(done.author_of, kept.author_of)
    np.testing.assert_array_equal(done.user_cells, kept.user_cells)


@given(logs())
def test_undo_changes_only_cells_of_the_batch_that_nothing_later_decides(log: EditLog) -> None:
    for batch in {entry.batch for entry in log.entries if not isinstance(entry, UndoEntry)}:
        own = {entry.edit for entry in log.entries if isinstance(entry, CellEntry) and entry.batch == batch}
        overwritten = set(log.overwritten(batch))
        assert overwritten <= own
        undone = log.undo(batch)
        changed = set(difference(log.cells, undone.cells))
        assert {edit for edit in changed if edit.plane == 0} <= own - overwritten
        assert all(  # what is struck goes with its cell
            edit in own - overwritten or not restrikable(undone.cells)[edit.step, edit.pitch] for edit in changed
        )


def test_undoing_what_was_overwritten_changes_nothing_and_can_be_told(log: EditLog) -> None:
    cell = Edit(0, 8, 60)
    later = log.with_note(pitch=60, onset=8, duration=2, by="model").set(8, 60, False)  # batch 1, the user's
    assert later.overwritten(batch=0) == [cell]
    assert later.overwritten(entry=0) == [cell]
    assert later.overwritten(entry=1) == later.overwritten(batch=1) == []
    undone = later.undo(batch=0)
    assert not undone.cells[cell]
    assert undone.author_of[cell] == USER
    assert undone.notes() == []  # the other cell did go
    assert later.undo(batch=1).overwritten(batch=0) == []  # what is undone overwrites nothing


def test_a_single_entry_can_be_undone_and_brought_back(log: EditLog) -> None:
    later = log.with_note(pitch=60, onset=8, duration=3)
    shorter = later.undo(entry=2)
    assert shorter.notes() == [RollNote(onset=8, pitch=60, duration=2)]
    assert shorter.redo(entry=2).notes() == later.notes()
    assert shorter.redo(batch=0).notes() == later.notes()


def test_undoing_twice_or_redoing_what_stands_records_nothing(log: EditLog) -> None:
    later = log.with_note(pitch=60, onset=8)
    undone = later.undo(batch=0)
    assert undone.undo(batch=0) is undone
    assert later.redo(batch=0) is later


def test_undo_of_what_is_not_there_says_what_is(log: EditLog) -> None:
    later = log.with_note(pitch=60, onset=8, duration=2)
    with pytest.raises(BadInput, match="there is no batch 7 to undo: the log has 1"):
        later.undo(batch=7)
    with pytest.raises(BadInput, match="there is no entry 2 to redo: the log has 2"):
        later.redo(entry=2)
    with pytest.raises(BadInput, match="a batch or an entry, one of the two"):
        later.undo()
    with pytest.raises(BadInput, match="a batch or an entry, one of the two"):
        later.undo(0, entry=0)
    undone = later.undo(batch=0)
    with pytest.raises(BadInput, match="that is itself an undo; redo batch 0 instead"):
        undone.undo(batch=1)
    with pytest.raises(BadInput, match="that is itself a redo; undo batch 0 instead"):
        undone.redo(batch=0).undo(batch=2)


@given(logs(), st.lists(any_edit(1), min_size=1, max_size=4))
def test_the_same_message_twice_does_no_harm(log: EditLog, edits: list[Edit]) -> None:
    once = log.record(edits, "user", id="message 1")
    assert once.record(edits, "user", id="message 1") is once
    later = once.undo(log.n_batches, id="message 2")
    assert later.undo(log.n_batches, id="message 2") is later
    assert later.redo(log.n_batches, id="message 2") is later
    for repeat in (later, EditLog.from_json(later.to_json())):
        assert repeat.record(edits, "model", id="message 1") is repeat
        assert repeat.set(5, 64, True, id="message 1") is repeat
        assert repeat.with_note(64, 0, 2, id="message 2") is repeat
        assert repeat.record_setting("tempo", 90, id="message 1") is repeat


def test_two_people_adding_the_same_note_do_no_harm(log: EditLog) -> None:
    once = log.with_note(pitch=60, onset=8, id="first")
    assert once.with_note(pitch=60, onset=8, id="second") is once
    assert once.set(8, 60, True, id="second") is once
    longer = once.with_note(pitch=60, onset=10, duration=4)
    assert longer.notes() == [RollNote(onset=8, pitch=60, duration=6)]
    assert len(longer.entries) == 6


@given(logs(), any_edit(1), st.booleans(), AUTHORS)
def test_set_leaves_the_value_it_says_whatever_was_there(log: EditLog, at: Edit, value: bool, author) -> None:
    after = log.set(at.step, at.pitch, value, author)
    assert after.cells[at] == value
    assert after.set(at.step, at.pitch, value, author) is after
    assert len(difference(log.cells, after.cells)) == (log.cells[at] != value)


def test_what_the_user_draws_over_the_models_becomes_the_users_and_not_the_other_way_round(log: EditLog) -> None:
    later = log.with_note(pitch=60, onset=8, by="model").with_note(pitch=60, onset=8, by="user")
    assert later.user_cells[0, 8:12, 60].all()
    assert (later.author_of[0, 8:12, 60] == USER).all()
    assert later.n_added == 0
    assert later.with_note(pitch=60, onset=8, by="model") is later
    # what the model took back itself, the user may silence for good
    taken_back = log.with_note(pitch=60, onset=8, duration=1, by="model").set(8, 60, False, "model")
    assert taken_back.set(8, 60, False, "user").author_of[0, 8, 60] == USER


def test_a_batch_can_go_on_and_is_undone_as_a_whole(log: EditLog) -> None:
    later = log.record([Edit(0, 8, 60)], "model", [0.25], batch=0, time=5)
    later = later.with_note(pitch=72, onset=0).record([Edit(0, 9, 60), Edit(0, 7, 60)], "model", [0.5, 0.125], batch=0)
    assert later.n_batches == 2
    assert later.entries[0] == CellEntry(
        edit=Edit(0, 8, 60), value=True, batch=0, author="model", probability=0.25, time=5.0
    )
    assert later.undo(batch=0).notes() == [RollNote(onset=0, pitch=72, duration=4)]
    with pytest.raises(BadInput, match="there is no batch 3 to go on with: the log has 2"):
        later.record([Edit(0, 8, 60)], "model", batch=3)


def test_a_cell_edited_twice_at_once_is_as_before(log: EditLog) -> None:
    later = log.record([Edit(0, 8, 60), Edit(0, 8, 60)], "user")
    assert [entry.value for entry in later.entries if isinstance(entry, CellEntry)] == [True, False]
    assert not later.cells.any()


def test_with_a_second_plane_a_drawn_note_is_one_of_its_own() -> None:
    held = roll_of([RollNote(onset=0, pitch=60, duration=8)], 8, n_planes=2)
    drawn = EditLog(held).with_note(pitch=60, onset=2, duration=3)
    assert drawn.notes() == [RollNote(onset=0, pitch=60, duration=2), RollNote(onset=2, pitch=60, duration=6)]
    repeated = roll_of([RollNote(onset=i, pitch=60, duration=1) for i in range(8)], 8, n_planes=2)
    assert RollNote(onset=2, pitch=60, duration=3) in EditLog(repeated).with_note(60, 2, 3).notes()


@pytest.mark.parametrize(
    ("step", "pitch", "plane"), [(-1, 60, 0), (32, 60, 0), (0, -1, 0), (0, 128, 0), (0, 60, 1), (0, 60, -1)]
)
def test_a_cell_outside_the_roll_is_refused(log: EditLog, step: int, pitch: int, plane: int) -> None:
    with pytest.raises(BadInput, match=f"step {step}, pitch {pitch}, plane {plane} lies outside the roll"):
        log.set(step, pitch, True, plane=plane)
    with pytest.raises(BadInput, match="it has steps 0-31, pitches 0-127, planes 0-0"):
        log.record([Edit(plane, step, pitch)], "model")


def test_a_note_past_the_end_or_of_no_length_is_refused(log: EditLog) -> None:
    with pytest.raises(BadInput, match="step 32"):
        log.with_note(pitch=60, onset=30)
    with pytest.raises(BadInput, match="a note of 0 steps cannot sound"):
        log.with_note(pitch=60, onset=8, duration=0)


def test_nothing_changes_a_log_behind_its_back(log: EditLog) -> None:
    cells = silence(4)
    log = EditLog(cells)
    later = log.with_note(pitch=60, onset=0)
    cells[0, 0, 70] = True
    assert not log.cells.any()
    assert later.undo(batch=0).notes() == []
    for array in (later.origin, later.cells, later.user_cells, later.author_of, later.undo(0).cells):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = True
    with pytest.raises(FrozenInstanceError):
        log.entries = ()  # type: ignore[misc]
    selection = [1, 2]
    later = log.record_setting("selection", selection)
    selection.append(3)
    later.settings[0].value.append(4)
    assert later.settings[0].value == [1, 2]


def test_settings_are_entries_and_can_be_undone(log: EditLog) -> None:
    later = log.record_setting("tempo", 90).record_setting("tempo", 120).record_setting("locked", [[1, 4]])
    first, second, third = later.settings
    assert [one.value for one in later.settings] == [90, 120, [[1, 4]]]
    assert later.undo(batch=1).settings == (first, third)
    assert later.undo(batch=0).settings == (second, third)
    assert later.undo(batch=0).undo(batch=1).undo(batch=2).settings == ()
    assert later.undo(batch=0).redo(batch=0).settings == later.settings
    assert not later.cells.any()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, np.int64(3)])
def test_a_setting_that_no_file_can_hold_is_refused(log: EditLog, value: object) -> None:
    with pytest.raises(BadInput, match="the setting tempo cannot be saved"):
        log.record_setting("tempo", value)


# Whose notes are they


def test_notes_are_counted_as_added_taken_back_and_removed_from_the_users() -> None:
    origin = roll_of([RollNote(0, 72, 8), RollNote(8, 74, 8), RollNote(0, 48, 4)], 16)
    log = EditLog(origin).with_note(60, 0, 4, "model").with_note(64, 0, 4, "model").with_note(67, 4, 4, "model")
    assert (log.n_added, log.n_taken_back, log.n_removed_from_user, log.n_user_notes) == (3, 0, 0, 3)
    log = log.record([Edit(0, step, 64) for step in range(4)], "model")  # takes one back whole
    log = log.record([Edit(0, 7, 67), Edit(0, 4, 67)], "model")  # shortens another at both ends
    assert (log.n_added, log.n_taken_back, log.n_removed_from_user) == (2, 1, 0)
    log = log.record([Edit(0, 9, 74), Edit(0, 12, 74), Edit(0, 0, 48)], "model")  # of two of the user's
    assert (log.n_added, log.n_taken_back, log.n_removed_from_user, log.n_user_notes) == (2, 1, 2, 3)
    log = log.record([Edit(0, 0, 48)], "model")  # puts one back
    assert (log.n_added, log.n_taken_back, log.n_removed_from_user, log.n_user_notes) == (2, 1, 1, 3)


@given(logs())
def test_every_sounding_cell_is_the_users_or_the_models(log: EditLog) -> None:
    np.testing.assert_array_equal(log.model_cells | (log.cells[0] & log.user_cells[0]), log.cells[0])
    assert not (log.model_cells & log.user_cells[0]).any()
    assert (log.author_of[0][log.model_cells] == MODEL).all()
    own = np.concatenate([log.model_cells[None], log.cells[1:]])
    assert log.n_added == len(notes_of(own))


@given(logs())
def test_a_note_is_taken_back_when_nothing_next_to_it_is_left_of_it(log: EditLog) -> None:
    gone = notes_of(((log.author_of == MODEL) & ~log.cells & ~log.user_cells)[:1])
    padded = np.pad(log.model_cells, ((1, 1), (0, 0)))
    whole = [note for note in gone if not padded[[note.onset, note.end + 1], note.pitch].any()]
    assert log.n_taken_back == len(whole)


@given(logs())
def test_each_of_the_users_cells_knows_its_note(log: EditLog) -> None:
    notes = notes_of(log.user_cells)
    assert log.n_user_notes == len(notes)
    numbers = [np.unique(log.user_note_of[note.onset : note.end, note.pitch]).tolist() for note in notes]
    assert sorted(numbers) == [[i] for i in range(len(notes))]
    assert ((log.user_note_of >= 0) == log.user_cells[0]).all()
    removed = {
        number[0]
        for number, note in zip(numbers, notes, strict=True)
        if not log.cells[0, note.onset : note.end, note.pitch].all()
    }
    assert set(log.touched_user_notes.tolist()) == removed
    assert log.n_removed_from_user == len(removed)


# To a file and back


@given(logs())
def test_a_log_survives_a_file(log: EditLog) -> None:
    again = EditLog.from_json(json.loads(json.dumps(log.to_json(), allow_nan=False)))
    assert again == log
    assert again.n_batches == log.n_batches
    np.testing.assert_array_equal(again.cells, log.cells)
    assert again.to_json() == log.to_json()


def test_logs_of_different_origins_or_entries_differ(log: EditLog) -> None:
    assert log == EditLog(silence(32))
    assert log != EditLog(silence(31))
    assert log != EditLog(roll_of([RollNote(0, 60, 1)], 32))
    assert log != log.with_note(60, 0)
    assert log != "log"


def test_a_file_holds_the_origin_compactly() -> None:
    melody = roll_of([RollNote(4 * i, 60 + i % 12, 4) for i in range(32)], 128)
    assert len(json.dumps(EditLog(melody).to_json())) < 1000


SOUND_ENTRY = ["edit", 0, "user", 0, 3, 60, True, None, None, None]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "unknown keys: colour"),
        ({"version": 2}, "version 2 and this program reads 1; update"),
        ({"version": None}, "version None"),
        ({"struck": [[32, 60]]}, "struck again"),
        ({"struck": [[0]]}, "struck again"),
        ({"struck": 5}, "struck again"),
        ({"shape": [1, 32]}, "shape"),
        ({"shape": [3, 32, 128]}, "shape"),
        ({"shape": [1, 0, 128]}, "shape"),
        ({"shape": [1, 32, 64]}, "shape"),
        ({"shape": [1, 33, 128]}, "does not fill 33 steps"),
        ({"shape": [1, 31, 128]}, "does not fill 31 steps"),
        ({"shape": [1, 10**30, 128]}, "origin"),
        ({"shape": "big"}, "shape"),
        ({"origin": "###"}, "origin is damaged"),
        ({"origin": "aGVsbG8="}, "origin is damaged"),
        ({"origin": None}, "origin is damaged"),
        ({"entries": None}, "entries are not a list"),
        ({"entries": ["edit"]}, "entry 0 is edit"),
        ({"entries": [SOUND_ENTRY[:-1]]}, "entry 0"),
        ({"entries": [SOUND_ENTRY, ["edit", 0, "user", 0, 2**16, 60, True, None, None, None]]}, "entry 1"),
        ({"entries": [["edit", 0, "user", 0, 3, 256, True, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", 0, "user", 1, 3, 60, True, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", 1, "user", 0, 3, 60, True, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", -1, "user", 0, 3, 60, True, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", 0, "nobody", 0, 3, 60, True, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", 0, "user", 0, 3, 60, 1, None, None, None]]}, "entry 0"),
        ({"entries": [["edit", 0, "user", 0, 3, 60, True, float("nan"), None, None]]}, "entry 0"),
        ({"entries": [["edit", 0, "user", 0, 3, 60, True, None, "noon", None]]}, "entry 0"),
        ({"entries": [["edit", 0, "user", 0, 3, 60, True, None, None, ["id"]]]}, "entry 0"),
        ({"entries": [["wipe", 0, "user", 0, 3, 60, True, None, None, None]]}, "entry 0"),
        ({"entries": [["undo", 0, "user", [0], None, None]]}, "entry 0"),
        ({"entries": [SOUND_ENTRY, ["undo", 1, "user", [], None, None]]}, "entry 1"),
        ({"entries": [SOUND_ENTRY, ["undo", 1, "user", [1], None, None]]}, "entry 1"),
        ({"entries": [SOUND_ENTRY, ["undo", 1, "user", ["0"], None, None]]}, "entry 1"),
        (
            {"entries": [SOUND_ENTRY, ["undo", 1, "user", [0], None, None], ["undo", 2, "user", [1], None, None]]},
            "entry 2",
        ),
        ({"entries": [["setting", 0, "user", 5, 90, None, None]]}, "entry 0"),
        ({"entries": [["setting", 0, "user", "tempo", float("nan"), None, None]]}, "setting tempo cannot be saved"),
    ],
)
def test_a_damaged_file_is_one_clear_line(log: EditLog, change: dict[str, Any], complaint: str) -> None:
    EditLog.from_json(log.to_json() | {"entries": [SOUND_ENTRY]})  # sound without the change
    with pytest.raises(BadInput, match=complaint) as raised:
        EditLog.from_json(log.to_json() | change)
    assert "\n" not in str(raised.value)


def test_a_file_that_lacks_something_or_is_something_else_is_one_clear_line(log: EditLog) -> None:
    data = log.to_json()
    for key in data:
        with pytest.raises(BadInput, match=f"it lacks {key}"):
            EditLog.from_json({kept: value for kept, value in data.items() if kept != key})
    others: list[object] = [None, [], "log", 3]
    for other in others:
        with pytest.raises(BadInput, match="not an object with entries"):
            EditLog.from_json(other)


def test_repeated_notes_that_the_roll_joins_are_counted_as_the_user_does() -> None:
    origin = roll_of([RollNote(0, 72, 8)], 16)
    joined, repeated = EditLog(origin), EditLog(origin, struck=frozenset({(4, 72)}))
    assert (joined.n_user_notes, repeated.n_user_notes) == (1, 2)
    assert repeated.user_note_of[:8, 72].tolist() == [0] * 4 + [1] * 4
    touched = repeated.record([Edit(0, 5, 72)], "model")
    assert touched.touched_user_notes.tolist() == [1]
    assert touched.undo(0) == EditLog(origin, touched.undo(0).entries, frozenset({(4, 72)}))
    assert EditLog.from_json(json.loads(json.dumps(touched.to_json()))) == touched
    assert touched != EditLog(origin, touched.entries)


def test_several_batches_are_undone_and_brought_back_as_one_entry(log: EditLog) -> None:
    for pitch in (60, 62, 64):
        log = log.with_note(pitch, 0, 2)
    without = log.undo_all([0, 2])
    assert len(without.entries) == len(log.entries) + 1
    assert without.notes() == [RollNote(0, 62, 2)]
    again = without.redo_all([0, 1, 2])
    assert again.notes() == log.notes()
    assert again.redo_all([0]) is again


def test_cells_put_together_are_one_batch(log: EditLog) -> None:
    log = log.put([Edit(0, 0, 60), Edit(0, 1, 60), Edit(0, 2, 60)], [True, True, False])
    assert [entry.batch for entry in log.entries] == [0, 0]  # the third was silent already
    assert log.notes() == [RollNote(0, 60, 2)]


def test_a_log_knows_the_requests_that_it_holds(log: EditLog) -> None:
    log = log.with_note(60, 0, id="e-1").undo(0, id="u-1")
    assert log.holds("e-1")
    assert log.holds("u-1")
    assert not log.holds("e-2")


@given(logs())
def test_a_lengthened_log_is_the_same_with_silence_after_it(log: EditLog) -> None:
    longer = log.resized(N_STEPS + 5)
    assert np.array_equal(longer.cells[:, :N_STEPS], log.cells)
    assert not longer.cells[:, N_STEPS:].any()
    assert longer.entries_to_json() == log.entries_to_json()
    assert longer.resized(N_STEPS) == log


@given(logs(), st.integers(1, N_STEPS))
def test_a_log_that_is_cut_forgets_nothing(log: EditLog, n_steps: int) -> None:
    cut = log.resized(n_steps)
    np.testing.assert_array_equal(cut.cells, log.cells[:, :n_steps])
    np.testing.assert_array_equal(cut.user_cells, log.user_cells[:, :n_steps])
    assert cut.n_edits == log.n_edits
    np.testing.assert_array_equal(cut.resized(N_STEPS).cells[:, :n_steps], log.cells[:, :n_steps])


@given(logs())
def test_a_model_of_one_plane_hears_the_same_cells_and_counts_the_same_notes(log: EditLog) -> None:
    heard = log.on_planes(1)
    np.testing.assert_array_equal(heard.cells, log.cells[:1])
    np.testing.assert_array_equal(heard.user_cells, log.user_cells[:1])
    assert heard.n_user_notes == log.n_user_notes
    assert (heard.n_edits, heard.n_batches, heard.settings) == (log.n_edits, log.n_batches, log.settings)


@given(logs(), st.integers(0, 20))
def test_the_newest_entries_are_what_a_store_appends(log: EditLog, first: int) -> None:
    assert log.entries_to_json(first) == log.to_json()["entries"][first:]


def test_what_is_struck_again_goes_with_its_cell_or_the_one_before_and_comes_back_with_it() -> None:
    log = EditLog(silence(8, n_planes=2)).record([Edit(0, step, 60) for step in range(8)], "model")
    log = log.record([Edit(1, 3, 60), Edit(1, 4, 60)], "model")
    shorter = log.record([Edit(0, 3, 60)], "model")
    assert not shorter.cells[1].any()
    assert {entry.batch for entry in shorter.entries[-3:]} == {2}
    np.testing.assert_array_equal(shorter.undo(2).cells, log.cells)
    again = shorter.record([Edit(0, 3, 60)], "model")
    assert not again.cells[1].any(), "it was a ghost"


def test_undo_of_a_cell_takes_along_what_was_struck_on_it_since_and_redo_brings_both_back() -> None:
    log = EditLog(silence(8, n_planes=2)).record([Edit(0, step, 60) for step in range(4)], "model")
    log = log.record([Edit(0, 4, 60)], "model").record([Edit(1, 4, 60)], "model")
    undone = log.undo(1)
    assert not undone.cells[1].any()
    assert not undone.record([Edit(0, 4, 60)], "model").cells[1].any()
    np.testing.assert_array_equal(undone.redo_entries(undone.undone_last).cells, log.cells)


def test_redo_of_a_silenced_cell_takes_along_what_was_struck_on_it_since() -> None:
    log = EditLog(silence(8, n_planes=2)).record([Edit(0, step, 60) for step in range(8)], "model")
    log = log.record([Edit(0, 4, 60)], "model").undo(1).record([Edit(1, 4, 60)], "model")
    again = log.redo(1)
    assert not again.cells[0, 4, 60]
    assert not again.cells[1].any()
    np.testing.assert_array_equal(again.revert(len(log.entries)).cells, log.cells)


def test_what_the_user_struck_again_stays_when_the_model_takes_a_cell_and_where_nothing_may_change() -> None:
    own = EditLog(roll_of([RollNote(0, 60, 4), RollNote(4, 60, 4)], 8, n_planes=2))
    np.testing.assert_array_equal(own.record([Edit(0, 3, 60)], "model").cells[1], own.cells[1])
    log = EditLog(silence(8, n_planes=2)).record([Edit(0, step, 60) for step in range(8)], "model")
    log = log.record([Edit(1, 4, 60)], "model")
    before = np.arange(8)[:, None] < 4
    assert log.record([Edit(0, 3, 60)], "model", where=before).cells[1, 4, 60]
    assert not log.record([Edit(0, 3, 60)], "model").cells[1, 4, 60]
