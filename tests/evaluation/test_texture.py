"""What is counted of four voices, in bars of which it is known."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ripieno.evaluation.texture import FEATURES, Setting, counted, key_of_setting, root_motions
from ripieno.files.corpus import read_jsb
from ripieno.music.harmony import parse_key
from ripieno.music.part_writing import Count, judge

C = parse_key("C")


def a_setting(*lines: str, key: str = "C", **known: object) -> Setting:
    """Four lines from the soprano down; "72 - . 74": a sixteenth each, "-" holds on and "." rests."""
    voices = []
    for line in lines:
        sung: list[int] = []
        for sign in line.split():
            sung.append(sung[-1] if sign == "-" else -1 if sign == "." else int(sign))
        voices.append(sung)
    return Setting(np.array(voices).T, key=parse_key(key), **known)  # type: ignore[arg-type]


def held(pitch: int, n: int) -> str:
    return " ".join([str(pitch), *["-"] * (n - 1)])


def quarters(*pitches: int) -> str:
    return " ".join(held(pitch, 4) for pitch in pitches)


def eighths(*pitches: int) -> str:
    return " ".join(held(pitch, 2) for pitch in pitches)


def rates(setting: Setting) -> dict[str, tuple[int, int]]:
    return {name: (count.n, count.of) for name, count in counted(setting).items()}


def test_lines_are_told_by_steps_and_leaps_with_repeated_notes_joined() -> None:
    found = rates(
        a_setting(
            quarters(72, 72, 72, 72), quarters(67, 67, 65, 64), quarters(60, 64, 67, 69), quarters(48, 50, 52, 45)
        )
    )
    assert found["runs of three, A"] == (1, 1)  # G G F E: G is one note
    assert found["leaps, T"] == (2, 3)
    assert found["leap after leap, T"] == (1, 2)
    assert found["runs of three, B"] == (1, 2)
    assert found["bass by step"] == (2, 3)
    assert found["bass by fourth or fifth"] == (1, 3)
    assert found["bass by third"] == found["bass by tritone"] == (0, 3)


def test_a_rest_parts_a_line() -> None:
    found = rates(a_setting(held(72, 6), held(67, 6), held(60, 6), "48 - 50 . 52 -"))
    assert found["bass by step"] == (1, 1)
    assert found["runs of three, B"] == (0, 0)


def test_a_passing_note_is_an_eighth_off_the_beat_between_two_steps_one_way() -> None:
    found = rates(a_setting(held(72, 16), eighths(67, 65, 64, 65, 67, 67, 71, 72), held(60, 16), held(48, 16)))
    assert found["passing notes, A"] == (2, 3)  # F down and F up; the B is reached by leap
    turning = a_setting(held(72, 12), eighths(67, 69, 67, 65, 67, 67), held(60, 12), held(48, 12))
    assert rates(turning)["passing notes, A"] == (0, 2)
    assert rates(replace(turning, beat_phase=2))["passing notes, A"] == (1, 2)  # now the second G is off the beat
    sixteenth = a_setting(held(72, 8), "67 - - 65 64 - - -", held(60, 8), held(48, 8))
    assert rates(sixteenth)["passing notes, A"] == (0, 1)


def test_beats_with_nothing_on_the_second_eighth_and_sixteenths_are_counted() -> None:
    found = rates(a_setting("72 - - - 72 - 74 - 76 - - 77", held(67, 12), held(60, 12), "48 - - 50 52 - - - 53 - - -"))
    assert found["nothing off the beat"] == (2, 3)
    assert found["sixteenths below the tune"] == (1, 6)


def test_tenor_and_bass_are_parallel_in_thirds_tenths_or_sixths_of_either_size() -> None:
    found = rates(a_setting(held(72, 16), held(69, 16), quarters(64, 65, 62, 62), quarters(48, 50, 53, 57)))
    # E/C to F/D: a tenth to a tenth, major to minor; F/D to D/F moves apart; then the tenor stays
    assert found["tenor and bass parallel"] == (1, 2)
    assert found["alto below tenor"] == (0, 16)
    assert rates(a_setting(held(72, 4), held(60, 4), held(64, 4), held(48, 4)))["alto below tenor"] == (4, 4)


def test_a_clash_is_struck_by_both_voices_on_a_beat() -> None:
    struck = a_setting(quarters(72, 72), quarters(67, 65), quarters(60, 64), quarters(48, 41))
    assert rates(struck)["unprepared clashes"] == (1, 2)  # F over E, and E over F: one beat
    assert rates(struck)["clashes left by leap"] == (0, 2)
    prepared = a_setting(quarters(72, 72), quarters(65, 65), quarters(60, 64), quarters(41, 41))
    assert rates(prepared)["unprepared clashes"] == (0, 2)
    left = a_setting(quarters(72, 72, 72), quarters(67, 65, 69), quarters(60, 64, 64), quarters(48, 45, 45))
    assert rates(left)["clashes left by leap"] == (1, 3)
    later = a_setting("72 - - - - -", "67 - 65 - - -", "60 - 64 - - -", "48 - - - - -")
    assert rates(later)["unprepared clashes"] == (0, 2)


@pytest.mark.parametrize(
    ("chord", "on_the_key", "on_a_triad"),
    [
        ((72, 67, 64, 48), 1, 1),
        ((74, 67, 59, 55), 1, 1),
        ((72, 67, 60, 52), 0, 0),  # I6
        ((72, 69, 65, 53), 0, 1),  # IV
        ((72, 67, 60, 48), 0, 0),  # no third
    ],
)
def test_openings(chord: tuple[int, ...], on_the_key: int, on_a_triad: int) -> None:
    found = rates(a_setting(*(f". {held(pitch, 4)}" for pitch in chord)))
    assert found["opens on I or V in root position"] == (on_the_key, 1)
    assert found["opens on a root-position triad"] == (on_a_triad, 1)
    without = replace(a_setting(*(held(pitch, 4) for pitch in chord)), key=None)
    assert "opens on I or V in root position" not in counted(without)


def test_fermatas_ask_for_rest() -> None:
    setting = a_setting(
        quarters(72, 74, 72, 72),
        quarters(67, 67, 69, 67),
        "64 - - - 59 - - - 65 - - - 64 - - -",
        "48 - - - 55 - 57 - 57 - - - 48 - - -",
        fermatas=((4, 8), (8, 12), (12, 40)),
    )
    found = rates(setting)
    assert found["fermata: root-position triad"] == (2, 3)  # F6 in the middle
    assert found["fermata: inner, shorter than a minim"] == (1, 2)
    assert found["fermata: last"] == (1, 1)
    assert found["bass moves in it"] == (1, 3)
    assert found["inner voice moves in it"] == (0, 3)
    assert "fermata: last" not in counted(replace(setting, fermatas=None))
    assert counted(replace(setting, fermatas=()))["fermata: last"] == Count(0, 0)


def test_the_last_note_may_be_a_repeated_one() -> None:
    setting = a_setting(quarters(74, 72, 72), held(67, 12), held(64, 12), quarters(43, 45, 48))
    assert rates(setting)["bass on the tonic with the last note"] == (0, 1)
    onsets = np.zeros((12, 4), dtype=bool)
    onsets[8, [0, 1]] = True
    told = rates(replace(setting, onsets=onsets))
    assert told["bass on the tonic with the last note"] == (1, 1)
    assert told["repeated notes, A"] == (1, 2)
    assert told["repeated notes, B"] == (0, 3)
    assert "repeated notes, A" not in rates(setting)


def test_chords_on_beats() -> None:
    """I, V, IV, I64."""
    setting = a_setting(
        quarters(72, 74, 72, 72), quarters(67, 67, 69, 67), quarters(64, 59, 65, 64), quarters(48, 55, 53, 55)
    )
    found = rates(setting)
    assert found["complete triads"] == (4, 4)
    assert found["six-fours"] == (1, 4)
    assert found["V-IV"] == (1, 3)
    assert root_motions(setting).tolist() == [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0]


def test_parallels_are_those_of_the_rules() -> None:
    rng = np.random.default_rng(0)
    voices = np.repeat(rng.integers([67, 62, 55, 48], [75, 70, 63, 56], size=(40, 4)), 4, axis=0)
    report, found = judge(voices), counted(Setting(voices))
    for name in ("parallel fifths", "parallel octaves"):
        assert (found[name].n, found[name].of) == (report[name].n, report[name].of)
        assert found[name].n > 0


def test_silence_has_no_opportunities() -> None:
    silent = Setting(np.full((16, 4), -1))
    assert key_of_setting(silent.voices) is None
    assert all(count.n == 0 for name, count in counted(silent).items() if name != "nothing off the beat")
    assert rates(Setting(np.zeros((0, 4), dtype=int)))["nothing off the beat"] == (0, 0)


def test_the_tonic_is_the_last_bass_note_and_the_mode_what_fits() -> None:
    major = np.array([[74, 67, 59, 55], [72, 67, 64, 48]])
    assert key_of_setting(major) == C
    minor = np.array([[74, 69, 65, 50], [71, 68, 64, 52], [72, 69, 64, 45]])
    assert key_of_setting(minor) == parse_key("Am")


def test_no_two_features_have_one_name() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


# Of Bach's own voices, JSB valid, and how many times each could have been.
VALID = {
    "opens on I or V in root position": (62, 76),
    "opens on a root-position triad": (70, 76),
    "bass on the tonic with the last note": (69, 76),
    "unprepared clashes": (46, 4602),
    "clashes left by leap": (11, 4602),
    "runs of three, A": (1295, 3537),
    "runs of three, T": (1429, 3695),
    "runs of three, B": (1823, 4616),
    "leaps, A": (729, 3634),
    "leaps, T": (903, 3794),
    "leaps, B": (1570, 4715),
    "passing notes, B": (780, 4526),
    "passing notes, T": (536, 4526),
    "passing notes, A": (463, 4526),
    "nothing off the beat": (2236, 4602),
    "tenor and bass parallel": (579, 2867),
    "alto below tenor": (334, 18251),
    "parallel fifths": (12, 14951),
    "parallel octaves": (6, 14951),
    "complete triads": (3248, 4602),
    "V-IV": (19, 2353),
}


@pytest.mark.skipif("RIPIENO_DATA" not in os.environ, reason="wants the JSB Chorales in RIPIENO_DATA")
def test_bachs_own_figures_on_the_split_that_choices_are_made_on() -> None:
    path = Path(os.environ["RIPIENO_DATA"]) / "jsb" / "Jsb16thSeparated.json"
    total: dict[str, Count] = {}
    for item in read_jsb(path):
        if item.split == "valid" and item.voices is not None:
            for name, count in counted(Setting(item.voices, key=key_of_setting(item.voices))).items():
                total[name] = total.get(name, Count()) + count
    assert {name: (total[name].n, total[name].of) for name in VALID} == VALID
