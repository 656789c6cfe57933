"""Parallel fifths and octaves taken back, one note at a time.

The network scores cells, each by what fits the chord; who moves from where is hardly in its loss, and it writes
parallels many times as often as Bach did (docs/results.md, with and without what follows). So once a piece is finished,
it is split into voices. Where two of them move in parallel, each of the notes that make the fifth or octave is taken
out in turn, the model is asked what it would write there instead, and of all pitches that leave fewer parallels the
one that it likes best takes the place of the old. What the user wrote stays, and so does whatever the policy keeps.

The paper has no voices and nothing like this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Predict
from ripieno.music.harmony import consecutives, parallels
from ripieno.music.voices import NAMES, RANGES, split
from ripieno.sampling.ancestral import Change
from ripieno.shapes import Bool, Float, Int

STRETCH = 2  # semitones out of a voice's range that a new pitch may go
N_TRIED = 6  # of the likeliest remedies; the one that leaves the model least to wish for is taken
LEAST = -6.0  # mean log-probability, among the silent pitches of a step, below which a new pitch is none


@dataclass(frozen=True)
class _Place:
    """A stretch of one voice that could sing something else: steps first to end."""

    voice: int
    first: int
    end: int
    removed: tuple[Edit, ...]  # the cells that fall silent with it; not those that another voice sings too


def mend_parallel(predict: Predict, log: EditLog, context: Context, policy: Policy) -> Change | None:
    """Change one note so that there are fewer parallel fifths and octaves; None where no note will do.

    It is no draw: the same log gives the same change. All of its edits are one batch of the log, without a probability
    there, by which `is_mended` knows them.

    Args:
        predict: the model.
        log: a piece that is finished, or nearly so.
        context: of the roll, float (feature, step).
        policy: which cells may change; its melody and `n_voices` tell the voices apart.
    """
    voices = voices_of(log, policy)
    for step, upper, lower in parallels(voices):
        places = _places(voices, step, (upper, lower), log, policy)
        if not places:
            continue
        without = [log.record(place.removed, "model") if place.removed else log for place in places]
        prediction = predict(np.stack([one.cells for one in without]), np.repeat(context[None], len(places), axis=0))
        found: list[tuple[float, Edit, EditLog]] = []
        for place, one, logits in zip(places, without, prediction.logits, strict=True):
            likely = _log_probabilities(logits[0, place.first : place.end], one.cells[0, place.first : place.end])
            for pitch in _pitches(place, voices, one, policy):
                if likely[pitch] >= LEAST and _helps(place, pitch, voices):
                    added = [Edit(0, at, pitch) for at in range(place.first, place.end)]
                    found.append((float(likely[pitch]), added[0], log.record([*place.removed, *added], "model")))
        if found:
            found = sorted(found, key=lambda one: -one[0])[:N_TRIED]
            mended = np.stack([one.cells for _, _, one in found])
            n_left = predict(mended, np.repeat(context[None], len(found), axis=0)).n_left
            score, edit, best = found[int(np.argmin(n_left))]
            return Change(best, edit, True, float(np.exp(score)), float(n_left.min()), why="parallel")
    return None


def is_mended(log: EditLog) -> bool:
    """Whether the last that was done is such a change: then the piece is past its sampling."""
    last = log.entries[-1] if log.entries else None
    return isinstance(last, CellEntry) and last.author == "model" and last.probability is None


def voices_of(log: EditLog, policy: Policy) -> Int[np.ndarray, "step voice"]:
    """Who sings what, of as many voices as there are, with the policy's melody as the outermost voice that it is."""
    n_voices = min(max(int(np.count_nonzero(log.cells[0], axis=1).max(initial=0)), 2), 4)
    line = policy.line if policy.melody in ("top", "bass") else None
    if line is not None:
        steps = np.arange(len(line))
        line = np.where((line >= 0) & log.cells[0, steps, line], line, -1)
    return split(log.cells, n_voices, line, n_voices - 1 if policy.melody == "bass" else 0)


def _places(
    voices: Int[np.ndarray, "step voice"], step: int, pair: tuple[int, int], log: EditLog, policy: Policy
) -> list[_Place]:
    """The notes of a pair of voices that meet at a step, and their parts within one chord."""
    allowed = policy.allowed(log)[0]
    n_steps = len(voices)
    changes = np.flatnonzero((voices[1:] != voices[:-1]).any(axis=1)) + 1
    before, after = changes[changes < step], changes[changes > step]
    chord_begins, chord_ends = (int(before[-1]) if len(before) else 0), (int(after[0]) if len(after) else n_steps)
    found: dict[tuple[int, int, int], _Place] = {}
    for voice in pair:
        own = np.flatnonzero(voices[1:, voice] != voices[:-1, voice]) + 1
        earlier, later = own[own < step], own[own > step]
        begins, ends = (int(earlier[-1]) if len(earlier) else 0), (int(later[0]) if len(later) else n_steps)
        for first, end in ((step, ends), (step, chord_ends), (begins, step), (chord_begins, step)):
            pitch = int(voices[first, voice])
            others = np.delete(voices[first:end], voice, axis=1)
            alone = np.flatnonzero((others != pitch).all(axis=1)) + first
            if allowed[alone, pitch].all() and not log.user_cells[0, alone, pitch].any():
                removed = tuple(Edit(0, int(at), pitch) for at in alone)
                found[voice, first, end] = _Place(voice, first, end, removed)
    return list(found.values())


def _log_probabilities(
    logits: Float[np.ndarray, "step pitch"], sounding: Bool[np.ndarray, "step pitch"]
) -> Float[np.ndarray, " pitch"]:
    """Of each pitch being the one that is added: log-softmax over the silent pitches of a step, mean over the steps."""
    silent = np.where(sounding, -np.inf, logits.astype(float))
    top = silent.max(axis=1, keepdims=True)
    mean: np.ndarray = (silent - top - np.log(np.exp(silent - top).sum(axis=1, keepdims=True))).mean(axis=0)
    return mean


def _pitches(place: _Place, voices: Int[np.ndarray, "step voice"], without: EditLog, policy: Policy) -> list[int]:
    """What the voice could sing there: allowed, in range, between its neighbours."""
    low, high = RANGES[NAMES[voices.shape[1]][place.voice]]
    here = voices[place.first : place.end]
    above = here[:, : place.voice]
    below = here[:, place.voice + 1 :]
    lowest = max(low - STRETCH, int(below.max(initial=-1)) + 1)
    highest = min(high + STRETCH, int(above[above >= 0].min(initial=128)) - 1)
    free = np.asarray(policy.allowed(without)[0, place.first : place.end].all(axis=0))
    free &= ~without.cells[0, place.first : place.end].any(axis=0)
    old = int(here[0, place.voice])
    return [pitch for pitch in range(lowest, highest + 1) if free[pitch] and pitch != old]


def _helps(place: _Place, pitch: int, voices: Int[np.ndarray, "step voice"]) -> bool:
    """Whether there are fewer parallels with that pitch, and not because they have become contrary."""
    near = slice(max(place.first - 1, 0), place.end + 1)
    tried = voices[near].copy()
    before = [np.count_nonzero(kind) for kind in consecutives(tried)]
    tried[place.first - near.start : place.end - near.start, place.voice] = pitch
    after = [np.count_nonzero(kind) for kind in consecutives(tried)]
    return bool(after[0] < before[0] and sum(after) < sum(before))
