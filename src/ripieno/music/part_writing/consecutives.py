"""Fifths and octaves one after the other between two voices, in parallel and by contrary motion."""

from __future__ import annotations

import numpy as np

from ripieno.music.part_writing.rule import FOUR_PARTS, FUX, MOCK, Rule
from ripieno.music.part_writing.score import Found, Score, pair_faults


def _consecutive(score: Score, rule: str, interval: int, way: int) -> Found:
    same = (score.intervals[1:] == interval) & (score.intervals[:-1] == interval)
    return pair_faults(score, rule, same & (score.motion * way > 0)), int(np.count_nonzero(score.motion))


def _parallel_fifths(score: Score, rule: str) -> Found:
    """Two voices move the same way from a fifth to a fifth."""
    return _consecutive(score, rule, 7, 1)


def _parallel_octaves(score: Score, rule: str) -> Found:
    """Two voices move the same way from an octave or unison to an octave or unison."""
    return _consecutive(score, rule, 0, 1)


def _contrary_fifths(score: Score, rule: str) -> Found:
    """Two voices move opposite ways from a fifth to a twelfth or back."""
    return _consecutive(score, rule, 7, -1)


def _contrary_octaves(score: Score, rule: str) -> Found:
    """Two voices move opposite ways from an octave, unison or fifteenth to another of them."""
    return _consecutive(score, rule, 0, -1)


PARALLEL_FIFTHS = Rule(
    name="parallel fifths",
    find=_parallel_fifths,
    of="pairs that both move",
    source=f"{FUX}; {MOCK}",
    level="error",
    wording="{voices} move in parallel fifths, to {notes}",
    remedy="let one of them move the other way, or stay",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_motion=True,
    is_of_chords=True,
)
PARALLEL_OCTAVES = Rule(
    name="parallel octaves",
    find=_parallel_octaves,
    of="pairs that both move",
    source=f"{FUX}; {MOCK}",
    level="error",
    wording="{voices} move in parallel octaves, to {notes}",
    remedy="let one of them move the other way, or stay",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_motion=True,
    is_of_chords=True,
)
CONTRARY_FIFTHS = Rule(
    name="contrary fifths",
    find=_contrary_fifths,
    of="pairs that both move",
    source=FOUR_PARTS,
    level="warning",
    wording="{voices} go from a fifth to a fifth by contrary motion",
    remedy="lead one of them to another note",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_motion=True,
    is_of_chords=True,
)
CONTRARY_OCTAVES = Rule(
    name="contrary octaves",
    find=_contrary_octaves,
    of="pairs that both move",
    source=FOUR_PARTS,
    level="warning",
    wording="{voices} go from an octave to an octave by contrary motion",
    remedy="lead one of them to another note",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_motion=True,
    is_of_chords=True,
)
CONSECUTIVES = (PARALLEL_FIFTHS, PARALLEL_OCTAVES, CONTRARY_FIFTHS, CONTRARY_OCTAVES)
