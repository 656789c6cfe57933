"""Faults of part-writing put right, one note at a time.

The network scores cells, each by what fits the chord; who moves from where is hardly in its loss, and it breaks the
rules more often than Bach did (docs/tables.md#bachs-sopranos-harmonised, with and without what follows). So once a
piece is finished, it is split into voices and looked through as a teacher would (`music.part_writing`). At each fault,
the notes that make it are taken out in turn (where that is in vain, all that sound there), and the model is asked what
it would write instead. Of the pitches that make the whole less faulty, by `MENDERS_PRICES`, the best takes the place of
the old: one that is likely, saves much, and leaves the model little to wish for. Light faults, which Bach writes too,
give way only to what is likely; and what the chords are weighs as well, unless chords are given. What the user wrote
stays, and so does whatever the policy keeps. Faults for which nothing better is likely stay too, and so do those that
could only be mended at the cost of the final cadence. Before all that, a last chord that does not close the piece
becomes the tonic's, if what the user wrote leaves it open to do so.

The model is shown the two bars around a fault. With eight, it finds fewer remedies likely, and those it prefers are
more dissonant (docs/log.md#how-exact-mends). The faults of a piece are looked at together, in rounds: a round is two
passes over many short rolls, or one, instead of as many for each fault. `EXACT` has no rounds, and reads anew who sings
what after each change: with one edit a pass, it is what the short cuts are measured against.

The paper has no voices and nothing like this.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.models.runtime import Prediction
from ripieno.music.part_writing import (
    CADENCES,
    EVERY_RULE,
    OPEN_ENDING,
    RULE_CALLED,
    Fault,
    Form,
    cadence,
    end_to_end,
    faults,
    form_of,
    formless,
    guessed_key,
    open_ending,
)
from ripieno.music.part_writing.consecutives import CONSECUTIVES
from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BAR, STEPS_PER_BEAT, Voices
from ripieno.music.voices import NAMES, RANGES, Separate, split
from ripieno.sampling.passes import BREATH, Ask, Change, Sampler
from ripieno.shapes import Bool, Float, Int

# What a fault of each rule costs where mending looks by default. What Bach writes often, too, is light, and mended only
# where something likely is better. An open ending costs so much for each wrong voice.
MENDERS_PRICES = {rule.name: rule.menders_price for rule in EVERY_RULE if rule.menders_price}
PARALLELS = {rule.name: rule.menders_price for rule in CONSECUTIVES}  # the same, where only parallels are mended
STRETCH = 2  # semitones out of a voice's range that a new pitch may go
SEEN = 32  # steps around a fault that the model is shown
AROUND = 8  # steps on either side of a fault; as long as they stay, it is hopeless if it was
REACH = 16  # steps before and after a remedy that the rules are shown
AFTER = 8  # steps after a remedy in which it may make or mend faults; what is shown beyond is where chords go to
ENDING = 64  # steps before the end of the last note in which the final cadence lies
REMEMBERED = 1000  # parts of the roll of which the model's word is kept
CLOSEST = 3  # remedies for each voice that are tried to close an ending
CHUNK = 8  # remedies for each fault that are judged at a time
NEAR = 4  # steps around a remedy in which no other is made in the same round
LIGHTEST = 0.15  # weight of a fault that is looked for
LIGHT = 0.2  # weight below which a fault is mended only by what is likely
LEAST = -8.0  # mean log-probability, among the silent pitches of a step, below which a new pitch is none
LIKELY = -1.5  # the same, for a light fault
WORTH = 4.0  # nats that a remedy may be less likely for each unit of cost that it saves
WISHES = 1.0  # edits more that the model may expect after it for the same


@dataclass(frozen=True)
class _Remedy:
    """Another pitch at a place, and how likely the model finds it."""

    place: _Place
    pitch: int
    score: float
    n_left: float  # edits that the model expects around it while the place is empty

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


@dataclass(frozen=True, kw_only=True)
class Care:
    """How much a round takes for granted."""

    n_faults: int = 64  # in a round, at the most
    apart: int = 16  # steps between two faults in a round, at the least: who mends one often mends its neighbour
    n_tried: int = 2  # of the best remedies; of these the model is asked what it would still wish for (`WISHES`)
    n_light: int = 1  # the same, for a light fault
    n_readings: int = 3  # of who sings what, at the most; none comes again
    anew: bool = False  # read after each round


# One fault at a time, of which all remedies are tried, and then who sings what is read anew.
EXACT = Care(n_faults=1, n_tried=128, n_light=128, n_readings=100_000, anew=True)
# Beside `QUALITIES` of `sampling.drafting`.
CARES = {"exact": EXACT, "lossless": EXACT, "high": Care(), "fast": Care(n_tried=1)}
# What says how faults are mended beside weights and care: what is kept of other settings is another result.
SETTINGS = {
    "aside": sorted(rule.name for rule in EVERY_RULE if rule.is_aside),
    "of chords": sorted(rule.name for rule in EVERY_RULE if rule.is_of_chords),
    "steps": [SEEN, AROUND, REACH, AFTER, ENDING, NEAR],
    "tried": [STRETCH, CLOSEST, CHUNK],
    "weights": [LIGHTEST, LIGHT],
    "nats": [LEAST, LIKELY, WORTH],
    "wishes": WISHES,
}
# Faults for which nothing better was found, with the notes around them, and whether all voices were tried.
Hopeless = set[tuple[str, int, bytes, bool]]
Find = Callable[[Voices, Form], list[Fault]]
# What the model said of parts of the roll, each by its first step and its cells: logits of the first plane, `n_left`.
Told = dict[tuple[int, bytes], tuple[Float[np.ndarray, "seen pitch"], float]]


def mend(
    log: EditLog,
    context: Context,
    policy: Policy,
    weights: Mapping[str, float] = MENDERS_PRICES,
    key: Key | None = None,
    beat_phase: int = 0,
    hopeless: Hopeless | None = None,
    separate: Separate | None = None,
    care: Care = CARES["high"],
    phrases: Sequence[tuple[int, int]] = (),
    last: int | None = None,
) -> Sampler:
    """Change notes until the piece is no less faulty for any.

    It is no draw: the same log gives the same changes. The edits of a change are one batch of the log, without a
    probability there, by which `is_mended` knows them.

    Args:
        log: a piece that is finished, or nearly so.
        context: of the roll.
        policy: which cells may change; its melody and `n_voices` tell the voices apart.
        weights: the rules to look at, and what a fault of each costs; `OPEN_ENDING` may be among them. What is said of
            chords that the model is free to choose (`Rule.is_of_free_chords`) is left out where chords are asked for.
        key, beat_phase: see `music.part_writing.judge`; a piece that is in a key closes on its tonic, or its dominant.
        hopeless: remembers from call to call what was tried in vain.
        separate: tells four voices apart; see `music.voices.split`.
        care: `EXACT` for one fault at a time.
        phrases, last: where phrases come to rest, and where the tune's last note begins; see `part_writing.form_of`.
    """
    if policy.gives_chords:
        weights = {name: cost for name, cost in weights.items() if not RULE_CALLED[name].is_of_free_chords}
    rules = [name for name in weights if name != OPEN_ENDING.name]

    def score(voices: Voices, form: Form, key: Key) -> list[Fault]:
        return faults(voices, key=key, beat_phase=beat_phase, rules=rules, excused=True, form=form)

    hopeless = set() if hopeless is None else hopeless
    is_sure = key is not None
    told: Told = {}
    read: set[bytes] = set()
    while len(read) < care.n_readings:
        roll = np.packbits(log.cells).tobytes()
        if roll in read:
            break
        read.add(roll)
        voices = lines_sung(log, policy, separate)
        form = form_of(voices, phrases, last, beat_phase)
        begun, heard = log, key or guessed_key(voices)  # one key throughout, or remedies could go to and fro
        find = partial(score, key=heard)
        if OPEN_ENDING.name in weights:
            way, edits = yield from _closing(
                log, context, voices, form, policy, weights, heard, is_sure, find, hopeless, told
            )
            if way:
                log, voices = _made(log, way, edits, policy), _rewritten(voices, *way)
                final = way[-1]
                edit, probability = Edit(0, final.place.first, final.pitch), float(np.exp(final.score))
                yield Change(log, edit, True, probability, final.n_left, why=OPEN_ENDING.name)
        while log is begun or not care.anew:
            yield BREATH
            untried = _untried(find(voices, form), voices, weights, hopeless, care)
            if not untried:
                break
            if len(told) > REMEMBERED:
                told.clear()
            offers = yield from _offers(
                untried, log, context, voices, form, policy, weights, heard, is_sure, find, told, care
            )
            chosen: list[tuple[Fault, _Remedy]] = []
            for fault, offer in zip(untried, offers, strict=True):
                if offer is None:
                    hopeless.add(_tried(fault, voices))
                elif not any(_touch(fault, offer, other, one) for other, one in chosen):
                    chosen.append((fault, offer))
            for fault, remedy in chosen:
                if policy.max_additions is not None and _together(log, voices, [remedy], policy) is None:
                    continue  # those before it have used up what may be added; it is judged anew
                voices = _rewritten(voices, remedy)
                log = _made(log, [remedy], remedy.edits, policy)
                edit = Edit(0, remedy.place.first, remedy.pitch)
                yield Change(log, edit, True, float(np.exp(remedy.score)), remedy.n_left, why=fault.rule)
        if log is begun:
            break
        # who sings what may be read otherwise now; then some of it has only been read away, and is looked at again
    return log


def _closing(
    log: EditLog,
    context: Context,
    voices: Voices,
    form: Form,
    policy: Policy,
    weights: Mapping[str, float],
    key: Key,
    is_sure: bool,
    find: Find,
    hopeless: Hopeless,
    told: Told,
) -> Generator[Ask, Prediction | None, tuple[Sequence[_Remedy], list[Edit]]]:
    """What closes an open ending: a note of the tonic triad for each wrong voice, all of them or none; and its edits.

    None where chords are given, where music may still follow, where a note of the user's stands against the tonic, or
    where the other voices come to it for less than a beat.
    """
    fault = open_ending(voices, key, is_sure)
    is_asked = policy.chords is not None and not policy.chords[-1].all()
    if fault is None or policy.gives_chords or is_asked or _tried(fault, voices) in hopeless:
        return (), []
    n_silent = int((voices[::-1] >= 0).any(axis=1).argmax())  # steps after the last note
    places = _closing_places(fault, voices, key, len(voices) - n_silent, log, policy)
    if n_silent >= STEPS_PER_BAR or not places:
        return (), []
    asked = [(place, _seen(fault.step, len(voices))) for place in places]
    found = yield from _likely(asked, _Excerpts(log, policy), context, voices, told)
    hopeless.add(_tried(fault, voices))  # once is enough: it closes now or never
    yield BREATH
    options: list[list[_Remedy]] = []
    triad = _triad(key)
    for remedies in found:
        tones = [remedy for remedy in remedies if remedy.pitch % 12 in triad]
        options.append(sorted(tones, key=lambda remedy: -remedy.score)[:CLOSEST])
    late = max(len(voices) - 4 * ENDING, 0)  # an ending is heard after a few bars
    late_voices = voices[late:]
    ways = [way for way in product(*options) if len({remedy.pitch for remedy in way}) == len(way)]
    ways = [way for way in ways if open_ending(_rewritten(late_voices, *way, begins=late), key, is_sure) is None]
    yield BREATH
    saved = _saved(ways, voices, form, weights, find)
    good = [(less, sum(remedy.score for remedy in way), way) for less, way in zip(saved, ways, strict=True)]
    good = [one for one in good if one[0] + weights[OPEN_ENDING.name] * len(fault.voices) > 0]
    for _, _, way in sorted(good, key=lambda one: one[:2], reverse=True):
        edits = _together(log, voices, way, policy)
        if edits is not None:
            return way, edits
    return (), []


def _triad(key: Key) -> set[int]:
    """The pitch classes of the tonic triad; in minor with either third."""
    return {(key.tonic + above) % 12 for above in ((0, 3, 4, 7) if key.mode == "minor" else (0, 4, 7))}


def _closing_places(fault: Fault, voices: Voices, key: Key, end: int, log: EditLog, policy: Policy) -> list[_Place]:
    """Where the wrong voices have to sing something else: from where the others have come to the tonic triad."""
    right = np.delete(voices, list(fault.voices), axis=1)
    fits = (right < 0) | np.isin(right % 12, list(_triad(key)))
    others = np.flatnonzero(~fits[:end].all(axis=1))
    begin = int(others[-1]) + 1 if len(others) else 0
    if end - begin < STEPS_PER_BEAT:
        return []
    allowed = policy.allowed(log)[0]
    places = []
    for voice, pitch in zip(fault.voices, fault.pitches, strict=True):
        before = np.flatnonzero(voices[:end, voice] != pitch)
        first = max(begin, int(before[-1]) + 1 if len(before) else 0)
        gone = np.flatnonzero((right[first:end] != pitch).all(axis=1)) + first  # also where two wrong voices share it
        if not allowed[gone, pitch].all() or log.user_cells[0, gone, pitch].any():
            return []
        places.append(_Place(voice, first, end, _alone(voices, voice, first, end)))
    return places


def _together(log: EditLog, voices: Voices, way: Sequence[_Remedy], policy: Policy) -> list[Edit] | None:
    """The edits of several remedies, one after the other; None where the policy forbids one of them by then."""
    edits: list[Edit] = []
    for remedy in way:
        place = remedy.place
        removed = _alone(voices, place.voice, place.first, place.end)
        if removed:
            log = log.record(removed, "model", where=policy.where)
        if not policy.allowed(log)[0, place.first : place.end, remedy.pitch].all():
            return None
        new = [Edit(0, at, remedy.pitch) for at in range(place.first, place.end)]
        log = log.record(new, "model")
        voices = _rewritten(voices, remedy)
        edits += [*removed, *new]
    return edits


def _made(log: EditLog, way: Iterable[_Remedy], edits: Sequence[Edit], policy: Policy) -> EditLog:
    """The log with remedies made, as one batch.

    Other pitches are no other rhythm: where a note is struck again its remedy is, and where it meets its own pitch, of
    what was sung before it or is after it, they stay apart.
    """
    made = log.record(edits, "model", where=policy.where)
    if len(log.cells) == 1:
        return made
    allowed = policy.allowed(made)[1] & ~made.cells[1]
    bits = []
    for remedy in way:
        place = remedy.place
        again = {edit.step for edit in place.removed if log.cells[1, edit.step, edit.pitch]}
        steps = sorted({place.first, *again, min(place.end, len(allowed) - 1)})
        bits += [Edit(1, at, remedy.pitch) for at in steps if allowed[at, remedy.pitch]]
    return made.record(list(dict.fromkeys(bits)), "model", batch=made.n_batches - 1)


def _untried(
    found: Iterable[Fault],
    voices: Voices,
    weights: Mapping[str, float],
    hopeless: Hopeless,
    care: Care,
) -> list[Fault]:
    """The faults of a round, the heaviest first."""
    untried: list[Fault] = []
    faulty = [fault for fault in found if weights[fault.rule] >= LIGHTEST and not RULE_CALLED[fault.rule].is_aside]
    for fault in sorted(faulty, key=lambda fault: (-weights[fault.rule], fault.step)):
        if len(untried) == care.n_faults:
            break
        if any(abs(fault.step - other.step) < care.apart for other in untried):
            continue
        if _tried(fault, voices) in hopeless:  # the chord may change where the voice at fault may not
            fault = replace(fault, voices=tuple(range(voices.shape[1])))
            if not RULE_CALLED[fault.rule].is_of_chords or _tried(fault, voices) in hopeless:
                continue
        untried.append(fault)
    return untried


def _offers(
    untried: Sequence[Fault],
    log: EditLog,
    context: Context,
    voices: Voices,
    form: Form,
    policy: Policy,
    weights: Mapping[str, float],
    key: Key,
    is_sure: bool,
    find: Find,
    told: Told,
    care: Care,
) -> Generator[Ask, Prediction | None, list[_Remedy | None]]:
    """For each fault the best of what would make the piece less faulty."""
    n_steps = len(voices)
    allowed = policy.allowed(log)[0]
    excerpts = _Excerpts(log, policy)
    asked: list[tuple[_Place, slice]] = []
    numbers: list[int] = []
    for number, fault in enumerate(untried):
        yield BREATH
        found = _places(voices, fault.step, fault.voices, log, allowed)
        asked += [(place, _seen(fault.step, n_steps)) for place in found]
        numbers += [number] * len(found)
    likely: list[list[_Remedy]] = [[] for _ in untried]
    for number, remedies in zip(numbers, (yield from _likely(asked, excerpts, context, voices, told)), strict=True):
        least = LIKELY if weights[untried[number].rule] < LIGHT else LEAST
        likely[number] += [remedy for remedy in remedies if remedy.score >= least]
    n_tried = [care.n_light if weights[fault.rule] < LIGHT else care.n_tried for fault in untried]
    better = yield from _better(likely, voices, form, weights, key, is_sure, find, n_tried)
    rolls = []
    for fault, good in zip(untried, better, strict=True):
        seen = _seen(fault.step, n_steps)
        for remedy, _ in good if len(good) > 1 else ():  # one alone is taken as it is
            part, _, first = excerpts.around(remedy.place, seen)
            rolls.append((part.record(_moved(remedy.edits, -first), "model"), seen, first))
    left = iter((yield from _shown(rolls, context, told)))
    offers: list[_Remedy | None] = []
    for good in better:
        wishes = [next(left)[1] - WISHES * saved for _, saved in good] if len(good) > 1 else [0.0] * len(good)
        offers.append(good[int(np.argmin(wishes))][0] if good else None)
    return offers


class _Excerpts:
    """Parts of a log, each cut out once."""

    def __init__(self, log: EditLog, policy: Policy) -> None:
        self._log, self._policy = log, policy
        self._kept: dict[tuple[int, int], tuple[EditLog, Policy]] = {}

    def around(self, place: _Place, seen: slice) -> tuple[EditLog, Policy, int]:
        """What is seen and the place, with its first step; and a step more on either side, where notes may join."""
        first = max(min(place.first, seen.start) - 1, 0)
        end = min(max(place.end, seen.stop) + 1, self._log.cells.shape[1])
        if (first, end) not in self._kept:
            steps = slice(first, end)
            self._kept[first, end] = self._log.excerpt(steps), self._policy.excerpt(self._log, steps)
        return *self._kept[first, end], first


def _likely(
    asked: Sequence[tuple[_Place, slice]],
    excerpts: _Excerpts,
    context: Context,
    voices: Voices,
    told: Told,
) -> Generator[Ask, Prediction | None, list[list[_Remedy]]]:
    """What else could be sung at each place, likely enough, from the steps that the model is shown."""
    emptied: list[tuple[EditLog, Policy, int]] = []
    for place, seen in asked:
        part, here, first = excerpts.around(place, seen)
        emptied.append((part.record(_moved(place.removed, -first), "model") if place.removed else part, here, first))
    rolls = [(part, seen, first) for (part, _, first), (_, seen) in zip(emptied, asked, strict=True)]
    found: list[list[_Remedy]] = []
    answers = yield from _shown(rolls, context, told)
    for (place, seen), (part, here, first), (logits, n_left) in zip(asked, emptied, answers, strict=True):
        sung = slice(max(place.first, seen.start), min(place.end, seen.stop))
        within = slice(sung.start - seen.start, sung.stop - seen.start)
        scores = _log_probabilities(logits[within], part.cells[0, sung.start - first : sung.stop - first])
        good = [pitch for pitch in _pitches(place, voices, part, here, first) if scores[pitch] >= LEAST]
        found.append([_Remedy(place, pitch, float(scores[pitch]), n_left) for pitch in good])
    return found


def _moved(edits: Iterable[Edit], by: int) -> list[Edit]:
    return [Edit(edit.plane, edit.step + by, edit.pitch) for edit in edits]


def _better(
    likely: Sequence[list[_Remedy]],
    voices: Voices,
    form: Form,
    weights: Mapping[str, float],
    key: Key,
    is_sure: bool,
    find: Find,
    n_tried: Sequence[int],
) -> Generator[Ask, Prediction | None, list[list[tuple[_Remedy, float]]]]:
    """Of the remedies for each fault the best that make the piece less faulty, and by how much; `n_tried` at the most.

    Best is what is likely and saves much (`WORTH`); what is not among the likeliest is looked at where those do not do.
    """
    end, closes = (
        CADENCES.index(cadence(voices, key)),
        OPEN_ENDING.name in weights and open_ending(voices, key, is_sure) is None,
    )
    n_silent = int((voices[::-1] >= 0).any(axis=1).argmax())  # steps after the last note
    better: list[list[tuple[_Remedy, float]]] = [[] for _ in likely]
    waiting = [sorted(options, key=lambda option: -option.score) for options in likely]
    while any(waiting):
        yield BREATH
        chunk: list[tuple[int, _Remedy]] = []
        for number, options in enumerate(waiting):
            chunk += [(number, option) for option in options[:CHUNK]]
            waiting[number] = options[CHUNK:]
        judged = _saved([(remedy,) for _, remedy in chunk], voices, form, weights, find)
        ranked = sorted(zip(chunk, judged, strict=True), key=lambda one: -one[0][1].score - WORTH * one[1])
        for (number, remedy), saved in ranked:
            if saved <= 0 or len(better[number]) == n_tried[number]:
                continue
            if remedy.place.end > len(voices) - n_silent - ENDING:
                rewritten = _rewritten(voices, remedy)
                if CADENCES.index(cadence(rewritten, key)) > end or (closes and open_ending(rewritten, key, is_sure)):
                    continue
            better[number].append((remedy, saved))
        enough = [len(found) == most for found, most in zip(better, n_tried, strict=True)]
        waiting = [[] if done else options for done, options in zip(enough, waiting, strict=True)]
    return better


def _rewritten(voices: Voices, *remedies: _Remedy, begins: int = 0) -> Voices:
    """The voices from the step `begins` on, with remedies made."""
    rewritten = voices.copy()
    for remedy in remedies:
        rewritten[remedy.place.first - begins : remedy.place.end - begins, remedy.place.voice] = remedy.pitch
    return rewritten


def _saved(
    ways: Sequence[tuple[_Remedy, ...]], voices: Voices, form: Form, weights: Mapping[str, float], find: Find
) -> list[float]:
    """How much less the faults around remedies cost with all that are made together than without.

    The rules are asked once, of all those stretches laid end to end with rests between: it is the asking that takes
    time, not the steps.
    """
    parts: list[Int[np.ndarray, "stretch voice"]] = []
    forms: list[Form] = []
    begins: list[int] = []  # of each stretch, end to end
    limits: list[int] = []  # where its faults no longer count
    at = 0
    rest = np.full((STEPS_PER_BEAT, voices.shape[1]), -1)
    as_is: dict[tuple[int, int], int] = {}  # the number of the stretch without a remedy, by where it begins and ends
    pairs: list[tuple[int, int]] = []  # without, with
    for way in ways:
        begin, end = min(remedy.place.first for remedy in way), max(remedy.place.end for remedy in way)
        first = max(begin - REACH, 0) // STEPS_PER_BEAT * STEPS_PER_BEAT  # the beat stays where it is
        shown = slice(first, end + REACH)
        stretches = [_rewritten(voices[shown], *way, begins=first)]
        if (first, end) not in as_is:
            as_is[first, end] = len(begins)
            stretches.insert(0, voices[shown])
        pairs.append((as_is[first, end], len(begins) + len(stretches) - 1))
        for stretch in stretches:
            fill = np.full((-len(stretch) % STEPS_PER_BEAT, voices.shape[1]), -1)
            parts += [stretch, fill, rest]
            forms += [form.cut(slice(first, first + len(stretch))), formless(len(fill) + len(rest))]
            begins.append(at)
            limits.append(at + end + AFTER - first)
            at += len(stretch) + len(fill) + len(rest)
    costs = np.zeros(len(begins))
    if parts:
        for fault in find(np.concatenate(parts), end_to_end(forms)):
            stretch_of = bisect_right(begins, fault.step) - 1
            if fault.step < limits[stretch_of]:
                costs[stretch_of] += weights[fault.rule]
    return [round(float(costs[without] - costs[made]), 6) for without, made in pairs]


def _shown(
    rolls: Sequence[tuple[EditLog, slice, int]], context: Context, told: Told
) -> Generator[Ask, Prediction | None, list[tuple[Float[np.ndarray, "seen pitch"], float]]]:
    """Logits and expected edits of parts of excerpts, each with its first step; nothing is asked twice."""
    parts = [log.cells[:, seen.start - first : seen.stop - first] for log, seen, first in rolls]
    keys = [(seen.start, np.packbits(part).tobytes()) for part, (_, seen, _) in zip(parts, rolls, strict=True)]
    new = {key: (part, seen) for key, part, (_, seen, _) in zip(keys, parts, rolls, strict=True) if key not in told}
    if new:
        cells = np.stack([part for part, _ in new.values()])
        prediction = yield Ask(cells, np.stack([context[:, seen] for _, seen in new.values()]))
        assert prediction is not None
        told.update(zip(new, zip(prediction.logits[:, 0], map(float, prediction.n_left), strict=True), strict=True))
    return [told[key] for key in keys]


def _seen(step: int, n_steps: int) -> slice:
    """The steps around a fault that the model is shown; the whole where that is short."""
    first = max(min(step - SEEN // 2, n_steps - SEEN), 0)
    return slice(first, min(first + SEEN, n_steps))


def _tried(fault: Fault, voices: Voices) -> tuple[str, int, bytes, bool]:
    """A fault with the notes around it, and whether all voices were tried for it."""
    around = voices[max(fault.step - AROUND, 0) : fault.step + AROUND]
    return fault.rule, fault.step, around.tobytes(), len(fault.voices) == voices.shape[1]


def _reach(fault: Fault, remedy: _Remedy) -> tuple[int, int]:
    """The steps in which a remedy may make or mend faults."""
    return min(remedy.place.first, fault.step) - NEAR, max(remedy.place.end, fault.step) + NEAR


def _touch(fault: Fault, remedy: _Remedy, other: Fault, another: _Remedy) -> bool:
    (first, end), (begins, ends) = _reach(fault, remedy), _reach(other, another)
    return first < ends and begins < end


def n_faulty(
    log: EditLog,
    policy: Policy,
    weights: Mapping[str, float] = MENDERS_PRICES,
    key: Key | None = None,
    beat_phase: int = 0,
    separate: Separate | None = None,
    phrases: Sequence[tuple[int, int]] = (),
    last: int | None = None,
) -> int:
    """How many faults a piece has of those that mending looks for, mended or not. The arguments are those of `mend`."""
    looked_for = _looked_for(weights, policy)
    voices = lines_sung(log, policy, separate)
    form = form_of(voices, phrases, last, beat_phase)
    heard = key or guessed_key(voices)
    return len(faults(voices, key=heard, beat_phase=beat_phase, rules=looked_for, excused=True, form=form))


def _looked_for(weights: Mapping[str, float], policy: Policy) -> list[str]:
    """The rules whose faults are mended; the others only speak for one remedy or another."""
    return [
        name
        for name, price in weights.items()
        if price >= LIGHTEST
        and not RULE_CALLED[name].is_aside
        and not (policy.chords is not None and RULE_CALLED[name].is_of_free_chords)
    ]


def is_mended(log: EditLog) -> bool:
    """Whether the last that was done is such a change: then the piece is past its sampling."""
    last = log.entries[-1] if log.entries else None
    return isinstance(last, CellEntry) and last.author == "model" and last.probability is None


def lines_sung(log: EditLog, policy: Policy, separate: Separate | None = None) -> Voices:
    """Who sings what, of as many voices as there are, with the policy's melody as the voice that it is."""
    n_voices = min(max(int(np.count_nonzero(log.cells[0], axis=1).max(initial=0)), 2), 4)
    own = {"top": 0, "bass": n_voices - 1}.get(policy.melody or "", policy.n_above)
    line = policy.line if own is not None and own < n_voices else None
    if line is not None:
        steps = np.arange(len(line))
        line = np.where((line >= 0) & log.cells[0, steps, line], line, -1)
    return split(log.cells, n_voices, line, own or 0, separate)


def _places(
    voices: Voices,
    step: int,
    singers: Iterable[int],
    log: EditLog,
    allowed: Bool[np.ndarray, "step pitch"],
) -> list[_Place]:
    """The notes that some voices sing at a step and just before, and their parts within one chord."""
    n_steps = len(voices)
    strikes = voices[1:] != voices[:-1]
    if len(log.cells) > 1:
        struck = np.take_along_axis(log.cells[1], np.maximum(voices, 0), axis=1) & (voices >= 0)
        strikes |= struck[1:]
    changes = np.flatnonzero(strikes.any(axis=1)) + 1
    before, after = changes[changes < step], changes[changes > step]
    chord_begins, chord_ends = (int(before[-1]) if len(before) else 0), (int(after[0]) if len(after) else n_steps)
    found: dict[tuple[int, int, int], _Place] = {}
    for voice in singers:
        own = np.flatnonzero(strikes[:, voice]) + 1
        earlier, later = own[own <= step], own[own > step]
        here, ends = (int(earlier[-1]) if len(earlier) else 0), (int(later[0]) if len(later) else n_steps)
        begins = here if here < step else int(earlier[-2]) if len(earlier) > 1 else 0
        for first, end in ((here, ends), (step, chord_ends), (begins, step), (chord_begins, step)):
            if first >= end or (voices[first:end, voice] != voices[first, voice]).any():
                continue
            pitch = int(voices[first, voice])
            if pitch < 0:  # it pauses
                continue
            removed = _alone(voices, voice, first, end)
            alone = [edit.step for edit in removed]
            if allowed[alone, pitch].all() and not log.user_cells[0, alone, pitch].any():
                found[voice, first, end] = _Place(voice, first, end, removed)
    return list(found.values())


def _alone(voices: Voices, voice: int, first: int, end: int) -> tuple[Edit, ...]:
    """The cells of a voice's note that no other voice sings, too."""
    pitch = int(voices[first, voice])
    others = np.delete(voices[first:end], voice, axis=1)
    return tuple(Edit(0, int(at) + first, pitch) for at in np.flatnonzero((others != pitch).all(axis=1)))


def _log_probabilities(
    logits: Float[np.ndarray, "step pitch"], sounding: Bool[np.ndarray, "step pitch"]
) -> Float[np.ndarray, " pitch"]:
    """Of each pitch being the one that is added: log-softmax over the silent pitches of a step, mean over the steps."""
    silent = np.where(sounding, -np.inf, logits.astype(float))
    top = silent.max(axis=1, keepdims=True)
    mean: np.ndarray = (silent - top - np.log(np.exp(silent - top).sum(axis=1, keepdims=True))).mean(axis=0)
    return mean


def _pitches(
    place: _Place, voices: Int[np.ndarray, "sung voice"], without: EditLog, policy: Policy, first: int
) -> list[int]:
    """What the voice could sing there: allowed, in range, between its neighbours.

    Args:
        without, policy: of an excerpt that begins at the step `first`; the old notes are taken out.
    """
    low, high = RANGES[NAMES[voices.shape[1]][place.voice]]
    here = voices[place.first : place.end]
    above = here[:, : place.voice]
    below = here[:, place.voice + 1 :]
    lowest = max(low - STRETCH, int(below.max(initial=-1)) + 1)
    highest = min(high + STRETCH, int(above[above >= 0].min(initial=128)) - 1)
    there = slice(place.first - first, place.end - first)
    free = np.asarray(policy.allowed(without)[0, there].all(axis=0))
    free &= ~without.cells[0, there].any(axis=0)
    old = int(here[0, place.voice])
    return [pitch for pitch in range(lowest, highest + 1) if free[pitch] and pitch != old]
