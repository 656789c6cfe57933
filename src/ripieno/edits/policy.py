"""Policy: which cells the model may change now.  (Paper 5)

Each rule says which cells may change, and a cell may change when all of them say so. Nothing else keeps the model from
a cell, and no rule binds the user.

Three things hold under every policy:
1. The user's own sounding cells (`EditLog.user_cells`) stay, but for a budget of notes: `max_removals`.
2. What the user silenced stays silent.
3. Unless `takes_back` is false, the model may take back what it added, and it may put back what it removed from the
   user, wherever `locked`, `selection` and `refused` leave the cell free: the rules for additions do not bind it there.
   Only the middle of a note of its own it must leave while `max_additions` is used up, because that would make two
   notes of it; it can go from its ends. And a bass that is named stays as long as something stands on it.

Differences from the paper:
1. It caps removals in cells; people think in notes, so here both budgets count notes. A note of the user's counts once
   the model has taken any cell of it, and the rest of it may then go too.
2. `pitches`, `n_voices`, `n_doubling`, `melody`, `chords`, `basses`, `locked`, `selection`, `refused` and `takes_back`
   are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ripieno.edits.log import USER, EditLog
from ripieno.errors import BadInput
from ripieno.music.roll import N_PITCHES, Cells
from ripieno.shapes import Bool, Int

Mask = Bool[np.ndarray, "..."]  # (step,), (step, pitch) or (plane, step, pitch)


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """What the model may do.

    Raises:
        BadInput: a value is out of range, or two contradict each other.
    """

    locked: Mask | None = None  # the model changes nothing here
    selection: Mask | None = None  # and nothing outside of this
    pitches: tuple[int, int] | None = None  # lowest and highest that it may add
    max_removals: int | float = 0  # of the user's own notes: an int counts them, a float is a share of them, 0 to 1
    max_additions: int | None = None  # notes; those that sound count
    n_voices: int | None = None  # nothing is added where so many cells sound, or, where the melody rests, one fewer
    melody: Literal["top", "bass", "inner"] | None = None  # additions keep under a top line and over a bass
    line: Int[np.ndarray, " step"] | None = None  # the melody's pitch at each step, -1 where it rests
    n_doubling: Int[np.ndarray, " step"] | None = None  # so many of `n_voices` sing what another one sings, and no more
    n_above: int | None = None  # around an inner line so many of `n_voices` lie above it, and the others below
    floor: Int[np.ndarray, " step"] | None = None  # the user's own bass: nothing is added beneath; -1 where it rests
    chords: Bool[np.ndarray, "step pitch_class"] | None = (
        None  # additions are of these; all where no chord is asked for
    )
    basses: Int[np.ndarray, " step"] | None = None  # the pitch class that is to be lowest, -1 where none is named
    only_completes: bool = False  # nothing changes but that chords get what they lack, where something sounds already
    refused: frozenset[tuple[int, int, int]] = frozenset()  # cells (plane, step, pitch) that the user said no to
    takes_back: bool = True  # False: it may only add, the experiment that shows what taking back is worth
    temperature: float = 1.0  # below 1 the model keeps to what it likes best, above 1 it dares more
    keeps_height: bool = False  # whatever the temperature, additions lie as high as the model has them, on average

    def __post_init__(self) -> None:
        for name in ("locked", "selection", "line", "floor", "chords", "basses", "n_doubling"):
            array = getattr(self, name)
            if array is not None and array.flags.writeable:
                own = array.copy()
                own.setflags(write=False)
                object.__setattr__(self, name, own)
        _check_numbers(self)

    def allowed(self, log: EditLog) -> Cells:
        """The cells that the model may change now.

        Raises:
            BadInput: a mask, the line or a refused cell does not fit the roll.
        """
        self._check_fits(log)
        budget_spent = self.max_additions is not None and log.n_added >= self.max_additions
        allowed = np.empty_like(log.cells)
        allowed[0] = self._may_add(log, budget_spent) | self._may_remove(log, budget_spent)
        if log.cells.shape[0] > 1:
            allowed[1] = self._may_strike(log, budget_spent)
        if self.locked is not None:
            allowed &= ~_by_step(self.locked)
        if self.selection is not None:
            allowed &= _by_step(self.selection)
        if self.refused:
            allowed[self._refused_cells] = False
        return allowed

    def excerpt(self, log: EditLog, steps: slice) -> Policy:
        """The same policy for `log.excerpt(steps)`: what it allows there, it allows in the whole, but for edge steps.

        Once the additions are used up, what may change depends on the steps beside; at the edges those are not seen.

        Budgets are what is left of them in the whole, beside what is spent in the excerpt. Where one of the user's
        notes lies half in it, what is left of `max_removals` may be one note off.
        """
        first, end, _ = steps.indices(log.cells.shape[1])
        part = log.excerpt(steps)
        additions, removals = self.max_additions, self.max_removals
        if additions is not None:
            additions = max(additions - log.n_added + part.n_added, 0)
        if removals:
            whole = int(removals * log.n_user_notes + 1e-9) if isinstance(removals, float) else removals
            removals = max(whole - log.n_removed_from_user + part.n_removed_from_user, 0)
        policy = replace(
            self,
            locked=_cut(self.locked, steps),
            selection=_cut(self.selection, steps),
            max_removals=removals,
            max_additions=additions,
            line=None if self.line is None else self.line[steps],
            floor=None if self.floor is None else self.floor[steps],
            n_doubling=None if self.n_doubling is None else self.n_doubling[steps],
            chords=None if self.chords is None else self.chords[steps],
            basses=None if self.basses is None else self.basses[steps],
            refused=frozenset((plane, at - first, pitch) for plane, at, pitch in self.refused if first <= at < end),
        )
        # a line's rest goes by the notes around it, which may lie outside
        for name in ("_in_reach", "most"):
            whole = getattr(self, name)
            policy.__dict__[name] = whole if whole is None or len(whole) == 1 else whole[steps]
        return policy

    def _may_add(self, log: EditLog, budget_spent: bool) -> Bool[np.ndarray, "step pitch"]:
        """Silent cells that may sound."""
        sounding = log.cells[0]
        silent = ~sounding
        added: np.ndarray = silent & self._in_reach
        added &= log.author_of[0] != USER  # a silent cell of theirs is one that they silenced
        if self.most is not None:
            added &= (np.count_nonzero(sounding, axis=1) < self.most)[:, None]
        if self.n_above is not None and self.line is not None and self.n_voices is not None:
            added &= self._keeps_places(log, self.line, self.n_above, self.n_voices - 1 - self.n_above)
        if self.chords is not None:
            added &= self._completes_chords(log, self.chords)
        if self.basses is not None:
            added &= self._keeps_basses(log, self.basses)
        if budget_spent:
            before, after = _joins(log)
            added &= before | after
        if not self.only_completes:
            added |= silent & log.user_cells[0]
        return added

    def _may_remove(self, log: EditLog, budget_spent: bool) -> Bool[np.ndarray, "step pitch"]:
        """Sounding cells that may fall silent."""
        if not self.takes_back or self.only_completes:
            return np.zeros_like(log.cells[0])
        removed = log.model_cells
        if budget_spent:
            before, after = _joins(log)
            removed &= ~(before & after)  # to take the middle out of a note would make two of it
        if self.max_removals:
            touched = log.touched_user_notes
            budget = self.max_removals
            if isinstance(budget, float):
                budget = int(budget * log.n_user_notes + 1e-9)  # 0.29 * 100 is 28.999999999999996
            theirs = log.cells[0] & log.user_cells[0]
            if len(touched) >= budget:
                is_touched = np.zeros(log.n_user_notes + 1, dtype=bool)  # the last one stands for no note, -1
                is_touched[touched] = True
                theirs &= is_touched[log.user_note_of]
            removed |= theirs
        if self.basses is not None:
            removed &= ~self._bears(log, self.basses)
        return removed

    def _may_strike(self, log: EditLog, budget_spent: bool) -> Bool[np.ndarray, "step pitch"]:
        """Cells of plane 1 that may change: where a note is held or struck again, but for the user's own notes."""
        sounding, struck = log.cells
        user_sounding, user_struck = log.user_cells
        changed: np.ndarray = np.zeros_like(sounding)
        changed[1:] = sounding[1:] & sounding[:-1] & ~(user_sounding[1:] & user_sounding[:-1])
        changed &= ~(struck & user_struck)
        if budget_spent:
            changed &= struck  # to strike a held note again would make two of it
        else:
            changed &= struck | (self._in_reach & (log.author_of[1] != USER))
        if not self.takes_back:
            changed &= ~struck
        if self.only_completes:
            changed[:] = False
        return changed

    @cached_property
    def most(self) -> Int[np.ndarray, "#step"] | None:
        """How many cells may sound at a step; None for any number. Who sings the melody rests with it."""
        if self.n_voices is None:
            return None
        left: np.ndarray = np.array([self.n_voices])
        if self.line is not None and not (self.line < 0).all():
            left = left - (self.line < 0)
        if self.n_doubling is not None:
            left = left - self.n_doubling
        most: np.ndarray = np.maximum(left, 1)
        return most

    @cached_property
    def _in_reach(self) -> Bool[np.ndarray, "#step pitch"]:
        """Where `pitches` and `melody` let the model add; one row for all steps where there is no line."""
        low, high = self.pitches or (0, N_PITCHES - 1)
        pitch = np.arange(N_PITCHES)
        reach: np.ndarray = ((pitch >= low) & (pitch <= high))[None]
        if self.chords is not None:
            in_chord: np.ndarray = self.chords[:, pitch % 12]
            reach = reach & in_chord
        if self.floor is not None:
            reach = reach & (pitch > self.floor[:, None])
        if self.line is None or self.melody not in ("top", "bass") or (self.line < 0).all():
            return reach
        sung = np.flatnonzero(self.line >= 0)
        # In a rest the pitch before it counts; before the first note, that one.
        latest = np.searchsorted(sung, np.arange(len(self.line)), side="right") - 1
        line = self.line[sung[np.maximum(latest, 0)], None]
        reach = reach & (pitch < line if self.melody == "top" else pitch > line)
        return reach

    def _keeps_places(
        self, log: EditLog, line: Int[np.ndarray, " step"], n_above: int, n_below: int
    ) -> Bool[np.ndarray, "step pitch"]:
        """Where the melody sounds, so many may sound above it, and so many below."""
        pitch = np.arange(N_PITCHES)
        above, below = pitch > line[:, None], pitch < line[:, None]
        sounding = log.cells[0]
        full_above = np.count_nonzero(sounding & above, axis=1) >= n_above
        full_below = np.count_nonzero(sounding & below, axis=1) >= n_below
        taken = (above & full_above[:, None]) | (below & full_below[:, None])
        return np.asarray(~taken | (line < 0)[:, None])

    def _completes_chords(
        self, log: EditLog, chords: Bool[np.ndarray, "step pitch_class"]
    ) -> Bool[np.ndarray, "step pitch"]:
        """Where the voices that are left are needed for notes that a chord still lacks, those notes alone may come."""
        sounding = log.cells[0]
        missing = chords & ~_classes(sounding) & ~chords.all(axis=1, keepdims=True)
        n_missing = np.count_nonzero(missing, axis=1)
        if self.only_completes:
            missing &= sounding.any(axis=1, keepdims=True)
            return np.asarray(missing[:, _PITCH_CLASS])
        fits: np.ndarray = np.ones_like(sounding)
        if self.most is not None:
            n_free = self.most - np.count_nonzero(sounding, axis=1)
            needed = (n_missing > 0) & (n_missing >= n_free)
            fits[needed] = missing[needed][:, _PITCH_CLASS]
        return fits

    def _keeps_basses(self, log: EditLog, basses: Int[np.ndarray, " step"]) -> Bool[np.ndarray, "step pitch"]:
        """A bass that is named comes first, and what comes later keeps above it."""
        lowest = self._lowest(log)
        pitch = np.arange(N_PITCHES)
        is_bass: np.ndarray = basses[:, None] == _PITCH_CLASS
        is_there = (lowest < N_PITCHES) & (_PITCH_CLASS[lowest % N_PITCHES] == basses)
        first: np.ndarray = is_bass & (pitch < lowest[:, None])
        fits: np.ndarray = np.where(is_there[:, None], is_bass | (pitch > lowest[:, None]), first)
        # where the range has no room for that bass, the chord alone counts
        fits[(basses < 0) | (~is_there & ~(first & self._in_reach).any(axis=1))] = True
        return fits

    def _bears(self, log: EditLog, basses: Int[np.ndarray, " step"]) -> Bool[np.ndarray, "step pitch"]:
        """The basses that were named, as long as something stands on them."""
        lowest = self._lowest(log)
        bears: np.ndarray = np.zeros_like(log.cells[0])
        named = (lowest < N_PITCHES) & (_PITCH_CLASS[lowest % N_PITCHES] == basses)
        steps = np.flatnonzero(named)
        others = log.cells[0, steps].copy()
        if self.line is not None:
            others[np.arange(len(steps)), self.line[steps]] &= self.line[steps] < 0
        bears[steps, lowest[steps]] = np.count_nonzero(others, axis=1) > 1
        return bears

    def _lowest(self, log: EditLog) -> Int[np.ndarray, " step"]:
        """The lowest pitch of each step, the melody on top left out; 128 where there is none."""
        others = log.cells[0]
        if self.line is not None and self.melody == "top":
            steps = np.flatnonzero(self.line >= 0)
            others = others.copy()
            others[steps, self.line[steps]] = False
        lowest: np.ndarray = np.where(others.any(axis=1), others.argmax(axis=1), N_PITCHES)
        return lowest

    @cached_property
    def _refused_cells(self) -> tuple[Int[np.ndarray, " cell"], ...]:
        return tuple(np.array(sorted(self.refused)).T)

    def _check_fits(self, log: EditLog) -> None:
        shape = log.cells.shape
        n_steps = shape[1]
        for name, mask in (("locked", self.locked), ("selection", self.selection)):
            if mask is not None and mask.shape not in ((n_steps,), shape[1:], shape):
                raise BadInput(f"{name} has shape {mask.shape}; give it ({n_steps},), {shape[1:]} or {shape}")
        for name in ("chords", "basses", "floor", "n_doubling"):
            one = getattr(self, name)
            if one is not None and len(one) != n_steps:
                raise BadInput(f"{name} has {len(one)} steps; give it one row for each of {n_steps}")
        if self.line is not None and len(self.line) != n_steps:
            raise BadInput(f"the melody's line has {len(self.line)} steps; give it one pitch for each of {n_steps}")
        if self.refused:
            for at, size in zip(self._refused_cells, shape, strict=True):
                if at.min() < 0 or at.max() >= size:
                    raise BadInput(f"a refused cell lies outside the roll of shape {shape}; drop it")


_PITCH_CLASS = np.arange(N_PITCHES) % 12


def _classes(sounding: Bool[np.ndarray, "step pitch"]) -> Bool[np.ndarray, "step pitch_class"]:
    """The pitch classes that sound at each step."""
    octaves = np.zeros((len(sounding), 11, 12), dtype=bool)
    octaves.reshape(len(sounding), -1)[:, :N_PITCHES] = sounding
    return np.asarray(octaves.any(axis=1))


def _cut(mask: Mask | None, steps: slice) -> Mask | None:
    if mask is None:
        return None
    return mask[:, steps] if mask.ndim == 3 else mask[steps]


def _by_step(mask: Mask) -> Mask:
    return mask[:, None] if mask.ndim == 1 else mask


def _joins(log: EditLog) -> tuple[Bool[np.ndarray, "step pitch"], Bool[np.ndarray, "step pitch"]]:
    """Where a cell of the model's would be one note with the model's cell before it, and with the one after it."""
    sounding = log.model_cells
    before, after = np.zeros_like(sounding), np.zeros_like(sounding)
    before[1:], after[:-1] = sounding[:-1], sounding[1:]
    if log.cells.shape[0] > 1:
        held = ~log.cells[1]
        before &= held
        after[:-1] &= held[1:]
    return before, after


def _check_numbers(policy: Policy) -> None:
    if policy.pitches is not None:
        low, high = policy.pitches
        if low > high:
            raise BadInput(f"pitches must run from low to high, not from {low} to {high}; try ({high}, {low})")
        if low < 0 or high >= N_PITCHES:
            raise BadInput(f"pitches {low} to {high} leave the MIDI range; keep them within 0 and {N_PITCHES - 1}")
    removals = policy.max_removals
    if not isinstance(removals, float) and removals < 0:
        raise BadInput(f"max_removals must be 0 notes or more, not {removals}; use 0 to keep all of yours")
    if isinstance(removals, float) and not 0 <= removals <= 1:
        raise BadInput(
            f"max_removals must be a share from 0.0 to 1.0, not {removals}; write a number of notes without a point"
        )
    if policy.max_additions is not None and policy.max_additions < 0:
        raise BadInput(f"max_additions must be 0 notes or more, not {policy.max_additions}; leave it out for no limit")
    if policy.n_voices is not None and policy.n_voices < 1:
        raise BadInput(f"n_voices must be 1 or more, not {policy.n_voices}; use max_additions=0 to add nothing")
    if policy.n_above is not None and not 0 <= policy.n_above < (policy.n_voices or 128):
        raise BadInput(f"n_above must be 0 or more, and less than n_voices, not {policy.n_above}")
    if policy.melody in ("top", "bass") and policy.line is None:
        raise BadInput(f"melody={policy.melody!r} needs its line, a pitch for each step; give it, or use melody=None")
    if policy.line is not None and not ((policy.line >= -1) & (policy.line < N_PITCHES)).all():
        raise BadInput(
            f"the melody's line must hold pitches 0 to {N_PITCHES - 1}, or -1 where it rests, "
            f"and runs from {policy.line.min()} to {policy.line.max()}"
        )
    if not (policy.temperature > 0 and math.isfinite(policy.temperature)):
        raise BadInput(f"temperature must be above 0, not {policy.temperature}; 1.0 is the model as it is")
