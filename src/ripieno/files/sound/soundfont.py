"""SoundFonts: a reader for .sf2 and .sf3 files, and how their instruments are played.

What is read of a SoundFont (2.04): presets, instruments, their zones by key and velocity, samples with their loops,
tuning, volume envelope, attenuation, pan, and a low-pass filter that stands still. What is not: modulators,
low-frequency oscillators, the modulation envelope, chorus. For chorales on an organ, a choir or strings this is what
one hears.

There is no library for this that installs everywhere: those there are bind to C code that must be compiled, or to a
program that must be installed first.
"""

from __future__ import annotations

import io
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.sound.notes import SoundingNote
from ripieno.shapes import Float

DRUM_BANK = 128
QUIET_DB = -90.0  # a released note is over from here on
COMPRESSED = 0x10  # of a sample's type: Ogg Vorbis, in .sf3 files

# Generators that are used, by their numbers in the standard.
START, END, LOOP_START, LOOP_END = 0, 1, 2, 3
START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE = 4, 12, 45, 50
CUTOFF, PAN = 8, 17
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE = 33, 34, 35, 36, 37, 38
INSTRUMENT, KEYS, VELOCITIES, ATTENUATION = 41, 43, 44, 48
COARSE_TUNE, FINE_TUNE, SAMPLE, MODES, SCALE_TUNING, ROOT_KEY = 51, 52, 53, 54, 56, 58

DEFAULTS = {CUTOFF: 13_500, DELAY: -12_000, ATTACK: -12_000, HOLD: -12_000, DECAY: -12_000, RELEASE: -12_000}
DEFAULTS |= {SCALE_TUNING: 100, ROOT_KEY: -1}
NOT_ADDED = {INSTRUMENT, KEYS, VELOCITIES, SAMPLE, MODES, ROOT_KEY}  # a preset does not change these

_SAMPLE = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("pitch", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ]
)
_PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")])
_INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("number", "<u2"), ("low", "u1"), ("high", "u1")])


@dataclass(frozen=True)
class Zone:
    """A sample, and how it is played for some keys and velocities."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: int
    values: Mapping[int, int]  # by generator; what is missing has its default

    def __getitem__(self, generator: int) -> int:
        """The value of a generator."""
        return self.values.get(generator, DEFAULTS.get(generator, 0))


@dataclass(frozen=True, eq=False)
class SoundFont:
    """Instruments, by bank and program, and the sound that they are made of."""

    presets: Mapping[tuple[int, int], tuple[Zone, ...]]
    samples: Any  # structured array of `_SAMPLE`
    data: np.ndarray  # int16 of all samples; bytes for compressed ones
    name: str
    decoded: dict[int, np.ndarray] = field(default_factory=dict)  # compressed samples that were asked for

    def zones(self, program: int, is_drums: bool) -> tuple[Zone, ...]:
        """The zones of an instrument; of another one where the SoundFont has not got it."""
        wanted = (DRUM_BANK, program), (DRUM_BANK, 0), (0, 0)
        for place in wanted if is_drums else ((0, program), (0, 0)):
            if place in self.presets:
                return self.presets[place]
        return next(iter(self.presets.values()))


def read_soundfont(path: Path) -> SoundFont:
    """Read a SoundFont; its samples stay on the disk until they are played.

    Raises:
        BadInput: there is no such file, it is damaged, or it is something else.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path)
    except OSError as error:
        raise BadInput(f"SoundFont {path} cannot be read: {error.strerror or error}") from error
    except (struct.error, ValueError, IndexError, KeyError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"SoundFont {path.name} is damaged; copy or download it again") from error


def _read(file: BinaryIO, path: Path) -> SoundFont:
    if file.read(4) != b"RIFF" or file.read(8)[4:] != b"sfbk":
        raise BadInput(f"{path.name} is no SoundFont; give an .sf2 or .sf3 file")
    size = path.stat().st_size
    found: dict[bytes, tuple[int, int]] = {}  # chunk to its place and length
    for name, begin, length in _chunks(file, 12, size):
        if name == b"LIST":
            file.seek(begin)
            if file.read(4) in (b"sdta", b"pdta"):
                found |= {inner: (at, n) for inner, at, n in _chunks(file, begin + 4, begin + length)}

    def table(name: bytes, dtype: np.dtype[Any]) -> Any:
        at, n = found[name]
        file.seek(at)
        return np.frombuffer(file.read(n), dtype=dtype)

    samples = table(b"shdr", _SAMPLE)[:-1]
    instruments = _zones_of(table(b"inst", _INSTRUMENT), table(b"ibag", _BAG), table(b"igen", _GENERATOR), SAMPLE)
    raw_presets = table(b"phdr", _PRESET)
    presets = _zones_of(raw_presets, table(b"pbag", _BAG), table(b"pgen", _GENERATOR), INSTRUMENT)
    merged: dict[tuple[int, int], tuple[Zone, ...]] = {}
    for header, zones in zip(raw_presets[:-1], presets, strict=True):
        merged[int(header["bank"]), int(header["program"])] = tuple(
            _merged(outer, inner)
            for outer in zones
            for inner in instruments[outer.sample]
            if inner.sample < len(samples)
        )
    merged = {place: zones for place, zones in sorted(merged.items()) if zones}
    if not merged:
        raise BadInput(f"SoundFont {path.name} has no instruments; choose another")
    at, length = found[b"smpl"]
    if at + length > size or length < 2:
        raise BadInput(f"SoundFont {path.name} is cut short; copy or download it again")
    is_compressed = bool((samples["type"] & COMPRESSED).any())
    data: np.ndarray = np.memmap(path, dtype="u1", mode="r", offset=at, shape=(length,))
    return SoundFont(merged, samples, data if is_compressed else data[: length // 2 * 2].view("<i2"), path.name)


def _chunks(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while begin + 8 <= end:
        file.seek(begin)
        name, length = struct.unpack("<4sI", file.read(8))
        yield name, begin + 8, length
        begin += 8 + length + length % 2


def _zones_of(headers: Any, bags: Any, generators: Any, target: int) -> list[list[Zone]]:
    """The zones of each instrument, or preset; `target` is the generator that says what a zone plays."""
    everything = []
    for first, last in zip(headers["bag"][:-1].tolist(), headers["bag"][1:].tolist(), strict=True):
        zones: list[Zone] = []
        common: dict[int, int] = {}
        common_ranges: dict[int, tuple[int, int]] = {}
        for bag in range(first, last):
            values, ranges = dict(common), dict(common_ranges)
            played = None
            for number, low, high in generators[int(bags[bag]["generator"]) : int(bags[bag + 1]["generator"])].tolist():
                if number in (KEYS, VELOCITIES):
                    ranges[number] = (low, high)
                elif number == target:
                    played = low + 256 * high
                else:
                    value = low + 256 * high
                    values[number] = value - 65_536 if value >= 32_768 else value
            if played is not None:
                everywhere = (0, 127)
                zones.append(Zone(ranges.get(KEYS, everywhere), ranges.get(VELOCITIES, everywhere), played, values))
            elif bag == first:  # the first zone without anything to play holds for all
                common, common_ranges = values, ranges
        everything.append(zones)
    return everything


def _merged(outer: Zone, inner: Zone) -> Zone:
    values = dict(inner.values)
    for generator, value in outer.values.items():
        if generator not in NOT_ADDED:
            values[generator] = inner[generator] + value
    return Zone(
        (max(outer.keys[0], inner.keys[0]), min(outer.keys[1], inner.keys[1])),
        (max(outer.velocities[0], inner.velocities[0]), min(outer.velocities[1], inner.velocities[1])),
        inner.sample,
        values,
    )


# --- playing


def play_notes(font: SoundFont, notes: Sequence[SoundingNote], rate: int) -> Float[np.ndarray, "2 sample"]:
    """Play notes on a SoundFont, with three seconds of silence at the end.

    Args:
        font: where the instruments come from.
        notes: in the order of time.
        rate: samples a second.
    """
    tones: dict[tuple[int, int, int, int, bool], list[tuple[Zone, np.ndarray]]] = defaultdict(list)
    begins = [round(note.onset_seconds * rate) for note in notes]
    played = []
    for note, begin in zip(notes, begins, strict=True):
        held = max(round(note.duration_seconds * rate), 1)
        kind = (note.program, note.pitch, note.velocity, held, note.is_drums)
        if kind not in tones:  # the same note is the same tone
            for zone in font.zones(note.program, note.is_drums):
                in_keys = zone.keys[0] <= note.pitch <= zone.keys[1]
                if in_keys and zone.velocities[0] <= note.velocity <= zone.velocities[1]:
                    tones[kind].append((zone, _tone(font, zone, note.pitch, note.velocity, held, rate)))
        played += [(begin, zone, tone) for zone, tone in tones[kind]]
    if not any(tone.any() for _, _, tone in played):
        raise BadInput(f"SoundFont {font.name} has no sound for these notes; choose another, or leave it out")
    n_samples = max(begin + len(tone) for begin, _, tone in played) + 3 * rate
    sound = np.zeros((2, n_samples), dtype=np.float32)
    for begin, zone, tone in played:
        angle = (min(max(zone[PAN], -500), 500) / 500 + 1) * np.pi / 4
        sound[0, begin : begin + len(tone)] += tone * np.float32(np.cos(angle))
        sound[1, begin : begin + len(tone)] += tone * np.float32(np.sin(angle))
    return sound


def _tone(font: SoundFont, zone: Zone, pitch: int, velocity: int, held: int, rate: int) -> Float[np.ndarray, " sample"]:
    """One note of one zone: the sample at another speed, looped, shaped and filtered."""
    wave, loop, root, sample_rate = _wave(font, zone)
    cents = (pitch - root) * zone[SCALE_TUNING] + 100 * zone[COARSE_TUNE] + zone[FINE_TUNE]
    speed = 2 ** (cents / 1200) * sample_rate / rate
    envelope = _envelope(zone, held, rate)
    is_left = zone[MODES] & 3 == 3  # the loop, when the key is let up
    unrolled = _unrolled(wave, loop, int(len(envelope) * speed) + 4, int(held * speed) if is_left else None)
    tone = _interpolated(unrolled, len(envelope), speed)
    tone *= envelope
    # A velocity's loudness is the square of its share of 127. Players take 0.4 of an attenuation (tenths of a dB).
    tone *= np.float32((velocity / 127) ** 2 * 10 ** (-0.4 * max(zone[ATTENUATION], 0) / 200))
    return _low_pass(tone, 8.176 * 2 ** (zone[CUTOFF] / 1200), rate)


def _wave(font: SoundFont, zone: Zone) -> tuple[Float[np.ndarray, " sample"], tuple[int, int] | None, float, int]:
    """A zone's sample, its loop, the key at which it sounds as it is, and its samples a second."""
    sample = font.samples[zone.sample]
    start, end = int(sample["start"]), int(sample["end"])
    begin, finish = int(sample["loop_start"]), int(sample["loop_end"])
    if int(sample["type"]) & COMPRESSED:
        data = _decoded(font, zone.sample, start, end)
        start, end = 0, len(data)  # loops of compressed samples count from the sample's beginning
    else:
        data = font.data
    start += zone[START] + 32_768 * zone[START_COARSE]
    end += zone[END] + 32_768 * zone[END_COARSE]
    begin += zone[LOOP_START] + 32_768 * zone[LOOP_START_COARSE] - start
    finish += zone[LOOP_END] + 32_768 * zone[LOOP_END_COARSE] - start
    if not 0 <= start < end <= len(data):
        return np.zeros(1, dtype=np.float32), None, 60.0, 48_000
    wave = np.asarray(data[start:end], dtype=np.float32) / 32_768
    loop = (begin, finish) if zone[MODES] & 1 and 0 <= begin < finish <= len(wave) else None
    own = int(sample["pitch"]) if int(sample["pitch"]) < 128 else 60
    root = zone[ROOT_KEY] if 0 <= zone[ROOT_KEY] < 128 else own
    return wave, loop, root - int(sample["correction"]) / 100, max(int(sample["rate"]), 1)


def _decoded(font: SoundFont, number: int, start: int, end: int) -> np.ndarray:
    if number not in font.decoded:
        import soundfile

        try:
            data, _ = soundfile.read(io.BytesIO(font.data[start:end].tobytes()), dtype="int16", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise BadInput(f"SoundFont {font.name} is damaged; copy or download it again") from error
        font.decoded[number] = data[:, 0]
    return font.decoded[number]


def _unrolled(
    wave: Float[np.ndarray, " sample"], loop: tuple[int, int] | None, length: int, left_at: int | None
) -> Float[np.ndarray, " place"]:
    """The wave with its loop repeated for as long as need be, and silence after its end.

    Args:
        wave: the sample.
        loop: where its loop begins and ends; None for none.
        length: of the result.
        left_at: from where on the loop is left; None to stay in it.
    """
    if loop is None:
        unrolled = wave[:length]
    else:
        begin, end = loop
        until = length if left_at is None else min(left_at, length)
        n_rounds = max(-(-(until - end) // (end - begin)), 0)
        unrolled = np.concatenate([wave[:end], np.tile(wave[begin:end], n_rounds)])[:until]
        if until < length:
            place = until if until < end else begin + (until - begin) % (end - begin)
            unrolled = np.concatenate([unrolled, wave[place : place + length - until]])
    return np.pad(unrolled, (0, length - len(unrolled)))


def _interpolated(wave: Float[np.ndarray, " sample"], length: int, speed: float) -> Float[np.ndarray, " {length}"]:
    """The wave at another speed, between its samples by a cubic through four of them."""
    position = np.arange(length) * speed
    place = position.astype(np.int32)
    along = (position - place).astype(np.float32)
    around = np.pad(wave, (1, 0))
    a, b, c, d = (around.take(place + offset) for offset in range(4))
    slope = (c - a) / 2
    bend = a - 2.5 * b + 2 * c - d / 2
    twist = (d - a) / 2 + 1.5 * (b - c)
    result: np.ndarray = ((twist * along + bend) * along + slope) * along + b
    return result.astype(np.float32)


def _envelope(zone: Zone, held: int, rate: int) -> Float[np.ndarray, " sample"]:
    """The loudness of a note that is held for so many samples, to the end of its release."""

    def seconds(generator: int) -> float:
        return float(2 ** (min(max(zone[generator], -12_000), 8_000) / 1200))

    delay, attack, hold, decay, release = (seconds(one) for one in (DELAY, ATTACK, HOLD, DECAY, RELEASE))
    attack = max(attack, 0.002)  # what begins at once clicks
    release = max(release, 0.03)
    sustain = -min(max(zone[SUSTAIN], 0), 1000) / 10  # dB
    time = np.arange(held) / rate
    peak = delay + attack
    # decay and release are straight lines in decibels, of 100 dB in the time that is given
    level = np.interp(time, [peak + hold, peak + hold + decay * max(-sustain, 0.1) / 100], [0, sustain])
    shape = 10 ** (level / 20) * np.clip((time - delay) / attack, 0, 1)
    last = 20 * np.log10(max(float(shape[-1]), 1e-5))
    n_released = round(release * max(last - QUIET_DB, 0) / 100 * rate) + 1
    tail = 10 ** ((last - 100 / release * np.arange(1, n_released + 1) / rate) / 20)
    return np.concatenate([shape, tail]).astype(np.float32)


def _low_pass(tone: Float[np.ndarray, " sample"], hertz: float, rate: int) -> Float[np.ndarray, " sample"]:
    """Two poles' worth of dulling above a frequency."""
    if hertz >= 19_000:
        return tone
    size = 1 << (len(tone) + rate // 100).bit_length()  # a power of two is quick to transform
    frequency = np.fft.rfftfreq(size, 1 / rate)
    weights = (1 / np.sqrt(1 + (frequency / hertz) ** 4)).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(tone, size) * weights, size)[: len(tone)].astype(np.float32)
