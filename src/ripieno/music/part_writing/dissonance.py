"""Notes that clash: struck together without preparation, or a note beside its own sharp or flat."""

from __future__ import annotations

import numpy as np

from ripieno.music.part_writing.rule import FUX, PISTON, Rule
from ripieno.music.part_writing.score import Found, Score

CLASHES = (1, 11)  # semitones modulo 12


def _clash(score: Score, rule: str) -> Found:
    """Two voices strike a semitone or a major seventh together on a beat: nothing was held over to prepare it."""
    upper, lower = score.pairs
    struck = score.onsets[:, upper] & score.onsets[:, lower] & score.beats[:, None]
    broken = struck & np.isin(score.intervals, CLASHES)
    found = [score.fault(rule, step, int(upper[pair]), int(lower[pair])) for step, pair in np.argwhere(broken).tolist()]
    return found, int(struck.sum())


def _simultaneous_false_relation(score: Score, rule: str) -> Found:
    """A note and its own sharp or flat, as F and F sharp, sound together in two voices; once, however long."""
    upper, lower = score.pairs
    places = score.places[score.voices % 12]
    chromatic = abs(places[:, upper] - places[:, lower]) == 7
    broken = score.both_sound & chromatic
    begins = broken.copy()
    begins[1:] &= ~broken[:-1]
    found = [score.fault(rule, step, int(upper[pair]), int(lower[pair])) for step, pair in np.argwhere(begins).tolist()]
    return found, len(score.starts)


CLASH = Rule(
    name="unprepared clash",
    find=_clash,
    of="pairs struck on beats",
    source=f"{FUX}; measured on JSB: 6.8 in 1,000 beats of Bach's",
    level="warning",
    wording="{voices} strike a dissonance together: {notes}",
    remedy="prepare it, or let one of them come to it off the beat",
    teachers_price=0.1,
    menders_price=0.1,
    is_of_chords=True,
)
SIMULTANEOUS_FALSE_RELATION = Rule(
    name="simultaneous false relation",
    find=_simultaneous_false_relation,
    of="changes of note",
    source=PISTON,
    level="warning",
    wording="{voices} sing a note and its own sharp or flat at once: {notes}",
    remedy="let both sing the same form of the note",
    teachers_price=0.5,
    menders_price=0.5,
    is_of_chords=True,
)
