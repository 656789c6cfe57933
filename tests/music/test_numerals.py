"""Roman numerals and figured bass, both ways; music21 is the judge."""

import re
import warnings
from itertools import product

import pytest

from ripieno.errors import BadInput
from ripieno.music.chords import COMMON, Chord, parse_chord, place_over
from ripieno.music.harmony import parse_key
from ripieno.music.numerals import is_of_key, parse_roman, read_chord, roman

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from music21 import chord as m21chord
    from music21 import key as m21key
    from music21 import roman as m21roman
    from music21.figuredBass import realizerScale


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


# Read

MAJOR = "I ii iii IV V vi V7 I6 ii6 IV64 I64 V65 V43 V42 V2 ii65 IV7 I7 vii°6 viio7 viiø7 V7/V V65/ii vii°7/vi bVI bVII"
MINOR = "i ii° III iv V VI VII v V7 i6 iv6 ii°6 iiø65 vii°7 viio6 V65 V7/iv V7/VI III+ VI7 VII7 I"


def by_music21(numeral: str, key: str) -> tuple[set[int], int]:
    figure = numeral.replace("°", "o").replace("b", "-")
    theirs = m21key.Key((key[:-1].lower() if key.endswith("m") else key).replace("b", "-"))
    chord = m21roman.RomanNumeral(figure, theirs)
    return {pitch.pitchClass for pitch in chord.pitches}, chord.bass().pitchClass


@pytest.mark.parametrize("key", ["C", "Ab", "F#m", "Cm"])
def test_a_numeral_means_what_music21_says(key: str) -> None:
    for numeral in (MINOR if key.endswith("m") else MAJOR).split():
        chord = parse_roman(numeral, parse_key(key))
        assert chord.bass is not None
        assert (set(chord.classes), 7 * chord.bass % 12) == by_music21(numeral, key), numeral


def test_numerals_are_written_in_several_ways() -> None:
    key = parse_key("C")
    for ways in ("V65 V6/5 V6,5", "vii°7 viio7", "IVmaj7 IVM7 IV7", "V42 V2 V4/2", "I64 I6/4", "I I53", "V7/V V7/V"):
        assert len({parse_roman(way, key) for way in ways.split()}) == 1, ways


@pytest.mark.parametrize("key", ["C", "Eb", "Am", "F#m"])
def test_what_is_written_is_read_back(key: str) -> None:
    ours = parse_key(key)
    n_read = 0
    for over, kind in product(range(-3, 6), COMMON):
        root = ours.n_sharps + over
        for semitones in kind.semitones:
            chord = Chord(root, kind.name, kind.semitones, place_over(root, semitones, kind.name))
            numeral = roman(chord, ours)
            try:
                again = parse_roman(numeral, ours)
            except BadInput as error:
                assert "may be diminished or minor" in str(error)  # noqa: PT017
                continue
            if {chord.kind, again.kind} == {"dominant", "major-seventh"}:
                continue  # of IV7, and of inversions, the numeral does not say which; the scale does
            n_read += 1
            assert again.classes == chord.classes, numeral
            if chord.kind != "diminished-seventh":  # whose root is whichever leads on
                assert 7 * (again.root - chord.root) % 12 == 0, numeral
            assert again.bass is not None
            assert 7 * (again.bass - place_over(root, semitones, kind.name)) % 12 == 0, numeral
    assert n_read > 180


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("VIII", "C", '"VIII" is no Roman numeral'),
        ("Vx", "C", "no Roman numeral"),
        ("V99", "C", "figures that no chord has: 99"),
        ("VII°", "C", "contradicts itself: write vii°"),
        ("ii+", "C", "contradicts itself: write II+"),
        ("vii6", "C", '"vii6" may be diminished or minor in C major; write vii°6 for the one, Bm for the other'),
        ("ii", "Am", "may be diminished or minor in A minor; write ii° for the one, Bm"),
        ("bbbV", "C", "no chord is called"),
        ("V/", "C", "no Roman numeral"),
    ],
)
def test_what_is_no_numeral_or_may_be_two_is_said(text: str, key: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read_chord(text, parse_key(key))


def test_symbols_numerals_and_figures_stand_side_by_side() -> None:
    key = parse_key("G")
    signs = ("C", "IV", "C_6", "Bb7/D", "bIII")
    assert [read_chord(sign, key).symbol for sign in signs] == ["C", "C/C", "Am/C", "Bb7/D", "Bb/Bb"]
    assert [is_of_key(chart) for chart in ("C | Bb N.C.", "C | IV", "C_6", "bVI")] == [False, True, True, True]


# Figured bass


@pytest.mark.parametrize(
    "sign",
    [
        "C_",
        "D_6",
        "E_6,4",
        "G_7",
        "B_6,5",
        "D_4,3",
        "F_4,2",
        "F_2",
        "D_#",
        "D_7,5,#",
        "G_b",
        "A_b6",
        "B_5,3",
        "C_65",
        "E_n",
    ],
)
@pytest.mark.parametrize("key", ["C", "F", "Am"])
def test_figures_over_a_bass_are_the_notes_that_music21_finds(sign: str, key: str) -> None:
    ours = parse_key(key)
    scale = realizerScale.FiguredBassScale(key.rstrip("m"), "minor" if key.endswith("m") else "major")
    bass, _, figures = sign.partition("_")
    figures = ",".join(figures) if figures.isdigit() else figures
    names = scale.getPitchNames(bass + "3", figures)
    theirs = {m21chord.Chord([name]).pitches[0].pitchClass for name in names}
    try:
        chord = read_chord(sign, ours)
    except BadInput:
        with pytest.raises(StopIteration):  # nor does any kind of chord hold these notes
            next(
                kind
                for kind in COMMON
                for root in theirs
                if {(one - root) % 12 for one in theirs} == set(kind.semitones)
            )
        return
    assert set(chord.classes) == theirs
    assert chord.bass is not None
    assert 7 * chord.bass % 12 == parse_chord(bass).root * 7 % 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C_6,8,1", "figures that cannot be read"),
        ("C_x", "figures that cannot be read"),
        ("C_6,6", "says 6 twice"),
        ("C_6,7", "mean nothing together"),
        ("Ab_#6", "which is no chord that is known here"),
        ("H_6", "no chord is called"),
    ],
)
def test_figures_that_mean_nothing_are_said(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read_chord(text, parse_key("C"))


def test_of_the_sixth_and_seventh_in_minor_a_sign_is_a_reminder():
    minor = parse_key("Am")
    for same in ("VI bVI", "VII bVII", "vii° #vii°", "vi° #vi°", "N6 bII6"):
        one, other = (parse_roman(sign, minor).symbol for sign in same.split())
        assert one == other
    assert parse_roman("N6", parse_key("C")).symbol == "Db/F"
    assert parse_roman("#VI", minor).symbol == "F#/F#"
