"""Cadences that are asked for: which chords, and on which steps."""

import re

import pytest

from ripieno.errors import BadInput
from ripieno.music.analysis import chords_asked
from ripieno.music.cadences import CADENCES, cadences_asked, parse_cadences, with_cadences
from ripieno.music.chords import PlacedChord
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.music.understanding import Reading, understand

# C major in 4/4, quarters and halves: two phrases of two bars, to D and to C
TUNE = [64, 65, 67, 64, 62, 60, 62, None, 65, 64, 62, 60, 60, 59, 60, None]


def reading(
    pitches: list[int | None] = TUNE, key: str = "C", melody: str = "top", phrases: str = "2, 4", lower: int = 0
) -> Reading:
    notes = [RollNote(4 * i, pitch - lower, 4) for i, pitch in enumerate(pitches) if pitch is not None]
    return understand(piece_from_notes(notes, meter=(4, 4)), key=key, melody=melody, phrases=phrases)


def asked(text: str, of: Reading | None = None) -> list[tuple[float, str]]:
    """Where chords begin, and what they are; "-" where any will do."""
    placed = with_cadences((), cadences_asked(of or reading(), text))
    return [(float(one.step), one.chord.symbol if one.chord else "-") for one in placed]


def test_a_cadence_is_under_the_last_note_and_on_the_beat_before():
    assert asked("4: perfect") == [(52, "G/G"), (56, "C/C"), (60, "-")]
    assert asked("2: half") == [(24, "G/G"), (28, "-")]
    assert asked("2:3: half, 4:3: perfect") == [(24, "G/G"), (28, "-"), (52, "G/G"), (56, "C/C"), (60, "-")]
    assert asked("none") == asked("") == []


def test_what_stands_before_holds_the_tunes_note():
    plagal = reading([*TUNE[:13], 60, 60, None])
    assert asked("4: plagal", plagal)[0] == (52, "F/F")
    seventh = reading([*TUNE[:13], 65, 64, None])
    assert asked("4: perfect", seventh)[0] == (52, "G7/G")
    assert asked("4: imperfect", seventh)[0] == (52, "G7/G"), "the tune does not close on the tonic"


def test_an_imperfect_cadence_on_the_tonic_has_another_bass_and_no_second_leading_note():
    assert asked("4: imperfect")[0] == (52, "G7/D"), "the tune sings the leading note"
    assert asked("4: imperfect", reading([*TUNE[:13], 62, 60, None]))[0] == (52, "G/B")


def test_a_suspension_leaves_the_rest_of_the_beat():
    notes = [RollNote(4 * i, pitch, 4) for i, pitch in enumerate([64, 65, 67, 64, 62]) if pitch]
    notes += [RollNote(20, 60, 2), RollNote(22, 59, 2), RollNote(24, 60, 8)]
    tune = understand(piece_from_notes(notes, meter=(4, 4)), key="C", phrases="2")
    assert asked("2: perfect", tune) == [(22, "G/G"), (24, "C/C"), (32, "-")]


@pytest.mark.parametrize(
    ("cadence", "tune", "chords"),
    [
        ("perfect", [72, 71, 69], ["E/E", "Am/A"]),
        ("perfect", [72, 71, 73], ["E/E", "A/A"]),
        ("half", [72, 72, 71], ["E/E"]),
        ("plagal", [72, 74, 72], ["Dm/D", "Am/A"]),
        ("deceptive", [72, 71, 72], ["E/E", "F/F"]),
    ],
)
def test_in_minor_the_chords_are_those_of_minor(cadence: str, tune: list[int], chords: list[str]):
    minor = reading([69, *tune], "Am", phrases="1")
    assert [chord for _, chord in asked(f"1: {cadence}", minor)][: len(chords)] == chords


def test_a_bass_has_the_roots_itself():
    bass = reading([48, 53, 55, 48], melody="bass", phrases="1")
    assert asked("1: perfect", bass) == [(8, "G/G"), (12, "C/C"), (16, "-")]
    with pytest.raises(BadInput, match=re.escape("your B 3 is not its root")):
        asked("1: perfect", reading([48, 53, 59, 48], melody="bass", phrases="1"))


def test_chords_of_a_chart_give_way_to_a_cadence_and_come_back():
    read = reading()
    chart = chords_asked(piece_from_notes([RollNote(0, 60, 4)]), read, "C | G | Am | F")
    placed = with_cadences(chart, cadences_asked(read, "2: half"))
    assert [(float(one.step), one.chord.symbol) for one in placed if one.chord] == [
        (0, "C"),
        (16, "G"),
        (24, "G/G"),
        (28, "G"),
        (32, "Am"),
        (48, "F"),
    ]
    assert all(isinstance(one, PlacedChord) for one in placed)


def test_the_key_that_holds_there_counts():
    read = reading([*TUNE[:14], 67, None], "C", phrases="2, 4")
    assert [one.in_words() for one in cadences_asked(read, "4: half")] == ["half in bar 4 (G)"]
    in_g = reading([*TUNE[:13], 66, 67, None], "G", phrases="2, 4")
    assert [one.in_words() for one in cadences_asked(in_g, "4: authentic")] == ["perfect in bar 4 (D G)"]


def test_names_are_the_fields():
    assert {parse_cadences(f"3: {name}")[0].name for name in CADENCES} == set(CADENCES)
    for said, name in (("HC", "half"), ("PAC", "perfect"), ("Interrupted", "deceptive"), ("plagal cadence", "plagal")):
        assert parse_cadences(f"3:2: {said}")[0].name == name
        assert str(parse_cadences(f"3:2 {said}")[0].place) == "3:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4: final", '"4: final" is no cadence'),
        ("half", '"half" is no cadence'),
        ("4", "is no cadence"),
        ("4:0: half", "is no cadence"),
        ("4: half, 2: half", "give them in order"),
        ("5: half", "no cadence can be in bar 5: the piece has 4 bars"),
        ("3: half", "no phrase ends at 3, so that no cadence can be there: they end at 2, 4"),
        ("2:1: half", "no phrase ends at 2:1"),
        ("2:7: half", "bar 2 has no beat 7"),
        ("2: perfect", "asks for I of C major (C) at bar 2, beat 3, and your D 4 is not in it"),
        ("4: plagal", "asks for IV of C major (F) at bar 4, beat 2, and your B 3 is not in it"),
        ("2:3: half, 2: half", "are of the same phrase"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(text: str, message: str):
    with pytest.raises(BadInput, match=re.escape(message)) as refused:
        asked(text)
    assert "\n" not in str(refused.value)


def test_where_two_phrases_end_in_one_bar_one_says_which():
    with pytest.raises(BadInput, match="2 phrases end in bar 2; say at which the cadence is, 2:1 or 2:3"):
        asked("2: half", reading(phrases="2:1, 2, 4"))
    assert asked("2:1: half", reading(phrases="2:1, 2, 4")) == [(16, "G/G"), (20, "-")]
