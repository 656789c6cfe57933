"""The piano roll: which pitches sound at which step.  (Paper 3)

A roll is an array `bool (plane, step, pitch)`. `pitch` is the MIDI number, 0 to 127; a step is a sixteenth.
Plane 0 is *sounding*; two adjacent cells of a pitch are one held note. An optional plane 1, *re-struck*, is read
only where a pitch sounds at this step and the one before, and starts a new note there. Everything else in plane 1
is ignored, so every bit pattern is a roll.

Differences from the paper:
1. The paper's roll is the one-plane case, so it joins repeated notes. The second plane keeps them apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ripieno.shapes import Bool, Int

N_PITCHES = 128
STEPS_PER_BEAT = 4  # a step is a sixteenth, a beat here is a quarter
STEPS_PER_BAR = 16  # the paper's bar, used where a piece does not say better

Cells = Bool[np.ndarray, "plane step pitch"]
Voices = Int[np.ndarray, "step voice"]  # what each voice sings, -1 a rest


@dataclass(frozen=True, order=True)
class RollNote:
    """A run of cells: `pitch` sounds from step `onset` for `duration` steps."""

    onset: int
    pitch: int
    duration: int

    @property
    def end(self) -> int:
        """The first step after the note."""
        return self.onset + self.duration


@dataclass(frozen=True, order=True)
class VoiceNote:
    """A run of one pitch in one voice, from step `onset` up to, not including, `end`. Pitch -1 is a rest."""

    voice: int
    onset: int
    end: int
    pitch: int

    @property
    def steps(self) -> slice:
        """Where it sounds."""
        return slice(self.onset, self.end)


def silence(n_steps: int, n_planes: int = 1) -> Cells:
    """A roll in which nothing sounds."""
    return np.zeros((n_planes, n_steps, N_PITCHES), dtype=bool)


def attacks(cells: Cells) -> Bool[np.ndarray, "step pitch"]:
    """Where a note begins: a sounding cell after a silent one, or a re-struck one."""
    sounding = cells[0]
    held = np.zeros_like(sounding)
    held[1:] = sounding[1:] & sounding[:-1]
    if cells.shape[0] > 1:
        held &= ~cells[1]
    begins: Bool[np.ndarray, "step pitch"] = sounding & ~held
    return begins


def restrikable(cells: Cells) -> Bool[np.ndarray, "step pitch"]:
    """Where a pitch may be struck again: it sounds, and did on the step before."""
    sounding = cells[0]
    may: Bool[np.ndarray, "step pitch"] = np.zeros_like(sounding)
    may[1:] = sounding[1:] & sounding[:-1]
    return may


def notes_of(cells: Cells) -> list[RollNote]:
    """The notes of a roll, ordered by onset and then pitch."""
    sounding = cells[0]
    if not sounding.any():
        return []
    begins = attacks(cells)
    after = np.zeros_like(sounding)  # the cell that follows belongs to the same note
    after[:-1] = sounding[1:] & ~begins[1:]
    onsets = np.argwhere(begins.T)  # ordered by pitch, so that begins and ends pair up
    ends = np.argwhere((sounding & ~after).T)
    return sorted(
        RollNote(onset=int(first), pitch=int(pitch), duration=int(last - first + 1))
        for (pitch, first), (_, last) in zip(onsets, ends, strict=True)
    )


def roll_of(notes: Iterable[RollNote], n_steps: int, n_planes: int = 1) -> Cells:
    """Sound notes on a silent roll; what lies past its end is cut off."""
    cells = silence(n_steps, n_planes)
    for note in notes:
        cells[0, max(note.onset, 0) : max(note.end, 0), note.pitch] = True
        if n_planes > 1 and 0 <= note.onset < n_steps:
            cells[1, note.onset, note.pitch] = True
    return cells


def roll_of_voices(voices: Voices) -> Cells:
    """Merge voices, MIDI numbers with -1 a rest: who sings what is lost, and so is the second of two in unison."""
    cells = silence(len(voices))
    steps, columns = np.nonzero(voices >= 0)
    cells[0, steps, voices[steps, columns]] = True
    return cells


def notes_of_voices(
    voices: Voices, onsets: Bool[np.ndarray, "step voice"] | None = None, rests: bool = False
) -> list[VoiceNote]:
    """The notes of every voice, voice by voice.

    Args:
        voices: MIDI numbers, -1 a rest.
        onsets: where a repeated pitch begins a note of its own; nowhere unless given.
        rests: tell also where a voice falls silent.
    """
    found = []
    for voice, line in enumerate(voices.T):
        begins = np.ones(len(line), dtype=bool)
        begins[1:] = line[1:] != line[:-1]
        if onsets is not None:
            begins |= onsets[:, voice]
        starts = np.flatnonzero(begins).tolist()
        for first, end in zip(starts, [*starts[1:], len(line)], strict=False):  # an empty line has no start
            if rests or line[first] >= 0:
                found.append(VoiceNote(voice, first, end, int(line[first])))
    return found


def window(cells: Cells, start: int, n_steps: int) -> Bool[np.ndarray, "plane {n_steps} pitch"]:
    """Cut `n_steps` steps out of a roll; what lies before or past its ends is silent."""
    cut = silence(n_steps, cells.shape[0])
    first, last = max(start, 0), min(start + n_steps, cells.shape[1])
    if first < last:
        cut[:, first - start : last - start] = cells[:, first:last]
    return cut


def top_line(cells: Cells) -> Int[np.ndarray, " step"]:
    """The highest sounding pitch of each step, -1 where nothing sounds."""
    sounding = cells[0]
    return np.where(sounding.any(axis=1), sounding.shape[1] - 1 - sounding[:, ::-1].argmax(axis=1), -1)


def bottom_line(cells: Cells) -> Int[np.ndarray, " step"]:
    """The lowest sounding pitch of each step, -1 where nothing sounds."""
    sounding = cells[0]
    return np.where(sounding.any(axis=1), sounding.argmax(axis=1), -1)
