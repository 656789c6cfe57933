"""The music that benchmarks are measured on, in FOLDER: `jsb/Jsb16thSeparated.json`, `melodies/doodle.json`."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np

from ripieno.files.corpus import Item, read_jsb
from ripieno.music.piece import Note, Part, Piece
from ripieno.music.roll import RollNote, notes_of_voices
from ripieno.music.voices import NAMES


def chorales(data: Path, *splits: str) -> list[Item]:
    """The JSB Chorales of some splits, in the corpus's order; the voices of each are known."""
    return [item for item in read_jsb(data / "jsb" / "Jsb16thSeparated.json") if item.split in splits]


def score_of(voices: np.ndarray, name: str) -> Piece:
    """Four parts, as a student would hand them in. Voices are MIDI numbers (step, voice), -1 a rest."""
    found = sorted(notes_of_voices(voices), key=lambda note: (note.onset, note.voice))
    notes = tuple(
        Note(id=i, part=n.voice, pitch=n.pitch, onset=Fraction(n.onset), duration=Fraction(n.end - n.onset))
        for i, n in enumerate(found)
    )
    return Piece(notes=notes, parts=tuple(Part(name=one) for one in NAMES[4]), name=name)


def doodles(data: Path) -> list[list[RollNote]]:
    """The 296 melodies of two bars, in the file's order."""
    melodies = json.loads((data / "melodies" / "doodle.json").read_text())["melodies"]
    return [[RollNote(on, pitch, off - on) for pitch, on, off in melody["notes"]] for melody in melodies]
