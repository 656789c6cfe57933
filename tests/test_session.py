"""A session is one composition that a person steers."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ripieno import BadInput, Session, harmonize, piece_from_notes, read
from ripieno.bounds import Locks
from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry
from ripieno.edits.notes import put_notes
from ripieno.export import LOW_TUNE, chords_found, labels, parts_apart
from ripieno.models.runtime import Prediction, the_separator
from ripieno.music.part_writing import TEACHERS_PRICES, faults, parallels
from ripieno.music.roll import RollNote, notes_of, roll_of
from ripieno.sampling.mending import MENDERS_PRICES, PARALLELS, lines_sung
from tests.sampling.fakes import consonant, indifferent, model_of, pointing_at, striking, wanting

MELODY = [RollNote(0, 72, 4), RollNote(4, 74, 4), RollNote(8, 76, 4), RollNote(12, 72, 4)]
BASS = [RollNote(0, 48, 8), RollNote(8, 55, 8)]
EXAMPLE = Path(__file__).parent.parent / "examples" / "ode-to-joy.mid"
FULL = roll_of([*MELODY, *BASS], 16)


def a_session(predict=None, tune=MELODY, **options) -> Session:
    return Session(piece_from_notes(tune, meter=(4, 4)), model=model_of(predict or wanting(FULL)), **options)


def test_composing_fills_in_what_is_missing_and_stops() -> None:
    session = a_session()
    changes = list(session.run())
    assert len(changes) == 16
    assert session.log.notes() == sorted([*MELODY, *BASS])
    assert session.log.n_added == 2


def test_faults_of_part_writing_are_mended_at_the_end_unless_the_user_wants_them_left() -> None:
    ways = ("nothing", "parallels", "faults")
    left, only, mended = (Session(read(EXAMPLE), mend=mend, bars=(1, 8), temperature=1.0, seed=1) for mend in ways)
    why = {session.options.mend: {change.why for change in session.run()} for session in (left, only, mended)}
    assert why["nothing"] == {None}
    assert why["parallels"] <= {None, *PARALLELS}
    assert why["faults"] - {None} <= set(MENDERS_PRICES)
    assert not list(mended.run()), "what is mended is finished"

    def sung(session: Session) -> np.ndarray:
        return lines_sung(session.log, session.policy, the_separator())[: 8 * 16]

    def cost(session: Session) -> float:
        found = faults(sung(session), rules=TEACHERS_PRICES, excused=True)
        return sum(TEACHERS_PRICES[fault.rule] for fault in found)

    assert parallels(sung(left))
    for session in (only, mended):
        assert not parallels(sung(session))
        assert (session.log.cells[0] >= session.log.origin[0]).all()
    assert cost(mended) < cost(only) < cost(left)


def test_who_sings_the_melody_rests_with_it() -> None:
    """No fourth voice comes in for a rest, to be a part of one note."""
    notes = notes_of(Session(read(EXAMPLE), bars=(1, 8)).log.origin)
    session = Session(piece_from_notes([*notes[:4], *notes[5:9], *notes[10:20]], meter=(4, 4)))
    for _ in session.run():
        pass
    rests = np.asarray(session.policy.line) < 0
    assert rests[notes[4].onset : notes[4].end].all()
    assert (np.count_nonzero(session.log.cells[0], axis=1)[rests] <= 3).all()
    assert [part.name for part in session.new_parts()] == ["Alto", "Tenor", "Bass"]


@pytest.mark.parametrize(
    ("lower", "names"), [(12, ["Soprano", "Alto", "Bass"]), (1, ["Soprano", "Tenor", "Bass"])], ids=["tenor", "alto"]
)
def test_an_inner_melody_has_its_place_among_the_voices(lower: int, names: list[str]) -> None:
    notes = notes_of(Session(read(EXAMPLE), bars=(1, 8)).log.origin)[:40]
    tune = piece_from_notes([RollNote(n.onset, n.pitch - lower, n.duration) for n in notes], meter=(4, 4))
    session = Session(tune, melody="inner")
    for _ in session.run():
        pass
    line, cells = np.asarray(session.policy.line), session.log.cells[0]
    pitch = np.arange(128)
    above, below = (
        np.count_nonzero(cells & where, axis=1)[line >= 0] for where in (pitch > line[:, None], pitch < line[:, None])
    )
    place = names.index("Bass") - (1 if "Alto" not in names else 0)
    assert session.policy.n_above == place
    assert (above <= place).all()
    assert (below <= 3 - place).all()
    assert below.mean() > 0.3
    assert [part.name for part in session.new_parts()] == names


def test_nothing_lies_beneath_a_bass_of_the_users() -> None:
    tune = notes_of(Session(read(EXAMPLE), bars=(1, 8)).log.origin)[:30]
    piece = piece_from_notes(tune, meter=(4, 4))
    low = [replace(note, id=note.id + len(tune), part=1, pitch=note.pitch - 19) for note in piece.notes]
    parts = (replace(piece.parts[0], name="Melody"), replace(piece.parts[0], name="Bass", channel=1))
    session = Session(replace(piece, notes=(*piece.notes, *low), parts=parts))
    for _ in session.run():
        pass
    floor = np.asarray(session.policy.floor)
    new = session.log.cells[0] & ~session.log.origin[0]
    assert new.any()
    assert not new[(np.arange(128) < floor[:, None])].any()
    assert {part.name for part in session.new_parts()} <= {"Alto", "Tenor"}
    session.lengthen(1)
    assert len(np.asarray(session.policy.floor)) == len(np.asarray(session.policy.line))


@pytest.mark.parametrize("suffix", [".mid", ".musicxml"])
def test_no_new_part_bears_the_name_of_one_of_the_users(tmp_path, suffix: str) -> None:
    piece = piece_from_notes(notes_of(Session(read(EXAMPLE), bars=(1, 2)).log.origin), meter=(4, 4))
    session = Session(replace(piece, parts=(replace(piece.parts[0], name="BASS"),)), melody="top")
    for _ in session.run():
        pass
    session.save(tmp_path / f"out{suffix}")
    names = [part.name for part in read(tmp_path / f"out{suffix}").parts]
    assert names == ["BASS", "Alto", "Tenor", "Bass (new)"]
    own = [replace(piece.parts[0], name=name) for name in ("BASS", " alto", "Alto (New)")]
    begun = session.document.begun
    renamed = replace(session.document, begun=replace(begun, piece=replace(piece, parts=tuple(own))))
    assert [part.name for part in parts_apart(renamed)] == ["Alto (new 2)", "Tenor", "Bass (new)"]


def test_a_tune_alone_outside_the_chosen_bars_has_no_chords() -> None:
    session = Session(read(EXAMPLE), bars=(2, 3), write_chords="symbols")
    for _ in session.run():
        pass
    selection, start = session.policy.selection, session.reading.start
    assert selection is not None
    first, last = np.flatnonzero(selection)[[0, -1]]
    places = [int(one.step) - start for one in chords_found(session.document) if one.chord is not None]
    assert len(places) > 2
    assert all(first <= place <= last for place in places)
    assert [int(label.step) - start for label in labels(session.document)] == places


def test_of_a_low_tune_it_says_how_voices_can_lie_above_it(tmp_path) -> None:
    tune = notes_of(Session(read(EXAMPLE), bars=(1, 2)).log.origin)
    low = piece_from_notes([RollNote(n.onset, n.pitch - 17, n.duration) for n in tune], meter=(4, 4))
    said = {}
    for melody in ("top", "inner", "bass"):
        session = Session(low, melody=melody)
        for _ in session.run(iterations=20):
            pass
        said[melody] = session.save(tmp_path / "out.mid")
    assert LOW_TUNE in said["top"]
    assert LOW_TUNE not in said["inner"] + said["bass"]
    assert LOW_TUNE not in Session(low, melody="top").save(tmp_path / "out.mid")  # nothing new lies anywhere


def test_of_few_notes_none_is_written_twice() -> None:
    """Where the user allows twenty, no voice doubles another, nor the melody."""
    session = Session(read(EXAMPLE), max_additions=20)
    for _ in session.run():
        pass
    new = session.log.cells[0] & ~session.log.origin[0]
    assert 0 < session.log.n_added <= 20
    assert sum(note.duration for part in session.new_parts() for note in part.notes) == new.sum()


def test_what_to_mend_is_one_of_three() -> None:
    with pytest.raises(BadInput, match="mend everything: choose faults, parallels, nothing"):
        a_session(mend="everything")


def test_of_two_repeated_notes_only_as_many_are_changed_as_may_be() -> None:
    repeated = [RollNote(0, 72, 4), RollNote(4, 72, 4), RollNote(8, 72, 4)]
    session = a_session(pointing_at(Edit(0, 5, 72)), repeated, max_removals=1)
    session.step()
    assert len(session.revision().touched) == 1
    may_change = session.policy.allowed(session.log)[0, :, 72]
    assert np.flatnonzero(may_change & session.log.origin[0, :, 72]).tolist() == [4, 5, 6, 7]


def test_a_suggestion_changes_nothing_and_step_does_just_that() -> None:
    session = a_session(pointing_at(Edit(0, 4, 55)))
    suggestion = session.suggest()
    assert session.log.entries == ()
    assert suggestion.text == "add G3, bar 1, beat 2"
    assert session.step().edit == suggestion.edit == Edit(0, 4, 55)


def test_undo_and_redo_walk_back_and_forth() -> None:
    session = a_session()
    list(session.run(iterations=3))
    three = session.log.cells.copy()
    assert session.undo()
    assert session.undo()
    assert session.log.cells.sum() == three.sum() - 2
    assert session.redo()
    assert session.redo()
    assert not session.redo()
    np.testing.assert_array_equal(session.log.cells, three)


def test_an_old_change_can_be_undone_whatever_came_after() -> None:
    session = a_session(indifferent, seed=3)
    edits = [change.edit for change in session.run(iterations=9)]
    session.undo(batch=0)
    assert session.log.cells[edits[0]] == session.log.origin[edits[0]]


def test_there_is_nothing_to_undo_before_anything_was_done() -> None:
    assert not a_session().undo()


def test_reverting_goes_back_to_a_moment_and_forgets_nothing() -> None:
    session = a_session()
    list(session.run(iterations=4))
    then = session.log.cells.copy()
    list(session.run(iterations=5))
    session.revert(4)
    np.testing.assert_array_equal(session.log.cells, then)
    assert len(session.log.entries) > 9


def test_what_the_user_silences_stays_silent() -> None:
    session = a_session()
    list(session.run())
    session.set(pitch=48, onset=0, duration=8, sounding=False)
    list(session.run(iterations=40))
    assert not session.log.cells[0, :, 48].any()


def test_a_note_of_the_users_is_kept_like_the_melody() -> None:
    session = a_session()
    session.set(pitch=50, onset=0, duration=4)
    list(session.run(iterations=60))
    assert RollNote(0, 50, 4) in session.log.notes()
    session.undo(batch=0)
    assert RollNote(0, 50, 4) not in session.log.notes()


def test_nothing_changes_in_locked_bars_nor_outside_the_chosen_ones() -> None:
    tune = [RollNote(bar * 16, 72, 16) for bar in range(4)]
    for options in ({"lock": [(1, 2), (4, 4)]}, {"bars": (3, 3)}):
        session = a_session(indifferent, tune, **options)
        steps = {change.edit.step // 16 for change in session.run(iterations=50, stop=None)}
        assert steps == {2}
    session = a_session(indifferent, tune)
    session.lock(1, 3)
    session.unlock(2, 2)
    assert {change.edit.step // 16 for change in session.run(iterations=60, stop=None)} == {1, 3}


def test_locking_all_that_is_to_be_composed_is_refused() -> None:
    with pytest.raises(BadInput, match="locked"):
        a_session(lock=[(1, 1)])


def test_new_notes_keep_under_a_melody_and_over_a_bass() -> None:
    under = a_session(indifferent, n_voices=None)
    for change in under.run(iterations=200, stop=None):
        assert change.edit.pitch < 76
    over = a_session(indifferent, [RollNote(0, 40, 16)], melody="bass", n_voices=None)
    for change in over.run(iterations=200, stop=None):
        assert change.edit.pitch > 40


def test_a_tune_outside_the_models_window_is_moved_and_the_new_notes_moved_back() -> None:
    high = [RollNote(note.onset, note.pitch + 24, 4) for note in MELODY]
    session = a_session(wanting(FULL), high)
    assert session.reading.shift == -24
    list(session.run())
    assert {note.pitch for note in session.revision().new_notes} == {48 + 24, 55 + 24}
    assert session.drawing().notes


def test_the_piece_ends_where_the_tune_does() -> None:
    session = a_session(indifferent, [RollNote(0, 72, 16), RollNote(16, 74, 7)])
    assert session.log.cells.shape[1] == 24


def test_new_parts_hold_nothing_where_nothing_is_new() -> None:
    tune = [RollNote(bar * 16, 72, 16) for bar in range(3)]
    session = a_session(wanting(roll_of([*tune, RollNote(20, 55, 4)], 48)), tune, bars=(2, 2), mend="nothing")
    list(session.run())
    for part in session.new_parts():
        assert all(note.onset >= 16 and note.end <= 32 for note in part.notes)


def test_what_the_user_does_while_it_composes_holds(tmp_path: Path) -> None:
    session = a_session(wanting(FULL), quality="exact")
    for number, change in enumerate(session.run()):
        assert change.log is session.log
        if number == 3:
            session.set(pitch=60, onset=0, duration=4)
        if number == 5:
            session.lock(1, 1)
    assert RollNote(0, 60, 4) in session.log.notes()
    assert number == 5  # the lock left nothing to do


def test_what_the_user_does_between_two_changes_of_one_pass_holds_and_neither_is_lost() -> None:
    session = a_session(wanting(FULL), mend="nothing")
    told = []
    for change in session.run():
        told.append(change.edit)
        if len(told) == 2:
            session.set(pitch=60, onset=0, duration=4)
    assert RollNote(0, 60, 4) in session.log.notes()
    by_model = [e.edit for e in session.log.entries if isinstance(e, CellEntry) and e.author == "model"]
    assert told == by_model, "every change of the log was told, once"
    np.testing.assert_array_equal(session.log.cells & ~roll_of([RollNote(0, 60, 4)], 16), FULL)


def test_unlocking_sets_a_piece_in_motion_again() -> None:
    session = a_session(pointing_at(Edit(0, 3, 60)))
    session.lock(1, 1)
    assert list(session.run()) == []
    session.unlock(1, 1)
    assert next(session.run()).edit == Edit(0, 3, 60)
    assert session.locks == Locks()


def test_a_model_that_never_settles_is_stopped() -> None:
    session = a_session(indifferent)
    assert len(list(session.run())) <= 400


@pytest.mark.parametrize("options", [{"pitches": (80, 90)}, {"n_voices": 1}, {"pitches": (100, 120)}])
def test_options_that_leave_nothing_to_add_are_refused(options) -> None:
    with pytest.raises(BadInput, match="no note may be added"):
        a_session(**options)


def test_a_note_below_what_the_roll_holds_is_left_alone() -> None:
    tune = [RollNote(0, 0, 1), *(RollNote(4 + 4 * i, 100, 4) for i in range(7))]
    session = a_session(indifferent, tune)
    assert session.reading.shift < 0
    list(session.run(iterations=3))
    assert not session.revision().touched


def test_with_a_pickup_of_an_eighth_new_notes_lie_on_the_files_steps(tmp_path: Path) -> None:
    session = Session(read(EXAMPLE.with_name("greensleeves.mid")), model=model_of(indifferent), seed=2)
    assert session.reading.beat_phase == 2
    list(session.run(iterations=30))
    session.save(tmp_path / "out.mid", n_parts=1)
    written = read(tmp_path / "out.mid")
    new = {(int(n.onset) - session.reading.start, n.pitch) for n in written.notes if n.part > 0}
    model_notes = {
        (n.onset, n.pitch - session.reading.shift) for n in notes_of(session.log.cells & ~session.log.origin)
    }
    assert new == model_notes


def test_taking_one_of_the_users_notes_shortens_it_in_the_file(tmp_path: Path) -> None:
    session = a_session(wanting(roll_of([*MELODY[:3], *BASS], 16)), max_removals=1)
    list(session.run())
    assert len(session.revision().touched) == 1
    session.save(tmp_path / "out.mid")
    own = [note.pitch for note in read(tmp_path / "out.mid").notes if note.part == 0]
    assert own == [72, 74, 76]
    assert any(note.kind == "removed" for note in session.drawing().notes)


def test_saving_keeps_every_note_of_the_users(tmp_path: Path) -> None:
    session = a_session()
    list(session.run())
    session.save(tmp_path / "out.mid")
    again = read(tmp_path / "out.mid")
    own = [(note.onset, note.pitch) for note in again.notes if note.part == 0]
    assert own == [(note.onset, note.pitch) for note in MELODY]
    heard = {(int(note.onset), note.pitch) for note in again.notes}
    assert {(0, 48), (8, 55)} <= heard


def test_a_tempo_that_is_given_takes_the_place_of_the_files(tmp_path: Path) -> None:
    for source in (piece_from_notes(MELODY, bpm=60), read(EXAMPLE)):
        session = Session(source, model=model_of(wanting(FULL)), bpm=90)
        assert "90 bpm" in session.reading.sentence()
        session.save(tmp_path / "out.mid")
        again = read(tmp_path / "out.mid")
        assert [round(tempo.bpm) for tempo in again.tempos] == [90]
        assert [(note.onset, note.pitch) for note in again.notes] == [(n.onset, n.pitch) for n in source.notes]


def test_one_part_holds_all_new_notes_and_only_those() -> None:
    session = a_session()
    list(session.run())
    (part,) = session.new_parts(n_parts=1)
    assert list(part.notes) == notes_of(FULL & ~roll_of(MELODY, 16))
    assert 0 < part.velocity < 80


@pytest.mark.parametrize(
    ("name", "expected"),
    [("out.ogg", "use .mid"), ("nowhere/out.mid", "no folder"), ("out", "without a suffix")],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        a_session().save(tmp_path / name)


def test_a_piece_in_which_nothing_is_written_has_as_many_bars_as_are_asked_for() -> None:
    empty = piece_from_notes([])
    session = Session(empty, model=model_of(wanting(FULL)), n_bars=3, meter="3/4", n_voices=None)
    assert session.log.cells.shape[1] == 36
    assert session.reading.n_bars == 3
    assert not session.log.cells.any()
    # what is written already decides for itself
    assert a_session(n_bars=9).log.cells.shape[1] == 16


def test_two_planes_keep_repeated_notes_apart_also_where_the_model_hears_one() -> None:
    tune = [RollNote(0, 72, 4), RollNote(4, 72, 4), RollNote(8, 74, 8)]
    assert a_session(tune=tune, n_planes=2).log.notes() == tune
    assert a_session(tune=tune).log.notes() == [RollNote(0, 72, 8), RollNote(8, 74, 8)]


def test_a_voice_that_joins_the_tune_holds_what_they_share_however_many_planes_there_are() -> None:
    inner = [RollNote(4, 72, 4), RollNote(8, 67, 4), RollNote(12, 67, 4)]
    parts = []
    for n_planes in (1, 2):
        session = a_session(wanting(roll_of([*MELODY, *inner, *BASS], 16)), n_planes=n_planes, mend="nothing")
        list(session.run())
        parts.append(session.new_parts())
    assert parts[0] == parts[1]
    assert RollNote(0, 72, 8) in parts[0][0].notes


def test_what_was_drawn_comes_out_in_parts_as_it_was_drawn() -> None:
    line = [RollNote(0, 72, 4), RollNote(4, 72, 4), RollNote(8, 74, 8)]
    session = Session(piece_from_notes([]), model=model_of(wanting(FULL)), n_bars=1, n_planes=2, n_voices=None)
    session.log = put_notes(session.log, [], line)
    (part,) = session.new_parts()
    assert list(part.notes) == line


def test_a_piece_made_longer_keeps_its_notes_and_its_new_bars_may_be_written() -> None:
    session = a_session(n_planes=2)
    session.lock(1, 1)
    before = session.log.notes()
    session.lengthen(2)
    assert session.log.cells.shape[1] == session.context.shape[1] == 48
    assert session.log.notes() == before
    allowed = session.policy.allowed(session.log)[0]
    assert not allowed[:16].any()  # the lock stays where it was
    assert allowed[16:].any(axis=1).all()
    session.set(60, 40, 8)
    assert RollNote(40, 60, 8) in session.log.notes()
    assert session.undo()
    assert session.log.notes() == before


def test_no_more_notes_are_added_than_may_be_though_faults_are_mended() -> None:
    is_mended = []
    for seed in range(4):
        session = Session(read(EXAMPLE.with_name("greensleeves.mid")), seed=seed, max_additions=20)
        whys = [change.why for change in session.run()]
        is_mended.append(any(whys))
        assert session.log.n_added <= 20
    assert any(is_mended)


def test_every_voice_of_a_choir_that_strikes_on_a_syllable_carries_it(tmp_path: Path) -> None:
    tune = piece_from_notes([RollNote(at, 72 + at // 4, 4) for at in range(0, 32, 4)], meter=(4, 4))
    words = ("Twin-", "kle", "star,", "", "how-", "", "ev-", "er")
    tune = replace(tune, notes=tuple(replace(n, syllable=w) for n, w in zip(tune.notes, words, strict=True)))
    lines = ((67, (0, 4, 8, 16, 24, 28)), (60, (0, 8, 12, 16, 20, 24)), (48, (4, 10, 24)))
    others = [
        RollNote(at, pitch + i % 2, end - at)
        for pitch, onsets in lines
        for i, (at, end) in enumerate(zip(onsets, (*onsets[1:], 32), strict=True))
    ]
    target = roll_of([*notes_of(Session(tune).log.origin), *others], 32)
    session = Session(tune, model=model_of(wanting(target)), mend="nothing", melody="top")
    list(session.run())
    said = {part.name: {one.step: one.text for one in part.syllables} for part in session.new_parts()}
    assert said == {
        "Alto": {0: "Twin-", 4: "kle", 8: "star,", 16: "how-", 24: "ev-", 28: "er"},
        "Tenor": {0: "Twin-", 8: "star,", 16: "how-", 24: "ev-"},
        "Bass": {0: "Twin-", 4: "kle", 24: "ev-"},  # it begins on the tenor's note
    }
    session.save(tmp_path / "a.musicxml")
    text = (tmp_path / "a.musicxml").read_text()
    tenor = text[text.index('<part id="P3">') :]
    tenor = tenor[: tenor.index("</part>")]
    lyrics = re.findall(r"<syllabic>(\w+)</syllabic>\s*<text>(.*?)</text>(\s*<extend/>)?", tenor)
    assert [(how, what, bool(line)) for how, what, line in lyrics] == [
        ("begin", "Twin", False),
        ("single", "star,", True),
        ("begin", "how", False),
        ("middle", "ev", False),
    ]
    for name in ("a.musicxml", "a.mid"):
        session.save(tmp_path / name)
        again = read(tmp_path / name)
        bass = [note for note in again.notes if again.parts[note.part].name == "Bass" and note.syllable]
        assert [(int(note.onset), note.syllable) for note in bass] == [(0, "Twin-"), (4, "kle"), (24, "ev-")]
    session.ask(ensemble="strings")
    assert not any(part.syllables for part in session.new_parts())
    session.ask(ensemble=None)
    assert not any(part.syllables for part in session.new_parts(1))
    assert [len(part.syllables) for part in session.new_parts(2)] == [6, 5]


HYMN = [RollNote(at, pitch, 4) for at, pitch in zip(range(0, 16, 4), (72, 72, 74, 74), strict=True)]
CHORDS = [RollNote(at, pitch, 4) for at in range(0, 16, 4) for pitch in (48, 55, 65)]


def sung(parts) -> dict[str, list[tuple[int, int, int]]]:
    return {part.name: [(note.onset, note.pitch, note.duration) for note in part.notes] for part in parts}


@pytest.mark.parametrize("quality", ["high", "fast", "exact", "lossless"])
def test_a_model_of_two_planes_repeats_chords_and_every_file_has_them_apart(quality: str, tmp_path: Path) -> None:
    target = roll_of([*HYMN, *CHORDS], 16, n_planes=2)
    session = Session(
        piece_from_notes(HYMN, meter=(4, 4)), model=model_of(striking(target), 2), quality=quality, mend="nothing"
    )
    list(session.run())
    assert session.log.notes() == sorted([*HYMN, *CHORDS])
    whole = sung(session.new_parts())
    assert {len(notes) for notes in whole.values()} == {4}
    for name in ("a.mid", "a.musicxml"):
        session.save(tmp_path / name)
        written = read(tmp_path / name)
        found = sorted(RollNote(int(note.onset), note.pitch, int(note.duration)) for note in written.notes)
        assert found == sorted([*HYMN, *CHORDS])


@pytest.mark.parametrize("seed", range(4))
def test_a_model_of_two_planes_strikes_again_only_between_two_sounding_cells_and_never_a_persons(seed: int) -> None:
    def restless(cells, context):
        logits = np.zeros(cells.shape, dtype=np.float32)
        logits[:, 1] = 3.0  # wherever it may be, or not
        logits[:, 0] = np.where(cells[:, 0], 2.0, 0.0)
        return Prediction(logits, np.full(len(cells), 50.0, dtype=np.float32))

    session = Session(piece_from_notes(HYMN, meter=(4, 4)), model=model_of(restless, 2), melody="top", seed=seed)
    own = session.log.user_cells
    n_struck = 0
    for change in session.run(iterations=150, stop=None):
        again = change.log.cells[1] & ~own[1]
        assert not (again[1:] & ~(change.log.cells[0, 1:] & change.log.cells[0, :-1])).any()
        np.testing.assert_array_equal(change.log.cells[1] & own[0], own[1] & own[0])
        n_struck += change.edit.plane
    assert n_struck > 3
    while session.undo():
        again = session.log.cells[1] & ~own[1]
        assert not (again[1:] & ~(session.log.cells[0, 1:] & session.log.cells[0, :-1])).any()
    np.testing.assert_array_equal(session.log.cells, session.log.origin)


def test_a_voice_that_doubles_the_tune_strikes_with_it_where_the_model_strikes_notes_again() -> None:
    tune = [RollNote(0, 72, 4), RollNote(4, 72, 4), RollNote(8, 74, 8)]
    inner = [RollNote(8, 72, 4), RollNote(12, 67, 4)]
    target = roll_of([*tune, *inner, *BASS], 16, n_planes=2)
    session = Session(piece_from_notes(tune, meter=(4, 4)), model=model_of(striking(target), 2), mend="nothing")
    list(session.run())
    upper = session.new_parts()[0]
    assert list(upper.notes) == [*tune[:2], *inner]


def test_what_the_model_strikes_again_is_said_so() -> None:
    target = roll_of([*HYMN, *CHORDS], 16, n_planes=2)
    session = Session(piece_from_notes(HYMN, meter=(4, 4)), model=model_of(striking(target), 2), mend="nothing")
    said = {session.describe(change) for change in session.run()}
    assert "+ C3 struck again, bar 1, beat 2" in said


def test_a_style_that_the_model_does_not_know_is_refused_by_name() -> None:
    piece = piece_from_notes([RollNote(0, 72, 16)])
    with pytest.raises(BadInput, match=r"does not write in the style hymn: it knows chorale; leave --style out"):
        harmonize(piece, model=model_of(consonant), style="hymn")
    both = replace(model_of(consonant), card={"styles": ["chorale", "hymn"]})
    assert harmonize(piece, model=both, style="hymn", quality="fast").log.n_added
