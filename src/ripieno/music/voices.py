"""Splits a roll into singable voices: which of four singers sings which note.

A roll says what sounds, not who sings it. Between two changes of what sounds, each way of giving the sounding pitches
to the voices is a state; the cheapest path through the states is the split. What costs: leaps, a note that wanders from
one voice to another, crossing, parallels, singing out of range, a voice that falls silent. Where fewer pitches sound
than there are voices, two voices sing one of them in unison (Bach's do in 8 % of steps) sooner than that one pauses.

The paper merges its voices and never takes them apart again.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ripieno.music.piece import NewPart
from ripieno.music.roll import Cells, attacks, notes_of, silence
from ripieno.shapes import Bool, Float, Int

NAMES = {
    1: ("Soprano",),
    2: ("Soprano", "Bass"),
    3: ("Soprano", "Alto", "Bass"),
    4: ("Soprano", "Alto", "Tenor", "Bass"),
}
# Lowest and highest pitch of each voice in the JSB training split, but for the outermost 0.5 % of its time.
RANGES = {"Soprano": (62, 79), "Alto": (57, 72), "Tenor": (51, 67), "Bass": (38, 62)}

PROGRAM = 52  # General MIDI 53, Choir Aahs: one sound for all voices, so that they blend
SOFTER = 0.75  # velocity of new notes, as a share of the user's own

# Costs, found by trying on JSB train; docs/log.md has what they give.
LEAP = 1.0  # a semitone of movement
BROKEN = 4.0  # a note that goes on in another voice
CROSSED = 20.0  # a pair of voices the wrong way round, at each change
OUTSIDE = 1.5  # a semitone out of range
SILENT = 40.0  # a voice without a note while others sing
UNISON = 0.5  # two voices on one pitch
PARALLEL = 20.0  # a pair of voices that moves in parallel fifths, octaves or unisons


def split(
    cells: Cells, n_voices: int = 4, line: Int[np.ndarray, " step"] | None = None, line_voice: int = 0
) -> Int[np.ndarray, "step voice"]:
    """The pitch that each voice sings at each step, -1 where it pauses; voice 0 is the highest.

    Args:
        cells: the roll. Of more pitches than voices at a step some stay without a voice.
        n_voices: 1 to 4.
        line: a line that is known, -1 where it rests.
        line_voice: the voice that sings the line.
    """
    sounding = cells[0]
    n_steps = sounding.shape[0]
    pitches = np.full((n_steps, n_voices), -1)
    begins = attacks(cells)
    changed = np.ones(n_steps, dtype=bool)
    changed[1:] = (sounding[1:] != sounding[:-1]).any(axis=1) | begins[1:].any(axis=1)
    if line is not None:
        changed[1:] |= line[1:] != line[:-1]
    starts = [int(step) for step in np.flatnonzero(changed) if sounding[step].any()]
    if not starts:
        return pitches
    ends = [int(step) for step in (*np.flatnonzero(changed)[1:], n_steps)]
    end_of = dict(zip(map(int, np.flatnonzero(changed)), ends, strict=True))
    ranges = np.array([RANGES[name] for name in NAMES[n_voices]])
    states: list[Int[np.ndarray, "state voice"]] = []
    totals: list[Float[np.ndarray, " state"]] = []
    origins: list[Int[np.ndarray, " state"]] = []
    for i, start in enumerate(starts):
        here = [int(pitch) for pitch in np.flatnonzero(sounding[start])[::-1]]
        held = {pitch for pitch in here if not begins[start, pitch]}
        known = None if line is None or line[start] < 0 else (line_voice, int(line[start]))
        now = _states(here, n_voices, known)
        total = _own_cost(now, ranges)
        if i:
            step_cost = _movement(states[-1], now, held)
            sums = totals[-1][:, None] + step_cost
            origins.append(sums.argmin(axis=0))
            total = total + sums.min(axis=0)
        states.append(now)
        totals.append(total)
    best = int(totals[-1].argmin())
    for i in range(len(starts) - 1, -1, -1):
        pitches[starts[i] : end_of[starts[i]]] = states[i][best]
        if i:
            best = int(origins[i - 1][best])
    return pitches


def _states(here: list[int], n_voices: int, known: tuple[int, int] | None) -> Int[np.ndarray, "state voice"]:
    """Ways to give pitches, from high to low, to voices; each row a way."""
    found: set[tuple[int, ...]] = set()
    if len(here) >= n_voices:
        for chosen in combinations(here, n_voices):
            if len(here) == n_voices or here[0] == chosen[0] or known:
                found.add(chosen)
        found = found or {tuple(here[:n_voices])}
    else:
        for cuts in combinations(range(1, n_voices), len(here) - 1):  # neighbours share a pitch
            bounds = (0, *cuts, n_voices)
            found.add(tuple(here[k] for k in range(len(here)) for _ in range(bounds[k + 1] - bounds[k])))
        for singing in combinations(range(n_voices), len(here)):  # or some pause
            row = [-1] * n_voices
            for voice, pitch in zip(singing, here, strict=True):
                row[voice] = pitch
            found.add(tuple(row))
    for row_ in list(found):  # two neighbours may cross
        for voice in range(n_voices - 1):
            a, b = row_[voice : voice + 2]
            if a != b and min(a, b) >= 0:
                found.add((*row_[:voice], b, a, *row_[voice + 2 :]))
    rows: Int[np.ndarray, "state voice"] = np.array(sorted(found))
    if known is not None:
        fits = rows[:, known[0]] == known[1]
        if fits.any():
            rows = rows[fits]
            return rows
        rows[:, known[0]] = known[1]
    return rows


def _own_cost(rows: Int[np.ndarray, "state voice"], ranges: Int[np.ndarray, "voice 2"]) -> Float[np.ndarray, " state"]:
    sung = rows >= 0
    below, above = np.maximum(ranges[:, 0] - rows, 0), np.maximum(rows - ranges[:, 1], 0)
    cost = OUTSIDE * ((below + above) * sung).sum(axis=1) + SILENT * (~sung).sum(axis=1)
    for upper in range(rows.shape[1] - 1):
        both = sung[:, upper] & sung[:, upper + 1]
        cost = cost + CROSSED * (both & (rows[:, upper] < rows[:, upper + 1]))
        cost = cost + UNISON * (both & (rows[:, upper] == rows[:, upper + 1]))
    return np.asarray(cost, dtype=float)


def _movement(
    before: Int[np.ndarray, "state voice"], now: Int[np.ndarray, "state2 voice"], held: set[int]
) -> Float[np.ndarray, "state state2"]:
    was, is_ = before[:, None], now[None]
    both = (was >= 0) & (is_ >= 0)
    cost = LEAP * (np.abs(was - is_) * both).sum(axis=2)
    for pitch in held:
        # a voice that sang a note which goes on should go on with it
        left = (was == pitch) & (is_ != pitch)
        stays = ((was == pitch) & (is_ == pitch)).any(axis=2)
        cost = cost + BROKEN * (left.any(axis=2) & ~stays)
    moves = np.sign(is_ - was) * both
    upper, lower = np.triu_indices(before.shape[1], 1)
    before_apart, now_apart = (np.abs(rows[..., upper] - rows[..., lower]) % 12 for rows in (was, is_))
    same = (moves[..., upper] == moves[..., lower]) & (moves[..., upper] != 0) & (before_apart == now_apart)
    cost = cost + PARALLEL * (same & ((now_apart == 0) | (now_apart == 7))).sum(axis=2)
    return np.asarray(cost, dtype=float)


def parts_of(
    cells: Cells,
    user: Bool[np.ndarray, "step pitch"],
    *,
    line: Int[np.ndarray, " step"] | None = None,
    role: str = "top",
    n_parts: int | None = None,
    velocity: float = 80,
) -> list[NewPart]:
    """The notes that are not the user's, as parts of their own, on the roll's steps and pitches.

    Args:
        cells: the finished roll.
        user: the user's own sounding cells; they have parts already.
        line: the user's melody, -1 where it rests.
        role: "top", "bass" or "inner": which voice the line is.
        n_parts: 1 for a single part; one for each voice unless given.
        velocity: of the user's notes; new ones are softer.
    """
    new = silence(cells.shape[1])
    new[0] = cells[0] & ~user
    softer = min(max(round(SOFTER * velocity), 1), 127)
    if n_parts == 1:
        return [NewPart("Accompaniment", PROGRAM, softer, tuple(notes_of(new)))] if new.any() else []
    most = int(np.count_nonzero(cells[0], axis=1).max(initial=1))
    n_voices = min(max(most, 2), 4)
    own_voice = n_voices - 1 if role == "bass" else 0
    steps = np.arange(cells.shape[1])
    known = None
    if line is not None and role in ("top", "bass"):
        known = np.where((line >= 0) & cells[0, steps, line], line, -1)  # what was taken from the user is not sung
    sung = split(cells, n_voices, known, own_voice)
    if role == "inner":
        shares = [np.mean(user[steps, sung[:, voice]] & (sung[:, voice] >= 0)) for voice in range(n_voices)]
        own_voice = int(np.argmax(shares))
    # a voice sings in unison with the user's line, but it does not double what a second line of theirs sings
    # and where nothing is new, there is no chord to complete
    may_double = new[0].any(axis=1) & (int(np.count_nonzero(user, axis=1).max(initial=0)) <= 1)
    # nor is anything doubled where more than one voice would have to be: such a texture is meant to be thin
    is_full = np.count_nonzero(cells[0], axis=1) >= n_voices - 1
    left = new[0].copy()
    parts = []
    for voice, name in enumerate(NAMES[n_voices]):
        pitch = sung[:, voice]
        sings = pitch >= 0
        # a new note that two voices sing is written for both; the user's own voice gets only what nobody else sings
        once = left[steps, pitch]
        sings &= once if voice == own_voice else np.where(is_full, new[0][steps, pitch] | may_double, once)
        own = silence(len(sung))
        own[0, steps[sings], pitch[sings]] = True
        left[steps[sings], pitch[sings]] = False
        if (own[0] & new[0]).any():
            parts.append(NewPart(name, PROGRAM, softer, tuple(notes_of(own))))
    if left.any():  # more pitches than voices
        rest = silence(len(sung))
        rest[0] = left
        parts.append(NewPart("Further notes", PROGRAM, softer, tuple(notes_of(rest))))
    return parts
