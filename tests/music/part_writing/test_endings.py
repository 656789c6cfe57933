"""How a piece ends, and whether that closes it."""

import numpy as np
import pytest

from ripieno.music.harmony import key_of
from ripieno.music.part_writing import cadence, faults, open_ending
from tests.music.part_writing.chords import C_MAJOR, sung


@pytest.mark.parametrize("semitones", range(12))
def test_a_diminished_seventh_leads_home_in_every_key(semitones: int) -> None:
    """Any of its notes may be its root, so none is; it leads to where one of them is a semitone below."""
    key = key_of((9 + semitones) % 12, "minor")
    home = sung("D4 B3 F3 G#2", "C4 A3 E3 A2") + semitones
    assert cadence(home, key) == "authentic"
    assert cadence(home + np.repeat([[2], [0]], 4, axis=0), key) == "other"
    assert faults(home, key=key, rules=["unresolved seventh", "doubled leading note"]) == []


@pytest.mark.parametrize(
    ("chords", "kind"),
    [
        (("D5 B4 F4 G3", "C5 C5 E4 C3"), "perfect authentic"),
        (("D5 B4 F4 G3", "E5 C5 E4 C3"), "authentic"),  # the third on top
        (("D5 G4 F4 B3", "C5 G4 E4 C4"), "authentic"),  # the dominant is inverted
        (("D5 A4 F4 B3", "C5 G4 E4 C4"), "authentic"),  # the leading note's own chord
        (("D5 B4 F4 G3", "C5 B4 F4 G3", "C5 C5 E4 C3"), "perfect authentic"),  # an anticipation between
        (("C5 A4 F4 F3", "C5 G4 E4 C3"), "plagal"),
        (("C5 A4 F4 F3", "B4 G4 D4 G3"), "half"),
        (("D5 B4 F4 G3", "C5 A4 E4 A3"), "other"),
        (("C5 G4 E4 C3", "C5 G4 F4 C3"), "other"),  # ends on no chord
        (("- - - -",), "other"),
    ],
)
def test_the_last_two_chords_make_the_cadence(chords: tuple[str, ...], kind: str) -> None:
    assert cadence(sung(*chords), C_MAJOR) == kind


@pytest.mark.parametrize(
    ("chords", "wrong"),
    [
        (("D5 B4 F4 G3", "C5 C5 E4 C3"), ()),
        (("C5 A4 F4 F3", "B4 G4 D4 G3"), ()),  # a half cadence may be meant
        (("E5 B4 G#4 E3", "C5 A4 E4 A3"), ()),  # closes in another key, which may be the right one
        (("D5 B4 F4 G3", "C5 A4 F4 F3"), (1, 2, 3)),
        (("C5 G4 E4 C3", "C5 A4 F4 F3"), (1, 2, 3)),  # I-IV is no V-I
        (("D5 B4 F4 G3", "C5 G4 E4 G3"), (3,)),  # the tonic, but over its fifth
        (("D5 B4 F4 G3", "C5 C5 E4 E4"), (3,)),  # of two in unison the lower voice is the bass
        (("D5 B4 F4 G3", "C5 G4 F4 C3"), (2,)),
        (("D5 B4 F4 G3", "C5 G4 Eb4 C3"), (2,)),  # what is in major does not close in minor
        (("E5 B4 G#4 E3", "A4 E4 C4 A2"), ()),  # but on another tonic it may
        (("- - - -",), ()),
    ],
)
def test_an_ending_is_open_for_the_voices_that_keep_it_from_the_tonic(
    chords: tuple[str, ...], wrong: tuple[int, ...]
) -> None:
    fault = open_ending(sung(*chords), C_MAJOR)
    assert (fault.voices if fault else ()) == wrong
    assert fault is None or fault.step == 4


def test_a_minor_piece_may_close_in_major_but_not_in_both() -> None:
    a_minor = key_of(9, "minor")
    endings = {"A4 E4 C#4 A2": None, "A4 E4 C4 A2": None, "A4 C#4 C4 A2": (1,), "A4 F4 C4 F3": (1, 3)}
    for chord, wrong in endings.items():
        fault = open_ending(sung("A4 F4 D4 D3", chord), a_minor)
        assert (fault and fault.voices) == wrong, chord
