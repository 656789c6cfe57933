"""Chords as musicians write them, "Ab7/C", where they stand, and what they ask of the pitches there.

A chart is bars between strokes, "Ab Eb7 | Fm | % | Db . Eb .": the chords of a bar share its beats evenly, or stand on
the beats one by one where there is a sign for each; a dot holds a chord on, % repeats the bar before, N.C. is no chord.
What a sign means may hang on the key where it stands (`numerals`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ripieno.errors import BadInput
from ripieno.music.pitch import ALTERATIONS, LETTERS, NATURALS, name_at, place_of
from ripieno.shapes import Bool, Int


@dataclass(frozen=True)
class ChordKind:
    """A kind of chord: everything that is known of it, whatever its root."""

    name: str  # MusicXML's
    semitones: tuple[int, ...]  # over the root
    symbols: tuple[str, ...]  # how it is written after the root, the first way ours
    mark: str = ""  # after a Roman numeral
    may_lack_fifth: bool = False  # and is heard as what it is without it, as Bach's last chords now and then

    @property
    def is_minor(self) -> bool:
        """Whether its third is the minor one."""
        return 3 in self.semitones

    @property
    def is_diminished(self) -> bool:
        """Whether its triad is: then its root leads to the note a semitone above."""
        return {0, 3, 6} <= set(self.semitones)

    @property
    def is_symmetric(self) -> bool:
        """Whether any of its notes may be its root."""
        own = set(self.semitones)
        return any({(tone + up) % 12 for tone in own} == own for up in self.semitones[1:])


_TRIADS = (
    ChordKind("major", (0, 4, 7), ("", "M", "maj", "major"), may_lack_fifth=True),
    ChordKind("minor", (0, 3, 7), ("m", "min", "mi", "-", "minor"), may_lack_fifth=True),
    ChordKind("diminished", (0, 3, 6), ("dim", "°", "o"), mark="°"),
    ChordKind("augmented", (0, 4, 8), ("aug", "+"), mark="+"),
)
_SEVENTHS = (
    ChordKind("dominant", (0, 4, 7, 10), ("7", "dom7"), may_lack_fifth=True),
    ChordKind("major-seventh", (0, 4, 7, 11), ("maj7", "M7", "ma7", "Δ7", "Δ", "j7", "major7")),
    ChordKind("minor-seventh", (0, 3, 7, 10), ("m7", "min7", "mi7", "-7")),
    ChordKind("half-diminished", (0, 3, 6, 10), ("m7b5", "ø7", "ø", "min7b5", "-7b5", "h7"), mark="ø"),
    ChordKind("diminished-seventh", (0, 3, 6, 9), ("dim7", "°7", "o7"), mark="°"),
)
KINDS = {
    kind.name: kind
    for kind in (
        *_TRIADS,
        *_SEVENTHS,
        ChordKind("augmented-seventh", (0, 4, 8, 10), ("7#5", "aug7", "+7")),
        ChordKind("major-minor", (0, 3, 7, 11), ("mM7", "mmaj7", "mMaj7", "m(maj7)", "-M7")),
        ChordKind("major-sixth", (0, 4, 7, 9), ("6", "maj6", "M6")),
        ChordKind("minor-sixth", (0, 3, 7, 9), ("m6", "min6", "-6")),
        ChordKind("dominant-ninth", (0, 4, 7, 10, 2), ("9",)),
        ChordKind("major-ninth", (0, 4, 7, 11, 2), ("maj9", "M9")),
        ChordKind("minor-ninth", (0, 3, 7, 10, 2), ("m9", "min9", "-9")),
        ChordKind("dominant-11th", (0, 4, 7, 10, 2, 5), ("11",)),
        ChordKind("minor-11th", (0, 3, 7, 10, 2, 5), ("m11", "min11", "-11")),
        ChordKind("dominant-13th", (0, 4, 7, 10, 2, 9), ("13",)),
        ChordKind("suspended-fourth", (0, 5, 7), ("sus4", "sus")),
        ChordKind("suspended-second", (0, 2, 7), ("sus2",)),
        ChordKind("power", (0, 7), ("5",)),
        # no kinds of MusicXML's own, but the one in brackets with a degree added or changed
        ChordKind("dominant (suspended)", (0, 5, 7, 10), ("7sus4", "7sus")),
        ChordKind("dominant (flat ninth)", (0, 4, 7, 10, 1), ("7b9",)),
        ChordKind("major (ninth)", (0, 4, 7, 2), ("add9", "2", "(add9)")),
    )
}
# Kinds that a set of pitch classes is taken for, each by its number in `NUMBERS`, triads first.
COMMON = (*_TRIADS, *_SEVENTHS)
MAJOR, MINOR, DIMINISHED, AUGMENTED, DOMINANT, MAJOR_SEVENTH, MINOR_SEVENTH, HALF_DIMINISHED, DIMINISHED_SEVENTH = (
    range(1, len(COMMON) + 1)
)
_KIND_OF = {symbol: kind for kind in KINDS.values() for symbol in kind.symbols}
_ROOT = r"(?P<{0}>[A-G])(?P<{0}_sign>##|bb|[#b♯♭])?"
_CHORD = re.compile(_ROOT.format("root") + r"(?P<kind>[^/]*)(?:/" + _ROOT.format("bass") + ")?")
NO_CHORD = ("N.C.", "NC", "N.C", "n.c.")


def _chord_table() -> tuple[Int[np.ndarray, " chord"], Int[np.ndarray, " chord"]]:
    roots, numbers = np.full(1 << 12, -1), np.zeros(1 << 12, dtype=int)
    for number, kind in enumerate(COMMON, start=1):
        thin = tuple(tone for tone in kind.semitones if tone != 7)
        for tones in (kind.semitones, thin) if kind.may_lack_fifth else (kind.semitones,):
            for root in range(12):
                chord = sum(1 << (root + tone) % 12 for tone in tones)
                roots[chord], numbers[chord] = -1 if kind.is_symmetric else root, number
    return roots, numbers


# What a set of pitch classes, as a number of twelve bits, is: its root, -1 where any note of it may be one; and the
# number of its kind, 0 where it is no chord.
ROOTS, NUMBERS = _chord_table()


@dataclass(frozen=True)
class Chord:
    """A chord: its root and bass as places on the line of fifths (C = 0, G = 1, F = -1)."""

    root: int
    kind: str  # one of KINDS; "other" where a file says what no kind is
    semitones: tuple[int, ...]  # over the root
    bass: int | None = None  # what is asked for as the lowest; None: any of its notes

    @property
    def classes(self) -> frozenset[int]:
        """Its pitch classes, the bass included."""
        found = {(7 * self.root + semitones) % 12 for semitones in self.semitones}
        return frozenset(found if self.bass is None else found | {7 * self.bass % 12})

    @property
    def symbol(self) -> str:
        """As one writes it: "Ab7/C"."""
        kind = KINDS[self.kind].symbols[0] if self.kind in KINDS else "?"
        bass = "" if self.bass is None else f"/{name_at(self.bass, short=True)}"
        return name_at(self.root, short=True) + kind + bass


class PlacedChord(NamedTuple):
    """A chord from a step on, until the next; None: no chord is asked for there."""

    step: Fraction
    chord: Chord | None


def parse_chord(text: str) -> Chord:
    """Read a chord symbol: "Ab", "F#m7", "Bb7/D", "C°7", "Gsus4".

    Raises:
        BadInput: it is none that we know.
    """
    found = _CHORD.fullmatch(text.strip().replace("△", "Δ"))
    kind = _KIND_OF.get(found["kind"].strip()) if found is not None else None
    if found is None or kind is None:
        raise BadInput(f'no chord is called "{text.strip()[:30]}"; write one like Ab, F#m7, Bb7/D, Cdim7 or Gsus4')
    root = place_of(LETTERS.index(found["root"]), ALTERATIONS[found["root_sign"] or ""])
    bass = None
    if found["bass"]:
        bass = place_of(LETTERS.index(found["bass"]), ALTERATIONS[found["bass_sign"] or ""])
    return Chord(root, kind.name, kind.semitones, bass)


def place_over(root: int, semitones: int, kind: str) -> int:
    """The place of a chord's note over its root: thirds are two letters up, fifths four, sevenths six."""
    letters = (0, 1, 1, 2, 2, 3, 4, 4, 4, 6 if kind == "diminished-seventh" else 5, 6, 6)
    letter = letters[semitones]
    return root + place_of(letter, semitones - NATURALS[letter])


def parse_chart(text: str) -> list[list[str]]:
    """Read a chart: for each bar its signs, "." where a chord is held on.

    Raises:
        BadInput: there is nothing in the chart, or nothing to repeat.
    """
    bars: list[list[str]] = []
    for bar in text.strip().strip("|").split("|"):
        signs = bar.split()
        if signs == ["%"]:
            if not bars:
                raise BadInput("the chords begin with %, which repeats the bar before; there is none")
            signs = bars[-1]
        bars.append(signs or ["."])
    if bars == [["."]]:
        raise BadInput('no chords are given; write them like "C | Am F | G7 | C"')
    return bars


def place_chart(
    bars: Sequence[Sequence[str]],
    spans: Sequence[tuple[Fraction, Fraction, Fraction]],
    read: Callable[[str, Fraction], Chord] = lambda sign, step: parse_chord(sign),
) -> list[PlacedChord]:
    """Where the chords of a chart stand.

    Args:
        bars: as `parse_chart` reads them.
        spans: of each bar that there is: its start, its end and the length of its beat.
        read: what a sign means that stands on a step; symbols alone unless given.

    Raises:
        BadInput: a chord is unknown, or there are more bars than the piece has, or more chords in a bar than it has
            room for.
    """
    if len(bars) > len(spans):
        raise BadInput(f"the chords fill {len(bars)} bars, and the piece has {len(spans)}; leave some out")
    placed: list[PlacedChord] = []
    for number, (bar, (start, end, beat)) in enumerate(zip(bars, spans, strict=False), start=1):
        n_beats = (end - start) / beat
        length = beat if len(bar) == n_beats else (end - start) / len(bar)
        if length < 1:
            raise BadInput(f"bar {number} of the chords has {len(bar)}, which is more than it has sixteenths")
        if len(bar) < n_beats and (length / beat).denominator != 1:  # three chords in four beats: the first is longer
            length = beat
        first = (end - start) - length * (len(bar) - 1)
        at = start
        for i, sign in enumerate(bar):
            if sign != ".":
                placed.append(PlacedChord(at, None if sign in NO_CHORD else read(sign, at)))
            at += first if i == 0 else length
    if placed and len(bars) < len(spans):
        placed.append(PlacedChord(spans[len(bars)][0], None))
    return placed


def asked_of_steps(
    placed: Sequence[PlacedChord], start: int, n_steps: int
) -> tuple[Bool[np.ndarray, "step pitch_class"], Int[np.ndarray, " step"]]:
    """What chords ask of each step of a roll that begins on a step of the file.

    Returns:
        The pitch classes of the chord in force, all of them where there is none; and the bass that is named, -1 where
        none is.
    """
    classes = np.ones((n_steps, 12), dtype=bool)
    basses = np.full(n_steps, -1)
    ends = [*(one.step for one in placed[1:]), Fraction(start + n_steps)]
    for (step, chord), end in zip(placed, ends, strict=True):
        here = slice(max(round(step) - start, 0), max(round(end) - start, 0))
        classes[here] = True if chord is None else [pitch_class in chord.classes for pitch_class in range(12)]
        basses[here] = -1 if chord is None or chord.bass is None else 7 * chord.bass % 12
    return classes, basses


def chord_of_degrees(kind: str, root: int, bass: int | None, degrees: Sequence[tuple[int, int, str]]) -> Chord | None:
    """A chord as MusicXML says it: a kind with degrees (number, alteration, type) added, altered or left out.

    None where the kind is none of `KINDS` and no degrees make it one.
    """
    kind_semitones = KINDS[kind].semitones if kind in KINDS else _FURTHER.get(kind)
    if kind_semitones is None:
        return None
    found = list(kind_semitones)
    for number, alteration, how in degrees:
        natural = _DEGREES.get(number)
        if natural is None:
            continue
        semitones = (natural + alteration) % 12
        if how == "subtract":
            found = [one for one in found if one != semitones]
        elif how == "alter":
            near = [one for one in found if one in ((natural - 1) % 12, natural % 12, (natural + 1) % 12)]
            found = [semitones if one in near[:1] else one for one in found]
        if how == "add" and semitones not in found:
            found.append(semitones)
    named = next((one.name for one in KINDS.values() if set(one.semitones) == set(found)), "other")
    return Chord(root, named, tuple(found), bass)


# MusicXML's kinds that are read as what they are, and written as another
_FURTHER = {
    "major-11th": (0, 4, 7, 11, 2, 5),
    "major-13th": (0, 4, 7, 11, 2, 9),
    "minor-13th": (0, 3, 7, 10, 2, 9),
}
_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 2, 11: 5, 13: 9}
