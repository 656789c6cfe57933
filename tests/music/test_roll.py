"""A roll and its notes say the same, and what cuts or shifts one loses nothing in silence."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ripieno.music.roll import (
    N_PITCHES,
    Cells,
    RollNote,
    VoiceNote,
    attacks,
    bottom_line,
    notes_of,
    notes_of_voices,
    roll_of,
    roll_of_voices,
    silence,
    top_line,
    window,
)


@st.composite
def rolls(draw: st.DrawFn, n_planes: int | None = None, n_steps: int = 10) -> Cells:
    """Any bit pattern in five neighbouring pitches."""
    cells = silence(n_steps, n_planes or draw(st.sampled_from([1, 2])))
    cells[:, :, 60:65] = draw(arrays(bool, (cells.shape[0], n_steps, 5)))
    return cells


@given(rolls(n_planes=1))
def test_a_roll_is_the_notes_it_holds(cells: Cells) -> None:
    np.testing.assert_array_equal(roll_of(notes_of(cells), cells.shape[1]), cells)


@given(rolls())
def test_notes_survive_a_roll_and_so_do_repeated_ones_if_it_has_a_second_plane(cells: Cells) -> None:
    notes = notes_of(cells)
    again = roll_of(notes, cells.shape[1], n_planes=cells.shape[0])
    assert notes_of(again) == notes
    np.testing.assert_array_equal(again[0], cells[0])


@given(rolls())
def test_each_sounding_cell_belongs_to_exactly_one_note_and_each_note_has_one_attack(cells: Cells) -> None:
    notes = notes_of(cells)
    covered = np.zeros_like(cells[0], dtype=int)
    for note in notes:
        covered[note.onset : note.end, note.pitch] += 1
    np.testing.assert_array_equal(covered, cells[0])
    begins = {(int(step), int(pitch)) for step, pitch in np.argwhere(attacks(cells))}
    assert begins == {(note.onset, note.pitch) for note in notes}
    assert notes == sorted(notes)


def test_one_plane_joins_repeated_notes_and_two_keep_them_apart() -> None:
    repeated = [RollNote(onset=0, pitch=60, duration=4), RollNote(onset=4, pitch=60, duration=2)]
    assert notes_of(roll_of(repeated, 8)) == [RollNote(onset=0, pitch=60, duration=6)]
    assert notes_of(roll_of(repeated, 8, n_planes=2)) == repeated


def test_what_lies_outside_the_second_planes_meaning_changes_no_note() -> None:
    cells = roll_of([RollNote(onset=2, pitch=60, duration=3)], 8, n_planes=2)
    before = notes_of(cells)
    cells[1, 0, 60] = cells[1, 7, 70] = True  # nothing sounds there
    cells[1, 2, 60] = False  # nothing sounds before, so the note begins here either way
    assert notes_of(cells) == before


def test_notes_past_the_ends_are_cut_off() -> None:
    notes = [RollNote(onset=-2, pitch=60, duration=4), RollNote(onset=6, pitch=62, duration=4)]
    notes.append(RollNote(onset=-5, pitch=64, duration=2))
    cut = [RollNote(onset=0, pitch=60, duration=2), RollNote(onset=6, pitch=62, duration=2)]
    assert notes_of(roll_of(notes, 8, n_planes=2)) == cut


@given(rolls(), st.integers(-15, 15), st.integers(0, 25))
def test_a_window_shows_what_is_there_and_silence_past_the_ends(cells: Cells, start: int, n_steps: int) -> None:
    cut = window(cells, start, n_steps)
    assert cut.shape == (cells.shape[0], n_steps, N_PITCHES)
    for step in range(n_steps):
        there = 0 <= start + step < cells.shape[1]
        expected = cells[:, start + step] if there else np.zeros_like(cells[:, 0])
        np.testing.assert_array_equal(cut[:, step], expected)


def test_the_outer_lines_are_the_highest_and_lowest_pitches() -> None:
    cells = roll_of([RollNote(0, 60, 2), RollNote(0, 67, 1), RollNote(3, 0, 1), RollNote(4, 127, 1)], 5)
    assert top_line(cells).tolist() == [67, 60, -1, 0, 127]
    assert bottom_line(cells).tolist() == [60, 60, -1, 0, 127]


def test_a_note_is_a_run_of_one_pitch_in_one_voice() -> None:
    voices = np.array([[60, 48], [60, 50], [62, 50], [-1, 50]])
    assert notes_of_voices(voices) == [
        VoiceNote(0, 0, 2, 60),
        VoiceNote(0, 2, 3, 62),
        VoiceNote(1, 0, 1, 48),
        VoiceNote(1, 1, 4, 50),
    ]
    assert VoiceNote(0, 3, 4, -1) in notes_of_voices(voices, rests=True)
    onsets = np.zeros(voices.shape, dtype=bool)
    onsets[2, 1] = True  # a repeated note is told apart where it is said to begin
    assert notes_of_voices(voices, onsets)[3:] == [VoiceNote(1, 1, 2, 50), VoiceNote(1, 2, 4, 50)]
    assert notes_of_voices(voices[:0]) == []


@given(arrays(int, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-1, 127)))
def test_notes_with_rests_write_the_score_again(voices) -> None:
    again = np.full_like(voices, -2)
    for note in notes_of_voices(voices, rests=True):
        again[note.steps, note.voice] = note.pitch
    np.testing.assert_array_equal(again, voices)


def test_two_voices_in_unison_are_one_cell_of_the_roll() -> None:
    cells = roll_of_voices(np.array([[60, 60], [60, -1]]))
    assert cells.sum() == 2
    assert cells[0, :, 60].all()
