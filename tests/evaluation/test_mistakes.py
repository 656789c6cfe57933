"""Damage is where it is said to be, and can be seen."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, Philox

from ripieno.evaluation.mistakes import KINDS, SEMITONES, damage
from ripieno.music.roll import notes_of_voices, roll_of_voices
from tests.sampling.fakes import chorale


def rng(number: int = 0) -> Generator:
    return Generator(Philox(key=[7, number]))


@given(kind=st.sampled_from(KINDS), number=st.integers(0, 2000), share=st.sampled_from([0.01, 0.05, 0.2]))
def test_every_wrong_note_is_a_mistake_and_every_mistake_can_be_seen_on_the_roll(kind, number, share) -> None:
    truth = chorale()
    damaged = damage(truth, kind, share, rng(number))
    np.testing.assert_array_equal(truth, chorale())
    wrong = [note for note, is_wrong in zip(damaged.notes, damaged.wrong, strict=True) if is_wrong]
    assert sorted(wrong) == sorted(mistake.now for mistake in damaged.mistakes if mistake.now)
    differs = roll_of_voices(damaged.voices)[0] != roll_of_voices(truth)[0]
    for mistake in damaged.mistakes:
        assert any(differs[cell] for cell in mistake.cells)
    # whoever puts right what belongs to the mistakes has the true piece
    explained = {cell for mistake in damaged.mistakes for cell in mistake.cells}
    assert {tuple(cell) for cell in np.argwhere(differs).tolist()} <= explained


@given(kind=st.sampled_from(KINDS), number=st.integers(0, 2000))
def test_mistakes_of_a_voice_have_two_notes_between_them_and_keep_to_the_share(kind, number) -> None:
    notes = notes_of_voices(chorale())
    damaged = damage(chorale(), kind, 0.2, rng(number))
    places = sorted(notes.index(mistake.was) for mistake in damaged.mistakes)
    for i, j in pairwise(places):
        assert notes[i].voice != notes[j].voice or j - i >= 3
    assert 1 <= len(places) <= round(0.2 * len(notes))


@pytest.mark.parametrize("kind", SEMITONES)
def test_a_single_cell_moves_by_what_its_kind_says(kind) -> None:
    for number in range(30):
        for mistake in damage(chorale(), kind, 0.05, rng(number)).mistakes:
            assert mistake.now is not None
            assert mistake.now.end - mistake.now.onset == 1
            assert mistake.was.onset <= mistake.now.onset < mistake.was.end
            assert abs(mistake.now.pitch - mistake.was.pitch) == SEMITONES[kind]


def test_whole_notes_move_in_pitch_in_time_or_away() -> None:
    moves, shifts = set(), set()
    for number in range(60):
        (high, *_), (late, *_), (gone, *_) = (
            damage(chorale(), kind, 0.03, rng(number)).mistakes for kind in ("wrong pitch", "off beat", "missing")
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
        mistake = damaged.mistakes[0]
        assert mistake.now is not None
        grown = (mistake.was.onset - mistake.now.onset, mistake.now.end - mistake.was.end)
        assert sorted(grown) == [0, 1]
        assert (damaged.voices >= 0).all()
        sides.add(grown)
    assert len(sides) == 2


@given(kind=st.sampled_from(["wrong pitch", "missing", "octave"]), number=st.integers(0, 2000))
def test_a_note_that_another_voice_doubles_is_never_damaged(kind, number) -> None:
    doubled = np.stack([np.repeat([60, 62, 64, 67], 4), np.repeat([60, 62, 64, 55], 4)], axis=1)
    assert all(mistake.was.onset == 12 for mistake in damage(doubled, kind, 0.2, rng(number)).mistakes)


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
