"""A place on the line of fifths is a letter and its accidental, and with an octave a pitch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.music.pitch import (
    ALTERATIONS,
    LETTERS,
    letter_at,
    name_at,
    octave_of,
    parse_pitch,
    pitch_of,
    place_from,
    place_of,
    signature_alteration,
    within_seven,
)


def test_places_letters_and_alterations_are_one_thing():
    for letter in range(7):
        for alteration in (-2, -1, 0, 1, 2):
            place = place_of(letter, alteration)
            assert letter_at(place) == (letter, alteration)
            assert pitch_of(letter, alteration, 4) % 12 == place * 7 % 12
            name = name_at(place, short=True)
            assert (LETTERS.index(name[0]), ALTERATIONS[name[1:]]) == (letter, alteration)
    assert [name_at(place) for place in (-9, -4, 0, 6, 13)] == [
        "B double flat",
        "A flat",
        "C",
        "F sharp",
        "F double sharp",
    ]


@given(st.integers(0, 127), st.integers(-20, 10))
def test_each_pitch_has_one_place_among_twelve(pitch, lowest):
    place = place_from(lowest, pitch)
    assert lowest <= place < lowest + 12
    letter, alteration = letter_at(place)
    assert pitch_of(letter, alteration, octave_of(pitch, alteration)) == pitch


def test_signatures_alter_letters_in_their_order():
    order = "FCGDAEB"
    for n_sharps in range(-7, 8):
        for letter, name in enumerate("CDEFGAB"):
            place = order.index(name)
            expected = 1 if place < n_sharps else -1 if 6 - place < -n_sharps else 0
            assert signature_alteration(letter, n_sharps) == expected


def test_a_signature_has_at_most_seven_accidentals():
    assert [within_seven(n_sharps) for n_sharps in (-8, -7, 0, 7, 9)] == [4, -7, 0, 7, -3]


def test_a_note_is_read_as_people_write_it():
    assert [parse_pitch(text) for text in ("C4", " f#3", "Bb2", "B♭2", "C-1", "G9")] == [60, 54, 46, 46, 0, 127]


@pytest.mark.parametrize("text", ["H4", "C", "4", "", "C10", "G#9", "Cb-1"])
def test_what_is_no_note_is_refused_in_one_line(text):
    with pytest.raises(BadInput, match=r"is no note|lies outside"):
        parse_pitch(text)
