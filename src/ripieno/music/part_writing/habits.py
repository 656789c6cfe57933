"""What is neither right nor wrong in voices, but like Bach or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ripieno.music.chords import AUGMENTED, DIMINISHED_SEVENTH, DOMINANT, MAJOR
from ripieno.music.part_writing.endings import FINAL, cadence
from ripieno.music.part_writing.score import Score
from ripieno.music.roll import STEPS_PER_BAR
from ripieno.shapes import Int


@dataclass(frozen=True)
class Habit:
    """Something that is neither right nor wrong, but like Bach or not."""

    name: str
    of: str
    count: Callable[[Score], tuple[int, int]]
    per: int = 1


def _steps_of_kind(first: int, last: int, on_beat: bool, n_classes: int = 0) -> Callable[[Score], tuple[int, int]]:
    """Chords of some kinds among the sounding steps on beats, or off them."""

    def count(score: Score) -> tuple[int, int]:
        kinds = score.kinds_of_steps
        asked = (score.chords > 0) & (score.beats == on_beat)
        return int((asked & (first <= kinds) & (kinds <= last) & (_size(score) >= n_classes)).sum()), int(asked.sum())

    return count


def _size(score: Score) -> Int[np.ndarray, " step"]:
    """How many pitch classes sound."""
    return np.asarray(((score.chords[:, None] >> np.arange(12)) & 1).sum(axis=1))


def _triads(score: Score) -> tuple[int, int]:
    kinds = score.kinds_of_steps
    return int(((kinds > 0) & (kinds <= AUGMENTED) & (_size(score) == 3)).sum()), int((score.chords > 0).sum())


def _no_triad(score: Score) -> tuple[int, int]:
    asked = score.beats & (score.chords > 0)
    kinds = score.kinds_of_steps
    return int((asked & ((kinds == 0) | (kinds > AUGMENTED))).sum()), int(asked.sum())


def _dissonant(score: Score) -> tuple[int, int]:
    clashes = np.isin(score.intervals, (1, 2, 6, 10, 11)) & score.both_sound
    return int(clashes.sum()), int(score.both_sound.sum())


def _n_pitches(score: Score) -> Int[np.ndarray, " step"]:
    """Different pitches sounding, as a roll has them: a unison is one."""
    ordered = np.sort(score.voices, axis=1)
    differs = np.ones(ordered.shape, dtype=bool)
    differs[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.asarray((differs & (ordered >= 0)).sum(axis=1))


def _holds(score: Score) -> tuple[int, int]:
    return int((score.sounding & ~score.onsets).sum()), int(score.sounding.sum())


def _ends(kind: str) -> Callable[[Score], tuple[int, int]]:
    def count(score: Score) -> tuple[int, int]:
        return int(cadence(score.voices, score.key) == kind), 1

    return count


MOVING_PAIRS = Habit("moving pairs", "steps", lambda s: (int(np.count_nonzero(s.motion)), s.n_steps), STEPS_PER_BAR)
ONSETS = Habit("onsets", "steps", lambda s: (int(s.onsets.sum()), s.n_steps))
HOLDS = Habit("holds", "sounding cells", _holds)
CELLS = Habit("cells", "steps", lambda s: (int(_n_pitches(s).sum()), s.n_steps))
FOUR_OR_MORE = Habit("four or more pitches", "steps", lambda s: (int((_n_pitches(s) >= 4).sum()), s.n_steps))
DISSONANT_PAIRS = Habit("dissonant pairs", "sounding pairs", _dissonant)
TRIADS = Habit("triads", "sounding steps", _triads)
TRIADS_ON_BEATS = Habit("triads on beats", "beats", _steps_of_kind(MAJOR, AUGMENTED, True, 3))
TRIADS_OFF_BEATS = Habit("triads off beats", "steps off beats", _steps_of_kind(MAJOR, AUGMENTED, False, 3))
SEVENTHS_ON_BEATS = Habit("sevenths on beats", "beats", _steps_of_kind(DOMINANT, DIMINISHED_SEVENTH, True))
SEVENTHS_OFF_BEATS = Habit("sevenths off beats", "steps off beats", _steps_of_kind(DOMINANT, DIMINISHED_SEVENTH, False))
NO_TRIAD = Habit("beats that are no triad", "beats", _no_triad)
SIX_FOURS = Habit(
    "six-fours", "chords on beats", lambda s: (int(s.six_fours.sum()), int((s.on_beat & (s.kinds > 0)).sum()))
)

HABITS = (
    MOVING_PAIRS,
    ONSETS,
    HOLDS,
    CELLS,
    FOUR_OR_MORE,
    DISSONANT_PAIRS,
    TRIADS,
    TRIADS_ON_BEATS,
    TRIADS_OFF_BEATS,
    SEVENTHS_ON_BEATS,
    SEVENTHS_OFF_BEATS,
    NO_TRIAD,
    SIX_FOURS,
    *(Habit(f"ends {kind}", "pieces", _ends(kind)) for kind in FINAL),
)
