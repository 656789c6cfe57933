"""A model of voices is asked about each note with that note, and nothing else, taken away."""

import numpy as np
import pytest

from ripieno.sampling.expectation import LEAST, Sung, expected, sung_notes

VOICES = np.array([[72, 60], [72, 60], [74, 60], [74, -1]])


def test_notes_of_voices_are_runs_and_repeats_are_told_apart() -> None:
    assert sung_notes(VOICES) == [Sung(0, 0, 2, 72), Sung(0, 2, 4, 74), Sung(1, 0, 3, 60)]
    onsets = np.zeros(VOICES.shape, dtype=bool)
    onsets[1, 1] = True
    assert sung_notes(VOICES, onsets)[2:] == [Sung(1, 0, 1, 60), Sung(1, 1, 3, 60)]


def test_the_model_sees_all_but_the_note_in_question() -> None:
    seen = []

    def fill(pitches, known):
        seen.append((pitches.copy(), known.copy()))
        return np.zeros((*pitches.shape, 128), dtype=np.float32)

    expected(fill, VOICES, [Sung(1, 0, 3, 60)])
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

    (found,) = expected(fill, voices, [Sung(0, onset, onset + length, 60)], reach=8)
    for number in range(length):
        assert found[60 + number] == pytest.approx(LEAST * (length - 1) / length)
    assert found[59] == LEAST


def test_a_bass_alone_can_be_told_to_be_one() -> None:
    def fill(pitches, known):
        assert (pitches[0, :, :3] == -1).all()
        log_p = np.zeros((*pitches.shape, 128), dtype=np.float32)
        log_p[:, :, 3, 48] = 1
        return log_p

    (found,) = expected(fill, np.full((4, 1), 50), [Sung(0, 0, 2, 50)], columns=(3,))
    assert found.argmax() == 48
