"""Cells that must change are told by their probability; a model of voices is asked about each note without it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.edits.edit import Edit
from ripieno.models.context import context_of
from ripieno.music.roll import VoiceNote, notes_of_voices, roll_of_voices, silence
from ripieno.sampling.expectation import (
    LEAST,
    averaged_change_probabilities,
    change_probabilities_of_batch,
    expected_pitches,
    leave_one_out,
)
from tests.sampling.fakes import chorale, indifferent, pointing_at, wanting

VOICES = np.array([[72, 60], [72, 60], [74, 60], [74, -1]])


def test_the_model_sees_all_but_the_note_in_question() -> None:
    seen = []

    def fill(pitches, known):
        seen.append((pitches.copy(), known.copy()))
        return np.zeros((*pitches.shape, 128), dtype=np.float32)

    expected_pitches(fill, VOICES, [VoiceNote(1, 0, 3, 60)])
    (pitches, known), *_ = seen
    assert pitches[0, :, 0].tolist() == [72, 72, 74, 74]
    assert (pitches[0, :, 1:] == -1).all()  # the bass is blank, and there is no alto and no tenor
    assert (known == (pitches >= 0)).all()


@pytest.mark.parametrize(("onset", "length"), [(0, 3), (70, 6), (97, 3)])
def test_what_is_expected_is_the_mean_over_the_notes_own_steps(onset: int, length: int) -> None:
    voices = np.full((100, 1), 60)

    def fill(pitches, known):
        """At each step 60 + (the number of unknown steps so far) is likely, for the soprano."""
        log_p = np.full((*pitches.shape, 128), -np.inf, dtype=np.float32)
        for row, blank in enumerate(~known[:, :, 0]):
            for number, step in enumerate(np.flatnonzero(blank)):
                log_p[row, step, 0, 60 + number] = 0
        return log_p

    (found,) = expected_pitches(fill, voices, [VoiceNote(0, onset, onset + length, 60)], reach=8)
    for number in range(length):
        assert found[60 + number] == pytest.approx(LEAST * (length - 1) / length)
    assert found[59] == LEAST


def test_a_bass_alone_can_be_told_to_be_one() -> None:
    def fill(pitches, known):
        assert (pitches[0, :, :3] == -1).all()
        log_p = np.zeros((*pitches.shape, 128), dtype=np.float32)
        log_p[:, :, 3, 48] = 1
        return log_p

    (found,) = expected_pitches(fill, np.full((4, 1), 50), [VoiceNote(0, 0, 2, 50)], columns=(3,))
    assert found.argmax() == 48


def test_change_probabilities_of_a_model_that_knows_the_piece_are_nought_and_one() -> None:
    voices = chorale()
    voices[4:8, 1] += 2
    cells, true = roll_of_voices(voices), roll_of_voices(chorale())
    prediction = wanting(true)(cells[None], context_of(64)[None])
    np.testing.assert_allclose(change_probabilities_of_batch(prediction)[0], cells != true, atol=1e-6)


def test_change_probabilities_are_the_models_own_whatever_its_logits_were_multiplied_by() -> None:
    prediction = pointing_at(Edit(0, 1, 60), n_left=3.0)(np.zeros((1, 1, 4, 128), dtype=bool), None)
    sharpened = replace(prediction, logits=prediction.logits * 1.25, sharpness=1.25)
    np.testing.assert_allclose(
        change_probabilities_of_batch(sharpened), change_probabilities_of_batch(prediction), rtol=1e-5
    )
    assert (
        change_probabilities_of_batch(replace(prediction, sharpness=100.0)).max()
        < change_probabilities_of_batch(prediction).max()
    )


def test_change_probabilities_are_the_mean_over_transpositions_put_back() -> None:
    true, cells = roll_of_voices(np.array([[60]] * 4)), roll_of_voices(np.array([[60]] * 3 + [[61]]))
    asked = []

    def at_sixty_two(cells, context):
        asked.append(np.flatnonzero(cells[0, 0].any(axis=0)).min() - 60)
        return wanting(np.roll(true, 2, axis=2))(cells, context)  # right only where the piece begins on 62

    found = averaged_change_probabilities(at_sixty_two, cells, context_of(4))
    each = [
        np.roll(cells, by, axis=2) != np.roll(true, 2, axis=2)  # what it says of each, before it is put back
        for by in (0, -1, 1, -2, 2)
    ]
    back = [np.roll(one, -by, axis=2) for one, by in zip(each, (0, -1, 1, -2, 2), strict=True)]
    np.testing.assert_allclose(found, np.mean(back, axis=0), atol=1e-6)
    assert asked == [0, -1, 1, -2, 2]


def test_a_transposition_out_of_the_pitch_window_is_not_asked() -> None:
    asked = []

    def windowed(cells, context):
        sounding = np.flatnonzero(cells[0, 0].any(axis=0))
        asked.append(int(sounding[0]))
        prediction = indifferent(cells, context)
        prediction.logits[..., :36] = prediction.logits[..., 82:] = -np.inf
        return prediction

    cells = roll_of_voices(np.array([[80, 37]] * 4))
    found = averaged_change_probabilities(windowed, cells, context_of(4))
    assert asked == [37, 36, 38]  # a tone lower, or higher, something would be lost
    assert not found[..., :36].any()
    assert not found[..., 82:].any()
    np.testing.assert_allclose(found[..., 36:82], found[0, 0, 40])  # no less certain at the edges


def test_silence_is_asked_about_once() -> None:
    asked = []

    def counted(cells, context):
        asked.append(cells)
        return indifferent(cells, context)

    assert averaged_change_probabilities(counted, silence(4), context_of(4)).shape == (1, 4, 128)
    assert len(asked) == 1


def test_a_blanked_note_is_never_shown() -> None:
    voices = chorale()
    notes = notes_of_voices(voices)
    blanked = []

    def fill(pitches, known):
        assert (pitches[~known] == -1).all()
        assert (pitches[known] >= 0).all()
        blanked.extend((~known).sum(axis=(1, 2)).tolist())
        return np.zeros((*pitches.shape, 128))

    leave_one_out(fill, voices, notes)
    assert sorted(blanked) == sorted(note.end - note.onset for note in notes)


@given(reach=st.integers(0, 80), batch=st.integers(1, 70))
def test_windows_and_batches_put_every_answer_in_its_place(reach, batch) -> None:
    voices = chorale()
    notes = notes_of_voices(voices)[::3]

    def fill(pitches, known):  # it answers with the bass of the step, wherever the window begins
        bass = np.where(known[:, :, 3:], pitches[:, :, 3:], 0)
        return np.broadcast_to(bass[..., None], (*pitches.shape, 128)) + np.arange(128) / 1000

    for note, log_p in zip(notes, leave_one_out(fill, voices, notes, reach=reach, batch=batch), strict=True):
        bass = voices[note.steps, 3] if note.voice != 3 else np.zeros(note.end - note.onset)
        np.testing.assert_allclose(log_p, bass[:, None] + np.arange(128) / 1000)


def test_a_rest_is_known_only_where_that_is_asked_for() -> None:
    voices = np.array([[72, 67, 60, 48], [72, 67, -1, 48]])
    seen = []

    def fill(pitches, known):
        seen.append(known.copy())
        return np.zeros((*pitches.shape, 128))

    for rests_known in (False, True):
        leave_one_out(fill, voices, [VoiceNote(0, 0, 2, 72)], rests_known=rests_known)
    assert [known[0, :, 2].tolist() for known in seen] == [[True, False], [True, True]]
    assert not any(known[0, :, 0].any() for known in seen)
