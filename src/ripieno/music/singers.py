"""Who sings what in a piece: its own parts where they are voices, else the voices that its notes are split into.

Proof-readers and menders look at voices, and must say which of the user's notes they mean; so each cell of a voice
knows the note that it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ripieno.music.piece import Note, Piece, note_cells, roll_of_piece
from ripieno.music.roll import N_PITCHES, Voices
from ripieno.music.understanding import Reading
from ripieno.music.voices import NAMES, Separate, split
from ripieno.shapes import Bool, Int

MOST_VOICES = 4
OVERLAPPING = 0.05  # of a part's time; with more of it, the part is no single line


@dataclass(frozen=True, eq=False)
class Singers:
    """The voices of a piece on the steps of its reading's region, voice 0 the highest."""

    voices: Voices  # the file's pitches, -1 where a voice rests
    ids: Int[np.ndarray, "step voice"]  # Note.id, -1 where it rests
    onsets: Bool[np.ndarray, "step voice"]  # where one of the piece's notes begins
    names: tuple[str, ...]
    are_parts: bool  # else they were split from chords
    n_unsung: int  # notes that no voice sings, because more than four sound at once


def singers_of(piece: Piece, reading: Reading, separate: Separate | None = None) -> Singers:
    """Tell the voices of a piece apart.

    Args:
        piece: drums are left out.
        reading: says where it begins and ends.
        separate: tells four voices apart where parts do not; see `music.voices.split`.
    """
    by_part: dict[int, list[Note]] = {}
    for note in piece.notes:
        if not piece.parts[note.part].is_drums and note.steps.stop > reading.start:
            by_part.setdefault(note.part, []).append(note)
    if 1 <= len(by_part) <= MOST_VOICES and all(_is_line(notes) for notes in by_part.values()):
        order = sorted(by_part, key=lambda part: -_mean_pitch(by_part[part]))
        names = [piece.parts[part].name.strip() for part in order]
        usual = NAMES[len(order)] if len(order) > 1 else ("Melody",)
        if len(set(names)) < len(names) or not all(0 < len(name) <= 20 for name in names):
            names = list(usual)
        return _from_lines([by_part[part] for part in order], names, reading, are_parts=True)
    return _split(piece, reading, separate)


def _is_line(notes: Sequence[Note]) -> bool:
    ordered = sorted(notes, key=lambda note: (note.steps.start, note.pitch))
    overlap, end = 0, -1
    for note in ordered:
        overlap += max(min(end, note.steps.stop) - note.steps.start, 0)
        end = max(end, note.steps.stop)
    return overlap <= OVERLAPPING * sum(len(note.steps) for note in notes)


def _mean_pitch(notes: Sequence[Note]) -> float:
    return float(np.average([note.pitch for note in notes], weights=[len(note.steps) for note in notes]))


def _from_lines(lines: Sequence[Sequence[Note]], names: Sequence[str], reading: Reading, are_parts: bool) -> Singers:
    shape = (reading.n_steps, len(lines))
    voices, ids, onsets = np.full(shape, -1), np.full(shape, -1), np.zeros(shape, dtype=bool)
    for voice, notes in enumerate(lines):
        for note in sorted(notes, key=lambda note: note.onset):
            first = note.steps.start - reading.start
            here = slice(max(first, 0), max(note.steps.stop - reading.start, 0))
            voices[here, voice], ids[here, voice] = note.pitch, note.id
            if 0 <= first < len(onsets):
                onsets[first, voice] = True
    return Singers(voices, ids, onsets, tuple(names), are_parts, 0)


def _split(piece: Piece, reading: Reading, separate: Separate | None) -> Singers:
    n_steps = reading.n_steps
    cells = roll_of_piece(piece, reading.start, n_steps, reading.shift, n_planes=2)
    n_voices = min(max(int(np.count_nonzero(cells[0], axis=1).max(initial=1)), 1), MOST_VOICES)
    sung = split(cells, n_voices, separate=separate)
    owner_of = np.full((n_steps, N_PITCHES), -1)
    begins = np.zeros((n_steps, N_PITCHES), dtype=bool)
    held = note_cells(piece, reading.start, n_steps, reading.shift)
    for owner in held:
        owner_of[owner.first : owner.end, owner.pitch] = owner.note
        begins[owner.first, owner.pitch] = True
    sings = sung >= 0
    steps = np.arange(n_steps)[:, None]
    at = np.where(sings, sung, 0)
    ids = np.where(sings, owner_of[steps, at], -1)
    heard = set(ids[ids >= 0].tolist())
    names = NAMES[n_voices] if n_voices > 1 else ("Melody",)
    return Singers(
        voices=np.where(sings, sung - reading.shift, -1),
        ids=ids,
        onsets=begins[steps, at] & sings,
        names=names,
        are_parts=False,
        n_unsung=sum(owner.note not in heard for owner in held),
    )
