"""A piece in the studio: its rules and locks bind the model, its history can be undone, and its windows can follow."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ripieno
from ripieno import BadInput, piece_from_notes
from ripieno.edits.log import EditLog
from ripieno.files.midi import write_midi
from ripieno.models.runtime import Model
from ripieno.music.roll import RollNote, roll_of
from ripieno.sampling.passes import Ask, answered
from ripieno.sampling.revising import Revising, standing
from ripieno.sampling.run import REVISINGS
from ripieno.studio import messages as wire
from ripieno.studio.composition import Composition, Refusal
from ripieno.studio.pieces import Pieces
from ripieno.studio.store import DiskFull, Store
from tests.sampling.fakes import consonant, model_of, striking
from tests.studio.conftest import CHORD, Knowing


@pytest.fixture(autouse=True)
def no_mending(monkeypatch) -> None:
    """Mending has tests of its own, and takes its time."""
    monkeypatch.setattr("ripieno.sampling.run.MENDS", {key: {} for key in ("faults", "parallels", "nothing")})


def note(onset: int, pitch: int, duration: int = 4) -> wire.NoteShape:
    return wire.NoteShape(onset=onset, pitch=pitch, duration=duration)


def answer(asking: Generator[Ask, Any, Any], model: Model) -> Any:
    return answer_on(asking, None, model)


def answer_on(asking: Generator[Ask, Any, Any], ask: Ask | None, model: Model) -> Any:
    """Drive a generator that was driven as far as to an ask."""
    try:
        ask = ask or next(asking)
        while True:
            ask = asking.send(answered(model, [ask])[0])
    except StopIteration as end:
        return end.value


def run(piece: Composition, model: Model, **options: Any) -> None:
    answer(piece.composing(piece.begin_run(wire.Run(id="run", **options))), model)


def heard(piece: Composition) -> set[tuple[int, int]]:
    return {(one.onset + at, one.pitch) for one in piece.state().notes for at in range(one.duration)}


def shapes(piece: Composition) -> list[tuple[int, int, int]]:
    return [(one.onset, one.pitch, one.duration) for one in piece.state().notes]


# The history


def test_every_batch_can_be_undone_and_brought_back_whatever_came_after(piece: Composition) -> None:
    for i, pitch in enumerate((60, 62, 64)):
        piece.edit(f"e{i}", [], [note(4 * i, pitch)])
    piece.undo("u1", 0, None)
    assert shapes(piece) == [(4, 62, 4), (8, 64, 4)]
    piece.undo("u2", 2, None)
    piece.redo("r1", 0, None)
    assert shapes(piece) == [(0, 60, 4), (4, 62, 4)]
    assert [item.undone for item in piece.state().history] == [False, False, True]


def test_without_a_name_undo_takes_the_last_and_redo_brings_it_back(piece: Composition) -> None:
    piece.edit("e0", [], [note(0, 60)])
    piece.edit("e1", [], [note(4, 62)])
    piece.undo("u0", None, None)
    piece.undo("u1", None, None)
    assert shapes(piece) == []
    piece.redo("r0", None, None)
    assert shapes(piece) == [(0, 60, 4)]
    piece.redo("r1", None, None)
    assert shapes(piece) == [(0, 60, 4), (4, 62, 4)]
    with pytest.raises(Refusal, match="nothing to bring back"):
        piece.redo("r2", None, None)


def test_what_was_overwritten_says_so_before_and_after_it_is_undone(piece: Composition) -> None:
    piece.edit("e0", [], [note(0, 60)])
    piece.edit("e1", [note(0, 60)], [])
    assert [item.overwritten for item in piece.state().history] == [True, False]
    said = piece.undo("u0", 0, None)
    assert said is not None
    assert "4 cells stay" in said
    assert shapes(piece) == []
    piece.undo("u1", 1, None)
    piece.redo("r0", 0, None)
    assert shapes(piece) == [(0, 60, 4)]
    assert [item.overwritten for item in piece.state().history] == [False, False]


def test_a_run_is_told_in_notes_and_undone_as_a_whole(piece: Composition, model: Model) -> None:
    piece.edit("e0", [], [note(0, 72)])
    run(piece, model)
    items = [item for item in piece.state().history if item.run == 0]
    assert len(items) < 96  # cells of one note are one batch
    assert all(item.author == "model" and item.text for item in items)
    assert {one.pitch for item in items for one in item.added} == set(CHORD)
    piece.undo("u0", None, 0)
    assert shapes(piece) == [(0, 72, 4)]
    piece.redo("r0", None, 0)
    assert len(heard(piece)) == 4 + 96


def test_rounds_of_revising_are_items_of_a_run_and_undone_one_by_one(store: Store, monkeypatch) -> None:
    monkeypatch.setitem(REVISINGS, "high", Revising(n_rounds=4, most=0.6, n_passes=2))
    model = model_of(consonant)
    pieces = Pieces(store, lambda: model, lambda composition: None)
    piece = pieces.get(pieces.begin(wire.NewPiece(name="Two bars", bars=2)))
    piece.edit("e0", [], [note(8 * at, 72 + at, 8) for at in range(4)])
    run(piece, model)
    told = [entry for entry in map(json.loads, (text for _, text in piece.entries)) if entry["text"].startswith("rev")]
    assert 2 <= len(told) <= 5
    assert standing(piece.log).n_rounds > 2
    whole = heard(piece)
    piece.undo("u0", told[-1]["batch"], None)
    assert heard(piece) != whole
    piece.redo("r0", told[-1]["batch"], None)
    assert heard(piece) == whole
    begun, options = piece.document.begun, piece.document.options
    session = ripieno.Session(begun.piece, model=model, n_bars=2, n_planes=2, options=options)
    for at in range(4):
        session.set(72 + at, 8 * at, 8)
    for _ in session.run():
        pass
    assert {(int(step), int(pitch)) for step, pitch in np.argwhere(session.log.cells[0])} == whole


@pytest.mark.parametrize(
    ("remove", "add", "text"),
    [
        ([], [note(8, 64)], "E4 in bar 1, beat 3"),
        ([note(0, 60)], [], "C4 in bar 1, beat 1 removed"),
        ([note(0, 60)], [note(4, 62)], "C4 in bar 1, beat 1 moved to D4 in bar 1, beat 2"),
        ([note(0, 60)], [note(0, 60, 6)], "C4 in bar 1, beat 1 made longer"),
        ([], [note(8, 64), note(16, 64)], "notes: 2 drawn"),
    ],
)
def test_the_history_says_what_a_person_did(piece: Composition, remove: Any, add: Any, text: str) -> None:
    piece.edit("e0", [], [note(0, 60)])
    piece.edit("e1", remove, add)
    assert piece.state().history[-1].text == text


# What binds the model


def test_locks_bind_the_model(piece: Composition, model: Model) -> None:
    piece.set_locks(wire.Lock(id="k0", locked=True, bars=[1]))
    piece.set_locks(wire.Lock(id="k1", locked=True, pitches=[55]))
    run(piece, model)
    assert heard(piece) == {(step, pitch) for step in range(16, 32) for pitch in (48, 64)}
    piece.set_locks(wire.Lock(id="k2", locked=False, bars=[1], pitches=[55]))
    assert piece.locks == wire.Locks()
    run(piece, model)
    assert heard(piece) == {(step, pitch) for step in range(32) for pitch in CHORD}


def test_a_locked_note_neither_goes_nor_grows(piece: Composition, model: Model) -> None:
    run(piece, model, iterations=1)
    (only,) = piece.state().notes
    piece.set_locks(wire.Lock(id="k0", locked=True, notes=[note(only.onset, only.pitch, only.duration)]))
    run(piece, model)
    same = [one for one in piece.state().notes if (one.onset, one.pitch) == (only.onset, only.pitch)]
    assert [one.duration for one in same] == [only.duration]


def test_a_note_that_is_not_there_cannot_be_locked(piece: Composition) -> None:
    with pytest.raises(Refusal) as refused:
        piece.set_locks(wire.Lock(id="k0", locked=True, notes=[note(0, 60)]))
    assert refused.value.code == "conflict"


def test_a_locked_voice_keeps_its_notes(piece: Composition) -> None:
    piece.edit("e0", [], [note(0, 72, 16), note(0, 48, 16)])
    piece.set_locks(wire.Lock(id="k0", locked=True, voices=["bass"]))
    assert piece.locks.voices == [wire.VoiceLock(voice="bass", notes=[note(0, 48, 16)])]
    assert piece.locked_cells()[:16, 48].all()
    assert not piece.locked_cells()[:, 72].any()


def test_a_locked_voice_that_sings_with_the_melody_goes_on_doing_so(
    piece: Composition, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as having its note, or the model would find it another one."""
    piece.edit("e0", [], [note(0, 72, 16), note(0, 52, 16), note(0, 48, 16)])
    piece.set_rules(wire.SetRules(id="r0", changes=wire.RuleChanges(melody="top")))
    lines = np.tile([72, 52, 50, 48], (piece.n_steps, 1))
    lines[:, 2] = -1
    lines[4:8, 1] = 72  # the alto is up there for a beat, beside the soprano
    monkeypatch.setattr("ripieno.studio.composition.lines_sung", lambda *_: lines)

    def most() -> list[int]:
        found = piece.document.policy().most
        assert found is not None
        return found.tolist()[:16]

    assert most() == [4] * 16
    piece.set_locks(wire.Lock(id="k0", locked=True, voices=["alto"]))
    (lock,) = piece.locks.voices
    assert note(4, 72) in lock.notes
    assert most() == [4] * 4 + [3] * 4 + [4] * 8
    piece.set_locks(wire.Lock(id="k1", locked=True, voices=["soprano"]))  # it is the melody already
    assert most() == [4] * 4 + [3] * 4 + [4] * 8
    piece.set_locks(wire.Lock(id="k2", locked=False, voices=["alto", "soprano"]))
    assert most() == [4] * 16


def test_no_other_way_gives_a_locked_voice_another_note(
    piece: Composition, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another one on the roll, nor by who is heard to sing which."""
    piece.edit("e0", [], [note(0, 72, 16)])

    def lines_of(log: EditLog, *_: object) -> np.ndarray:
        lines = np.tile([72, 72, 50, 48], (piece.n_steps, 1))
        if log.cells[0, :16, list(CHORD)].any() and is_heard_otherwise:
            lines[2, 1] = CHORD[0]
        return lines

    monkeypatch.setattr("ripieno.studio.composition.lines_sung", lines_of)
    piece.set_locks(wire.Lock(id="k0", locked=True, voices=["alto"]))
    found = {}
    for is_heard_otherwise in (False, True):
        asked = wire.Regenerate(id=f"r{is_heard_otherwise}", bars=(1, 1), n=2)
        found[is_heard_otherwise] = answer(piece.regenerating(asked), model).alternatives
    assert found[False]
    assert found[True] == []
    piece.set_locks(wire.Lock(id="k1", locked=False, voices=["alto"]))
    assert answer(piece.regenerating(wire.Regenerate(id="free", bars=(1, 1), n=2)), model).alternatives


def test_rules_bind_the_model(piece: Composition, model: Model) -> None:
    changes = wire.RuleChanges(pitches=(50, 60))
    piece.set_rules(wire.SetRules(id="r0", changes=changes))
    run(piece, model)
    assert {pitch for _, pitch in heard(piece)} == {55}
    piece.set_rules(wire.SetRules(id="r1", changes=wire.RuleChanges(pitches=(None, 60), n_voices=2)))
    assert (piece.rules.pitches, piece.rules.n_voices) == ((None, 60), 2)
    run(piece, model)
    assert {pitch for _, pitch in heard(piece)} == {48, 55}


def test_phrases_that_are_said_are_told_with_their_places_and_undone(piece: Composition) -> None:
    before = piece.settings.phrases
    piece.set_rules(wire.SetRules(id="r0", changes=wire.RuleChanges(phrases="1")))
    assert piece.settings.phrases[0].place == "1"
    assert all(phrase.sure == 1 for phrase in piece.settings.phrases)
    piece.undo("u0", None, None)
    assert piece.settings.phrases == before
    with pytest.raises(BadInput, match="no phrase can end at 99"):
        piece.set_rules(wire.SetRules(id="r1", changes=wire.RuleChanges(phrases="99")))
    assert piece.settings.phrases == before


def test_bars_of_a_run_bind_it(piece: Composition, model: Model) -> None:
    run(piece, model, bars=(2, 2))
    assert {step for step, _ in heard(piece)} == set(range(16, 32))


def test_new_notes_keep_under_a_tune_that_is_drawn_and_over_a_bass(piece: Composition, model: Model) -> None:
    piece.edit("e0", [], [note(at, 58, 8) for at in range(0, 32, 8)])  # among the notes that the model wants
    run(piece, model)
    assert {pitch for _, pitch in heard(piece)} == {48, 55, 58}
    piece.undo("u0", None, 0)
    piece.set_rules(wire.SetRules(id="r0", changes=wire.RuleChanges(melody="bass")))
    run(piece, model)
    assert {pitch for _, pitch in heard(piece)} == {58, 64}


def test_what_the_person_silenced_is_not_brought_back(piece: Composition, model: Model) -> None:
    run(piece, model)
    bass = next(one for one in piece.state().notes if one.pitch == 48)
    piece.edit("e0", [note(bass.onset, 48, bass.duration)], [])
    run(piece, model)
    assert 48 not in {pitch for _, pitch in heard(piece)}


def test_a_refused_note_is_offered_again_once_the_music_around_it_changes(piece: Composition, model: Model) -> None:
    def offered() -> list[wire.NoteShape]:
        return [one.note for one in answer(piece.suggesting(wire.Suggest(id="s", n=8)), model).suggestions]

    first = answer(piece.suggesting(wire.Suggest(id="s", n=1)), model).suggestions[0]
    piece.refuse("x0", first.token)
    assert first.note not in offered()
    piece.edit("e0", [], [note(first.note.onset, 80, 1)])
    assert first.note in offered()


def test_a_stale_offer_is_refused_and_changes_nothing(piece: Composition, model: Model) -> None:
    first = answer(piece.suggesting(wire.Suggest(id="s", n=1)), model).suggestions[0]
    piece.edit("e0", [], [first.note])
    with pytest.raises(Refusal, match="changed since"):
        piece.accept("a0", first.token)
    second = answer(piece.suggesting(wire.Suggest(id="s", n=1)), model).suggestions[0]
    piece.set_locks(wire.Lock(id="k0", locked=True, pitches=[second.note.pitch]))
    with pytest.raises(Refusal, match="locked"):
        piece.accept("a1", second.token)


def test_what_was_asked_before_a_change_is_asked_again(piece: Composition, model: Model) -> None:
    asking = piece.suggesting(wire.Suggest(id="s", n=1))
    ask = next(asking)
    piece.set_locks(wire.Lock(id="k0", locked=True, pitches=[48, 55]))
    assert [one.note.pitch for one in answer_on(asking, ask, model).suggestions] == [64]


def test_an_edit_in_a_run_holds_before_the_next_pass(piece: Composition, model: Model) -> None:
    asking = piece.composing(piece.begin_run(wire.Run(id="run")))
    ask = next(asking)
    piece.set_locks(wire.Lock(id="k0", locked=True, bars=[1, 2]))
    answer_on(asking, ask, model)  # what comes back of the pass that was asked for is not used
    assert heard(piece) == set()
    assert piece.run is None


def test_a_stop_in_a_pass_leaves_the_pass_unused(piece: Composition, model: Model) -> None:
    asking = piece.composing(piece.begin_run(wire.Run(id="run")))
    ask = next(asking)
    piece.stop_run()
    with pytest.raises(StopIteration):
        asking.send(model(ask.cells, ask.context))
    assert heard(piece) == set()


# What the windows hear


class Follower:
    """A window that knows nothing but the entries."""

    def __init__(self, state: wire.State) -> None:
        self.notes = {(one.onset, one.pitch): one for one in state.notes}
        self.history = {item.batch: item for item in state.history}
        self.settings = state.settings

    def follow(self, entry: wire.Entry) -> None:
        for gone in entry.gone:
            del self.notes[gone.onset, gone.pitch]
        for new in entry.new:
            assert (new.onset, new.pitch) not in self.notes
            self.notes[new.onset, new.pitch] = new
        self.history |= {item.batch: item for item in entry.items}
        self.settings = entry.settings or self.settings


def plain(notes: Any) -> list[tuple[int, int, int, str]]:
    return sorted((one.onset, one.pitch, one.duration, one.author) for one in notes)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_who_follows_the_entries_sees_what_the_piece_is(seed: int) -> None:
    rng = random.Random(seed)
    model = Model("knowing", "0", {"format": 1}, 28, 64, 32, 1, Knowing())
    store = Store(":memory:")
    pieces = Pieces(store, lambda: model, lambda composition: None)
    piece = pieces.get(pieces.begin(wire.NewPiece(bars=2)))
    window = Follower(piece.state())
    for i in range(12):
        there = piece.state().notes
        batches = [item.batch for item in piece.state().history]
        what = rng.choice(["draw", "draw", "move", "undo", "redo", "run", "lock", "rules", "longer"])
        if what == "draw":
            at = rng.randrange(30)
            piece.edit(f"i{i}", [], [note(at, rng.choice([55, 60, 61]), rng.randint(1, 31 - at))])
        elif what == "move" and there:
            old = rng.choice(there)
            piece.edit(f"i{i}", [note(old.onset, old.pitch, old.duration)], [note(rng.randrange(28), 61)])
        elif what == "undo" and batches:
            piece.undo(f"i{i}", rng.choice(batches), None)
        elif what == "redo" and batches:
            piece.redo(f"i{i}", rng.choice(batches), None)
        elif what == "run":
            run(piece, model, iterations=rng.randint(1, 8))
        elif what == "rules":
            piece.set_rules(wire.SetRules(id=f"i{i}", changes=wire.RuleChanges(n_voices=rng.randint(2, 4))))
        elif what == "lock":
            piece.set_locks(wire.Lock(id=f"i{i}", locked=rng.random() < 0.5, bars=[rng.choice([1, 2])]))
        elif what == "longer":
            piece.lengthen(f"i{i}", 1)
    entries = [wire.Entry.model_validate_json(text) for _, text in piece.entries]
    for entry in entries:
        window.follow(entry)
    assert [number for number, _ in piece.entries] == list(range(1, piece.seq + 1))
    assert [entry.seq for entry in entries] == list(range(1, piece.seq + 1))
    state = piece.state()
    assert plain(window.notes.values()) == plain(state.notes)
    assert [window.history[batch] for batch in sorted(window.history)] == state.history
    assert window.settings == state.settings
    kept = Pieces(store, lambda: model, lambda composition: None).get(piece.id)
    assert kept.state() == state
    assert kept.seq == piece.seq
    store.close()


def test_a_full_disk_leaves_the_piece_as_it_was(piece: Composition, store: Store, monkeypatch) -> None:
    def full(*_: Any) -> None:
        raise DiskFull("nothing can be saved now")

    piece.edit("e0", [], [note(0, 60)])
    monkeypatch.setattr(store, "append", full)
    with pytest.raises(DiskFull):
        piece.edit("e1", [], [note(4, 62)])
    assert shapes(piece) == [(0, 60, 4)]
    monkeypatch.undo()
    piece.edit("e2", [], [note(4, 64)])
    assert piece.seq == 2


def test_a_piece_that_another_program_changes_sends_its_windows_away(piece: Composition, store: Store) -> None:
    store.append(piece.id, 1, [{"entries": [], "time": 0.0, "text": "", "run": None, "why": None}])
    messages: list[Any] = []
    piece.listeners.add(messages.append)
    with pytest.raises(Exception, match="another studio"):
        piece.edit("e0", [], [note(0, 60)])
    assert piece.closed_because is not None
    assert piece.closed_because[0] == "conflict"
    assert messages == [None]


def test_a_piece_can_be_made_longer_and_its_new_bars_written(piece: Composition, model: Model) -> None:
    piece.lengthen("l0", 2)
    assert (piece.settings.n_steps, len(piece.settings.bars)) == (64, 4)
    piece.edit("e0", [], [note(60, 72)])
    run(piece, model)
    assert max(step for step, _ in heard(piece)) == 63
    before = piece.state()
    piece.undo("u0", 0, None)
    assert piece.settings.n_steps == 32
    assert max(step for step, _ in heard(piece)) == 31
    piece.redo("r0", None, None)
    assert (piece.state().notes, piece.settings) == (before.notes, before.settings)


def test_nothing_that_could_not_be_opened_again_is_ever_stored(pieces: Pieces, store: Store) -> None:
    id = pieces.begin(wire.NewPiece(bars=200))
    piece = pieces.get(id)
    piece.lengthen("l0", 50)
    piece.undo("u0", 0, None)
    piece.lengthen("l1", 50)
    n_steps = len(store.steps(id))
    for ask in (
        lambda: piece.redo("r0", 0, None),
        lambda: piece.lengthen("l2", 10),
        lambda: piece.set_rules(wire.SetRules(id="m", changes=wire.RuleChanges(meter="6/4"))),
    ):
        with pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.code == "too_many_bars"
    assert len(store.steps(id)) == n_steps
    assert Pieces(store, lambda: pieces._model(), lambda composition: None).get(id).state() == piece.state()


@pytest.fixture
def low(pieces: Pieces, tmp_path: Any) -> Composition:
    """A low tune after a rest: as a tune it is moved up for the model, as a bass it is not."""
    tune = piece_from_notes([RollNote(32 + 4 * i, 38 + i % 5, 4) for i in range(12)], meter=(4, 4))
    write_midi(tune, tmp_path / "low.mid")
    id, _ = pieces.open_file((tmp_path / "low.mid").read_bytes(), "low.mid")
    return pieces.get(id)


def test_a_piece_that_is_taken_to_be_something_else_is_followed_and_comes_back(low: Composition, store: Store) -> None:
    window = Follower(low.state())
    model = Model("knowing", "0", {"format": 1}, 28, 64, 32, 1, Knowing())

    def ask(number: int, **changes: Any) -> None:
        low.set_rules(wire.SetRules(id=f"r{number}", changes=wire.RuleChanges(**changes)))

    ask(0, melody="top")
    offered = answer(low.suggesting(wire.Suggest(id="s", n=1)), model).suggestions[0]
    low.edit("e0", [], [note(0, 100), note(0, 60)])
    ask(1, melody="bass")
    assert low.document.reading.shift != low.document.home.shift or low.document.home.melody == "bass"
    with pytest.raises(Refusal, match="no longer on offer"):
        low.accept("a0", offered.token)
    low.edit("e1", [], [note(4, 120), note(4, 20)])
    ask(2, melody="top", pickup=1)
    low.edit("e2", [], [note(0, 62)])
    low.undo("u0", None, None)
    low.redo("v0", None, None)
    low.undo("u1", [item.batch for item in low.state().history if item.text.startswith("rules")][-1], None)
    low.set_locks(wire.Lock(id="k0", locked=True, notes=[note(0, 60)]))
    ask(3, pickup=2)
    for _, text in low.entries:
        window.follow(wire.Entry.model_validate_json(text))
    state = low.state()
    assert plain(window.notes.values()) == plain(state.notes)
    assert window.settings == state.settings
    kept = Pieces(store, lambda: model, lambda composition: None).get(low.id)
    assert kept.state() == state


@pytest.mark.parametrize("damage", ["entries", "text", "run", "setting", "bars"])
def test_a_damaged_history_is_one_clear_line(pieces: Pieces, damage: str) -> None:
    import json

    id = pieces.begin(wire.NewPiece(bars=2))
    pieces.get(id).edit("e0", [], [note(0, 60)])
    project = json.loads(pieces.save(id, "ripieno")[0])
    step = project["steps"][0]
    if damage == "entries":
        step["entries"] = [["edit", 0, "user", 0, 99, 60, True, None, None, None]]
    elif damage == "text":
        step["text"] = 5
    elif damage == "run":
        step["run"] = "x"
    elif damage == "setting":
        step["entries"] = [["setting", 0, "user", "rules", {"temperature": -1}, None, "x"]]
    else:
        step["entries"] = [["setting", 0, "user", "lengthened", 10**6, None, "x"]]
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        pieces.open_file(json.dumps(project).encode(), "a.ripieno")


def test_a_long_history_is_little_work_for_the_garbage_collector(piece: Composition) -> None:
    """It stops everything, stops and answers too, for as long as it takes to go through all objects."""

    def n_objects() -> int:
        gc.collect()
        return len(gc.get_objects())

    piece.edit("first", [], [note(0, 60)])
    before = n_objects()
    for i in range(100):
        piece.edit(f"add {i}", [], [note(4, 72, 1)])
        piece.edit(f"remove {i}", [note(4, 72, 1)], [])
    assert n_objects() - before < 200 * 5  # of the log's entry two, and a list of the batch's places


# Notes that a model strikes again


def test_what_a_model_strikes_again_is_shown_as_notes_edited_and_undone(store: Store) -> None:
    chords = [RollNote(at, pitch, 4) for at in range(0, 16, 4) for pitch in (48, 64, 67, 72)]
    model = model_of(striking(roll_of(chords, 32, n_planes=2)), 2)
    pieces = Pieces(store, lambda: model, lambda composition: None)
    piece = pieces.get(pieces.begin(wire.NewPiece(name="Two bars", bars=2)))
    run(piece, model)
    assert shapes(piece) == [(one.onset, one.pitch, one.duration) for one in sorted(chords)]
    piece.edit("e", [note(4, 64)], [])
    assert (0, 64, 4) in shapes(piece)
    assert (8, 64, 4) in shapes(piece)
    piece.edit("f", [], [note(4, 64)])
    assert shapes(piece) == [(one.onset, one.pitch, one.duration) for one in sorted(chords)]
    while piece.document.newest_batch is not None:
        piece.undo(f"u{piece.document.newest_batch}", None, None)
    assert shapes(piece) == []
    assert not piece.log.cells[1].any()
