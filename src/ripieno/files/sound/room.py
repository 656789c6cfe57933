"""Samples, the room that they sound in, and the loudness that people expect.

The room is a convolution with noise that dies away; loudness is that of ITU-R BS.1770-4, as streaming services use it.
Both are filters, applied in blocks by their spectra.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.random import Generator, Philox

from ripieno.shapes import Float

RATE = 48_000  # samples a second
LOUDNESS = -18.0  # LUFS of the whole: between speech and a loud record, with room for peaks
CEILING = 10 ** (-1.5 / 20)  # no sample lies higher; what a player makes of the curve between them may
SILENCE_SECONDS = 0.5  # after the last of the room
ROOM_SECONDS = 2.0
ROOM_LEVEL = 0.22  # of the room, as an amplitude, where a tone has gone on for long
Samples = Float[np.ndarray, "2 sample"]
_BLOCK = 1 << 18


def normalised(samples: Samples, target: float = LOUDNESS) -> Samples:
    """The same at another loudness, but never so loud that it would be clipped.

    Args:
        samples: at any level.
        target: LUFS.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return samples
    now = loudness(samples)
    wanted = 10 ** ((target - now) / 20) if now > -np.inf else np.inf  # so short that it has no loudness
    return samples * np.float32(min(wanted, CEILING / peak))


def _filtered(
    samples: Samples, response: np.ndarray, reach: int, unit: int = 1
) -> Iterator[tuple[int, Float[np.ndarray, "2 place"]]]:
    """Convolve both sides, a block at a time: where in the sound it begins, and what comes out there.

    Args:
        samples: left untouched.
        response: the filter's spectrum over `_BLOCK` samples, one row or one for each side.
        reach: samples after which the filter's answer to a click is over.
        unit: blocks are of a multiple of so many samples, but for the last.
    """
    n_samples = samples.shape[1]
    hop = (_BLOCK - reach) // unit * unit
    block = np.zeros((2, _BLOCK), dtype=np.float32)
    for begin in range(0, n_samples, hop):
        block[:] = 0
        first = max(begin - reach, 0)
        taken = samples[:, first : begin + hop]
        offset = reach - (begin - first)
        block[:, offset : offset + taken.shape[1]] = taken
        answer = np.fft.irfft(np.fft.rfft(block) * response, _BLOCK)
        yield begin, answer[:, reach : reach + min(hop, n_samples - begin)]


def in_a_room(dry: Samples, level: float) -> Samples:
    """The same in a room, whose part is so loud; it ends in `SILENCE_SECONDS` of silence."""
    spectrum, reach = _room()
    wet = np.empty_like(dry)
    for begin, block in _filtered(dry, spectrum * np.complex64(level) + np.complex64(1), reach):
        wet[:, begin : begin + block.shape[1]] = block
    # rounding leaves a hiss of -140 dB where nothing sounds
    silent = round(SILENCE_SECONDS * RATE)
    wet[:, wet.shape[1] - silent :] = 0
    fade = round(0.1 * RATE)
    end = wet.shape[1] - silent
    wet[:, end - fade : end] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wet


@lru_cache(maxsize=1)
def _room() -> tuple[np.ndarray, int]:
    """The spectrum of a room's answer to a click, and how long that lasts. Bass goes on for longer than treble."""
    n = round(ROOM_SECONDS * RATE)
    seconds = np.arange(n) / RATE
    noise = np.fft.rfft(Generator(Philox(key=[0, 10])).standard_normal((2, n)))
    hertz = np.fft.rfftfreq(n, 1 / RATE)
    answer = np.zeros((2, n))
    for low, high, decay_seconds in ((60, 500, 0.3), (500, 2_500, 0.26), (2_500, 9_000, 0.14)):
        # bands that fade into each other over half an octave
        octaves = np.log2(np.maximum(hertz, 1))
        rise = np.clip((octaves - np.log2(low)) * 2 + 0.5, 0, 1)
        fall = np.clip((np.log2(high) - octaves) * 2 + 0.5, 0, 1)
        answer += np.fft.irfft(noise * rise * fall, n) * np.exp(-seconds / decay_seconds)
    delay = round(0.018 * RATE)
    answer *= np.clip((seconds - 0.018) / 0.012, 0, 1)  # the walls are some way off
    answer *= np.clip((ROOM_SECONDS - seconds) / 0.3, 0, 1)
    answer[:, :delay] = 0
    answer /= np.sqrt((answer**2).sum(axis=1, keepdims=True))  # a long steady tone comes out about as loud as it is
    return np.fft.rfft(answer, _BLOCK).astype(np.complex64), n


def loudness(samples: Samples, rate: int = RATE) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4); minus infinity for silence and what is shorter than 0.4 seconds.

    Args:
        samples: left and right.
        rate: samples a second.
    """
    hop = rate // 10
    energies = []
    for _, block in _filtered(samples, _weighting(rate), rate // 4, hop):
        n_hops = block.shape[1] // hop
        hops = block[:, : n_hops * hop].reshape(2, n_hops, hop)
        energies.append(np.einsum("sht,sht->h", hops, hops, dtype=float) / hop)
    energy = np.concatenate(energies) if energies else np.zeros(0)
    if len(energy) < 4:
        return float("-inf")
    blocks = np.convolve(energy, np.full(4, 0.25), mode="valid")  # 0.4 seconds, a quarter of it at a time
    loud = blocks[blocks > _energy_of(-70.0)]
    if not len(loud):
        return float("-inf")
    loud = loud[loud > loud.mean() / 10]
    return float(-0.691 + 10 * np.log10(loud.mean()))


def _energy_of(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


@lru_cache(maxsize=4)
def _weighting(rate: int) -> np.ndarray:
    """The standard's K-weighting: a shelf for the head, then a high-pass.

    The standard gives coefficients for 48 kHz; its analogue prototypes serve other rates.
    """
    shelf = _biquad(rate, 1681.974450955533, 0.7071752369554196, 3.999843853973347)
    high_pass = _biquad(rate, 38.13547087602444, 0.5003270373238773, None)
    turn = np.exp(-2j * np.pi * np.arange(_BLOCK // 2 + 1) / _BLOCK)
    response = np.ones(len(turn), dtype=complex)
    for numerator, denominator in (shelf, high_pass):
        response *= np.polyval(numerator[::-1], turn) / np.polyval(denominator[::-1], turn)
    return response.astype(np.complex64)


def _biquad(rate: int, hertz: float, q: float, gain_db: float | None) -> tuple[np.ndarray, np.ndarray]:
    """A high shelf with a gain, or a high-pass without one, by the bilinear transform."""
    k = np.tan(np.pi * hertz / rate)
    denominator = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    if gain_db is None:
        return np.array([1.0, -2.0, 1.0]), denominator / denominator[0]
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    numerator = np.array([high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k])
    return numerator / denominator[0], denominator / denominator[0]
