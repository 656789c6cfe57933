"""What pitches are called: letters, accidentals and octaves, and the line of fifths on which each name has its place.

A name is a place on the line of fifths (... B flat -2, F -1, C 0, G 1, D 2 ...). The seven notes of a scale lie side by
side on it, an accidental is seven places away, and places twelve apart sound alike. Letters count from C = 0 to B = 6,
pitch classes from C = 0, octaves as musicians count them: pitch 60 is C 4.
"""

from __future__ import annotations

import re

from ripieno.errors import BadInput
from ripieno.music.roll import N_PITCHES

LETTERS = "CDEFGAB"
NATURALS = (0, 2, 4, 5, 7, 9, 11)  # semitones of each letter over C
ALTERATIONS = {"": 0, "#": 1, "♯": 1, "##": 2, "b": -1, "♭": -1, "bb": -2}  # what each sign does, in semitones
_WORDS = {-2: "double flat", -1: "flat", 0: "", 1: "sharp", 2: "double sharp"}
_NOTE = re.compile(r"\s*([A-Ga-g])(#|♯|b|♭)?(-?\d)\s*")


# Letters and places


def place_of(letter: int, alteration: int) -> int:
    """The place of a letter and its alteration in semitones."""
    return (2 * letter + 1) % 7 - 1 + 7 * alteration


def letter_at(place: int) -> tuple[int, int]:
    """The letter and the alteration of a place."""
    return 4 * place % 7, (place + 1) // 7  # a fifth up is four letters up


def place_from(lowest: int, pitch: int) -> int:
    """The place of a pitch or pitch class among the twelve from `lowest` up."""
    return lowest + (pitch * 7 - lowest) % 12


def sign_of(alteration: int) -> str:
    """An alteration as one writes it: "#", "bb"."""
    return "#" * alteration if alteration > 0 else "b" * -alteration


def name_at(place: int, *, short: bool = False) -> str:
    """A place in letters: "A flat", or short "Ab"."""
    letter, alteration = letter_at(place)
    return LETTERS[letter] + sign_of(alteration) if short else f"{LETTERS[letter]} {_WORDS[alteration]}".rstrip()


# Pitches


def pitch_of(letter: int, alteration: int, octave: int) -> int:
    """The MIDI number of a note; it may lie outside MIDI's range."""
    return 12 * (octave + 1) + NATURALS[letter] + alteration


def octave_of(pitch: int, alteration: int) -> int:
    """The octave of a pitch with this alteration, by its letter: B sharp 3 sounds as C 4."""
    return (pitch - alteration) // 12 - 1


def parse_pitch(text: str) -> int:
    """Read a note as people write one: "C4" (middle C, 60), "f#3", "Bb2".

    Raises:
        BadInput: it is no note, or none of the 128 MIDI pitches.
    """
    found = _NOTE.fullmatch(text)
    if not found:
        raise BadInput(f"{text.strip() or 'nothing'} is no note; write one as C4 (middle C), F#3 or Bb2")
    letter, sign, octave = found.groups()
    pitch = pitch_of(LETTERS.index(letter.upper()), ALTERATIONS[sign or ""], int(octave))
    if not 0 <= pitch < N_PITCHES:
        raise BadInput(f"{text.strip()} lies outside what MIDI can play: C-1 to G9")
    return pitch


# Key signatures


def signature_alteration(letter: int, n_sharps: int) -> int:
    """What a key signature does to a letter: 1 sharpens it, -1 flattens it."""
    return (n_sharps - place_of(letter, 0) + 5) // 7


def within_seven(n_sharps: int) -> int:
    """A signature that is written: at most seven accidentals, by another name of its key if need be."""
    return n_sharps - 12 if n_sharps > 7 else n_sharps + 12 if n_sharps < -7 else n_sharps
