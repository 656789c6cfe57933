"""Damage is where it is said to be, scores rank as counted by hand, and mending is judged by what was there before."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, Philox

from ripieno.edits.edit import Edit
from ripieno.evaluation.repair import (
    KINDS,
    SEMITONES,
    Damaged,
    Repairer,
    Result,
    Rewriting,
    Verdict,
    apply_remedies,
    average_precision,
    coconet,
    damage,
    es_net,
    interval,
    mend,
    pooled_scores,
    pooled_verdict,
    repair,
    rewrite,
    rewritings,
    roc_area,
    suspicion,
    verdict,
)
from ripieno.files.corpus import Item
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import VoiceNote, notes_of_voices, roll_of_voices
from tests.sampling.fakes import chorale, pointing_at, wanting, wanting_in_any_key


def rng(number: int = 0) -> Generator:
    return Generator(Philox(key=[7, number]))


def expecting(truth: np.ndarray):
    """A model of voices that knows the piece; of which window, it tells from what is known around the blank."""

    def fill(pitches, known):
        log_p = np.full((*pitches.shape, 128), -9.0)
        for row, (here, given_) in enumerate(zip(pitches, known, strict=True)):
            fits = [
                ((truth[start : start + len(here)] == here) & given_).sum()
                for start in range(len(truth) - len(here) + 1)
            ]
            start = int(np.argmax(fits))
            np.put_along_axis(log_p[row], truth[start : start + len(here), :, None], -0.1, axis=2)
        return log_p

    return fill


# --- damage


@given(kind=st.sampled_from(KINDS), number=st.integers(0, 2000), share=st.sampled_from([0.01, 0.05, 0.2]))
def test_every_wrong_note_is_a_fault_and_every_fault_can_be_seen_on_the_roll(kind, number, share) -> None:
    truth = chorale()
    damaged = damage(truth, kind, share, rng(number))
    np.testing.assert_array_equal(truth, chorale())
    wrong = [note for note, is_wrong in zip(damaged.notes, damaged.wrong, strict=True) if is_wrong]
    assert sorted(wrong) == sorted(fault.now for fault in damaged.faults if fault.now)
    differs = roll_of_voices(damaged.voices)[0] != roll_of_voices(truth)[0]
    for fault in damaged.faults:
        assert any(differs[cell] for cell in fault.cells)
    # whoever puts right what belongs to the faults has the true piece
    explained = {cell for fault in damaged.faults for cell in fault.cells}
    assert {tuple(cell) for cell in np.argwhere(differs).tolist()} <= explained


@given(kind=st.sampled_from(KINDS), number=st.integers(0, 2000))
def test_faults_of_a_voice_have_two_notes_between_them_and_keep_to_the_share(kind, number) -> None:
    notes = notes_of_voices(chorale())
    damaged = damage(chorale(), kind, 0.2, rng(number))
    places = sorted(notes.index(fault.was) for fault in damaged.faults)
    for i, j in pairwise(places):
        assert notes[i].voice != notes[j].voice or j - i >= 3
    assert 1 <= len(places) <= round(0.2 * len(notes))


@pytest.mark.parametrize("kind", SEMITONES)
def test_a_single_cell_moves_by_what_its_kind_says(kind) -> None:
    for number in range(30):
        for fault in damage(chorale(), kind, 0.05, rng(number)).faults:
            assert fault.now is not None
            assert fault.now.end - fault.now.onset == 1
            assert fault.was.onset <= fault.now.onset < fault.was.end
            assert abs(fault.now.pitch - fault.was.pitch) == SEMITONES[kind]


def test_whole_notes_move_in_pitch_in_time_or_away() -> None:
    moves, shifts = set(), set()
    for number in range(60):
        (high, *_), (late, *_), (gone, *_) = (
            damage(chorale(), kind, 0.03, rng(number)).faults for kind in ("wrong pitch", "off beat", "missing")
        )
        assert high.now is not None
        assert late.now is not None
        assert gone.now is None
        assert (high.now.onset, high.now.end) == (high.was.onset, high.was.end)
        assert (late.now.pitch, late.now.end - late.now.onset) == (late.was.pitch, late.was.end - late.was.onset)
        moves.add(abs(high.now.pitch - high.was.pitch))
        shifts.add(late.now.onset - late.was.onset)
    assert moves == set(range(1, 8))
    assert shifts == {-2, -1, 1, 2}


def test_a_shifted_note_takes_one_step_of_its_neighbour() -> None:
    sides = set()
    for number in range(30):
        damaged = damage(chorale(), "shifted", 0.03, rng(number))
        fault = damaged.faults[0]
        assert fault.now is not None
        grown = (fault.was.onset - fault.now.onset, fault.now.end - fault.was.end)
        assert sorted(grown) == [0, 1]
        assert (damaged.voices >= 0).all()
        sides.add(grown)
    assert len(sides) == 2


@given(kind=st.sampled_from(["wrong pitch", "missing", "octave"]), number=st.integers(0, 2000))
def test_a_note_that_another_voice_doubles_is_never_damaged(kind, number) -> None:
    doubled = np.stack([np.repeat([60, 62, 64, 67], 4), np.repeat([60, 62, 64, 55], 4)], axis=1)
    assert all(fault.was.onset == 12 for fault in damage(doubled, kind, 0.2, rng(number)).faults)


def test_the_same_seed_does_the_same_damage() -> None:
    one, same, other = (damage(chorale(), "tone", 0.1, rng(number)).voices for number in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_what_cannot_be_damaged_is_refused() -> None:
    with pytest.raises(ValueError, match="no note can be damaged"):
        damage(np.full((8, 1), 60), "shifted", 0.05, rng())  # it has no neighbour
    with pytest.raises(ValueError, match="kind must be one of semitone"):
        damage(chorale(), "louder", 0.05, rng())
    with pytest.raises(ValueError, match=r"share must lie above 0 and up to 1, not 0\.0"):
        damage(chorale(), "tone", 0.0, rng())


# --- scores


def test_average_precision_as_counted_by_hand() -> None:
    labels = np.array([True, False, True, False])
    # found at ranks 1 and 3: (1/1 + 2/3) / 2
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), labels) == pytest.approx(5 / 6)
    # the first two tie: half a hit at precision 1/2, then half at 2/3
    assert average_precision(np.array([3.0, 3.0, 2.0, 1.0]), labels) == pytest.approx((1 / 2 + 2 / 3) / 2)
    # all tie: the share of wrong notes
    assert average_precision(np.zeros(4), labels) == pytest.approx(1 / 2)
    assert np.isnan(average_precision(np.zeros(2), np.zeros(2, dtype=bool)))


def test_roc_area_as_counted_by_hand() -> None:
    labels = np.array([True, False, True, False])
    # of four pairs, the wrong note is above in three
    assert roc_area(np.array([4.0, 3.0, 2.0, 1.0]), labels) == pytest.approx(3 / 4)
    assert roc_area(np.array([3.0, 3.0, 2.0, 1.0]), labels) == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert roc_area(np.zeros(4), labels) == pytest.approx(1 / 2)
    assert np.isnan(roc_area(np.zeros(2), np.ones(2, dtype=bool)))


few_scores = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=12).filter(
    lambda pairs: len({label for _, label in pairs}) == 2
)


@given(few_scores)
def test_roc_area_is_the_share_of_pairs_in_the_right_order(pairs) -> None:
    scores, labels = np.array([s for s, _ in pairs], dtype=float), np.array([w for _, w in pairs], dtype=bool)
    by_pair = np.mean([(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]])
    assert roc_area(scores, labels) == pytest.approx(by_pair)


@given(few_scores, st.permutations(range(12)))
def test_the_order_of_the_notes_changes_no_score(pairs, order) -> None:
    scores, labels = np.array([s for s, _ in pairs], dtype=float), np.array([w for _, w in pairs], dtype=bool)
    mixed = [i for i in order if i < len(pairs)]
    assert average_precision(scores, labels) == pytest.approx(average_precision(scores[mixed], labels[mixed]))
    assert roc_area(scores, labels) == pytest.approx(roc_area(scores[mixed], labels[mixed]))


def test_one_wrong_cell_makes_a_long_note_suspect() -> None:
    notes = [VoiceNote(0, 0, 8, 60), VoiceNote(0, 8, 9, 62)]
    cells = roll_of_voices(np.repeat([[60], [62]], [8, 1], axis=0))
    scores = suspicion(pointing_at(Edit(0, 7, 60)), cells, context_of(9), notes, transpositions=(0,))
    assert scores[0] > scores[1]


def test_wrong_notes_are_looked_for_in_five_keys() -> None:
    asked = []

    def heard(cells, context):
        asked.append(int(np.flatnonzero(cells[0, 0].any(axis=0))[0]))
        return wanting_in_any_key(roll_of_voices(chorale()))(cells, context)

    damaged = damage(chorale(), "tone", 0.05, rng())
    lowest = int(damaged.voices.min())
    es_net(heard, []).find(damaged)
    assert sorted(asked) == [lowest + by for by in (-2, -1, 0, 1, 2)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "missing"])
def test_models_that_know_the_piece_find_every_wrong_note(kind) -> None:
    damaged = damage(chorale(), kind, 0.05, rng())
    cells = roll_of_voices(damaged.voices)
    by_roll = suspicion(wanting_in_any_key(roll_of_voices(damaged.truth)), cells, context_of(64), damaged.notes)
    by_voice = coconet(expecting(damaged.truth), []).find(damaged)
    for scores in (by_roll, by_voice):
        assert average_precision(scores, damaged.wrong) == roc_area(scores, damaged.wrong) == 1.0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "missing"])
def test_who_reads_the_voices_off_the_roll_finds_the_same_wrong_notes(kind) -> None:
    """Where the reading is right; where two voices are read the wrong way round, the notes keep their scores."""
    truth = chorale()
    damaged = damage(truth, kind, 0.05, rng())
    shown = []

    def read(cells):
        shown.append(cells)
        return damaged.voices[:, order]

    for order in ([0, 1, 2, 3], [0, 2, 1, 3]):
        by_roll = coconet(expecting(truth[:, order]), [], read=read)
        assert average_precision(by_roll.find(damaged), damaged.wrong) == 1.0
    np.testing.assert_array_equal(shown, [roll_of_voices(damaged.voices)] * 2)


def test_a_note_that_is_off_in_time_is_found_by_its_worst_cell() -> None:
    damaged = damage(chorale(), "shifted", 0.05, rng())
    scores = coconet(expecting(damaged.truth), []).find(damaged)
    assert average_precision(scores, damaged.wrong) == 1.0


# --- mending


@pytest.mark.parametrize("kind", KINDS)
def test_models_that_know_the_piece_restore_everything_and_spoil_nothing(kind) -> None:
    piece = Item("toy", "valid", roll_of_voices(chorale()), voices=chorale())
    (by_roll,) = repair(es_net(wanting_in_any_key(piece.cells), [0.5]), [piece], [kind])
    (by_voice,) = repair(coconet(expecting(chorale()), [1.0], by_cell=True, n_rounds=4), [piece], [kind])
    for result in (by_roll, by_voice):
        (outcome,) = result.verdicts
        assert outcome.restored == 1
        assert outcome.n_spoiled == outcome.n_invented == 0


def test_mending_hears_every_transposition() -> None:
    """A model that is lost in the piece's own key mends it by what it says a tone lower."""
    truth, cells = roll_of_voices(np.full((8, 1), 60)), roll_of_voices(np.array([[60]] * 7 + [[61]]))
    lower = wanting(np.roll(truth, -2, axis=2))

    def lost_above(shown, context):
        found = lower(shown, context)
        knows = shown[0, 0, :, 58].any()
        return found if knows else replace(found, n_left=np.zeros(1, dtype=np.float32))

    assert list(mend(lost_above, cells, context_of(8), 0.3)) == []
    (first, second) = mend(lost_above, cells, context_of(8), 0.3, transpositions=(0, -2))
    assert {first.edits, second.edits} == {(Edit(0, 7, 60),), (Edit(0, 7, 61),)}
    (repaired,) = es_net(lost_above, [0.3], transpositions=(0, -2)).mend(
        Damaged("semitone", np.array([[60]] * 7 + [[61]]), np.full((8, 1), 60), (), (), np.zeros(0, dtype=bool))
    )
    np.testing.assert_array_equal(repaired, truth)


def test_a_note_is_changed_as_a_whole_where_its_cells_are_about_as_probable() -> None:
    truth, cells = roll_of_voices(np.full((8, 1), 60)), roll_of_voices(np.full((8, 1), 61))
    whole = list(mend(wanting(truth), cells, context_of(8), 0.5))
    single = list(mend(wanting(truth), cells, context_of(8), 0.5, grow=1.5, most=16))
    assert [len(remedy.edits) for remedy in whole] == [8, 8]
    assert [len(remedy.edits) for remedy in single] == [1] * 16
    for remedies in (whole, single):
        np.testing.assert_array_equal(apply_remedies(cells, remedies, 0.5), truth)


def test_nothing_below_the_threshold_is_changed() -> None:
    cells = roll_of_voices(chorale())
    unsure = pointing_at(Edit(0, 3, 61), n_left=0.4)
    assert list(mend(unsure, cells, context_of(64), 0.5)) == []
    (first, *_) = mend(unsure, cells, context_of(64), 0.3)
    assert first.edits == (Edit(0, 3, 61),)
    assert first.chance == pytest.approx(0.4)


def test_a_cell_changes_twice_at_the_most() -> None:
    stubborn = pointing_at(Edit(0, 3, 61), n_left=1.0)
    assert len(list(mend(stubborn, roll_of_voices(chorale()), context_of(64), 0.5))) == 2


def test_mending_ends_where_it_is_told_to() -> None:
    cells, truth = roll_of_voices(chorale() + 1), roll_of_voices(chorale())
    assert len(list(mend(wanting(truth), cells, context_of(64), 0.5, grow=2.0, most=5))) == 5


def fading(target: np.ndarray):
    """A model that is surer of early steps than of late ones."""

    def predict(cells, context):
        wrong = cells != target
        logits = np.where(wrong, -0.05 * np.arange(cells.shape[2])[:, None], -60.0).astype(np.float32)
        return Prediction(logits, np.full(len(cells), 4.0))

    return predict


@given(threshold=st.floats(0.05, 0.95))
def test_a_low_threshold_tells_what_a_higher_one_would_do(threshold) -> None:
    damaged = damage(chorale(), "wrong pitch", 0.2, rng())
    cells, predict = roll_of_voices(damaged.voices), fading(roll_of_voices(damaged.truth))
    low = list(mend(predict, cells, context_of(64), 0.05))
    own = list(mend(predict, cells, context_of(64), threshold))
    np.testing.assert_array_equal(apply_remedies(cells, low, threshold), apply_remedies(cells, own, threshold))


def test_coconet_rewrites_the_worst_of_what_sounds_together() -> None:
    voices = np.full((4, 2), [72, 48])

    def fill(pitches, known):
        log_p = np.full((*pitches.shape, 128), -20.0)
        log_p[:, :, 0, 71], log_p[:, :, 0, 72] = -1.0, -3.0
        log_p[:, :, 3, 50], log_p[:, :, 3, 48] = -1.0, -6.0  # of two voices the lower is the bass
        return log_p

    found = rewritings(fill, voices)
    assert found == [Rewriting(5.0, 1, 0, 4, 50)]
    np.testing.assert_array_equal(rewrite(voices, found, 4.0), np.full((4, 2), [72, 50]))
    np.testing.assert_array_equal(rewrite(voices, found, 6.0), voices)


def test_coconet_fills_what_is_silent_whatever_the_margin() -> None:
    voices = chorale()
    voices[0:4, 0] = -1
    found = rewritings(expecting(chorale()), voices)
    np.testing.assert_array_equal(rewrite(voices, found, 1e9), chorale())


def a_fault() -> Damaged:
    """A quarter note C5 that has become a C#5, over a half note that is good."""
    truth = np.stack([np.repeat([74, 72], 4), np.full(8, 55)], axis=1)
    now = truth.copy()
    now[4:, 0] = 73
    notes = tuple(notes_of_voices(now))
    one = damage(truth, "wrong pitch", 0.01, rng())
    fault = type(one.faults[0])(
        VoiceNote(0, 4, 8, 73), VoiceNote(0, 4, 8, 72), tuple((t, p) for t in range(4, 8) for p in (72, 73))
    )
    return Damaged("wrong pitch", now, truth, (fault,), notes, np.array([note.pitch == 73 for note in notes]))


def with_changes(damaged: Damaged, *cells: tuple[int, int]) -> np.ndarray:
    roll = roll_of_voices(damaged.voices)
    for step, pitch in cells:
        roll[0, step, pitch] ^= True
    return roll


def test_a_fault_is_restored_when_all_of_it_is() -> None:
    one = a_fault()
    assert verdict(one, roll_of_voices(one.truth)) == Verdict(1, 1, 2, 0, 0)
    assert verdict(one, roll_of_voices(one.voices)) == Verdict(1, 0, 2, 0, 0)
    removed = [(t, 73) for t in range(4, 8)]
    assert verdict(one, with_changes(one, *removed)).n_restored == 0
    assert verdict(one, with_changes(one, *[(t, 72) for t in range(4, 8)])).n_restored == 0
    assert verdict(one, with_changes(one, *removed, *[(t, 72) for t in range(4, 7)])).n_restored == 0


def test_a_good_note_is_spoiled_by_a_hole_and_by_a_cell_too_many_but_not_by_its_neighbour_come_back() -> None:
    one = a_fault()
    assert verdict(one, with_changes(one, (7, 55))).n_spoiled == 1
    longer = verdict(one, with_changes(one, (4, 74)))
    assert (longer.n_spoiled, longer.n_invented) == (1, 1)
    apart = verdict(one, with_changes(one, (4, 60), (5, 60), (6, 62)))
    assert (apart.n_spoiled, apart.n_invented) == (0, 2)


# --- piece by piece


def pieces() -> list[Item]:
    return [Item(f"toy-{i}", "valid", roll_of_voices(chorale() + i), voices=chorale() + i) for i in range(3)]


def test_damage_hangs_on_seed_piece_and_kind_and_on_nothing_else() -> None:
    def seen(kinds, seed=0):
        met = {}

        def find(damaged):
            met.setdefault(damaged.kind, []).append(damaged.voices)
            return np.zeros(len(damaged.notes))

        list(repair(Repairer(find, lambda _: []), pieces(), kinds, seed=seed))
        return met

    everything, alone, otherwise = seen(KINDS), seen(["off beat"]), seen(["off beat"], seed=1)
    np.testing.assert_array_equal(everything["off beat"], alone["off beat"])
    assert (np.array(alone["off beat"]) != np.array(otherwise["off beat"])).any()


def test_pieces_without_voices_are_refused() -> None:
    with pytest.raises(ValueError, match="toy has no voices"):
        next(repair(es_net(wanting(roll_of_voices(chorale())), []), [Item("toy", "valid", roll_of_voices(chorale()))]))


def test_what_is_missing_counts_in_mending_but_not_in_finding() -> None:
    results = list(repair(es_net(wanting_in_any_key(roll_of_voices(chorale())), [0.5]), pieces()[:1]))
    scores, wrong = pooled_scores(results)
    assert len(scores) == len(wrong) == sum(len(one.wrong) for one in results if one.kind != "missing")
    n_missing = sum(one.verdicts[0].n_faults for one in results if one.kind == "missing")
    assert pooled_verdict(results).n_faults == wrong.sum() + n_missing
    assert average_precision(scores, wrong) == 1.0
    assert np.isnan(average_precision(*pooled_scores([])))


def test_the_interval_draws_whole_pieces() -> None:
    def one(piece, n_restored):
        return Result(piece, "tone", np.zeros(1), np.ones(1, dtype=bool), (Verdict(4, n_restored, 10, 0, 0),))

    def restored(some):
        return pooled_verdict(some).restored

    apart = [one(str(i), 4 * (i % 2)) for i in range(20)]
    low, high = interval(apart, restored)
    assert low < 0.5 < high
    assert high - low > 0.2
    # a good and a bad result of the same piece always come together
    assert interval([one(str(i // 2), 4 * (i % 2)) for i in range(20)], restored) == (0.5, 0.5)
