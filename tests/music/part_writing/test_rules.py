"""Each rule finds what was planted, and passes over its nearest neighbour that is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ripieno.music.harmony import key_of, note_name, parse_key
from ripieno.music.part_writing import EVERY_RULE, RULES, Count, faults, form_of, judge, parallels
from tests.music.part_writing.chords import A_MINOR, C_MAJOR, FIFTHS, sung

# rule, key, length of a chord, the fault's step and voices, a fault, and a neighbour without it
PLANTED = [
    ("parallel fifths", C_MAJOR, 4, 4, (2, 3), ("C5 E4 G3 C3", "D5 F4 A3 D3"), ("C5 E4 G3 C3", "C5 F4 A3 F3")),
    ("parallel octaves", C_MAJOR, 4, 4, (0, 3), ("C5 G4 E4 C3", "D5 A4 F4 D3"), ("C5 G4 E4 C3", "C5 A4 F4 D3")),
    ("contrary fifths", C_MAJOR, 4, 4, (2, 3), ("E5 C5 G3 C3", "D5 B4 D4 G2"), ("E5 C5 G3 C3", "D5 B4 B3 G2")),
    ("contrary octaves", C_MAJOR, 4, 4, (0, 3), ("C5 E4 G3 C3", "G5 D5 B3 G2"), ("C5 E4 G3 C3", "B4 D5 B3 G2")),
    (
        "hidden fifths and octaves",
        C_MAJOR,
        4,
        4,
        (0, 3),
        ("C5 G4 C4 E3", "D5 G4 B3 G3"),
        ("C5 G4 C4 A3", "D5 G4 B3 G3"),
    ),
    ("hidden, soprano leaps", C_MAJOR, 4, 4, (0, 3), ("C5 G4 C4 E3", "F5 A4 C4 F3"), ("E5 G4 C4 E3", "F5 A4 C4 F3")),
    ("crossing", C_MAJOR, 4, 4, (1, 2), ("C5 G4 E4 C3", "C5 E4 G4 C3"), ("C5 G4 E4 C3", "C5 E4 E4 C3")),
    ("overlap", C_MAJOR, 4, 4, (2, 1), ("C5 E4 G3 C3", "C5 A4 F4 F3"), ("C5 E4 G3 C3", "C5 A4 E4 F3")),
    ("spacing", C_MAJOR, 4, 4, (0, 1), ("C5 G4 E4 C3", "F5 E4 C4 C3"), ("C5 G4 E4 C3", "E5 E4 C4 C3")),
    ("range", C_MAJOR, 4, 4, (0,), ("C5 G4 E4 C3", "A5 G4 E4 C3"), ("C5 G4 E4 C3", "G5 G4 E4 C3")),
    ("tessitura", C_MAJOR, 16, 16, (3,), ("C5 G4 C4 C3", "C5 G4 C4 E2"), ("C5 G4 C4 C3", "C5 G4 C4 G3")),
    ("unrecovered leap", C_MAJOR, 4, 8, (0,), ("C4", "A4", "B4"), ("C4", "A4", "G4")),
    ("augmented second", A_MINOR, 4, 4, (0,), ("F4 A3", "G#4 B3"), ("F4 A3", "D4 B3")),
    ("false relation", C_MAJOR, 4, 4, (0, 3), ("F5 A4 D4 D3", "D5 A4 D4 F#3"), ("F5 A4 D4 D3", "F#5 A4 D4 F#3")),
    ("unresolved leading note", C_MAJOR, 4, 4, (0,), ("B4 F4 D4 G3", "E4 E4 C4 C4"), ("B4 F4 D4 G3", "C5 E4 C4 C4")),
    ("doubled leading note", C_MAJOR, 4, 0, (0, 2), ("B4 F4 B3 G3", "C5 E4 C4 C4"), ("B4 F4 G3 G3", "C5 E4 C4 C4")),
    ("unresolved seventh", C_MAJOR, 4, 4, (1,), ("B4 F4 D4 G3", "C5 G4 E4 C3"), ("B4 F4 D4 G3", "C5 E4 E4 C3")),
    ("doubled seventh", C_MAJOR, 4, 0, (1, 2), ("B4 F4 F4 G3", "C5 E4 C4 C4"), ("B4 F4 D4 G3", "C5 E4 C4 C4")),
    ("missing third", C_MAJOR, 4, 4, (0, 1, 2, 3), ("C5 G4 E4 C3", "C5 G4 C4 C3"), ("C5 G4 C4 E3", "C5 G4 E4 C3")),
    (
        "six-four left by leap",
        C_MAJOR,
        4,
        0,
        (0, 1, 2, 3),
        ("C5 G4 E4 G3", "C5 F4 C4 A2"),
        ("C5 G4 E4 G3", "B4 G4 D4 G2"),
    ),
    ("lone sixteenth", C_MAJOR, 1, 2, (0,), ("C5", "C5", "D5", "E5", "E5"), ("C5", "C5", "C5", "D5", "E5", "E5")),
    ("unprepared clash", C_MAJOR, 4, 4, (0, 2), ("C5 A4 F4 F3", "B4 G4 C4 E3"), ("B4 A4 D4 F3", "B4 G4 C4 E3")),
    (
        "simultaneous false relation",
        C_MAJOR,
        4,
        4,
        (0, 2),
        ("E5 A4 E4 A3", "F#5 A4 F4 D3"),
        ("E5 A4 E4 A3", "F#5 A4 F#4 D3"),
    ),
    (
        "opening without a key",
        C_MAJOR,
        4,
        0,
        (0, 1, 2, 3),
        ("C5 G4 E4 E3", "C5 A4 F4 F3"),
        ("B4 G4 D4 G3", "C5 G4 E4 C3"),
    ),
    (
        "restless phrase end",
        C_MAJOR,
        4,
        4,
        (0, 1, 2, 3),
        ("C5 A4 F4 F3", "B4 G4 D4 B2"),
        ("C5 A4 F4 F3", "B4 G4 D4 G3"),
    ),
    ("retrogression", C_MAJOR, 4, 4, (0, 1, 2, 3), ("B4 G4 D4 G3", "C5 A4 C4 F3"), ("B4 G4 D4 G3", "C5 A4 C4 A3")),
    ("missing leading note", A_MINOR, 4, 0, (0,), ("G4 E4 B3 E3", "A4 E4 C4 A2"), ("G#4 E4 B3 E3", "A4 E4 C4 A2")),
    ("late ending", C_MAJOR, 4, 4, (3,), ("B4 G4 D4 G3", "C5 G4 E4 G3", "C5 G4 E4 C3"), ("B4 G4 D4 G3", "C5 G4 E4 C3")),
    ("open ending", C_MAJOR, 4, 4, (1, 2, 3), ("D5 B4 F4 G3", "C5 A4 F4 F3"), ("D5 B4 F4 G3", "C5 G4 E4 C3")),
]


UNMARKED = [rule for rule in EVERY_RULE if not rule.is_marked]
# what is looked for only where asked, its voices, a chord of which it is said, and a neighbour of which it is not
ASKED = [
    ("six-four chord", (0, 1, 2, 3), "C5 G4 E4 G3", "C5 G4 C4 E3"),
    ("seventh on a beat", (0, 1, 2, 3), "B4 F4 D4 G3", "B4 G4 D4 G3"),
    ("no chord on a beat", (0, 1, 2, 3), "C5 G4 D4 G3", "B4 F4 D4 G3"),
    ("melodic leap", (3,), "C5 G4 E4 A2", "C5 G4 E4 D3"),
]


@pytest.mark.parametrize(
    ("rule", "key", "steps", "step", "voices", "wrong", "right"), PLANTED, ids=[c[0] for c in PLANTED]
)
def test_a_rule_finds_its_fault_and_passes_over_its_neighbour(rule, key, steps, step, voices, wrong, right) -> None:
    bad, good = sung(*wrong, steps=steps), sung(*right, steps=steps)
    bad_form, good_form = (form_of(one, [(len(one) - steps, len(one))]) for one in (bad, good))
    (found,) = faults(bad, key=key, rules=[rule], form=bad_form)
    assert (found.step, found.voices) == (step, voices)
    assert found.pitches == tuple(bad[step, list(voices)])
    assert faults(good, key=key, rules=[rule], excused=True, form=good_form) == []
    assert judge(good, key=key, form=good_form)[rule].n == 0
    count = judge(bad, key=key, form=bad_form)[rule]
    assert count.n == 1 <= count.of


def test_every_rule_has_its_planted_fault() -> None:
    assert [case[0] for case in PLANTED] == [rule.name for rule in RULES]
    assert [case[0] for case in ASKED] == [rule.name for rule in UNMARKED]


@pytest.mark.parametrize(("rule", "voices", "wrong", "right"), ASKED, ids=[c[0] for c in ASKED])
def test_what_is_asked_for_is_found_and_its_neighbour_passed_over(
    rule: str, voices: tuple[int, ...], wrong: str, right: str
) -> None:
    (found,) = faults(sung("C5 G4 E4 C3", wrong), key=C_MAJOR, rules=[rule])
    assert (found.step, found.voices) == (4, voices)
    assert faults(sung("C5 G4 E4 C3", right), key=C_MAJOR, rules=[rule]) == []


def test_bare_octaves_and_fifths_are_passed_over() -> None:
    assert faults(sung("C5 C4", "G4 C4", "C5 G4", "C4 C4"), key=C_MAJOR, rules=["no chord on a beat"]) == []
    assert len(faults(sung("C5 D4"), key=C_MAJOR, rules=["no chord on a beat"])) == 1


def test_a_dominant_before_a_silence_is_on_its_way_to_nothing() -> None:
    rule = "doubled leading note"
    assert len(faults(sung("B4 G4 B3 G3", "C5 E4 C4 C3"), key=C_MAJOR, rules=[rule])) == 1
    assert faults(sung("B4 G4 B3 G3", "- - - -", "C5 E4 C4 C3"), key=C_MAJOR, rules=[rule]) == []


def test_what_a_teacher_lets_stand_is_found_only_where_it_is_asked_for() -> None:
    wrong = sung("C5 G4 E4 C3", "C5 G4 D4 G3", "C5 G4 E4 G3")
    asked = [rule.name for rule in UNMARKED]
    found = ["no chord on a beat", "melodic leap", "six-four chord"]
    assert [fault.rule for fault in faults(wrong, key=C_MAJOR, rules=asked)] == found
    assert not {fault.rule for fault in faults(wrong)} & set(asked)


# Where Bach is exempt


@pytest.mark.parametrize(
    ("rule", "chords"),
    [
        ("unresolved leading note", ("D5 B4 F4 G3", "C5 G4 E4 C3")),  # an inner voice falls a third
        ("unresolved leading note", ("B4 G4 F4 G3", "G4 C5 E4 C3")),  # the alto comes with the tonic
        ("unresolved leading note", ("G4 E4 C4 C3", "F4 F4 C4 A2")),  # I to IV is no dominant to its tonic
        ("doubled leading note", ("E4 E4 C4 C3", "F4 F4 C4 A2")),
        ("unresolved seventh", ("F5 B4 G4 D3", "G5 C5 G4 E3")),  # the seventh walks up with the bass
        ("unresolved seventh", ("B4 F4 D4 G3", "C5 A4 C4 F3")),  # the bass takes it
        ("unresolved seventh", ("C#5 G4 G4 Eb3", "D5 G4 Bb3 D3")),  # an augmented sixth
        ("false relation", ("F4 D4 A3 D3", "F#4 D4 A3 D3")),  # one voice makes the step
        ("unrecovered leap", ("C5 G4 E4 C3", "C5 G4 E4 A3", "D5 F4 D4 B3")),  # the bass may
        ("six-four left by leap", ("C5 G4 E4 G3", "B4 G4 D4 G2")),
        ("six-four left by leap", ("C5 G4 E4 G3", "C5 A4 F4 F3")),
        ("six-four left by leap", ("E5 G4 C4 C3", "F5 A4 C4 C3", "E5 G4 C4 C3", "D5 G4 B3 G2")),  # over a pedal
        ("six-four left by leap", ("E5 G4 C4 G3", "D5 G4 B3 G3", "D5 G4 D4 B2", "E5 G4 C4 C3")),  # resolved, then away
    ],
)
def test_what_bach_does_is_no_fault(rule: str, chords: tuple[str, ...]) -> None:
    assert faults(sung(*chords), key=C_MAJOR, rules=[rule], excused=True) == []


@pytest.mark.parametrize("rule", ["doubled leading note", "doubled seventh", "unresolved seventh"])
def test_an_augmented_sixth_only_sounds_like_a_dominant(rule: str) -> None:
    italian = sung("G4 C5 Eb4 C4", "F#4 C5 C4 Ab3", "G4 B4 D4 G3")  # doubles its third, as it should
    german = sung("F#5 F#4 Eb4 C4 Ab3", "G5 G4 D4 B3 G3")
    for chords in (italian, german):
        assert faults(chords, key=parse_key("Cm"), rules=[rule]) == []


def test_a_third_that_comes_later_in_the_beat_is_not_missing() -> None:
    late = np.concatenate([sung("C5 G4 C4 C3", steps=2), sung("C5 G4 E4 C3", steps=2)])
    assert faults(late, rules=["missing third"]) == []
    assert len(faults(late, rules=["missing third"], beat_phase=2)) == 0
    too_late = np.concatenate([sung("C5 G4 C4 C3", steps=4), sung("C5 G4 E4 C3", steps=2)])
    assert [fault.step for fault in faults(too_late, rules=["missing third"])] == [0]


def test_the_sixteenth_after_a_dotted_eighth_is_not_alone_but_one_before_it_is() -> None:
    dotted = np.repeat([[72], [74], [72]], [3, 1, 4], axis=0)
    assert faults(dotted, rules=["lone sixteenth"]) == []
    assert [fault.step for fault in faults(dotted, rules=["lone sixteenth"], beat_phase=1)] == [3]
    reversed_ = np.repeat([[72], [74], [72]], [4, 1, 3], axis=0)
    assert [fault.step for fault in faults(reversed_, rules=["lone sixteenth"])] == [4]


def test_an_upbeat_out_of_silence_is_not_alone() -> None:
    upbeat = np.repeat([[-1], [67], [72]], [3, 1, 8], axis=0)
    assert faults(upbeat, rules=["lone sixteenth"]) == []
    assert [fault.step for fault in faults(upbeat, rules=["lone sixteenth"], beat_phase=1)] == [3]
    assert [fault.step for fault in faults(np.where(upbeat < 0, 65, upbeat)[1:], rules=["lone sixteenth"])] == [2]


def test_sixteenths_in_pairs_are_not_alone() -> None:
    assert faults(np.repeat([[72], [74], [76], [77]], [2, 1, 1, 4], axis=0), rules=["lone sixteenth"]) == []


def test_across_a_phrase_end_parallels_are_counted_but_excused() -> None:
    voices = sung(*FIFTHS)
    ends = np.arange(8) == 3
    (found,) = [fault for fault in parallels(voices, phrase_ends=ends) if fault.rule == "parallel fifths"]
    assert found.excuse == "phrase end"
    assert judge(voices, phrase_ends=ends)["parallel fifths"] == Count(1, judge(voices)["parallel fifths"].of, 1)
    assert faults(voices, phrase_ends=ends, rules=["parallel fifths"]) == []
    assert faults(voices, phrase_ends=ends, rules=["parallel fifths"], excused=True) == [found]
    assert faults(voices, phrase_ends=np.roll(ends, 1), rules=["parallel fifths"]) != []


def test_fifths_by_anticipation_are_excused_and_those_on_the_beat_are_not() -> None:
    # the soprano's tonic comes an eighth early, while the tenor passes
    rows = sung("D5 B4 G4 G3", "C5 B4 F4 G3", "C5 C5 E4 C3", steps=2)
    voices = np.concatenate([sung("D5 B4 G4 G3", steps=2), rows])
    (found,) = parallels(voices)
    assert (found.step, found.voices, found.excuse) == (4, (0, 2), "")
    (found,) = parallels(voices, beat_phase=2)
    assert found.excuse == "anticipation"


# What counts as a movement


def test_a_rest_between_makes_no_parallel() -> None:
    assert parallels(sung("C5 E4 G3 C3", "C5 F4 - D3", "C5 F4 A3 D3")) == []


def test_a_repeated_note_makes_no_parallel_even_where_it_is_struck_again() -> None:
    voices = sung("C5 E4 G3 C3", "C5 E4 G3 C3")
    struck = np.zeros(voices.shape, dtype=bool)
    struck[[0, 4]] = True
    report = judge(voices, onsets=struck)
    assert report["parallel fifths"] == Count(0, 0, 0)
    assert (report["onsets"].n, judge(voices)["onsets"].n) == (8, 4)
    assert (report["holds"].n, judge(voices)["holds"].n) == (24, 28)


def test_a_crossing_counts_once_however_long_it_lasts() -> None:
    assert len(faults(sung("C5 E4 G4 C3", "C5 E4 A4 C3", "C5 A4 E4 C3", "C5 E4 A4 C3"), rules=["crossing"])) == 2


def test_the_key_that_is_given_decides_what_is_a_leading_note() -> None:
    goes = sung("B4 D4 D4 G3", "E4 E4 C4 C4")
    assert [f.voices for f in faults(goes, key=C_MAJOR, rules=["unresolved leading note"])] == [(0,)]
    assert faults(goes, key=parse_key("D"), rules=["unresolved leading note"]) == []


@pytest.mark.parametrize("name", ["C", "Am", "Eb", "F#", "G#m", "Fm"])
def test_an_augmented_second_is_three_semitones_between_neighbouring_letters(name: str) -> None:
    key, letters = parse_key(name), "CDEFGAB"
    for low in range(60, 72):
        one, other = (letters.index(note_name(pitch, key, short=True)[0]) for pitch in (low, low + 3))
        found = faults(np.array([[low], [low + 3]]), key=key, rules=["augmented second"])
        assert bool(found) == ((other - one) % 7 == 1)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(ValueError, match="parallel ninths"):
        faults(sung(*FIFTHS), rules=["parallel ninths"])


# Any music

lines = st.tuples(st.integers(0, 24), st.integers(1, 4)).flatmap(
    lambda shape: arrays(int, shape, elements=st.sampled_from([-1, *range(48, 73)]))
)


@given(lines, st.integers(0, 3))
def test_any_voices_can_be_judged_and_places_agree_with_counts(voices, beat_phase) -> None:
    report = judge(voices, beat_phase=beat_phase)
    found = faults(voices, beat_phase=beat_phase, excused=True)
    for rule in RULES:
        here = [fault for fault in found if fault.rule == rule.name]
        assert report[rule.name].n == len(here)
        assert report[rule.name].n_excused == sum(fault.excuse != "" for fault in here)
    for name in report:
        assert report[name].n >= 0
        assert name in ("moving pairs", "onsets", "cells", "false relation") or report[name].n <= report[name].of
    for fault in found:
        assert fault.pitches == tuple(voices[fault.step, list(fault.voices)])
        assert max(fault.pitches) >= 0


@given(lines, st.integers(-11, 11))
def test_another_key_changes_nothing_but_ranges(voices, semitones) -> None:
    moved = np.where(voices >= 0, voices + semitones, -1)
    there = key_of((9 + semitones) % 12, "minor")
    kept = [rule.name for rule in RULES if rule.name not in ("range", "tessitura")]
    before = faults(voices, key=A_MINOR, rules=kept)
    after = faults(moved, key=there, rules=kept)
    assert [(f.rule, f.step, f.voices) for f in before] == [(f.rule, f.step, f.voices) for f in after]
