"""Symbols as lead sheets write them; music21 is the judge of what is in a chord."""

import re
from fractions import Fraction

import numpy as np
import pytest
from music21 import harmony as judge

from ripieno.errors import BadInput
from ripieno.music import chords
from ripieno.music.chords import (
    KINDS,
    PlacedChord,
    asked_of_steps,
    chord_of_degrees,
    parse_chart,
    parse_chord,
    place_chart,
)


@pytest.mark.parametrize(
    "symbol",
    ["C", "Am", "F#m7", "G7", "Cmaj7", "Bdim", "Bm7b5", "Cdim7", "Gaug", "Dsus4", "Dsus2", "C6", "Am6", "G9", "Am9"],
)
def test_chords_hold_what_music21_says(symbol):
    classes = {pitch.pitchClass for pitch in judge.ChordSymbol(symbol).pitches}
    assert parse_chord(symbol).classes == classes


@pytest.mark.parametrize(
    ("text", "classes", "symbol"),
    [
        ("Ab", {8, 0, 3}, "Ab"),
        ("Bb7/D", {10, 2, 5, 8}, "Bb7/D"),
        ("E♭m", {3, 6, 10}, "Ebm"),
        ("C°7", {0, 3, 6, 9}, "Cdim7"),
        ("Fø", {5, 8, 11, 3}, "Fm7b5"),
        ("CΔ", {0, 4, 7, 11}, "Cmaj7"),
        ("G-7", {7, 10, 2, 5}, "Gm7"),
        ("C/F#", {0, 4, 7, 6}, "C/F#"),
        ("D7sus4", {2, 7, 9, 0}, "D7sus4"),
        ("G7b9", {7, 11, 2, 5, 8}, "G7b9"),
        ("CM7", {0, 4, 7, 11}, "Cmaj7"),
        ("Cm7", {0, 3, 7, 10}, "Cm7"),
    ],
)
def test_ways_to_write_a_chord(text, classes, symbol):
    chord = parse_chord(text)
    assert chord.classes == classes
    assert chord.symbol == symbol
    assert parse_chord(chord.symbol) == chord


@pytest.mark.parametrize("text", ["H", "Cx", "C7/", "c", "C/H", "7", "Cmaj7/b3", "<b>"])
def test_what_is_no_chord_is_said(text):
    with pytest.raises(BadInput, match=re.escape(f'no chord is called "{text}"')):
        parse_chord(text)


def test_no_way_of_writing_means_two_kinds():
    ways = [way for kind in KINDS.values() for way in kind.symbols]
    assert len(ways) == len(set(ways))


@pytest.mark.parametrize("kind", chords.COMMON, ids=lambda kind: kind.name)
def test_a_set_of_pitch_classes_is_known_by_root_and_kind(kind):
    constant = getattr(chords, kind.name.upper().replace("-", "_"))
    for root in range(12):
        chord = sum(1 << (root + tone) % 12 for tone in kind.semitones)
        assert chords.COMMON[chords.NUMBERS[chord] - 1] is kind
        assert chords.NUMBERS[chord] == constant
        assert chords.ROOTS[chord] == (-1 if kind.is_symmetric else root)


def test_what_is_symmetric_diminished_or_minor_is_read_off_its_notes():
    assert {kind.name for kind in chords.COMMON if kind.is_symmetric} == {"augmented", "diminished-seventh"}
    assert {kind.name for kind in KINDS.values() if kind.is_diminished} == {
        "diminished",
        "half-diminished",
        "diminished-seventh",
    }
    assert not any(kind.is_minor for kind in KINDS.values() if kind.name.startswith(("major-s", "dominant", "sus")))


FOUR_FOUR = [(Fraction(16 * i), Fraction(16 * i + 16), Fraction(4)) for i in range(4)]


def placed(text, spans=FOUR_FOUR):
    return [(float(one.step), one.chord.symbol if one.chord else None) for one in place_chart(parse_chart(text), spans)]


def test_the_chords_of_a_bar_share_its_beats():
    assert placed("C F | G | % | C") == [(0, "C"), (8, "F"), (16, "G"), (32, "G"), (48, "C")]
    assert placed("| C G Am F |")[:4] == [(0, "C"), (4, "G"), (8, "Am"), (12, "F")]
    assert placed("C F G")[:3] == [(0, "C"), (8, "F"), (12, "G")]
    assert placed("C . . G")[:2] == [(0, "C"), (12, "G")]
    assert placed("C | | G")[:2] == [(0, "C"), (32, "G")]
    assert placed("C | N.C. | G")[:3] == [(0, "C"), (16, None), (32, "G")]
    waltz = [(Fraction(0), Fraction(12), Fraction(4))]
    assert placed("C F G", waltz) == [(0, "C"), (4, "F"), (8, "G")]
    jig = [(Fraction(0), Fraction(12), Fraction(6))]
    assert placed("C F", jig) == [(0, "C"), (6, "F")]


def test_after_the_last_bar_of_a_chart_nothing_is_asked():
    assert placed("C | F") == [(0, "C"), (16, "F"), (32, None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C | F | G | C | C", "5 bars, and the piece has 4"),
        ("", "no chords are given"),
        (" | ", "no chords are given"),
        ("% | C", "there is none"),
        (" ".join(["C"] * 17), "more than it has sixteenths"),
        ("C | Q", '"Q"'),
    ],
)
def test_charts_that_do_not_fit_are_said(text, message):
    with pytest.raises(BadInput, match=re.escape(message)):
        place_chart(parse_chart(text), FOUR_FOUR)


def test_what_chords_ask_of_the_steps_of_a_roll():
    chords = [PlacedChord(Fraction(4), parse_chord("C/E")), PlacedChord(Fraction(8), None)]
    classes, basses = asked_of_steps(chords, 2, 8)
    assert classes.all(axis=1).tolist() == [True, True, False, False, False, False, True, True]
    assert np.flatnonzero(classes[2]).tolist() == [0, 4, 7]
    assert basses.tolist() == [-1, -1, 4, 4, 4, 4, -1, -1]


@pytest.mark.parametrize(
    ("kind", "degrees", "symbol"),
    [
        ("dominant", [], "C7"),
        ("major", [(7, 0, "add")], "C7"),
        ("dominant", [(9, -1, "add")], "C7b9"),
        ("suspended-fourth", [(7, 0, "add")], "C7sus4"),
        ("minor-seventh", [(5, -1, "alter")], "Cm7b5"),
        ("dominant", [(5, 1, "alter")], "C7#5"),
        ("major-13th", [], "C?"),
    ],
)
def test_kinds_and_degrees_of_musicxml(kind, degrees, symbol):
    chord = chord_of_degrees(kind, 0, None, degrees)
    assert chord is not None
    assert chord.symbol == symbol
    assert 0 in chord.classes


def test_a_kind_that_nobody_knows_asks_for_nothing():
    assert chord_of_degrees("other", 0, None, []) is None
    assert chord_of_degrees("Tristan", 0, None, []) is None
