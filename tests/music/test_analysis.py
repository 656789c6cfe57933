"""Chords found, judged by hand and by music21."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from ripieno.music.analysis import find_chords, roman
from ripieno.music.chords import parse_chord
from ripieno.music.harmony import parse_key
from ripieno.music.roll import silence

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from music21 import chord as m21chord
    from music21 import key as m21key
    from music21 import roman as m21roman


def roll(*chords: tuple[int, ...], length: int = 4) -> np.ndarray:
    cells = silence(length * len(chords))
    for i, chord in enumerate(chords):
        cells[0, length * i : length * (i + 1), list(chord)] = True
    return cells


def found(key: str, *chords: tuple[int, ...]) -> str:
    cells = roll(*chords)
    placed = find_chords(cells, range(0, cells.shape[1], 4), parse_key(key))
    return " ".join(f"{float(one.step):g}:{one.chord.symbol if one.chord else '-'}" for one in placed)


def test_chords_are_found_with_their_basses():
    assert found("C", (48, 60, 64, 67), (43, 59, 62, 65), (52, 60, 64, 67)) == "0:C 4:G7 8:C/E"
    assert found("Ab", (44, 56, 60, 63), (46, 55, 58, 61)) == "0:Ab 4:Gdim/Bb"
    assert found("Am", (45, 57, 60, 64), (44, 56, 59, 64), (45, 57, 60, 64)) == "0:Am 4:E/G# 8:Am"
    assert found("C", (48, 60, 64, 67), (), (48, 60, 64, 67)) == "0:C 4:- 8:C"


def test_a_chord_that_lasts_is_named_once():
    assert found("C", (48, 64, 67), (48, 60, 64), (43, 55, 59, 62)) == "0:C 8:G"


def test_a_passing_note_makes_no_chord():
    cells = roll((48, 60, 64, 67), (48, 60, 64, 67))
    cells[0, 2:4, 67], cells[0, 2:4, 65] = False, True
    placed = find_chords(cells, [0, 4], parse_key("C"))
    assert [one.chord.symbol for one in placed if one.chord] == ["C"]


def test_where_the_roll_begins_in_the_file_counts():
    assert find_chords(roll((48, 60, 64, 67)), [0], None, start=32)[0].step == Fraction(32)


@pytest.mark.parametrize(
    ("key", "symbol", "numeral"),
    [
        ("C", "C", "I"),
        ("C", "Dm/F", "ii6"),
        ("C", "G7/B", "V65"),
        ("C", "C/G", "I64"),
        ("C", "D7", "V7/V"),
        ("C", "Bdim/D", "vii°6"),
        ("C", "C7", "V7/IV"),
        ("C", "Cmaj7", "Imaj7"),
        ("C", "Ab", "bVI"),
        ("C", "F#dim7", "vii°7/V"),
        ("C", "E/G#", "V6/vi"),
        ("Am", "E7", "V7"),
        ("Am", "G#dim7", "vii°7"),
        ("Am", "C", "III"),
        ("Am", "F", "VI"),
        ("Am", "Bdim/D", "ii°6"),
        ("Am", "Dm", "iv"),
        ("Am", "A7", "V7/iv"),
        ("Eb", "Bb7", "V7"),
        ("F#m", "Bm/D", "iv6"),
        ("C", "Bm7b5", "viiø7"),
        ("C", "F7/C", "IV43"),
        ("Cm", "Fdim7", "vii°43"),
        ("Cm", "Bdim7/D", "vii°65"),
        ("C", "Adim7", "vii°65/V"),
        ("C", "C#dim7", "vii°7/ii"),
        ("Cm", "C", "V/iv"),
    ],
)
def test_numerals(key, symbol, numeral):
    assert roman(parse_chord(symbol), parse_key(key)) == numeral


def test_a_piece_in_minor_may_close_on_one_in_major() -> None:
    assert roman(parse_chord("C"), parse_key("Cm"), is_last=True) == "I"
    assert roman(parse_chord("C/E"), parse_key("Cm"), is_last=True) == "I6"
    assert roman(parse_chord("G"), parse_key("Cm"), is_last=True) == "V"
    assert roman(parse_chord("C7"), parse_key("Cm"), is_last=True) == "V7/iv"


@pytest.mark.parametrize("key", ["C", "Bb", "A", "Am", "Cm", "F#m"])
def test_diatonic_triads_have_the_numerals_that_music21_gives_them(key):
    ours = parse_key(key)
    tonic = key.rstrip("m")
    theirs = m21key.Key(tonic.replace("b", "-").lower() if key.endswith("m") else tonic.replace("b", "-"))
    for degree in range(1, 8):
        names = [theirs.pitchFromDegree(1 + (degree - 1 + up) % 7).name for up in (0, 2, 4)]
        triad = m21chord.Chord(names)
        triad.inversion(0)
        numeral = m21roman.romanNumeralFromChord(triad, theirs).figure.replace("o", "°")
        quality = triad.quality
        suffix = {"major": "", "minor": "m", "diminished": "dim", "augmented": "aug"}[quality]
        chord = parse_chord(names[0].replace("-", "b") + suffix)
        assert roman(chord, ours) == numeral.replace("b", "").replace("-", "b")
