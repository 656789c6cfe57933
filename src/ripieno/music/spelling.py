"""What a pitch is called: G sharp in A minor, and not A flat.

A name is a place on the line of fifths (... B flat -2, F -1, C 0, G 1, D 2 ...); places twelve apart sound alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ripieno.music.piece import Key


class Unspelled(NamedTuple):
    """A note to be spelled."""

    onset: Fraction
    end: Fraction
    pitch: int
    place: int | None = None  # where its name is known


def spell(notes: Sequence[Unspelled], keys: Sequence[Key]) -> list[int]:
    """The names of notes, as places on the line of fifths.

    Args:
        notes: in any order; those whose name is known keep it.
        keys: in order of time; the first holds from the beginning.
    """
    found = []
    for note in notes:
        key = [key for key in keys if key.step <= note.onset][-1:] or list(keys[:1])
        lowest = (key[0].n_sharps if key else 0) - (2 if key and key[0].mode == "minor" else 3)
        found.append(lowest + (note.pitch * 7 - lowest) % 12 if note.place is None else note.place)
    return found
