"""Chords: whether they have their third, what they stand over, and what follows them."""

from __future__ import annotations

import numpy as np

from ripieno.music.chords import AUGMENTED, KINDS
from ripieno.music.part_writing.rule import FOUR_PARTS, ON_SIX_FOURS, Rule
from ripieno.music.part_writing.score import STEP, Fault, Found, Score
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.shapes import Int

_BARE = np.zeros(1 << 12, dtype=bool)  # of sets of pitch classes, octaves and fifths
_BARE[[1 << root | 1 << (root + above) % 12 for root in range(12) for above in KINDS["power"].semitones]] = True


def _missing_third(score: Score, rule: str) -> Found:
    """All voices sing a bare fifth on a beat, and the beat brings no third later; once, however long it lasts."""
    chords = score.chords
    bass = np.where(score.sounding, score.voices, 128).min(axis=1, initial=128) % 12
    bare = chords == (1 << bass) | (1 << (bass + 7) % 12)
    thirds = (1 << (bass + 3) % 12) | (1 << (bass + 4) % 12)
    full = score.beats & score.sounding.all(axis=1)
    found = []
    lacking: set[int] = set()  # steps
    for step in np.flatnonzero(full & bare).tolist():
        rest_of_beat = chords[step : step + STEPS_PER_BEAT]
        if not (rest_of_beat & thirds[step]).any():
            bare_before = step >= STEPS_PER_BEAT and step - STEPS_PER_BEAT in lacking
            if not (bare_before and chords[step] == chords[step - STEPS_PER_BEAT]):
                found.append(score.fault(rule, step, *range(score.n_voices)))
            lacking.add(step)
    triads = (score.kinds_of_steps > 0) & (score.kinds_of_steps <= AUGMENTED)
    return found, int((full & (bare | triads)).sum())


def _six_four_by_leap(score: Score, rule: str) -> Found:
    """A six-four chord on a beat whose bass leaves it by a leap, for a chord on another root.

    Cadential, passing and auxiliary six-fours hold their bass under another chord or leave it by step; broken ones keep
    their root.
    """
    four = score.six_fours
    found = []
    for i in np.flatnonzero(four).tolist():
        moved = score.basses[i + 1 :] != score.basses[i]
        resolves = (score.kinds[i + 1 :] > 0) & (score.roots[i + 1 :] != score.roots[i])
        ahead = np.flatnonzero(moved | resolves)
        if not len(ahead) or not moved[ahead[0]]:
            continue
        j = i + 1 + int(ahead[0])
        fall = abs(int(score.basses[j] - score.basses[i]))
        leaps = score.basses[j] >= 0 and fall > STEP and fall != 12
        if leaps and score.kinds[j] > 0 and score.roots[j] != score.roots[i]:
            found.append(score.fault(rule, int(score.starts[i]), *np.flatnonzero(score.slices[i] >= 0).tolist()))
    return found, int(four.sum())


def _six_four_chord(score: Score, rule: str) -> Found:
    """A major or minor chord over its fifth on a beat, however it is led."""
    at = np.flatnonzero(score.six_fours)
    return _faults_at(score, rule, score.starts[at]), int((score.on_beat & (score.kinds > 0)).sum())


def _seventh_on_beat(score: Score, rule: str) -> Found:
    """A chord with a seventh on a beat."""
    sevenths = score.beats & (score.kinds_of_steps > AUGMENTED)
    return _faults_at(score, rule, np.flatnonzero(sevenths)), int(score.beats.sum())


def _no_chord_on_beat(score: Score, rule: str) -> Found:
    """What sounds on a beat is neither a triad nor a chord with a seventh; augmented triads are none.

    Exempt are bare octaves and fifths, as two voices have them.
    """
    kinds = score.kinds_of_steps
    bad = score.beats & (score.chords > 0) & ((kinds == 0) | (kinds == AUGMENTED)) & ~_BARE[score.chords]
    return _faults_at(score, rule, np.flatnonzero(bad)), int((score.beats & (score.chords > 0)).sum())


def _faults_at(score: Score, rule: str, steps: Int[np.ndarray, " fault"]) -> list[Fault]:
    sing = [(step, [voice for voice, pitch in enumerate(score.rows[step]) if pitch >= 0]) for step in steps.tolist()]
    return [score.fault(rule, step, *voices) for step, voices in sing]


MISSING_THIRD = Rule(
    name="missing third",
    find=_missing_third,
    of="triads and bare fifths on beats",
    source=FOUR_PARTS,
    level="warning",
    wording="the chord has no third",
    remedy="give the third to one of the upper voices",
    teachers_price=0.5,
    menders_price=0.5,
)
SIX_FOUR_BY_LEAP = Rule(
    name="six-four left by leap",
    find=_six_four_by_leap,
    of="six-four chords on beats",
    source=ON_SIX_FOURS,
    level="warning",
    wording="the bass leaps away from a six-four chord",
    remedy="let the bass stay or move by step",
    teachers_price=0.5,
    menders_price=0.5,
)
SIX_FOUR_CHORD = Rule(
    name="six-four chord",
    find=_six_four_chord,
    of="chords on beats",
    source=ON_SIX_FOURS,
    level="style",
    wording="the chord stands over its fifth",
    remedy="put its root or its third into the bass",
    teachers_price=0.0,
    menders_price=0.15,
    is_marked=False,
    is_of_free_chords=True,
)
SEVENTH_ON_BEAT = Rule(
    name="seventh on a beat",
    find=_seventh_on_beat,
    of="beats",
    source=FOUR_PARTS,
    level="style",
    wording="a chord with a seventh stands on the beat",
    remedy="write the triad alone",
    teachers_price=0.0,
    menders_price=0.1,
    is_marked=False,
    is_of_free_chords=True,
    is_aside=True,
)
NO_CHORD_ON_BEAT = Rule(
    name="no chord on a beat",
    find=_no_chord_on_beat,
    of="beats",
    source=FOUR_PARTS,
    level="style",
    wording="what sounds on the beat is no chord",
    remedy="let the voices meet in a triad",
    teachers_price=0.0,
    menders_price=0.2,
    is_marked=False,
    is_of_free_chords=True,
    is_aside=True,
)
