"""How a piece opens, how its phrases come to rest, and what may not follow what.  (Where they are: `score.Form`)"""

from __future__ import annotations

import numpy as np

from ripieno.music.chords import DOMINANT, MAJOR, MINOR
from ripieno.music.part_writing.rule import PISTON, Rule
from ripieno.music.part_writing.score import FEWEST, Found, Score
from ripieno.music.roll import STEPS_PER_BEAT

_OVER_ROOT = [{0, 4, 7}, {0, 3, 7}]  # semitones above the bass


def _stands_over_root(score: Score, step: int) -> bool:
    """Whether what sounds belongs to one major or minor triad over its root; it need not be all of it."""
    sung = [pitch for pitch in score.rows[step] if pitch >= 0]
    above = {(pitch - min(sung)) % 12 for pitch in sung}
    return any(above <= triad for triad in _OVER_ROOT)


def _singers(score: Score, step: int) -> list[int]:
    return [voice for voice, pitch in enumerate(score.rows[step]) if pitch >= 0]


def _opening(score: Score, rule: str) -> Found:
    """The first chord, on an upbeat or not, is neither the tonic's nor the dominant's triad over its root."""
    found = []
    steps = np.flatnonzero(score.form.opens).tolist()
    for step in steps:
        singers = _singers(score, step)
        degree = (min(score.rows[step][voice] for voice in singers) - score.key.tonic) % 12
        if degree not in (0, 7) or not _stands_over_root(score, step):
            found.append(score.fault(rule, step, *singers))
    return found, len(steps)


def _restless(score: Score, rule: str) -> Found:
    """Where the last note of a phrase begins stands no triad over its root, or the bass moves within its first beat."""
    found, n_chances = [], 0
    bass = score.n_voices - 1
    for step in np.flatnonzero(score.form.rests).tolist():
        singers = _singers(score, step)
        if len(singers) < min(FEWEST, score.n_voices) or score.n_voices < 2:
            continue
        n_chances += 1
        if not _stands_over_root(score, step):
            found.append(score.fault(rule, step, *singers))
        within = score.moves[step : step + min(int(score.form.rests[step]), STEPS_PER_BEAT) - 1, bass]
        moved = np.flatnonzero(within)
        if len(moved):
            found.append(score.fault(rule, step + 1 + int(moved[0]), bass))
    return found, n_chances


def _retrogression(score: Score, rule: str) -> Found:
    """The dominant over its root goes straight to the subdominant over its root."""
    fifth, fourth = (score.key.tonic + 7) % 12, (score.key.tonic + 5) % 12
    known = (score.kinds > 0) & (score.inversions == 0)
    dominant = known & (score.roots == fifth) & ((score.kinds == MAJOR) | (score.kinds == DOMINANT))
    subdominant = known & (score.roots == fourth) & ((score.kinds == MAJOR) | (score.kinds == MINOR))
    at = np.flatnonzero(dominant[:-1] & subdominant[1:]) + 1
    found = []
    for i in at.tolist():
        step = int(score.starts[i])
        found.append(score.fault(rule, step, *_singers(score, step), since=step - 1))
    return found, int(dominant[:-1].sum())


OPENING = Rule(
    name="opening without a key",
    find=_opening,
    of="pieces",
    source="measured on JSB: of Bach's 77 settings of test 68 open on I or V over its root",
    level="style",
    wording="the first chord states no key",
    remedy="open on the tonic triad over its root, or on the dominant",
    teachers_price=0.25,
    menders_price=0.5,
    is_of_chords=True,
    is_of_free_chords=True,
)
RESTLESS = Rule(
    name="restless phrase end",
    find=_restless,
    of="ends of phrases",
    source="measured on JSB test: at 0.926 of Bach's fermatas a triad stands over its root, at 0.006 the bass moves",
    level="warning",
    wording="the phrase does not come to rest in the {voices}: {notes}",
    remedy="end it on a triad over its root, and let the bass stay",
    teachers_price=0.5,
    menders_price=0.5,
    is_of_chords=True,
    is_of_free_chords=True,
)
RETROGRESSION = Rule(
    name="retrogression",
    find=_retrogression,
    of="dominants over their root",
    source=f"{PISTON}: which root may follow which",
    level="warning",
    wording="the subdominant follows the dominant",
    remedy="go to the tonic or the submediant, or put the subdominant first",
    teachers_price=0.25,
    menders_price=0.25,
    is_of_chords=True,
    is_of_free_chords=True,
)
