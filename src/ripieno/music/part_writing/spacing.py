"""How far apart neighbours lie, and what a voice can sing."""

from __future__ import annotations

import numpy as np

from ripieno.music.part_writing.rule import FOUR_PARTS, PISTON, Rule
from ripieno.music.part_writing.score import Found, Score, stretches
from ripieno.music.roll import STEPS_PER_BAR
from ripieno.shapes import Int

WIDEST_APART = 12  # semitones that neighbours above the bass may lie apart
# Soprano, alto, tenor, bass: C4-G5, G3-D5, C3-G4, E2-D4. The textbooks differ by a tone or so at either end.
TEXTBOOK_RANGES = ((60, 79), (55, 74), (48, 67), (40, 62))


def _spacing(score: Score, rule: str) -> Found:
    """Neighbours above the bass lie more than an octave apart; once, however long it lasts."""
    last = max(score.n_voices - 1, 1)
    upper, lower = score.voices[:, : last - 1], score.voices[:, 1:last]
    both = (upper >= 0) & (lower >= 0)
    return stretches(score, rule, both & (upper - lower > WIDEST_APART), both)


def _bounds(score: Score) -> Int[np.ndarray, "voice 2"]:
    """Ranges of the voices; of fewer than four the last is the bass, of more nobody knows."""
    chosen = [*range(score.n_voices - 1), 3] if 2 <= score.n_voices <= 4 else [0] if score.n_voices == 1 else []
    none = np.tile([0, 127], (score.n_voices, 1))
    return np.array(TEXTBOOK_RANGES)[chosen] if chosen else none


def _range(score: Score, rule: str) -> Found:
    """A note outside its voice's range."""
    bounds = _bounds(score)
    outside = score.onsets & ((score.voices < bounds[:, 0]) | (score.voices > bounds[:, 1]))
    found = [score.fault(rule, step, voice) for step, voice in np.argwhere(outside).tolist()]
    return found, int(score.onsets.sum())


def _tessitura(score: Score, rule: str) -> Found:
    """A voice's mean pitch over a bar lies in the highest or lowest quarter of its range.

    Bars are counted from the first step. The fault is named where the voice comes in.
    """
    bounds = _bounds(score)
    n_bars = score.n_steps // STEPS_PER_BAR
    bars = score.voices[: n_bars * STEPS_PER_BAR].reshape(n_bars, STEPS_PER_BAR, score.n_voices)
    sings = bars >= 0
    n_sung = sings.sum(axis=1)
    means = (bars * sings).sum(axis=1) / np.maximum(n_sung, 1)
    margin = (bounds[:, 1] - bounds[:, 0]) / 4
    strained = (n_sung > 0) & ((means < bounds[:, 0] + margin) | (means > bounds[:, 1] - margin))
    found = []
    for bar, voice in np.argwhere(strained).tolist():
        found.append(score.fault(rule, bar * STEPS_PER_BAR + int(sings[bar, :, voice].argmax()), voice))
    return found, int((n_sung > 0).sum())


SPACING = Rule(
    name="spacing",
    find=_spacing,
    of="changes of neighbours above the bass",
    source=FOUR_PARTS,
    level="warning",
    wording="{voices} are more than an octave apart: {notes}",
    remedy="bring them closer; only the bass may lie far off",
    teachers_price=0.25,
    menders_price=0.25,
)
RANGE = Rule(
    name="range",
    find=_range,
    of="notes",
    source=FOUR_PARTS,
    level="warning",
    wording="{notes} lies out of the range of the {voices}",
    remedy="bring it back into the range",
    teachers_price=0.25,
    menders_price=0.25,
    is_of_singers=True,
)
TESSITURA = Rule(
    name="tessitura",
    find=_tessitura,
    of="bars of a voice",
    source=PISTON,
    level="style",
    wording="{voices} stays at the edge of its range",
    remedy="let it come back to its middle",
    teachers_price=0.0,
    menders_price=0.0,
    is_of_singers=True,
)
