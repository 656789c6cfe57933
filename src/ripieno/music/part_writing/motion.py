"""How two voices move beside each other: into perfect intervals, past each other, through each other."""

from __future__ import annotations

import numpy as np

from ripieno.music.part_writing.rule import FOUR_PARTS, FUX, Rule
from ripieno.music.part_writing.score import STEP, Found, Score, pair_faults, stretches


def _hidden(score: Score, rule: str, least: int) -> Found:
    if score.n_voices < 2:
        return [], 0
    outer = score.n_voices - 2  # the pair of voices 0 and the last
    similar = score.motion[:, outer] > 0
    after, before = score.intervals[1:, outer], score.intervals[:-1, outer]
    broken = np.zeros(score.motion.shape, dtype=bool)
    broken[:, outer] = similar & ((after == 7) | (after == 0)) & (after != before) & (abs(score.moves[:, 0]) >= least)
    return pair_faults(score, rule, broken), int(similar.sum())


def _hidden_any(score: Score, rule: str) -> Found:
    """Soprano and bass move the same way into a fifth or octave, from another interval."""
    return _hidden(score, rule, 0)


def _hidden_leap(score: Score, rule: str) -> Found:
    """The same where the soprano leaps, which is where textbooks forbid it."""
    return _hidden(score, rule, STEP + 1)


def _crossing(score: Score, rule: str) -> Found:
    """A voice sings lower than its lower neighbour; once, however long it lasts."""
    both = score.sounding[:, :-1] & score.sounding[:, 1:]
    return stretches(score, rule, both & (score.voices[:, :-1] < score.voices[:, 1:]), both)


def _overlap(score: Score, rule: str) -> Found:
    """A voice moves to where its upper neighbour was lower just before, or its lower neighbour higher."""
    before, after = score.voices[:-1], score.voices[1:]
    begins = score.onsets[1:] & (before != after)
    found, n_chances = [], 0
    for voice, other in [(v, w) for v in range(score.n_voices) for w in (v - 1, v + 1) if 0 <= w < score.n_voices]:
        chances = begins[:, voice] & (before[:, other] >= 0)
        beyond = after[:, voice] > before[:, other] if other < voice else after[:, voice] < before[:, other]
        n_chances += int(chances.sum())
        found += [
            score.fault(rule, move + 1, voice, other, since=move) for move in np.flatnonzero(chances & beyond).tolist()
        ]
    return found, n_chances


HIDDEN = Rule(
    name="hidden fifths and octaves",
    find=_hidden_any,
    of="similar motions of soprano and bass",
    source=FUX,
    level="style",
    wording="{voices} move the same way into a perfect interval",
    remedy="let them move in opposite ways",
    teachers_price=0.1,
    menders_price=0.1,
    is_of_motion=True,
)
HIDDEN_LEAP = Rule(
    name="hidden, soprano leaps",
    find=_hidden_leap,
    of="similar motions of soprano and bass",
    source=FOUR_PARTS,
    level="warning",
    wording="{voices} move the same way into a perfect interval, the upper one by a leap",
    remedy="let the upper voice move by step, or the lower one the other way",
    teachers_price=0.5,
    menders_price=0.5,
    is_of_motion=True,
    is_of_chords=True,
)
CROSSING = Rule(
    name="crossing",
    find=_crossing,
    of="changes of neighbours",
    source=FOUR_PARTS,
    level="style",
    wording="{voices} cross: {notes}",
    remedy="exchange the two notes, unless the lines ask for it",
    teachers_price=0.1,
    menders_price=0.1,
)
OVERLAP = Rule(
    name="overlap",
    find=_overlap,
    of="notes beside a neighbour",
    source=FOUR_PARTS,
    level="style",
    wording="{voices} overlap: one goes to where the other was just before",
    remedy="keep them on their own sides",
    teachers_price=0.05,
    menders_price=0.05,
)
