"""Real chorales with about one note in twenty put wrong, in known ways.

Ways are those of `KINDS`:

semitone, tone, octave  one cell of a note is moved by that
shifted                 a note begins a sixteenth early or ends a sixteenth late, at the cost of its neighbour
wrong pitch             a whole note is moved by 1 to 7 semitones
off beat                a whole note is moved by one or two sixteenths: it leaves silence and cuts its neighbour short
missing                 a whole note falls silent

A *note* is a run of one pitch in one voice of the score. A note of the damaged score is wrong if any cell of it
should not sound, and good otherwise; so what is left of a note around a wrong cell is good.

What decides how figures may be read:

1. Damage that leaves no trace on the roll is drawn anew: no cell that a mistake silences or sounds is doubled by
   another voice. The true pitch of a damaged note is hence never in unison; 8 % of Bach's steps have one.
2. Mistakes of a voice have two other notes between them at least. A piece may thus have fewer than `share` asks for.

Training damages rolls in other ways (`edits.damage`); here whole scores are, and it is known what became of each note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ripieno.music.roll import VoiceNote, Voices, notes_of_voices, roll_of_voices
from ripieno.shapes import Bool, Int

CELL_KINDS = ("semitone", "tone", "octave", "shifted")
NOTE_KINDS = ("wrong pitch", "off beat", "missing")
KINDS = CELL_KINDS + NOTE_KINDS

SEMITONES = {"semitone": 1, "tone": 2, "octave": 12}
LOWEST, HIGHEST = 36, 81  # what the JSB Chorales span
APART = 3  # notes of a voice from one mistake to the next, at the least


@dataclass(frozen=True)
class Mistake:
    """One damaged note.

    now: the note that sounds wrong, as it stands in the damaged score; None where one is missing.
    was: the true note.
    cells: (step, pitch) that must be right again before it counts as restored.
    """

    now: VoiceNote | None
    was: VoiceNote
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Damaged:
    """A score with mistakes. `notes` are all that sound in it, `wrong` which of these should not."""

    kind: str
    voices: Voices
    truth: Voices
    mistakes: tuple[Mistake, ...]
    notes: tuple[VoiceNote, ...]
    wrong: Bool[np.ndarray, " note"]

    @property
    def good(self) -> list[VoiceNote]:
        """The notes of which every cell is right."""
        return [note for note, wrong in zip(self.notes, self.wrong, strict=True) if not wrong]


def damage(voices: Voices, kind: str, share: float, rng: Generator) -> Damaged:
    """Put some notes of a score wrong, all in the same way.

    Args:
        voices: left untouched.
        kind: one of `KINDS`.
        share: of the notes to damage; at least one is.
        rng: the only source of chance.

    Raises:
        ValueError: no such kind, `share` is not above 0 and up to 1, or no note can be damaged so.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and up to 1, not {share}")
    notes = notes_of_voices(voices)
    n_wanted = max(1, round(share * len(notes)))
    now = voices.copy()
    chosen: list[int] = []
    mistakes: list[Mistake] = []
    for i in np.tile(rng.permutation(len(notes)), 8).tolist():  # another draw may suit a note that the first did not
        if len(mistakes) == n_wanted:
            break
        note = notes[i]
        if any(notes[j].voice == note.voice and abs(i - j) < APART for j in chosen):
            continue
        hurt = _hurt(note, now[:, note.voice], kind, rng)
        mistake = hurt and _mistake(note, *hurt, now, voices)
        if hurt and mistake:
            now[:, note.voice] = hurt[0]
            chosen.append(i)
            mistakes.append(mistake)
    if not mistakes:
        raise ValueError(f"no note can be damaged in the way {kind!r} here: give a piece with more, or longer, notes")
    sounding = notes_of_voices(now)
    true_cells = roll_of_voices(voices)[0]
    wrong = np.array([not true_cells[note.steps, note.pitch].all() for note in sounding], dtype=bool)
    return Damaged(kind, now, voices, tuple(sorted(mistakes, key=lambda one: one.was)), tuple(sounding), wrong)


def _hurt(
    note: VoiceNote, line: Int[np.ndarray, " step"], kind: str, rng: Generator
) -> tuple[Int[np.ndarray, " step"], VoiceNote | None] | None:
    """The voice with this note damaged, and the note that then sounds wrong; None where it cannot be."""
    line = line.copy()
    if kind == "missing":
        line[note.steps] = -1
        return line, None
    if kind in SEMITONES or kind == "wrong pitch":
        size = SEMITONES[kind] if kind in SEMITONES else int(rng.integers(1, 8))
        pitch = note.pitch + size * int(rng.choice([-1, 1]))
        onset, end = note.onset, note.end
        if kind in SEMITONES:
            onset = int(rng.integers(note.onset, note.end))
            end = onset + 1
    else:
        by = int(rng.choice([-1, 1] if kind == "shifted" else [-2, -1, 1, 2]))
        onset, end, pitch = note.onset + by, note.end + by, note.pitch
        # the neighbour that it runs into must be a note, and keep at least one step
        first, last = (onset - 1, note.onset) if by < 0 else (note.end, end + 1)
        if first < 0 or last > len(line) or line[first] < 0 or (line[first:last] != line[first]).any():
            return None
        if kind == "off beat":
            line[note.steps] = -1
        else:
            onset, end = min(onset, note.onset), max(end, note.end)
    line[onset:end] = pitch
    return line, VoiceNote(note.voice, onset, end, pitch)


def _mistake(
    was: VoiceNote, line: Int[np.ndarray, " step"], stands: VoiceNote | None, now: Voices, truth: Voices
) -> Mistake | None:
    """What the change of a voice comes to; None if it leaves the range, hides in a unison or joins its neighbour."""
    cells = {(step, was.pitch) for step in range(was.onset, was.end)}
    others = np.delete(np.concatenate([now, truth], axis=1), [was.voice, was.voice + now.shape[1]], axis=1)
    for step in np.flatnonzero(line != now[:, was.voice]).tolist():
        for pitch in {int(line[step]), int(now[step, was.voice])} - {-1}:
            if not LOWEST <= pitch <= HIGHEST or pitch in others[step]:
                return None
            cells.add((step, pitch))
    if stands is not None:
        beyond = [step for step in (stands.onset - 1, stands.end) if 0 <= step < len(line)]
        if (line[beyond] == stands.pitch).any():
            return None
    return Mistake(stands, was, tuple(sorted(cells)))
