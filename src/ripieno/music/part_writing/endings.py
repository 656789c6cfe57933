"""How a piece ends."""

from __future__ import annotations

import numpy as np

from ripieno.music.chords import DIMINISHED, DIMINISHED_SEVENTH, DOMINANT, HALF_DIMINISHED, MAJOR, MINOR, MINOR_SEVENTH
from ripieno.music.part_writing.rule import ON_DOMINANTS, Rule
from ripieno.music.part_writing.score import Fault, Found, Score
from ripieno.music.piece import Key
from ripieno.music.roll import Voices

FINAL = ("perfect authentic", "authentic", "plagal", "half")  # cadences, from the most final to the least
NO_CADENCE = "other"
CADENCES = (*FINAL, NO_CADENCE)


def guessed_key(voices: Voices) -> Key:
    """The key of a whole piece, guessed from its notes; what the rules go by unless they are told another."""
    return Score(voices, None, None, None, 0).key


def cadence(voices: Voices, key: Key | None = None) -> str:
    """How a piece ends, one of `CADENCES`.

    The last chord is compared with the last one before it that has another root; what is no chord is skipped.
    Perfect: both chords over their roots, and the tonic on top. Half: the last chord is the key's major dominant.
    """
    score = Score(voices, key, None, None, 0)
    known = np.flatnonzero((score.roots >= 0) | (score.kinds == DIMINISHED_SEVENTH))
    sounding = np.flatnonzero((score.slices >= 0).any(axis=1))
    if not len(known) or known[-1] != sounding[-1] or score.kinds[known[-1]] not in (MAJOR, MINOR):
        return "other"
    last = known[-1]
    tonic = score.roots[last]
    others = known[score.roots[known] != tonic]
    if not len(others):
        return "other"
    before = others[-1]
    kind = score.kinds[before]
    if score.kinds[last] == MAJOR and tonic == (score.key.tonic + 7) % 12:
        return "half"
    if kind == DIMINISHED_SEVENTH:  # on the leading note, if it has it
        leads = score.chords[score.starts[before]] >> (tonic - 1) % 12 & 1
        return "authentic" if leads else "other"
    rise = (tonic - score.roots[before]) % 12
    if (rise == 5 and kind in (MAJOR, DOMINANT)) or (rise == 1 and kind in (DIMINISHED, HALF_DIMINISHED)):
        over_roots = score.inversions[before] == 0 and score.inversions[last] == 0
        return "perfect authentic" if rise == 5 and over_roots and score.tops[last] % 12 == tonic else "authentic"
    return "plagal" if rise == 7 and kind in (MAJOR, MINOR, MINOR_SEVENTH) else "other"


def open_ending(voices: Voices, key: Key | None = None, is_sure: bool = False) -> Fault | None:
    """The last chord, if it does not close the piece, with the voices that keep it from being the tonic's.

    A major or minor triad over its root closes after any of the cadences, whatever the key, which may have been
    misheard; but not the subdominant's, which a tonic leads to as a dominant does to its tonic, nor in a major key
    the tonic's own with a minor third. Where the key is sure, no triad closes but the tonic's, or the dominant's.
    Else those voices are wrong that sing no note of the tonic triad, and the lowest if it is not on the tonic.
    """
    score = Score(voices, key, None, None, 0)
    sounding = np.flatnonzero((score.slices >= 0).any(axis=1))
    if not len(sounding):
        return None
    last, tonic = sounding[-1], score.key.tonic
    over_root = score.kinds[last] in (MAJOR, MINOR) and score.inversions[last] == 0
    is_darkened = score.key.mode == "major" and score.kinds[last] == MINOR and score.roots[last] == tonic
    is_close = over_root and score.roots[last] != (tonic + 5) % 12 and not is_darkened
    is_close &= not is_sure or score.roots[last] in (tonic, (tonic + 7) % 12)
    if is_close and cadence(voices, score.key) != "other":
        return None
    chord = score.slices[last]
    classes = {int(pitch) % 12 for pitch in chord if pitch >= 0}
    third = 3 if score.key.mode == "minor" else 4
    if third == 3 and (tonic + 4) % 12 in classes and (tonic + 3) % 12 not in classes:
        third = 4  # a minor piece may close in major
    triad = {tonic, (tonic + third) % 12, (tonic + 7) % 12}
    lowest = len(chord) - 1 - int(np.where(chord >= 0, chord, 128)[::-1].argmin())  # of two in unison the lower voice
    wrong = [
        voice
        for voice, pitch in enumerate(chord.tolist())
        if pitch >= 0 and (pitch % 12 not in triad or (voice == lowest and pitch % 12 != tonic))
    ]
    return score.fault(OPEN_ENDING.name, int(score.starts[last]), *wrong) if wrong else None


def _open_ending(score: Score, rule: str) -> Found:
    """The last chord does not close the piece: see `open_ending`."""
    fault = open_ending(score.voices, score.key)
    if fault is None:
        return [], 1
    struck = score.starts[(score.slices >= 0).any(axis=1)]  # the last chord may be struck again
    return [score.fault(rule, int(struck[-1]), *fault.voices)], 1


def _late_ending(score: Score, rule: str) -> Found:
    """The bass comes to the tonic after the tune's last note has begun, and closes the piece there."""
    found, n_chances = [], 0
    for step in np.flatnonzero(score.form.ends).tolist():
        after = score.voices[step:]
        silent = np.flatnonzero((after < 0).all(axis=1))
        n_left = int(silent[0]) if len(silent) else len(after)
        if score.n_voices < 2 or not n_left:
            continue
        n_chances += 1
        first, last = (np.where(row >= 0, row, 128) for row in (after[0], after[n_left - 1]))
        tonic = score.key.tonic
        if first.min() % 12 != tonic and last.min() % 12 == tonic:
            found.append(score.fault(rule, step, int(first.argmin())))
    return found, n_chances


def _missing_leading_note(score: Score, rule: str) -> Found:
    """Before the tonic at the end of a phrase or of the piece, the dominant has the flat seventh, no leading note."""
    tonic = score.key.tonic
    rests = np.flatnonzero(score.form.rests | score.form.ends)
    found, n_chances = [], 0
    for end in sorted({int(np.searchsorted(score.starts, step, side="right")) - 1 for step in rests.tolist()}):
        if score.n_voices < 3 or score.roots[end] != tonic or score.inversions[end] != 0:
            continue
        before = end - 1
        while before >= 0 and score.roots[before] in (-1, tonic) and score.basses[before] >= 0:
            before -= 1
        if before < 0 or score.roots[before] != (tonic + 7) % 12:
            continue
        n_chances += 1
        chord = score.slices[before]
        flat = np.flatnonzero((chord >= 0) & (chord % 12 == (tonic + 10) % 12))
        leads = (chord >= 0) & (chord % 12 == (tonic + 11) % 12)
        if len(flat) and not leads.any():
            found.append(score.fault(rule, int(score.starts[before]), *flat.tolist()))
    return found, n_chances


LATE_ENDING = Rule(
    name="late ending",
    find=_late_ending,
    of="pieces",
    source="measured on JSB test: in 0.961 of Bach's settings the bass is on the tonic with the soprano's last note",
    level="warning",
    wording="the {voices} comes to the tonic after the melody's last note",
    remedy="reach the tonic together with the melody",
    teachers_price=0.25,
    menders_price=0.5,
    is_of_chords=True,
    is_of_free_chords=True,
)
MISSING_LEADING_NOTE = Rule(
    name="missing leading note",
    find=_missing_leading_note,
    of="dominants before the tonic at the end of a phrase",
    source=ON_DOMINANTS,
    level="warning",
    wording="the leading note is missing at the cadence: {notes} in the {voices}",
    remedy="raise it by a semitone",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_chords=True,
)
OPEN_ENDING = Rule(
    name="open ending",
    find=_open_ending,
    of="pieces",
    source="measured on JSB: of the 153 chorales of valid and test 150 end on a triad over its root",
    level="warning",
    wording="the last chord does not close the piece, for {voices}: {notes}",
    remedy="end on the tonic triad over its root",
    teachers_price=0.0,
    menders_price=1.0,
)
