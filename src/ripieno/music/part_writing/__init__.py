"""What a teacher of harmony would mark in four voices, counted, with where and how often.  (Beside paper 6.4)

The paper asks people which piece is most like Bach and measures no voice leading. This module looks at voices,
`int (step, voice)` on the sixteenth grid, voice 0 the highest, -1 a rest. `faults` says where a rule is broken,
`judge` how often, beside how often it could have been, so that pieces add up. `RULES` and `MEASURES` list what is
looked at and where each rule comes from.

What is said of Bach is measured on the JSB Chorales' own voices. Two voices *both move* from a step to the next
where each sounds at both and changes its pitch. How we read what the books leave open:

1. Parallels are two voices that both move the same way from an interval to the same interval, octaves and the order of
   the voices left out of account (7 or 0 semitones modulo 12). Bach's fifths: 0.67, 0.80, 0.91 for each 1,000 pairs
   that both move (train, valid, test); octaves and unisons 0.61, 0.40, 0.36. Half of the 100 follow a chord that was
   held for a beat or more, as at a phrase end, and 9 of the 59 fifths come by an anticipation. Such are counted like
   all others, so that figures compare, and marked as excused.
2. Phrase ends are not in the JSB file. Where they are given, a fault across one is excused.
3. JSB joins repeated notes. Unless `onsets` are given, a note begins where the pitch changes or follows a rest.
4. A dominant seventh shows which note leads, in whatever key it stands. A major triad does not: each I-IV would pass
   for a V-I. So triads count only on the dominant of the piece's key, and only on their way to its tonic.
5. Sharps and flats, for false relations and augmented seconds, are those that `harmony.note_name` gives in the key.
6. On a merged roll `music.voices.split` says who sings what, and some counts are then the split's. Bach merged and
   split again (valid): parallel fifths rise from 0.8 to 1.5 for each 1,000 pairs, octaves from 0.4 to 1.1, most
   crossings and half of the overlaps go, notes out of range grow by half; what hangs on chords and rhythm stays. Of
   Bach's own parallels 62 % are found again (train and valid), and 35 % of those found are his: the split avoids
   parallels where it may choose, as it must where he crosses voices. So compare what was split with Bach split in the
   same way, never with his own voices.  (`python -m benchmarks.split`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from statistics import NormalDist

import numpy as np
from numpy.random import Generator, Philox

from ripieno.music.harmony import estimate_key
from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BAR, STEPS_PER_BEAT
from ripieno.shapes import Bool, Int

Voices = Int[np.ndarray, "step voice"]

READING = 2  # raised when a rule reads music otherwise: then what was mended by it is another piece
STEP = 2  # semitones; what is wider is a leap
WIDE = 7  # semitones; a leap wider than this should be made good
APART = 12  # semitones that neighbours above the bass may lie apart
# Soprano, alto, tenor, bass: C4-G5, G3-D5, C3-G4, E2-D4. The textbooks differ by a tone or so at either end.
RANGES = ((60, 79), (55, 74), (48, 67), (40, 62))
OPEN_ENDING = "open ending"  # no rule, since a piece may well end so; see `open_ending`
SIX_FOUR, SEVENTH, NO_CHORD = "six-four chord", "seventh on a beat", "no chord on a beat"  # of `REMARKS`


@dataclass(frozen=True)
class Fault:
    """A place where a rule is broken. `pitches` are what `voices` sing at `step`, where it is complete; -1 rests."""

    rule: str
    step: int
    voices: tuple[int, ...]
    pitches: tuple[int, ...]
    excuse: str = ""  # why a teacher would let it pass: "phrase end", "anticipation"


@dataclass(frozen=True)
class Count:
    """How often something is so, of how many times it could have been. `n` counts what is excused too."""

    n: int = 0
    of: int = 0
    n_excused: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.n + other.n, self.of + other.of, self.n_excused + other.n_excused)

    @property
    def rate(self) -> float:
        """From 0 to 1 for shares; nan where there was no opportunity."""
        return self.n / self.of if self.of else float("nan")

    def interval(self, share: float = 0.95) -> tuple[float, float]:
        """The rate's interval if `n` is Poisson, by Byar's approximation. For rare faults; for shares, `bootstrap`."""
        if not self.of:
            return float("nan"), float("nan")
        z = NormalDist().inv_cdf((1 + share) / 2)
        n, more = self.n, self.n + 1
        low = n * (1 - 1 / (9 * n) - z / (3 * n**0.5)) ** 3 if n else 0.0
        high = more * (1 - 1 / (9 * more) + z / (3 * more**0.5)) ** 3
        return low / self.of, high / self.of


@dataclass(frozen=True)
class Report(Mapping[str, Count]):
    """Counts by the name of a rule or measure. Reports add up; `sum(reports, Report())` pools pieces."""

    counts: Mapping[str, Count] = field(default_factory=dict)
    n_steps: int = 0
    n_pieces: int = 0

    def __getitem__(self, name: str) -> Count:
        return self.counts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __add__(self, other: Report) -> Report:
        names = dict.fromkeys((*self.counts, *other.counts))
        counts = {name: self.counts.get(name, Count()) + other.counts.get(name, Count()) for name in names}
        return Report(counts, self.n_steps + other.n_steps, self.n_pieces + other.n_pieces)

    def figure(self, name: str) -> float:
        """A rate in the unit in which it is printed; see `Rule.per` and `Measure.per`."""
        return PER[name] * self[name].rate

    def per_bar(self, name: str) -> float:
        """How often in sixteen steps, so that music which hardly moves does not win."""
        return self[name].n * STEPS_PER_BAR / self.n_steps if self.n_steps else float("nan")

    def per_piece(self, name: str) -> float:
        """How often in a piece."""
        return self[name].n / self.n_pieces if self.n_pieces else float("nan")


def judge(
    voices: Voices,
    *,
    key: Key | None = None,
    onsets: Bool[np.ndarray, "step voice"] | None = None,
    phrase_ends: Bool[np.ndarray, " step"] | None = None,
    beat_phase: int = 0,
) -> Report:
    """Count every rule's faults, and measure the rest, in one piece.

    Args:
        voices: MIDI numbers, -1 a rest; voice 0 the highest.
        key: of the whole piece; guessed from its notes unless given.
        onsets: where notes begin; unless given, where the pitch changes or follows a rest.
        phrase_ends: true at the last step of a phrase.
        beat_phase: which sixteenth of its beat the piece begins on.
    """
    score = _Score(voices, key, onsets, phrase_ends, beat_phase)
    counts = {}
    for rule in RULES:
        found, n_chances = rule.find(score, rule.name)
        counts[rule.name] = Count(len(found), n_chances, sum(bool(fault.excuse) for fault in found))
    for measure in MEASURES:
        counts[measure.name] = Count(*measure.count(score))
    return Report(counts, len(voices), 1)


def faults(
    voices: Voices,
    *,
    key: Key | None = None,
    onsets: Bool[np.ndarray, "step voice"] | None = None,
    phrase_ends: Bool[np.ndarray, " step"] | None = None,
    beat_phase: int = 0,
    rules: Iterable[str] | None = None,
    excused: bool = False,
) -> list[Fault]:
    """Where the rules are broken, in the order of the music. The other arguments are those of `judge`.

    Args:
        voices: as in `judge`.
        rules: names, of `REMARKS` too; all of `RULES` unless given.
        excused: name also what a teacher would let pass.
    """
    score = _Score(voices, key, onsets, phrase_ends, beat_phase)
    wanted = {rule.name for rule in RULES} if rules is None else set(rules)
    known = (*RULES, *REMARKS)
    unknown = wanted - {rule.name for rule in known}
    if unknown:
        raise ValueError(f"no rule is called {sorted(unknown)}; those that are: {[rule.name for rule in known]}")
    found = [fault for rule in known if rule.name in wanted for fault in rule.find(score, rule.name)[0]]
    return sorted((fault for fault in found if excused or not fault.excuse), key=lambda fault: fault.step)


def parallels(
    voices: Voices, *, phrase_ends: Bool[np.ndarray, " step"] | None = None, beat_phase: int = 0
) -> list[Fault]:
    """Parallel fifths and octaves alone, the excused ones too: what a sampler may ask after each edit."""
    score = _Score(voices, None, None, phrase_ends, beat_phase)
    return _parallel_fifths(score, "parallel fifths")[0] + _parallel_octaves(score, "parallel octaves")[0]


def bootstrap(
    reports: Sequence[Report], name: str, share: float = 0.95, n_draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Interval of the pooled rate, by drawing pieces anew: for shares, and where faults come in clusters."""
    n = np.array([report[name].n for report in reports])
    of = np.array([report[name].of for report in reports])
    drawn = Generator(Philox(key=[seed, 2])).integers(len(reports), size=(n_draws, len(reports)))
    totals = of[drawn].sum(axis=1)
    rates = n[drawn].sum(axis=1)[totals > 0] / totals[totals > 0]
    if not len(rates):
        return float("nan"), float("nan")
    low, high = np.quantile(rates, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def guessed_key(voices: Voices) -> Key:
    """The key of a whole piece, guessed from its notes; what the rules go by unless they are told another."""
    return _Score(voices, None, None, None, 0).key


def cadence(voices: Voices, key: Key | None = None) -> str:
    """How a piece ends: "perfect authentic", "authentic", "plagal", "half" or "other".

    The last chord is compared with the last one before it that has another root; what is no chord is skipped.
    Perfect: both chords over their roots, and the tonic on top. Half: the last chord is the key's major dominant.
    """
    score = _Score(voices, key, None, None, 0)
    known = np.flatnonzero((score.roots >= 0) | (score.kinds == FULLY))
    sounding = np.flatnonzero((score.slices >= 0).any(axis=1))
    if not len(known) or known[-1] != sounding[-1] or score.kinds[known[-1]] not in (MAJOR, MINOR):
        return "other"
    last = known[-1]
    tonic = score.roots[last]
    others = known[score.roots[known] != tonic]
    if not len(others):
        return "other"
    before = others[-1]
    kind = score.kinds[before]
    if score.kinds[last] == MAJOR and tonic == (score.key.tonic + 7) % 12:
        return "half"
    if kind == FULLY:  # on the leading note, if it has it
        leads = score.chords[score.starts[before]] >> (tonic - 1) % 12 & 1
        return "authentic" if leads else "other"
    rise = (tonic - score.roots[before]) % 12
    if (rise == 5 and kind in (MAJOR, DOMINANT)) or (rise == 1 and kind in (DIMINISHED, HALF_DIMINISHED)):
        over_roots = score.inversions[before] == 0 and score.inversions[last] == 0
        return "perfect authentic" if rise == 5 and over_roots and score.tops[last] % 12 == tonic else "authentic"
    return "plagal" if rise == 7 and kind in (MAJOR, MINOR, MINOR_SEVENTH) else "other"


def open_ending(voices: Voices, key: Key | None = None) -> Fault | None:
    """The last chord, if it does not close the piece, with the voices that keep it from being the tonic's.

    A major or minor triad over its root closes after any of the cadences, whatever the key, which may have been
    misheard; but not the subdominant's, which a tonic leads to as a dominant does to its tonic, nor in a major key the
    tonic's own with a minor third. Else those voices are wrong that sing no note of the tonic triad, and the lowest if
    it is not on the tonic.
    """
    score = _Score(voices, key, None, None, 0)
    sounding = np.flatnonzero((score.slices >= 0).any(axis=1))
    if not len(sounding):
        return None
    last, tonic = sounding[-1], score.key.tonic
    over_root = score.kinds[last] in (MAJOR, MINOR) and score.inversions[last] == 0
    is_darkened = score.key.mode == "major" and score.kinds[last] == MINOR and score.roots[last] == tonic
    is_close = over_root and score.roots[last] != (tonic + 5) % 12 and not is_darkened
    if is_close and cadence(voices, score.key) != "other":
        return None
    chord = score.slices[last]
    classes = {int(pitch) % 12 for pitch in chord if pitch >= 0}
    third = 3 if score.key.mode == "minor" else 4
    if third == 3 and (tonic + 4) % 12 in classes and (tonic + 3) % 12 not in classes:
        third = 4  # a minor piece may close in major
    triad = {tonic, (tonic + third) % 12, (tonic + 7) % 12}
    lowest = len(chord) - 1 - int(np.where(chord >= 0, chord, 128)[::-1].argmin())  # of two in unison the lower voice
    wrong = [
        voice
        for voice, pitch in enumerate(chord.tolist())
        if pitch >= 0 and (pitch % 12 not in triad or (voice == lowest and pitch % 12 != tonic))
    ]
    return score.fault(OPEN_ENDING, int(score.starts[last]), *wrong) if wrong else None


# Chords: a set of pitch classes, as a number of twelve bits, to its root and kind.

MAJOR, MINOR, DIMINISHED, AUGMENTED, DOMINANT, MAJOR_SEVENTH, MINOR_SEVENTH, HALF_DIMINISHED, FULLY = range(1, 10)
SYMMETRIC = (AUGMENTED, FULLY)  # of which any note may be the root; they count as having none
_TONES = (
    ((0, 4, 7), MAJOR),
    ((0, 4), MAJOR),  # a fifth may be missing, as in `harmony.triad_of`
    ((0, 3, 7), MINOR),
    ((0, 3), MINOR),
    ((0, 3, 6), DIMINISHED),
    ((0, 4, 8), AUGMENTED),
    ((0, 4, 7, 10), DOMINANT),
    ((0, 4, 10), DOMINANT),
    ((0, 4, 7, 11), MAJOR_SEVENTH),
    ((0, 3, 7, 10), MINOR_SEVENTH),
    ((0, 3, 6, 10), HALF_DIMINISHED),
    ((0, 3, 6, 9), FULLY),
)


def _chord_table() -> tuple[Int[np.ndarray, " chord"], Int[np.ndarray, " chord"]]:
    roots, kinds = np.full(1 << 12, -1), np.zeros(1 << 12, dtype=int)
    for tones, kind in _TONES:
        for root in range(12):
            chord = sum(1 << (root + tone) % 12 for tone in tones)
            roots[chord], kinds[chord] = root if kind not in SYMMETRIC else -1, kind
    return roots, kinds


_ROOTS, _KINDS = _chord_table()
_BARE = np.zeros(1 << 12, dtype=bool)  # octaves and fifths
_BARE[[1 << root | 1 << (root + above) % 12 for root in range(12) for above in (0, 7)]] = True


@cache
def _pairs(n_voices: int) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    return np.triu_indices(n_voices, 1)


class _Score:
    """What the rules look at, each worked out when it is first asked for.

    A *slice* is a stretch in which nobody begins a note or falls silent; a *move* is how far a voice goes from one step
    to the next, 0 beside a rest.
    """

    def __init__(
        self,
        voices: Voices,
        key: Key | None,
        onsets: Bool[np.ndarray, "step voice"] | None,
        phrase_ends: Bool[np.ndarray, " step"] | None,
        beat_phase: int,
    ) -> None:
        self.voices = voices
        self.sounding = voices >= 0
        self.n_steps, self.n_voices = voices.shape
        self._key, self._onsets, self._phrase_ends, self.beat_phase = key, onsets, phrase_ends, beat_phase

    @cached_property
    def key(self) -> Key:
        if self._key is not None:
            return self._key
        weights = np.bincount(self.voices[self.sounding] % 12, minlength=12).astype(float)
        lowest = self.basses[self.basses >= 0]
        return estimate_key(weights, int(lowest[-1]) if len(lowest) else None)

    @cached_property
    def places(self) -> Int[np.ndarray, " pitch_class"]:
        """Where each pitch class lies on the line of fifths, as `harmony.note_name` spells it in the key."""
        lowest = self.key.n_sharps - (2 if self.key.mode == "minor" else 3)
        return lowest + (np.arange(12) * 7 - lowest) % 12

    # by step

    @cached_property
    def rows(self) -> list[list[int]]:
        """`voices`, for who looks at single notes: that is faster in plain Python."""
        rows: list[list[int]] = self.voices.tolist()
        return rows

    @cached_property
    def onsets(self) -> Bool[np.ndarray, "step voice"]:
        begins = self.sounding.copy()
        begins[1:] &= self.voices[1:] != self.voices[:-1]
        return begins if self._onsets is None else begins | (self._onsets & self.sounding)

    @cached_property
    def beats(self) -> Bool[np.ndarray, " step"]:
        on_beat: Bool[np.ndarray, " step"] = (np.arange(self.n_steps) + self.beat_phase) % STEPS_PER_BEAT == 0
        return on_beat

    @cached_property
    def moves(self) -> Int[np.ndarray, "move voice"]:
        both = self.sounding[1:] & self.sounding[:-1]
        return np.asarray((self.voices[1:] - self.voices[:-1]) * both)

    @cached_property
    def pairs(self) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
        return _pairs(self.n_voices)

    @cached_property
    def motion(self) -> Int[np.ndarray, "move pair"]:
        """Above 0 where both voices of a pair move the same way, below 0 where they move apart or together."""
        upper, lower = self.pairs
        return np.asarray(self.moves[:, upper] * self.moves[:, lower])

    @cached_property
    def intervals(self) -> Int[np.ndarray, "step pair"]:
        """Semitones modulo 12; means nothing where a voice rests."""
        upper, lower = self.pairs
        return np.asarray(np.abs(self.voices[:, upper] - self.voices[:, lower]) % 12)

    @cached_property
    def both_sound(self) -> Bool[np.ndarray, "step pair"]:
        upper, lower = self.pairs
        return self.sounding[:, upper] & self.sounding[:, lower]

    @cached_property
    def chords(self) -> Int[np.ndarray, " step"]:
        """The pitch classes that sound, each a bit."""
        bits = np.where(self.sounding, 1 << self.voices % 12, 0)
        return np.asarray(np.bitwise_or.reduce(bits, axis=1))

    @cached_property
    def kinds_of_steps(self) -> Int[np.ndarray, " step"]:
        """0 where there is no chord."""
        return np.asarray(_KINDS[self.chords])

    # by slice

    @cached_property
    def starts(self) -> Int[np.ndarray, " slice"]:
        begins: Bool[np.ndarray, " step"] = np.asarray(self.onsets.any(axis=1))
        begins[1:] |= (self.sounding[1:] != self.sounding[:-1]).any(axis=1)
        begins[:1] = True
        return np.flatnonzero(begins)

    @cached_property
    def slices(self) -> Int[np.ndarray, "slice voice"]:
        return np.asarray(self.voices[self.starts])

    @cached_property
    def roots(self) -> Int[np.ndarray, " slice"]:
        return np.asarray(_ROOTS[self.chords[self.starts]])

    @cached_property
    def kinds(self) -> Int[np.ndarray, " slice"]:
        return np.asarray(self.kinds_of_steps[self.starts])

    @cached_property
    def basses(self) -> Int[np.ndarray, " slice"]:
        """The lowest pitch, -1 in silence."""
        lowest = np.where(self.slices >= 0, self.slices, 128).min(axis=1, initial=128)
        return np.where(lowest == 128, -1, lowest)

    @cached_property
    def tops(self) -> Int[np.ndarray, " slice"]:
        return np.asarray(self.slices.max(axis=1, initial=-1))

    @cached_property
    def next_roots(self) -> Int[np.ndarray, " slice"]:
        """The root of the next chord that has another one, -1 where none has before all fall silent."""
        found: list[int] = []
        ahead, after = -1, -1  # the root of the chord ahead, and the next one after that
        for root, bass in zip(reversed(self.roots.tolist()), reversed(self.basses.tolist()), strict=True):
            if bass < 0:
                ahead, after = -1, -1
            elif root >= 0 and root != ahead:
                ahead, after = root, ahead
            found.append(after if root >= 0 else ahead)
        return np.array(found[::-1], dtype=int)

    @cached_property
    def inversions(self) -> Int[np.ndarray, " slice"]:
        """How many semitones above the root the bass lies; means nothing where there is no chord."""
        return np.asarray((self.basses - self.roots) % 12)

    # faults

    def crosses_phrase_end(self, first: int, last: int) -> bool:
        """Whether a phrase ends between two steps."""
        return self._phrase_ends is not None and bool(self._phrase_ends[first:last].any())

    def anticipates(self, step: int, voice: int) -> bool:
        """Whether a note comes before its beat: begun off the beat, it is still sung, or again, on the next one."""
        late = (step + self.beat_phase) % STEPS_PER_BEAT
        on_beat = step + STEPS_PER_BEAT - late
        if not late or on_beat >= self.n_steps:
            return False
        pitch = self.rows[step][voice]
        return all(self.rows[at][voice] == pitch for at in range(step + 1, on_beat + 1))

    def fault(self, rule: str, step: int, *voices: int, since: int | None = None, excuse: str = "") -> Fault:
        """A fault at `step`, excused where a phrase ends after step `since`."""
        if since is not None and self.crosses_phrase_end(since, step):
            excuse = "phrase end"
        row = self.rows[step]
        return Fault(rule, step, voices, tuple([row[voice] for voice in voices]), excuse)


# Two voices

Found = tuple[list[Fault], int]


def _pair_faults(score: _Score, rule: str, broken: Bool[np.ndarray, "move pair"]) -> list[Fault]:
    upper, lower = score.pairs
    found = []
    for move, pair in np.argwhere(broken).tolist():
        step, voices = move + 1, (int(upper[pair]), int(lower[pair]))
        early = any(score.anticipates(step, voice) for voice in voices)
        found.append(score.fault(rule, step, *voices, since=move, excuse="anticipation" if early else ""))
    return found


def _consecutive(score: _Score, rule: str, interval: int, way: int) -> Found:
    same = (score.intervals[1:] == interval) & (score.intervals[:-1] == interval)
    return _pair_faults(score, rule, same & (score.motion * way > 0)), int(np.count_nonzero(score.motion))


def _parallel_fifths(score: _Score, rule: str) -> Found:
    """Two voices move the same way from a fifth to a fifth."""
    return _consecutive(score, rule, 7, 1)


def _parallel_octaves(score: _Score, rule: str) -> Found:
    """Two voices move the same way from an octave or unison to an octave or unison."""
    return _consecutive(score, rule, 0, 1)


def _contrary_fifths(score: _Score, rule: str) -> Found:
    """Two voices move opposite ways from a fifth to a twelfth or back."""
    return _consecutive(score, rule, 7, -1)


def _contrary_octaves(score: _Score, rule: str) -> Found:
    """Two voices move opposite ways from an octave, unison or fifteenth to another of them."""
    return _consecutive(score, rule, 0, -1)


def _hidden(score: _Score, rule: str, least: int) -> Found:
    if score.n_voices < 2:
        return [], 0
    outer = score.n_voices - 2  # the pair of voices 0 and the last
    similar = score.motion[:, outer] > 0
    after, before = score.intervals[1:, outer], score.intervals[:-1, outer]
    broken = np.zeros(score.motion.shape, dtype=bool)
    broken[:, outer] = similar & ((after == 7) | (after == 0)) & (after != before) & (abs(score.moves[:, 0]) >= least)
    return _pair_faults(score, rule, broken), int(similar.sum())


def _hidden_any(score: _Score, rule: str) -> Found:
    """Soprano and bass move the same way into a fifth or octave, from another interval."""
    return _hidden(score, rule, 0)


def _hidden_leap(score: _Score, rule: str) -> Found:
    """The same where the soprano leaps, which is where textbooks forbid it."""
    return _hidden(score, rule, STEP + 1)


def _runs(
    score: _Score, rule: str, broken: Bool[np.ndarray, "step pair"], both: Bool[np.ndarray, "step pair"]
) -> Found:
    """Stretches of neighbouring voices, of as many as there are changes in a pair."""
    begins = broken.copy()
    begins[1:] &= ~broken[:-1]
    n_pairs = both.shape[1]
    changed = score.onsets[:, :n_pairs] | score.onsets[:, 1 : n_pairs + 1]
    return [score.fault(rule, step, pair, pair + 1) for step, pair in np.argwhere(begins).tolist()], int(
        (both & changed).sum()
    )


def _crossing(score: _Score, rule: str) -> Found:
    """A voice sings lower than its lower neighbour; once, however long it lasts."""
    both = score.sounding[:, :-1] & score.sounding[:, 1:]
    return _runs(score, rule, both & (score.voices[:, :-1] < score.voices[:, 1:]), both)


def _spacing(score: _Score, rule: str) -> Found:
    """Neighbours above the bass lie more than an octave apart; once, however long it lasts."""
    last = max(score.n_voices - 1, 1)
    upper, lower = score.voices[:, : last - 1], score.voices[:, 1:last]
    both = (upper >= 0) & (lower >= 0)
    return _runs(score, rule, both & (upper - lower > APART), both)


def _overlap(score: _Score, rule: str) -> Found:
    """A voice moves to where its upper neighbour was lower just before, or its lower neighbour higher."""
    before, after = score.voices[:-1], score.voices[1:]
    begins = score.onsets[1:] & (before != after)
    found, n_chances = [], 0
    for voice, other in [(v, w) for v in range(score.n_voices) for w in (v - 1, v + 1) if 0 <= w < score.n_voices]:
        chances = begins[:, voice] & (before[:, other] >= 0)
        beyond = after[:, voice] > before[:, other] if other < voice else after[:, voice] < before[:, other]
        n_chances += int(chances.sum())
        found += [
            score.fault(rule, move + 1, voice, other, since=move) for move in np.flatnonzero(chances & beyond).tolist()
        ]
    return found, n_chances


# One voice


def _notes(score: _Score, voice: int) -> tuple[Int[np.ndarray, " note"], Int[np.ndarray, " note"]]:
    """Onsets and pitches of a voice's notes and rests, repeated notes joined."""
    line = score.voices[:, voice]
    starts = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]])) if len(line) else np.zeros(0, dtype=int)
    return starts, line[starts]


def _augmented_second(score: _Score, rule: str) -> Found:
    """A voice moves three semitones between neighbouring letters, as from F to G sharp."""
    places = score.places[score.voices % 12]
    wide = (abs(score.moves) == 3) & (abs(places[1:] - places[:-1]) == 9)
    found = [score.fault(rule, move + 1, voice, since=move) for move, voice in np.argwhere(wide).tolist()]
    return found, int(np.count_nonzero(score.moves))


def _unrecovered_leap(score: _Score, rule: str) -> Found:
    """A voice above the bass leaps more than a fifth and goes on the same way; named where it goes on.

    The bass of several voices is exempt: Bach's leaps octaves and sixths wherever the harmony asks for it.
    """
    found, n_chances = [], 0
    for voice in range(max(score.n_voices - 1, 1)):
        starts, pitches = _notes(score, voice)
        sings = (pitches[:-2] >= 0) & (pitches[1:-1] >= 0) & (pitches[2:] >= 0)
        leap, then = pitches[1:-1] - pitches[:-2], pitches[2:] - pitches[1:-1]
        wide = sings & (abs(leap) > WIDE)
        n_chances += int(wide.sum())
        for i in np.flatnonzero(wide & (leap * then > 0)).tolist():
            found.append(score.fault(rule, int(starts[i + 2]), voice, since=int(starts[i + 1]) - 1))
    return found, n_chances


def _bounds(score: _Score) -> Int[np.ndarray, "voice 2"]:
    """Ranges of the voices; of fewer than four the last is the bass, of more nobody knows."""
    chosen = [*range(score.n_voices - 1), 3] if 2 <= score.n_voices <= 4 else [0] if score.n_voices == 1 else []
    none = np.tile([0, 127], (score.n_voices, 1))
    return np.array(RANGES)[chosen] if chosen else none


def _range(score: _Score, rule: str) -> Found:
    """A note outside its voice's range."""
    bounds = _bounds(score)
    outside = score.onsets & ((score.voices < bounds[:, 0]) | (score.voices > bounds[:, 1]))
    found = [score.fault(rule, step, voice) for step, voice in np.argwhere(outside).tolist()]
    return found, int(score.onsets.sum())


def _tessitura(score: _Score, rule: str) -> Found:
    """A voice's mean pitch over a bar lies in the highest or lowest quarter of its range.

    Bars are counted from the first step. The fault is named where the voice comes in.
    """
    bounds = _bounds(score)
    n_bars = score.n_steps // STEPS_PER_BAR
    bars = score.voices[: n_bars * STEPS_PER_BAR].reshape(n_bars, STEPS_PER_BAR, score.n_voices)
    sings = bars >= 0
    n_sung = sings.sum(axis=1)
    means = (bars * sings).sum(axis=1) / np.maximum(n_sung, 1)
    margin = (bounds[:, 1] - bounds[:, 0]) / 4
    strained = (n_sung > 0) & ((means < bounds[:, 0] + margin) | (means > bounds[:, 1] - margin))
    found = []
    for bar, voice in np.argwhere(strained).tolist():
        found.append(score.fault(rule, bar * STEPS_PER_BAR + int(sings[bar, :, voice].argmax()), voice))
    return found, int((n_sung > 0).sum())


def _lone_sixteenth(score: _Score, rule: str) -> Found:
    """A sixteenth beside notes that are longer; but not the short one after a dotted eighth, last in its beat.

    Nor is it an upbeat that comes out of silence.
    """
    found, n_chances = [], 0
    for voice in range(score.n_voices):
        begins = score.onsets[:, voice].copy()
        begins[1:] |= score.sounding[1:, voice] != score.sounding[:-1, voice]
        starts = np.flatnonzero(begins)
        lengths = np.diff(np.append(starts, score.n_steps))
        sings = score.sounding[starts, voice]
        n_chances += int(sings.sum())
        short = sings & (lengths == 1)
        beside = np.zeros(len(starts), dtype=bool)
        beside[1:] |= short[:-1]
        beside[:-1] |= short[1:]
        dotted = np.zeros(len(starts), dtype=bool)
        dotted[1:] = sings[:-1] & (lengths[:-1] >= 3) & ((starts[1:] + score.beat_phase) % STEPS_PER_BEAT == 3)
        upbeat = np.ones(len(starts), dtype=bool)
        upbeat[1:] = ~sings[:-1]
        upbeat &= (starts + score.beat_phase) % STEPS_PER_BEAT == 3
        found += [score.fault(rule, step, voice) for step in starts[short & ~beside & ~dotted & ~upbeat].tolist()]
    return found, n_chances


# Chords


def _dominants(score: _Score) -> Bool[np.ndarray, " slice"]:
    """Chords whose third leads: dominant sevenths, and the key's major dominant where the tonic chord comes next."""
    tonic = score.key.tonic
    in_key = (score.kinds == MAJOR) & (score.roots == (tonic + 7) % 12) & (score.next_roots == tonic)
    return np.asarray(_sevenths(score) | in_key)


def _sevenths(score: _Score) -> Bool[np.ndarray, " slice"]:
    """Dominant sevenths; but not what the key spells as an augmented sixth, which only sounds like one."""
    spelled = score.places[(score.roots + 10) % 12] - score.places[score.roots] == -2
    return np.asarray((score.kinds == DOMINANT) & spelled)


def _on_beat(score: _Score) -> Bool[np.ndarray, " slice"]:
    return np.asarray(score.beats[score.starts])


def _leading_note(score: _Score, rule: str) -> Found:
    """A dominant goes to the triad a fifth lower, and the leading note neither rises a semitone nor stays.

    Exempt are inner voices that fall a third to the fifth of the chord, as Bach's do, and a voice to which another one
    comes with the note a semitone above.
    """
    follows = (score.kinds[1:] == MAJOR) | (score.kinds[1:] == MINOR)
    goes = _dominants(score)[:-1] & follows & ((score.roots[1:] - score.roots[:-1]) % 12 == 5)
    found, n_chances = [], 0
    for i in np.flatnonzero(goes).tolist():
        step = int(score.starts[i + 1])
        leads = (int(score.roots[i]) + 4) % 12
        moves = list(zip(score.rows[score.starts[i]], score.rows[step], strict=True))
        for voice, (now, then) in enumerate(moves):
            if now < 0 or now % 12 != leads or then < 0 or now == then:
                continue
            n_chances += 1
            inner = 0 < voice < score.n_voices - 1
            if then - now == 1 or (inner and then - now == -4) or any(b == now + 1 and a != b for a, b in moves):
                continue
            found.append(score.fault(rule, step, voice, since=step - 1))
    return found, n_chances


def _doubled(score: _Score, rule: str, chords: Bool[np.ndarray, " slice"], above: int) -> Found:
    chords = chords & _on_beat(score)
    sings = (score.slices >= 0) & (score.slices % 12 == ((score.roots + above) % 12)[:, None])
    found = []
    for i in np.flatnonzero(chords & (sings.sum(axis=1) > 1)).tolist():
        found.append(score.fault(rule, int(score.starts[i]), *np.flatnonzero(sings[i]).tolist()))
    return found, int(chords.sum())


def _doubled_leading_note(score: _Score, rule: str) -> Found:
    """Two voices sing the leading note of a dominant that comes on a beat."""
    return _doubled(score, rule, _dominants(score), 4)


def _doubled_seventh(score: _Score, rule: str) -> Found:
    """Two voices sing the seventh of a dominant seventh that comes on a beat."""
    return _doubled(score, rule, _sevenths(score), 10)


def _seventh(score: _Score, rule: str) -> Found:
    """A dominant seventh goes to a chord on another root, and its seventh neither falls by step nor stays.

    Exempt is the chord over its fifth while the bass walks up from it, where the seventh rises with the bass in tenths;
    also where the next chord has the same note in another voice.
    """
    goes = _sevenths(score)[:-1] & (score.kinds[1:] > 0) & (score.roots[1:] != score.roots[:-1])
    found, n_chances = [], 0
    for i in np.flatnonzero(goes).tolist():
        step = int(score.starts[i + 1])
        before, after = score.rows[score.starts[i]], score.rows[step]
        seventh = (int(score.roots[i]) + 10) % 12
        if any(then >= 0 and then % 12 == seventh for then in after):
            continue
        walks = score.inversions[i] == 7 and 0 < score.basses[i + 1] - score.basses[i] <= STEP
        for voice, (now, then) in enumerate(zip(before, after, strict=True)):
            if now < 0 or now % 12 != seventh or then < 0:
                continue
            n_chances += 1
            if -STEP <= then - now < 0 or (walks and 0 < then - now <= STEP):
                continue
            found.append(score.fault(rule, step, voice, since=step - 1))
    return found, n_chances


def _missing_third(score: _Score, rule: str) -> Found:
    """All voices sing a bare fifth on a beat, and the beat brings no third later."""
    chords = score.chords
    bass = np.where(score.sounding, score.voices, 128).min(axis=1, initial=128) % 12
    bare = chords == (1 << bass) | (1 << (bass + 7) % 12)
    thirds = (1 << (bass + 3) % 12) | (1 << (bass + 4) % 12)
    full = score.beats & score.sounding.all(axis=1)
    found = []
    for step in np.flatnonzero(full & bare).tolist():
        rest_of_beat = chords[step : step + STEPS_PER_BEAT]
        if not (rest_of_beat & thirds[step]).any():
            found.append(score.fault(rule, step, *range(score.n_voices)))
    triads = (score.kinds_of_steps > 0) & (score.kinds_of_steps <= AUGMENTED)
    return found, int((full & (bare | triads)).sum())


def _false_relation(score: _Score, rule: str) -> Found:
    """A note and its own sharp or flat, as F and F sharp, in two voices one chord after the other.

    Exempt where a voice itself makes the step from the one to the other.
    """
    now, then = score.slices[:-1], score.slices[1:]
    sings = score.slices >= 0
    places = score.places[score.slices % 12]
    stepped = sings[:-1] & sings[1:] & (abs(places[1:] - places[:-1]) == 7) & (abs(then - now) == 1)
    n_chances = int((sings[:-1].any(axis=1) & sings[1:].any(axis=1)).sum())
    found = []
    # (slice, earlier voice, later voice)
    clash = sings[:-1, :, None] & sings[1:, None, :] & (abs(places[1:, None, :] - places[:-1, :, None]) == 7)
    fresh = (now != then)[:, None, :]
    for i, one, other in np.argwhere(clash & fresh & ~np.eye(score.n_voices, dtype=bool)).tolist():
        same = (now[i] % 12 == now[i, one] % 12) & stepped[i]
        if not same.any():
            step = int(score.starts[i + 1])
            found.append(score.fault(rule, step, one, other, since=step - 1))
    return found, n_chances


def _six_four(score: _Score, rule: str) -> Found:
    """A six-four chord on a beat whose bass leaves it by a leap, for a chord on another root.

    Cadential, passing and auxiliary six-fours hold their bass under another chord or leave it by step; broken ones keep
    their root.
    """
    four = _six_fours(score)
    found = []
    for i in np.flatnonzero(four).tolist():
        moved = score.basses[i + 1 :] != score.basses[i]
        resolves = (score.kinds[i + 1 :] > 0) & (score.roots[i + 1 :] != score.roots[i])
        ahead = np.flatnonzero(moved | resolves)
        if not len(ahead) or not moved[ahead[0]]:
            continue
        j = i + 1 + int(ahead[0])
        fall = abs(int(score.basses[j] - score.basses[i]))
        leaps = score.basses[j] >= 0 and fall > STEP and fall != 12
        if leaps and score.kinds[j] > 0 and score.roots[j] != score.roots[i]:
            found.append(score.fault(rule, int(score.starts[i]), *np.flatnonzero(score.slices[i] >= 0).tolist()))
    return found, int(four.sum())


def _six_fours(score: _Score) -> Bool[np.ndarray, " slice"]:
    major_or_minor = (score.kinds == MAJOR) | (score.kinds == MINOR)
    return np.asarray(_on_beat(score) & major_or_minor & (score.inversions == 7))


# What is neither right nor wrong


def _any_six_four(score: _Score, rule: str) -> Found:
    """A major or minor chord over its fifth on a beat, however it is led."""
    at = np.flatnonzero(_six_fours(score))
    return _remarks(score, rule, score.starts[at]), int((_on_beat(score) & (score.kinds > 0)).sum())


def _seventh_on_beat(score: _Score, rule: str) -> Found:
    """A chord with a seventh on a beat."""
    sevenths = score.beats & (score.kinds_of_steps > AUGMENTED)
    return _remarks(score, rule, np.flatnonzero(sevenths)), int(score.beats.sum())


def _no_chord_on_beat(score: _Score, rule: str) -> Found:
    """What sounds on a beat is neither a triad nor a chord with a seventh; augmented triads are none.

    Exempt are bare octaves and fifths, as two voices have them.
    """
    kinds = score.kinds_of_steps
    bad = score.beats & (score.chords > 0) & ((kinds == 0) | (kinds == AUGMENTED)) & ~_BARE[score.chords]
    return _remarks(score, rule, np.flatnonzero(bad)), int((score.beats & (score.chords > 0)).sum())


def _remarks(score: _Score, rule: str, steps: Int[np.ndarray, " remark"]) -> list[Fault]:
    sing = [(step, [voice for voice, pitch in enumerate(score.rows[step]) if pitch >= 0]) for step in steps.tolist()]
    return [score.fault(rule, step, *voices) for step, voices in sing]


def _steps_of_kind(first: int, last: int, on_beat: bool, n_classes: int = 0) -> Callable[[_Score], tuple[int, int]]:
    """Chords of some kinds among the sounding steps on beats, or off them."""

    def count(score: _Score) -> tuple[int, int]:
        kinds = score.kinds_of_steps
        asked = (score.chords > 0) & (score.beats == on_beat)
        return int((asked & (first <= kinds) & (kinds <= last) & (_size(score) >= n_classes)).sum()), int(asked.sum())

    return count


def _size(score: _Score) -> Int[np.ndarray, " step"]:
    """How many pitch classes sound."""
    return np.asarray(((score.chords[:, None] >> np.arange(12)) & 1).sum(axis=1))


def _triads(score: _Score) -> tuple[int, int]:
    kinds = score.kinds_of_steps
    return int(((kinds > 0) & (kinds <= AUGMENTED) & (_size(score) == 3)).sum()), int((score.chords > 0).sum())


def _no_triad(score: _Score) -> tuple[int, int]:
    asked = score.beats & (score.chords > 0)
    kinds = score.kinds_of_steps
    return int((asked & ((kinds == 0) | (kinds > AUGMENTED))).sum()), int(asked.sum())


def _dissonant(score: _Score) -> tuple[int, int]:
    clashes = np.isin(score.intervals, (1, 2, 6, 10, 11)) & score.both_sound
    return int(clashes.sum()), int(score.both_sound.sum())


def _n_pitches(score: _Score) -> Int[np.ndarray, " step"]:
    """Different pitches sounding, as a roll has them: a unison is one."""
    ordered = np.sort(score.voices, axis=1)
    differs = np.ones(ordered.shape, dtype=bool)
    differs[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.asarray((differs & (ordered >= 0)).sum(axis=1))


def _holds(score: _Score) -> tuple[int, int]:
    return int((score.sounding & ~score.onsets).sum()), int(score.sounding.sum())


def _ends(kind: str) -> Callable[[_Score], tuple[int, int]]:
    def count(score: _Score) -> tuple[int, int]:
        return int(cadence(score.voices, score.key) == kind), 1

    return count


# The lists

_FUX = "Fux, Gradus ad Parnassum (1725), first species"
_PARTS = "Aldwell and Schachter, Harmony and Voice Leading, on writing in four parts"
_DOMINANT = "Aldwell and Schachter, Harmony and Voice Leading, on V and V7"
_PISTON = "Piston, Harmony, on voice leading and part writing"
_MOCK = "Fang et al., Bach or Mock? (2020)"


@dataclass(frozen=True)
class Rule:
    """Something that may be wrong. `find` gives the places and how many there might have been."""

    name: str
    of: str  # what the opportunities are
    source: str
    find: Callable[[_Score, str], Found]
    per: int = 1000


@dataclass(frozen=True)
class Measure:
    """Something that is neither right nor wrong, but like Bach or not."""

    name: str
    of: str
    count: Callable[[_Score], tuple[int, int]]
    per: int = 1


RULES = (
    Rule("parallel fifths", "pairs that both move", f"{_FUX}; {_MOCK}", _parallel_fifths),
    Rule("parallel octaves", "pairs that both move", f"{_FUX}; {_MOCK}", _parallel_octaves),
    Rule("contrary fifths", "pairs that both move", _PARTS, _contrary_fifths),
    Rule("contrary octaves", "pairs that both move", _PARTS, _contrary_octaves),
    Rule("hidden fifths and octaves", "similar motions of soprano and bass", _FUX, _hidden_any),
    Rule("hidden, soprano leaps", "similar motions of soprano and bass", _PARTS, _hidden_leap),
    Rule("crossing", "changes of neighbours", _PARTS, _crossing),
    Rule("overlap", "notes beside a neighbour", _PARTS, _overlap),
    Rule("spacing", "changes of neighbours above the bass", _PARTS, _spacing),
    Rule("range", "notes", _PARTS, _range),
    Rule("tessitura", "bars of a voice", _PISTON, _tessitura),
    Rule("unrecovered leap", "leaps wider than a fifth above the bass", _FUX, _unrecovered_leap),
    Rule("augmented second", "melodic moves", _PISTON, _augmented_second),
    Rule("false relation", "changes of chord", _PISTON, _false_relation),
    Rule("unresolved leading note", "leading notes that move with their dominant", _DOMINANT, _leading_note),
    Rule("doubled leading note", "dominants on beats", _DOMINANT, _doubled_leading_note),
    Rule("unresolved seventh", "dominant sevenths that move on", _DOMINANT, _seventh),
    Rule("doubled seventh", "dominant sevenths on beats", _DOMINANT, _doubled_seventh),
    Rule("missing third", "triads and bare fifths on beats", _PARTS, _missing_third),
    Rule("six-four left by leap", "six-four chords on beats", f"{_PISTON}: the six-four chord", _six_four),
    Rule("lone sixteenth", "notes", f"{_MOCK}: rhythm", _lone_sixteenth),
)

# What Bach writes every few bars, so that nobody would mark it, but more of it is worse: `faults` names it if asked to.
REMARKS = (
    Rule(SIX_FOUR, "chords on beats", f"{_PISTON}: the six-four chord", _any_six_four),
    Rule(SEVENTH, "beats", _PARTS, _seventh_on_beat),
    Rule(NO_CHORD, "beats", _PARTS, _no_chord_on_beat),
)

MEASURES = (
    Measure("moving pairs", "steps", lambda s: (int(np.count_nonzero(s.motion)), s.n_steps), STEPS_PER_BAR),
    Measure("onsets", "steps", lambda s: (int(s.onsets.sum()), s.n_steps)),
    Measure("holds", "sounding cells", _holds),
    Measure("cells", "steps", lambda s: (int(_n_pitches(s).sum()), s.n_steps)),
    Measure("four or more pitches", "steps", lambda s: (int((_n_pitches(s) >= 4).sum()), s.n_steps)),
    Measure("dissonant pairs", "sounding pairs", _dissonant),
    Measure("triads", "sounding steps", _triads),
    Measure("triads on beats", "beats", _steps_of_kind(MAJOR, AUGMENTED, True, 3)),
    Measure("triads off beats", "steps off beats", _steps_of_kind(MAJOR, AUGMENTED, False, 3)),
    Measure("sevenths on beats", "beats", _steps_of_kind(DOMINANT, FULLY, True)),
    Measure("sevenths off beats", "steps off beats", _steps_of_kind(DOMINANT, FULLY, False)),
    Measure("beats that are no triad", "beats", _no_triad),
    Measure(
        "six-fours", "chords on beats", lambda s: (int(_six_fours(s).sum()), int((_on_beat(s) & (s.kinds > 0)).sum()))
    ),
    Measure("ends perfect authentic", "pieces", _ends("perfect authentic")),
    Measure("ends authentic", "pieces", _ends("authentic")),
    Measure("ends plagal", "pieces", _ends("plagal")),
    Measure("ends half", "pieces", _ends("half")),
)

PER = {entry.name: entry.per for entry in (*RULES, *MEASURES)}
