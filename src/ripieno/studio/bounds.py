"""What the model may do in a piece of the studio, as a person's rules and locks say it.  (Paper 5)"""

from __future__ import annotations

import numpy as np

from ripieno.edits.log import EditLog
from ripieno.music.roll import bottom_line, top_line
from ripieno.music.understanding import BASS_BELOW, Reading, Role, steps_of_bars
from ripieno.shapes import Bool, Int
from ripieno.studio import messages as wire


def locked_cells(locks: wire.Locks, reading: Reading, n_steps: int) -> Bool[np.ndarray, "step pitch"]:
    """Where locks forbid the model to change anything."""
    locked: np.ndarray = np.zeros((n_steps, 128), dtype=bool)
    for bar in locks.bars:
        if reading.first_bar <= bar <= reading.last_bar:
            locked[steps_of_bars(reading, bar, bar)] = True
    for pitch in locks.pitches:
        if 0 <= pitch + reading.shift < 128:
            locked[:, pitch + reading.shift] = True
    for note in [*locks.notes, *(note for voice in locks.voices for note in voice.notes)]:
        if 0 <= note.pitch + reading.shift < 128:  # the cell on either side too, or it could grow
            begin, end = max(note.onset - 1, 0), note.onset + note.duration + 1
            locked[begin:end, note.pitch + reading.shift] = True
    return locked


def doubling(
    locks: wire.Locks,
    shift: int,
    role: Role | None,
    line: Int[np.ndarray, " step"],
    cells: Bool[np.ndarray, "_ step pitch"],
) -> Int[np.ndarray, " step"] | None:
    """How many of the locked voices sing at each step what the melody or another locked voice sings.

    These have their note; one more that sounds would be sung by them. None where none does.
    """
    sings: dict[tuple[int, int], set[str]] = {}
    for voice in locks.voices:
        for note in voice.notes:
            for step in range(note.onset, min(note.onset + note.duration, len(line))):
                sings.setdefault((step, note.pitch + shift), set()).add(voice.voice)
    melody = {"top": "soprano", "bass": "bass"}.get(role or "")
    found: np.ndarray = np.zeros(len(line), dtype=int)
    for (step, pitch), voices in sings.items():
        if 0 <= pitch < cells.shape[2] and cells[0, step, pitch]:
            found[step] += len(voices | ({melody} if melody and line[step] == pitch else set())) - 1
    return found if found.any() else None


def range_of(rules: wire.Rules, shift: int) -> tuple[int, int]:
    """The lowest and highest pitch of the roll on which the model may add notes."""
    low = 0 if rules.lowest is None else max(rules.lowest + shift, 0)
    high = 127 if rules.highest is None else min(rules.highest + shift, 127)
    return low, high


def melody_of(rules: wire.Rules, reading: Reading, log: EditLog) -> tuple[Role | None, Int[np.ndarray, " step"]]:
    """Which line new notes keep off, as the person has it now; -1 where it rests."""
    n_steps = log.cells.shape[1]
    own = (log.user_cells & log.cells)[:1]
    asked = rules.melody
    written = reading.line.copy()
    at = np.flatnonzero(written >= 0)
    silent: np.ndarray = np.full(n_steps, -1)
    if asked == "inner" or not own.any():
        return None, silent
    if asked == "auto" and len(at):  # the file's line, as far as it is still there
        if reading.melody == "inner":
            return None, silent
        outer = top_line(own) if reading.melody == "top" else bottom_line(own)
        moved = _fitted(written, n_steps)
        moved = np.where(moved >= 0, moved + reading.shift, -1)
        still = (moved >= 0) & (moved < 128) & own[0, np.arange(n_steps), np.clip(moved, 0, 127)]
        return reading.melody, np.where(still, moved, np.where(moved >= 0, outer, -1))
    role: Role = "top"
    if asked == "auto":
        if int(np.count_nonzero(own[0], axis=1).max()) > 1:
            return None, silent
        line = top_line(own)
        role = "bass" if line[line >= 0].mean() - reading.shift < BASS_BELOW else "top"
    elif asked == "bass":
        role = "bass"
    return role, top_line(own) if role == "top" else bottom_line(own)


def _fitted(line: Int[np.ndarray, " step"], n_steps: int) -> Int[np.ndarray, " step"]:
    """A line cut or lengthened to so many steps."""
    fitted: np.ndarray = np.full(n_steps, -1)
    fitted[: min(len(line), n_steps)] = line[:n_steps]
    return fitted
