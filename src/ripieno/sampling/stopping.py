"""When a piece is finished.  (Paper 5: there, it "eventually stabilises"; here, that is noticed)

A piece is finished when the model expects hardly any more edits, when the same roll comes back a third time with
probably none left, or when the model only goes to and fro: what it did lately has left the roll nearly as it was.
Either way it ends at a moment at which the model would hardly take anything back; one that goes to and fro gets there
by taking back only.

Only edits that may be made count: what the model would change of the user's notes is no reason to go on.

A run without a stop rule never ends in the paper, since in each iteration some edit is made, at last by whatever the
model finds least improbable; with ours the steps fill up with four pitches in the end. `SETTLED` lets a run settle.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ripieno.edits.log import CellEntry, EditLog, Entry
from ripieno.music.roll import STEPS_PER_BAR

# Once fewer than one edit is expected, a cell with a lower chance that it has to change stays as it is.
SETTLED = 0.003

_ROUND = re.compile(r"round (\d+) of (\d+) at (\d+)")


def round_id(number: int, n_rounds: int, log: EditLog) -> str:
    """What the entries of a round of revising are called, by which the log tells them from others."""
    return f"round {number} of {n_rounds} at {log.n_edits}"


def round_told(entry: Entry) -> tuple[int, int] | None:
    """Which round, counted from 0, of how many an entry is of; None for none."""
    told = _ROUND.fullmatch(entry.id) if isinstance(entry.id, str) else None
    return (int(told[1]), int(told[2])) if told else None


@dataclass(frozen=True, kw_only=True)
class StopRule:
    """The thresholds, chosen on melodies of the Bach Doodle.  (docs/log.md#going-to-and-fro, #stop-thresholds)"""

    # edits still expected, for every 16 steps, below which the piece is finished; for drafts, `Quality.left` times that
    left_per_bar: float = 0.01
    memory: int = 128  # edits to look back on
    lasting_ratio: float = 0.3  # share of them that must have lasted; with fewer the model goes to and fro
    removal_mass: float = 0.1  # of the model's probability that may be on taking something back at the end
    removals: float = 0.3  # or so many expected; either will do
    most_per_bar: int = 200  # edits for every 16 steps after which a run ends whatever happens

    def finished(self, log: EditLog, n_left: float, removal_mass: float) -> bool:
        """Is this the end?

        Args:
            log: what was done so far.
            n_left: edits that the model expects are still to come, of those that may be made; nan if it cannot tell.
            removal_mass: probability that the next edit takes something back.
        """
        if removal_mass > self.removal_mass and not n_left * removal_mass <= self.removals:
            return False
        few = n_left < self.left_per_bar * log.cells.shape[1] / STEPS_PER_BAR
        return few or self.goes_to_and_fro(log)

    def most_edits(self, n_steps: int) -> int:
        """Edits after which a run over so many steps ends, also with a model that never settles."""
        return -(-self.most_per_bar * n_steps // STEPS_PER_BAR)

    def goes_to_and_fro(self, log: EditLog) -> bool:
        """Whether hardly any of the last edits have lasted; from here on the model may only take back."""
        recent = [
            e.edit
            for e in log.entries[-self.memory :]
            if isinstance(e, CellEntry) and e.author == "model" and round_told(e) is None  # there, that is no dithering
        ]
        if len(recent) < self.memory:
            return False
        lasting = sum(times % 2 for times in Counter(recent).values())
        return lasting < self.lasting_ratio * self.memory


class Returns:
    """The rolls that a run has come to: when it comes to one again and again, nothing new is to be expected."""

    def __init__(self) -> None:
        self._times: Counter[bytes] = Counter()

    def again(self, log: EditLog, n_left: float) -> bool:
        """Whether the roll is here for the third time, with less than half an edit expected."""
        if not n_left < 1:
            return False
        roll = np.packbits(log.cells).tobytes()
        self._times[roll] += 1
        return n_left < 0.5 and self._times[roll] >= 3
