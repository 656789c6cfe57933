"""Policy: which cells the model may change now.  (Paper 5)

A constraint is a value that says which cells may change, and a cell may change when all of them say so. They are joined
by `&`, to a `Policy`. Nothing else keeps the model from a cell, and none of them binds the user.

Three things hold under every policy:
1. The user's own sounding cells (`EditLog.user_cells`) stay, but for a budget of notes: `max_removals`.
2. What the user silenced stays silent.
3. Unless `takes_back` is false, the model may take back what it added, and it may put back what it removed from the
   user, wherever `locked`, `selection` and `refused` leave the cell free: what binds additions does not bind it there.
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
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import and_
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from ripieno.edits.log import USER, EditLog
from ripieno.errors import BadInput
from ripieno.music.roll import N_PITCHES, Cells
from ripieno.shapes import Bool, Int

Mask = Bool[np.ndarray, "..."]  # (step,), (step, pitch) or (plane, step, pitch)

_PITCH = np.arange(N_PITCHES)
_PITCH_CLASS = _PITCH % 12


class May(NamedTuple):
    """The cells that a constraint leaves free, by what would happen to them; None stands for all of them."""

    change: Mask | None = None  # any cell of the roll at all, as it broadcasts to (plane, step, pitch)
    add: Mask | None = None  # plane 0: a silent cell sounds, unless the model only puts it back
    remove: Mask | None = None  # plane 0: a sounding cell falls silent
    strike: Mask | None = None  # plane 1: a note is struck again or held


@dataclass(frozen=True, eq=False)
class Constraint:
    """One constraint: which cells may change now. This one binds nothing.

    Its arrays are copied unless nobody can write to them.
    """

    by_step: ClassVar[tuple[str, ...]] = ()  # its arrays that have a row for each step

    def __post_init__(self) -> None:
        _keep_arrays(self)

    def __and__(self, other: Constraint | Policy) -> Policy:
        """What both allow; a policy's temperature and the like stay."""
        return (other if isinstance(other, Policy) else Policy() & other) & self

    @property
    def where(self) -> Mask | None:
        """Where anything may change, whatever sounds, as it broadcasts to (plane, step, pitch); None for anywhere."""
        return None

    @property
    def reach(self) -> Bool[np.ndarray, "#step pitch"] | None:
        """Where notes that are new may begin, be held or be struck again, whatever sounds; None for anywhere."""
        return None

    def may(self, log: EditLog) -> May:
        """The cells that it leaves free now, `where` and `reach` aside."""
        return May()

    def check(self, shape: tuple[int, ...]) -> None:
        """Compare with a roll of this shape.

        Raises:
            BadInput: it does not fit.
        """
        for name in self.by_step:
            array = getattr(self, name)
            if array is not None and len(array) != shape[1]:
                raise BadInput(f"{name} has {len(array)} steps; give it one row for each of {shape[1]}")

    def excerpt(self, log: EditLog, steps: slice) -> Constraint:
        """The same constraint for `log.excerpt(steps)`."""
        return replace(self, **_cut(self, self.by_step, steps)) if self.by_step else self


# Where


@dataclass(frozen=True, eq=False)
class Locked(Constraint):
    """The model changes nothing here."""

    by_step: ClassVar = ("locked",)
    locked: Mask

    @cached_property
    def where(self) -> Mask:
        """Everywhere else."""
        return ~_by_step(self.locked)

    def check(self, shape: tuple[int, ...]) -> None:
        """As of any constraint; a mask may have a row, or a cell, for each step, or tell the planes apart."""
        _check_mask("locked", self.locked, shape)


@dataclass(frozen=True, eq=False)
class Selection(Constraint):
    """The model changes nothing outside of this."""

    by_step: ClassVar = ("selection",)
    selection: Mask

    @property
    def where(self) -> Mask:
        """The mask."""
        return _by_step(self.selection)

    def check(self, shape: tuple[int, ...]) -> None:
        """As of any constraint; the mask may be as in `Locked`."""
        _check_mask("selection", self.selection, shape)


@dataclass(frozen=True, eq=False)
class Refused(Constraint):
    """Cells (plane, step, pitch) that the user said no to, sounding or not."""

    refused: frozenset[tuple[int, int, int]]

    def may(self, log: EditLog) -> May:
        """All cells but these."""
        free: np.ndarray = np.ones(log.cells.shape, dtype=bool)
        free[self._cells] = False
        return May(change=free)

    def check(self, shape: tuple[int, ...]) -> None:
        """As of any constraint."""
        for at, size in zip(self._cells, shape, strict=True):
            if at.size and (at.min() < 0 or at.max() >= size):
                raise BadInput(f"a refused cell lies outside the roll of shape {shape}; drop it")

    def excerpt(self, log: EditLog, steps: slice) -> Refused:
        """Those of the excerpt."""
        first, end, _ = steps.indices(log.cells.shape[1])
        return replace(
            self,
            refused=frozenset((plane, at - first, pitch) for plane, at, pitch in self.refused if first <= at < end),
        )

    @cached_property
    def _cells(self) -> tuple[Int[np.ndarray, " cell"], ...]:
        return tuple(np.array(sorted(self.refused), dtype=int).reshape(-1, 3).T)


@dataclass(frozen=True, eq=False)
class Range(Constraint):
    """The lowest and the highest pitch that the model may add."""

    low: int
    high: int

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if low > high:
            raise BadInput(f"pitches must run from low to high, not from {low} to {high}; try ({high}, {low})")
        if low < 0 or high >= N_PITCHES:
            raise BadInput(f"pitches {low} to {high} leave the MIDI range; keep them within 0 and {N_PITCHES - 1}")

    @cached_property
    def reach(self) -> Bool[np.ndarray, "#step pitch"]:
        """All from the lowest to the highest pitch, at every step."""
        inside: np.ndarray = (self.low <= _PITCH) & (self.high >= _PITCH)
        return inside[None]


@dataclass(frozen=True, eq=False)
class Side(Constraint):
    """Additions keep under a top line or over a bass line.

    In a rest of the line the pitch before it counts; before the first note, that one.
    """

    by_step: ClassVar = ("line",)
    melody: Literal["top", "bass"]
    line: Int[np.ndarray, " step"]  # -1 where it rests; kept with its rests filled

    def __post_init__(self) -> None:
        sung = np.flatnonzero(self.line >= 0)
        if 0 < len(sung) < len(self.line):
            latest = np.searchsorted(sung, np.arange(len(self.line)), side="right") - 1
            object.__setattr__(self, "line", self.line[sung[np.maximum(latest, 0)]])
        super().__post_init__()

    @cached_property
    def reach(self) -> Bool[np.ndarray, "step pitch"] | None:
        """The pitches on the right side of the line; anywhere if it never sounds."""
        line = self.line[:, None]
        if (line < 0).all():
            return None
        return np.asarray(line > _PITCH if self.melody == "top" else line < _PITCH)


@dataclass(frozen=True, eq=False)
class Floor(Constraint):
    """Nothing is added on the user's own bass or beneath it."""

    by_step: ClassVar = ("floor",)
    floor: Int[np.ndarray, " step"]  # -1 where it rests

    @cached_property
    def reach(self) -> Bool[np.ndarray, "step pitch"]:
        """The pitches above it."""
        return np.asarray(self.floor[:, None] < _PITCH)


# How many, and what may go


@dataclass(frozen=True, eq=False)
class VoiceCount(Constraint):
    """Nothing is added to a step where every voice has its note. One voice is always left."""

    by_step: ClassVar = ("rests", "n_doubling")
    n_voices: int
    rests: Bool[np.ndarray, " step"] | None = None  # where the melody rests, and who sings it; None without a melody
    n_doubling: Int[np.ndarray, " step"] | None = None  # so many sing what another one sings, and no more

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_voices < 1:
            raise BadInput(f"n_voices must be 1 or more, not {self.n_voices}; use max_additions=0 to add nothing")

    @cached_property
    def most(self) -> Int[np.ndarray, "#step"]:
        """How many cells may sound at a step."""
        left: np.ndarray = np.array([self.n_voices])
        if self.rests is not None:
            left = left - self.rests
        if self.n_doubling is not None:
            left = left - self.n_doubling
        most: np.ndarray = np.maximum(left, 1)
        return most

    def may(self, log: EditLog) -> May:
        """Steps where fewer sound than may."""
        return May(add=(np.count_nonzero(log.cells[0], axis=1) < self.most)[:, None])


@dataclass(frozen=True, eq=False)
class Places(Constraint):
    """Where an inner line sounds, so many voices lie above it, and so many below."""

    by_step: ClassVar = ("line",)
    line: Int[np.ndarray, " step"]  # -1 where it rests
    n_above: int
    n_below: int

    def may(self, log: EditLog) -> May:
        """Either side of the line, as long as it has room."""
        line = self.line[:, None]
        above, below = line < _PITCH, line > _PITCH
        sounding = log.cells[0]
        full_above = np.count_nonzero(sounding & above, axis=1) >= self.n_above
        full_below = np.count_nonzero(sounding & below, axis=1) >= self.n_below
        taken = (above & full_above[:, None]) | (below & full_below[:, None])
        return May(add=~taken | (line < 0))


@dataclass(frozen=True, eq=False)
class AdditionsBudget(Constraint):
    """So many notes of the model's may sound. Once they do, they may grow at their ends or go; none may be split."""

    max_additions: int

    def __post_init__(self) -> None:
        if self.max_additions < 0:
            raise BadInput(
                f"max_additions must be 0 notes or more, not {self.max_additions}; leave it out for no limit"
            )

    def may(self, log: EditLog) -> May:
        """Once it is used up, only what begins no note."""
        if log.n_added < self.max_additions:
            return May()
        before, after = _joins(log)
        middle = before & after & ~log.user_cells[0]  # to take it out of a note would make two of it
        strike = log.cells[1] if log.cells.shape[0] > 1 else None  # to strike a held note again likewise
        return May(add=before | after, remove=~middle, strike=strike)

    def excerpt(self, log: EditLog, steps: slice) -> AdditionsBudget:
        """What is left of it in the whole, beside what is spent in the excerpt."""
        return replace(self, max_additions=max(self.max_additions - log.n_added + log.excerpt(steps).n_added, 0))


@dataclass(frozen=True, eq=False)
class RemovalsBudget(Constraint):
    """So many of the user's notes may be removed or shortened, and no cell of the others."""

    max_removals: int | float  # an int counts notes, a float is a share of them, 0 to 1

    def __post_init__(self) -> None:
        most = self.max_removals
        if not isinstance(most, float) and most < 0:
            raise BadInput(f"max_removals must be 0 notes or more, not {most}; use 0 to keep all of yours")
        if isinstance(most, float) and not 0 <= most <= 1:
            raise BadInput(
                f"max_removals must be a share from 0.0 to 1.0, not {most}; write a number of notes without a point"
            )

    def may(self, log: EditLog) -> May:
        """While some is left, everything; then what is not the user's, and the rest of what was touched."""
        if not self.max_removals:
            return May(remove=~log.user_cells[0])
        touched = log.touched_user_notes
        if len(touched) < self._n_notes(log):
            return May()
        is_touched = np.zeros(log.n_user_notes + 1, dtype=bool)  # the last one stands for no note, -1
        is_touched[touched] = True
        return May(remove=~log.user_cells[0] | is_touched[log.user_note_of])

    def excerpt(self, log: EditLog, steps: slice) -> RemovalsBudget:
        """What is left of it in the whole, beside what is spent in the excerpt."""
        if not self.max_removals:
            return self
        left = self._n_notes(log) - log.n_removed_from_user
        return replace(self, max_removals=max(left + log.excerpt(steps).n_removed_from_user, 0))

    def _n_notes(self, log: EditLog) -> int:
        if isinstance(self.max_removals, float):
            return int(self.max_removals * log.n_user_notes + 1e-9)  # 0.29 * 100 is 28.999999999999996
        return self.max_removals


@dataclass(frozen=True, eq=False)
class OnlyAdds(Constraint):
    """Nothing is taken back: the experiment that shows what taking back is worth."""

    def may(self, log: EditLog) -> May:
        """All silent cells."""
        return May(change=~log.cells)


# Constraints that ask what other constraints leave


@dataclass(frozen=True, eq=False)
class _Among(Constraint):
    """A constraint that looks at others, which it does not enforce."""

    within: tuple[Constraint, ...] = field(default=(), kw_only=True)

    def check(self, shape: tuple[int, ...]) -> None:
        super().check(shape)
        for one in self.within:
            one.check(shape)

    def excerpt(self, log: EditLog, steps: slice) -> _Among:
        return replace(
            self,
            **_cut(self, self.by_step, steps),
            within=tuple(one.excerpt(log, steps) for one in self.within),
        )


@dataclass(frozen=True, eq=False)
class Chords(_Among):
    """Additions are of the chord; where the voices that are left are needed for what it lacks, those notes alone come.

    How many voices are left, `within` says.
    """

    by_step: ClassVar = ("chords",)
    chords: Bool[np.ndarray, "step pitch_class"]  # all of them where no chord is asked for

    @cached_property
    def reach(self) -> Bool[np.ndarray, "step pitch"]:
        """The notes of each step's chord."""
        in_chord: np.ndarray = self.chords[:, _PITCH_CLASS]
        return in_chord

    def may(self, log: EditLog) -> May:
        """What the chord still lacks, where as many voices are left or fewer."""
        if self._most is None:
            return May()
        sounding = log.cells[0]
        missing = _missing(self.chords, sounding)
        n_missing = np.count_nonzero(missing, axis=1)
        n_free = self._most - np.count_nonzero(sounding, axis=1)
        needed = (n_missing > 0) & (n_missing >= n_free)
        fits: np.ndarray = np.ones_like(sounding)
        fits[needed] = missing[needed][:, _PITCH_CLASS]
        return May(add=fits)

    @cached_property
    def _most(self) -> Int[np.ndarray, "#step"] | None:
        return _most_of(self.within)


@dataclass(frozen=True, eq=False)
class Basses(_Among):
    """A bass that is named comes first, what comes later keeps above it, and it stays while something stands on it.

    Where `within` leaves no room for that bass, it counts for nothing.
    """

    by_step: ClassVar = ("basses", "line")
    basses: Int[np.ndarray, " step"]  # the pitch class that is to be lowest, -1 where none is named
    line: Int[np.ndarray, " step"] | None = None  # the melody's, which stands on no bass; -1 where it rests
    is_top: bool = False  # whether that line is the top one, which is no bass, however low it goes

    def may(self, log: EditLog) -> May:
        """The bass first, and then what lies above it; it goes only when it is alone."""
        lowest = self._lowest(log)
        is_there = (lowest < N_PITCHES) & (_PITCH_CLASS[lowest % N_PITCHES] == self.basses)
        return May(add=self._keeps(lowest, is_there), remove=~self._bears(log, lowest, is_there))

    def _keeps(
        self, lowest: Int[np.ndarray, " step"], is_there: Bool[np.ndarray, " step"]
    ) -> Bool[np.ndarray, "step pitch"]:
        """The bass comes first, and what comes later keeps above it."""
        is_bass: np.ndarray = self.basses[:, None] == _PITCH_CLASS
        first: np.ndarray = is_bass & (lowest[:, None] > _PITCH)
        fits: np.ndarray = np.where(is_there[:, None], is_bass | (lowest[:, None] < _PITCH), first)
        fits[(self.basses < 0) | (~is_there & ~(first & self._room).any(axis=1))] = True
        return fits

    def _bears(
        self, log: EditLog, lowest: Int[np.ndarray, " step"], is_there: Bool[np.ndarray, " step"]
    ) -> Bool[np.ndarray, "step pitch"]:
        """The basses that are there, as long as something stands on them."""
        bears: np.ndarray = np.zeros_like(log.cells[0])
        steps = np.flatnonzero(is_there)
        others = log.cells[0, steps].copy()
        if self.line is not None:
            others[np.arange(len(steps)), self.line[steps]] &= self.line[steps] < 0
        bears[steps, lowest[steps]] = np.count_nonzero(others, axis=1) > 1
        return bears

    def _lowest(self, log: EditLog) -> Int[np.ndarray, " step"]:
        """The lowest pitch of each step, a melody on top left out; 128 where there is none."""
        others = log.cells[0]
        if self.line is not None and self.is_top:
            steps = np.flatnonzero(self.line >= 0)
            others = others.copy()
            others[steps, self.line[steps]] = False
        lowest: np.ndarray = np.where(others.any(axis=1), others.argmax(axis=1), N_PITCHES)
        return lowest

    @cached_property
    def _room(self) -> Bool[np.ndarray, "#step pitch"]:
        return _reach_of(self.within)


@dataclass(frozen=True, eq=False)
class OnlyCompletes(_Among):
    """Nothing changes but that chords get what they lack, where something sounds already.

    What the model removed from the user comes back only as any note would, if `within` lets it be added.
    """

    by_step: ClassVar = ("chords",)
    chords: Bool[np.ndarray, "step pitch_class"] | None = None  # all of them where no chord is asked for

    def may(self, log: EditLog) -> May:
        """Silent cells that a chord lacks."""
        sounding = log.cells[0]
        free: np.ndarray = np.zeros_like(log.cells)
        free[0] = ~sounding
        if self.chords is not None:
            missing = _missing(self.chords, sounding) & sounding.any(axis=1, keepdims=True)
            free[0] &= missing[:, _PITCH_CLASS]
        removed = free[0] & log.user_cells[0]
        if removed.any():
            free[0] &= ~removed | _addable([one.may(log) for one in self.within], _reach_of(self.within), log)
        return May(change=free)


# Together


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """What the model may do: the constraints that follow from what is asked, and what is joined to it by `&`.

    Raises:
        BadInput: a value is out of range, or two contradict each other.
    """

    by_step: ClassVar = ("locked", "selection", "line", "floor", "chords", "basses", "n_doubling")

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
    also: tuple[Constraint, ...] = ()  # what else holds, joined by `&`
    temperature: float = 1.0  # below 1 the model keeps to what it likes best, above 1 it dares more
    keeps_height: bool = False  # whatever the temperature, additions lie as high as the model has them, on average
    constraints: tuple[Constraint, ...] = field(init=False, repr=False)  # all that hold

    def __post_init__(self) -> None:
        _keep_arrays(self)
        if self.n_above is not None and not 0 <= self.n_above < (self.n_voices or 128):
            raise BadInput(f"n_above must be 0 or more, and less than n_voices, not {self.n_above}")
        if self.melody in ("top", "bass") and self.line is None:
            raise BadInput(f"melody={self.melody!r} needs its line, a pitch for each step; give it, or use melody=None")
        if self.line is not None and not ((self.line >= -1) & (self.line < N_PITCHES)).all():
            raise BadInput(
                f"the melody's line must hold pitches 0 to {N_PITCHES - 1}, or -1 where it rests, "
                f"and runs from {self.line.min()} to {self.line.max()}"
            )
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise BadInput(f"temperature must be above 0, not {self.temperature}; 1.0 is the model as it is")
        object.__setattr__(self, "constraints", (*_constraints_asked(self), *self.also))

    def __and__(self, other: Policy | Constraint) -> Policy:
        """What both allow. What is no constraint stays as it is here: the line and the like, the temperature.

        Joining only takes away: where one of two lets none of the user's notes be removed, both together let none.
        """
        more = other.constraints if isinstance(other, Policy) else (other,)
        constraints = (*self.constraints, *more)
        return self._with_constraints(constraints, also=(*self.also, *more), max_additions=_budget_of(constraints))

    def allowed(self, log: EditLog) -> Cells:
        """The cells that the model may change now.

        Raises:
            BadInput: a mask, the line or a refused cell does not fit the roll.
        """
        self._check_fits(log.cells.shape)
        says = [one.may(log) for one in self.constraints]
        sounding = log.cells[0]
        added = _addable(says, self._reach, log)
        added |= log.user_cells[0]  # it is put back
        removed = sounding
        for may in says:
            if may.remove is not None:
                removed = removed & may.remove
        allowed = np.empty_like(log.cells)
        np.logical_or(added & ~sounding, removed, out=allowed[0])
        if log.cells.shape[0] > 1:
            allowed[1] = _struck(says, self._reach, log)
        if self.where is not None:
            allowed &= self.where
        for may in says:
            if may.change is not None:
                allowed &= may.change
        return allowed

    def excerpt(self, log: EditLog, steps: slice) -> Policy:
        """The same policy for `log.excerpt(steps)`: what it allows there, it allows in the whole, but for edge steps.

        Once the additions are used up, what may change depends on the steps beside; at the edges those are not seen.

        Budgets are what is left of them in the whole, beside what is spent in the excerpt. Where one of the user's
        notes lies half in it, what is left of `max_removals` may be one note off.
        """
        # Not what follows from a part of the line: how a rest is taken goes by notes that may lie outside.
        constraints = tuple(one.excerpt(log, steps) for one in self.constraints)
        return self._with_constraints(
            constraints,
            **_cut(self, self.by_step, steps),
            max_removals=next(one.max_removals for one in constraints if isinstance(one, RemovalsBudget)),
            max_additions=_budget_of(constraints),
            refused=frozenset().union(*(one.refused for one in constraints if isinstance(one, Refused))),
            also=constraints[len(constraints) - len(self.also) :],
        )

    @cached_property
    def most(self) -> Int[np.ndarray, "#step"] | None:
        """How many cells may sound at a step; None for any number. Who sings the melody rests with it."""
        return _most_of(self.constraints)

    @cached_property
    def gives_chords(self) -> bool:
        """Whether chords are asked for throughout, and not at a cadence alone."""
        if self.chords is None:
            return False
        return 2 * int(np.count_nonzero(~self.chords.all(axis=1))) > len(self.chords)

    @cached_property
    def where(self) -> Mask | None:
        """Where all constraints let anything change, as it broadcasts to the roll; None for anywhere."""
        masks = [one.where for one in self.constraints if one.where is not None]
        return reduce(and_, masks) if masks else None

    @cached_property
    def _reach(self) -> Bool[np.ndarray, "#step pitch"]:
        """Where all constraints let the model add; one row for all steps where they do not tell them apart."""
        return _reach_of(self.constraints)

    def _with_constraints(self, constraints: tuple[Constraint, ...], **asked: Any) -> Policy:
        """Something else asked, and these constraints in place of those that follow from it."""
        policy = replace(self, **asked)
        object.__setattr__(policy, "constraints", constraints)
        return policy

    def _check_fits(self, shape: tuple[int, ...]) -> None:
        if self.line is not None and len(self.line) != shape[1]:
            raise BadInput(f"the melody's line has {len(self.line)} steps; give it one pitch for each of {shape[1]}")
        for one in self.constraints:
            one.check(shape)


def _constraints_asked(asked: Policy) -> list[Constraint]:
    """What follows from the values that a policy is asked with."""
    constraints: list[Constraint] = []
    line = asked.line
    if asked.pitches is not None:
        constraints.append(Range(*asked.pitches))
    if line is not None and asked.melody in ("top", "bass"):
        constraints.append(Side(asked.melody, line))
    if asked.floor is not None:
        constraints.append(Floor(asked.floor))
    if asked.n_voices is not None:
        rests = line < 0 if line is not None and (line >= 0).any() else None
        constraints.append(VoiceCount(asked.n_voices, rests, asked.n_doubling))
        if line is not None and asked.n_above is not None:
            constraints.append(Places(line, asked.n_above, asked.n_voices - 1 - asked.n_above))
    if asked.chords is not None:
        constraints.append(Chords(asked.chords, within=tuple(constraints)))
    if asked.basses is not None:
        constraints.append(Basses(asked.basses, line, asked.melody == "top", within=tuple(constraints)))
    if asked.max_additions is not None:
        constraints.append(AdditionsBudget(asked.max_additions))
    if asked.only_completes:
        constraints.append(OnlyCompletes(asked.chords, within=tuple(constraints)))
    if not asked.takes_back:
        constraints.append(OnlyAdds())
    constraints.append(RemovalsBudget(asked.max_removals))
    if asked.locked is not None:
        constraints.append(Locked(asked.locked))
    if asked.selection is not None:
        constraints.append(Selection(asked.selection))
    if asked.refused:
        constraints.append(Refused(asked.refused))
    return constraints


def _reach_of(constraints: Iterable[Constraint]) -> Bool[np.ndarray, "#step pitch"]:
    """Where all of them let the model add."""
    reach: np.ndarray = np.ones((1, N_PITCHES), dtype=bool)
    for one in constraints:
        if one.reach is not None:
            reach = reach & one.reach
    return reach


def _most_of(constraints: Iterable[Constraint]) -> Int[np.ndarray, "#step"] | None:
    """How many cells may sound at a step by all of them; None for any number."""
    most: np.ndarray | None = None
    for one in constraints:
        if isinstance(one, VoiceCount):
            most = one.most if most is None else np.minimum(most, one.most)
    return most


def _budget_of(constraints: Iterable[Constraint]) -> int | None:
    """How many notes of the model's may sound by all of them; None for any number."""
    return min(
        (one.max_additions for one in constraints if isinstance(one, AdditionsBudget)),
        default=None,
    )


def _addable(
    says: Iterable[May], reach: Bool[np.ndarray, "#step pitch"], log: EditLog
) -> Bool[np.ndarray, "step pitch"]:
    """Cells that may sound if they are silent, what is only put back aside."""
    addable: np.ndarray = log.author_of[0] != USER  # a silent cell of theirs is one that they silenced
    addable &= reach
    for may in says:
        if may.add is not None:
            addable &= may.add
    return addable


def _struck(
    says: Iterable[May], reach: Bool[np.ndarray, "#step pitch"], log: EditLog
) -> Bool[np.ndarray, "step pitch"]:
    """Cells of plane 1 that may change: where a note is held or struck again, but for the user's own notes."""
    sounding, struck = log.cells
    user_sounding, user_struck = log.user_cells
    changed: np.ndarray = np.zeros_like(sounding)
    changed[1:] = sounding[1:] & sounding[:-1] & ~(user_sounding[1:] & user_sounding[:-1])
    changed &= ~(struck & user_struck)
    changed &= struck | (reach & (log.author_of[1] != USER))
    for may in says:
        if may.strike is not None:
            changed &= may.strike
    return changed


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


def _missing(
    chords: Bool[np.ndarray, "step pitch_class"], sounding: Bool[np.ndarray, "step pitch"]
) -> Bool[np.ndarray, "step pitch_class"]:
    """What each chord that is asked for still lacks."""
    octaves = np.zeros((len(sounding), 11, 12), dtype=bool)
    octaves.reshape(len(sounding), -1)[:, :N_PITCHES] = sounding
    return np.asarray(chords & ~octaves.any(axis=1) & ~chords.all(axis=1, keepdims=True))


def _keep_arrays(value: Constraint | Policy) -> None:
    """Copy the arrays of a value that somebody could still write to."""
    for name in value.by_step:
        array = getattr(value, name)
        if array is not None and array.flags.writeable:
            own = array.copy()
            own.setflags(write=False)
            object.__setattr__(value, name, own)


def _cut(value: Constraint | Policy, names: Iterable[str], steps: slice) -> dict[str, Any]:
    """The steps alone of the arrays so called."""
    arrays = {name: getattr(value, name) for name in names}
    return {
        name: None if array is None else array[:, steps] if array.ndim == 3 else array[steps]
        for name, array in arrays.items()
    }


def _by_step(mask: Mask) -> Mask:
    return mask[:, None] if mask.ndim == 1 else mask


def _check_mask(name: str, mask: Mask, shape: tuple[int, ...]) -> None:
    if mask.shape not in ((shape[1],), shape[1:], shape):
        raise BadInput(f"{name} has shape {mask.shape}; give it ({shape[1]},), {shape[1:]} or {shape}")
