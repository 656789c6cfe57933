"""How a copyist would write it, bar by bar."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.music.notation import (
    VALUE_OF,
    Head,
    Measure,
    Sound,
    Written,
    accidentals,
    spelled,
    write_voice,
)

A = Head(69, 3)


def sound(onset: Fraction | int | str, end: Fraction | int | str, head: Head = A) -> Sound:
    return Sound(Fraction(onset), Fraction(end), (head,))


def bar(numerator: int, denominator: int, start: int = 0, offset: int = 0) -> Measure:
    length = Fraction(16 * numerator, denominator) - offset
    return Measure(Fraction(start), start + length, numerator, denominator, Fraction(offset))


def shown(written: list[Written]) -> str:
    """Values in short: 4 a quarter, 4. a dotted one, r a rest, ~ tied on, (3 in a triplet."""
    names = {"whole": "1", "half": "2", "quarter": "4", "eighth": "8", "16th": "16", "32nd": "32", "breve": "B"}
    return " ".join(
        ("" if one.heads else "r")
        + names[one.value]
        + "." * one.n_dots
        + ("~" if one.tied_to else "")
        + (f"/{one.ratio[0]}" if one.ratio else "")
        for one in written
    )


def write(meter: str, *spans: tuple[int | str, int | str], offset: int = 0) -> str:
    numerator, denominator = map(int, meter.split("/"))
    (written,) = write_voice([sound(*span) for span in spans], [bar(numerator, denominator, offset=offset)])
    return shown(written)


@pytest.mark.parametrize(
    ("meter", "spans", "expected"),
    [
        ("4/4", [(0, 16)], "1"),
        ("4/4", [(0, 12), (12, 16)], "2. 4"),
        ("4/4", [(4, 16)], "r4 2."),
        ("4/4", [(0, 4), (4, 12), (12, 16)], "4 2 4"),
        ("4/4", [(0, 2), (2, 6), (6, 8)], "8 4 8 r2"),
        ("4/4", [(0, 6), (6, 8), (8, 16)], "4. 8 2"),
        ("4/4", [(0, 6), (6, 10), (10, 16)], "4. 8~ 8 4."),
        ("4/4", [(0, 10)], "2~ 8 r8 r4"),
        ("4/4", [(0, 7), (7, 8)], "4~ 8. 16 r2"),
        ("4/4", [(3, 5)], "r8 r16 16~ 16 r16 r8 r2"),
        ("4/4", [(1, 4), (4, 7)], "r16 8. 8. r16 r2"),
        ("4/4", [("1/2", 1), (1, 2)], "r32 32 16 r8 r4 r2"),
        ("3/4", [(0, 12)], "2."),
        ("3/4", [(0, 8), (8, 12)], "2 4"),
        ("3/4", [(4, 12)], "r4 2"),
        ("3/4", [(0, 4)], "4 r4 r4"),
        ("3/4", [(0, 6), (6, 8)], "4. 8 r4"),
        ("3/4", [(2, 10)], "r8 4.~ 8 r8"),
        ("6/8", [(0, 12)], "2."),
        ("6/8", [(0, 6), (6, 12)], "4. 4."),
        ("6/8", [(0, 4), (4, 6), (6, 12)], "4 8 4."),
        ("6/8", [(0, 2), (2, 6), (6, 9), (9, 10), (10, 12)], "8 4 8. 16 8"),
        ("6/8", [(4, 8)], "r4 8~ 8 r8 r8"),
        ("6/8", [(0, 8)], "4.~ 8 r8 r8"),
        ("9/8", [(0, 18)], "2.~ 4."),
        ("12/8", [(0, 24)], "1."),
        ("2/2", [(0, 16)], "1"),
        ("3/2", [(0, 24)], "1."),
        ("5/4", [(0, 20)], "2.~ 2"),
        ("5/4", [(0, 12), (12, 20)], "2. 2"),
        ("5/8", [(0, 10)], "4.~ 4"),
        ("7/8", [(0, 4), (4, 8), (8, 14)], "4 4 4."),
        ("1/4", [(0, 4)], "4"),
    ],
)
def test_a_bar_is_written_as_copyists_write_it(meter, spans, expected):
    assert write(meter, *spans) == expected


def test_a_pickup_is_the_end_of_a_bar():
    assert write("4/4", (0, 4), offset=12) == "4"
    assert write("4/4", (0, 6), offset=10) == "4."
    assert write("6/8", (0, 2), offset=10) == "8"


def test_triplets_are_told_from_what_begins_within_a_beat():
    assert write("4/4", (0, "4/3"), ("4/3", "8/3"), ("8/3", 4), (4, 16)) == "8/3 8/3 8/3 2."
    assert write("4/4", (0, "8/3"), ("8/3", 4)) == "4/3 8/3 r4 r2"
    assert write("4/4", (0, "8/3"), ("8/3", "16/3"), ("16/3", 8)) == "4/3 4/3 4/3 r2"
    assert write("4/4", ("4/3", "8/3")) == "r8/3 8/3 r8/3 r4 r2"
    assert write("4/4", (0, "2/3"), ("2/3", "4/3"), ("4/3", "8/3"), ("8/3", 4)) == "16/3 16/3 8/3 8/3 r4 r2"
    (written,) = write_voice([sound(0, "4/3"), sound("4/3", "8/3"), sound("8/3", 4)], [bar(4, 4)])
    assert [(one.tuplet_starts, one.tuplet_stops) for one in written[:4]] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]


def test_a_note_over_the_bar_line_is_tied():
    first, second = write_voice([sound(12, 24)], [bar(4, 4), bar(4, 4, start=16)])
    assert shown(first) == "r2 r4 4~"
    assert shown(second) == "2 r2"
    assert second[0].tied_from


def test_an_empty_bar_has_one_rest():
    assert [one.is_whole_measure for one in write_voice([], [bar(3, 4)])[0]] == [True]


def test_beams_join_the_flags_of_a_beat():
    (written,) = write_voice(
        [sound(0, 2), sound(2, 3), sound(3, 4), sound(4, 6), sound(8, 11), sound(11, 12)], [bar(4, 4)]
    )
    assert [one.beams for one in written if one.heads] == [
        ("begin",),
        ("continue", "begin"),
        ("end", "end"),
        (),
        ("begin",),
        ("end", "backward hook"),
    ]
    (jig,) = write_voice([sound(i, i + 2) for i in range(0, 12, 2)], [bar(6, 8)])
    assert [one.beams[0] for one in jig] == ["begin", "continue", "end"] * 2


METERS = [
    (4, 4),
    (3, 4),
    (2, 4),
    (6, 8),
    (9, 8),
    (12, 8),
    (3, 8),
    (5, 4),
    (7, 8),
    (2, 2),
    (3, 2),
    (4, 2),
    (6, 4),
    (5, 8),
]


@given(
    meter=st.sampled_from(METERS),
    lengths=st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=30),
    pickup=st.integers(0, 3),
)
def test_what_is_written_lasts_as_long_as_what_sounds(meter, lengths, pickup):
    full = Fraction(16 * meter[0], meter[1])
    measures = [bar(meter[0], meter[1], offset=int(full) - 2 * pickup)] if 0 < 2 * pickup < full else [bar(*meter)]
    for _ in range(6):
        start = measures[-1].end
        measures.append(Measure(start, start + full, *meter))
    sounds, at = [], 0
    for length, is_rest in lengths:
        if not is_rest:
            sounds.append(sound(at, at + length))
        at += length
    written = write_voice(sounds, measures)
    for measure, here in zip(measures, written, strict=True):
        assert here[0].onset == measure.start
        assert all(one.end == other.onset for one, other in pairwise(here))
        assert here[-1].end == measure.end
        for one in here:
            if not one.is_whole_measure:
                assert VALUE_OF[one.duration] == (one.value, one.n_dots)
    flat = [one for here in written for one in here]
    heard: list[tuple[Fraction, Fraction]] = []
    for one in flat:
        if one.heads and one.tied_from:
            heard[-1] = (heard[-1][0], one.end)
        elif one.heads:
            heard.append((one.onset, one.end))
    end = measures[-1].end
    assert heard == [(one.onset, min(one.end, end)) for one in sounds if one.onset < end]


def test_a_head_has_a_letter_an_alteration_and_an_octave():
    assert spelled(Head(60, 0)) == (0, 0, 4)
    assert spelled(Head(60, 12)) == (6, 1, 3)  # B sharp 3
    assert spelled(Head(59, -7)) == (0, -1, 4)  # C flat 4
    assert spelled(Head(66, 6)) == (3, 1, 4)  # F sharp 4
    assert spelled(Head(66, -6)) == (4, -1, 4)  # G flat 4


def row(*heads: Head, tied: int = -1) -> list[Written]:
    return [Written(Fraction(i), Fraction(1), (head,), tied_from=i == tied) for i, head in enumerate(heads)]


F, F_SHARP, F_SHARP_5, B_FLAT = Head(65, -1), Head(66, 6), Head(78, 6), Head(70, -2)


def test_an_accidental_is_shown_once_and_taken_back():
    assert accidentals(row(F, F_SHARP, F_SHARP, F, F), [0] * 5) == {(1, F_SHARP): 1, (3, F): 0}


def test_an_accidental_holds_on_its_line_alone():
    assert accidentals(row(F_SHARP, F_SHARP_5), [0, 0]) == {(0, F_SHARP): 1, (1, F_SHARP_5): 1}


def test_no_sign_repeats_the_signature():
    assert accidentals(row(F_SHARP, B_FLAT), [1, 1]) == {(1, B_FLAT): -1}
    assert accidentals(row(F_SHARP, B_FLAT), [-2, -2]) == {(0, F_SHARP): 1}


def test_a_note_held_over_the_bar_line_has_no_sign_and_the_next_one_does():
    assert accidentals(row(F_SHARP, F_SHARP, tied=0), [0, 0]) == {(1, F_SHARP): 1}
    assert accidentals(row(F_SHARP, F, tied=0), [0, 0]) == {(1, F): 0}
    assert accidentals(row(F, F, tied=0), [0, 0]) == {}


def test_a_new_signature_within_a_bar_counts_from_there():
    assert accidentals(row(F, F_SHARP), [0, 1]) == {}


def test_a_meter_of_many_beats_is_written_in_time_too() -> None:
    """The ways to cut a note at its beats grow as a power of their number; a file may ask for 255 of them."""
    end = 16 * 255
    line = [sound(at, min(at + 1021, end)) for at in range(3, end, 1021)]
    (written,) = write_voice(line, [bar(255, 1)])
    assert sum(one.duration for one in written) == end
    assert all(one.end == following.onset for one, following in pairwise(written))
