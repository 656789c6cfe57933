"""Where the phrases of a tune end, guessed from the tune alone: melodic segmentation.

A semi-Markov conditional random field (Sarawagi and Cohen 2004): of all ways to cut a tune into phrases, each has a
score, the sum over its phrases of weighted features, and its chance is the exponential of that. The features are what
the books name: a long note after shorter ones (Lerdahl and Jackendoff 1983; Cambouropoulos 2001), a rest, a leap after
it, a degree that rests and how it is reached, the place in the bar of the last note and of the next phrase's first, the
length in notes, beats and bars, and whether a phrase has the rhythm of the one before (parallelism, Temperley 2001).
One dynamic program finds the best way; the same sums say how sure each end is.

The weights are fitted on the sopranos of JSB's training split, whose fermatas say where their phrases end, and on
hymns, whose metres do: `python -m benchmarks.phrases --fit`. Those of what both hardly have, rests and words, are set
by hand (`BY_HAND`); what one more phrase costs is chosen on JSB's validation split (`CHOSEN`).

The paper has none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from ripieno.shapes import Bool, Float, Int

MOST_NOTES_OF_A_PHRASE = 26  # more only where no note between them could be a last one
MOST_GUESSED = 2_000  # notes of a tune; it takes some 0.2 ms a note
MELISMA = 0.7  # price of a note without a syllable of its own, where a metre is known
SUREST = 0.999  # that a guess can be
COMPARED = 16  # beats of two phrases that are compared, at the most

BY_HAND = {"rest": 2.0, "long rest": 2.0, "comma": 1.0, "stop": 3.0, "within a word": -8.0}
CHOSEN = {"a phrase": -0.4}  # on JSB valid, where the others are fitted without it
WEIGHTS: dict[str, float] = {
    **BY_HAND,
    **CHOSEN,
    "long": 1.86,
    "longer than before": -0.38,
    "longer than after": -0.25,
    "two beats": 0.68,
    "three beats": 0.96,
    "tonic": 0.56,
    "third": 0.90,
    "fifth": 1.13,
    "second": 1.59,
    "seventh": 0.73,
    "as the final": 0.57,
    "step down": 1.27,
    "step up": 0.27,
    "repeated": -0.21,
    "second to tonic": 0.30,
    "seventh to tonic": 1.02,
    "third to second": -1.00,
    "fourth to third": 0.24,
    "leap after": 1.35,
    "repeated after": 0.48,
    "downbeat": 0.84,
    "middle": 1.59,
    "next on a downbeat": 0.31,
    "next on an upbeat": -0.51,
    "next in the middle": -0.22,
    "next as the first": 1.71,
    "next on a downbeat as the first": -1.59,
    "long after long": 0.39,
    "2 notes or fewer": -3.91,
    "3 notes": -1.08,
    "4 notes": -0.51,
    "5 notes": -0.50,
    "6 notes": -0.18,
    "9 notes": -0.14,
    "10 notes": -0.03,
    "11 or 12 notes": -0.20,
    "13 or 14 notes": -0.97,
    "15 to 18 notes": -0.79,
    "19 notes or more": 1.19,
    "2 beats or fewer": -3.89,
    "3 beats struck": -3.54,
    "4 beats struck": -3.22,
    "5 beats struck": -2.13,
    "6 beats struck": -1.49,
    "7 beats struck": -0.85,
    "9 beats struck": -0.16,
    "10 beats struck": 0.49,
    "11 or 12 beats struck": 0.96,
    "13 beats struck or more": 2.10,
    "whole bars": 0.48,
    "one bar": 0.70,
    "two bars": -0.13,
    "four bars": 0.23,
    "less than four beats": 0.36,
    "octaves from eight beats": -1.54,
    "opening's rhythm": 1.02,
    "same length": -0.83,
    "twice or half as long": -0.30,
    "same place": -0.40,
    "same rhythm": 2.63,
    "like rhythm": 0.32,
    "same pitches": 0.22,
}


@dataclass(frozen=True, eq=False)
class Tune:
    """A melody, note by note, in steps, as the guess hears it."""

    onsets: Int[np.ndarray, " note"]
    ends: Int[np.ndarray, " note"]
    pitches: Int[np.ndarray, " note"]
    places: Int[np.ndarray, " boundary"]  # how far into its bar each note begins, and the end of the last
    bar: int  # length
    beat: int  # length
    tonic: int  # pitch class
    is_bar_known: bool = True  # else the bars may as well begin on any other beat
    syllables: tuple[str, ...] = ()  # by note, where there are words: as `Note.syllable`
    sure: frozenset[int] = frozenset()  # notes on which a phrase ends for sure


GuessSource = Literal["metre", "rests", "words", "guessed"]


class Guess(NamedTuple):
    """The last note of each phrase, the chance that a phrase ends there, and what tells it.

    A metre that is known tells it; a rest after each phrase, or a stop in the words.
    """

    last: tuple[int, ...]
    chances: tuple[float, ...]
    source: GuessSource


def guess_ends(tune: Tune, metre: Sequence[int] = ()) -> Guess | None:
    """The likeliest phrases of a tune; None if it does not fit a metre.

    Args:
        tune: of one note or more, `MOST_GUESSED` at the most.
        metre: syllables of each line of the text, if they are known: 8, 6, 8, 6. The tune may have it several times.
    """
    weights = np.array([WEIGHTS[name] for name in NAMES])
    tried = [Lattice(one) for one in with_bars_moved(tune)]
    scores = [lattice.best(weights) for lattice in tried]
    chosen = max(range(len(tried)), key=lambda i: scores[i][1])
    lattice = tried[chosen]
    chances = lattice.posterior(weights)[1]
    last = lattice.best_in_metre(weights, metre) if metre else scores[chosen][0]
    if not last:
        return None
    inner = np.array(last[:-1], dtype=int)
    source: GuessSource = "metre" if metre else "guessed"
    if not metre and len(inner):
        comma, stop, _ = _words(tune)
        if (tune.onsets[inner + 1] > tune.ends[inner]).all():
            source = "rests"
        elif (comma | stop)[inner].all():
            source = "words"
    return Guess(last, tuple(1.0 if i in tune.sure else min(float(chances[i]), SUREST) for i in last), source)


def with_bars_moved(tune: Tune) -> list[Tune]:
    """The tune as it is, or with its bars beginning on each beat where nobody says on which they do."""
    if tune.is_bar_known:
        return [tune]
    moves = range(0, tune.bar, tune.beat)
    return [replace(tune, places=(tune.places + move) % tune.bar, is_bar_known=True) for move in moves]


# What is heard of a last note, of a phrase, and of two that follow one another

_OF_NOTES = {2: "2 notes or fewer", 3: "3 notes", 4: "4 notes", 5: "5 notes", 6: "6 notes", 9: "9 notes"}
_OF_NOTES |= {10: "10 notes", 11: "11 or 12 notes", 13: "13 or 14 notes", 15: "15 to 18 notes", 19: "19 notes or more"}
_OF_BEATS = {2: "2 beats or fewer", 3: "3 beats struck", 4: "4 beats struck", 5: "5 beats struck", 6: "6 beats struck"}
_OF_BEATS |= {7: "7 beats struck", 9: "9 beats struck", 10: "10 beats struck", 11: "11 or 12 beats struck"}
_OF_BEATS |= {13: "13 beats struck or more"}
LAST = (
    *("long", "longer than before", "longer than after", "two beats", "three beats", "rest", "long rest"),
    *("tonic", "third", "fifth", "second", "seventh", "as the final", "step down", "step up", "repeated"),
    *("second to tonic", "seventh to tonic", "third to second", "fourth to third", "leap after", "repeated after"),
    *("downbeat", "middle", "next on a downbeat", "next on an upbeat", "next in the middle", "next as the first"),
    "next on a downbeat as the first",
    *("long after long", "comma", "stop", "within a word"),
)
PHRASE = (
    *_OF_NOTES.values(),
    *_OF_BEATS.values(),
    *("whole bars", "one bar", "two bars", "four bars", "less than four beats", "octaves from eight beats"),
    *("opening's rhythm", "a phrase"),
)
TWO = ("same length", "twice or half as long", "same place", "same rhythm", "like rhythm", "same pitches")
NAMES = (*LAST, *PHRASE, *TWO)
_N_OF_ONE = len(LAST) + len(PHRASE)


def _last_notes(tune: Tune) -> tuple[Float[np.ndarray, "note feature"], Bool[np.ndarray, " note"]]:
    """What is heard of each note as the last of a phrase, and which could be one."""
    beat, bar, pitches = tune.beat, tune.bar, tune.pitches
    following = np.append(tune.onsets[1:], tune.ends[-1])
    lengths = np.maximum(following - tune.onsets, 1)  # a rest counts with the note before it
    rests = np.maximum(following - tune.ends, 0)
    logs = np.log2(lengths)
    around = np.pad(logs, 8, mode="edge")
    mean = np.convolve(around, np.full(17, 1 / 17), mode="valid")
    before, after = np.append(lengths[0], lengths[:-1]), np.append(lengths[1:], lengths[-1])
    moves = np.diff(pitches)
    came, goes = np.append(0, moves), np.append(moves, 0)
    degrees = (pitches - tune.tonic) % 12
    came_from = np.append(-1, degrees[:-1])
    places, next_places = tune.places[:-1], tune.places[1:]
    middle = bar // 2 if bar // beat % 2 == 0 else -1
    third, seventh = (degrees == 3) | (degrees == 4), (came_from == 10) | (came_from == 11)
    comma, stop, within = _words(tune)
    heard = {
        "long": np.clip(logs - mean, -2, 2),
        "longer than before": lengths > before,
        "longer than after": lengths > after,
        "two beats": lengths >= 2 * beat,
        "three beats": lengths >= 3 * beat,
        "rest": rests > 0,
        "long rest": rests >= beat,
        "tonic": degrees == 0,
        "third": third,
        "fifth": degrees == 7,
        "second": degrees == 2,
        "seventh": (degrees == 10) | (degrees == 11),
        "as the final": pitches % 12 == pitches[-1] % 12,
        "step down": (came < 0) & (came > -3),
        "step up": (came > 0) & (came < 3),
        "repeated": came == 0,
        "second to tonic": (came_from == 2) & (degrees == 0),
        "seventh to tonic": seventh & (degrees == 0),
        "third to second": ((came_from == 3) | (came_from == 4)) & (degrees == 2),
        "fourth to third": (came_from == 5) & third,
        "leap after": abs(goes) >= 5,
        "repeated after": goes == 0,
        "downbeat": places == 0,
        "middle": places == middle,
        "next on a downbeat": next_places == 0,
        "next on an upbeat": next_places == bar - beat,
        "next in the middle": next_places == middle,
        "next as the first": next_places == places[0],
        "next on a downbeat as the first": (next_places == 0) & (places[0] == 0),
        "long after long": (lengths >= 2 * beat) & (before >= 2 * beat),
        "comma": comma,
        "stop": stop,
        "within a word": within,
    }
    features = np.stack([np.asarray(heard[name], dtype=float) for name in LAST], axis=1)
    features[-1] = 0  # the last of all ends a phrase whatever it is
    is_on_beat = places % beat == 0
    could = (lengths >= beat) | (lengths >= 2 * before) | (rests > 0) | comma | stop
    could &= is_on_beat | (lengths >= 2 * beat) | (rests > 0) | comma | stop
    could[-1] = True
    could[list(tune.sure)] = True
    return features, could


def _words(tune: Tune) -> tuple[Bool[np.ndarray, " note"], ...]:
    """After which notes the words have a comma, or a graver stop, and after which a word goes on."""
    n = len(tune.onsets)
    comma, stop, within = (np.zeros(n, dtype=bool) for _ in range(3))
    if any(tune.syllables):
        sung, sings = "", False
        for i, syllable in enumerate(tune.syllables):
            sings |= bool(syllable)
            sung = syllable or sung  # what several notes are sung on ends with the last of them
            goes_on = i + 1 < n and not tune.syllables[i + 1] and tune.onsets[i + 1] == tune.ends[i]
            text = sung.rstrip("\"'”’»)")
            comma[i] = not goes_on and text.endswith(",")
            stop[i] = not goes_on and text.endswith((".", ";", ":", "!", "?", "—", "–"))
            within[i] = sings and (goes_on or sung.endswith("-"))
    return comma, stop, within


class Lattice:
    """All ways to cut a tune into phrases: arcs from one bound to a later one, each a phrase.

    Bound b lies before note `bounds[b]`. Arcs are in the order of where they start; pairs of arcs that meet, in the
    order of where they do.
    """

    def __init__(self, tune: Tune) -> None:
        last, could = _last_notes(tune)
        self.bounds = np.append(0, np.flatnonzero(could) + 1)
        self._draw(tune)
        self.arc_features = np.concatenate(
            [last[self.bounds[self.ends] - 1], self._phrases(tune)],
            axis=1,
        )
        self.pair_features = self._pairs(tune)

    def _draw(self, tune: Tune) -> None:
        """The arcs, and which of them meet."""
        bounds, n_bounds = self.bounds, len(self.bounds)
        # a phrase goes past no end that is sure
        walls = np.searchsorted(bounds, [*(i + 1 for i in sorted(tune.sure)), bounds[-1]])
        starts: list[int] = []
        ends: list[int] = []
        self.leaving: list[slice] = []  # by bound: the arcs that start there
        for start in range(n_bounds - 1):
            reach = int(np.searchsorted(bounds, bounds[start] + MOST_NOTES_OF_A_PHRASE, side="right"))
            wall = int(walls[np.searchsorted(walls, start, side="right")])
            stop = max(min(reach, wall + 1), start + 2)
            self.leaving.append(slice(len(starts), len(starts) + stop - start - 1))
            starts += [start] * (stop - start - 1)
            ends += range(start + 1, stop)
        self.starts, self.ends = np.array(starts), np.array(ends)
        by_end = np.argsort(self.ends, kind="stable")
        edges = np.searchsorted(self.ends[by_end], np.arange(n_bounds + 1))
        self.arriving = [by_end[edges[bound] : edges[bound + 1]] for bound in range(n_bounds)]
        self.meeting = [slice(0, 0)]  # by bound: the pairs that meet there
        firsts, seconds, n_pairs = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)], 0
        for bound in range(1, n_bounds - 1):
            arriving, leaving = self.arriving[bound], self.leaving[bound]
            n_leaving = leaving.stop - leaving.start
            firsts.append(np.repeat(arriving, n_leaving))
            seconds.append(np.tile(np.arange(leaving.start, leaving.stop), len(arriving)))
            self.meeting.append(slice(n_pairs, n_pairs + len(firsts[-1])))
            n_pairs += len(firsts[-1])
        self.firsts, self.seconds = np.concatenate(firsts), np.concatenate(seconds)

    def _phrases(self, tune: Tune) -> Float[np.ndarray, "arc feature"]:
        """What is heard of each arc as a phrase."""
        begin, end = self.bounds[self.starts], self.bounds[self.ends]
        at = np.append(tune.onsets, tune.ends[-1])
        lengths = at[end] - at[begin]
        n_notes = end - begin
        on_beats = np.append(0, np.cumsum(tune.places[:-1] % tune.beat == 0))
        n_beats = on_beats[end] - on_beats[begin]
        gaps = np.diff(at)
        repeats = np.zeros(len(gaps), dtype=bool)
        if len(gaps) > 6:
            windows = np.lib.stride_tricks.sliding_window_view(gaps, 6)
            repeats[: len(windows)] = (windows == windows[0]).all(axis=1)
            repeats[[0, len(windows) - 1]] = False
        columns = [*_in_classes(n_notes, tuple(_OF_NOTES)), *_in_classes(n_beats, tuple(_OF_BEATS))]
        columns += [lengths % tune.bar == 0, *(lengths == n_bars * tune.bar for n_bars in (1, 2, 4))]
        columns += [lengths < 4 * tune.beat, abs(np.log2(np.maximum(lengths, 1) / (8 * tune.beat))), repeats[begin]]
        columns.append(np.ones(len(begin)))
        return np.stack(columns, axis=1).astype(float)

    def _pairs(self, tune: Tune) -> Float[np.ndarray, "pair feature"]:
        """What is heard of each two phrases of which one follows the other."""
        at = np.append(tune.onsets, tune.ends[-1]) - tune.onsets[0]
        first, bound = at[self.bounds[self.starts]], at[self.bounds[self.ends]]
        lengths = bound - first
        width = int(min(lengths.max(), COMPARED * tune.beat))
        struck = np.zeros(at[-1] + 2 * width + 1, dtype=bool)
        struck[at[:-1]] = True
        sounding = np.full(len(struck), -1)
        sounding[: at[-1]] = np.repeat(tune.pitches, np.diff(at))
        steps = np.arange(width)
        here, there = first[:, None] + steps, bound[:, None] + steps

        def so_far(which: Bool[np.ndarray, "arc step"]) -> Int[np.ndarray, "arc step+1"]:
            return np.pad(np.cumsum(which, axis=1, dtype=np.int32), ((0, 0), (1, 0)))

        both, either = so_far(struck[here] & struck[there]), so_far(struck[here] | struck[there])
        alike = so_far(sounding[here] == sounding[there])
        own, other = lengths[self.firsts], lengths[self.seconds]
        shared = np.minimum(np.minimum(own, other), width)
        rhythm = both[self.firsts, shared] / np.maximum(either[self.firsts, shared], 1)
        places = tune.places[self.bounds]
        columns = {
            "same length": own == other,
            "twice or half as long": (own == 2 * other) | (other == 2 * own),
            "same place": places[self.starts[self.firsts]] == places[self.starts[self.seconds]],
            "same rhythm": rhythm * (own == other),
            "like rhythm": rhythm,
            "same pitches": alike[self.firsts, shared] / np.maximum(shared, 1),
        }
        return np.stack([columns[name] for name in TWO], axis=1).astype(float)

    def _scores(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.arc_features @ weights[:_N_OF_ONE], self.pair_features @ weights[_N_OF_ONE:]

    def best(self, weights: Float[np.ndarray, " feature"]) -> tuple[tuple[int, ...], float]:
        """The last note of each phrase in the best way to cut, and its score."""
        arcs, pairs = self._scores(weights)
        score = np.full(len(arcs), -np.inf)
        before = np.full(len(arcs), -1)
        score[self.leaving[0]] = arcs[self.leaving[0]]
        for bound in range(1, len(self.bounds) - 1):
            arriving, leaving = self.arriving[bound], self.leaving[bound]
            through = score[arriving][:, None] + pairs[self.meeting[bound]].reshape(len(arriving), -1)
            chosen = through.argmax(axis=0)
            before[leaving] = arriving[chosen]
            score[leaving] = through.max(axis=0) + arcs[leaving]
        final = self.arriving[-1]
        arc = int(final[score[final].argmax()])
        total, last = float(score[arc]), []
        while arc >= 0:
            last.append(int(self.bounds[self.ends[arc]]) - 1)
            arc = int(before[arc])
        return tuple(reversed(last)), total

    def best_in_metre(self, weights: Float[np.ndarray, " feature"], metre: Sequence[int]) -> tuple[int, ...]:
        """The last note of each phrase if a text in this metre is sung, as often as there are notes; none if not once.

        A line has a note for each of its syllables; more are sung on one now and then.
        """
        times = int(self.bounds[-1]) // sum(metre)
        arcs = self._scores(weights)[0]
        n_notes = self.bounds[self.ends] - self.bounds[self.starts]
        score = np.full(len(self.bounds), -np.inf)
        score[0] = 0
        ways = []
        for n_syllables in list(metre) * times:
            more = n_notes - n_syllables
            through = score[self.starts] + arcs - np.where(more < 0, np.inf, MELISMA * more)
            score, way = np.full(len(self.bounds), -np.inf), np.full(len(self.bounds), -1)
            for bound in range(1, len(self.bounds)):
                arriving = self.arriving[bound]
                way[bound] = arriving[through[arriving].argmax()]
                score[bound] = through[way[bound]]
            ways.append(way)
        bound, last = len(self.bounds) - 1, []
        if not ways or score[bound] == -np.inf:
            return ()
        for way in reversed(ways):
            last.append(int(self.bounds[bound]) - 1)
            bound = int(self.starts[way[bound]])
        return tuple(reversed(last))

    def posterior(
        self, weights: Float[np.ndarray, " feature"]
    ) -> tuple[float, Float[np.ndarray, " note"], Float[np.ndarray, " feature"]]:
        """The log of the sum over all ways, the chance that each note is a last one, and the expected features."""
        arcs, pairs = self._scores(weights)
        forward, backward = np.full(len(arcs), -np.inf), np.full(len(arcs), -np.inf)
        forward[self.leaving[0]] = arcs[self.leaving[0]]
        inner = range(1, len(self.bounds) - 1)
        for bound in inner:
            arriving, leaving = self.arriving[bound], self.leaving[bound]
            through = forward[arriving][:, None] + pairs[self.meeting[bound]].reshape(len(arriving), -1)
            forward[leaving] = np.logaddexp.reduce(through, axis=0) + arcs[leaving]
        backward[self.arriving[-1]] = 0
        total = float(np.logaddexp.reduce(forward[self.arriving[-1]]))
        of_pairs = np.zeros(len(pairs))
        for bound in reversed(inner):
            arriving, leaving = self.arriving[bound], self.leaving[bound]
            through = pairs[self.meeting[bound]].reshape(len(arriving), -1) + (arcs[leaving] + backward[leaving])
            backward[arriving] = np.logaddexp.reduce(through, axis=1)
            of_pairs[self.meeting[bound]] = np.exp(forward[arriving][:, None] + through - total).ravel()
        of_arcs = np.exp(forward + backward - total)
        chances = np.zeros(self.bounds[-1])
        np.add.at(chances, self.bounds[self.ends] - 1, of_arcs)
        return total, chances, np.concatenate([of_arcs @ self.arc_features, of_pairs @ self.pair_features])

    def features_of(self, last: Sequence[int]) -> Float[np.ndarray, " feature"] | None:
        """The features of one way to cut, by the last notes of its phrases; None if there is no such way."""
        arcs = {
            (int(start), int(end)): arc for arc, (start, end) in enumerate(zip(self.starts, self.ends, strict=True))
        }
        bounds = [0, *np.searchsorted(self.bounds, np.array(last) + 1).tolist()]
        if self.bounds[bounds[1:]].tolist() != [i + 1 for i in last]:
            return None
        way = [arcs.get(ends, -1) for ends in pairwise(bounds)]
        if -1 in way:
            return None
        pairs = {ends: pair for pair, ends in enumerate(zip(self.firsts.tolist(), self.seconds.tolist(), strict=True))}
        met = [pairs[ends] for ends in pairwise(way)]
        return np.concatenate([self.arc_features[way].sum(axis=0), self.pair_features[met].sum(axis=0)])


def _in_classes(numbers: Int[np.ndarray, " arc"], least: tuple[int, ...]) -> list[Bool[np.ndarray, " arc"]]:
    """Which numbers are in each class: from one bound to the next; the first takes all below, 7 and 8 may have none."""
    classes = []
    for i, low in enumerate(least):
        high = least[i + 1] if i + 1 < len(least) else np.inf
        if low in (6, 7):  # what lies between it and 9 is the usual length, which the others are measured by
            high = low + 1
        classes.append((numbers >= (low if i else 0)) & (numbers < high))
    return classes
