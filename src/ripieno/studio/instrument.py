"""A SoundFont as the page plays it: one tone of each pitch, rendered when it is first asked for."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.room import RATE
from ripieno.files.sound.soundfont import play_notes, read_soundfont
from ripieno.music.voices import PROGRAM

HELD = 8.0  # seconds; a note that is longer dies away, as the instrument does when it is let go
PEAK = 0.5  # of a tone: a chord of four is made quieter by the page, as its own pipes are
VELOCITY = 80


class SoundFontTones:
    """The sound that a person has chosen for the studio. Any thread may call it.

    Args:
        path: an .sf2 or .sf3 file. Its choir is played, or what it has instead.

    Raises:
        BadInput: the file cannot be read, is damaged or no SoundFont, or has nothing for middle C.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._font = read_soundfont(path)
        self._lock = threading.Lock()
        self._tones: dict[int, bytes] = {}
        loudest = float(np.abs(self._played(60)).max(initial=0.0))
        if not loudest:
            raise BadInput(f"SoundFont {path.name} has no sound for middle C; choose another, or leave it out")
        self._level = PEAK / loudest

    def _played(self, pitch: int) -> np.ndarray:
        note = SoundingNote(onset_seconds=0.0, duration_seconds=HELD, pitch=pitch, velocity=VELOCITY, program=PROGRAM)
        both = play_notes(self._font, [note], RATE)[:, : round((HELD + 1) * RATE)]
        mono: np.ndarray = both.mean(axis=0)  # the page gives each voice its place
        return mono

    def tone(self, pitch: int) -> bytes:
        """One pitch as a WAV file, mono; silence where the SoundFont has nothing.

        Args:
            pitch: MIDI number.
        """
        import soundfile

        with self._lock:
            if pitch not in self._tones:
                try:
                    samples = self._played(pitch) * self._level
                except BadInput:
                    samples = np.zeros(RATE // 100)
                buffer = io.BytesIO()
                whole = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
                soundfile.write(buffer, whole, RATE, format="WAV", subtype="PCM_16")
                self._tones[pitch] = buffer.getvalue()
            return self._tones[pitch]
