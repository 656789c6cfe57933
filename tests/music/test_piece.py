from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ripieno.music.piece import (
    Meter,
    Note,
    NoteCells,
    Part,
    Piece,
    Revision,
    Span,
    bar_starts,
    n_steps,
    note_cells,
    piece_from_notes,
    remaining_notes,
    revise,
    roll_of_piece,
)
from ripieno.music.roll import RollNote, notes_of, roll_of, silence

SOPRANO, ALTO, DRUMS = range(3)
PARTS = (Part(name="Soprano"), Part(name="Alto", channel=1), Part(channel=9, is_drums=True))
N_STEPS = 16


def piece_of(*notes: tuple[int, int, Fraction | float, Fraction | float], meters=()) -> Piece:
    """A piece of notes (part, pitch, onset, end) and meters (step, numerator, denominator)."""
    return Piece(
        notes=tuple(
            Note(id=i, part=part, pitch=pitch, onset=Fraction(onset), duration=Fraction(end) - Fraction(onset))
            for i, (part, pitch, onset, end) in enumerate(notes)
        ),
        parts=PARTS,
        meters=tuple(Meter(step=Fraction(step), numerator=over, denominator=under) for step, over, under in meters),
    )


def rolled(piece, *, silent=(), sounding=(), start=0, steps=N_STEPS, shift=0, parts=None):
    """What `revise` says after some cells (step, pitch) have fallen silent and others were sounded."""
    before = roll_of_piece(piece, start, steps, shift, parts)
    after = before.copy()
    for step, pitch in silent:
        after[0, step, pitch] = False
    for step, pitch in sounding:
        after[0, step, pitch] = True
    return revise(piece, before, after, start, shift, parts)


positions = st.fractions(min_value=0, max_value=N_STEPS, max_denominator=7)
pitches = st.integers(60, 63)  # few, so that notes meet
notes = st.tuples(st.sampled_from([SOPRANO, ALTO, DRUMS]), pitches, positions, positions).map(
    lambda note: (*note[:2], *sorted(note[2:]))
)
some_notes = st.lists(notes, max_size=8)  # a piece is made within the test: its shape checks draw at random
few_cells = st.sets(st.tuples(st.integers(0, N_STEPS - 1), pitches), max_size=12)


@st.composite
def rolls(draw, n_planes=1):
    cells = silence(N_STEPS, n_planes)
    for plane in range(n_planes):
        for step, pitch in draw(few_cells):
            cells[plane, step, pitch] = True
    return cells


@given(cells=st.sampled_from([1, 2]).flatmap(rolls))
def test_a_roll_made_a_piece_and_rolled_again_has_the_same_notes(cells):
    again = roll_of_piece(piece_from_notes(notes_of(cells)), 0, N_STEPS, n_planes=cells.shape[0])
    assert notes_of(again) == notes_of(cells)


@given(some=some_notes, start=st.integers(0, 8), shift=st.sampled_from([-12, 0, 12]))
def test_a_roll_that_did_not_change_revises_nothing(some, start, shift):
    piece = piece_of(*some)
    cells = roll_of_piece(piece, start, N_STEPS, shift)
    assert revise(piece, cells, cells, start, shift) == Revision()


@settings(max_examples=100)
@given(some=some_notes, toggled=few_cells)
def test_what_remains_and_what_is_new_sound_as_the_changed_roll(some, toggled):
    piece = piece_of(*some)
    length = N_STEPS + 1  # room for a note that begins where the last step ends
    before = roll_of_piece(piece, 0, length)
    after = before.copy()
    for step, pitch in toggled:
        after[0, step, pitch] ^= True
    revision = revise(piece, before, after, 0)
    left = roll_of_piece(replace(piece, notes=remaining_notes(piece, revision)), 0, length)
    new = roll_of(revision.new_notes, length)
    assert np.array_equal(left | new, after)
    assert not (left & new).any()


@given(some=some_notes, toggled=few_cells, start=st.integers(0, 8), shift=st.sampled_from([-24, 12]))
def test_where_the_roll_begins_and_how_far_it_is_shifted_does_not_show_in_the_file(some, toggled, start, shift):
    piece = piece_of(*some)
    there = {(step, pitch) for step, pitch in toggled if step >= start}
    before = roll_of_piece(piece, 0, N_STEPS)
    silent = {cell for cell in there if before[0][cell]}
    plain = rolled(piece, silent=silent, sounding=there - silent)
    moved = rolled(
        piece,
        silent={(step - start, pitch + shift) for step, pitch in silent},
        sounding={(step - start, pitch + shift) for step, pitch in there - silent},
        start=start,
        steps=N_STEPS - start,
        shift=shift,
    )
    assert moved == plain


@given(some=some_notes, start=st.integers(0, 8), shift=st.sampled_from([0, 12]))
def test_every_sounding_cell_has_an_owner_and_every_owner_sounds(some, start, shift):
    piece = piece_of(*some)
    owned = silence(N_STEPS)
    for owner in note_cells(piece, start, N_STEPS, shift):
        assert piece.notes[owner.note].pitch + shift == owner.pitch
        owned[0, owner.first : owner.end, owner.pitch] = True
    assert np.array_equal(owned, roll_of_piece(piece, start, N_STEPS, shift))


@pytest.mark.parametrize(
    ("silent", "left"),
    [
        pytest.param([2, 3], [(4, 8.25)], id="its beginning"),
        pytest.param([6, 7], [(2.25, 6)], id="its end"),
        pytest.param([4], [(2.25, 4), (5, 8.25)], id="its middle"),
        pytest.param([2, 5, 7], [(3, 5), (6, 7)], id="both ends and the middle"),
        pytest.param([2, 3, 4, 5, 6, 7], [], id="all of it"),
    ],
)
def test_a_note_loses_the_cells_that_fell_silent_and_keeps_its_exact_ends(silent, left):
    piece = piece_of((SOPRANO, 60, 2.25, 8.25))
    revision = rolled(piece, silent=[(step, 60) for step in silent])
    assert revision == Revision({0: tuple(Span(Fraction(first), Fraction(end)) for first, end in left)})


def test_a_cell_that_falls_silent_is_taken_from_every_part_that_doubles_it():
    piece = piece_of((SOPRANO, 60, 0, 4), (ALTO, 60, 2, 8), (ALTO, 55, 0, 8))
    revision = rolled(piece, silent=[(2, 60), (3, 60)])
    assert revision.touched == {0: (Span(Fraction(0), Fraction(2)),), 1: (Span(Fraction(4), Fraction(8)),)}


def test_a_part_outside_the_roll_keeps_its_notes():
    piece = piece_of((SOPRANO, 60, 0, 4), (ALTO, 60, 0, 4))
    assert set(rolled(piece, silent=[(0, 60)], parts=[SOPRANO]).touched) == {0}


def test_what_a_note_has_outside_the_region_is_left_alone():
    piece = piece_of((SOPRANO, 60, 0, 16))
    revision = rolled(piece, silent=[(step, 60) for step in range(4)], start=6, steps=4)
    assert revision.touched[0] == (Span(Fraction(0), Fraction(6)), Span(Fraction(10), Fraction(16)))


def test_a_new_note_never_lengthens_an_old_one():
    piece = piece_of((SOPRANO, 60, 4, 8))
    revision = rolled(piece, sounding=[(3, 60), (8, 60), (9, 60)])
    assert revision == Revision({}, (RollNote(3, 60, 1), RollNote(8, 60, 2)))


def test_new_notes_repeat_where_the_second_plane_says_so():
    piece = piece_of((SOPRANO, 72, 0, 8))
    before = roll_of_piece(piece, 0, 8, n_planes=2)
    after = before.copy()
    after[0, 0:4, 60] = after[1, 2, 60] = True
    assert revise(piece, before, after, 0).new_notes == (RollNote(0, 60, 2), RollNote(2, 60, 2))


def test_a_new_note_that_has_no_pitch_in_the_file_goes_to_the_nearest_octave():
    deep, high = piece_of((SOPRANO, 3, 0, 4)), piece_of((SOPRANO, 125, 0, 4))
    assert rolled(deep, sounding=[(0, 40)], shift=48).new_notes == (RollNote(0, 4, 1),)
    assert rolled(high, sounding=[(0, 81)], shift=-48).new_notes == (RollNote(0, 117, 1),)


def test_drums_and_notes_outside_the_128_pitches_are_not_in_a_roll():
    piece = piece_of((DRUMS, 60, 0, 4), (SOPRANO, 5, 0, 4), (SOPRANO, 20, 0, 4))
    assert note_cells(piece, 0, 8, shift=-12) == [NoteCells(note=2, first=0, end=4, pitch=8)]


def test_notes_go_to_the_nearest_step_and_none_is_too_short_for_one():
    cells = roll_of_piece(piece_of((SOPRANO, 60, 1.4, 3.6), (SOPRANO, 62, 5.1, 5.1), (SOPRANO, 64, 7.5, 8)), 0, 16)
    assert notes_of(cells) == [RollNote(1, 60, 3), RollNote(5, 62, 1), RollNote(8, 64, 1)]


def test_a_piece_ends_with_its_last_note_that_is_no_drum():
    assert n_steps(piece_of((SOPRANO, 60, 0, 7.9), (DRUMS, 38, 0, 64))) == 8
    assert n_steps(piece_of((DRUMS, 38, 0, 64))) == 0


@pytest.mark.parametrize(
    ("meters", "bars"),
    [
        pytest.param([], [0, 16], id="4/4 if the file does not say"),
        pytest.param([(0, 3, 4)], [0, 12, 24], id="3/4"),
        pytest.param([(0, 1, 4), (4, 4, 4)], [0, 4, 20], id="a pickup bar"),
        pytest.param([(12, 6, 8)], [0, 12, 24], id="a change within a bar begins a new one"),
        pytest.param([(0, 3, 4), (8, 3, 4)], [0, 12, 24], id="a repeated meter says nothing"),
        pytest.param([(0, 3, 4), (50, 4, 4)], [0, 12, 24], id="a meter past the end"),
        pytest.param([(0, 5, 16)], [0, 5, 10, 15, 20, 25], id="5/16"),
    ],
)
def test_bars_are_the_file_s_own(meters, bars):
    assert bar_starts(piece_of((SOPRANO, 60, 0, 30), meters=meters)) == bars


def test_a_piece_made_in_python_says_only_what_it_was_told():
    plain = piece_from_notes([RollNote(4, 62, 4), RollNote(0, 60, 4)])
    assert [note.pitch for note in plain.notes] == [60, 62]
    assert [note.id for note in plain.notes] == [0, 1]
    assert (plain.tempos, plain.meters, plain.keys) == ((), (), ())
    told = piece_from_notes([], bpm=92, meter=(3, 4), name="Minuet")
    assert (told.tempos[0].bpm, told.name) == (92, "Minuet")
    assert told.meters[0].steps_per_bar == 12
