"""Leading notes and sevenths: where they go, and that they are not doubled."""

from __future__ import annotations

import numpy as np

from ripieno.music.chords import MAJOR, MINOR
from ripieno.music.part_writing.rule import ON_DOMINANTS, Rule
from ripieno.music.part_writing.score import STEP, Fault, Found, Score
from ripieno.music.roll import Voices
from ripieno.shapes import Bool


def _unresolved_leading_note(score: Score, rule: str) -> Found:
    """A dominant goes to the triad a fifth lower, and the leading note neither rises a semitone nor stays.

    Exempt are inner voices that fall a third to the fifth of the chord, as Bach's do, and a voice to which another one
    comes with the note a semitone above.
    """
    follows = (score.kinds[1:] == MAJOR) | (score.kinds[1:] == MINOR)
    goes = score.dominants[:-1] & follows & ((score.roots[1:] - score.roots[:-1]) % 12 == 5)
    found, n_chances = [], 0
    for i in np.flatnonzero(goes).tolist():
        step = int(score.starts[i + 1])
        leads = (int(score.roots[i]) + 4) % 12
        moves = list(zip(score.rows[score.starts[i]], score.rows[step], strict=True))
        for voice, (now, then) in enumerate(moves):
            if now < 0 or now % 12 != leads or then < 0 or now == then:
                continue
            n_chances += 1
            inner = 0 < voice < score.n_voices - 1
            if then - now == 1 or (inner and then - now == -4) or any(b == now + 1 and a != b for a, b in moves):
                continue
            found.append(score.fault(rule, step, voice, since=step - 1))
    return found, n_chances


def _doubled(score: Score, rule: str, chords: Bool[np.ndarray, " slice"], above: int) -> Found:
    chords = chords & score.on_beat
    sings = (score.slices >= 0) & (score.slices % 12 == ((score.roots + above) % 12)[:, None])
    found = []
    for i in np.flatnonzero(chords & (sings.sum(axis=1) > 1)).tolist():
        found.append(score.fault(rule, int(score.starts[i]), *np.flatnonzero(sings[i]).tolist()))
    return found, int(chords.sum())


def _doubled_leading_note(score: Score, rule: str) -> Found:
    """Two voices sing the leading note of a dominant that comes on a beat."""
    return _doubled(score, rule, score.dominants, 4)


def _doubled_seventh(score: Score, rule: str) -> Found:
    """Two voices sing the seventh of a dominant seventh that comes on a beat."""
    return _doubled(score, rule, score.dominant_sevenths, 10)


def _unresolved_seventh(score: Score, rule: str) -> Found:
    """A dominant seventh goes to a chord on another root, and its seventh neither falls by step nor stays.

    Exempt is the chord over its fifth while the bass walks up from it, where the seventh rises with the bass in tenths;
    also where the next chord has the same note in another voice.
    """
    goes = score.dominant_sevenths[:-1] & (score.kinds[1:] > 0) & (score.roots[1:] != score.roots[:-1])
    found, n_chances = [], 0
    for i in np.flatnonzero(goes).tolist():
        step = int(score.starts[i + 1])
        before, after = score.rows[score.starts[i]], score.rows[step]
        seventh = (int(score.roots[i]) + 10) % 12
        if any(then >= 0 and then % 12 == seventh for then in after):
            continue
        walks = score.inversions[i] == 7 and 0 < score.basses[i + 1] - score.basses[i] <= STEP
        for voice, (now, then) in enumerate(zip(before, after, strict=True)):
            if now < 0 or now % 12 != seventh or then < 0:
                continue
            n_chances += 1
            if -STEP <= then - now < 0 or (walks and 0 < then - now <= STEP):
                continue
            found.append(score.fault(rule, step, voice, since=step - 1))
    return found, n_chances


UNRESOLVED_LEADING_NOTE = Rule(
    name="unresolved leading note",
    find=_unresolved_leading_note,
    of="leading notes that move with their dominant",
    source=ON_DOMINANTS,
    level="error",
    wording="the leading note in the {voices} does not rise to the tonic",
    remedy="let it rise a semitone",
    teachers_price=1.0,
    menders_price=1.0,
    is_of_motion=True,
    is_of_chords=True,
)
DOUBLED_LEADING_NOTE = Rule(
    name="doubled leading note",
    find=_doubled_leading_note,
    of="dominants on beats",
    source=ON_DOMINANTS,
    level="warning",
    wording="{voices} double the leading note",
    remedy="double another note of the chord",
    teachers_price=0.5,
    menders_price=0.5,
)
UNRESOLVED_SEVENTH = Rule(
    name="unresolved seventh",
    find=_unresolved_seventh,
    of="dominant sevenths that move on",
    source=ON_DOMINANTS,
    level="error",
    wording="the seventh in the {voices} does not fall by step",
    remedy="let it fall by step",
    teachers_price=0.5,
    menders_price=0.5,
    is_of_motion=True,
    is_of_chords=True,
)
DOUBLED_SEVENTH = Rule(
    name="doubled seventh",
    find=_doubled_seventh,
    of="dominant sevenths on beats",
    source=ON_DOMINANTS,
    level="warning",
    wording="{voices} double the seventh",
    remedy="double another note of the chord",
    teachers_price=0.5,
    menders_price=0.5,
)


def thin_resolutions(voices: Voices, onsets: Bool[np.ndarray, "step voice"]) -> list[Fault]:
    """Dominant sevenths whose seventh or leading note goes astray, and that with it take a note from the next chord.

    A seventh that does not fall leaves the tonic chord without its third, and a leading note that does not rise may
    leave it without its root. Such a chord could be several, so that the two rules, which are counted, let it pass. A
    teacher does not. Exempt is what they exempt: a note that another voice takes over, an inner leading note that falls
    a third, a seventh in tenths with a bass that walks up.
    """
    changed: Bool[np.ndarray, " step"] = np.asarray(onsets.any(axis=1))
    changed[1:] |= ((voices[1:] >= 0) != (voices[:-1] >= 0)).any(axis=1)
    starts = np.flatnonzero(changed).tolist()
    found = []
    for step in starts[1:]:
        now, then = voices[step - 1], voices[step]
        before, after = ({int(pitch) % 12 for pitch in chord if pitch >= 0} for chord in (now, then))
        for root in before:
            dominant = {root, (root + 4) % 12, (root + 10) % 12}
            tonic = (root + 5) % 12
            full = any({tonic, (tonic + third) % 12} <= after for third in (3, 4))
            chord = {(tonic + above) % 12 for above in (0, 3, 4, 7)}
            if not dominant <= before <= dominant | {(root + 7) % 12} or not after or full or not after <= chord:
                continue
            lowest = [int(chord[chord >= 0].min()) for chord in (now, then)]
            walks = lowest[0] % 12 == (root + 7) % 12 and 0 < lowest[1] - lowest[0] <= STEP
            for voice in np.flatnonzero((now >= 0) & (then >= 0) & (now != then)).tolist():
                rise = int(then[voice] - now[voice])
                taken_over = bool(((then == now[voice] + 1) & (now != then)).any())
                inner = 0 < voice < len(now) - 1
                rule = ""
                if now[voice] % 12 == (root + 10) % 12 and not (-STEP <= rise < 0 or (walks and 0 < rise <= STEP)):
                    rule = UNRESOLVED_SEVENTH.name
                elif now[voice] % 12 == (root + 4) % 12 and rise != 1 and not taken_over and not (inner and rise == -4):
                    rule = UNRESOLVED_LEADING_NOTE.name
                if rule:
                    found.append(Fault(rule, step, (voice,), (int(then[voice]),)))
    return found
