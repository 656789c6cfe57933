"""Corpora: where training and evaluation get their music.  (Paper 6.1)

A prepared corpus is one `.npz`:

cells        uint8 (step, plane, 16), the rolls end to end, eight pitches to a byte
cells_shape  int (3,), (step, plane, 128)
n_steps      int (piece,)
beat_phase   int (piece,), which sixteenth of its beat a piece begins on
split        str (piece,)
name         str (piece,)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ripieno.music.roll import Cells, silence

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Item:
    """One piece of a corpus. `voices` int (step, voice), -1 silent, where the corpus knows them."""

    name: str
    split: str
    cells: Cells
    beat_phase: int = 0
    voices: Int[np.ndarray, "step voice"] | None = None


def read_jsb(path: Path) -> list[Item]:
    """The JSB Chorales on a sixteenth grid, as Coconet's authors published them (`Jsb16thSeparated.json`)."""
    data = json.loads(path.read_text())
    items = []
    for split in SPLITS:
        for i, chorale in enumerate(data[split]):
            voices = np.array(chorale, dtype=int)
            items.append(Item(f"jsb-{split}-{i}", split, _cells_of(voices), voices=voices))
    return items


def _cells_of(voices: Int[np.ndarray, "step voice"]) -> Cells:
    cells = silence(len(voices))
    steps, columns = np.nonzero(voices >= 0)
    cells[0, steps, voices[steps, columns]] = True
    return cells


def write_prepared(items: list[Item], path: Path) -> None:
    """Write a corpus for the trainer, which reads it with NumPy alone."""
    cells = np.concatenate([item.cells.transpose(1, 0, 2) for item in items])
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez_compressed(
            file,
            cells=np.packbits(cells, axis=-1),
            cells_shape=np.array(cells.shape),
            n_steps=np.array([item.cells.shape[1] for item in items]),
            beat_phase=np.array([item.beat_phase for item in items]),
            split=np.array([item.split for item in items]),
            name=np.array([item.name for item in items]),
        )
    temporary.replace(path)
