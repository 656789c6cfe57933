"""Splits a roll into singable voices: which of four singers sings which note.

A roll says what sounds, not who sings it. Between two changes of what sounds, each way of giving the sounding pitches
to the voices is a state; the cheapest path through the states is the split. What costs: leaps, a note that wanders from
one voice to another, crossing, parallels, singing out of range, a voice that falls silent. Where one pitch fewer sounds
than there are voices, two voices sing one of them in unison (Bach's do in 8 % of steps) sooner than that one pauses.
Where still fewer sound, as when a tune begins alone, nothing is doubled.

Where four voices cross cannot be seen from such costs. A liking says of each voice which of the sounding pitches it is
likely to sing; the network of `models.separator` learned one from Bach. Beside it, the costs only hold the path
together.

The paper merges its voices and never takes them apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from ripieno.music.piece import NewPart
from ripieno.music.roll import Cells, Voices, attacks, notes_of
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


@dataclass(frozen=True, kw_only=True)
class SeparationCosts:
    """What a split pays for; found by trying on JSB train (docs/log.md#costs-set-by-hand)."""

    leap: float = 1.0  # a semitone of movement
    broken: float = 4.0  # a note that goes on in another voice
    crossed: float = 20.0  # neighbours the wrong way round, at each change
    outside: float = 1.5  # a semitone out of range
    silent: float = 40.0  # a voice without a note while others sing
    unison: float = 0.5  # neighbours on one pitch
    parallel: float = 20.0  # a pair of voices that moves in parallel fifths, octaves or unisons


BY_HAND = SeparationCosts()
# In nats, as a liking is.
BESIDE_LIKING = SeparationCosts(leap=0.3, broken=3.0, crossed=1.0, outside=0.5, unison=0.0, parallel=6.0)

Liking = Float[np.ndarray, "step voice pitch"]
Separate = Callable[[Cells], Liking]
# What sounds, from high to low, and of which voice the pitch is known; from one to the next, and what goes on.
_Chord = tuple[tuple[int, ...], tuple[int, int] | None]
_Move = tuple[_Chord, _Chord, tuple[int, ...]]
WEIGHED = 32  # moves at once
REMEMBERED = 4096  # chords, and steps from one to the next: a piece is split again and again as it is mended
LEAST_LIKED = -40.0  # no log probability counts for less, so that what sounds can always be sung


def split(
    cells: Cells,
    n_voices: int = 4,
    line: Int[np.ndarray, " step"] | None = None,
    line_voice: int = 0,
    separate: Separate | None = None,
) -> Voices:
    """The pitch that each voice sings at each step, -1 where it pauses; voice 0 is the highest.

    Args:
        cells: the roll. Of more pitches than voices at a step some stay without a voice.
        n_voices: 1 to 4.
        line: a line that is known, -1 where it rests.
        line_voice: the voice that sings the line; where the line rests, so does it, if the others can sing what sounds.
        separate: gives the log probabilities that a voice sings a pitch, as `models.runtime.load_separator` does;
            asked where there are four voices.
    """
    liking = None if separate is None or n_voices != 4 else np.maximum(separate(cells), LEAST_LIKED)
    costs = BY_HAND if liking is None else BESIDE_LIKING
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
    chords: list[_Chord] = []
    moves: list[_Move] = []
    for start in starts:
        here = tuple(np.flatnonzero(sounding[start])[::-1].tolist())
        known = None if line is None else (line_voice, max(int(line[start]), -1))
        if chords:
            held = tuple(pitch for pitch in chords[-1][0] if sounding[start, pitch] and not begins[start, pitch])
            moves.append((chords[-1], (here, known), held))
        chords.append((here, known))
    states: list[Int[np.ndarray, "state voice"]] = []
    totals: list[Float[np.ndarray, " state"]] = []
    origins: list[Int[np.ndarray, " state"]] = []
    _weigh(moves, n_voices, costs)
    for i, (start, (here, known)) in enumerate(zip(starts, chords, strict=True)):
        now = _states(here, n_voices, known)
        total = _own_cost(here, n_voices, known, costs)
        if liking is not None:
            total = total - np.where(now >= 0, liking[start, np.arange(n_voices), now], 0.0).sum(axis=1)
        if i:
            sums = totals[-1][:, None] + _step_cost(moves[i - 1], n_voices, costs)
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


@lru_cache(maxsize=REMEMBERED)
def _states(here: tuple[int, ...], n_voices: int, known: tuple[int, int] | None) -> Int[np.ndarray, "state voice"]:
    """Ways to give pitches, from high to low, to voices; each row a way."""
    found: set[tuple[int, ...]] = set()
    if len(here) >= n_voices:
        for chosen in combinations(here, n_voices):
            if len(here) == n_voices or here[0] == chosen[0] or (known and known[1] >= 0):
                found.add(chosen)
        found = found or {here[:n_voices]}
    else:
        # neighbours share a pitch; but where more than one voice would have to share, the others pause
        for cuts in combinations(range(1, n_voices), len(here) - 1) if len(here) >= max(n_voices - 1, 2) else ():
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
        elif known[1] >= 0:
            rows[:, known[0]] = known[1]
    return _kept(rows)


@lru_cache(maxsize=REMEMBERED)
def _own_cost(
    here: tuple[int, ...], n_voices: int, known: tuple[int, int] | None, costs: SeparationCosts
) -> Float[np.ndarray, " state"]:
    rows = _states(here, n_voices, known)
    ranges = np.array([RANGES[name] for name in NAMES[n_voices]])
    sung = rows >= 0
    below, above = np.maximum(ranges[:, 0] - rows, 0), np.maximum(rows - ranges[:, 1], 0)
    cost = costs.outside * ((below + above) * sung).sum(axis=1) + costs.silent * (~sung).sum(axis=1)
    for upper in range(rows.shape[1] - 1):
        both = sung[:, upper] & sung[:, upper + 1]
        cost = cost + costs.crossed * (both & (rows[:, upper] < rows[:, upper + 1]))
        cost = cost + costs.unison * (both & (rows[:, upper] == rows[:, upper + 1]))
    return _kept(np.asarray(cost, dtype=float))


_known_costs: dict[tuple[_Move, int, SeparationCosts], Float[np.ndarray, "state state2"]] = {}


def _weigh(moves: Sequence[_Move], n_voices: int, costs: SeparationCosts) -> None:
    """Remember what the moves cost, those of one shape weighed all at once."""
    if len(_known_costs) > REMEMBERED:
        _known_costs.clear()
    by_shape: dict[tuple[int, int], list[_Move]] = {}
    for move in dict.fromkeys(moves):
        before, now, _ = move
        few = max(len(before[0]), len(now[0])) <= n_voices + 1  # the ways to sing a cluster are too many to keep
        if few and (move, n_voices, costs) not in _known_costs:
            shape = len(_states(before[0], n_voices, before[1])), len(_states(now[0], n_voices, now[1]))
            by_shape.setdefault(shape, []).append(move)
    for alike in by_shape.values():
        for first in range(0, len(alike), WEIGHED):
            some = alike[first : first + WEIGHED]
            rows = np.stack([_states(before[0], n_voices, before[1]) for before, _, _ in some])
            after = np.stack([_states(now[0], n_voices, now[1]) for _, now, _ in some])
            goes_on = np.stack([np.isin(row, held) for row, (_, _, held) in zip(rows, some, strict=True)])
            for move, cost in zip(some, movement_cost(rows, after, goes_on, costs), strict=True):
                _known_costs[move, n_voices, costs] = _kept(cost.copy())


def _step_cost(move: _Move, n_voices: int, costs: SeparationCosts) -> Float[np.ndarray, "state state2"]:
    """From each way to sing one chord to each way to sing the next."""
    known = _known_costs.get((move, n_voices, costs))
    if known is not None:
        return known
    before, now, held = move
    rows = _states(before[0], n_voices, before[1])
    return movement_cost(rows, _states(now[0], n_voices, now[1]), np.isin(rows, held), costs)


def _kept(array: np.ndarray) -> np.ndarray:
    """Nobody changes what is remembered."""
    array.setflags(write=False)
    return array


def movement_cost(
    before: Int[np.ndarray, "*chord state voice"],
    now: Int[np.ndarray, "*chord state2 voice"],
    goes_on: Bool[np.ndarray, "*chord state voice"],
    costs: SeparationCosts,
) -> Float[np.ndarray, "*chord state state2"]:
    """What it costs to go from each state to each state of the next chord.

    Args:
        before, now: pitches, -1 where a voice pauses.
        goes_on: the pitch of `before` is held in the next chord.
        costs: their prices.
    """
    n_voices = before.shape[-1]
    was, is_ = before[..., :, None, :], now[..., None, :, :]
    both = (was >= 0) & (is_ >= 0)
    leaps = np.abs(is_ - was) * both
    moves = np.sign(is_ - was) * both
    # a voice that sang a note which goes on should go on with it; a note that two sang is broken once
    shared = (before[..., :, :, None] == before[..., :, None, :]) & ~np.eye(n_voices, dtype=bool)
    goes_on_in = (is_[..., None, :] == was[..., :, None]) | np.tri(n_voices, k=-1, dtype=bool)
    broken = goes_on[..., :, None, :] & (is_ != was) & ~(shared[..., :, None, :, :] & goes_on_in).any(axis=-1)
    uppers, lowers = np.triu_indices(n_voices, 1)
    apart = np.abs(is_[..., uppers] - is_[..., lowers]) % 12
    same = (moves[..., uppers] == moves[..., lowers]) & (moves[..., uppers] != 0)
    same &= np.abs(was[..., uppers] - was[..., lowers]) % 12 == apart
    same &= (apart == 0) | (apart == 7)
    cost = np.zeros(moves.shape[:-1])
    for voice in range(n_voices):
        cost += costs.leap * leaps[..., voice]
        cost += costs.broken * broken[..., voice]
    for pair in range(len(uppers)):
        cost += costs.parallel * same[..., pair]
    return cost


def place_within(line: Int[np.ndarray, " step"], n_voices: int) -> int | None:
    """How many voices lie above an inner line: of four, one above an alto and two above a tenor; None without a line.

    None, too, where there is no inner voice, or more of them than have names.
    """
    if not 3 <= n_voices <= 4 or not (line >= 0).any():
        return None
    mean = float(line[line >= 0].mean())
    return min(range(1, n_voices - 1), key=lambda voice: abs(sum(RANGES[NAMES[n_voices][voice]]) / 2 - mean))


def parts_of(
    cells: Cells,
    user: Bool[np.ndarray, "step pitch"],
    *,
    line: Int[np.ndarray, " step"] | None = None,
    role: str = "top",
    n_above: int | None = None,
    n_parts: int | None = None,
    velocity: float = 80,
    separate: Separate | None = None,
    doubles: bool = True,
) -> list[NewPart]:
    """The notes that are not the user's, as parts of their own, on the roll's steps and pitches.

    Args:
        cells: the finished roll; what its second plane strikes again begins a note.
        user: the user's own sounding cells; they have parts already.
        line: the user's melody, -1 where it rests.
        role: "top", "bass" or "inner": which voice the line is.
        n_above: how many voices lie above an inner line; found by the split unless given.
        n_parts: 1 for a single part; one for each voice unless given.
        velocity: of the user's notes; new ones are softer.
        separate: tells four voices apart; see `split`.
        doubles: where one pitch fewer sounds than there are voices, two of them sing one.
    """

    def struck(sounding: Bool[np.ndarray, "step pitch"]) -> Cells:
        part = np.zeros_like(cells)
        part[0] = sounding
        part[1:] = cells[1:] & sounding
        return part

    new = struck(cells[0] & ~user)
    softer = min(max(round(SOFTER * velocity), 1), 127)
    if n_parts == 1:
        return [NewPart("Accompaniment", PROGRAM, softer, tuple(notes_of(new)))] if new.any() else []
    most = int(np.count_nonzero(cells[0], axis=1).max(initial=1))
    n_voices = min(max(most, 2), 4)
    own_voice = n_voices - 1 if role == "bass" else 0
    is_placed = role == "inner" and n_above is not None and n_above < n_voices - 1
    if is_placed:
        own_voice = n_above or 0
    steps = np.arange(cells.shape[1])
    known = None
    if line is not None and (role in ("top", "bass") or is_placed):
        known = np.where((line >= 0) & cells[0, steps, line], line, -1)  # what was taken from the user is not sung
    sung = split(cells, n_voices, known, own_voice, separate)
    if role == "inner" and not is_placed:
        shares = [np.mean(user[steps, sung[:, voice]] & (sung[:, voice] >= 0)) for voice in range(n_voices)]
        own_voice = int(np.argmax(shares))
    # a voice sings in unison with the user's line, but it does not double what a second line of theirs sings
    # and where nothing is new, there is no chord to complete
    may_double = new[0].any(axis=1) & (int(np.count_nonzero(user, axis=1).max(initial=0)) <= 1)
    # nor is anything doubled that is alone, or where more than one voice would have to be: such a texture is meant thin
    is_full = doubles & (np.count_nonzero(cells[0], axis=1) >= max(n_voices - 1, 2))
    left = new[0].copy()
    parts = []
    for voice, name in enumerate(NAMES[n_voices]):
        pitch = sung[:, voice]
        sings = pitch >= 0
        # a new note that two voices sing is written for both; the user's own voice gets only what nobody else sings
        once = left[steps, pitch]
        sings &= once if voice == own_voice else np.where(is_full, new[0][steps, pitch] | may_double, once)
        own = np.zeros_like(left)
        own[steps[sings], pitch[sings]] = True
        left[steps[sings], pitch[sings]] = False
        if (own & new[0]).any():
            parts.append(NewPart(name, PROGRAM, softer, tuple(notes_of(struck(own)))))
    if left.any():  # more pitches than voices
        parts.append(NewPart("Further notes", PROGRAM, softer, tuple(notes_of(struck(left)))))
    return parts
