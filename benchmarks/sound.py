"""How fast the organ plays, and how well in tune, beside what issue 6 asks.

    python -m benchmarks.sound --data FOLDER

Chorales of JSB test at 80 quarter notes a minute, from notes to a finished WAV file: how many times faster than real
time, the first piece (when no pitch has sounded yet) by itself. Then every pitch from A0 to C8 alone, read back from
its file: how far the strongest frequency is from equal temperament.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile

from ripieno.files.corpus import read_jsb
from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.organ import frequency_of
from ripieno.files.sound.play import write_sound
from ripieno.files.sound.render import render
from ripieno.files.sound.room import RATE, loudness
from ripieno.music.roll import RollNote, notes_of, roll_of_voices

SECONDS_PER_STEP = 60 / 80 / 4


def notes_of_chorale(voices: np.ndarray) -> list[SoundingNote]:
    found = []
    for voice, line in enumerate(voices.T):
        found += [heard(note, voice) for note in notes_of(roll_of_voices(line[:, None]))]
    return found


def heard(note: RollNote, voice: int) -> SoundingNote:
    return SoundingNote(
        onset_seconds=note.onset * SECONDS_PER_STEP,
        duration_seconds=note.duration * SECONDS_PER_STEP,
        pitch=note.pitch,
        part=voice,
    )


def cents_off(samples: np.ndarray, hertz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    frequency = np.fft.rfftfreq(8 * len(samples), 1 / RATE)
    near = np.flatnonzero(abs(frequency / hertz - 1) < 0.05)
    peak = near[spectrum[near].argmax()]
    a, b, c = np.log(spectrum[peak - 1 : peak + 2])
    return float(1200 * np.log2((frequency[peak] + (a - c) / (a - 2 * b + c) / 2 * frequency[1]) / hertz))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-n", type=int, default=20, help="chorales")
    a = parser.parse_args()
    items = [item for item in read_jsb(a.data / "jsb" / "Jsb16thSeparated.json") if item.split == "test"][: a.n]
    times, lengths, peaks, levels = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.wav"
        for item in items:
            assert item.voices is not None
            notes = notes_of_chorale(item.voices)
            began = perf_counter()
            samples = render(notes)
            write_sound(samples, path)
            times.append(perf_counter() - began)
            lengths.append(samples.shape[1] / RATE)
            written, _ = soundfile.read(path)
            peaks.append(float(np.abs(written).max()))
            levels.append(loudness(written.T.astype(np.float32)))
            assert not written[-RATE * 4 // 10 :].any()
        cents = []
        for pitch in range(21, 109):
            write_sound(render([SoundingNote(onset_seconds=0, duration_seconds=2, pitch=pitch)]), path)
            written, _ = soundfile.read(path)
            cents += [abs(cents_off(side[RATE // 10 : 2 * RATE], frequency_of(pitch))) for side in written.T]
    print(f"{len(items)} chorales, {sum(lengths) / 60:.1f} minutes of sound in {sum(times):.1f} seconds.")
    print(f"The first: {lengths[0] / times[0]:.0f} times faster than real time, {lengths[0]:.0f} seconds of sound;")
    print(f"all: {sum(lengths) / sum(times):.0f} times; the slowest later one: ", end="")
    print(f"{min(length / time for length, time in list(zip(lengths, times, strict=True))[1:]):.0f} times.")
    print(f"Highest sample {max(peaks):.2f} of 1; loudness {min(levels):.2f} to {max(levels):.2f} LUFS; silent ends.")
    print(f"Every pitch from A0 to C8: {np.mean(cents):.2f} cents off in the mean, {max(cents):.2f} at most.")


if __name__ == "__main__":
    main()
