"""The rules of part-writing, one record each, and where they are broken."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ripieno.music.part_writing.completeness import (
    MISSING_THIRD,
    NO_CHORD_ON_BEAT,
    SEVENTH_ON_BEAT,
    SIX_FOUR_BY_LEAP,
    SIX_FOUR_CHORD,
)
from ripieno.music.part_writing.consecutives import CONTRARY_FIFTHS, CONTRARY_OCTAVES, PARALLEL_FIFTHS, PARALLEL_OCTAVES
from ripieno.music.part_writing.dissonance import CLASH, SIMULTANEOUS_FALSE_RELATION
from ripieno.music.part_writing.endings import LATE_ENDING, MISSING_LEADING_NOTE, OPEN_ENDING
from ripieno.music.part_writing.melody import AUGMENTED_SECOND, FALSE_RELATION, LEAP, LONE_SIXTEENTH, UNRECOVERED_LEAP
from ripieno.music.part_writing.motion import CROSSING, HIDDEN, HIDDEN_LEAP, OVERLAP
from ripieno.music.part_writing.phrasing import OPENING, RESTLESS, RETROGRESSION
from ripieno.music.part_writing.resolution import (
    DOUBLED_LEADING_NOTE,
    DOUBLED_SEVENTH,
    UNRESOLVED_LEADING_NOTE,
    UNRESOLVED_SEVENTH,
)
from ripieno.music.part_writing.rule import Rule
from ripieno.music.part_writing.score import Fault, Form, Score
from ripieno.music.part_writing.spacing import RANGE, SPACING, TESSITURA
from ripieno.music.piece import Key
from ripieno.music.roll import Voices
from ripieno.shapes import Bool

READING = 3  # raised when a rule reads music otherwise: then what was mended by it is another piece

# In this order reports tell them, and of faults at one step and of one price the first is mended first.
EVERY_RULE = (
    PARALLEL_FIFTHS,
    PARALLEL_OCTAVES,
    CONTRARY_FIFTHS,
    CONTRARY_OCTAVES,
    HIDDEN,
    HIDDEN_LEAP,
    CROSSING,
    OVERLAP,
    SPACING,
    RANGE,
    TESSITURA,
    UNRECOVERED_LEAP,
    AUGMENTED_SECOND,
    FALSE_RELATION,
    UNRESOLVED_LEADING_NOTE,
    DOUBLED_LEADING_NOTE,
    UNRESOLVED_SEVENTH,
    DOUBLED_SEVENTH,
    MISSING_THIRD,
    SIX_FOUR_BY_LEAP,
    LONE_SIXTEENTH,
    CLASH,
    SIMULTANEOUS_FALSE_RELATION,
    OPENING,
    RESTLESS,
    RETROGRESSION,
    MISSING_LEADING_NOTE,
    LATE_ENDING,
    SIX_FOUR_CHORD,
    SEVENTH_ON_BEAT,
    NO_CHORD_ON_BEAT,
    LEAP,
    OPEN_ENDING,
)
RULES = tuple(rule for rule in EVERY_RULE if rule.is_marked)
# What a fault of each rule costs where a teacher reads.
TEACHERS_PRICES = {rule.name: rule.teachers_price for rule in EVERY_RULE if rule.teachers_price}
RULE_CALLED: dict[str, Rule] = {rule.name: rule for rule in EVERY_RULE}


def faults(
    voices: Voices,
    *,
    key: Key | None = None,
    onsets: Bool[np.ndarray, "step voice"] | None = None,
    phrase_ends: Bool[np.ndarray, " step"] | None = None,
    beat_phase: int = 0,
    form: Form | None = None,
    rules: Iterable[str] | None = None,
    excused: bool = False,
) -> list[Fault]:
    """Where the rules are broken, in the order of the music. The other arguments are those of `judge`.

    Args:
        voices: as in `judge`.
        rules: names, of any rule; those of `RULES` unless given.
        excused: name also what a teacher would let pass.
    """
    score = Score(voices, key, onsets, phrase_ends, beat_phase, form)
    wanted = {rule.name for rule in RULES} if rules is None else set(rules)
    unknown = wanted - RULE_CALLED.keys()
    if unknown:
        raise ValueError(f"no rule is called {sorted(unknown)}; those that are: {list(RULE_CALLED)}")
    found = [fault for rule in EVERY_RULE if rule.name in wanted for fault in rule.find(score, rule.name)[0]]
    return sorted((fault for fault in found if excused or not fault.excuse), key=lambda fault: fault.step)


def parallels(
    voices: Voices, *, phrase_ends: Bool[np.ndarray, " step"] | None = None, beat_phase: int = 0
) -> list[Fault]:
    """Parallel fifths and octaves alone, the excused ones too: what a sampler may ask after each edit."""
    score = Score(voices, None, None, phrase_ends, beat_phase)
    return [fault for rule in (PARALLEL_FIFTHS, PARALLEL_OCTAVES) for fault in rule.find(score, rule.name)[0]]
