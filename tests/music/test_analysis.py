"""Chords found, judged by hand."""

from fractions import Fraction

import numpy as np

from ripieno.music.analysis import find_chords
from ripieno.music.harmony import parse_key
from ripieno.music.roll import silence


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
