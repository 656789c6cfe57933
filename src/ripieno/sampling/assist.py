"""What a person asks a model while writing: the next whole note, what it doubts, other ways to fill a stretch.

All three rest on one reading of the model's answer. It is trained to spread its probability evenly over the cells in
which the roll differs from the finished music, and tells how many those are (`n_left`); so a cell's probability times
that number is the probability that this cell is one of them: that a silent cell is missing, or a sounding one wrong.

The paper draws single cells; people think in notes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.notes import OwnedNote, owned_notes
from ripieno.edits.policy import Mask, Policy
from ripieno.errors import NothingAllowed
from ripieno.models.context import Context
from ripieno.models.runtime import Prediction
from ripieno.music.roll import STEPS_PER_BAR, Cells, RollNote
from ripieno.sampling.ancestral import allowed_probabilities, change_probabilities, generator_at
from ripieno.sampling.drafting import Choice, draft
from ripieno.sampling.passes import Ask
from ripieno.shapes import Bool, Float

LEAST = 0.1  # a note that is less probable than this is not worth a person's time
HELD = 0.5  # of the first cell's probability that a neighbour needs to be of the same note
AS_GOOD = 0.75  # of what the first cell is beside its step's best that a neighbour needs to be beside its own
LONGEST_WAY = 2  # passes in which a suggested note may still grow
FINISHED = 0.5  # cells that the model still expects, below which there is nothing to suggest

AROUND = 32  # steps on either side of a selection that the model hears
PASSES_PER_STEP = 0.5  # for an alternative, at the most, for each step of the selection
FEWEST_PASSES = 12
DRAWS_PER_BAR = 4  # of one pass
WRONG = 0.5  # probability that a cell is wrong, from which an alternative is not left with it


def beliefs(prediction: Prediction, cells: Cells, item: int = 0) -> Float[np.ndarray, "step pitch"]:
    """Of each cell, the probability that it is not as it should be.

    Args:
        prediction: of a batch.
        cells: the roll that it is of.
        item: which of the batch.
    """
    one = slice(item, item + 1)
    chance = change_probabilities(Prediction(prediction.logits[one], prediction.n_left[one], prediction.sharpness))[0]
    if not np.isfinite(prediction.n_left[item]):  # the model cannot tell: then what it likes best is sure
        known = Prediction(prediction.logits[one], np.ones(1, dtype=np.float32), prediction.sharpness)
        chance = change_probabilities(known)[0]
        chance /= chance.max()
    wrong: np.ndarray = np.clip(chance, 0.0, 1.0)
    assert wrong.shape == cells.shape[1:]
    return wrong


@dataclass(frozen=True)
class NoteSuggestion:
    """A whole note that the model would add, or take back."""

    note: RollNote
    adds: bool
    probability: float  # mean over its cells that they should change
    edits: tuple[Edit, ...]
    probabilities: tuple[float, ...]  # of each edit


def suggest_notes(
    log: EditLog, context: Context, policy: Policy, n: int = 1
) -> Generator[Ask, Prediction | None, tuple[list[NoteSuggestion], float]]:
    """The notes that the model is surest of, the surest first, and how many cells it still expects.

    It is no draw: the same music gives the same suggestions. A cell is grown along its pitch while the model wants the
    neighbour about as much; then the first note, the one that is shown, is looked at once more with the note in place,
    and may grow on.

    Raises:
        NothingAllowed: no note may change.
    """
    allowed = policy.allowed(log)[0]
    if not allowed.any():
        raise NothingAllowed("no note may change: unlock some, or allow more to be added or changed")
    prediction = yield Ask(log.cells[None], context[None])
    assert prediction is not None
    n_left = float(prediction.n_left[0])
    if n_left < FINISHED:
        return [], n_left
    wrong = np.where(allowed, beliefs(prediction, log.cells), 0.0)
    found = _likeliest_notes(wrong, log, n)
    for _ in range(LONGEST_WAY):
        if not found or not found[0].adds:
            break
        there = log.record(found[0].edits, "model")
        again = yield Ask(there.cells[None], context[None])
        assert again is not None
        longer = _grown(found[0], beliefs(again, there.cells), policy.allowed(there)[0], there)
        if longer is found[0]:
            break
        found[0] = longer
    return found, n_left


def _likeliest_notes(wrong: Float[np.ndarray, "step pitch"], log: EditLog, n: int) -> list[NoteSuggestion]:
    left = wrong.copy()
    sounding = log.cells[0]
    found: list[NoteSuggestion] = []
    while len(found) < 3 * n:
        step, pitch = (int(i) for i in np.unravel_index(int(left.argmax()), left.shape))
        top = left[step, pitch]
        if top < LEAST:
            break
        adds = not sounding[step, pitch]
        whose = log.model_cells[:, pitch]
        first, end = step, step + 1
        while first > 0 and _goes_on(left, sounding, whose, first - 1, step, pitch, top):
            first -= 1
        while end < len(left) and _goes_on(left, sounding, whose, end, step, pitch, top):
            end += 1
        shares = wrong[first:end, pitch]
        found.append(
            NoteSuggestion(
                RollNote(first, pitch, end - first),
                adds,
                float(shares.mean()),
                tuple(Edit(0, at, pitch) for at in range(first, end)),
                tuple(float(share) for share in shares),
            )
        )
        left[first:end, pitch] = 0.0
    return sorted(found, key=lambda one: (-one.probability, one.note.onset, one.note.pitch))[:n]


def _goes_on(
    left: Float[np.ndarray, "step pitch"],
    sounding: Bool[np.ndarray, "step pitch"],
    whose: Bool[np.ndarray, " step"],
    at: int,
    seed: int,
    pitch: int,
    top: float,
) -> bool:
    same = sounding[at, pitch] == sounding[seed, pitch] and whose[at] == whose[seed]
    return bool(same and left[at, pitch] >= HELD * top)


def _grown(
    one: NoteSuggestion, wrong: Float[np.ndarray, "step pitch"], allowed: Bool[np.ndarray, "step pitch"], log: EditLog
) -> NoteSuggestion:
    """The note with the cells at its ends that the model misses now that it is there."""
    note = one.note
    first, end = note.onset, note.end

    def is_missing(at: int) -> bool:
        return bool(
            0 <= at < len(wrong)
            and allowed[at, note.pitch]
            and not log.cells[0, at, note.pitch]
            and wrong[at, note.pitch] >= HELD
        )

    while is_missing(first - 1):
        first -= 1
    while is_missing(end):
        end += 1
    if (first, end) == (note.onset, note.end):
        return one
    before = tuple(float(share) for share in wrong[first : note.onset, note.pitch])
    after = tuple(float(share) for share in wrong[note.end : end, note.pitch])
    return replace(
        one,
        note=RollNote(first, note.pitch, end - first),
        edits=tuple(Edit(0, at, note.pitch) for at in range(first, end)),
        probabilities=(*before, *one.probabilities, *after),
    )


@dataclass(frozen=True)
class DoubtedNote:
    """How sure the model is of a note."""

    note: OwnedNote
    belongs: float


@dataclass(frozen=True)
class Doubted:
    """What a model would change now."""

    notes: list[DoubtedNote]
    cells: list[tuple[int, int, float]]  # step, pitch, probability that it should change; the likeliest first
    n_left: float


def doubts(log: EditLog, context: Context) -> Generator[Ask, Prediction | None, Doubted]:
    """How sure the model is of each note that sounds, and which cells it would change."""
    prediction = yield Ask(log.cells[None], context[None])
    assert prediction is not None
    wrong = beliefs(prediction, log.cells)
    known = np.isfinite(prediction.logits[0, 0])
    notes = [
        DoubtedNote(note, 1 - float(wrong[note.onset : note.end, note.pitch].mean()))
        for note in owned_notes(log)
        if known[note.onset, note.pitch]
    ]
    steps, pitches = np.nonzero(wrong >= LEAST)
    order = np.argsort(-wrong[steps, pitches], kind="stable")
    cells = [(int(steps[i]), int(pitches[i]), float(wrong[steps[i], pitches[i]])) for i in order]
    return Doubted(notes, cells, float(prediction.n_left[0]))


@dataclass(frozen=True)
class Filling:
    """One way to fill a stretch."""

    seed: int
    edits: tuple[Edit, ...]  # from the log as it is to the log as it would be
    probabilities: tuple[float, ...]


def fill(
    log: EditLog,
    context: Context,
    policy: Policy,
    cleared: Sequence[Edit],
    reach: Bool[np.ndarray, "step pitch"],
    n_new: int | None,
    seeds: Sequence[int],
) -> Generator[Ask, Prediction | None, list[Filling]]:
    """Clear some cells and write others in their place, in several ways at once; no two come out alike.

    Args:
        log: as it is.
        context: of its roll.
        policy: what holds anyway.
        cleared: sounding cells that fall silent first.
        reach: where something may be written.
        n_new: notes at a step that may be written, at the most; None: as many as the policy allows.
        seeds: one for each way.

    Returns:
        The ways that differ from each other and from what is there, in the order of the seeds.
    """
    steps = np.flatnonzero(reach.any(axis=1))
    if not len(steps):
        return []
    begin, end = max(int(steps[0]) - AROUND, 0), min(int(steps[-1]) + 1 + AROUND, log.cells.shape[1])
    begin -= begin % 4  # the model hears whole beats
    empty = log.record(cleared, "model", [1.0] * len(cleared)) if cleared else log
    ways = [empty] * len(seeds)
    passes = max(FEWEST_PASSES, int(PASSES_PER_STEP * len(steps)))
    open_ways = list(range(len(seeds)))
    best = [(float("inf"), empty)] * len(seeds)  # the cells that the model misses or doubts, and the way with so many
    for _ in range(passes):
        rolls = np.stack([ways[i].cells[:, begin:end] for i in open_ways])
        heard = yield Ask(rolls, np.repeat(context[None, :, begin:end], len(open_ways), axis=0))
        assert heard is not None
        for item, i in enumerate(list(open_ways)):
            way = ways[i]
            writable = _writable(way, empty, reach, n_new)
            logits = np.full((1, *way.cells.shape), -np.inf, dtype=np.float32)
            logits[0, :, begin:end] = heard.logits[item]
            n_left = heard.n_left[item : item + 1]
            mine = replace(policy, selection=_and(policy.selection, writable))
            try:
                probabilities = allowed_probabilities(Prediction(logits, n_left, heard.sharpness), way, mine)
            except NothingAllowed:
                open_ways.remove(i)
                continue
            wrong = np.zeros(reach.shape)
            wrong[begin:end] = beliefs(heard, rolls[item], item)
            missing = float(wrong[writable & ~way.cells[0]].sum())
            doubted = wrong[reach & way.cells[0] & ~empty.cells[0]]
            if missing + float(doubted.sum()) < best[i][0]:
                best[i] = missing + float(doubted.sum()), way
            if missing < FINISHED and not (doubted >= WRONG).any():
                open_ways.remove(i)
                continue
            n_edits = max(1, DRAWS_PER_BAR * len(steps) // STEPS_PER_BAR)
            rng = generator_at(seeds[i], way.n_edits)
            drawn = draft(probabilities, way, mine, n_edits, rng)
            for choice in drawn:
                free = _writable(ways[i], empty, reach, n_new)
                mine = replace(policy, selection=_and(policy.selection, free))
                allowed = mine.allowed(ways[i])
                if choice.edit.plane:  # a note is struck again, or held; no more goes with it
                    if allowed[choice.edit]:
                        ways[i] = ways[i].record([choice.edit], "model", [choice.probability])
                    continue
                ways[i] = _with_note(ways[i], choice, wrong, allowed[0], context[0] > 0)
        if not open_ways:
            break
    found: list[Filling] = []
    for seed, (_, way) in zip(seeds, best, strict=True):
        edits, chances = _changes(log, way)
        if edits and all(set(edits) != set(other.edits) for other in found):
            found.append(Filling(seed, edits, chances))
    return found


def _writable(
    way: EditLog, empty: EditLog, reach: Bool[np.ndarray, "step pitch"], n_new: int | None
) -> Bool[np.ndarray, "step pitch"]:
    """Where a way may still change: what is new in it, and more where there are not enough new notes yet."""
    if n_new is None:
        return reach
    new = reach & way.cells[0] & ~empty.cells[0]
    writable: np.ndarray = reach & ((new.sum(axis=1) < n_new)[:, None] | new)
    return writable


def _with_note(
    log: EditLog,
    choice: Choice,
    wrong: Float[np.ndarray, "step pitch"],
    allowed: Bool[np.ndarray, "step pitch"],
    on_beat: Bool[np.ndarray, " step"],
) -> EditLog:
    """Make a drawn edit, grown along its pitch within its beat, as far as the model wants the neighbours as much.

    Over the beat it does not grow: what is likely everywhere, as the key's fifth may be, would be held for bars.
    """
    _, step, pitch = choice.edit
    if not allowed[step, pitch]:  # an edit before it took its place
        return log
    sounding = log.cells[0, :, pitch]
    best = np.where(allowed & (log.cells[0] == sounding[step]), wrong, 0.0).max(axis=1)
    as_good = np.divide(wrong[:, pitch], best, out=np.zeros(len(best)), where=best > 0)
    alike = allowed[:, pitch] & (sounding == sounding[step])
    alike &= (wrong[:, pitch] >= HELD * wrong[step, pitch]) & (as_good >= AS_GOOD * as_good[step])
    first, end = step, step + 1
    while first > 0 and alike[first - 1] and not on_beat[first]:
        first -= 1
    while end < len(alike) and alike[end] and not on_beat[end]:
        end += 1
    edits = [Edit(0, at, pitch) for at in range(first, end)]
    return log.record(edits, "model", [choice.probability] * len(edits))


def _and(mask: Mask | None, reach: Bool[np.ndarray, "step pitch"]) -> Mask:
    if mask is None:
        return reach
    both: np.ndarray = reach & (mask[:, None] if mask.ndim == 1 else mask)
    return both


def _changes(before: EditLog, after: EditLog) -> tuple[tuple[Edit, ...], tuple[float, ...]]:
    """The cells that differ, and the probability with which each was drawn last."""
    latest: dict[Edit, float] = {}
    for entry in after.entries[len(before.entries) :]:
        edit = getattr(entry, "edit", None)
        if edit is not None:
            latest[edit] = getattr(entry, "probability", None) or 1.0
    edits = tuple(sorted(edit for edit in latest if before.cells[edit] != after.cells[edit]))
    return edits, tuple(latest[edit] for edit in edits)
