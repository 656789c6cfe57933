"""Revising: a full piece gone over again and again, each time less of it.  (Paper 5 and 7)

A piece that is full is not finished: each of its notes was drawn when hardly any of the others was there, and hardly
one in ten was ever looked at again. So the model's own notes are cleared at random and written again, in rounds, many
of them at first and ever fewer: annealed blocked Gibbs sampling (`sampling.gibbs`), with the network that edits and one
verb for all. Lines come from this, hardly from the network (docs/log.md#revising).

Each round goes into the log as one batch, of the cells that it has changed: what was cleared and written again as it
was leaves no trace. So a run may end between any two rounds and leaves a whole piece, a round can be undone at once,
and the log says how far the revising has come (`Standing`): an interrupted run goes on from there, and who has revised
everything does not begin anew. What the user wrote is never cleared, nor what the policy keeps, nor what the model
wrote before it last revised or mended.

Differences from the paper:
1. It corrects by single edits, 10,000 of them. By single edits our network corrects too little of what it wrote itself.
2. Its future work (7) clears the tail of a piece to extend it. Here, anything is cleared.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Philox

from ripieno.edits.edit import Edit, difference
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Prediction
from ripieno.sampling.ancestral import compose, outlook
from ripieno.sampling.drafting import EXACT, Quality, draft
from ripieno.sampling.passes import Ask, Change, Sampler
from ripieno.sampling.stopping import StopRule, round_id, round_told
from ripieno.shapes import Bool, Int

FEW = 0.5  # edits expected, below which a round is over, whatever was cleared
OVERDRAWN = 3  # draws for each edit that is wanted of a pass, for many lie too near to one another

Clearing = Literal["notes", "cells"]


@dataclass(frozen=True, kw_only=True)
class Revising:
    """How long a piece is gone over, and how.

    n_rounds: 0 for none.
    most, least: share of the model's own cells that the first round clears, and the last.
    clears: what the rounds clear, in turn. Single cells make smooth lines and still rhythms, whole notes the opposite.
    n_passes: of the network in which a round is written again, about.
    apart: steps between two edits of one pass, at the least.
    edits: for each cell that was cleared, if the model expects as many.
    heat, calm: what the temperature is multiplied by, at first and at last.
    """

    n_rounds: int = 0
    most: float = 0.5
    least: float = 0.13
    clears: tuple[Clearing, ...] = ("notes", "cells")
    n_passes: int = 3
    apart: int = 2
    edits: float = 1.0
    heat: float = 1.0
    calm: float = 1.0

    def share(self, number: int) -> float:
        """Of the own cells that a round clears."""
        return self.most + self._done(number) * (self.least - self.most)

    def temperature(self, number: int, policy: Policy) -> float:
        """At which a round is written again."""
        return policy.temperature * (self.heat + (self.calm - self.heat) * self._done(number))

    def clearing(self, number: int) -> Clearing:
        """What a round clears."""
        return self.clears[number % len(self.clears)]

    def _done(self, number: int) -> float:
        return number / max(self.n_rounds - 1, 1)


@dataclass(frozen=True, eq=False)
class Standing:
    """How far a log has come with its revising.

    n_rounds: that are done, of those that belong together.
    own: cells that the model has written since it last mended, or revised to the end. They may be cleared; not those
        that a person took when the model offered them.
    """

    n_rounds: int
    own: Bool[np.ndarray, "step pitch"]


def standing(log: EditLog) -> Standing:
    """How far a log has come. What was undone is as if it had never been."""
    own: np.ndarray = np.zeros(log.cells.shape[1:], dtype=bool)
    n_rounds, earliest = 0, math.inf
    is_filling = False  # past the rounds, going back
    undone = log.undone
    for place in range(len(log.entries) - 1, -1, -1):
        entry = log.entries[place]
        if place in undone or not isinstance(entry, CellEntry) or entry.author != "model":
            continue
        told = round_told(entry)
        if told is None and entry.id is not None:
            continue  # a message asked for it
        if entry.probability is None or (told and (is_filling or told[0] > earliest)):
            break  # it was mended here, or revised before
        if told is None:
            is_filling = True
        else:
            n_rounds, earliest = max(n_rounds, told[0] + 1), told[0]
        plane, step, pitch = entry.edit
        if plane == 0 and 0 <= step < own.shape[0] and 0 <= pitch < own.shape[1]:
            own[step, pitch] = True
    return Standing(n_rounds, own & log.model_cells)


def is_revised(log: EditLog) -> bool:
    """Whether the last that was done is the last round of a revising: then the piece is past its sampling."""
    told = round_told(log.entries[-1]) if log.entries else None
    return told is not None and told[0] + 1 == told[1]


def go_over(
    log: EditLog,
    context: Context,
    policy: Policy,
    revising: Revising,
    seed: int = 0,
    stop: StopRule | None = None,
    quality: Quality = EXACT,
    most_rounds: int | None = None,
) -> Sampler:
    """Clear and write again, in rounds, what the model has written since it last did; then go on to the stop rule.

    Args:
        log: a full piece, or one on which this was interrupted.
        context: of the roll.
        policy: which cells may change, and the temperature.
        revising: how many rounds, and of what kind.
        seed: with the position in the log and the number of the round, the only source of chance.
        stop: when the piece is finished, after the rounds.
        quality: how many edits may be drawn of one pass, after the rounds.
        most_rounds: to be done now; None for all that are left.
    """
    if not revising.n_rounds:
        return log
    now = standing(log)
    own, first = now.own, now.n_rounds
    last = revising.n_rounds + 1  # with the way to the stop
    for number in range(first, last if most_rounds is None else min(last, first + most_rounds)):
        if number == revising.n_rounds:
            after, n_left = yield from _finished(log, context, policy, seed, stop, quality)
        else:
            after, n_left = yield from _round(log, own, context, policy, revising, number, seed)
        edits = difference(log.cells, after.cells)
        chances = _chances(log, after)
        if edits:
            begun, id = log, round_id(number, last, log)
            log = log.record(edits, "model", [chances[edit] for edit in edits], id=id, where=policy.where)
            own = own.copy()
            own |= log.cells[0] ^ begun.cells[0]
            own &= log.model_cells
            here = edits[0]
            yield Change(log, here, bool(log.cells[here]), chances[here], n_left, n_revised=len(edits))
    return log


# What a round comes to: the log with all that was done on the way, and the edits still expected.
_Round = Generator[Ask | Change, Prediction | None, tuple[EditLog, float]]


def _chances(before: EditLog, after: EditLog) -> dict[Edit, float]:
    """Of each cell that was edited since, the chance with which it was last."""
    new = after.entries[len(before.entries) :]
    return {entry.edit: entry.probability or 0.0 for entry in new if isinstance(entry, CellEntry)}


def _round(
    log: EditLog,
    own: Bool[np.ndarray, "step pitch"],
    context: Context,
    policy: Policy,
    revising: Revising,
    number: int,
    seed: int,
) -> _Round:
    """Clear some of the own cells and draw as many edits as are wanted instead."""
    rng = _generator(seed, log.n_edits, number)
    share = revising.share(number)
    cleared = _cleared(log, own, policy, share, revising.clearing(number), rng)
    if not cleared:
        return log, math.nan
    log = log.record(cleared, "model", [share] * len(cleared), where=policy.where)
    policy = replace(policy, temperature=revising.temperature(number, policy))
    wanted, n_left = math.ceil(len(cleared) * revising.edits), math.nan
    for n_passes in range(revising.n_passes, -revising.n_passes, -1):
        prediction = yield Ask(log.cells[None], context[None])
        assert prediction is not None
        here = outlook(prediction, log, policy, None)
        if here is None or here.n_left < FEW:
            break
        n_left = here.n_left
        n_draws = math.ceil(wanted / max(n_passes, 1))
        n_tries = OVERDRAWN * n_draws
        if math.isfinite(n_left):  # more would reach for what is not expected at all
            n_tries = min(n_tries, math.ceil(n_left))
        drawn = draft(here.probabilities, log, policy, n_tries, rng, revising.apart, n_draws)
        log = log.record_each([one.edit for one in drawn], "model", [one.probability for one in drawn], policy.where)
        wanted -= len(drawn)
        if wanted <= 0:
            break
    return log, n_left


def _finished(
    log: EditLog, context: Context, policy: Policy, seed: int, stop: StopRule | None, quality: Quality
) -> _Round:
    """Go on by single edits or drafts until the stop rule says that it is enough."""
    n_left = math.nan
    if stop is None:
        return log, n_left
    run = compose(log, context, policy, seed, stop.most_edits(log.cells.shape[1]), stop, quality)
    answer: Prediction | None = None
    while True:
        try:
            told = run.send(answer)
        except StopIteration as end:
            return end.value, n_left
        answer = None
        if isinstance(told, Change):
            n_left = told.n_left
        else:
            answer = yield told


def _cleared(
    log: EditLog,
    own: Bool[np.ndarray, "step pitch"],
    policy: Policy,
    share: float,
    clearing: Clearing,
    rng: np.random.Generator,
) -> list[Edit]:
    """The cells to be cleared, each with the same chance; or notes, each with all of its cells.

    Where single cells go, single notes that are struck again are held instead, with the same chance; and with a cell
    goes what is struck on it and on the next.

    A limit on how many notes may be added counts notes, and a cell out of the middle of one would make two of it: under
    such a limit whole notes go, of which all cells may.
    """
    allowed = policy.allowed(log) if policy.max_additions is None else replace(policy, max_additions=None).allowed(log)
    free = own & allowed[0]
    if policy.max_additions is not None:
        notes = _notes_in(log.model_cells, log)
        whole = np.bincount(notes[log.model_cells], weights=~free[log.model_cells], minlength=1) == 0
        free &= np.where(notes >= 0, whole[notes], False)
        clearing = "notes"
    cells = np.zeros(log.cells.shape, dtype=bool)
    if clearing == "notes":
        notes = _notes_in(free, log)
        goes = rng.random(int(notes.max(initial=-1)) + 2) < share
        cells[0] = free & goes[notes]
    else:
        cells[0] = free & (rng.random(free.shape) < share)
        for plane in range(1, len(cells)):
            struck = own & log.cells[plane] & allowed[plane]
            cells[plane] = struck & (rng.random(struck.shape) < share)
    for plane in range(1, len(cells)):  # a bit is read only between two sounding cells
        resting = cells[0].copy()
        resting[1:] |= cells[0, :-1]
        resting &= log.cells[plane] & ~(log.user_cells[0] & log.user_cells[plane])
        if policy.where is not None:
            resting &= np.broadcast_to(policy.where, log.cells.shape)[plane]
        cells[plane] |= resting
    return [Edit(int(plane), int(step), int(pitch)) for plane, step, pitch in np.argwhere(cells)]


def _notes_in(cells: Bool[np.ndarray, "step pitch"], log: EditLog) -> Int[np.ndarray, "step pitch"]:
    """The number of the note that each cell belongs to, a run of cells that is not struck again; -1 for silent ones."""
    begins = cells.copy()
    begins[1:] &= ~cells[:-1] | log.cells[1:, 1:].any(axis=0)
    number: np.ndarray = np.cumsum(begins.T.ravel()).reshape(begins.T.shape).T - 1
    return np.where(cells, number, -1)


def _generator(seed: int, position: int, number: int) -> np.random.Generator:
    """The only source of chance in a round; another one than `ancestral.generator_at` of the same position."""
    key = np.array([seed % 2**64, position], dtype=np.uint64)
    return np.random.Generator(Philox(key=key, counter=(number + 1) << 192))
