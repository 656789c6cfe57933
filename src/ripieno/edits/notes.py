"""A log read as notes, and notes written to it: the level at which people edit.  (Paper 5)

A note is a run of cells at one pitch. It ends where the pitch falls silent, where the re-struck plane says so, and
where what is the person's own meets what the model wrote: a new note never lengthens an old one.

The paper's user adds and removes single cells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import USER, Author, CellEntry, EditLog
from ripieno.errors import BadInput
from ripieno.music.roll import RollNote, attacks
from ripieno.shapes import Bool

Owner = Literal["file", "user", "model"]


@dataclass(frozen=True, order=True)
class OwnedNote(RollNote):
    """A note and whose it is: "file", as it was opened; "user", drawn or changed by the person since; or "model"."""

    owner: Owner


class NoteGone(BadInput):
    """A note that was to be removed is not there as it was."""

    def __init__(self, note: RollNote) -> None:
        super().__init__(f"no note of pitch {note.pitch} lies on steps {note.onset} to {note.end - 1}; look again")
        self.note = note


def beginnings(log: EditLog) -> Bool[np.ndarray, "step pitch"]:
    """Where a note begins."""
    begins = attacks(log.cells)
    own = log.user_cells[0]
    begins[1:] |= log.cells[0, 1:] & (own[1:] != own[:-1])
    return begins


def owned_notes(log: EditLog, pitches: Collection[int] | None = None) -> list[OwnedNote]:
    """The notes that sound now, ordered by onset and then pitch.

    Args:
        log: what was done.
        pitches: those to look at; all of them unless given.
    """
    columns = np.arange(log.cells.shape[2]) if pitches is None else np.array(sorted(pitches), dtype=int)
    sounding = log.cells[0][:, columns]
    begins = beginnings(log)[:, columns]
    after = np.zeros_like(sounding)  # the cell that follows belongs to the same note
    after[:-1] = sounding[1:] & ~begins[1:]
    ends = np.argwhere((sounding & ~after).T)
    by_user = (log.author_of[0] == USER) | ~log.origin[0]
    found = []
    for (column, first), (_, last) in zip(np.argwhere(begins.T), ends, strict=True):
        pitch = int(columns[column])
        owner: Owner = "model"
        if log.user_cells[0, first, pitch]:
            owner = "user" if by_user[first : last + 1, pitch].any() else "file"
        found.append(OwnedNote(int(first), pitch, int(last - first + 1), owner))
    return sorted(found)


def note_at(log: EditLog, step: int, pitch: int) -> OwnedNote | None:
    """The note that sounds at a cell; None where it is silent."""
    found = (note for note in owned_notes(log, [pitch]) if note.onset <= step < note.end)
    return next(found, None)


def put_notes(
    log: EditLog,
    remove: Iterable[RollNote] = (),
    add: Iterable[RollNote] = (),
    author: Author = "user",
    *,
    time: float | None = None,
    id: str | None = None,
) -> EditLog:
    """Take notes away and put others in, as one batch.

    A note that is put over another of its pitch cuts it: what is left of the other after it is a note of its own,
    where the log has a re-struck plane.

    Raises:
        NoteGone: a note to be removed is not there just so; then nothing is done.
        BadInput: a note lies outside the roll.
    """
    remove, add = list(remove), list(add)
    n_planes, n_steps, n_pitches = log.cells.shape
    there = {(note.onset, note.pitch): note.duration for note in owned_notes(log, {note.pitch for note in remove})}
    wanted: dict[Edit, bool] = {}
    for note in remove:
        if there.get((note.onset, note.pitch)) != note.duration:
            raise NoteGone(note)
        for step in range(note.onset, note.end):
            wanted[Edit(0, step, note.pitch)] = False
    for note in add:
        if not (note.duration > 0 <= note.onset and note.end <= n_steps and 0 <= note.pitch < n_pitches):
            raise BadInput(
                f"a note of pitch {note.pitch} on steps {note.onset} to {note.end - 1} does not fit a piece of "
                f"{n_steps} steps; make the piece longer, or the note shorter"
            )
        for step in range(note.onset, note.end):
            wanted[Edit(0, step, note.pitch)] = True
    if n_planes > 1:
        begins, own = beginnings(log), log.user_cells[0]
        strikes = {Edit(1, step, note.pitch): False for note in remove for step in range(note.onset, note.end)}
        for note in add:
            strikes |= {Edit(1, step, note.pitch): False for step in range(note.onset + 1, note.end)}
        for note in add:
            strikes[Edit(1, note.onset, note.pitch)] = True
            rest = Edit(1, note.end, note.pitch)
            goes_on = note.end < n_steps and wanted.get(Edit(0, *rest[1:]), bool(log.cells[0, note.end, note.pitch]))
            if goes_on and rest not in strikes:
                # What began there only because it was somebody else's, or came after silence, does so no longer.
                is_own = author == "user" or own[note.end - 1, note.pitch]
                is_joined = is_own == own[note.end, note.pitch] and not log.cells[1, note.end, note.pitch]
                if is_joined or not begins[note.end, note.pitch]:
                    strikes[rest] = True
        wanted |= {cell: value for cell, value in strikes.items() if log.cells[cell] != value}
    return log.put(list(wanted), list(wanted.values()), author, time=time, id=id)


def notes_of_batch(log: EditLog, places: Sequence[int]) -> tuple[list[RollNote], list[RollNote]]:
    """What a batch did, in notes: those that it added and those that it removed, by its own entries alone.

    Args:
        log: that holds the batch.
        places: of its entries.
    """
    value: dict[Edit, bool] = {}
    for place in places:
        entry = log.entries[place]
        if isinstance(entry, CellEntry):
            if entry.edit in value:  # a cell that was changed and changed back
                del value[entry.edit]
            else:
                value[entry.edit] = entry.value
    added = sorted((cell.pitch, cell.step) for cell, is_on in value.items() if is_on and cell.plane == 0)
    removed = sorted((cell.pitch, cell.step) for cell, is_on in value.items() if not is_on and cell.plane == 0)
    struck = {(cell.pitch, cell.step) for cell, is_on in value.items() if is_on and cell.plane == 1}
    return _runs(added, struck), _runs(removed, set())


def _runs(cells: list[tuple[int, int]], struck: set[tuple[int, int]]) -> list[RollNote]:
    notes: list[RollNote] = []
    for pitch, step in cells:
        if notes and notes[-1].pitch == pitch and notes[-1].end == step and (pitch, step) not in struck:
            notes[-1] = RollNote(notes[-1].onset, pitch, notes[-1].duration + 1)
        else:
            notes.append(RollNote(step, pitch, 1))
    return sorted(notes)
