"""Faults of part-writing put right, one note at a time.

The network scores cells, each by what fits the chord; who moves from where is hardly in its loss, and it breaks the
rules more often than Bach did (docs/results.md, with and without what follows). So once a piece is finished, it is
split into voices and looked through as a teacher would (`music.referee`). At each fault, the notes that make it are
taken out in turn, the model is asked what it would write there instead, and of the pitches that make the whole less
faulty, by `WEIGHTS`, the one that leaves the model least to wish for takes the place of the old. What the user wrote
stays, and so does whatever the policy keeps. Faults for which nothing better is likely stay too, and so do those
that could only be mended at the cost of the final cadence.

The paper has no voices and nothing like this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Predict
from ripieno.music.piece import Key
from ripieno.music.referee import Fault, cadence, faults
from ripieno.music.voices import NAMES, RANGES, Separate, split
from ripieno.sampling.ancestral import Change
from ripieno.shapes import Bool, Float, Int

PARALLELS = {"parallel fifths": 1.0, "parallel octaves": 1.0, "contrary fifths": 1.0, "contrary octaves": 1.0}
# What a fault of each rule costs. Rules that Bach breaks about as often as he keeps them are not here.
WEIGHTS = {
    **PARALLELS,
    "hidden, soprano leaps": 0.5,
    "unresolved leading note": 1.0,
    "unresolved seventh": 0.5,
    "doubled leading note": 0.5,
    "doubled seventh": 0.5,
    "augmented second": 0.5,
    "false relation": 0.25,
    "missing third": 0.5,
    "crossing": 0.25,
    "spacing": 0.25,
    "range": 0.25,
    "lone sixteenth": 0.5,
}
STRETCH = 2  # semitones out of a voice's range that a new pitch may go
N_TRIED = 6  # of the likeliest remedies; the one that leaves the model least to wish for is taken
AROUND = 8  # steps on either side of a fault; as long as they stay, it is hopeless if it was
LEAST = -6.0  # mean log-probability, among the silent pitches of a step, below which a new pitch is none


@dataclass(frozen=True)
class _Place:
    """A stretch of one voice that could sing something else: steps first to end."""

    voice: int
    first: int
    end: int
    removed: tuple[Edit, ...]  # the cells that fall silent with it; not those that another voice sings too


CADENCES = ("perfect authentic", "authentic", "plagal", "half", "other")  # from the most final to the least
Hopeless = set[tuple[str, int, bytes]]  # faults for which nothing better was found, with the notes around them


def mend_fault(
    predict: Predict,
    log: EditLog,
    context: Context,
    policy: Policy,
    weights: Mapping[str, float] = WEIGHTS,
    key: Key | None = None,
    beat_phase: int = 0,
    hopeless: Hopeless | None = None,
    separate: Separate | None = None,
) -> Change | None:
    """Change one note so that the piece is less faulty; None where no note will do.

    It is no draw: the same log gives the same change. All of its edits are one batch of the log, without a probability
    there, by which `is_mended` knows them.

    Args:
        predict: the model.
        log: a piece that is finished, or nearly so.
        context: of the roll.
        policy: which cells may change; its melody and `n_voices` tell the voices apart.
        weights: the rules to look at, and what a fault of each costs.
        key, beat_phase: see `music.referee.judge`.
        hopeless: remembers from call to call what was tried in vain.
        separate: tells four voices apart; see `music.voices.split`.
    """

    def found_in(voices: Int[np.ndarray, "step voice"]) -> list[Fault]:
        return faults(voices, key=key, beat_phase=beat_phase, rules=weights, excused=True)

    def cost_of(voices: Int[np.ndarray, "step voice"]) -> float:
        return sum(weights[fault.rule] for fault in found_in(voices))

    hopeless = set() if hopeless is None else hopeless
    voices = voices_of(log, policy, separate)
    there = found_in(voices)
    cost = sum(weights[fault.rule] for fault in there)
    end = CADENCES.index(cadence(voices, key))
    for fault in sorted(there, key=lambda fault: (-weights[fault.rule], fault.step)):
        near = voices[max(fault.step - AROUND, 0) : fault.step + AROUND]
        tried = fault.rule, fault.step, near.tobytes()
        if tried in hopeless:
            continue
        places = _places(voices, fault.step, fault.voices, log, policy)
        if places:
            without = [log.record(place.removed, "model") if place.removed else log for place in places]
            prediction = predict(
                np.stack([one.cells for one in without]), np.repeat(context[None], len(places), axis=0)
            )
            remedies: list[tuple[float, _Place, int, EditLog]] = []
            for place, one, logits in zip(places, without, prediction.logits, strict=True):
                likely = _log_probabilities(logits[0, place.first : place.end], one.cells[0, place.first : place.end])
                remedies += [
                    (float(likely[pitch]), place, pitch, one)
                    for pitch in _pitches(place, voices, one, policy)
                    if likely[pitch] >= LEAST
                ]
            better: list[tuple[float, Edit, EditLog]] = []
            for score, place, pitch, _ in sorted(remedies, key=lambda one: -one[0]):
                rewritten = voices.copy()
                rewritten[place.first : place.end, place.voice] = pitch
                if cost_of(rewritten) < cost and CADENCES.index(cadence(rewritten, key)) <= end:
                    added = [Edit(0, at, pitch) for at in range(place.first, place.end)]
                    better.append((score, added[0], log.record([*place.removed, *added], "model")))
                if len(better) == N_TRIED:
                    break
            if better:
                rolls = np.stack([one.cells for _, _, one in better])
                n_left = predict(rolls, np.repeat(context[None], len(better), axis=0)).n_left
                for i in np.argsort(n_left, kind="stable"):
                    score, edit, best = better[i]
                    # who sings what may be read otherwise now; then nothing may be gained
                    if cost_of(voices_of(best, policy, separate)) < cost:
                        return Change(best, edit, True, float(np.exp(score)), float(n_left[i]), why=fault.rule)
        hopeless.add(tried)
    return None


def is_mended(log: EditLog) -> bool:
    """Whether the last that was done is such a change: then the piece is past its sampling."""
    last = log.entries[-1] if log.entries else None
    return isinstance(last, CellEntry) and last.author == "model" and last.probability is None


def voices_of(log: EditLog, policy: Policy, separate: Separate | None = None) -> Int[np.ndarray, "step voice"]:
    """Who sings what, of as many voices as there are, with the policy's melody as the outermost voice that it is."""
    n_voices = min(max(int(np.count_nonzero(log.cells[0], axis=1).max(initial=0)), 2), 4)
    line = policy.line if policy.melody in ("top", "bass") else None
    if line is not None:
        steps = np.arange(len(line))
        line = np.where((line >= 0) & log.cells[0, steps, line], line, -1)
    return split(log.cells, n_voices, line, n_voices - 1 if policy.melody == "bass" else 0, separate)


def _places(
    voices: Int[np.ndarray, "step voice"], step: int, singers: Iterable[int], log: EditLog, policy: Policy
) -> list[_Place]:
    """The notes that some voices sing at a step and just before, and their parts within one chord."""
    allowed = policy.allowed(log)[0]
    n_steps = len(voices)
    changes = np.flatnonzero((voices[1:] != voices[:-1]).any(axis=1)) + 1
    before, after = changes[changes < step], changes[changes > step]
    chord_begins, chord_ends = (int(before[-1]) if len(before) else 0), (int(after[0]) if len(after) else n_steps)
    found: dict[tuple[int, int, int], _Place] = {}
    for voice in singers:
        own = np.flatnonzero(voices[1:, voice] != voices[:-1, voice]) + 1
        earlier, later = own[own <= step], own[own > step]
        here, ends = (int(earlier[-1]) if len(earlier) else 0), (int(later[0]) if len(later) else n_steps)
        begins = here if here < step else int(earlier[-2]) if len(earlier) > 1 else 0
        for first, end in ((here, ends), (step, ends), (step, chord_ends), (begins, step), (chord_begins, step)):
            if first >= end or (voices[first:end, voice] != voices[first, voice]).any():
                continue
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
