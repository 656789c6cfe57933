"""What a model of voices expects in each note's place, given all the others: Coconet with one note blanked at a time.

`evaluation.repair.leave_one_out` does the same for four voices that are all known. Here voices may be missing: a melody
alone is a soprano whose other voices the model must imagine.  (Paper 6, its baseline put to another use)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ripieno.models.runtime import Fill
from ripieno.shapes import Bool, Float, Int

N_VOICES = 4
# which of the model's four voices sing where there are fewer
COLUMNS = {1: (0,), 2: (0, 3), 3: (0, 1, 3), 4: (0, 1, 2, 3)}
LEAST = -40.0  # no log probability counts for less

Voices = Int[np.ndarray, "step voice"]


@dataclass(frozen=True, order=True)
class Sung:
    """A note of a voice, from step `onset` up to, not including, `end`."""

    voice: int
    onset: int
    end: int
    pitch: int

    @property
    def steps(self) -> slice:
        """Where it sounds."""
        return slice(self.onset, self.end)


def sung_notes(voices: Voices, onsets: Bool[np.ndarray, "step voice"] | None = None) -> list[Sung]:
    """The notes of every voice, voice by voice; where `onsets` says so, also a repeated one."""
    found = []
    for voice, line in enumerate(voices.T):
        begins = np.ones(len(line), dtype=bool)
        begins[1:] = line[1:] != line[:-1]
        if onsets is not None:
            begins |= onsets[:, voice]
        starts = np.flatnonzero(begins)
        for first, end in zip(starts.tolist(), [*starts[1:].tolist(), len(line)], strict=True):
            if line[first] >= 0:
                found.append(Sung(voice, first, end, int(line[first])))
    return found


def expected(
    fill: Fill,
    voices: Voices,
    notes: Sequence[Sung],
    columns: Sequence[int] | None = None,
    reach: int = 24,
    batch: int = 64,
) -> Float[np.ndarray, "note pitch"]:
    """Mean log probability, over the steps of each note, of every pitch being sung there in its place.

    Args:
        fill: the model.
        voices: of one to four; voice 0 the highest. What rests is not known to the model.
        notes: blanked one at a time.
        columns: which of the model's voices these are; `COLUMNS` says unless given.
        reach: steps on either side that the model is shown; its convolutions reach no further than 22.
        batch: windows in a pass.
    """
    columns = COLUMNS[voices.shape[1]] if columns is None else columns
    n_steps = len(voices)
    order = sorted(range(len(notes)), key=lambda i: notes[i].end - notes[i].onset)  # so that a pass is about as long
    result = np.zeros((len(notes), 128))
    for begin in range(0, len(order), batch):
        some = [notes[i] for i in order[begin : begin + batch]]
        length = min(max(note.end - note.onset for note in some) + 2 * reach, n_steps)
        pitches = np.full((len(some), length, N_VOICES), -1)
        starts = [min(max(note.onset - reach, 0), n_steps - length) for note in some]
        for row, (start, note) in enumerate(zip(starts, some, strict=True)):
            pitches[row][:, columns] = voices[start : start + length]
            pitches[row, max(note.onset - start, 0) : note.end - start, columns[note.voice]] = -1
        log_p = fill(pitches, pitches >= 0)
        for row, (start, note) in enumerate(zip(starts, some, strict=True)):
            here = log_p[row, max(note.onset - start, 0) : note.end - start, columns[note.voice]]
            result[order[begin + row]] = np.maximum(here, LEAST).mean(axis=0)
    return result
