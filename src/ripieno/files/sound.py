"""Notes to samples to a file: a built-in instrument that suits chorales, and the loudness that people expect.

The instrument is a small organ: stopped flute and principal at pitch, a flute an octave above, and a second principal
a hair out of tune, as in a choir. A pipe goes on as long as its key is held, so a tone is a loop: some seconds of
sound, made from its spectrum, that hold a whole number of periods of everything in it. To play a note is to copy from
the loop, which is what makes this fast. Notes begin on the sample nearest to their time. A room is added, by
convolution with noise that dies away, and the whole is brought to one loudness (ITU-R BS.1770-4, as streaming
services do).

Everything is a function of its arguments: the same notes give the same samples.

    write_sound(render(sounding_notes(piece)), Path("piece.wav"))
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator, Philox

from ripieno.errors import BadInput
from ripieno.files.whole import whole_file
from ripieno.music.piece import NewPart, Piece, Revision, Tempo, remaining_notes
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.shapes import Float, Int

SUFFIXES = (".wav", ".flac")
RATE = 48_000  # samples a second
LOUDNESS = -18.0  # LUFS of the whole: between speech and a loud record, with room for peaks
CEILING = 10 ** (-1.5 / 20)  # no sample lies higher; what a player makes of the curve between them may
LONGEST_MINUTES = 30  # a longer sound would not fit into memory everywhere
DEFAULT_BPM = 120.0  # what a file without a tempo is played at

LOOP_SECONDS = 4.0
RELEASE_SECONDS = 0.08
BREATH_SECONDS = 0.07  # before a note is struck again: an organist lets the key up
SILENCE_SECONDS = 0.5  # after the last of the room
ROOM_SECONDS = 2.0
ROOM_LEVEL = 0.22  # of the room, as an amplitude, where a tone has gone on for long
DETUNED_CENTS = 1.8  # of the second principal, at most: far below what counts as out of tune
APART = 0.35  # how far to the sides the outer parts stand, 0 to 1

Samples = Float[np.ndarray, "2 sample"]


@dataclass(frozen=True, order=True, kw_only=True)
class SoundingNote:
    """A note as it is heard. `part` only says what sounds together; lower numbers stand further left."""

    onset_seconds: float
    duration_seconds: float
    pitch: int
    velocity: int = 80
    part: int = 0
    program: int = 0  # General MIDI, for a SoundFont; the organ has one sound
    is_drums: bool = False


# --- notes


@dataclass(frozen=True)
class Clock:
    """Steps to seconds."""

    steps: tuple[float, ...]  # where each tempo begins; the first is 0
    seconds: tuple[float, ...]  # the time there
    seconds_per_step: tuple[float, ...]

    def at(self, step: Fraction | float) -> float:
        """The time of a step of the file."""
        i = bisect_right(self.steps, float(step)) - 1
        return self.seconds[i] + (float(step) - self.steps[i]) * self.seconds_per_step[i]


def clock_of(tempos: Sequence[Tempo], bpm: float | None = None) -> Clock:
    """A clock that keeps to some tempos, or to one throughout.

    Args:
        tempos: in any order; before the first, and without any, it is `DEFAULT_BPM`.
        bpm: quarter notes a minute, in place of all tempos.
    """
    changes = [(0.0, DEFAULT_BPM if bpm is None else bpm)]
    if bpm is None:
        for tempo in sorted(tempos, key=lambda tempo: tempo.step):
            if float(tempo.step) <= changes[-1][0]:
                changes.pop()
            changes.append((max(float(tempo.step), 0.0), tempo.bpm))
    steps, seconds, paces = [], [0.0], []
    for i, (step, tempo_bpm) in enumerate(changes):
        paces.append(60 / tempo_bpm / STEPS_PER_BEAT)
        steps.append(step)
        if i + 1 < len(changes):
            seconds.append(seconds[-1] + (changes[i + 1][0] - step) * paces[-1])
    return Clock(tuple(steps), tuple(seconds), tuple(paces))


def sounding_notes(
    piece: Piece, revision: Revision | None = None, new_parts: Sequence[NewPart] = ()
) -> list[SoundingNote]:
    """What one hears of a piece, in the order of time, from the first note on.

    Args:
        piece: a note of no length, and what lies before the file's beginning, is not heard.
        revision: says which of the piece's own notes are dropped or shortened, and the tempo, if it is another.
        new_parts: the notes that were added.
    """
    revision = revision or Revision()
    clock = clock_of(piece.tempos, revision.bpm)
    found = []
    for note in remaining_notes(piece, revision):
        part = piece.parts[note.part]
        span = clock.at(note.onset), clock.at(note.end)
        found.append((span, note.pitch, note.velocity, note.part, part.program, part.is_drums))
    for number, new in enumerate(new_parts, start=len(piece.parts)):
        for added in new.notes:
            span = clock.at(added.onset), clock.at(added.end)
            found.append((span, added.pitch, new.velocity, number, new.program, False))
    begin = min((span[0] for span, *_ in found), default=0.0)
    return sorted(
        SoundingNote(
            onset_seconds=first - begin,
            duration_seconds=end - first,
            pitch=pitch,
            velocity=velocity,
            part=part_number,
            program=program,
            is_drums=is_drums,
        )
        for (first, end), pitch, velocity, part_number, program, is_drums in found
        if end > first
    )


# --- samples


def render(notes: Iterable[SoundingNote], soundfont: Path | None = None) -> Samples:
    """Play some notes: stereo at `RATE`, at `LOUDNESS`, with the room's tail and then silence at the end.

    Args:
        notes: in any order. The organ leaves drums out.
        soundfont: an .sf2 or .sf3 file to play them on; the built-in organ unless given.

    Raises:
        BadInput: nothing is to be heard, it lasts longer than `LONGEST_MINUTES`, or the SoundFont cannot be used.
    """
    heard = sorted(note for note in notes if soundfont is not None or not note.is_drums)
    if not heard:
        raise BadInput("there is nothing to be heard: a sound needs at least one note that is no drum")
    last = max(note.onset_seconds + note.duration_seconds for note in heard)
    if last > LONGEST_MINUTES * 60:
        raise BadInput(
            f"the piece lasts {last / 60:.0f} minutes and a sound may last {LONGEST_MINUTES}: "
            "see whether its tempo is right, or cut it"
        )
    if soundfont is None:
        dry, level = _organ(heard), ROOM_LEVEL
    else:
        from ripieno.files.soundfont import play_notes, read_soundfont

        dry, level = play_notes(read_soundfont(soundfont), heard, RATE), ROOM_LEVEL / 2
    return normalised(_in_a_room(dry, level))


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


def _organ(notes: Sequence[SoundingNote]) -> Samples:
    """The organ, without a room."""
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


def frequency_of(pitch: int) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


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


# --- the room, and loudness: both are filters, applied in blocks by their spectra

_BLOCK = 1 << 18


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


def _in_a_room(dry: Samples, level: float) -> Samples:
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


# --- files and loudspeakers


def write_sound(samples: Samples, path: Path) -> None:
    """Write a sound of 24 bits a sample; the suffix of `path` says whether as WAV or as FLAC.

    Raises:
        BadInput: another suffix, or the file cannot be written.
    """
    import soundfile

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path.name} does not say which kind of sound to write: end its name in .wav or .flac")
    with whole_file(path) as file:
        soundfile.write(file, samples.T, RATE, format=suffix[1:].upper(), subtype="PCM_24")


# Programs that play a file and come with an operating system, the first that is there.
_PLAYERS = (
    ("afplay",),  # macOS
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)


def play(samples: Samples) -> None:
    """Play a sound on this computer, and come back when it is over.

    Raises:
        BadInput: no program is there that plays sounds, or it cannot.
    """
    player = next((player for player in _PLAYERS if shutil.which(player[0])), None)
    if player is None and sys.platform != "win32":
        names = ", ".join(player[0] for player in _PLAYERS)
        raise BadInput(f"no program that plays sounds was found ({names}); write the sound to a file: -o piece.wav")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ripieno.wav"
        write_sound(samples, path)
        if player is None:
            _play_on_windows(path)
            return
        done = subprocess.run([*player, str(path)], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
            raise BadInput(f"{player[0]} could not play the sound: {said}; write it to a file: -o piece.wav")


def _play_on_windows(path: Path) -> None:
    if sys.platform == "win32":
        import winsound

        winsound.PlaySound(str(path), winsound.SND_FILENAME)
