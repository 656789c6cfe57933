"""How a voice goes on: leaps, sharps and flats, lone short notes."""

from __future__ import annotations

import numpy as np

from ripieno.music.part_writing.rule import FUX, MOCK, PISTON, Rule
from ripieno.music.part_writing.score import STEP, Found, Score
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.shapes import Int

WIDEST_LEAP = 7  # semitones; a leap wider than this should be made good


def _notes(score: Score, voice: int) -> tuple[Int[np.ndarray, " note"], Int[np.ndarray, " note"]]:
    """Onsets and pitches of a voice's notes and rests, repeated notes joined."""
    line = score.voices[:, voice]
    starts = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]])) if len(line) else np.zeros(0, dtype=int)
    return starts, line[starts]


def _unrecovered_leap(score: Score, rule: str) -> Found:
    """A voice above the bass leaps more than a fifth and goes on the same way; named where it goes on.

    The bass of several voices is exempt: Bach's leaps octaves and sixths wherever the harmony asks for it.
    """
    found, n_chances = [], 0
    for voice in range(max(score.n_voices - 1, 1)):
        starts, pitches = _notes(score, voice)
        sings = (pitches[:-2] >= 0) & (pitches[1:-1] >= 0) & (pitches[2:] >= 0)
        leap, then = pitches[1:-1] - pitches[:-2], pitches[2:] - pitches[1:-1]
        wide = sings & (abs(leap) > WIDEST_LEAP)
        n_chances += int(wide.sum())
        for i in np.flatnonzero(wide & (leap * then > 0)).tolist():
            found.append(score.fault(rule, int(starts[i + 2]), voice, since=int(starts[i + 1]) - 1))
    return found, n_chances


def _augmented_second(score: Score, rule: str) -> Found:
    """A voice moves three semitones between neighbouring letters, as from F to G sharp."""
    places = score.places[score.voices % 12]
    wide = (abs(score.moves) == 3) & (abs(places[1:] - places[:-1]) == 9)
    found = [score.fault(rule, move + 1, voice, since=move) for move, voice in np.argwhere(wide).tolist()]
    return found, int(np.count_nonzero(score.moves))


def _false_relation(score: Score, rule: str) -> Found:
    """A note and its own sharp or flat, as F and F sharp, in two voices one chord after the other.

    Exempt where a voice itself makes the step from the one to the other.
    """
    now, then = score.slices[:-1], score.slices[1:]
    sings = score.slices >= 0
    places = score.places[score.slices % 12]
    stepped = sings[:-1] & sings[1:] & (abs(places[1:] - places[:-1]) == 7) & (abs(then - now) == 1)
    n_chances = int((sings[:-1].any(axis=1) & sings[1:].any(axis=1)).sum())
    found = []
    # (slice, earlier voice, later voice)
    clash = sings[:-1, :, None] & sings[1:, None, :] & (abs(places[1:, None, :] - places[:-1, :, None]) == 7)
    fresh = (now != then)[:, None, :]
    for i, one, other in np.argwhere(clash & fresh & ~np.eye(score.n_voices, dtype=bool)).tolist():
        same = (now[i] % 12 == now[i, one] % 12) & stepped[i]
        if not same.any():
            step = int(score.starts[i + 1])
            found.append(score.fault(rule, step, one, other, since=step - 1))
    return found, n_chances


def _leap(score: Score, rule: str) -> Found:
    """A voice moves by more than a step."""
    found = [
        score.fault(rule, move + 1, voice, since=move) for move, voice in np.argwhere(abs(score.moves) > STEP).tolist()
    ]
    return found, int(np.count_nonzero(score.moves))


def _lone_sixteenth(score: Score, rule: str) -> Found:
    """A sixteenth beside notes that are longer; but not the short one after a dotted eighth, last in its beat.

    Nor is it an upbeat that comes out of silence.
    """
    found, n_chances = [], 0
    for voice in range(score.n_voices):
        begins = score.onsets[:, voice].copy()
        begins[1:] |= score.sounding[1:, voice] != score.sounding[:-1, voice]
        starts = np.flatnonzero(begins)
        lengths = np.diff(np.append(starts, score.n_steps))
        sings = score.sounding[starts, voice]
        n_chances += int(sings.sum())
        short = sings & (lengths == 1)
        beside = np.zeros(len(starts), dtype=bool)
        beside[1:] |= short[:-1]
        beside[:-1] |= short[1:]
        dotted = np.zeros(len(starts), dtype=bool)
        dotted[1:] = sings[:-1] & (lengths[:-1] >= 3) & ((starts[1:] + score.beat_phase) % STEPS_PER_BEAT == 3)
        upbeat = np.ones(len(starts), dtype=bool)
        upbeat[1:] = ~sings[:-1]
        upbeat &= (starts + score.beat_phase) % STEPS_PER_BEAT == 3
        found += [score.fault(rule, step, voice) for step in starts[short & ~beside & ~dotted & ~upbeat].tolist()]
    return found, n_chances


UNRECOVERED_LEAP = Rule(
    name="unrecovered leap",
    find=_unrecovered_leap,
    of="leaps wider than a fifth above the bass",
    source=FUX,
    level="style",
    wording="{voices} goes on the same way after a wide leap",
    remedy="turn back by step after the leap",
    teachers_price=0.0,
    menders_price=0.0,
)
AUGMENTED_SECOND = Rule(
    name="augmented second",
    find=_augmented_second,
    of="melodic moves",
    source=PISTON,
    level="warning",
    wording="{voices} moves by an augmented second, to {notes}",
    remedy="take the melodic form of the scale",
    teachers_price=0.5,
    menders_price=0.5,
    is_of_chords=True,
)
FALSE_RELATION = Rule(
    name="false relation",
    find=_false_relation,
    of="changes of chord",
    source=PISTON,
    level="style",
    wording="{voices} sing a note and its own sharp or flat one after the other",
    remedy="let one voice sing both",
    teachers_price=0.1,
    menders_price=0.1,
    is_of_chords=True,
)
LONE_SIXTEENTH = Rule(
    name="lone sixteenth",
    find=_lone_sixteenth,
    of="notes",
    source=f"{MOCK}: rhythm",
    level="style",
    wording="{voices} has a single sixteenth among longer notes",
    remedy="even out the rhythm",
    teachers_price=0.5,
    menders_price=0.5,
)
LEAP = Rule(
    name="melodic leap",
    find=_leap,
    of="melodic moves",
    source="measured on JSB: mending that does not hear lines makes its basses leap more than Bach's",
    level="style",
    wording="{voices} leaps to {notes}",
    remedy="go there by step",
    teachers_price=0.0,
    menders_price=0.3,
    is_marked=False,
    is_aside=True,
)
