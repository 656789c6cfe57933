"""Keys, the names of notes in them, and what chord a handful of pitches is. Pitch classes count from C = 0."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from ripieno.errors import BadInput
from ripieno.music.chords import AUGMENTED, COMMON, NUMBERS, ROOTS
from ripieno.music.piece import Key
from ripieno.music.pitch import ALTERATIONS, LETTERS, letter_at, name_at, octave_of, place_from, place_of
from ripieno.music.roll import Cells
from ripieno.shapes import Float

Mode = Literal["major", "minor"]

MODES: tuple[Mode, Mode] = ("major", "minor")
STEPS_OF = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}  # minor: as its signature says

# How much each degree of the chromatic scale is used in a key, from the tonic up: Albrecht and Shanahan, "The Use of
# Large Corpora to Train a New Type of Key-Finding Algorithm", Music Perception 31 (2013). Of five published sets these
# named the tonic of JSB's 382 melodies, taken to be Bach's last bass note, most often (83.8 %; Kostka-Payne 82.2,
# Aarden-Essen 72.3, Temperley 72.0, Krumhansl-Kessler 71.5); with the bonus below it is 93.2 %.
_PROFILES = np.array(
    [
        [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081],
        [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052],
    ]
)
_FINAL_BONUS = 0.2  # for a key whose tonic comes last; more would serve whole tunes better and openings worse


def key_of(tonic: int, mode: Mode) -> Key:
    """A key from the beginning on, with the signature it is usually written in: at most six accidentals."""
    lowest = -5 if mode == "major" else -6  # F sharp major, but E flat minor
    n_sharps = lowest + (_fifth(tonic, mode) - lowest) % 12
    return Key(step=Fraction(0), tonic=tonic % 12, mode=mode, n_sharps=n_sharps)


def parse_key(text: str) -> Key:
    """Read a key as people write one: "Ab", "f#m", "F sharp minor", "Bb major".

    Raises:
        BadInput: it is no key, or one that nobody writes.
    """
    found = re.fullmatch(
        r"\s*(?P<letter>[A-Ga-g])"
        r"[\s-]*(?P<sign>#|♯|b|♭|[Ss]harp|[Ff]lat)?"
        r"[\s-]*(?P<mode>m|M|(?i:maj|min|major|minor))?\s*",
        text,
    )
    if found is None:
        raise BadInput(f'no key is called "{text}"; write one like "Ab", "f#m", "F sharp minor" or "Bb major"')
    sign = (found["sign"] or "").lower().replace("sharp", "#").replace("flat", "b")
    place = place_of(LETTERS.index(found["letter"].upper()), ALTERATIONS[sign])
    written = found["mode"] or ""
    mode: Mode = "minor" if written == "m" or written.lower().startswith("min") else "major"
    n_sharps = place if mode == "major" else place - 3
    tonic = place * 7 % 12
    if abs(n_sharps) > 7:
        raise BadInput(
            f'the key "{text}" would need {abs(n_sharps)} {"sharps" if n_sharps > 0 else "flats"}; '
            f"write {key_name(key_of(tonic, mode))}"
        )
    return Key(step=Fraction(0), tonic=tonic, mode=mode, n_sharps=n_sharps)


def key_name(key: Key) -> str:
    """As one says it: "A flat major"."""
    return f"{name_at(key.n_sharps + (3 if key.mode == 'minor' else 0))} {key.mode}"


def scale(key: Key) -> tuple[int, ...]:
    """The seven pitch classes of a key from its tonic up, as its signature has them (minor: the seventh not raised)."""
    return tuple((key.tonic + steps) % 12 for steps in STEPS_OF[key.mode])


def usable(key: Key, shift: int = 0) -> set[int]:
    """The pitch classes that belong to a key, both forms of a minor key's sixth and seventh included, transposed."""
    classes = set(scale(key))
    if key.mode == "minor":
        classes |= {(key.tonic + 9) % 12, (key.tonic + 11) % 12}
    return {(one + shift) % 12 for one in classes}


def note_name(pitch: int, key: Key | None = None, *, short: bool = False) -> str:
    """A pitch as a musician writes it in a key: "A flat 4", or short "Ab4". See `place_in_key`."""
    place = place_in_key(pitch, key)
    octave = octave_of(pitch, letter_at(place)[1])
    return f"{name_at(place, short=short)}{'' if short else ' '}{octave}"


def place_in_key(pitch: int, key: Key | None = None) -> int:
    """The place of a pitch as the chords of a key bring it, C major unless given.

    Notes outside the key: in C major F sharp, C sharp, G sharp, but B flat and E flat; in A minor also D sharp.
    """
    return place_from((key.n_sharps if key else 0) - (2 if key and key.mode == "minor" else 3), pitch)


_SHARES = np.stack([[np.roll(profile, tonic) for tonic in range(12)] for profile in _PROFILES])
_EVERY_KEY = _SHARES - _SHARES.mean(axis=-1, keepdims=True)  # (mode, tonic, pitch class)


def key_fits(weights: Float[np.ndarray, " pitch_class"], final: int | None = None) -> Float[np.ndarray, "mode tonic"]:
    """How well each of the 24 keys fits: correlation with its profile, and a bonus if its tonic comes last.

    Args:
        weights: how long each pitch class sounds.
        final: pitch class of the last note, the lowest if there are several.
    """
    centred = weights - weights.mean()
    size = np.linalg.norm(centred) * np.linalg.norm(_EVERY_KEY, axis=-1)
    fits: np.ndarray = _EVERY_KEY @ centred / np.maximum(size, 1e-9)
    if final is not None:
        fits[:, final % 12] += _FINAL_BONUS
    return fits


def class_shares() -> Float[np.ndarray, "mode tonic pitch_class"]:
    """How much of a tune each pitch class is, in each of the 24 keys."""
    return _SHARES.copy()


def identify_key(weights: Float[np.ndarray, " pitch_class"], final: int | None = None) -> Key:
    """The key that fits best. The arguments are those of `key_fits`."""
    mode, tonic = divmod(int(key_fits(weights, final).argmax()), 12)
    return key_of(tonic, MODES[mode])


@dataclass(frozen=True)
class Triad:
    """A chord of three notes."""

    root: int  # pitch class
    quality: str  # "major", "minor", "diminished" or "augmented": a name of `chords.KINDS`
    inversion: int  # 0: the root is in the bass, 1: the third, 2: the fifth


def triad_of(pitches: Iterable[int]) -> Triad | None:
    """The triad that some pitches form, doubled as they may be; None if they form none.

    A major or minor triad may lack its fifth, as Bach's last chords do now and then.
    """
    sounding = sorted(pitches)
    classes = {pitch % 12 for pitch in sounding}
    chord = sum(1 << pitch_class for pitch_class in classes)
    number = int(NUMBERS[chord])
    if not 0 < number <= AUGMENTED:
        return None
    bass = sounding[0] % 12
    # an augmented triad could have three roots; the bass is the best one
    root = bass if ROOTS[chord] < 0 else int(ROOTS[chord])
    above = sorted((pitch_class - root) % 12 for pitch_class in classes)
    return Triad(root, COMMON[number - 1].name, above.index((bass - root) % 12))


def is_root_position_triad(pitches: Iterable[int]) -> bool:
    """Whether some pitches form a major or minor triad over its root, which is how nearly every chorale ends."""
    triad = triad_of(pitches)
    return triad is not None and triad.inversion == 0 and triad.quality in MODES


def ends_on_tonic_triad(cells: Cells, tonic: int) -> bool:
    """Whether the last chord of a roll is a major or minor triad over its root, and that root the tonic.

    Args:
        cells: what sounds last in it counts; silence after that does not.
        tonic: pitch class. For a chorale of Bach's, the one his own last bass note has.
    """
    steps = np.flatnonzero(cells[0].any(axis=1))
    if not len(steps):
        return False
    triad = triad_of(int(pitch) for pitch in np.flatnonzero(cells[0, steps[-1]]))
    return triad is not None and triad.inversion == 0 and triad.quality in MODES and triad.root == tonic % 12


def _fifth(tonic: int, mode: str) -> int:
    """The number of sharps of a key, up to a multiple of 12."""
    return tonic * 7 - (3 if mode == "minor" else 0)
