"""Faults of part-writing put right, one note at a time.

The network scores cells, each by what fits the chord; who moves from where is hardly in its loss, and it breaks the
rules more often than Bach did (docs/results.md, with and without what follows). So once a piece is finished, it is
split into voices and looked through as a teacher would (`music.referee`). At each fault, the notes that make it are
taken out in turn, the model is asked what it would write there instead, and of the pitches that make the whole less
faulty, by `WEIGHTS`, the one that leaves the model least to wish for takes the place of the old. What the user wrote
stays, and so does whatever the policy keeps. Faults for which nothing better is likely stay too, and so do those
that could only be mended at the cost of the final cadence.

The faults of a piece are looked at together, in rounds, and the model sees but the two bars around each: a round is two
passes over many short rolls instead of two over the whole for each fault.

The paper has no voices and nothing like this.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Prediction
from ripieno.music.piece import Key
from ripieno.music.referee import Fault, cadence, faults
from ripieno.music.voices import NAMES, RANGES, Separate, split
from ripieno.sampling.passes import BREATH, NOTHING_SAID, Ask, Change, Sampler
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
SEEN = 32  # steps around a fault that the model is shown
N_TRIED = 6  # of the likeliest remedies; the one that leaves the model least to wish for is taken
AROUND = 8  # steps on either side of a fault; as long as they stay, it is hopeless if it was
NEAR = 4  # steps around a remedy in which no other is made in the same round
N_READINGS = 3  # of who sings what, at the most
LEAST = -6.0  # mean log-probability, among the silent pitches of a step, below which a new pitch is none


@dataclass(frozen=True)
class _Remedy:
    """Another pitch at a place, and how likely the model finds it."""

    place: _Place
    pitch: int
    score: float

    @property
    def edits(self) -> list[Edit]:
        """The old cells, then the new."""
        return [*self.place.removed, *(Edit(0, at, self.pitch) for at in range(self.place.first, self.place.end))]


@dataclass(frozen=True)
class _Place:
    """A stretch of one voice that could sing something else: steps first to end."""

    voice: int
    first: int
    end: int
    removed: tuple[Edit, ...]  # the cells that fall silent with it; not those that another voice sings too


CADENCES = ("perfect authentic", "authentic", "plagal", "half", "other")  # from the most final to the least
Hopeless = set[tuple[str, int, bytes]]  # faults for which nothing better was found, with the notes around them


def mend(
    log: EditLog,
    context: Context,
    policy: Policy,
    weights: Mapping[str, float] = WEIGHTS,
    key: Key | None = None,
    beat_phase: int = 0,
    hopeless: Hopeless | None = None,
    separate: Separate | None = None,
) -> Sampler:
    """Change notes until the piece is no less faulty for any.

    It is no draw: the same log gives the same changes. The edits of a change are one batch of the log, without a
    probability there, by which `is_mended` knows them.

    Args:
        log: a piece that is finished, or nearly so.
        context: of the roll.
        policy: which cells may change; its melody and `n_voices` tell the voices apart.
        weights: the rules to look at, and what a fault of each costs.
        key, beat_phase: see `music.referee.judge`.
        hopeless: remembers from call to call what was tried in vain.
        separate: tells four voices apart; see `music.voices.split`.
    """
    find = partial(faults, key=key, beat_phase=beat_phase, rules=weights, excused=True)
    hopeless = set() if hopeless is None else hopeless
    for _ in range(N_READINGS):
        voices = voices_of(log, policy, separate)
        begun = log
        while True:
            yield BREATH
            there = find(voices)
            order = sorted(there, key=lambda fault: (-weights[fault.rule], fault.step))
            untried = [fault for fault in order if _tried(fault, voices) not in hopeless]
            if not untried:
                break
            offers = yield from _offers(untried, log, context, voices, policy, weights, key, find)
            chosen: list[tuple[Fault, _Remedy, float]] = []
            for fault, (remedies, n_left) in zip(untried, offers, strict=True):
                if not remedies:
                    hopeless.add(_tried(fault, voices))
                elif not any(_touch(fault, remedies[0], other, one) for other, one, _ in chosen):
                    chosen.append((fault, remedies[0], n_left))
            voices = voices.copy()
            for fault, remedy, n_left in chosen:
                place = remedy.place
                voices[place.first : place.end, place.voice] = remedy.pitch
                log = log.record(remedy.edits, "model")
                edit = Edit(0, place.first, remedy.pitch)
                yield Change(log, edit, True, float(np.exp(remedy.score)), n_left, why=fault.rule)
        if log is begun:
            break
        # who sings what may be read otherwise now; then some of it has only been read away, and is looked at again
    return log


def _offers(
    untried: Sequence[Fault],
    log: EditLog,
    context: Context,
    voices: Int[np.ndarray, "step voice"],
    policy: Policy,
    weights: Mapping[str, float],
    key: Key | None,
    find: Callable[..., list[Fault]],
) -> Generator[Ask, Prediction | None, list[tuple[list[_Remedy], float]]]:
    """For each fault what would make the piece less faulty, the best first, and how many edits that leaves."""

    def cost_of(sung: Int[np.ndarray, "step voice"]) -> float:
        return sum(weights[fault.rule] for fault in find(sung))

    cost, end = cost_of(voices), CADENCES.index(cadence(voices, key))
    n_steps = len(voices)
    asked: list[tuple[int, _Place, EditLog, slice]] = []
    for number, fault in enumerate(untried):
        yield BREATH
        seen = _seen(fault.step, n_steps)
        asked += [
            (number, place, log.record(place.removed, "model") if place.removed else log, seen)
            for place in _places(voices, fault.step, fault.voices, log, policy)
        ]
    likely: list[list[tuple[float, int, _Place]]] = [[] for _ in untried]
    prediction = yield from _shown([(one, seen) for _, _, one, seen in asked], context)
    for (number, place, one, seen), logits in zip(asked, prediction.logits, strict=True):
        part = slice(max(place.first, seen.start), min(place.end, seen.stop))
        within = slice(part.start - seen.start, part.stop - seen.start)
        scores = _log_probabilities(logits[0, within], one.cells[0, part])
        pitches = _pitches(place, voices, one, policy)
        likely[number] += [(float(scores[pitch]), pitch, place) for pitch in pitches if scores[pitch] >= LEAST]
    better: list[list[_Remedy]] = []
    for options in likely:
        yield BREATH
        found: list[_Remedy] = []
        for score, pitch, place in sorted(options, key=lambda option: -option[0]):
            rewritten = voices.copy()
            rewritten[place.first : place.end, place.voice] = pitch
            if cost_of(rewritten) < cost and CADENCES.index(cadence(rewritten, key)) <= end:
                found.append(_Remedy(place, pitch, score))
            if len(found) == N_TRIED:
                break
        better.append(found)
    rolls = [
        (log.record(remedy.edits, "model"), _seen(fault.step, n_steps))
        for fault, found in zip(untried, better, strict=True)
        for remedy in found
    ]
    prediction = yield from _shown(rolls, context)
    offers, at = [], 0
    for found in better:
        left = prediction.n_left[at : at + len(found)]
        at += len(found)
        order = np.argsort(left, kind="stable")
        offers.append(([found[i] for i in order], float(left.min()) if len(found) else 0.0))
    return offers


def _shown(rolls: Sequence[tuple[EditLog, slice]], context: Context) -> Generator[Ask, Prediction | None, Prediction]:
    """What the model says of parts of rolls."""
    if not rolls:
        return NOTHING_SAID
    cells = np.stack([log.cells[:, seen] for log, seen in rolls])
    prediction = yield Ask(cells, np.stack([context[:, seen] for _, seen in rolls]))
    assert prediction is not None
    return prediction


def _seen(step: int, n_steps: int) -> slice:
    """The steps around a fault that the model is shown; the whole where that is short."""
    first = max(min(step - SEEN // 2, n_steps - SEEN), 0)
    return slice(first, min(first + SEEN, n_steps))


def _tried(fault: Fault, voices: Int[np.ndarray, "step voice"]) -> tuple[str, int, bytes]:
    """A fault with the notes around it."""
    return fault.rule, fault.step, voices[max(fault.step - AROUND, 0) : fault.step + AROUND].tobytes()


def _reach(fault: Fault, remedy: _Remedy) -> tuple[int, int]:
    """The steps in which a remedy may make or mend faults."""
    return min(remedy.place.first, fault.step) - NEAR, max(remedy.place.end, fault.step) + NEAR


def _touch(fault: Fault, remedy: _Remedy, other: Fault, another: _Remedy) -> bool:
    (first, end), (begins, ends) = _reach(fault, remedy), _reach(other, another)
    return first < ends and begins < end


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
