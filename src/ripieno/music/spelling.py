"""What a pitch is called: G sharp in A minor, and not A flat.

A name is a place on the line of fifths (`music.pitch`). A key offers one place for each pitch: in C major those from
E flat to G sharp. Some pitches are called otherwise where their neighbours ask for it: names that sound together lie
close on the line, and a semitone leads from one letter to the next (D sharp to E, E flat to D). What the file itself
calls a pitch nearby counts most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from ripieno.music.harmony import identify_key
from ripieno.music.piece import Key
from ripieno.music.pitch import place_from
from ripieno.music.roll import STEPS_PER_BAR


class Unspelled(NamedTuple):
    """A note to be spelled."""

    onset: Fraction
    end: Fraction
    pitch: int
    place: int | None = None  # where its name is known


@dataclass(frozen=True, kw_only=True)
class SpellingCosts:
    """What a name pays for; found by trying on half of music21's chorales (docs/log.md#spelling)."""

    far: float = 1.0  # a place away from the middle of the key
    together: float = 0.5  # a place away from what sounds at the same time, in the mean
    semitone: float = 3.0  # a semitone to the next note that leaves the letter as it is
    otherwise: float = 12.0  # another name than a known note of this pitch class within a bar has
    local: float = 0.8  # share that the names around have in where the middle is, beside the key
    reach: int = 32  # steps before and after that count as around


COSTS = SpellingCosts()
MIDDLE = {"major": 2.5, "minor": 3.5}  # of the places that a key offers, from its signature's C
N_PASSES = 2


def spell(notes: Sequence[Unspelled], keys: Sequence[Key]) -> list[int]:
    """The names of notes, as places on the line of fifths.

    Args:
        notes: in any order; those whose name is known keep it.
        keys: in order of time; the first holds from the beginning. Without any, the notes tell which it is.
    """
    if not notes:
        return []
    order = sorted(range(len(notes)), key=lambda i: notes[i][:3])
    ordered = [notes[i] for i in order]
    middles = _middles(ordered, keys)
    places = [
        _nearest(note.pitch, middle) if note.place is None else note.place
        for note, middle in zip(ordered, middles, strict=True)
    ]
    onsets = [note.onset for note in ordered]
    longest = max(note.end - note.onset for note in ordered)
    open_ = [i for i, note in enumerate(ordered) if note.place is None]
    known = [i for i, note in enumerate(ordered) if note.place is not None]
    known_onsets = [onsets[i] for i in known]
    for _ in range(N_PASSES):
        sums = [0, *accumulate(places)]
        for i in open_:
            note = ordered[i]
            first_near = bisect_left(onsets, note.onset - COSTS.reach)
            end_near = bisect_right(onsets, note.onset + COSTS.reach)
            mean = (sums[end_near] - sums[first_near]) / (end_near - first_near)
            middle = (1 - COSTS.local) * middles[i] + COSTS.local * mean
            near = range(bisect_left(onsets, note.onset - longest), bisect_right(onsets, note.end))
            within_a_bar = slice(
                bisect_left(known_onsets, note.onset - STEPS_PER_BAR),
                bisect_right(known_onsets, note.onset + STEPS_PER_BAR),
            )
            around = _Around(
                middle=middle,
                together=[places[j] for j in near if j != i and _sound_together(note, ordered[j])],
                semitones=[places[j] for j in near if _is_a_semitone_on(note, ordered[j])],
                names=[places[j] for j in known[within_a_bar] if (ordered[j].pitch - note.pitch) % 12 == 0],
            )
            first = _nearest(note.pitch, middle)
            second = first + 12 if first < middle else first - 12
            places[i] = min((first, second), key=lambda place: _cost(place, around))
    found = [0] * len(notes)
    for i, place in zip(order, places, strict=True):
        found[i] = place
    return found


class _Around(NamedTuple):
    """What a note is called after: places."""

    middle: float  # of its key
    together: list[int]  # of what sounds at the same time
    semitones: list[int]  # of what follows a semitone away
    names: list[int]  # of known notes of its pitch class nearby


def _cost(place: int, around: _Around) -> float:
    total = COSTS.far * abs(place - around.middle)
    if around.together:
        total += COSTS.together * sum(abs(place - other) for other in around.together) / len(around.together)
    total += COSTS.semitone * any(abs(place - other) != 5 for other in around.semitones)
    if around.names:
        total += COSTS.otherwise * sum(place != name for name in around.names) / len(around.names)
    return total


def _sound_together(note: Unspelled, other: Unspelled) -> bool:
    return other.onset < note.end and note.onset < other.end


def _is_a_semitone_on(note: Unspelled, other: Unspelled) -> bool:
    return note.onset < other.onset <= note.end < other.end and abs(other.pitch - note.pitch) == 1


def _middles(notes: Sequence[Unspelled], keys: Sequence[Key]) -> list[float]:
    """The middle of the key's places at each note."""
    if not keys:
        weights = np.zeros(12)
        for note in notes:
            weights[note.pitch % 12] += float(note.end - note.onset)
        last = max(note.end for note in notes)
        keys = [identify_key(weights, min(note.pitch for note in notes if note.end == last))]
    starts = [key.step for key in keys]
    middles = [key.n_sharps + MIDDLE[key.mode] for key in keys]
    return [middles[max(bisect_right(starts, note.onset) - 1, 0)] for note in notes]


def _nearest(pitch: int, middle: float) -> int:
    """The place of a pitch that lies nearest to the middle of a key."""
    return place_from(int(np.ceil(middle - 6)), pitch)
