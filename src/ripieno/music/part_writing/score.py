"""Voices as the rules of part-writing look at them, and the places where a rule is broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from ripieno.music.chords import DOMINANT, MAJOR, MINOR, NUMBERS, ROOTS
from ripieno.music.harmony import identify_key, place_in_key
from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BEAT, Voices
from ripieno.shapes import Bool, Int

FEWEST = 3  # voices that make a chord
STEP = 2  # semitones; what is wider is a leap


@dataclass(frozen=True)
class Fault:
    """A place where a rule is broken. `pitches` are what `voices` sing at `step`, where it is complete; -1 rests."""

    rule: str
    step: int
    voices: tuple[int, ...]
    pitches: tuple[int, ...]
    excuse: str = ""  # why a teacher would let it pass: "phrase end", "anticipation"


class Form(NamedTuple):
    """Where music opens, rests and ends, by steps: it can be cut and laid end to end as voices are."""

    opens: Bool[np.ndarray, " step"]  # true where the first chord begins
    rests: Int[np.ndarray, " step"]  # where the last note of a phrase begins: how many steps it lasts; else 0
    ends: Bool[np.ndarray, " step"]  # true where the tune's last note begins

    def cut(self, steps: slice) -> Form:
        """That of a stretch."""
        return Form(self.opens[steps], self.rests[steps], self.ends[steps])


def form_of(
    voices: Voices, phrases: Iterable[tuple[int, int]] = (), last: int | None = None, beat_phase: int = 0
) -> Form:
    """The form of a whole piece.

    It opens with the first chord; where voices come in by and by, that is when three sing, or all of fewer.

    Args:
        voices: who sings.
        phrases: of each the onset of its last note and the end of that.
        last: where the tune's last note begins; where the highest voice goes to its last pitch unless given.
        beat_phase: see `judge`; a note that begins within a beat is none to rest on.
    """
    n_steps, n_voices = voices.shape
    opens, ends = np.zeros(n_steps, dtype=bool), np.zeros(n_steps, dtype=bool)
    rests = np.zeros(n_steps, dtype=int)
    chords = np.flatnonzero((voices >= 0).sum(axis=1) >= min(n_voices, FEWEST))
    opens[chords[:1]] = n_voices > 1
    for rest, end in phrases:
        if rest < min(end, n_steps) and (rest + beat_phase) % STEPS_PER_BEAT == 0:
            rests[rest] = min(end, n_steps) - rest
    if last is None:
        top = voices[:, 0]
        begins = np.flatnonzero((top[1:] != top[:-1]) & (top[1:] >= 0)) + 1
        last = int(begins[-1]) if len(begins) else 0
    ends[last : last + 1] = True
    return Form(opens, rests, ends)


def end_to_end(forms: Iterable[Form]) -> Form:
    """Stretches laid end to end."""
    return Form(*(np.concatenate(parts) for parts in zip(*forms, strict=True)))


def formless(n_steps: int) -> Form:
    """Of music that neither opens nor rests nor ends."""
    return Form(np.zeros(n_steps, dtype=bool), np.zeros(n_steps, dtype=int), np.zeros(n_steps, dtype=bool))


Found = tuple[list[Fault], int]  # the places, and how many there might have been


@cache
def _pairs(n_voices: int) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    return np.triu_indices(n_voices, 1)


class Score:
    """Voices, and what the rules look at in them, each worked out when it is first asked for.

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
        form: Form | None = None,
    ) -> None:
        self.voices = voices
        self.sounding = voices >= 0
        self.n_steps, self.n_voices = voices.shape
        self._key, self._onsets, self._phrase_ends, self.beat_phase = key, onsets, phrase_ends, beat_phase
        self.form = form_of(voices, beat_phase=beat_phase) if form is None else form

    @cached_property
    def key(self) -> Key:
        """The key that is given, or else guessed from all the notes."""
        if self._key is not None:
            return self._key
        weights = np.bincount(self.voices[self.sounding] % 12, minlength=12).astype(float)
        lowest = self.basses[self.basses >= 0]
        return identify_key(weights, int(lowest[-1]) if len(lowest) else None)

    @cached_property
    def places(self) -> Int[np.ndarray, " pitch_class"]:
        """Where each pitch class lies on the line of fifths, as `harmony.note_name` spells it in the key."""
        return np.array([place_in_key(pitch_class, self.key) for pitch_class in range(12)])

    # by step

    @cached_property
    def rows(self) -> list[list[int]]:
        """`voices`, for who looks at single notes: that is faster in plain Python."""
        rows: list[list[int]] = self.voices.tolist()
        return rows

    @cached_property
    def onsets(self) -> Bool[np.ndarray, "step voice"]:
        """Where notes begin."""
        begins = self.sounding.copy()
        begins[1:] &= self.voices[1:] != self.voices[:-1]
        return begins if self._onsets is None else begins | (self._onsets & self.sounding)

    @cached_property
    def beats(self) -> Bool[np.ndarray, " step"]:
        """Whether a beat begins."""
        on_beat: Bool[np.ndarray, " step"] = (np.arange(self.n_steps) + self.beat_phase) % STEPS_PER_BEAT == 0
        return on_beat

    @cached_property
    def moves(self) -> Int[np.ndarray, "move voice"]:
        """How far each voice goes from a step to the next."""
        both = self.sounding[1:] & self.sounding[:-1]
        return np.asarray((self.voices[1:] - self.voices[:-1]) * both)

    @cached_property
    def pairs(self) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
        """The upper and the lower voice of each pair."""
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
        """Whether neither voice of a pair rests."""
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
        return np.asarray(NUMBERS[self.chords])

    # by slice

    @cached_property
    def starts(self) -> Int[np.ndarray, " slice"]:
        """The first step of each slice."""
        begins: Bool[np.ndarray, " step"] = np.asarray(self.onsets.any(axis=1))
        begins[1:] |= (self.sounding[1:] != self.sounding[:-1]).any(axis=1)
        begins[:1] = True
        return np.flatnonzero(begins)

    @cached_property
    def slices(self) -> Int[np.ndarray, "slice voice"]:
        """What the voices sing."""
        return np.asarray(self.voices[self.starts])

    @cached_property
    def roots(self) -> Int[np.ndarray, " slice"]:
        """Pitch classes; -1 where there is none, or any note may be it."""
        return np.asarray(ROOTS[self.chords[self.starts]])

    @cached_property
    def kinds(self) -> Int[np.ndarray, " slice"]:
        """Numbers of `chords.COMMON`, 0 where there is no chord."""
        return np.asarray(self.kinds_of_steps[self.starts])

    @cached_property
    def basses(self) -> Int[np.ndarray, " slice"]:
        """The lowest pitch, -1 in silence."""
        lowest = np.where(self.slices >= 0, self.slices, 128).min(axis=1, initial=128)
        return np.where(lowest == 128, -1, lowest)

    @cached_property
    def tops(self) -> Int[np.ndarray, " slice"]:
        """The highest pitch, -1 in silence."""
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

    # chords

    @cached_property
    def on_beat(self) -> Bool[np.ndarray, " slice"]:
        """Whether the slice begins on a beat."""
        return np.asarray(self.beats[self.starts])

    @cached_property
    def dominants(self) -> Bool[np.ndarray, " slice"]:
        """Chords whose third leads: dominant sevenths, and the key's major dominant where the tonic comes next."""
        tonic = self.key.tonic
        in_key = (self.kinds == MAJOR) & (self.roots == (tonic + 7) % 12) & (self.next_roots == tonic)
        return np.asarray(self.dominant_sevenths | in_key)

    @cached_property
    def dominant_sevenths(self) -> Bool[np.ndarray, " slice"]:
        """But not what the key spells as an augmented sixth, which only sounds like one."""
        spelled = self.places[(self.roots + 10) % 12] - self.places[self.roots] == -2
        return np.asarray((self.kinds == DOMINANT) & spelled)

    @cached_property
    def six_fours(self) -> Bool[np.ndarray, " slice"]:
        """Major and minor chords over their fifth, on a beat."""
        major_or_minor = (self.kinds == MAJOR) | (self.kinds == MINOR)
        return np.asarray(self.on_beat & major_or_minor & (self.inversions == 7))

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


def pair_faults(score: Score, rule: str, broken: Bool[np.ndarray, "move pair"]) -> list[Fault]:
    """A fault for each move and pair; excused at a phrase end, and where one of the notes comes before its beat."""
    upper, lower = score.pairs
    found = []
    for move, pair in np.argwhere(broken).tolist():
        step, voices = move + 1, (int(upper[pair]), int(lower[pair]))
        early = any(score.anticipates(step, voice) for voice in voices)
        found.append(score.fault(rule, step, *voices, since=move, excuse="anticipation" if early else ""))
    return found


def stretches(
    score: Score, rule: str, broken: Bool[np.ndarray, "step pair"], both: Bool[np.ndarray, "step pair"]
) -> Found:
    """A fault for each stretch in which neighbours break a rule, of as many as there are changes in a pair.

    Args:
        score, rule: of whom, and its name.
        broken: where they do.
        both: where both sing.
    """
    begins = broken.copy()
    begins[1:] &= ~broken[:-1]
    n_pairs = both.shape[1]
    changed = score.onsets[:, :n_pairs] | score.onsets[:, 1 : n_pairs + 1]
    found = [score.fault(rule, step, pair, pair + 1) for step, pair in np.argwhere(begins).tolist()]
    return found, int((both & changed).sum())
