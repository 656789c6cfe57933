"""What scores tell of the chorales in a corpus that holds pitches alone: bars, fermatas, keys, repeated notes.

The JSB Chorales are pitches on a grid of sixteenths, with repeated notes joined, no bars and no fermatas. Scores of
most of them, as MusicXML, are in music21's corpus (a PyPI package; its folder `corpus/bach`). `Scores` finds the one
that belongs to a chorale by its soprano, lays the one along the other, over repeats written out or left out, and says
of every step what the score says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.reader import read
from ripieno.music.harmony import identify_key, key_of
from ripieno.music.outline import Outline, beat_of, outline_of
from ripieno.music.piece import Key, Piece, bar_starts, roll_of_piece
from ripieno.music.roll import STEPS_PER_BEAT, Voices, bottom_line
from ripieno.shapes import Bool, Int

FRAGMENT = 24  # steps of a soprano by which its score is looked for
JUMP = 12.0  # of a path that leaves the order of the score, in cells that differ
LEAST_ALIKE = 0.85  # share of the cells that must be the score's


@dataclass(frozen=True, eq=False)
class ChoraleScore:
    """One score on the grid: who sings what, where notes begin, and its outline."""

    name: str
    voices: Voices
    onsets: Bool[np.ndarray, "step voice"]
    outline: Outline


@dataclass(frozen=True, eq=False)
class Placed:
    """What a score says of a chorale, step by step of the chorale.

    alike: the share of its cells that are the score's.
    """

    name: str
    onsets: Bool[np.ndarray, "step voice"]
    outline: Outline
    alike: float


def chorale_score(piece: Piece, name: str) -> ChoraleScore:
    """A four-part score on the grid.

    Raises:
        BadInput: it has not four parts with notes.
    """
    parts = [i for i in range(len(piece.parts)) if any(note.part == i for note in piece.notes)]
    if len(parts) < 4:
        raise BadInput(f"{name} has {len(parts)} parts with notes, and a chorale has four")
    n_steps = max(note.steps.stop for note in piece.notes)
    voices = np.full((n_steps, 4), -1)
    onsets = np.zeros((n_steps, 4), dtype=bool)
    phrases: set[tuple[int, int]] = set()
    marks = [place.has_fermata for place in piece.source.places]
    for note in piece.notes:
        if note.part not in parts[:4]:
            continue
        voice = parts.index(note.part)
        voices[note.steps.start : note.steps.stop, voice] = note.pitch
        onsets[note.steps.start, voice] = True
        if voice == 0 and marks[note.id]:
            phrases.add((note.steps.start, note.steps.stop))
    return ChoraleScore(name, voices, onsets, _outline(piece, 0, n_steps, sorted(phrases) or None, voices))


def outline_of_piece(piece: Piece, first: int, length: int, line_ends: Sequence[int] | None = None) -> Outline:
    """The outline of a stretch of a piece that begins on the file's step `first`.

    Args:
        piece: with bars, meters and keys, as far as the file says them.
        first: the first step.
        length: in steps.
        line_ends: the notes of the first part on which lines end, counted from 0; nobody knows unless given. Where
            there are other notes than these count, they say nothing.
    """
    melody = min(note.part for note in piece.notes if not piece.parts[note.part].is_drums)
    top: dict[int, int] = {}
    for note in piece.notes:
        if note.part == melody:
            onset = note.steps.start - first
            top[onset] = max(top.get(onset, 0), note.steps.stop - first)
    onsets = sorted(top)
    phrases = None
    if line_ends and line_ends[-1] == len(onsets) - 1:
        phrases = [(onsets[i], top[onsets[i]]) for i in line_ends]
    roll = roll_of_piece(piece, first, length)
    return _outline(piece, first, length, phrases, bottom_line(roll)[:, None])


def _outline(piece: Piece, first: int, n_steps: int, phrases: list[tuple[int, int]] | None, voices: Voices) -> Outline:
    starts = [round(start) - first for start in bar_starts(piece)]
    bars = []
    for start, end in zip(starts, [*starts[1:], n_steps], strict=True):
        meter = [meter for meter in piece.meters if meter.step - first <= start + 1][-1:] or list(piece.meters[:1])
        length = round(meter[0].steps_per_bar) if meter else 16
        beat = beat_of(meter[0].numerator, meter[0].denominator) if meter else STEPS_PER_BEAT
        if end - start < length and start == starts[0]:
            start = end - length  # a pickup is the end of a bar
        bars.append((start, length, beat))
    return outline_of(n_steps, bars, phrases, [(0, settled_key(piece.keys, voices))] if piece.keys else [])


def settled_key(keys: tuple[Key, ...], voices: Voices) -> Key:
    """The key that a piece with a key signature is in: of the major and the minor one, the one it closes on.

    Files write the signature with either mode, and many always with the major one.
    """
    key = keys[0]
    major = key.tonic if key.mode == "major" else (key.tonic + 3) % 12
    sung = voices[(voices >= 0).any(axis=1)]
    final = int(sung[-1][sung[-1] >= 0].min()) % 12
    if final == major:
        return key_of(major, "major")
    if final == (major + 9) % 12:
        return key_of(final, "minor")
    return key


def key_of_tune(line: Int[np.ndarray, " step"]) -> Key | None:
    """The key that one guesses of a line alone; None if it never sounds."""
    sounding = line[line >= 0]
    if not len(sounding):
        return None
    return identify_key(np.bincount(sounding % 12, minlength=12).astype(float), int(sounding[-1]) % 12)


class Scores:
    """A folder of scores in which those of chorales are looked for.

    Args:
        folder: of MusicXML files; those that are no four-part scores are passed over.

    Raises:
        BadInput: the folder holds no score that can be used.
    """

    def __init__(self, folder: Path) -> None:
        self._scores: list[ChoraleScore] = []
        for path in sorted([*folder.glob("*.mxl"), *folder.glob("*.musicxml"), *folder.glob("*.xml")]):
            try:
                self._scores.append(chorale_score(read(path), path.name))
            except BadInput:
                continue
        if not self._scores:
            raise BadInput(f"{folder} holds no four-part scores; name the folder corpus/bach of the package music21")
        self._where: dict[bytes, set[int]] = defaultdict(set)
        for i, score in enumerate(self._scores):
            for fragment in _fragments(score.voices):
                self._where[fragment].add(i)

    def find(self, voices: Voices) -> Placed | None:
        """What the score of a chorale says of it; None where there is none."""
        votes = Counter(i for fragment in _fragments(voices) for i in self._where.get(fragment, ()))
        best = max((place(voices, self._scores[i]) for i, _ in votes.most_common(3)), key=_alike, default=None)
        return best if best is not None and best.alike >= LEAST_ALIKE else None


def _alike(placed: Placed) -> float:
    return placed.alike


def _fragments(voices: Voices) -> set[bytes]:
    """Stretches of the soprano that are moving."""
    line = voices[:, 0].astype(np.int16)
    cut = (line[i : i + FRAGMENT] for i in range(0, len(line) - FRAGMENT + 1, STEPS_PER_BEAT))
    return {part.tobytes() for part in cut if len(np.unique(part)) > 2}


def place(voices: Voices, score: ChoraleScore) -> Placed:
    """Lay a chorale along a score: the path of the fewest differing cells and jumps (Viterbi 1967)."""
    n, m = len(voices), len(score.voices)
    path_cost = (voices[0] != score.voices).sum(axis=1).astype(float)
    came_from = np.zeros((n, m), dtype=int)
    for step in range(1, n):
        best = int(path_cost.argmin())
        on = np.concatenate([[np.inf], path_cost[:-1]])
        jumps = path_cost[best] + JUMP < on
        came_from[step] = np.where(jumps, best, np.arange(m) - 1)
        path_cost = np.where(jumps, path_cost[best] + JUMP, on) + (voices[step] != score.voices).sum(axis=1)
    path = np.zeros(n, dtype=int)
    path[-1] = path_cost.argmin()
    for step in range(n - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    # after a jump everybody strikes, unless a last chord is only held for longer than the score has it
    jumped = np.concatenate([[True], (np.diff(path) != 1) & (voices[1:] != voices[:-1]).any(axis=1)])
    onsets = score.onsets[path] | jumped[:, None]
    return Placed(score.name, onsets, score.outline.taken(path), float((voices == score.voices[path]).mean()))
