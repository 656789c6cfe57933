"""Pieces to evaluate."""

import numpy as np

from ripieno.files.corpus import Item
from ripieno.music.roll import silence


def an_item(number: int) -> Item:
    lines = np.array([[72, 67, 60, 48], [74, 67, 59, 43], [76, 67, 60, 48], [77, 69, 60, 41]])
    return Item(f"piece {number}", "test", silence(16), voices=np.repeat(np.roll(lines, number, axis=0), 4, axis=0))
