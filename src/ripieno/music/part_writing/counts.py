"""How often rules are broken, of how many times they could have been; over pieces, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from ripieno.music.part_writing.habits import HABITS, Habit
from ripieno.music.part_writing.rule import Rule
from ripieno.music.part_writing.rules import RULES
from ripieno.music.part_writing.score import Form, Score
from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BAR, Voices
from ripieno.shapes import Bool

COUNTED: tuple[Rule | Habit, ...] = (*RULES, *HABITS)
PER = {entry.name: entry.per for entry in COUNTED}


@dataclass(frozen=True)
class Count:
    """How often something is so, of how many times it could have been. `n` counts what is excused too."""

    n: int = 0
    of: int = 0
    n_excused: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.n + other.n, self.of + other.of, self.n_excused + other.n_excused)

    @property
    def rate(self) -> float:
        """From 0 to 1 for shares; nan where there was no opportunity."""
        return self.n / self.of if self.of else float("nan")

    def interval(self, share: float = 0.95) -> tuple[float, float]:
        """The rate's interval if `n` is Poisson, by Byar's approximation. For rare faults."""
        if not self.of:
            return float("nan"), float("nan")
        z = NormalDist().inv_cdf((1 + share) / 2)
        n, more = self.n, self.n + 1
        low = n * (1 - 1 / (9 * n) - z / (3 * n**0.5)) ** 3 if n else 0.0
        high = more * (1 - 1 / (9 * more) + z / (3 * more**0.5)) ** 3
        return low / self.of, high / self.of


@dataclass(frozen=True)
class Report(Mapping[str, Count]):
    """Counts by the name of a rule or habit. Reports add up; `sum(reports, Report())` pools pieces."""

    counts: Mapping[str, Count] = field(default_factory=dict)
    n_steps: int = 0
    n_pieces: int = 0

    def __getitem__(self, name: str) -> Count:
        return self.counts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __add__(self, other: Report) -> Report:
        names = dict.fromkeys((*self.counts, *other.counts))
        counts = {name: self.counts.get(name, Count()) + other.counts.get(name, Count()) for name in names}
        return Report(counts, self.n_steps + other.n_steps, self.n_pieces + other.n_pieces)

    def figure(self, name: str) -> float:
        """A rate in the unit in which it is printed; see `Rule.per` and `Habit.per`."""
        return PER[name] * self[name].rate

    def per_bar(self, name: str) -> float:
        """How often in sixteen steps, so that music which hardly moves does not win."""
        return self[name].n * STEPS_PER_BAR / self.n_steps if self.n_steps else float("nan")

    def per_piece(self, name: str) -> float:
        """How often in a piece."""
        return self[name].n / self.n_pieces if self.n_pieces else float("nan")


def judge(
    voices: Voices,
    *,
    key: Key | None = None,
    onsets: Bool[np.ndarray, "step voice"] | None = None,
    phrase_ends: Bool[np.ndarray, " step"] | None = None,
    beat_phase: int = 0,
    form: Form | None = None,
) -> Report:
    """Count every rule's faults, and measure the rest, in one piece.

    Args:
        voices: MIDI numbers, -1 a rest; voice 0 the highest.
        key: of the whole piece; guessed from its notes unless given.
        onsets: where notes begin; unless given, where the pitch changes or follows a rest.
        phrase_ends: true at the last step of a phrase.
        beat_phase: which sixteenth of its beat the piece begins on.
        form: where it opens, rests and ends; see `form_of`. No phrases are known unless given.
    """
    score = Score(voices, key, onsets, phrase_ends, beat_phase, form)
    counts = {}
    for rule in RULES:
        found, n_chances = rule.find(score, rule.name)
        counts[rule.name] = Count(len(found), n_chances, sum(bool(fault.excuse) for fault in found))
    for habit in HABITS:
        counts[habit.name] = Count(*habit.count(score))
    return Report(counts, len(voices), 1)
