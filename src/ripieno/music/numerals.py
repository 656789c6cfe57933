"""Roman numerals and figured bass: chords as their place in a key says them, both read and written.

A Roman numeral is a degree of the key, large for a major chord and small for a minor one, with ° (or o) for diminished,
ø for half-diminished and + for augmented, then figures for what lies over the bass: "V65", "ii°6", "V7/V". Without
figures the root is the bass. In minor, III, VI and VII are the chords on the scale as the signature has it, vi and vii
those on the raised degrees. Sevenths are those of the scale; on altered degrees, minor ones.

A figured bass is a note and figures, as music21 writes it in a line of text: "D_6", "G_4,3", "E_#". Figures are
intervals over the note in the key's signature; # or + raises one, b or - lowers it, n makes it natural, and a sign
alone means the third.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ripieno.errors import BadInput
from ripieno.music.chords import COMMON, KINDS, NO_CHORD, Chord, ChordKind, parse_chord, place_over
from ripieno.music.harmony import STEPS_OF, key_name
from ripieno.music.piece import Key
from ripieno.music.pitch import ALTERATIONS, LETTERS, letter_at, name_at, place_of, sign_of, signature_alteration

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
# The chords of a key that have dominants of their own: those whose fifth is perfect.
_GOALS = {"major": ("I", "ii", "iii", "IV", "V", "vi", ""), "minor": ("i", "", "III", "iv", "V", "VI", "VII")}
_MINOR = {kind.name for kind in KINDS.values() if kind.is_minor}
_LEADING = {kind.name for kind in KINDS.values() if kind.is_diminished}
_MARKS = {kind.name: kind.mark for kind in KINDS.values()}
_TRIAD_FIGURES = ("", "6", "64")
_SEVENTH_FIGURES = ("7", "65", "43", "42")

_TRIAD_OF = {
    "°": "diminished",
    "o": "diminished",
    "ø": "half-diminished",
    "h": "half-diminished",
    "+": "augmented",
}

_SIGNS = r"##|bb|[#b♯♭]"
_DEGREE = rf"(?P<{{0}}sign>{_SIGNS})?(?P<{{0}}degree>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
_NUMERAL = re.compile(
    rf"(?:{_DEGREE.format('')}|(?P<neapolitan>N))(?P<mark>[°oøh+])?(?P<is_large>maj|M)?(?P<figures>sus4|\d(?:[/,]?\d)*)?"
    rf"(?:/{_DEGREE.format('of_')})?"
)
_LIKE_NUMERAL = re.compile(rf"(?:{_SIGNS})?[IiVvN]")
# Inversions by their figures in full or short, triads' and sevenths'
_INVERSIONS = {
    "": (0, False),
    "5": (0, False),
    "53": (0, False),
    "6": (1, False),
    "63": (1, False),
    "64": (2, False),
} | {
    figures: (inversion, True)
    for inversion, ways in enumerate((("7", "753"), ("65", "653"), ("43", "643"), ("42", "2", "642")))
    for figures in ways
}

_FIGURED = re.compile(rf"(?P<letter>[A-G])(?P<sign>{_SIGNS})?_(?P<figures>.*)")
_FIGURE = re.compile(r"([#♯+b♭n♮-]?)([2-9])|([#♯+b♭n♮-])(?=,|$)")
_RAISES = {"": 0, "#": 1, "♯": 1, "+": 1, "b": -1, "♭": -1, "-": -1}
# What figures leave out: intervals over the bass, by those that are written
_IN_FULL = {
    frozenset(written): full
    for full, ways in {
        (3, 5): ((), (3,), (5,), (3, 5)),
        (3, 6): ((6,), (3, 6)),
        (4, 6): ((4, 6),),
        (3, 5, 7): ((7,), (3, 7), (5, 7), (3, 5, 7)),
        (3, 5, 6): ((5, 6), (3, 5, 6)),
        (3, 4, 6): ((3, 4), (3, 4, 6)),
        (2, 4, 6): ((2,), (2, 4), (2, 4, 6)),
        (4, 5): ((4,), (4, 5)),
        (2, 5): ((2, 5),),
        (4, 5, 7): ((4, 7), (4, 5, 7)),
        (3, 5, 9): ((9,), (3, 9), (5, 9), (3, 5, 9)),
        (3, 5, 7, 9): ((7, 9), (3, 7, 9), (3, 5, 7, 9)),
    }.items()
    for written in ways
}


def read_chord(text: str, key: Key) -> Chord:
    """Read a chord as a symbol, as a Roman numeral or as a figured bass note.

    Raises:
        BadInput: it is none of them, or may mean several chords.
    """
    sign = text.strip()
    if _FIGURED.fullmatch(sign):
        return _parse_figured(sign, key)
    return parse_roman(sign, key) if _LIKE_NUMERAL.match(sign) else parse_chord(sign)


def is_of_key(chart: str) -> bool:
    """Whether what a chart of chords means hangs on the key."""
    signs = [sign for sign in chart.replace("|", " ").split() if sign not in NO_CHORD]
    return any(_FIGURED.fullmatch(sign) or _LIKE_NUMERAL.match(sign) for sign in signs)


# Roman numerals


def parse_roman(text: str, key: Key) -> Chord:
    """Read a Roman numeral: "V65", "ii°6", "V7/V", "bVI", "N6". Its bass is always named.

    Raises:
        BadInput: it is none, or may mean several chords.
    """
    shown = text.strip()[:30]
    found = _NUMERAL.fullmatch(text.strip())
    if found is None:
        raise BadInput(f'"{shown}" is no Roman numeral; write one like V, ii65, vii°7, bVI6 or V7/V')
    if found["of_degree"]:
        key = _key_of_degree(found["of_sign"], found["of_degree"], key, shown)
    degree = found["degree"] or "II"
    root = _root_of(found["sign"] if found["degree"] else "b", degree, key)
    if found["figures"] == "sus4":
        kind, inversion = KINDS["suspended-fourth"], 0
    else:
        figures = re.sub("[/,]", "", found["figures"] or "")
        if figures not in _INVERSIONS:
            raise BadInput(f'"{shown}" has figures that no chord has: {figures}; write 6, 64, 7, 65, 43, 42 or none')
        inversion, has_seventh = _INVERSIONS[figures]
        has_seventh = has_seventh or found["mark"] in ("ø", "h") or bool(found["is_large"])
        kind = _kind_of(degree, found["sign"], found["mark"], has_seventh, bool(found["is_large"]), key, shown)
        if not found["mark"] and not found["of_degree"]:
            _check_is_one(degree, found["sign"], root, kind, key, shown)
    return Chord(root, kind.name, kind.semitones, place_over(root, kind.semitones[inversion], kind.name))


def _root_of(sign: str | None, degree: str, key: Key) -> int:
    """The place of a degree in a key, as its numeral says it."""
    letter = _ROMAN.index(degree.upper())
    asked = ALTERATIONS[sign or ""]
    if key.mode == "minor":
        lowered = _lowered_in_minor(letter, degree.islower())
        # of VI and #vi, bVI and vi the sign is a reminder
        asked = asked if lowered else min(asked, 0) if letter in (5, 6) else asked
        asked = -1 if lowered and asked < 0 else asked - lowered
    return _tonic(key) + place_of(letter, asked)


def _lowered_in_minor(letter: int, is_small: bool) -> bool:
    """Whether a degree's plain numeral stands a semitone lower in minor than in major."""
    return letter == 2 or (letter in (5, 6) and not is_small)


def _tonic(key: Key) -> int:
    return key.n_sharps + (3 if key.mode == "minor" else 0)


def _kind_of(
    degree: str, sign: str | None, mark: str | None, has_seventh: bool, is_large: bool, key: Key, shown: str
) -> ChordKind:
    """The kind of a numeral's chord.

    Raises:
        BadInput: there is none such.
    """
    if mark and (mark == "+") == degree.islower():
        other = degree.upper() if mark == "+" else degree.lower()
        raise BadInput(f'"{shown}" contradicts itself: write {other}{mark}, or leave {mark} out')
    triad = _TRIAD_OF.get(mark or "", "minor" if degree.islower() else "major")
    if not has_seventh or triad == "half-diminished":
        return KINDS[triad]
    if is_large and triad in ("major", "minor"):
        return KINDS["major-seventh" if triad == "major" else "major-minor"]
    if triad == "major":
        steps, letter = STEPS_OF[key.mode], _ROMAN.index(degree.upper())
        is_large = not sign and (steps[letter - 1] - steps[letter]) % 12 == 11
        return KINDS["major-seventh" if is_large else "dominant"]
    sevenths = {"minor": "minor-seventh", "diminished": "diminished-seventh", "augmented": "augmented-seventh"}
    return KINDS[sevenths[triad]]


def _check_is_one(degree: str, sign: str | None, root: int, kind: ChordKind, key: Key, shown: str) -> None:
    """Refuse a small numeral without a mark where the key's own chord is diminished.

    Raises:
        BadInput: it is such.
    """
    is_diminished = degree in (("vii",) if key.mode == "major" else ("ii", "vi", "vii"))
    if is_diminished and not sign:
        rest = shown.removeprefix(degree)
        raise BadInput(
            f'"{shown}" may be diminished or minor in {key_name(key)}; write {degree}°{rest} for the one, '
            f"{name_at(root, short=True)}{kind.symbols[0]} for the other"
        )


def _key_of_degree(sign: str | None, degree: str, key: Key, shown: str) -> Key:
    """The key that a chord belongs to for a moment: V7/V is the dominant of V.

    Raises:
        BadInput: nobody writes it.
    """
    tonic = _root_of(sign, degree, key)
    n_sharps = tonic - (3 if degree.islower() else 0)
    if abs(n_sharps) > 12:
        raise BadInput(f'"{shown}" lies too far from {key_name(key)}; write the chord by its name')
    return replace(key, tonic=7 * tonic % 12, mode="minor" if degree.islower() else "major", n_sharps=n_sharps)


def roman(chord: Chord, key: Key, is_last: bool = False) -> str:
    """A chord as a Roman numeral in a key: "V65", "ii°6", "V7/V".

    A major chord or a dominant seventh with a note outside the key that leads to one of its chords is named as the
    dominant of that chord; but not the chord with which a piece in minor ends in major. Of a diminished seventh any
    note may be the root: it is the one that leads to the tonic, or else to the dominant.
    """
    tonic = _tonic(key)
    if is_last and key.mode == "minor" and chord.kind == "major" and 7 * (chord.root - tonic) % 12 == 0:
        return f"I{_figures(chord)}"
    if chord.kind == "diminished-seventh":
        for goal in (tonic, tonic + 1):
            leading = goal + 5
            if 7 * (leading - chord.root) % 3 == 0:  # it is one of the four
                lowest = chord.root if chord.bass is None else chord.bass
                chord = replace(chord, root=leading, bass=None if 7 * (lowest - leading) % 12 == 0 else lowest)
                break
    over = chord.root - tonic
    figures = _figures(chord)
    mark = _MARKS.get(chord.kind, "")
    target = _applied_to(chord, key)
    if target is not None:
        leads = chord.kind in _LEADING
        return f"{'vii' if leads else 'V'}{mark}{figures}/{target}"
    letter, alteration = letter_at(over)
    is_small = chord.kind in _MINOR
    if key.mode == "minor":
        alteration += _lowered_in_minor(letter, is_small)
    numeral = _ROMAN[letter].lower() if is_small else _ROMAN[letter]
    return f"{sign_of(alteration)}{numeral}{mark}{figures}"


def _figures(chord: Chord) -> str:
    inversion = 0
    if chord.bass is not None:
        above = (7 * (chord.bass - chord.root)) % 12
        inversion = chord.semitones.index(above) if above in chord.semitones else 0
    if chord.kind == "suspended-fourth":
        return "sus4"
    if len(chord.semitones) == 4:
        return ("maj" if chord.kind == "major-seventh" and inversion == 0 else "") + _SEVENTH_FIGURES[inversion]
    return _TRIAD_FIGURES[inversion] if inversion < 3 else ""


def _applied_to(chord: Chord, key: Key) -> str | None:
    """The numeral of the chord whose dominant this one is, if it is one of the key's and not the tonic's."""
    scale = {(key.tonic + steps) % 12 for steps in STEPS_OF[key.mode]}
    if key.mode == "minor":
        scale.add((key.tonic + 11) % 12)
    classes = {(7 * chord.root + semitones) % 12 for semitones in chord.semitones}
    root = 7 * chord.root % 12
    if classes <= scale:
        return None
    if chord.kind in ("major", "dominant"):
        goal = (root + 5) % 12
    elif chord.kind in _LEADING:
        goal = (root + 1) % 12
    else:
        return None
    degrees = [(key.tonic + steps) % 12 for steps in STEPS_OF[key.mode]]
    if goal not in degrees or goal == key.tonic:
        return None
    degree = degrees.index(goal)
    numeral = _GOALS[key.mode][degree]
    return numeral or None


# Figured bass


def _parse_figured(text: str, key: Key) -> Chord:
    """Read a bass note with figures.

    Raises:
        BadInput: the figures mean nothing, or no chord.
    """
    shown = text[:30]
    found = _FIGURED.fullmatch(text)
    assert found is not None
    letter = LETTERS.index(found["letter"])
    bass = place_of(letter, ALTERATIONS[found["sign"] or ""])
    signs: dict[int, str] = {}
    for figure in _figures_in(found["figures"], shown):
        sign, number = figure[:-1], int(figure[-1])
        if number in signs:
            raise BadInput(f'"{shown}" says {number} twice; write each figure once')
        signs[number] = sign
    full = _IN_FULL.get(frozenset(signs))
    if full is None:
        raise BadInput(f'the figures of "{shown}" mean nothing together; write such as C_6, C_6,4, C_7, C_6,5 or C_#')
    places = [bass]
    for number in full:
        above = (letter + number - 1) % 7
        own, sign = signature_alteration(above, key.n_sharps), signs.get(number, "")
        places.append(place_of(above, 0 if sign in ("n", "♮") else own + _RAISES[sign]))
    chord = _chord_of(places)
    if chord is None:
        names = ", ".join(name_at(place, short=True) for place in places)
        raise BadInput(f'"{shown}" is {names} in {key_name(key)}, which is no chord that is known here; write another')
    return chord


def _figures_in(text: str, shown: str) -> list[str]:
    """Figures one by one, each a sign and a number; a sign alone is the third's.

    Raises:
        BadInput: there is something else among them.
    """
    found = list(_FIGURE.finditer(text))
    if "".join(one[0] for one in found) != text.replace(",", ""):
        raise BadInput(f'"{shown}" has figures that cannot be read; write such as C_6, C_6,4, C_7, C_6,5 or C_#')
    return [one[3] + "3" if one[3] else one[1] + one[2] for one in found]


def _chord_of(places: list[int]) -> Chord | None:
    """The chord of some notes, the lowest first: as they are spelled, or else as they sound."""
    kinds = [*COMMON, *(kind for kind in KINDS.values() if kind not in COMMON)]
    for is_spelled in (True, False):
        for kind in kinds:
            for root in places:
                semitones = {7 * (place - root) % 12 for place in places}
                if semitones != set(kind.semitones):
                    continue
                if not is_spelled or {place_over(root, one, kind.name) for one in kind.semitones} == set(places):
                    return Chord(root, kind.name, kind.semitones, places[0])
    return None
