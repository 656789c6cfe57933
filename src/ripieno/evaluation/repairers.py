"""How models find and repair wrong notes: ES-Net on the merged roll, Coconet on the voices.

The paper's central claim is that a model which adds *and removes* can repair mistakes (paper 1, 5); it does not say how
to ask. ES-Net finds by its change probabilities, averaged over transpositions, and repairs by changing what is most
probably wrong, again and again. Coconet finds by leave-one-out, and rewrites a note where it is sure of another.

Coconet needs voices, and ES-Net sees the merged roll. So Coconet is asked twice. Once it is given the voices of the
damaged score: which note belongs to which line, and where a line falls silent, of which ES-Net knows nothing; that
is most of a hint where a note is missing, since of its four voices none ever rests. And once it has what
`music.voices.split` makes of the roll, as it would have with anybody's piece.

Nothing here is drawn by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.evaluation.mistakes import Damaged
from ripieno.models.context import Context, context_of
from ripieno.models.runtime import Fill, Predict
from ripieno.music.roll import Cells, VoiceNote, Voices, notes_of_voices, roll_of_voices
from ripieno.sampling.expectation import REACH, TRANSPOSITIONS, averaged_change_probabilities, leave_one_out
from ripieno.shapes import Float


@dataclass(frozen=True)
class Repairer:
    """Something that finds and repairs.

    find: a score for each of the damaged notes, higher where it is more probably wrong.
    repair: the repaired roll, for each of its settings.
    """

    find: Callable[[Damaged], Float[np.ndarray, " note"]]
    repair: Callable[[Damaged], list[Cells]]


def suspicion(
    predict: Predict,
    cells: Cells,
    context: Context,
    notes: Sequence[VoiceNote],
    transpositions: Sequence[int] = TRANSPOSITIONS,
) -> Float[np.ndarray, " note"]:
    """How probable it is that a note is wrong: the highest of `averaged_change_probabilities` of any of its cells.

    A note that is wrong in one cell out of eight is wrong, so their mean would not do.
    """
    chance = averaged_change_probabilities(predict, cells, context, transpositions)[0]
    return np.array([chance[note.steps, note.pitch].max() for note in notes], dtype=float)


@dataclass(frozen=True)
class Remedy:
    """Cells that were changed together, and the chance that the first of them had to."""

    chance: float
    edits: tuple[Edit, ...]


def remedies_for(
    predict: Predict,
    cells: Cells,
    context: Context,
    threshold: float,
    grow: float = 0.05,
    most: int | None = None,
    transpositions: Sequence[int] = (0,),
) -> Iterator[Remedy]:
    """Change what is most probably wrong, look again, and so on while anything is probable enough.

    Nothing is drawn by chance. The course does not depend on the threshold but for where it ends, so whoever runs it
    with a low one knows it for all higher ones: see `apply_remedies`.

    Args:
        predict: the model.
        cells: the damaged roll; left untouched.
        context: of the roll.
        threshold: the chance of having to change below which nothing is changed.
        grow: cells before and after the chosen one, at its pitch and sounding or silent as it, change with it as far as
            their chance is at least this share of its own, or of 1 if that is above: what people get wrong is longer
            than a cell. Above 1, one cell at a time.
        most: remedies at the most; one for each step unless given.
        transpositions: see `averaged_change_probabilities`; a look takes a pass for each of them.
    """
    now = cells.copy()
    n_changes = np.zeros(cells.shape, dtype=int)
    for _ in range(cells.shape[1] if most is None else most):
        # a cell that has been taken back stays as it was, or two readings would alternate for ever
        chance = np.where(n_changes < 2, averaged_change_probabilities(predict, now, context, transpositions), 0.0)
        plane, step, pitch = (int(i) for i in np.unravel_index(chance.argmax(), chance.shape))
        best = float(chance[plane, step, pitch])
        if not best >= threshold or best <= 0:
            return
        sounds = now[plane, step, pitch]
        likely = chance[plane, :, pitch] >= grow * min(best, 1.0)
        alike = likely & (now[plane, :, pitch] == sounds)
        first, end = step, step + 1
        while first > 0 and alike[first - 1]:
            first -= 1
        while end < len(alike) and alike[end]:
            end += 1
        now[plane, first:end, pitch] ^= True
        n_changes[plane, first:end, pitch] += 1
        yield Remedy(best, tuple(Edit(plane, at, pitch) for at in range(first, end)))


def apply_remedies(cells: Cells, remedies: Sequence[Remedy], threshold: float) -> Cells:
    """The roll that `remedies_for` would have left with this threshold, if `remedies` are those of a lower one."""
    now = cells.copy()
    for remedy in remedies:
        if remedy.chance < threshold:
            break
        for edit in remedy.edits:
            now[edit] ^= True
    return now


@dataclass(frozen=True)
class Rewriting:
    """Another pitch for some steps of a voice. `margin`: how much better it is, in nats a cell."""

    margin: float
    voice: int
    onset: int
    end: int
    pitch: int


def rewritings(
    fill: Fill,
    voices: Voices,
    by_cell: bool = False,
    reach: int = REACH,
    batch: int = 64,
    expected: Sequence[Float[np.ndarray, "_ 128"]] | None = None,
) -> list[Rewriting]:
    """Where a model of voices, shown all but one note, would write another; the best first.

    Each note is rewritten as a whole, to the pitch of the best mean log probability. With `by_cell` each of its
    steps goes its own way, or no note could be moved in time; equal neighbours go together. Where a voice rests the
    margin is infinite: the model knows no rests. What overlaps a better rewriting in time is left out, since beside a
    wrong note right ones look wrong too.

    Args:
        fill, voices, reach, batch: see `leave_one_out`.
        by_cell: see above; blanks are whole notes either way.
        expected: `leave_one_out` of the notes and rests of all voices, if it is known.
    """
    notes = notes_of_voices(voices, rests=True)
    if expected is None:
        expected = leave_one_out(fill, voices, notes, rests_known=True, reach=reach, batch=batch)
    found = []
    for note, log_p in zip(notes, expected, strict=True):
        best = log_p.argmax(axis=1) if by_cell else np.full(len(log_p), log_p.mean(axis=0).argmax())
        for part in notes_of_voices(best[:, None]):
            if part.pitch != note.pitch:
                here = log_p[part.steps]
                gain = here[:, part.pitch] - here[:, note.pitch] if note.pitch >= 0 else np.inf
                onset, end = note.onset + part.onset, note.onset + part.end
                found.append(Rewriting(float(np.mean(gain)), note.voice, onset, end, part.pitch))
    kept: list[Rewriting] = []
    taken = np.zeros(len(voices), dtype=bool)
    for one in sorted(found, key=lambda one: (-one.margin, one.onset, one.voice)):
        if not taken[one.onset : one.end].any():
            taken[one.onset : one.end] = True
            kept.append(one)
    return kept


def rewrite(voices: Voices, found: Sequence[Rewriting], margin: float) -> Voices:
    """The score with every rewriting of at least this margin carried out."""
    now = voices.copy()
    for one in found:
        if one.margin >= margin:
            now[one.onset : one.end, one.voice] = one.pitch
    return now


def es_net_repairer(
    predict: Predict,
    thresholds: Sequence[float],
    grow: float = 0.05,
    transpositions: Sequence[int] = TRANSPOSITIONS,
) -> Repairer:
    """ES-Net on the merged roll. For arguments see `suspicion` and `remedies_for`; one setting for each threshold."""

    def find(damaged: Damaged) -> Float[np.ndarray, " note"]:
        cells = roll_of_voices(damaged.voices)
        return suspicion(predict, cells, context_of(cells.shape[1]), damaged.notes, transpositions)

    def repair_all(damaged: Damaged) -> list[Cells]:
        if not thresholds:
            return []
        cells = roll_of_voices(damaged.voices)
        context = context_of(cells.shape[1])
        remedies = list(remedies_for(predict, cells, context, min(thresholds), grow, transpositions=transpositions))
        return [apply_remedies(cells, remedies, threshold) for threshold in thresholds]

    return Repairer(find, repair_all)


def coconet_repairer(
    fill: Fill,
    margins: Sequence[float],
    by_cell: bool = False,
    n_rounds: int = 1,
    reach: int = REACH,
    batch: int = 64,
    read: Callable[[Cells], Voices] | None = None,
) -> Repairer:
    """Coconet on the voices. For arguments see `rewritings`; one setting for each margin.

    A note's score is minus the log probability of its least likely cell, as with `suspicion`: minus the mean finds no
    note that is off in time (average precision 0.17 instead of 0.78 where it is shifted, on some of JSB valid).
    `n_rounds` is how often it looks at the whole score again. `read` tells who sings what on the merged roll; without
    it the voices of the damaged score are given.
    """
    # of the last score: the voices that are seen, and what is expected there; both need it, and it costs
    kept: list[tuple[Damaged, Voices, list[Float[np.ndarray, "_ 128"]]]] = []

    def expected(damaged: Damaged) -> tuple[Voices, list[Float[np.ndarray, "_ 128"]]]:
        if not kept or kept[-1][0] is not damaged:
            voices = damaged.voices if read is None else read(roll_of_voices(damaged.voices))
            notes = notes_of_voices(voices, rests=True)
            log_ps = leave_one_out(fill, voices, notes, rests_known=True, reach=reach, batch=batch)
            kept[:] = [(damaged, voices, log_ps)]
        return kept[-1][1:]

    def find(damaged: Damaged) -> Float[np.ndarray, " note"]:
        voices, log_ps = expected(damaged)
        surprises = np.full(voices.shape, -np.inf)
        for note, log_p in zip(notes_of_voices(voices, rests=True), log_ps, strict=True):
            if note.pitch >= 0:
                surprises[note.steps, note.voice] = -log_p[:, note.pitch]
        scores = []
        for note in damaged.notes:
            own = surprises[note.steps]
            sings = voices[note.steps] == note.pitch
            if read is None:
                sings = sings & (np.arange(voices.shape[1]) == note.voice)
            scores.append(own[sings].max(initial=-np.inf))
        return np.array(scores, dtype=float)

    def repair_all(damaged: Damaged) -> list[Cells]:
        seen, log_ps = expected(damaged)
        first = rewritings(fill, seen, by_cell, reach, batch, log_ps) if margins and n_rounds else []
        repaired = []
        for margin in margins:
            voices = rewrite(seen, first, margin)
            for _ in range(n_rounds - 1):
                again = rewrite(voices, rewritings(fill, voices, by_cell, reach, batch), margin)
                if np.array_equal(again, voices):
                    break
                voices = again
            repaired.append(roll_of_voices(voices))
        return repaired

    return Repairer(find, repair_all)
