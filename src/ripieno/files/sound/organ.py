"""A built-in instrument that suits chorales: a small organ.

It has a stopped flute and a principal at pitch, a flute an octave above, and a second principal a hair out of tune, as
in a choir. A pipe goes on as long as its key is held, so a tone is a loop: some seconds of sound, made from its
spectrum, that hold a whole number of periods of everything in it. To play a note is to copy from the loop, which is
what makes this fast. Notes begin on the sample nearest to their time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.random import Generator, Philox

from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.room import RATE, ROOM_SECONDS, SILENCE_SECONDS, Samples
from ripieno.shapes import Float, Int

LOOP_SECONDS = 4.0
RELEASE_SECONDS = 0.08
BREATH_SECONDS = 0.07  # before a note is struck again: an organist lets the key up
DETUNED_CENTS = 1.8  # of the second principal, at most: far below what counts as out of tune
APART = 0.35  # how far to the sides the outer parts stand, 0 to 1


def frequency_of(pitch: int) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def play_organ(notes: Sequence[SoundingNote]) -> Samples:
    """Play notes on the organ, without a room.

    Args:
        notes: in the order of time, no drums.
    """
    spans = _spans(notes)
    n_samples = int(spans[:, 1].max()) + round((RELEASE_SECONDS + ROOM_SECONDS + SILENCE_SECONDS) * RATE)
    dry = np.zeros((2, n_samples), dtype=np.float32)
    places = _places(notes)
    until: dict[int, int] = {}  # by pitch, how long it sounds already
    for note, (first, end) in zip(notes, spans.tolist(), strict=True):
        # a second singer on the same pitch adds three decibels, not six
        gain = (note.velocity / 80) ** 0.8 * (0.41 if first < until.get(note.pitch, 0) else 1.0)
        until[note.pitch] = max(end, until.get(note.pitch, 0))
        angle = (1 + APART * places[note.part]) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32) * np.float32(gain)
        envelope = _envelope(end - first, note.pitch)
        tone = _from_loop(_loop(note.pitch), first, len(envelope))
        tone *= envelope
        tone *= sides
        dry[:, first : first + len(envelope)] += tone
    return dry


def _spans(notes: Sequence[SoundingNote]) -> Int[np.ndarray, "note 2"]:
    """First and last sample of each note; a key that is struck again is let up before."""
    spans = np.array(
        [
            [round(note.onset_seconds * RATE), round((note.onset_seconds + note.duration_seconds) * RATE)]
            for note in notes
        ]
    )
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + 1)
    breath = round(BREATH_SECONDS * RATE)
    latest: dict[int, list[int]] = {}  # by pitch, the notes that may still have to make room
    for i, note in enumerate(notes):
        for other in latest.get(note.pitch, []):
            if 0 <= spans[i, 0] - spans[other, 1] < breath and spans[i, 0] > spans[other, 0]:
                length = spans[other, 1] - spans[other, 0]
                spans[other, 1] = max(spans[i, 0] - breath, spans[other, 0] + max(length * 3 // 5, 1))
        still = [other for other in latest.get(note.pitch, []) if spans[other, 1] > spans[i, 0]]
        latest[note.pitch] = [*still, i]
    return spans


def _places(notes: Iterable[SoundingNote]) -> dict[int, float]:
    """Where each part stands, -1 (left) to 1: as in a choir, from the highest to the lowest."""
    pitches: dict[int, list[int]] = {}
    for note in notes:
        pitches.setdefault(note.part, []).append(note.pitch)
    order = sorted(pitches, key=lambda part: (-sum(pitches[part]) / len(pitches[part]), part))
    if len(order) == 1:
        return {order[0]: 0.0}
    return {part: 2 * i / (len(order) - 1) - 1 for i, part in enumerate(order)}


def _envelope(length: int, pitch: int) -> Float[np.ndarray, " sample"]:
    """Loudness of a note over its `length` samples and its release. Low pipes speak more slowly."""
    attack = round(float(np.interp(pitch, [36, 84], [0.05, 0.02])) * RATE)
    release = round(RELEASE_SECONDS * RATE)
    envelope = np.ones(length + release, dtype=np.float32)
    rise = np.sin(np.linspace(0, np.pi / 2, attack, dtype=np.float32)) ** 2
    envelope[: min(attack, length)] = rise[:length]
    envelope[length:] = envelope[length - 1] * np.cos(np.linspace(0, np.pi / 2, release, dtype=np.float32)) ** 2
    return envelope


def _from_loop(loop: Float[np.ndarray, "2 place"], first: int, length: int) -> Samples:
    """A stretch of a tone, as if it had sounded since the first sample: equal pitches are always in phase."""
    size = loop.shape[1]
    pieces = []
    at, left = first % size, length
    while left > 0:
        pieces.append(loop[:, at : at + left])
        left -= pieces[-1].shape[1]
        at = 0
    return np.concatenate(pieces, axis=1)


# Strength of each harmonic, from the fundamental up.
_FLUTE = (1.0, 0.04, 0.25, 0.02, 0.09, 0.01, 0.03)
_PRINCIPAL = (1.0, 0.62, 0.42, 0.3, 0.2, 0.15, 0.1, 0.08, 0.05, 0.04, 0.03, 0.02)
# Each rank of pipes: its harmonics, its pitch as a multiple of the key's, its strength, and how far out of tune.
_RANKS = (
    (_FLUTE, 1, 0.55, 0.0),
    (_PRINCIPAL, 1, 0.45, 0.0),
    (_FLUTE, 2, 0.16, 0.0),
    (_PRINCIPAL, 1, 0.2, DETUNED_CENTS),
)
_BRIGHTEST_HZ = 3_500.0  # from here on upper harmonics are soft
_HIGHEST_HZ = 16_000.0


@lru_cache(maxsize=64)
def _loop(pitch: int) -> Samples:
    """A tone that can be repeated without a seam; left and right differ in phase, which makes it wide."""
    size, n_periods = _loop_size(frequency_of(pitch))
    spectrum = np.zeros((2, size // 2 + 1), dtype=np.complex64)
    phases = Generator(Philox(key=[pitch, 9]))
    for harmonics, multiple, strength, cents in _RANKS:
        detuned = int(n_periods * (2 ** (cents / 1200) - 1))  # whole periods a loop, rounded towards being in tune
        for number, amplitude in enumerate(harmonics, start=1):
            turn = phases.random(2)  # drawn also for what is too high to be heard
            hertz = number * multiple * frequency_of(pitch)
            if hertz > _HIGHEST_HZ:
                continue
            softened = strength * amplitude / (1 + (hertz / _BRIGHTEST_HZ) ** 2)
            # The fundamental has one phase, so that it does not cancel out where both sides are added up.
            phase = turn[0] + np.array([0, 0.15 * (number > 1)]) * turn[1]
            for side, sign in enumerate((1, -1)):
                place = number * multiple * (n_periods + sign * detuned)
                spectrum[side, place] += softened * np.exp(2j * np.pi * phase[side])
    # Low pipes are made louder, as the ear is less sensitive there.
    level = (frequency_of(pitch) / 262) ** -0.2
    loop: Samples = np.fft.irfft(spectrum * np.complex64(size * level / 2), size).astype(np.float32)
    loop.setflags(write=False)
    return loop


@lru_cache(maxsize=128)
def _loop_size(hertz: float) -> tuple[int, int]:
    """Samples in a loop, and periods in it: about `LOOP_SECONDS`, quick to transform, in tune to 0.1 cent or so."""
    shortest = round(max(LOOP_SECONDS, 60 / hertz) * RATE)
    best = (1.0, shortest, 1)
    for size in _smooth_numbers(shortest, shortest * 5 // 4):
        n_periods = round(size * hertz / RATE)
        best = min(best, (abs(n_periods / (size * hertz / RATE) - 1), size, n_periods))
    return best[1], best[2]


def _smooth_numbers(low: int, high: int) -> Iterator[int]:
    """Even numbers of a range whose prime factors are 2, 3, 5 and 7: lengths that are quick to transform."""
    sevens = 2
    while sevens <= high:
        fives = sevens
        while fives <= high:
            threes = fives
            while threes <= high:
                number = threes
                while number <= high:
                    if number >= low:
                        yield number
                    number *= 2
                threes *= 3
            fives *= 5
        sevens *= 7
