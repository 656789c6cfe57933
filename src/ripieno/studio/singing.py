"""Who sings what in a piece of the studio, and where a voice that is written anew may go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.notes import OwnedNote, note_at, owned_notes
from ripieno.music.roll import RollNote, Voices
from ripieno.music.voices import NAMES, RANGES
from ripieno.sampling.mending import STRETCH
from ripieno.shapes import Bool
from ripieno.studio import messages as wire

VOICES: tuple[wire.Voice, ...] = ("soprano", "alto", "tenor", "bass")
APART = 4  # semitones that a voice keeps off the end of its range where no neighbour sings

SingerOf = dict[tuple[int, int], wire.Voice | None]  # by onset and pitch of the roll


def voices_in(sung: Voices) -> list[wire.Voice]:
    """Which voices the columns of a split are."""
    return [voice for voice in VOICES if voice.capitalize() in NAMES[sung.shape[1]]]


def who_sings(log: EditLog, sung: Voices) -> SingerOf:
    """Who sings each note, by onset and pitch: the voice that has most of it.

    Args:
        log: whose notes.
        sung: the pitch of each voice at each step, the highest voice first.
    """
    voices = voices_in(sung)
    found: SingerOf = {}
    for note in owned_notes(log):
        shares = (sung[note.onset : note.end] == note.pitch).sum(axis=0)
        best = int(shares.argmax())
        found[note.onset, note.pitch] = voices[best] if shares[best] else None
    return found


def in_unison(sung: Voices, voice: wire.Voice, sings: SingerOf, log: EditLog) -> Iterator[RollNote]:
    """Where a voice sings what counts as another one's note, stretch by stretch.

    Args:
        sung: the pitch of each voice at each step, the highest voice first.
        voice: whose unisons.
        sings: who sings each note.
        log: of the piece.
    """
    voices = voices_in(sung)
    if voice not in voices:
        return
    line = sung[:, voices.index(voice)]
    for note in owned_notes(log):
        if sings.get((note.onset, note.pitch)) in (None, voice):
            continue
        shared = np.flatnonzero(line[note.onset : note.end] == note.pitch) + note.onset
        for stretch in np.split(shared, np.flatnonzero(np.diff(shared) > 1) + 1):
            if len(stretch):
                yield RollNote(int(stretch[0]), note.pitch, len(stretch))


def voice_for(note: RollNote, sings: SingerOf, log: EditLog) -> wire.Voice | None:
    """Who would sing a note, by those who sing around it.

    Args:
        note: of the roll.
        sings: as far as it is known.
        log: of the piece.
    """
    others = []
    for (onset, pitch), voice in sings.items():
        if voice is not None and onset <= note.onset and pitch != note.pitch:
            there = note_at(log, note.onset, pitch)
            if there is not None and there.onset == onset:
                others.append((VOICES.index(voice), pitch))
    taken = {voice for voice, _ in others}
    free = [
        i
        for i in range(len(VOICES))
        if i not in taken and all(pitch > note.pitch if voice < i else pitch < note.pitch for voice, pitch in others)
    ]
    centres = [sum(RANGES[voice.capitalize()]) / 2 for voice in VOICES]
    return VOICES[min(free, key=lambda i: abs(centres[i] - note.pitch))] if free else None


def selected(
    request: wire.Regenerate, steps: slice, log: EditLog, locked: Bool[np.ndarray, "step pitch"], sings: SingerOf
) -> tuple[list[Edit], Bool[np.ndarray, "step pitch"], int | None]:
    """What a regeneration clears, where it may write, and how many notes at a step.

    Args:
        request: which voices, and whether the person's own notes too.
        steps: of its bars.
        log: of the piece.
        locked: where nothing may change.
        sings: who sings each note; needed only where voices are named.
    """
    n_steps = log.cells.shape[1]
    inside = np.zeros(n_steps, dtype=bool)
    inside[steps] = True
    cleared: list[Edit] = []
    stays: list[OwnedNote] = []
    for note in owned_notes(log):
        is_meant = not request.voices or sings.get((note.onset, note.pitch)) in request.voices
        if is_meant and (note.owner == "model" or request.including_mine):
            cleared += [
                Edit(0, step, note.pitch)
                for step in range(note.onset, note.end)
                if inside[step] and not locked[step, note.pitch]
            ]
        else:
            stays.append(note)
    if not request.voices:
        return cleared, np.repeat(inside[:, None], 128, axis=1), None
    reach: np.ndarray = np.zeros((n_steps, 128), dtype=bool)
    pitch = np.arange(128)
    for voice in request.voices:
        lowest, highest = RANGES[voice.capitalize()]
        above, below = _neighbours(voice)
        # up to a neighbour a voice may go to the end of its range and a little further; with none there it keeps
        # to the middle, or a bass would sing what a tenor should
        low = np.full(n_steps, lowest - STRETCH if voice == "bass" else lowest + APART)
        high = np.full(n_steps, highest + STRETCH if voice == "soprano" else highest - APART)
        for note in stays:
            other = sings.get((note.onset, note.pitch))
            if other is None:
                continue
            span = slice(note.onset, note.end)
            if other == voice:  # it sings already
                high[span] = -1
            elif VOICES.index(other) < VOICES.index(voice):
                free = high[span] if other != above else np.minimum(high[span] + APART + STRETCH, highest + STRETCH)
                high[span] = np.minimum(free, note.pitch - 1)
            else:
                free = low[span] if other != below else np.maximum(low[span] - APART - STRETCH, lowest - STRETCH)
                low[span] = np.maximum(free, note.pitch + 1)
        reach |= (pitch >= low[:, None]) & (pitch <= high[:, None])
    return cleared, reach & inside[:, None], len(request.voices)


def _neighbours(voice: wire.Voice) -> tuple[wire.Voice | None, wire.Voice | None]:
    """The voices above and below one."""
    i = VOICES.index(voice)
    return VOICES[i - 1] if i else None, VOICES[i + 1] if i + 1 < len(VOICES) else None
