"""The notes of a piece as they are heard: in seconds, at the tempo that the piece has or another one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ripieno.music.piece import NewPart, Piece, Revision, Tempo, remaining_notes
from ripieno.music.roll import STEPS_PER_BEAT

DEFAULT_BPM = 120.0  # what a file without a tempo is played at


@dataclass(frozen=True, order=True, kw_only=True)
class SoundingNote:
    """A note as it is heard. `part` only says what sounds together; lower numbers stand further left."""

    onset_seconds: float
    duration_seconds: float
    pitch: int
    velocity: int = 80
    part: int = 0
    program: int = 0  # General MIDI, for a SoundFont; the organ has one sound
    is_drums: bool = False


@dataclass(frozen=True)
class Clock:
    """Steps to seconds."""

    steps: tuple[float, ...]  # where each tempo begins; the first is 0
    seconds: tuple[float, ...]  # the time there
    seconds_per_step: tuple[float, ...]

    def at(self, step: Fraction | float) -> float:
        """The time of a step of the file."""
        i = bisect_right(self.steps, float(step)) - 1
        return self.seconds[i] + (float(step) - self.steps[i]) * self.seconds_per_step[i]


def clock_of(tempos: Sequence[Tempo], bpm: float | None = None) -> Clock:
    """A clock that keeps to some tempos, or to one throughout.

    Args:
        tempos: in any order; before the first, and without any, it is `DEFAULT_BPM`.
        bpm: quarter notes a minute, in place of all tempos.
    """
    changes = [(0.0, DEFAULT_BPM if bpm is None else bpm)]
    if bpm is None:
        for tempo in sorted(tempos, key=lambda tempo: tempo.step):
            if float(tempo.step) <= changes[-1][0]:
                changes.pop()
            changes.append((max(float(tempo.step), 0.0), tempo.bpm))
    steps, seconds, paces = [], [0.0], []
    for i, (step, tempo_bpm) in enumerate(changes):
        paces.append(60 / tempo_bpm / STEPS_PER_BEAT)
        steps.append(step)
        if i + 1 < len(changes):
            seconds.append(seconds[-1] + (changes[i + 1][0] - step) * paces[-1])
    return Clock(tuple(steps), tuple(seconds), tuple(paces))


def sounding_notes(
    piece: Piece, revision: Revision | None = None, new_parts: Sequence[NewPart] = ()
) -> list[SoundingNote]:
    """What one hears of a piece, in the order of time, from the first note on.

    Args:
        piece: a note of no length, and what lies before the file's beginning, is not heard.
        revision: says which of the piece's own notes are dropped or shortened, and the tempo, if it is another.
        new_parts: the notes that were added.
    """
    revision = revision or Revision()
    clock = clock_of(piece.tempos, revision.bpm)
    found = []
    for note in remaining_notes(piece, revision):
        part = piece.parts[note.part]
        span = clock.at(note.onset), clock.at(note.end)
        found.append((span, note.pitch, note.velocity, note.part, part.program, part.is_drums))
    for number, new in enumerate(new_parts, start=len(piece.parts)):
        for added in new.notes:
            span = clock.at(added.onset), clock.at(added.end)
            found.append((span, added.pitch, new.velocity, number, new.program, False))
    begin = min((span[0] for span, *_ in found), default=0.0)
    return sorted(
        SoundingNote(
            onset_seconds=first - begin,
            duration_seconds=end - first,
            pitch=pitch,
            velocity=velocity,
            part=part_number,
            program=program,
            is_drums=is_drums,
        )
        for (first, end), pitch, velocity, part_number, program, is_drums in found
        if end > first
    )
