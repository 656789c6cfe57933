"""The batches of a log: what was said of each, which run it belongs to, and whether it decides anything still."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog, UndoEntry
from ripieno.shapes import Int


class Batches:
    """What is remembered of the batches of a log beside the log itself.

    Args:
        log: of which nothing is known yet; its cells say how large the piece is.
    """

    def __init__(self, log: EditLog) -> None:
        # the batch that decides each cell, -1 where none does
        self.decider: Int[np.ndarray, "plane step pitch"] = np.full(log.cells.shape, -1)
        self.n_decided: Counter[int] = Counter()  # cells that a batch decides
        self.whys: dict[int, str] = {}
        self.run_of: dict[int, int] = {}  # batch to run
        self.of_run: dict[int, list[int]] = {}  # run to batches
        self.texts: dict[int, str] = {}
        self.times: dict[int, float] = {}
        self.places: dict[int, list[int]] = {}  # batch to places in the log

    def index(self, new: Sequence[Any], first: int, row: dict[str, Any]) -> set[int]:
        """Remember where the entries of a batch are, and what a step said of it."""
        touched: set[int] = set()
        for place, entry in enumerate(new, start=first):
            if isinstance(entry, UndoEntry):
                continue
            batch = entry.batch
            touched.add(batch)
            self.places.setdefault(batch, []).append(place)
            self.times.setdefault(batch, row["time"])
            if row["run"] is None:
                self.texts[batch] = row["text"]
            elif batch not in self.run_of:
                self.run_of[batch] = row["run"]
                self.of_run.setdefault(row["run"], []).append(batch)
            if row.get("why"):
                self.whys[batch] = row["why"]
        return touched

    def decide(self, entry: CellEntry) -> set[int]:
        """Note that an entry decides its cell from now on; the batches that nothing, or something again, speaks for."""
        if not self._holds(entry):
            return set()
        old = int(self.decider[entry.edit])
        self.decider[entry.edit] = entry.batch
        self.n_decided[entry.batch] += 1
        if old < 0:
            return set()
        self.n_decided[old] -= 1
        return set() if self.n_decided[old] else {old}

    def _holds(self, entry: CellEntry) -> bool:
        """Whether an entry's cell lies on the roll as it is now."""
        return all(0 <= at < size for at, size in zip(entry.edit, self.decider.shape, strict=True))

    def count(self, log: EditLog) -> set[int]:
        """Find anew which batches decide cells; those for which that has changed whether they decide any."""
        before = {batch for batch, n in self.n_decided.items() if n}
        self.decider = np.full(log.cells.shape, -1)
        for place, entry in enumerate(log.entries):
            if isinstance(entry, CellEntry) and place not in log.undone and self._holds(entry):
                self.decider[entry.edit] = entry.batch
        batches, counts = np.unique(self.decider[self.decider >= 0], return_counts=True)
        self.n_decided = Counter(dict(zip(map(int, batches), map(int, counts), strict=True)))
        return before ^ set(self.n_decided)


def n_that_stay(log: EditLog, batches: Sequence[int]) -> int:
    """How many cells of some batches others decide that came later, so that undoing leaves them."""
    mine = set(batches)
    cells: dict[Edit, bool] = {}
    for place, entry in enumerate(log.entries):
        if isinstance(entry, CellEntry) and entry.edit.plane == 0 and place not in log.undone:
            if entry.batch in mine:
                cells[entry.edit] = False
            elif entry.edit in cells:
                cells[entry.edit] = True
    return sum(cells.values())


def is_step(step: Any) -> bool:
    """Whether something is a step of a log as the store keeps it."""
    return (
        isinstance(step, dict)
        and isinstance(step.get("entries"), list)
        and len(step["entries"]) > 0
        and isinstance(step.get("time"), int | float)
        and isinstance(step.get("text"), str)
        and (step.get("run") is None or (isinstance(step["run"], int) and step["run"] >= 0))
        and isinstance(step.get("why"), str | None)
    )
