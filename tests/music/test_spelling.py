"""What editions call their notes is the judge."""

from fractions import Fraction

import pytest

from ripieno.files.musicxml.read import read_musicxml
from ripieno.music.harmony import parse_key
from ripieno.music.pitch import place_of
from ripieno.music.spelling import Unspelled, spell
from tests.files.scores import chorales

NAMES = {-4: "Ab", -3: "Eb", -2: "Bb", -1: "F", 0: "C", 1: "G", 2: "D", 3: "A", 4: "E", 5: "B", 6: "F#", 7: "C#"}
NAMES |= {8: "G#", 9: "D#", 10: "A#", 11: "E#", 12: "B#", -5: "Db", -6: "Gb", -7: "Cb", -8: "Fb", 13: "F##"}


def called(key: str, *chords: tuple[int, ...], known: dict[int, int] | None = None) -> str:
    """What the notes of some chords, four steps each, are called from the lowest up."""
    notes = [
        Unspelled(Fraction(4 * i), Fraction(4 * i + 4), pitch, (known or {}).get(pitch))
        for i, chord in enumerate(chords)
        for pitch in chord
    ]
    return " ".join(NAMES[place] for place in spell(notes, [parse_key(key)] if key else []))


@pytest.mark.parametrize(
    ("key", "chords", "names"),
    [
        ("Am", [(57, 60, 64), (56, 59, 64), (57, 60, 64)], "A C E G# B E A C E"),
        ("F", [(65,), (70,), (69,)], "F Bb A"),
        ("C", [(62, 66, 69), (67, 71, 74)], "D F# A G B D"),
        ("C", [(60, 64, 67, 70), (65, 69)], "C E G Bb F A"),
        ("C", [(64,), (63,), (64,)], "E D# E"),
        ("C", [(64,), (63,), (62,)], "E Eb D"),
        ("Cm", [(67, 71, 74), (60, 63, 67)], "G B D C Eb G"),
        ("Eb", [(63, 67, 70)], "Eb G Bb"),
        ("B", [(71, 75, 78)], "B D# F#"),
        ("G#m", [(63, 67, 70), (68, 71, 75)], "D# F## A# G# B D#"),
        ("Ebm", [(58, 62, 65), (63, 66, 70)], "Bb D F Eb Gb Bb"),
        ("", [(57, 60, 64), (56, 59, 64), (57, 60, 64)], "A C E G# B E A C E"),
    ],
)
def test_names_fit_the_key_and_where_the_note_goes(key, chords, names):
    assert called(key, *chords) == names


def test_a_name_that_the_file_gives_is_kept_and_followed():
    assert called("C", (60, 68), (72,), known={68: place_of(5, -1)}) == "C Ab C"
    notes = [Unspelled(Fraction(0), Fraction(4), 68, -4), Unspelled(Fraction(8), Fraction(12), 56)]
    assert spell(notes, [parse_key("Am")]) == [-4, -4]


def test_a_new_key_counts_from_where_it_is():
    keys = [parse_key("C"), parse_key("Db")]
    keys[1] = type(keys[1])(step=Fraction(160), tonic=keys[1].tonic, mode="major", n_sharps=-5)
    notes = [Unspelled(Fraction(8 * i), Fraction(8 * i + 8), pitch) for i, pitch in enumerate([60, 64, 67, 61] * 10)]
    places = spell(notes, keys)
    assert places[-1] == -5
    assert set(places[:3]) == {0, 4, 1}


def test_nothing_to_spell():
    assert spell([], []) == []


def test_chorales_are_spelled_as_their_edition_has_them():
    right = total = 0
    for path in chorales()[::20]:
        piece = read_musicxml(path)
        notes = [Unspelled(note.onset, note.end, note.pitch) for note in piece.notes]
        names = [place.place for place in piece.source.places]
        for keys in (piece.keys, ()):
            right += sum(a == b for a, b in zip(spell(notes, keys), names, strict=True))
            total += len(notes)
    assert right / total >= 0.998  # over all of them 0.9998 (benchmarks/spelling.py)
