"""Wrong notes are found, and put right, by models that know the piece; what is not probable enough is left."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, Philox

from ripieno.edits.edit import Edit
from ripieno.evaluation.mistakes import KINDS, Damaged, damage
from ripieno.evaluation.repairers import (
    Rewriting,
    apply_remedies,
    coconet_repairer,
    es_net_repairer,
    remedies_for,
    rewrite,
    rewritings,
    suspicion,
)
from ripieno.evaluation.statistics import average_precision, roc_area
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import VoiceNote, roll_of_voices
from tests.sampling.fakes import chorale, expecting, pointing_at, wanting, wanting_in_any_key


def rng(number: int = 0) -> Generator:
    return Generator(Philox(key=[7, number]))


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
    es_net_repairer(heard, []).find(damaged)
    assert sorted(asked) == [lowest + by for by in (-2, -1, 0, 1, 2)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "missing"])
def test_models_that_know_the_piece_find_every_wrong_note(kind) -> None:
    damaged = damage(chorale(), kind, 0.05, rng())
    cells = roll_of_voices(damaged.voices)
    by_roll = suspicion(wanting_in_any_key(roll_of_voices(damaged.truth)), cells, context_of(64), damaged.notes)
    by_voice = coconet_repairer(expecting(damaged.truth), []).find(damaged)
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
        by_roll = coconet_repairer(expecting(truth[:, order]), [], read=read)
        assert average_precision(by_roll.find(damaged), damaged.wrong) == 1.0
    np.testing.assert_array_equal(shown, [roll_of_voices(damaged.voices)] * 2)


def test_a_note_that_is_off_in_time_is_found_by_its_worst_cell() -> None:
    damaged = damage(chorale(), "shifted", 0.05, rng())
    scores = coconet_repairer(expecting(damaged.truth), []).find(damaged)
    assert average_precision(scores, damaged.wrong) == 1.0


def test_repairing_hears_every_transposition() -> None:
    """A model that is lost in the piece's own key mends it by what it says a tone lower."""
    truth, cells = roll_of_voices(np.full((8, 1), 60)), roll_of_voices(np.array([[60]] * 7 + [[61]]))
    lower = wanting(np.roll(truth, -2, axis=2))

    def lost_above(shown, context):
        found = lower(shown, context)
        knows = shown[0, 0, :, 58].any()
        return found if knows else replace(found, n_left=np.zeros(1, dtype=np.float32))

    assert list(remedies_for(lost_above, cells, context_of(8), 0.3)) == []
    (first, second) = remedies_for(lost_above, cells, context_of(8), 0.3, transpositions=(0, -2))
    assert {first.edits, second.edits} == {(Edit(0, 7, 60),), (Edit(0, 7, 61),)}
    (repaired,) = es_net_repairer(lost_above, [0.3], transpositions=(0, -2)).repair(
        Damaged("semitone", np.array([[60]] * 7 + [[61]]), np.full((8, 1), 60), (), (), np.zeros(0, dtype=bool))
    )
    np.testing.assert_array_equal(repaired, truth)


def test_a_note_is_changed_as_a_whole_where_its_cells_are_about_as_probable() -> None:
    truth, cells = roll_of_voices(np.full((8, 1), 60)), roll_of_voices(np.full((8, 1), 61))
    whole = list(remedies_for(wanting(truth), cells, context_of(8), 0.5))
    single = list(remedies_for(wanting(truth), cells, context_of(8), 0.5, grow=1.5, most=16))
    assert [len(remedy.edits) for remedy in whole] == [8, 8]
    assert [len(remedy.edits) for remedy in single] == [1] * 16
    for remedies in (whole, single):
        np.testing.assert_array_equal(apply_remedies(cells, remedies, 0.5), truth)


def test_nothing_below_the_threshold_is_changed() -> None:
    cells = roll_of_voices(chorale())
    unsure = pointing_at(Edit(0, 3, 61), n_left=0.4)
    assert list(remedies_for(unsure, cells, context_of(64), 0.5)) == []
    (first, *_) = remedies_for(unsure, cells, context_of(64), 0.3)
    assert first.edits == (Edit(0, 3, 61),)
    assert first.chance == pytest.approx(0.4)


def test_a_cell_changes_twice_at_the_most() -> None:
    stubborn = pointing_at(Edit(0, 3, 61), n_left=1.0)
    assert len(list(remedies_for(stubborn, roll_of_voices(chorale()), context_of(64), 0.5))) == 2


def test_repairing_ends_where_it_is_told_to() -> None:
    cells, truth = roll_of_voices(chorale() + 1), roll_of_voices(chorale())
    assert len(list(remedies_for(wanting(truth), cells, context_of(64), 0.5, grow=2.0, most=5))) == 5


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
    low = list(remedies_for(predict, cells, context_of(64), 0.05))
    own = list(remedies_for(predict, cells, context_of(64), threshold))
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
