"""Voices as one writes them down."""

import numpy as np

from ripieno.music.harmony import parse_key
from ripieno.music.pitch import parse_pitch

C_MAJOR, A_MINOR = parse_key("C"), parse_key("Am")
FIFTHS = ("C5 E4 G3 C3", "D5 F4 A3 D3")


def sung(*chords: str, steps: int = 4) -> np.ndarray:
    """Chords from the soprano down, each a beat long unless said otherwise; "-" rests."""
    rows = [[-1 if name == "-" else parse_pitch(name) for name in chord.split()] for chord in chords]
    return np.repeat(np.array(rows), steps, axis=0)
