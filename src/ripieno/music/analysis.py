"""Which chords a piece has, and which are asked for.

A chord is looked for on every beat, in the notes that sound there, weighted by how long; the cheapest path through the
beats is the reading: each chord pays for notes that do not belong to it, for its own that are missing, for being a rare
kind, for another bass than its root, and for being a change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ripieno.music.chords import KINDS, Chord, PlacedChord, parse_chart, place_chart, place_over
from ripieno.music.numerals import read_chord
from ripieno.music.piece import Key, Piece
from ripieno.music.pitch import place_from
from ripieno.music.roll import Cells, bottom_line
from ripieno.music.understanding import Reading, key_at
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
        BadInput: a chord is unknown or may be several, or the chart has more bars than the piece.
    """
    if asked is None:
        return piece.chords
    if asked.strip().lower() == "none":
        return ()

    def read(sign: str, step: Fraction) -> Chord:
        return read_chord(sign, key_at(reading, math.floor(step) - reading.start))

    return tuple(place_chart(parse_chart(asked), reading.bar_spans, read))


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
    return Chord(place, kind, semitones, place_over(place, (bass - root) % 12, kind))
