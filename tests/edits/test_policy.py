"""Each rule keeps what it promises, alone and with the others, whatever the model would like."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ripieno.edits.edit import Edit
from ripieno.edits.log import MODEL, USER, Author, EditLog
from ripieno.edits.policy import (
    AdditionsBudget,
    Basses,
    Chords,
    Constraint,
    Floor,
    Locked,
    OnlyAdds,
    OnlyCompletes,
    Places,
    Policy,
    Range,
    Refused,
    RemovalsBudget,
    Selection,
    Side,
    VoiceCount,
)
from ripieno.errors import BadInput
from ripieno.music.roll import Cells, RollNote, notes_of, roll_of, silence

N_STEPS = 6
LOW, HIGH = 59, 63  # where the tests below draw: few cells, so that notes touch
MELODY = roll_of([RollNote(onset=0, pitch=72, duration=4), RollNote(onset=8, pitch=74, duration=4)], 12)


@pytest.fixture
def log() -> EditLog:
    """The user's two notes, with a rest between them."""
    return EditLog(MELODY)


def any_edit(n_planes: int) -> st.SearchStrategy[Edit]:
    cells = [Edit(plane, step, pitch) for plane, step, pitch in np.ndindex(n_planes, N_STEPS, HIGH + 1) if pitch >= LOW]
    return st.sampled_from(cells)


@st.composite
def logs(draw: st.DrawFn) -> EditLog:
    """Whatever the user, an unruly model, and undo may have left."""
    n_planes = draw(st.sampled_from([1, 2]))
    edits = st.lists(any_edit(n_planes), max_size=12)
    log = EditLog(silence(N_STEPS, n_planes)).record(draw(edits), "user")
    log = EditLog(log.cells)
    authors: list[Author] = draw(st.lists(st.sampled_from(["user", "model"]), max_size=4))
    for author in authors:
        log = log.record(draw(edits), author)
    if log.n_batches and draw(st.booleans()):
        log = log.undo(draw(st.integers(0, log.n_batches - 1)))
    return log


steps_masks = st.lists(st.booleans(), min_size=N_STEPS, max_size=N_STEPS).map(np.array)
cell_masks = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).random((N_STEPS, 128)) < 0.5)
lines = st.lists(st.sampled_from([-1, 59, 61, 62, 64]), min_size=N_STEPS, max_size=N_STEPS).map(np.array)
RULES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "locked": (steps_masks | cell_masks).map(lambda mask: {"locked": mask}),
    "selection": (steps_masks | cell_masks).map(lambda mask: {"selection": mask}),
    "pitches": st.tuples(st.integers(59, 61), st.integers(61, 63)).map(lambda pitches: {"pitches": pitches}),
    "max_additions": st.integers(0, 4).map(lambda n: {"max_additions": n}),
    "n_voices": st.integers(1, 4).map(lambda n: {"n_voices": n}),
    "melody": st.builds(
        lambda melody, line: {"melody": melody, "line": line}, st.sampled_from(["top", "bass", "inner"]), lines
    ),
    "refused": st.frozensets(
        st.tuples(st.just(0), st.integers(0, N_STEPS - 1), st.integers(LOW, HIGH)), max_size=8
    ).map(lambda cells: {"refused": cells}),
}
some_rules = st.lists(st.sampled_from(sorted(RULES)), unique=True).flatmap(
    lambda names: st.tuples(*(RULES[name] for name in names)).map(
        lambda rules: {k: v for r in rules for k, v in r.items()}
    )
)
budgets = st.integers(0, 4) | st.sampled_from([0.0, 0.25, 0.5, 1.0])


def additions(policy: Policy, log: EditLog) -> Cells:
    return np.asarray(policy.allowed(log) & ~log.cells)


def removals(policy: Policy, log: EditLog) -> Cells:
    return np.asarray(policy.allowed(log) & log.cells)


def own_notes(log: EditLog) -> list[RollNote]:
    """The model's notes, by the definition."""
    return notes_of(np.concatenate([(log.cells[0] & ~log.user_cells[0])[None], log.cells[1:]]))


# By default


@given(logs())
def test_by_default_nothing_of_the_users_is_removed_and_everything_of_the_models_may_be(log: EditLog) -> None:
    np.testing.assert_array_equal(removals(Policy(), log)[0], log.cells[0] & ~log.user_cells[0])


@given(logs())
def test_by_default_everything_may_be_added_but_what_the_user_silenced(log: EditLog) -> None:
    silenced = ~log.cells[0] & (log.author_of[0] == USER)
    np.testing.assert_array_equal(additions(Policy(), log)[0], ~log.cells[0] & ~silenced)


def test_what_the_user_silenced_stays_silent_until_they_undo_it(log: EditLog) -> None:
    added = log.with_note(60, 0, by="model")
    silenced = added.set(0, 60, False)
    assert not Policy().allowed(silenced)[0, 0, 60]
    assert Policy().allowed(silenced)[0, 1:4, 60].all()
    assert Policy().allowed(silenced.undo(1))[0, 0, 60]
    own = log.set(0, 72, False)  # a cell of their own note
    assert not Policy(max_removals=5).allowed(own)[0, 0, 72]


@given(logs(), some_rules, budgets)
def test_what_the_model_removed_from_the_user_it_may_always_put_back(log: EditLog, rules, budget) -> None:
    free = {name: value for name, value in rules.items() if name not in ("locked", "selection", "refused")}
    removed = log.user_cells[0] & ~log.cells[0]
    assert Policy(max_removals=budget, **free).allowed(log)[0][removed].all()


def test_what_it_put_back_is_the_users_again(log: EditLog) -> None:
    there_and_back = log.record([Edit(0, 8, 74)], "model").record([Edit(0, 8, 74)], "model")
    assert there_and_back.author_of[0, 8, 74] == MODEL
    assert not Policy().allowed(there_and_back)[0, 8, 74]


# Where


@given(logs(), steps_masks | cell_masks)
def test_nothing_changes_where_it_is_locked_or_not_selected(log: EditLog, mask: np.ndarray) -> None:
    by_step = mask[:, None] if mask.ndim == 1 else mask
    every = Policy().allowed(log)
    np.testing.assert_array_equal(Policy(locked=mask).allowed(log), every & ~by_step)
    np.testing.assert_array_equal(Policy(selection=mask).allowed(log), every & by_step)


def test_a_mask_may_tell_the_planes_apart() -> None:
    log = EditLog(silence(4, n_planes=2)).with_note(60, 0, 4, by="model")
    locked = np.zeros((2, 4, 128), dtype=bool)
    locked[0] = True
    allowed = Policy(locked=locked).allowed(log)
    assert not allowed[0].any()
    assert allowed[1].any()


@given(logs(), st.integers(0, 127), st.integers(0, 127))
def test_additions_keep_within_the_pitches_and_removals_need_not(log: EditLog, low: int, high: int) -> None:
    low, high = sorted((low, high))
    policy = Policy(pitches=(low, high))
    outside = (np.arange(128) < low) | (np.arange(128) > high)
    put_back = log.user_cells & ~log.cells
    assert not (additions(policy, log) & ~put_back)[:, :, outside].any()
    np.testing.assert_array_equal(additions(policy, log)[:, :, ~outside], additions(Policy(), log)[:, :, ~outside])
    np.testing.assert_array_equal(removals(policy, log), removals(Policy(), log))


def test_where_the_melody_rests_one_voice_fewer_may_sound(log: EditLog) -> None:
    n_steps = log.cells.shape[1]
    line = np.full(n_steps, 72)
    line[2:6] = -1
    full = log
    for pitch in (40, 44):
        full = full.put([Edit(0, step, pitch) for step in range(n_steps)], [True] * n_steps, "model")
    counts = np.count_nonzero(full.cells[0], axis=1)
    for n_voices in range(1, 6):
        policy = Policy(n_voices=n_voices, line=line)
        most = np.where(line < 0, max(n_voices - 1, 1), n_voices)
        may = (additions(policy, full) & ~full.user_cells)[0].any(axis=1)
        np.testing.assert_array_equal(may, counts < most)
        part = policy.excerpt(full, slice(2, 6)).allowed(full.excerpt(slice(2, 6)))
        np.testing.assert_array_equal(part[0], policy.allowed(full)[0, 2:6])
    assert Policy(n_voices=4, line=np.full(n_steps, -1)).most == [4]  # no melody that could rest


def test_who_doubles_another_voice_sings_nothing_of_its_own(log: EditLog) -> None:
    n_steps = log.cells.shape[1]
    line = np.full(n_steps, 72)
    line[:2] = -1
    n_doubling = np.zeros(n_steps, dtype=int)
    n_doubling[1:4] = 1
    for policy in (Policy(n_voices=4, n_doubling=n_doubling), Policy(n_voices=4, n_doubling=n_doubling, line=line)):
        most = 4 - n_doubling - (line < 0) * (policy.line is not None)
        np.testing.assert_array_equal(policy.most, most)
        np.testing.assert_array_equal(policy.excerpt(log, slice(1, n_steps)).most, most[1:])
        full = (np.count_nonzero(log.cells[0], axis=1) >= most) & (n_doubling > 0)
        new = policy.allowed(log)[0] & ~log.cells[0] & ~log.user_cells[0]
        assert not new[full].any()
    np.testing.assert_array_equal(Policy(n_voices=1, n_doubling=n_doubling + 3).most, np.ones(n_steps))
    with pytest.raises(BadInput, match="n_doubling"):
        Policy(n_voices=4, n_doubling=n_doubling[:3]).allowed(log)


def test_nothing_is_added_beneath_a_floor(log: EditLog) -> None:
    n_steps = log.cells.shape[1]
    floor = np.full(n_steps, 48)
    floor[2:6] = -1
    policy = Policy(floor=floor)
    beneath = np.arange(128) <= floor[:, None]
    put_back = (log.user_cells & ~log.cells)[0]
    added = additions(policy, log)[0] & ~put_back
    np.testing.assert_array_equal(added, additions(Policy(), log)[0] & ~put_back & ~beneath)
    part = policy.excerpt(log, slice(1, 4)).allowed(log.excerpt(slice(1, 4)))
    np.testing.assert_array_equal(part[0], policy.allowed(log)[0, 1:4])
    with pytest.raises(BadInput, match="floor"):
        Policy(floor=floor[:3]).allowed(log)


def test_around_an_inner_line_so_many_lie_above_and_the_others_below(log: EditLog) -> None:
    n_steps = log.cells.shape[1]
    policy = Policy(n_voices=4, melody="inner", line=np.full(n_steps, 64), n_above=1)
    pitch = np.arange(128)
    for pitches, above, below in (((), True, True), ((70,), False, True), ((50,), True, True), ((50, 48), True, False)):
        here = EditLog(np.zeros_like(log.cells))
        for one in (64, *pitches):
            here = here.put([Edit(0, 3, one)], [True], "model")
        allowed = additions(policy, here)[0, 3]
        assert allowed[pitch > 64].any() == above
        assert allowed[pitch < 64].any() == below
    with pytest.raises(BadInput, match="n_above"):
        Policy(n_voices=4, n_above=4)


def test_a_refused_cell_does_not_change_whether_it_sounds_or_not(log: EditLog) -> None:
    later = log.with_note(60, 0, by="model")
    allowed = Policy(refused=frozenset({(0, 0, 60), Edit(0, 4, 60)})).allowed(later)
    assert [tuple(cell) for cell in np.argwhere(allowed != Policy().allowed(later))] == [(0, 0, 60), (0, 4, 60)]


# The melody


@pytest.mark.parametrize(("melody", "right_side"), [("top", range(72)), ("bass", range(73, 128))])
def test_additions_keep_to_their_side_of_the_melody_and_never_on_it(log: EditLog, melody, right_side) -> None:
    line = np.where(np.arange(12) < 4, 72, 74)
    added = additions(Policy(melody=melody, line=line), log)[0]
    assert np.flatnonzero(added[0]).tolist() == list(right_side)
    assert not added[np.arange(12), line].any()


def test_in_a_rest_the_last_pitch_counts_and_before_the_first_note_that_one(log: EditLog) -> None:
    line = np.array([-1, -1, 72, -1, -1, 60, -1, -1, 74, 74, -1, -1])
    added = additions(Policy(melody="top", line=line), EditLog(silence(12)))[0]
    highest = 127 - added[:, ::-1].argmax(axis=1)
    assert highest.tolist() == [71, 71, 71, 71, 71, 59, 59, 59, 73, 73, 73, 73]


def test_an_inner_melody_or_one_that_only_rests_binds_nothing(log: EditLog) -> None:
    every = Policy().allowed(log)
    line = np.where(np.arange(12) < 4, 72, 74)
    np.testing.assert_array_equal(Policy(melody="inner", line=line).allowed(log), every)
    np.testing.assert_array_equal(Policy(melody="inner").allowed(log), every)
    np.testing.assert_array_equal(Policy(line=line).allowed(log), every)
    np.testing.assert_array_equal(Policy(melody="top", line=np.full(12, -1)).allowed(log), every)


def test_what_lies_on_the_wrong_side_of_the_melody_may_still_be_taken_back(log: EditLog) -> None:
    above = log.with_note(80, 0, by="model")
    assert removals(Policy(melody="top", line=np.full(12, 72)), above)[0, 0:4, 80].all()


# How many


def test_nothing_is_added_to_a_step_that_is_full(log: EditLog) -> None:
    later = log.with_note(60, 2, by="model")  # steps 2 and 3 now hold two
    policy = Policy(n_voices=2)
    added = additions(policy, later)[0].any(axis=1)
    assert added.tolist() == [True, True, False, False] + [True] * 8
    assert removals(policy, later)[0, 2:6, 60].all()


def test_removals_are_counted_in_notes_and_the_rest_of_a_touched_note_may_go(log: EditLog) -> None:
    policy = Policy(max_removals=1)
    np.testing.assert_array_equal(removals(policy, log), MELODY)
    touched = log.record([Edit(0, 1, 72)], "model")
    assert np.argwhere(removals(policy, touched)[0]).tolist() == [[0, 72], [2, 72], [3, 72]]
    put_back = touched.record([Edit(0, 1, 72)], "model")  # and the budget is whole again
    np.testing.assert_array_equal(removals(policy, put_back), MELODY)


@pytest.mark.parametrize(
    ("share", "n_notes", "n_may_go"),
    [(0.0, 10, 0), (1.0, 10, 10), (0.5, 3, 1), (0.29, 100, 29), (0.09, 10, 0), (0.7, 10, 7)],
)
def test_a_share_of_the_users_notes_may_go_and_never_more(share: float, n_notes: int, n_may_go: int) -> None:
    log = EditLog(roll_of([RollNote(2 * i, 60, 1) for i in range(n_notes)], 2 * n_notes))
    policy = Policy(max_removals=share)
    n_gone = 0
    while removals(policy, log).any():
        log = log.record([Edit(*np.argwhere(removals(policy, log))[0])], "model")
        n_gone += 1
    assert n_gone == log.n_removed_from_user == n_may_go


def test_one_is_a_note_and_one_point_nought_is_all_of_them(log: EditLog) -> None:
    touched = log.record([Edit(0, 1, 72)], "model")
    assert not removals(Policy(max_removals=1), touched)[0, 8:, 74].any()
    assert removals(Policy(max_removals=1.0), touched)[0, 8:, 74].all()


def test_when_no_note_more_may_be_added_those_there_may_still_grow_or_go(log: EditLog) -> None:
    later = log.with_note(60, 2, 3, by="model").with_note(60, 8, 2, by="model")
    np.testing.assert_array_equal(Policy(max_additions=3).allowed(later), Policy().allowed(later))
    policy = Policy(max_additions=2)
    assert np.argwhere(additions(policy, later)[0]).tolist() == [[1, 60], [5, 60], [7, 60], [10, 60]]
    # The middle cell of the first note must wait: without it there would be three notes.
    assert np.argwhere(removals(policy, later)[0]).tolist() == [[2, 60], [4, 60], [8, 60], [9, 60]]


@given(logs(), some_rules, budgets)
def test_who_may_not_take_back_may_only_add(log: EditLog, rules: dict[str, Any], budget: int | float) -> None:
    policy = Policy(max_removals=budget, **rules)
    only_adds = replace(policy, takes_back=False)
    np.testing.assert_array_equal(only_adds.allowed(log), policy.allowed(log) & ~log.cells)


def test_no_additions_at_all_leaves_removals(log: EditLog) -> None:
    np.testing.assert_array_equal(Policy(max_additions=0, max_removals=1.0).allowed(log), MELODY)


@given(logs(), some_rules, budgets, st.lists(st.integers(0, 2**32), max_size=12))
def test_whatever_the_model_draws_within_the_policy_keeps_every_promise(
    log: EditLog, rules: dict[str, Any], budget: int | float, draws: list[int]
) -> None:
    policy = Policy(max_removals=budget, **rules)
    limit = max(policy.max_additions or 0, len(own_notes(log)))
    n_user = len(notes_of(log.user_cells))
    may_go = max(budget if isinstance(budget, int) else int(budget * n_user), log.n_removed_from_user)
    begun = log
    for draw in draws:
        allowed = np.argwhere(policy.allowed(log)[:, :, LOW - 1 : HIGH + 2])
        if not len(allowed):
            break
        plane, step, pitch = (int(at) for at in allowed[draw % len(allowed)])
        edit = Edit(plane, step, pitch + LOW - 1)
        adds, put_back = not log.cells[edit], bool(log.user_cells[edit])
        n_sounding = int(np.count_nonzero(log.cells[0, step]))
        log = log.record([edit], "model")
        assert log.n_added == len(own_notes(log))
        assert policy.max_additions is None or log.n_added <= limit
        assert log.n_removed_from_user <= may_go
        assert log.n_user_notes == n_user
        assert edit not in policy.refused
        if adds and not put_back:
            assert begun.author_of[edit] != USER
            low, high = policy.pitches or (0, 127)
            assert low <= edit.pitch <= high
            if plane == 0 and policy.n_voices is not None:
                assert n_sounding < policy.n_voices
    # whoever began with a user's note ends with it, untouched or within the budget
    kept = [note for note in notes_of(log.user_cells) if log.cells[0, note.onset : note.end, note.pitch].all()]
    assert len(kept) >= n_user - may_go


# Together


@given(logs(), some_rules, budgets, st.data())
def test_rules_compose_by_and(log: EditLog, rules: dict[str, Any], budget: int | float, data: st.DataObject) -> None:
    names = sorted(set(rules) - {"line"})
    first = set(data.draw(st.lists(st.sampled_from(names), unique=True)) if names else [])
    line = {"line": rules["line"]} if "line" in rules else {}
    one = Policy(max_removals=budget, **line, **{name: rules[name] for name in first})
    other = Policy(max_removals=budget, **line, **{name: rules[name] for name in names if name not in first})
    both = Policy(max_removals=budget, **rules)
    np.testing.assert_array_equal(both.allowed(log), one.allowed(log) & other.allowed(log))


@given(logs(), budgets)
def test_a_larger_budget_forbids_nothing_that_a_smaller_allows(log: EditLog, budget: int | float) -> None:
    smaller, larger = Policy(max_removals=budget).allowed(log), Policy(max_removals=1.0).allowed(log)
    assert not (smaller & ~larger).any()
    for n in range(3):
        smaller, larger = Policy(max_additions=n).allowed(log), Policy(max_additions=n + 1).allowed(log)
        assert not (smaller & ~larger).any()


@given(logs(), some_rules)
def test_asking_changes_nothing_and_the_answer_is_ones_own(log: EditLog, rules: dict[str, Any]) -> None:
    policy = Policy(**rules)
    before = log.cells.copy()
    answer = policy.allowed(log)
    again = answer.copy()
    answer[:] = True
    np.testing.assert_array_equal(policy.allowed(log), again)
    np.testing.assert_array_equal(log.cells, before)


# The re-struck plane


@given(logs(), some_rules, budgets)
def test_a_note_is_struck_again_only_where_it_is_held(log: EditLog, rules: dict[str, Any], budget) -> None:
    if log.cells.shape[0] > 1:
        sounding = log.cells[0]
        allowed = Policy(max_removals=budget, **rules).allowed(log)[1]
        assert not allowed[0].any()
        assert not (allowed[1:] & ~(sounding[1:] & sounding[:-1])).any()
        users = log.user_cells[0]
        assert not (allowed[1:] & users[1:] & users[:-1]).any()


def test_the_users_notes_are_neither_joined_nor_split() -> None:
    repeated = roll_of([RollNote(1, 60, 2), RollNote(3, 60, 2), RollNote(1, 72, 4)], 8, n_planes=2)
    log = EditLog(repeated).with_note(64, 0, 4, by="model")
    log = log.record([Edit(0, 0, 72), Edit(0, 5, 72)], "model")
    allowed = Policy(max_removals=1.0).allowed(log)[1]
    # The model may strike its own again, and what it hung on to the end of the user's; before it, their attack stays.
    assert np.argwhere(allowed).tolist() == [[1, 64], [2, 64], [3, 64], [5, 72]]


def test_what_the_user_has_joined_stays_joined() -> None:
    log = EditLog(silence(8, n_planes=2)).with_note(64, 0, 4, by="model").record([Edit(1, 2, 64)], "model")
    assert Policy().allowed(log)[1, 2, 64]
    assert not Policy().allowed(log.set(2, 64, False, plane=1))[1, 2, 64]


def test_a_struck_note_counts_as_added() -> None:
    log = EditLog(silence(8, n_planes=2)).with_note(64, 0, 4, by="model")
    assert Policy(max_additions=2).allowed(log)[1].any()
    assert not Policy(max_additions=1).allowed(log)[1].any()
    twice = log.record([Edit(1, 2, 64)], "model")
    assert twice.n_added == 2
    assert np.argwhere(Policy(max_additions=2).allowed(twice)[1]).tolist() == [[2, 64]]  # but it may be held


def test_a_note_that_would_not_be_held_is_a_new_one_and_needs_a_budget() -> None:
    log = EditLog(silence(8, n_planes=2)).with_note(64, 2, 2, by="model")
    spent = Policy(max_additions=1)
    # it is struck at 2, and would be again at 4 if that were to sound
    struck = log.record([Edit(1, 4, 64)], "user")
    assert struck.notes() == [RollNote(onset=2, pitch=64, duration=2)]
    assert not additions(spent, struck)[0, [1, 4], 64].any()
    held = log.record([Edit(1, 2, 64)], "user")
    assert np.argwhere(additions(spent, held)[0]).tolist() == [[1, 64], [4, 64]]


# Bad values


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"pitches": (72, 60)}, r"not from 72 to 60; try \(60, 72\)"),
        ({"pitches": (-1, 60)}, "pitches -1 to 60 leave the MIDI range"),
        ({"pitches": (60, 128)}, "keep them within 0 and 127"),
        ({"max_removals": -1}, "max_removals must be 0 notes or more, not -1"),
        ({"max_removals": 1.5}, "a share from 0.0 to 1.0, not 1.5; write a number of notes without a point"),
        ({"max_removals": -0.5}, "a share from 0.0 to 1.0, not -0.5"),
        ({"max_removals": float("nan")}, "a share from 0.0 to 1.0, not nan"),
        ({"max_additions": -3}, "max_additions must be 0 notes or more, not -3; leave it out"),
        ({"n_voices": 0}, "n_voices must be 1 or more, not 0; use max_additions=0"),
        ({"melody": "top"}, "melody='top' needs its line"),
        ({"melody": "bass"}, "melody='bass' needs its line"),
        ({"line": np.array([60, -2])}, "runs from -2 to 60"),
        ({"line": np.array([60, 128])}, "runs from 60 to 128"),
        ({"temperature": 0.0}, "temperature must be above 0, not 0.0"),
        ({"temperature": -1.0}, "temperature must be above 0, not -1.0"),
        ({"temperature": float("inf")}, "temperature must be above 0, not inf"),
        ({"temperature": float("nan")}, "temperature must be above 0, not nan"),
    ],
)
def test_a_bad_value_is_refused_with_what_to_do(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        Policy(**options)
    with pytest.raises(BadInput, match=complaint):
        replace(Policy(), **options)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"locked": np.zeros(11, dtype=bool)},
            r"locked has shape \(11,\); give it \(12,\), \(12, 128\) or \(1, 12, 128\)",
        ),
        ({"selection": np.zeros((128, 12), dtype=bool)}, r"selection has shape \(128, 12\)"),
        ({"line": np.full(16, 60)}, "line has 16 steps; give it one pitch for each of 12"),
        ({"refused": frozenset({(0, 12, 60)})}, "a refused cell lies outside"),
        ({"refused": frozenset({(1, 0, 60)})}, "a refused cell lies outside"),
        ({"refused": frozenset({(0, -1, 60)})}, "a refused cell lies outside"),
    ],
)
def test_what_does_not_fit_the_roll_is_refused(log: EditLog, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        Policy(**options).allowed(log)


def test_nothing_changes_a_policy_behind_its_back(log: EditLog) -> None:
    locked = np.zeros(12, dtype=bool)
    policy = Policy(locked=locked)
    locked[:] = True
    np.testing.assert_array_equal(policy.allowed(log), Policy().allowed(log))
    assert policy.locked is not None
    with pytest.raises(ValueError, match="read-only"):
        policy.locked[0] = True


# Chords

C_MAJOR = np.isin(np.arange(12), [0, 4, 7])
ANY = np.ones(12, dtype=bool)


def chords_of(*rows: np.ndarray) -> np.ndarray:
    """One chord for each step, those of the melody above."""
    return np.array([rows[min(i, len(rows) - 1)] for i in range(12)])


def test_additions_belong_to_the_chord_in_force(log: EditLog):
    policy = Policy(chords=chords_of(C_MAJOR, ANY))
    allowed = policy.allowed(log)[0]
    assert set(np.flatnonzero(allowed[0]) % 12) == {0, 4, 7}
    assert allowed[1].sum() == 127  # all but the user's note


def test_the_last_free_voices_are_for_what_the_chord_lacks(log: EditLog):
    policy = Policy(chords=chords_of(C_MAJOR), n_voices=4)
    one = log.record([Edit(0, 0, 48)], "model")  # C under C: two voices are free, and two notes missing
    added = policy.allowed(one)[0, 0] & ~one.cells[0, 0]
    assert set(np.flatnonzero(added) % 12) == {4, 7}
    two = one.record([Edit(0, 0, 52)], "model")
    added = policy.allowed(two)[0, 0] & ~two.cells[0, 0]
    assert set(np.flatnonzero(added) % 12) == {7}
    full = two.record([Edit(0, 0, 55)], "model")
    assert not (policy.allowed(full)[0, 0] & ~full.cells[0, 0]).any()


def test_the_bass_that_is_named_comes_first_and_stays_lowest(log: EditLog):
    basses = np.full(12, 4)
    line = np.where(MELODY[0].any(axis=1), MELODY[0].argmax(axis=1), -1)
    policy = Policy(chords=chords_of(C_MAJOR), basses=basses, melody="top", line=line, n_voices=4)
    assert set(np.flatnonzero(policy.allowed(log)[0, 0]) % 12) == {4}
    with_bass = log.record([Edit(0, 0, 52)], "model")
    allowed = policy.allowed(with_bass)[0, 0]
    added = np.flatnonzero(allowed & ~with_bass.cells[0, 0])
    assert set(added[added < 52] % 12) <= {4}
    assert set(added[added > 52] % 12) == {0, 4, 7}
    assert allowed[52]  # alone, it may go
    standing = with_bass.record([Edit(0, 0, 55)], "model")
    assert not policy.allowed(standing)[0, 0, 52]  # something stands on it
    assert policy.allowed(standing)[0, 0, 55]


def test_where_there_is_no_room_for_the_bass_the_chord_alone_counts(log: EditLog):
    line = np.where(MELODY[0].any(axis=1), MELODY[0].argmax(axis=1), -1)
    policy = Policy(
        chords=chords_of(C_MAJOR), basses=np.full(12, 4), pitches=(65, 68), melody="top", line=line, n_voices=4
    )
    assert set(np.flatnonzero(policy.allowed(log)[0, 0])) == {67}


def test_completing_adds_what_chords_lack_and_takes_nothing_back(log: EditLog):
    policy = Policy(chords=chords_of(C_MAJOR, ANY), n_voices=4, only_completes=True)
    begun = log.record([Edit(0, 0, 52), Edit(0, 5, 50)], "model")
    allowed = policy.allowed(begun)[0]
    assert set(np.flatnonzero(allowed[0]) % 12) == {7}
    assert not allowed[1:].any()


def test_chords_of_another_length_are_refused(log: EditLog):
    with pytest.raises(BadInput, match="chords has 3 steps"):
        Policy(chords=np.ones((3, 12), dtype=bool)).allowed(log)
    with pytest.raises(BadInput, match="basses has 3 steps"):
        Policy(basses=np.zeros(3, dtype=int)).allowed(log)


@given(log=logs(), draw=st.data())
def test_an_excerpt_of_a_policy_allows_there_what_the_whole_allows(log: EditLog, draw: st.DataObject) -> None:
    policy = Policy(
        locked=draw.draw(st.none() | steps_masks | cell_masks),
        selection=draw.draw(st.none() | steps_masks),
        max_removals=draw.draw(st.sampled_from([0, 1, 2, 0.5])),
        max_additions=draw.draw(st.none() | st.integers(0, 3)),
        n_voices=draw.draw(st.none() | st.integers(1, 3)),
        melody="top",
        line=draw.draw(lines),
        refused=draw.draw(st.frozensets(st.tuples(st.just(0), st.integers(0, N_STEPS - 1), st.integers(LOW, HIGH)))),
    )
    first = draw.draw(st.integers(0, N_STEPS - 2))
    steps = slice(first, draw.draw(st.integers(first + 1, N_STEPS)))
    part = log.excerpt(steps)
    for attribute in ("cells", "user_cells", "author_of"):
        np.testing.assert_array_equal(getattr(part, attribute), getattr(log, attribute)[:, steps])
    there = policy.excerpt(log, steps).allowed(part)
    whole = policy.allowed(log)[:, steps]
    if policy.max_removals:
        there, whole = there & ~part.user_cells, whole & ~part.user_cells  # half a note may be one note off
    there, whole = there.copy(), whole.copy()
    there[1:, 0] = whole[1:, 0]  # nothing is held from before an excerpt
    inner = slice(1, -1) if policy.max_additions is not None else slice(None)  # what touches the edge joins nothing
    np.testing.assert_array_equal(there[:, inner], whole[:, inner])


def test_an_excerpt_has_what_is_left_of_the_budgets() -> None:
    log = EditLog(MELODY).with_note(60, 0, 2, by="model").with_note(60, 8, 2, by="model")
    steps = slice(4, 12)
    for most, may_add in ((2, False), (3, True)):
        policy = Policy(max_additions=most)
        assert policy.allowed(log)[0, 5, 64] == may_add
        assert policy.excerpt(log, steps).allowed(log.excerpt(steps))[0, 1, 64] == may_add
    taken = log.record([Edit(0, 0, 72)], "model")
    for most, may_take in ((1, False), (2, True)):
        policy = Policy(max_removals=most)
        assert policy.allowed(taken)[0, 9, 74] == may_take
        assert policy.excerpt(taken, steps).allowed(taken.excerpt(steps))[0, 5, 74] == may_take


# Constraints as values

melodies = lines.filter(lambda line: bool((line >= 0).any()))
step_numbers = st.lists(st.integers(0, 2), min_size=N_STEPS, max_size=N_STEPS).map(np.array)
chord_masks = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).random((N_STEPS, 12)) < 0.4)
bass_classes = st.lists(st.sampled_from([-1, 0, 1, 2, 11]), min_size=N_STEPS, max_size=N_STEPS).map(np.array)
floors = st.lists(st.sampled_from([-1, 58, 60]), min_size=N_STEPS, max_size=N_STEPS).map(np.array)
refusals = st.frozensets(st.tuples(st.just(0), st.integers(0, N_STEPS - 1), st.integers(LOW, HIGH)), max_size=8)
ranges = st.builds(Range, st.integers(59, 61), st.integers(61, 63))
voices = st.builds(VoiceCount, st.integers(1, 4), st.none() | steps_masks, st.none() | step_numbers)
VALUES: dict[type[Constraint], st.SearchStrategy[Constraint]] = {
    Locked: st.builds(Locked, steps_masks | cell_masks),
    Selection: st.builds(Selection, steps_masks | cell_masks),
    Refused: st.builds(Refused, refusals),
    Range: ranges,
    Side: st.builds(Side, st.sampled_from(["top", "bass"]), melodies),
    Floor: st.builds(Floor, floors),
    VoiceCount: voices,
    Places: st.builds(Places, lines, st.integers(0, 2), st.integers(0, 2)),
    AdditionsBudget: st.builds(AdditionsBudget, st.integers(0, 4)),
    RemovalsBudget: st.builds(RemovalsBudget, budgets),
    Chords: st.builds(Chords, chord_masks, within=st.tuples(voices) | st.just(())),
    Basses: st.builds(Basses, bass_classes, st.none() | lines, st.booleans(), within=st.tuples(ranges) | st.just(())),
    OnlyCompletes: st.builds(OnlyCompletes, st.none() | chord_masks, within=st.tuples(ranges, voices) | st.just(())),
    OnlyAdds: st.builds(OnlyAdds),
}
any_constraint = st.one_of(*VALUES.values())
every_constraint = pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    """What a policy may be asked with, such that no two values contradict each other."""
    n_voices = draw(st.none() | st.integers(1, 4))
    return {
        "locked": draw(st.none() | steps_masks | cell_masks),
        "selection": draw(st.none() | steps_masks),
        "pitches": draw(st.none() | st.tuples(st.integers(59, 61), st.integers(61, 63))),
        "max_removals": draw(budgets),
        "max_additions": draw(st.none() | st.integers(0, 4)),
        "n_voices": n_voices,
        "melody": draw(st.sampled_from(["top", "bass", "inner", None])),
        "line": draw(lines),
        "n_doubling": draw(st.none() | step_numbers),
        "n_above": draw(st.none() | st.integers(0, (n_voices or 4) - 1)),
        "floor": draw(st.none() | floors),
        "chords": draw(st.none() | chord_masks),
        "basses": draw(st.none() | bass_classes),
        "only_completes": draw(st.booleans()),
        "refused": draw(refusals),
        "takes_back": draw(st.booleans()),
    }


def kinds_of(kind: type[Constraint]) -> set[type[Constraint]]:
    below = {one for child in kind.__subclasses__() for one in kinds_of(child)}
    return below or {kind}


def test_every_constraint_is_drawn_below() -> None:
    assert set(VALUES) == kinds_of(Constraint)


def alone(constraint: Constraint) -> Policy:
    """A constraint, and as little besides as a policy can have."""
    return Policy(max_removals=1.0) & constraint


@given(logs(), asked(), asked())
def test_two_policies_joined_allow_exactly_what_both_allow(
    log: EditLog, one: dict[str, Any], other: dict[str, Any]
) -> None:
    both = Policy(**one) & Policy(**other)
    np.testing.assert_array_equal(both.allowed(log), Policy(**one).allowed(log) & Policy(**other).allowed(log))


@every_constraint
@settings(max_examples=25)  # of each kind
@given(log=logs(), values=asked(), draw=st.data())
def test_a_constraint_joined_to_a_policy_takes_away_exactly_what_it_forbids(
    kind: type[Constraint], log: EditLog, values: dict[str, Any], draw: st.DataObject
) -> None:
    constraint, policy = draw.draw(VALUES[kind]), Policy(**values, temperature=0.5)
    expected = policy.allowed(log) & alone(constraint).allowed(log)
    for both in (policy & constraint, constraint & policy):
        np.testing.assert_array_equal(both.allowed(log), expected)
        assert both.temperature == 0.5


@given(logs(), any_constraint, any_constraint)
def test_two_constraints_joined_are_a_policy_that_still_keeps_what_is_the_users(
    log: EditLog, one: Constraint, other: Constraint
) -> None:
    expected = Policy().allowed(log) & alone(one).allowed(log) & alone(other).allowed(log)
    np.testing.assert_array_equal((one & other).allowed(log), expected)


@every_constraint
@settings(max_examples=25)  # of each kind
@given(log=logs(), draw=st.data())
def test_an_excerpt_of_a_constraint_says_there_what_the_whole_says(
    kind: type[Constraint], log: EditLog, draw: st.DataObject
) -> None:
    constraint = draw.draw(VALUES[kind])
    first = draw.draw(st.integers(0, N_STEPS - 2))
    steps = slice(first, draw.draw(st.integers(first + 1, N_STEPS)))
    part, whole = log.excerpt(steps), alone(constraint).allowed(log)[:, steps].copy()
    for here in (alone(constraint.excerpt(log, steps)), alone(constraint).excerpt(log, steps)):
        there = here.allowed(part)
        there[1:, 0] = whole[1:, 0]  # nothing is held from before an excerpt
        if kind is RemovalsBudget:
            there, whole = there & ~part.user_cells, whole & ~part.user_cells  # half a note may be one note off
        inner = slice(1, -1) if kind is AdditionsBudget else slice(None)  # what touches the edge joins nothing
        np.testing.assert_array_equal(there[:, inner], whole[:, inner])


def test_what_was_joined_stays_whatever_else_is_asked(log: EditLog) -> None:
    joined = Policy(max_additions=3) & Range(60, 62) & VoiceCount(2) & AdditionsBudget(1)
    whole = slice(0, 12)
    for policy in (joined, replace(joined, selection=np.ones(12, dtype=bool)), replace(joined.excerpt(log, whole))):
        assert np.argwhere(additions(policy, log)[0].any(axis=0)).tolist() == [[60], [61], [62]]
        assert policy.most == [2]
        assert policy.max_additions == 1  # whoever draws more than one edit must know that there is a budget


def test_nothing_changes_a_constraint_behind_its_back() -> None:
    locked = np.zeros(12, dtype=bool)
    constraint = Locked(locked)
    locked[:] = True
    assert not constraint.locked.any()
    with pytest.raises(ValueError, match="read-only"):
        constraint.locked[0] = True


@pytest.mark.parametrize(
    ("constraint", "complaint"),
    [
        (Locked(np.zeros(11, dtype=bool)), r"locked has shape \(11,\)"),
        (Side("top", np.full(11, 60)), "line has 11 steps; give it one row for each of 12"),
        (VoiceCount(3, rests=np.zeros(11, dtype=bool)), "rests has 11 steps"),
        (Basses(np.zeros(12, dtype=int), within=(Floor(np.zeros(11, dtype=int)),)), "floor has 11 steps"),
        (Refused(frozenset({(0, 12, 60)})), "a refused cell lies outside"),
    ],
)
def test_a_constraint_that_does_not_fit_the_roll_is_refused(
    log: EditLog, constraint: Constraint, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        alone(constraint).allowed(log)


def test_chords_at_a_cadence_alone_are_no_chords_throughout():
    asked = np.ones((8, 12), dtype=bool)
    assert not Policy().gives_chords
    asked[:3, 1] = False
    assert not Policy(chords=asked).gives_chords
    throughout = asked.copy()
    throughout[:5, 1] = False
    assert Policy(chords=throughout).gives_chords
