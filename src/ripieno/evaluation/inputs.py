"""What the methods are given to harmonise: the sopranos of Bach's chorales, and melodies that people drew.  (Paper 6.3)

Sopranos come first: Bach's own three voices under the same tune say what is right. The paper takes "150 8-bar
monophonic inputs", for its survey two-bar melodies of the Bach Doodle four times over; so do we.

The stop rule was chosen on 50 of the 296 melodies, and how several edits are drawn of one pass on 30 others. They are
`TUNED` and are never used here. Of the 150 that are, one choice was made later: where drafts stop
(docs/log.md#the-equivalence-on-melodies-of-the-doodle).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.errors import BadInput
from ripieno.files.corpus import Item
from ripieno.music.harmony import MODES, key_of
from ripieno.music.piece import Bar, Meter, Note, Part, PhraseMark, Piece, piece_from_notes
from ripieno.music.roll import RollNote, Voices, notes_of, notes_of_voices, roll_of_voices

N_DOODLES = 296
_STOPPED_ON = frozenset(int(i) for i in np.linspace(0, N_DOODLES - 1, 50).round())
# fmt: off
_DRAFTED_ON = frozenset((
    1, 16, 27, 32, 47, 55, 63, 77, 81, 93, 107, 109, 124, 134, 140, 155, 161, 171, 186, 188, 202, 214, 218, 232, 240,
    248, 263, 268, 279, 294,
))
# fmt: on
TUNED = _STOPPED_ON | _DRAFTED_ON
N_REPEATS = 4  # of a two-bar melody
N_INPUTS = 150  # the paper's
SAME_TUNE = 18  # moves from note to note, alike in two sopranos, that make them one tune


@dataclass(frozen=True)
class Input:
    """One melody. `voices` are Bach's, where it is the top one of them."""

    name: str
    piece: Piece
    melody: str | None = None  # "top", or for the program to find out
    voices: Voices | None = None
    is_known: bool | None = None  # whether the tune, in another setting, occurs in the training split


def soprano_of(voices: Voices) -> Piece:
    """The top voice alone."""
    return piece_from_notes(notes_of(roll_of_voices(voices[:, :1])))


def written_soprano(item: Item, with_phrases: bool = True) -> Piece:
    """The top voice as its score has it: with its bars, key and repeated notes; without these where nobody knows them.

    Args:
        item: with voices.
        with_phrases: with a fermata on the last note of each phrase; else where they end is to be guessed.
    """
    assert item.voices is not None
    outline = item.outline
    if outline is None or not (outline.bar_step >= 0).all():
        return soprano_of(item.voices)
    onsets = None if item.onsets is None else item.onsets[:, :1]
    notes = tuple(
        Note(id=i, part=0, pitch=note.pitch, onset=Fraction(note.onset), duration=Fraction(note.end - note.onset))
        for i, note in enumerate(notes_of_voices(item.voices[:, :1], onsets))
    )
    begins = sorted({0, *np.flatnonzero(outline.bar_step == 0).tolist()})
    first = 0 if outline.bar_step[0] else 1  # a pickup's number is 0
    meters: list[Meter] = []
    for step in begins:
        beat = int(outline.beat_length[step])
        unit = beat // 3 if beat % 3 == 0 else beat
        numerator, denominator = int(outline.bar_length[step]) // unit, 16 // unit
        if not meters or (meters[-1].numerator, meters[-1].denominator) != (numerator, denominator):
            meters.append(Meter(step=Fraction(step), numerator=numerator, denominator=denominator))
    rests = outline.rests == 1
    begins_to_rest = set(np.flatnonzero(rests & ~np.concatenate([[False], rests[:-1]])).tolist())
    marks = [PhraseMark(step=note.onset, kind="fermata", part=0) for note in notes if note.onset in begins_to_rest]
    tonic, minor = int(outline.tonic[0]), int(outline.minor[0])
    return Piece(
        notes=notes,
        parts=(Part(name="Soprano"),),
        meters=tuple(meters),
        keys=(key_of(tonic, MODES[minor]),) if tonic >= 0 else (),
        bars=tuple(Bar(step=Fraction(step), number=first + i) for i, step in enumerate(begins)),
        marks=tuple(marks) if with_phrases else (),
        name=item.name,
    )


def sopranos(items: Sequence[Item], split: str = "test") -> list[Input]:
    """The sopranos of a split of the JSB Chorales.

    Args:
        items: the whole corpus: what occurs in its training split is marked.
        split: which to give.
    """
    train = {moves for item in items if item.split == "train" and item.voices is not None for moves in _moves(item)}
    return [
        Input(
            item.name,
            soprano_of(item.voices),
            "top",
            item.voices,
            any(moves in train for moves in _moves(item)),
        )
        for item in items
        if item.split == split and item.voices is not None
    ]


def _moves(item: Item) -> Iterator[tuple[int, ...]]:
    """All that the soprano moves by, in semitones from note to note, `SAME_TUNE` at a time."""
    assert item.voices is not None
    line = item.voices[:, 0]
    line = line[line >= 0]
    moves = tuple(int(move) for move in np.diff(line) if move)
    for first in range(len(moves) - SAME_TUNE + 1):
        yield moves[first : first + SAME_TUNE]


def doodles(path: Path, n: int = N_INPUTS, others: bool = False) -> list[Input]:
    """Melodies of the Bach Doodle, evenly over those that are not `TUNED`.

    Args:
        path: `{"melodies": [{"notes": [[pitch, first step, end step], ...]}, ...]}`.
        n: how many.
        others: those that are left beside these instead.

    Raises:
        BadInput: missing, something else, or too few melodies.
    """
    try:
        melodies = json.loads(path.read_text())["melodies"]
        found = [
            [RollNote(on + 32 * k, pitch, off - on) for k in range(N_REPEATS) for pitch, on, off in melody["notes"]]
            for melody in melodies
        ]
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}); it is drawn from Magenta's bach-doodle-visualization on GitHub"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} does not hold melodies as docs/formats.md describes them") from error
    free = [i for i in range(len(found)) if i not in TUNED]
    if len(free) < n:
        raise BadInput(f"{path} has {len(free)} melodies on which nothing was tuned, and {n} are wanted")
    chosen = [free[i] for i in np.linspace(0, len(free) - 1, n).round().astype(int)]
    if others:
        chosen = [i for i in free if i not in chosen]
    return [Input(f"doodle {i}", piece_from_notes(found[i], meter=(4, 4))) for i in chosen]


def input_digest(payload: Any) -> str:
    """What tells an `Input`, an `Item`, or a tuple with such among other things, from others of other music."""
    if isinstance(payload, Item):
        told = payload.voices.tobytes() if payload.voices is not None else payload.cells.tobytes()
    elif isinstance(payload, Input):
        notes = [(note.pitch, note.onset, note.end) for note in payload.piece.notes]
        told = repr((notes, payload.melody)).encode()
    elif isinstance(payload, tuple):  # with the models' paths; which models they are, their digests say
        told = "".join(input_digest(one) for one in payload if isinstance(one, Item | Input)).encode()
    else:
        told = repr(payload).encode()
    return hashlib.sha256(told).hexdigest()[:16]


def generator_for(payload: Any, seed: int, number: int = 0) -> Generator:
    """Chance for a piece, a seed and a number: the same whichever model is asked, and whatever else is computed."""
    key = np.array([seed, int(input_digest(payload), 16)], dtype=np.uint64)
    return Generator(Philox(key=key, counter=number << 192))
