"""Cadences that are asked for: which chords stand under the last note of a phrase, and before it.

The chord under the phrase's last note lasts as long as the note. The one before it stands on the beat before, or on
what is left of that beat when the tune comes to a note of the chord only within it, as after a suspension.

The names are the field's (Caplin, "The Classical Cadence", 2004; British books say "interrupted" for deceptive).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from ripieno.errors import BadInput
from ripieno.music.chords import Chord, PlacedChord
from ripieno.music.harmony import key_name, note_name
from ripieno.music.numerals import parse_roman
from ripieno.music.phrases import MOST_PLACES, Phrase, Place
from ripieno.music.piece import Key
from ripieno.music.pitch import name_at
from ripieno.music.roll import RollNote
from ripieno.music.understanding import Reading, beat_at, key_at, steps_of_bars

_Ways = tuple[str, ...] | dict[str, tuple[str, ...]]  # Roman numerals; of major and minor where they differ

# Chords by the tune's notes over them: the first that holds its note is the one. None: any chord.
_BEFORE: dict[str, _Ways] = {
    "perfect": ("V", "V7"),
    "imperfect": ("V6", "V65", "V43"),
    "half": (),
    "plagal": {"major": ("IV",), "minor": ("iv", "IV")},
    "deceptive": ("V", "V7"),
}
_LAST: dict[str, _Ways] = {
    "perfect": {"major": ("I",), "minor": ("i", "I")},
    "imperfect": {"major": ("I",), "minor": ("i", "I")},
    "half": ("V",),
    "plagal": {"major": ("I",), "minor": ("i", "I")},
    "deceptive": {"major": ("vi",), "minor": ("VI",)},
}
CADENCES = tuple(_LAST)
_CALLED = {name: name for name in CADENCES} | {
    **dict.fromkeys(("authentic", "perfect authentic", "full", "pac"), "perfect"),
    **dict.fromkeys(("imperfect authentic", "iac"), "imperfect"),
    **dict.fromkeys(("interrupted", "dc"), "deceptive"),
    "hc": "half",
}
_EXPECTED = f'write places and names, such as "8: half, 16: perfect"; the names are {", ".join(CADENCES)}'


class Cadence(NamedTuple):
    """A cadence as it is said: where the phrase ends, and what it is called."""

    place: Place
    name: str  # one of CADENCES


class PlacedCadence(NamedTuple):
    """A cadence with its chords, on steps of the file; `before` is None where any chord will do."""

    cadence: Cadence
    key: Key
    before: PlacedChord | None
    last: PlacedChord
    end: Fraction

    def in_words(self) -> str:
        """As "half in bar 8 (G)", the chords as symbols."""
        chords = [one.chord for one in (self.before, self.last) if one is not None and one.chord is not None]
        said = " ".join(
            replace(chord, bass=None).symbol if chord.bass == chord.root else chord.symbol for chord in chords
        )
        return f"{self.cadence.name} in bar {self.cadence.place} ({said})"


def parse_cadences(text: str) -> tuple[Cadence, ...]:
    """What is said of cadences: "8: half, 16:3: perfect"; "none" or nothing for none.

    Raises:
        BadInput: it is something else, or its places are not in order.
    """
    said = text.strip()
    if said.lower() in ("", "none"):
        return ()
    found: list[Cadence] = []
    for text_of_one in said.split(","):
        shown = text_of_one.strip()[:40]
        parts = re.fullmatch(
            r"\s*(\d{1,5})(?:\s*:\s*(\d{1,3}(?:\.\d{1,4})?))?\s*[:\s]\s*([a-z ]+?)\s*", text_of_one.lower()
        )
        name = _CALLED.get(" ".join(parts[3].removesuffix("cadence").split())) if parts else None
        if parts is None or name is None or (parts[2] and float(parts[2]) < 1):
            raise BadInput(f'"{shown}" is no cadence: {_EXPECTED}')
        found.append(Cadence(Place(int(parts[1]), float(parts[2]) if parts[2] else None), name))
    if len(found) > MOST_PLACES:
        raise BadInput(f"{len(found)} cadences are more than the {MOST_PLACES:,} that are read; ask for fewer")
    for one, other in pairwise(found):
        if one.place.order >= other.place.order:
            raise BadInput(
                f"cadences in bar {one.place} and then in {other.place}: give them in order, each place once"
            )
    return tuple(found)


def cadences_asked(reading: Reading, asked: str | None, *, name: str = "the piece") -> tuple[PlacedCadence, ...]:
    """The cadences that are asked for, where the phrases end.

    Args:
        reading: with phrases and keys.
        asked: see `parse_cadences`; None for none.
        name: what errors call the piece.

    Raises:
        BadInput: no phrase ends there, or the tune's note belongs to no chord of the cadence.
    """
    found: list[PlacedCadence] = []
    for cadence in parse_cadences(asked or ""):
        phrase = _phrase_at(reading, cadence.place, name)
        placed = _placed(reading, cadence, phrase)
        if found and found[-1].end > placed.last.step:
            raise BadInput(
                f"cadences in bar {found[-1].cadence.place} and in {cadence.place} are of the same phrase; give one"
            )
        found.append(placed)
    return tuple(found)


def with_cadences(chords: Sequence[PlacedChord], cadences: Sequence[PlacedCadence]) -> tuple[PlacedChord, ...]:
    """Chords with those of cadences in place of what they say there."""
    placed = list(chords)
    for one in cadences:
        begin = one.last.step if one.before is None else one.before.step
        after = next((chord for step, chord in reversed(placed) if step <= one.end), None)
        kept = [other for other in placed if not begin <= other.step <= one.end]
        asked = [chord for chord in (one.before, one.last) if chord is not None]
        placed = sorted([*kept, *asked, PlacedChord(one.end, after)], key=lambda chord: chord.step)
    return tuple(placed)


def _phrase_at(reading: Reading, place: Place, name: str) -> Phrase:
    """The phrase that ends at a place.

    Raises:
        BadInput: none does, or several.
    """
    has = f"{reading.n_bars} bars" if reading.first_bar <= 1 else f"bars {reading.first_bar} to {reading.last_bar}"
    if not reading.first_bar <= place.bar <= reading.last_bar:
        raise BadInput(f"no cadence can be in bar {place}: {name} has {has}; give one of them")
    bar = steps_of_bars(reading, place.bar, place.bar)
    if place.beat is None:
        here = [one for one in reading.phrases if bar.start <= one.rest < bar.stop]
        here = here or [one for one in reading.phrases if one.rest < bar.start < bar.stop <= one.end]
    else:
        step = math.floor(reading.step_at(place.bar, place.beat))
        here = [one for one in reading.phrases if one.rest <= step < one.end]
    ends = [str(reading.end_of(one)) for one in reading.phrases]
    if len(here) > 1:
        which = " or ".join(f"{place.bar}:{reading.bar_and_beat(one.rest)[1]:g}" for one in here)
        raise BadInput(f"{len(here)} phrases end in bar {place.bar}; say at which the cadence is, {which}")
    if not here:
        shown = ", ".join(ends[:12]) + (" and so on" if len(ends) > 12 else "")
        there = f"they end at {shown}" if ends else "there are none"
        raise BadInput(f"no phrase ends at {place}, so that no cadence can be there: {there}; say where with phrases")
    return here[0]


def _placed(reading: Reading, cadence: Cadence, phrase: Phrase) -> PlacedCadence:
    key = key_at(reading, phrase.rest)
    tonic_on_top = reading.melody == "top" and _note_at(reading.tune, phrase.rest, key.tonic)
    last = _holding(reading, cadence, _of_mode(_LAST[cadence.name], key), key, phrase.rest)
    before = None
    ways = _of_mode(_BEFORE[cadence.name], key)
    if cadence.name == "imperfect" and reading.melody == "top" and not tonic_on_top:  # the tune itself makes it one
        ways = _of_mode(_BEFORE["perfect"], key)
    first = phrase.rest - beat_at(reading, phrase.rest)
    if ways and first >= min(phrase.start, phrase.rest):
        onsets = [first, *(note.onset for note in reading.tune if first < note.onset < phrase.rest)]
        for at in onsets:
            chord = _first_holding(reading, ways, key, at)
            if chord is not None:
                before = PlacedChord(Fraction(reading.start + at), chord)
                break
        else:
            _holding(reading, cadence, ways, key, onsets[-1])
    end = Fraction(reading.start + phrase.end)
    return PlacedCadence(cadence, key, before, PlacedChord(Fraction(reading.start + phrase.rest), last), end)


def _of_mode(ways: _Ways, key: Key) -> tuple[str, ...]:
    return ways[key.mode] if isinstance(ways, dict) else ways


def _note_at(tune: Sequence[RollNote], step: int, pitch_class: int) -> bool:
    return any(note.onset <= step < note.end and note.pitch % 12 == pitch_class for note in tune)


def _first_holding(reading: Reading, ways: Sequence[str], key: Key, step: int) -> Chord | None:
    """The first of some chords that the tune's note at a step belongs to; the first of all where it rests."""
    sung = next((note.pitch for note in reading.tune if note.onset <= step < note.end), None)
    for way in ways:
        chord = parse_roman(way, key)
        assert chord.bass is not None
        holds = {7 * chord.bass % 12} if reading.melody == "bass" else chord.classes
        # a tune on top does not sing what the bass alone has: two leading notes
        doubles = reading.melody != "bass" and chord.bass != chord.root and sung is not None
        if sung is None or (sung % 12 in holds and not (doubles and sung % 12 == 7 * chord.bass % 12)):
            return chord
    return None


def _holding(reading: Reading, cadence: Cadence, ways: Sequence[str], key: Key, step: int) -> Chord:
    """The same.

    Raises:
        BadInput: the tune's note belongs to none.
    """
    chord = _first_holding(reading, ways, key, step)
    if chord is not None:
        return chord
    sung = next(note.pitch for note in reading.tune if note.onset <= step < note.end)
    wanted = parse_roman(ways[0], key)
    what = "is not its root" if reading.melody == "bass" else "is not in it"
    raise BadInput(
        f"a {cadence.name} cadence in bar {cadence.place} asks for {ways[0]} of {key_name(key)} "
        f"({name_at(wanted.root, short=True)}) at {reading.place(step)}, and your {note_name(sung, key)} {what}; "
        "ask for another cadence there, or say the key"
    )
