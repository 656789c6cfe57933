"""A full piece is gone over in rounds, each a batch of the log, and nothing of the user's is cleared."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import ripieno
from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote, notes_of, roll_of, roll_of_voices, silence
from ripieno.sampling import run
from ripieno.sampling.ancestral import compose
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.passes import Ask, Change, Sampler, alone, together
from ripieno.sampling.revising import Clearing, Revising, go_over, is_revised, standing
from ripieno.sampling.run import Way, compose_and_mend
from ripieno.sampling.stopping import StopRule
from tests.sampling.fakes import chorale, consonant, indifferent, model_of, striking, wanting

N_STEPS = 32
CONTEXT = context_of(N_STEPS)
VOICES = chorale()[:N_STEPS]
TUNE = EditLog(roll_of_voices(VOICES[:, :1]))
POLICY = Policy(n_voices=4)
ROUNDS = Revising(n_rounds=5, most=0.7, least=0.2, n_passes=3)
WAY = Way(seed=3, mended="nothing", revising=ROUNDS)


def ran(sampler, model=consonant) -> list[Change]:
    return list(alone(sampler, model))


def asked(sampler: Sampler) -> Ask:
    """What a sampler asks first."""
    first = next(sampler)
    assert isinstance(first, Ask)
    return first


def written(log: EditLog = TUNE, policy: Policy = POLICY, way: Way = WAY, model=consonant, **options) -> list[Change]:
    return ran(compose_and_mend(log, CONTEXT, policy, way, **options), model)


def rounds(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.n_revised]


@pytest.fixture(scope="module")
def whole() -> list[Change]:
    return written()


@pytest.fixture(scope="module")
def full(whole) -> EditLog:
    """What the rounds begin with."""
    return whole[whole.index(rounds(whole)[0]) - 1].log


def test_without_rounds_a_run_is_cell_for_cell_what_sampling_gives() -> None:
    plain = ran(compose(TUNE, CONTEXT, POLICY, 3, None, StopRule(), QUALITIES["high"]))
    assert written(way=replace(WAY, revising=Revising()))[-1].log == plain[-1].log


def test_every_round_is_one_batch_and_undone_in_one_go(whole) -> None:
    found = rounds(whole)
    assert 3 <= len(found) <= ROUNDS.n_rounds + 1
    before = whole[whole.index(found[0]) - 1].log
    logs = [before, *(change.log for change in found)]
    for earlier, change in zip(logs, found, strict=False):
        batches = Counter(entry.batch for entry in change.log.entries[len(earlier.entries) :])
        assert list(batches.values()) == [change.n_revised]
        assert np.count_nonzero(earlier.cells != change.log.cells) == change.n_revised
    last = logs[-1]
    for batch in sorted({entry.batch for entry in last.entries[len(before.entries) :]}, reverse=True):
        last = last.undo(batch)
    np.testing.assert_array_equal(last.cells, before.cells)


def test_rounds_clear_what_the_model_wrote_and_ever_less_of_it(full) -> None:
    own = int(full.model_cells.sum())
    cleared = [
        np.count_nonzero(full.cells & ~asked(go_over(full, CONTEXT, POLICY, ROUNDS, seed)).cells[0])
        for seed in range(20)
    ]
    assert np.mean(cleared) == pytest.approx(0.7 * own, rel=0.1)
    shares = [ROUNDS.share(number) for number in range(ROUNDS.n_rounds)]
    assert shares[0] == 0.7
    assert shares[-1] == pytest.approx(0.2)
    assert shares == sorted(shares, reverse=True)


def test_a_round_clears_whole_notes_or_single_cells(full) -> None:
    def parts_left(clears: Clearing) -> int:
        """Notes of the model's of which some cells were cleared and some not."""
        n_parts = 0
        for seed in range(5):
            left = asked(go_over(full, CONTEXT, POLICY, replace(ROUNDS, clears=(clears,), most=0.5), seed)).cells[0, 0]
            for note in notes_of((full.model_cells)[None]):
                n_parts += 0 < left[note.onset : note.end, note.pitch].sum() < note.duration
        return n_parts

    assert parts_left("notes") == 0
    assert parts_left("cells") > 10


def test_the_users_notes_are_never_cleared_nor_what_is_locked_or_not_selected() -> None:
    given = roll_of_voices(VOICES)  # all four voices, of which the model has written two
    log = EditLog(roll_of_voices(VOICES[:, :2]))
    log = log.record([Edit(*map(int, cell)) for cell in np.argwhere(given & ~log.cells)], "model", batch=None)
    log = EditLog(
        log.origin, tuple(replace(entry, probability=0.5) for entry in log.entries if isinstance(entry, CellEntry))
    )
    locked = np.arange(N_STEPS) < 8
    selection = np.arange(N_STEPS) < 24
    policy = replace(POLICY, locked=locked, selection=selection, max_removals=0)
    kept = (locked | ~selection)[:, None] & np.ones((1, 128), dtype=bool)
    n_asked = 0
    sampler, answer = go_over(log, CONTEXT, policy, ROUNDS, 1), None
    while True:
        try:
            told = sampler.send(answer)
        except StopIteration as end:
            after = end.value
            break
        cells = told.cells[0] if isinstance(told, Ask) else told.log.cells
        answer = consonant(told.cells, told.context) if isinstance(told, Ask) else None
        n_asked += isinstance(told, Ask)
        assert cells[log.user_cells].all()
        np.testing.assert_array_equal(cells[0][kept], log.cells[0][kept])
    assert n_asked > 5
    assert (after.cells != log.cells).any()


def test_where_taking_back_is_forbidden_nothing_is_revised() -> None:
    assert not rounds(written(policy=replace(POLICY, takes_back=False)))


def test_a_limit_of_notes_holds_after_every_pass() -> None:
    policy = replace(POLICY, max_additions=7)
    changes = written(policy=policy)
    assert max(change.log.n_added for change in changes) == 7
    assert len(rounds(changes)) > 1


def test_there_are_never_more_voices_than_asked_for(whole) -> None:
    for change in written(policy=replace(POLICY, n_voices=3)):
        assert np.count_nonzero(change.log.cells[0], axis=1).max() <= 3


def test_the_same_seed_gives_the_same_piece_alone_or_beside_others_and_another_seed_another(whole) -> None:
    others = [
        compose_and_mend(TUNE, CONTEXT, POLICY, replace(WAY, seed=seed, revising=rounds_of))
        for seed, rounds_of in ((3, ROUNDS), (4, ROUNDS), (5, replace(ROUNDS, clears=("notes",))))
    ]
    logs = {number: change.log for number, change in together(others, consonant)}
    assert logs[0] == whole[-1].log
    assert logs[1].cells.tolist() != logs[0].cells.tolist()


def test_a_run_that_is_interrupted_after_any_round_goes_on_as_if_it_had_not_been(whole) -> None:
    for number, change in enumerate(rounds(whole)[:-1]):
        assert standing(change.log).n_rounds == number + 1
        assert written(change.log)[-1].log == whole[-1].log
    limited = written(iterations=whole.index(rounds(whole)[2]) + 1)
    assert limited[-1].log == rounds(whole)[2].log


def test_what_is_revised_to_the_end_stays_and_later_only_what_is_new_is_cleared(whole) -> None:
    done = whole[-1].log
    assert is_revised(done)
    assert written(done) == []
    # the user takes the second half away, and it is written and revised anew: the first half stays as it is
    half = np.argwhere(done.model_cells & (np.arange(N_STEPS) >= 16)[:, None])
    emptied = done.record([Edit(0, int(step), int(pitch)) for step, pitch in half], "model")
    emptied = EditLog(emptied.origin, tuple(replace(e, probability=e.probability or 0.5) for e in emptied.entries))
    policy = replace(POLICY, selection=np.arange(N_STEPS) >= 16)
    again = written(emptied, policy)
    assert rounds(again)
    for change in again:
        np.testing.assert_array_equal(change.log.cells[0, :16], done.cells[0, :16])


def test_a_note_of_the_users_between_two_rounds_stays_and_the_rounds_go_on(whole) -> None:
    interrupted = rounds(whole)[1].log
    free = next(
        pitch for pitch in range(40, 60) if not interrupted.cells[0, 8:12, pitch].any() and pitch not in VOICES[:, 0]
    )
    edited = interrupted.with_note(free, 8, 4)
    further = written(edited, policy=replace(POLICY, n_voices=5))
    assert not [change for change in further if not change.n_revised]  # it is not filled anew, but revised further
    assert further[-1].log.cells[0, 8:12, free].all()
    assert is_revised(further[-1].log)


def test_rounds_that_were_undone_are_as_if_they_had_not_been(whole) -> None:
    found = rounds(whole)
    first = whole[whole.index(found[0]) - 1].log
    batches = {entry.batch for entry in found[1].log.entries[len(first.entries) :] if isinstance(entry, CellEntry)}
    assert standing(found[1].log.undo_all(batches)).n_rounds == 0


def test_rounds_are_no_going_to_and_fro() -> None:
    rule, log = StopRule(memory=8), TUNE
    for number in range(20):
        edits = [Edit(0, step, 40) for step in range(8)]
        log = log.record(edits, "model", [0.5] * 8, id=f"round {number} of 20 at {log.n_edits}")
    assert not rule.goes_to_and_fro(log)
    for _ in range(20):
        log = log.record([Edit(0, 0, 40)], "model", [0.5])
    assert rule.goes_to_and_fro(log)


def test_what_was_written_before_the_rest_was_there_comes_right() -> None:
    target = roll_of_voices(VOICES)
    early = roll_of([RollNote(0, 45, N_STEPS)], N_STEPS)

    def hasty(cells, context) -> Prediction:
        """Wants a wrong note as long as little sounds, and then no longer sees that it is wrong."""
        missing = target & ~cells
        is_empty = cells.sum(axis=(1, 2, 3), keepdims=True) < 2 * N_STEPS
        wanted = np.where(is_empty & early & ~cells, 40.0, np.where(missing & ~early, 30.0, 0.0))
        return Prediction(wanted.astype(np.float32), (wanted > 0).sum(axis=(1, 2, 3)).astype(np.float32))

    plain = written(way=replace(WAY, revising=Revising()), policy=Policy(), model=hasty)[-1].log
    assert plain.cells[0, :, 45].sum() > N_STEPS / 2
    thorough = replace(ROUNDS, n_rounds=12, most=0.4)
    revised = written(way=replace(WAY, revising=thorough), policy=Policy(), model=hasty)[-1].log
    assert revised.cells[0, :, 45].sum() < plain.cells[0, :, 45].sum() / 4
    np.testing.assert_array_equal(revised.cells & ~early, target & ~early)


def test_a_model_that_knows_the_piece_ends_with_it() -> None:
    target = roll_of_voices(VOICES)
    np.testing.assert_array_equal(written(policy=Policy(), model=wanting(target))[-1].log.cells, target)


def test_a_bit_that_strikes_a_note_again_goes_with_its_cell_and_comes_back_with_undo() -> None:
    log = EditLog(silence(N_STEPS, n_planes=2))
    log = log.record([Edit(0, step, 60) for step in range(8)] + [Edit(1, 4, 60)], "model", [0.5] * 9)
    for seed in range(6):
        sampler = go_over(log, CONTEXT, Policy(), replace(ROUNDS, most=0.6), seed)
        cells = asked(sampler).cells[0]
        assert not (cells[1, 1:] & ~(cells[0, 1:] & cells[0, :-1])).any()


def test_notes_that_are_struck_again_are_cleared_one_by_one_and_what_is_struck_too() -> None:
    log = EditLog(silence(N_STEPS, n_planes=2))
    struck = [Edit(1, step, 60) for step in range(4, N_STEPS, 4)]
    log = log.record([Edit(0, step, 60) for step in range(N_STEPS)] + struck, "model", [0.5] * (N_STEPS + len(struck)))
    sizes, n_held = set(), 0
    for seed in range(20):
        for clears in ("notes", "cells"):
            cells = asked(go_over(log, CONTEXT, Policy(), replace(ROUNDS, most=0.3, clears=(clears,)), seed)).cells[0]
            gone = ~cells[0, :, 60]
            if clears == "notes":
                sizes |= {int(gone[at : at + 4].sum()) for at in range(0, N_STEPS, 4)}
            else:
                n_held += int((log.cells[1, 1:, 60] & ~cells[1, 1:, 60] & ~gone[1:] & ~gone[:-1]).sum())
    assert sizes == {0, 4}
    assert n_held > 5


def test_the_rounds_end_with_a_piece_of_two_planes_that_the_model_knows() -> None:
    target = roll_of([RollNote(at, pitch, 4) for at in range(0, N_STEPS, 4) for pitch in (60, 64, 67)], N_STEPS, 2)
    target[1, 0] = False
    for name in ("high", "exact"):
        end = written(EditLog(silence(N_STEPS, 2)), Policy(), replace(WAY, quality=name), striking(target))[-1].log
        np.testing.assert_array_equal(end.cells, target)


def test_a_session_takes_rounds_over_whatever_planes_its_piece_has(monkeypatch) -> None:
    monkeypatch.setitem(run.REVISINGS, "high", ROUNDS)
    tune = piece_from_notes([RollNote(8 * at, 72 + at, 8) for at in range(4)])
    ends = []
    for n_planes in (1, 2):
        session = ripieno.Session(tune, model=model_of(indifferent), melody="top", mend="nothing", n_planes=n_planes)
        found = list(session.run(iterations=60))
        ends.append((session.log.cells[0].tolist(), [change.n_revised for change in found]))
    assert ends[0] == ends[1]
