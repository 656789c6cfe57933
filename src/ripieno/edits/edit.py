"""The one verb: an edit toggles one cell of the roll.  (Paper 3, eq. 1-2)"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ripieno.music.roll import Cells
from ripieno.shapes import Bool


class Edit(NamedTuple):
    """Toggle one cell: a note is added where nothing sounds, and taken back where it does."""

    plane: int
    step: int
    pitch: int


def apply(cells: Cells, edits: Iterable[Edit]) -> Cells:
    """The roll after some edits; a cell edited twice is as before.  (Paper eq. 2: a sum modulo 2)"""
    after = cells.copy()
    for edit in edits:
        after[edit] ^= True
    return after


def difference(source: Cells, target: Bool[np.ndarray, "_ _ _"]) -> list[Edit]:
    """The edits that lead from one roll to another, ordered by plane, step and pitch.

    Raises:
        ValueError: the rolls differ in shape.
    """
    if source.shape != target.shape:
        raise ValueError(f"rolls of shapes {source.shape} and {target.shape} cannot be compared")
    return [Edit(int(plane), int(step), int(pitch)) for plane, step, pitch in np.argwhere(source ^ target)]
