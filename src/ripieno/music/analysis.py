"""Which chords a piece has, as symbols and as Roman numerals.

A chord is looked for on every beat, in the notes that sound there, weighted by how long; the cheapest path through the
beats is the reading: each chord pays for notes that do not belong to it, for its own that are missing, for being a rare
kind, for another bass than its root, and for being a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ripieno.music.chords import KINDS, Chord, PlacedChord, parse_chart, place_chart
from ripieno.music.harmony import STEPS_OF
from ripieno.music.piece import Key, Piece
from ripieno.music.pitch import NATURALS, letter_at, place_from, place_of, sign_of
from ripieno.music.roll import Cells, bottom_line
from ripieno.music.understanding import Reading
from ripieno.shapes import Float


@dataclass(frozen=True, kw_only=True)
class ChordCosts:
    """What a chord pays on a beat, in shares of the beat's sounding time."""

    foreign: float = 1.5  # a note that does not belong to it
    missing: float = 0.25  # a note of it that does not sound
    bass: float = 0.15  # another bass than the root
    change: float = 0.1  # another chord than on the beat before
    onset: float = 1.0  # how much more a note counts on the beat than after it
    kind: tuple[tuple[str, float], ...] = (
        ("major", 0.0),
        ("minor", 0.0),
        ("dominant", 0.1),
        ("minor-seventh", 0.15),
        ("diminished", 0.1),
        ("half-diminished", 0.15),
        ("major-seventh", 0.2),
        ("diminished-seventh", 0.15),
        ("augmented", 0.3),
        ("suspended-fourth", 0.3),
    )


CHORD_COSTS = ChordCosts()
ON_THE_BEAT = ChordCosts(change=0.0, onset=20.0)  # the chord that stands on each beat, whatever passes after it


def chords_asked(piece: Piece, reading: Reading, asked: str | None) -> tuple[PlacedChord, ...]:
    """The chords that new notes are to belong to: those of a chart, or those that the file names.

    Raises:
        BadInput: a chord is unknown, or the chart has more bars than the piece.
    """
    if asked is None:
        return piece.chords
    if asked.strip().lower() == "none":
        return ()
    return tuple(place_chart(parse_chart(asked), reading.bar_spans))


def chart_of(placed: Sequence[PlacedChord], reading: Reading) -> str:
    """Chords as a chart, bar by bar from the first full one, as `parse_chart` reads it."""
    bars = []
    for start, end, beat in reading.bar_spans:
        here = {one.step: one.chord for one in placed if start <= one.step < end}
        signs = []
        at = start
        while at < end:
            chord = here.get(at)
            signs.append("." if at not in here else "N.C." if chord is None else chord.symbol)
            at += beat
        is_one = not any(sign != "." for sign in signs[1:])
        bars.append(signs[0] if is_one else " ".join(signs))
    return " | ".join(bars)


def beats_of(reading: Reading, n_steps: int) -> list[int]:
    """The steps of a reading's region on which beats begin, up to `n_steps`; the region begins one itself."""
    spans = reading.bar_spans
    beats = {0}
    if reading.pickup and spans:
        at = spans[0][0] - spans[0][2]
        while at > reading.start:
            beats.add(round(at) - reading.start)
            at -= spans[0][2]
    for start, end, beat in spans:
        at = start
        while at < end:
            beats.add(round(at) - reading.start)
            at += beat
    return sorted(beat for beat in beats if beat < n_steps)


def find_chords(
    cells: Cells, beats: Sequence[int], key: Key | None = None, start: int = 0, costs: ChordCosts = CHORD_COSTS
) -> list[PlacedChord]:
    """The chords of a roll, one for each beat on which it changes; no chord where nothing sounds.

    Args:
        cells: the roll.
        beats: the steps on which beats begin, in order; the last one lasts to the roll's end.
        key: what roots are spelled by; C major unless given.
        start: the step of the file on which the roll begins.
        costs: how chords are chosen.
    """
    sounding = cells[0]
    ends = [*beats[1:], sounding.shape[0]]
    lowest = bottom_line(cells)
    kinds = [(kind, KINDS[kind].semitones, price) for kind, price in costs.kind]
    states = [(root, kind) for root in range(12) for kind, _, _ in kinds]
    member = np.array(
        [[(pitch - root) % 12 in semitones for pitch in range(12)] for root in range(12) for _, semitones, _ in kinds]
    )
    price = np.array([price for _ in range(12) for _, _, price in kinds])
    rows: list[Float[np.ndarray, " chord"] | None] = []
    basses: list[int] = []
    for first, end in zip(beats, ends, strict=True):
        weights = np.zeros(12)
        for step in range(first, end):
            share = (1 + costs.onset * (step == first)) / (end - first)
            for pitch in np.flatnonzero(sounding[step]):
                weights[pitch % 12] += share
        here = lowest[first:end]
        bass = int(here[here >= 0][0]) if (here >= 0).any() else -1
        basses.append(bass)
        if bass < 0:
            rows.append(None)
            continue
        weights /= weights.sum()
        cost = costs.foreign * (weights * ~member).sum(axis=1)
        cost += costs.missing * (member & (weights == 0)).sum(axis=1) + price
        cost += np.array([0.0 if root == bass % 12 else costs.bass for root, _ in states])
        cost += np.array([0.0 if member[i, bass % 12] else 0.3 for i in range(len(states))])
        rows.append(cost)
    path = _cheapest(rows, costs.change)
    placed: list[PlacedChord] = []
    for first, state, bass in zip(beats, path, basses, strict=True):
        chord = None
        if state is not None:
            root, kind = states[state]
            chord = _spelled(root, kind, bass % 12, key)
        if not placed or placed[-1].chord != chord:
            placed.append(PlacedChord(Fraction(start + first), chord))
    return placed


def _cheapest(rows: Sequence[Float[np.ndarray, " chord"] | None], change: float) -> list[int | None]:
    """The cheapest path of chords through the beats; silence begins anew."""
    path: list[int | None] = [None] * len(rows)
    origins: list[np.ndarray] = []
    total: np.ndarray | None = None
    begin = 0

    def close(end: int) -> None:
        if total is None:
            return
        state = int(total.argmin())
        for at in range(end - 1, begin - 1, -1):
            path[at] = state
            state = int(origins[at - begin][state])

    for at, row in enumerate(rows):
        if row is None:
            close(at)
            total = None
            continue
        if total is None:
            begin, origins, total = at, [np.arange(len(row))], row
            continue
        best = int(total.argmin())
        stays = total <= total[best] + change
        origins.append(np.where(stays, np.arange(len(row)), best))
        total = np.where(stays, total, total[best] + change) + row
    close(len(rows))
    return path


def _spelled(root: int, kind: str, bass: int, key: Key | None) -> Chord:
    """A chord with names near those of the key."""
    middle = (key.n_sharps if key else 0) + 2
    place = place_from(middle - 5, root)
    if KINDS[kind].is_diminished and place < middle - 2:
        place += 12  # a leading note: F sharp, not G flat
    semitones = KINDS[kind].semitones
    if (bass - root) % 12 == 0 or (bass - root) % 12 not in semitones:
        return Chord(place, kind, semitones)
    return Chord(place, kind, semitones, place + _INTERVALS[(bass - root) % 12, kind])


def _interval(semitones: int, kind: str) -> int:
    """The place of a chord's note over its root: thirds are two letters, fifths four, sevenths six."""
    letters = {0: 0, 3: 2, 4: 2, 5: 3, 6: 4, 7: 4, 8: 4, 9: 6 if kind == "diminished-seventh" else 5, 10: 6, 11: 6}
    letter = letters[semitones]
    return place_of(letter, semitones - NATURALS[letter])


_INTERVALS = {
    (semitones, kind): _interval(semitones, kind) for kind, _ in CHORD_COSTS.kind for semitones in KINDS[kind].semitones
}

# Roman numerals

# The chords of a key that have dominants of their own: those whose fifth is perfect.
_GOALS = {"major": ("I", "ii", "iii", "IV", "V", "vi", ""), "minor": ("i", "", "III", "iv", "V", "VI", "VII")}
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
_MINOR = {kind.name for kind in KINDS.values() if kind.is_minor}
_LEADING = {kind.name for kind in KINDS.values() if kind.is_diminished}
_MARKS = {kind.name: kind.mark for kind in KINDS.values()}
_TRIAD_FIGURES = ("", "6", "64")
_SEVENTH_FIGURES = ("7", "65", "43", "42")


def roman(chord: Chord, key: Key, is_last: bool = False) -> str:
    """A chord as a Roman numeral in a key: "V65", "ii°6", "V7/V".

    A major chord or a dominant seventh with a note outside the key that leads to one of its chords is named as the
    dominant of that chord; but not the chord with which a piece in minor ends in major. Of a diminished seventh any
    note may be the root: it is the one that leads to the tonic, or else to the dominant.
    """
    tonic = key.n_sharps + (3 if key.mode == "minor" else 0)
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
    if key.mode == "minor":  # the third, sixth and seventh of the scale are the minor ones
        alteration += letter in (2, 5, 6)
        if letter == 6 and alteration == 1 and chord.kind in _MINOR:
            alteration = 0  # on the leading note
    numeral = _ROMAN[letter]
    numeral = numeral.lower() if chord.kind in _MINOR else numeral
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
