"""Notes of the user's that are a semitone or a sixteenth off, found and put right.

For each note there are four things that could be meant: a semitone lower or higher, a sixteenth earlier or later. How
probable each is, a logistic regression says from what is known of it: whether ES-Net, asked about the piece and four
transpositions of it, would take the note back and write that one instead, what Coconet expects in its place when it is
blanked, whether it lies in the key of all the other notes, and how it stands in time: on which sixteenth of its beat,
with what gaps and what lengths beside it. Its weights lie in `models/bundled/fix.json`, made by `python -m
benchmarks.fix fit`.

The most probable changes are made first; then everything is looked at again, since beside a wrong note right ones look
wrong. The paper lets its model take back the user's notes one cell at a time (5); people get whole notes wrong.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.export import check_target
from ripieno.files.door import MIDI, MUSICXML
from ripieno.files.midi import write_midi
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.write import write_musicxml
from ripieno.files.reader import opened
from ripieno.models.context import context_of_reading
from ripieno.models.runtime import CoconetModel, Model, load_coconet, load_model, the_separator
from ripieno.music.harmony import class_shares, identify_key, key_fits, key_name, note_name, usable
from ripieno.music.piece import Piece, Revision, Span, roll_of_piece
from ripieno.music.roll import N_PITCHES, VoiceNote, notes_of_voices
from ripieno.music.singers import Singers, singers_of
from ripieno.music.understanding import Reading, understand
from ripieno.sampling.expectation import averaged_change_probabilities, expected_pitches
from ripieno.shapes import Float

SURE = 0.4  # a change is made if it is at least so probable; chosen on melodies of valid
MOST = 0.25  # share of the notes that are changed at the most, unless another is asked for
N_ROUNDS = 3  # how often everything is looked at again
WAYS = ("pitch", "time")  # in which a note may be off
KEYS_APART = 12.0  # how many nats a difference of 1 in how well two keys fit counts for
AWAY = (-32, -16, 16, 32)  # steps to where a tune may say the same again
WIDE = 7  # semitones; what is wider stands out in a melody


@dataclass(frozen=True)
class Candidate:
    """One thing that a note could be meant as; `features` are what speaks for and against it."""

    note: int  # Note.id
    kind: str  # of WAYS
    by: int  # semitones, or sixteenths: -1 or 1
    features: Mapping[str, float]


@dataclass(frozen=True)
class Correction:
    """One note put right."""

    note: int  # Note.id
    kind: str
    by: int
    sure: float  # 0 to 1
    place: str  # "bar 3, beat 2", where it was
    text: str  # one line: what was changed, and why


@dataclass(frozen=True)
class Fixed:
    """A piece with some of its notes put right. `piece` keeps the ids, and the source, of the one that came in."""

    piece: Piece
    reading: Reading
    corrections: tuple[Correction, ...]
    n_further: int  # changes that would have been made next if more had been allowed; after them others might be
    revision: Revision  # what to write of the piece that came in

    def summary(self, only_told: bool = False) -> str:
        """What was done, in a line."""
        n = len(self.corrections)
        notes = f"{n} note{'' if n == 1 else 's'} of {len(self.piece.notes)}"
        more = f"; at least {self.n_further} more could be, with a higher --max-changes" if self.n_further else ""
        return f"{notes} {'would be ' if only_told else ''}changed{more}"


def fix(
    piece: Piece | str | Path,
    *,
    model: Model | None = None,
    fill: CoconetModel | None = None,
    most: int | float = MOST,
    sure: float = SURE,
    bars: tuple[int, int] | None = None,
    name: str | None = None,
    **reading_options: Any,
) -> Fixed:
    """Put notes right that are a semitone or a sixteenth off.

    Args:
        piece: left untouched; or the path of its file.
        model, fill: the bundled ones unless given.
        most: notes that may be changed: a number, or a share of them.
        sure: how probable a change must be, above 0 and up to 1.
        bars: first and last bar to look at.
        name: what errors call the piece, unless its file's.
        reading_options: `key`, `meter`, `pickup`, `melody`, as `understand` takes them.

    Raises:
        BadInput: the options do not fit the piece.
    """
    if not 0 < sure <= 1:
        raise BadInput(f"how sure it must be is a share from 0 to 1, such as 0.6, not {sure:g}")
    model, fill = model or load_model(), fill or load_coconet()
    piece, name = opened(piece, name)
    reading = understand(
        piece, name=name, bars=bars, lowest=model.lowest_pitch, highest=model.highest_pitch, **reading_options
    )
    allowed = int(most * len(piece.notes) + 1e-9) if isinstance(most, float) else most
    now = piece
    made: dict[int, Correction] = {}
    n_further = 0
    for _ in range(N_ROUNDS):
        singers = singers_of(now, reading, the_separator())
        found = [
            (chance, candidate)
            for candidate, chance in rated(candidates(now, reading, singers, model, fill))
            if chance >= sure and candidate.note not in made and _within(now, candidate, reading)
        ]
        taken: set[int] = set()
        n_further = 0
        for chance, candidate in sorted(found, key=lambda one: (-one[0], one[1].note)):
            if taken & _around(candidate, singers):
                continue  # its neighbour has just been changed: it is to be looked at again
            if len(made) >= allowed:
                n_further += 1
                continue
            changed = _applied(now, candidate, singers)
            if changed is None:
                continue
            made[candidate.note] = _correction(now, candidate, chance, reading)
            now = changed
            taken |= _around(candidate, singers)
        if not taken or n_further:
            break
    corrections = sorted(made.values(), key=lambda one: (piece.notes[one.note].onset, piece.notes[one.note].part))
    return Fixed(now, reading, tuple(corrections), n_further, _revision(piece, now))


def write_fixed(piece: Piece, fixed: Fixed, path: Path) -> list[str]:
    """Write a piece with its changes: its own file, patched.

    Args:
        piece: the one that was mended, as it came in.
        fixed: what was done to it.
        path: its suffix says what.

    Returns:
        What a reader should hear.

    Raises:
        BadInput: the file cannot be written there, or as something else than music, or it is the one that the piece
            was read from.
    """
    check_music_target(path)
    check_target(path, piece.path)
    suffix = path.suffix.lower()
    is_score = isinstance(piece.source, MusicXmlSource)
    if suffix in MIDI:
        if is_score:
            return write_midi(replace(fixed.piece, source=None), path)
        return write_midi(piece, path, fixed.revision)
    if not is_score:
        return write_musicxml(replace(fixed.piece, source=None), path)
    in_time = [one for one in fixed.corrections if one.kind == "time"]
    remarks = write_musicxml(piece, path, replace(fixed.revision, touched={}))
    if in_time:
        remarks.append(f"{len(in_time)} of these changes are in time: a score keeps its rhythm, change them by hand")
    return remarks


def check_music_target(path: Path) -> None:
    """Refuse a file name that a mended piece cannot be written to.

    Raises:
        BadInput: its suffix says something else than music.
    """
    if path.suffix.lower() not in (*MIDI, *MUSICXML):
        raise BadInput(f"{path.name}: a mended piece is music again; name it {path.stem}.mid or {path.stem}.musicxml")


def _within(piece: Piece, candidate: Candidate, reading: Reading) -> bool:
    step = piece.notes[candidate.note].steps.start - reading.start
    return bool(reading.selection.start <= step < reading.selection.stop)


# --- what a note could be meant as


def candidates(
    piece: Piece, reading: Reading, singers: Singers, model: Model, fill: CoconetModel
) -> Iterator[Candidate]:
    """Everything that each note of each voice could be meant as, with what speaks for it and against it."""
    n_steps = reading.n_steps
    cells = roll_of_piece(piece, reading.start, n_steps, reading.shift, n_planes=model.n_planes)
    context = context_of_reading(reading)
    chance = averaged_change_probabilities(model, cells, context)[0]
    log_chance = np.log(np.maximum(chance, 1e-5))
    moved = np.where(singers.voices >= 0, singers.voices + reading.shift, -1)
    notes = notes_of_voices(moved, singers.onsets)
    columns = (3,) if moved.shape[1] == 1 and reading.melody == "bass" else None
    expects = expected_pitches(fill, moved, notes, columns=columns)
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += note.end - note.onset
    last = max((note.end for note in notes), default=0)
    finals = [note for note in notes if note.end == last]
    tune = _Tune(notes)
    seen: set[int] = set()
    for i, note in enumerate(notes):
        identity = int(singers.ids[note.onset, note.voice])
        if identity in seen:  # sung by two voices in unison
            continue
        seen.add(identity)
        before = notes[i - 1] if i and notes[i - 1].voice == note.voice else None
        after = notes[i + 1] if i + 1 < len(notes) and notes[i + 1].voice == note.voice else None
        own = weights.copy()
        own[note.pitch % 12] -= note.end - note.onset
        final = finals[-1].pitch if finals[-1] != note else None
        in_key = usable(identify_key(own, final)) if reading.is_key_guessed else usable(reading.key, reading.shift)
        fits = _class_fits(own, final)
        place = _Place(note, before, after, n_steps, reading.beat_phase)
        for by in (-1, 1):
            if 0 <= note.pitch + by < N_PITCHES:
                features = _pitch_features(place, by, log_chance, expects[i], in_key)
                for name, pitch in (("", note.pitch), ("new ", note.pitch + by)):
                    features |= {
                        f"{name}class": float(fits[pitch % 12]),
                        f"{name}heard": min(own[pitch % 12] / 4, 2.0),
                        **{f"{name}{echo}": value for echo, value in tune.echoes(i, pitch).items()},
                    }
                yield Candidate(identity, "pitch", by, features)
            if note.onset + by >= 0 and note.end + by <= n_steps:
                yield Candidate(identity, "time", by, _time_features(place, by, log_chance, expects[i]))


def _class_fits(weights: Float[np.ndarray, " pitch_class"], final: int | None) -> Float[np.ndarray, " pitch_class"]:
    """How probable each pitch class is, as a logarithm, over all the keys that all the other notes may be in."""
    fits = key_fits(weights, final)
    keys = np.exp(KEYS_APART * (fits - fits.max()))
    return np.asarray(np.log(np.tensordot(keys / keys.sum(), class_shares(), axes=2)))


class _Tune:
    """Where a tune says a thing twice: what else stands between the same neighbours, and a bar or two away."""

    def __init__(self, notes: Sequence[VoiceNote]) -> None:
        self.notes = notes
        self.by_onset = {(note.voice, note.onset): i for i, note in enumerate(notes)}
        self.repeated = {
            j
            for j, (one, other) in enumerate(pairwise(notes), start=1)
            if (one.voice, one.pitch) == (other.voice, other.pitch)
        }
        self.between: dict[tuple[int | None, int, int | None], Counter[int]] = {}  # pitches
        for i in range(len(notes)):
            before, after = self._neighbours(i)
            for place in {(before, after), (before, None), (None, after)}:
                self.between.setdefault((place[0], notes[i].voice, place[1]), Counter())[notes[i].pitch] += 1

    def _neighbours(self, i: int) -> tuple[int | None, int | None]:
        voice = self.notes[i].voice
        before = self.notes[i - 1].pitch if i and self.notes[i - 1].voice == voice else None
        after = self.notes[i + 1].pitch if i + 1 < len(self.notes) and self.notes[i + 1].voice == voice else None
        return before, after

    def echoes(self, i: int, pitch: int) -> dict[str, float]:
        """How far a pitch in the place of a note is borne out by the rest of the tune."""
        note = self.notes[i]
        before, after = self._neighbours(i)

        def times(left: int | None, right: int | None) -> float:
            n = self.between[left, note.voice, right][pitch] - (note.pitch == pitch)  # it stands there itself
            return float(min(n, 2))

        away = [
            self.notes[j].pitch == pitch
            for by in AWAY
            if (j := self.by_onset.get((note.voice, note.onset + by))) is not None
        ]
        return {
            "between": times(before, after) if before is not None and after is not None else 0.0,
            "follows": times(before, None) if before is not None else 0.0,
            "leads": times(None, after) if after is not None else 0.0,
            "a bar away": float(min(sum(away), 2)),
            "repeats as others": float(pitch in (before, after) and self._others_repeat(i)),
        }

    def _others_repeat(self, i: int) -> bool:
        """Whether notes are repeated elsewhere in the tune; in some corpora they never are."""
        return bool(len(self.repeated) - (i in self.repeated) - (i + 1 in self.repeated))


@dataclass(frozen=True)
class _Place:
    """A note between its neighbours in a voice."""

    note: VoiceNote
    before: VoiceNote | None
    after: VoiceNote | None
    n_steps: int
    beat_phase: int

    def sixteenth(self, step: int) -> int:
        return (step + self.beat_phase) % 4


def _pitch_features(
    place: _Place,
    by: int,
    log_chance: Float[np.ndarray, "step pitch"],
    expects: Float[np.ndarray, " pitch"],
    in_key: set[int],
) -> dict[str, float]:
    note = place.note
    new = note.pitch + by
    features = {
        "removal": float(log_chance[note.steps, note.pitch].mean()),
        "addition": float(log_chance[note.steps, new].mean()),
        "expected": float(expects[note.pitch]),
        "new expected": float(expects[new]),
        "new below the best": float(expects[new] - expects.max()),
        "in key": note.pitch % 12 in in_key,
        "new in key": new % 12 in in_key,
        "upwards": by > 0,
    }
    for name, pitch in (("", note.pitch), ("new ", new)):
        sizes = [abs(pitch - other.pitch) for other in (place.before, place.after) if other is not None]
        features |= {
            f"{name}repeats": sum(size == 0 for size in sizes),
            f"{name}semitones": sum(size == 1 for size in sizes),
            f"{name}tritones": sum(size == 6 for size in sizes),
            f"{name}wide leaps": sum(size > WIDE for size in sizes),
            f"{name}movement": sum(min(size, 12) for size in sizes) / 2,
        }
    return features


def _time_features(
    place: _Place, by: int, log_chance: Float[np.ndarray, "step pitch"], expects: Float[np.ndarray, " pitch"]
) -> dict[str, float]:
    note = place.note
    gap_before = note.onset - (place.before.end if place.before else 0)
    gap_after = (place.after.onset if place.after else place.n_steps) - note.end
    length_before = place.before.end - place.before.onset if place.before else 0
    length_after = place.after.end - place.after.onset if place.after else 0
    # ahead: on the side to which it would be moved; behind: on the other
    ahead, behind = (gap_before, gap_after) if by < 0 else (gap_after, gap_before)
    length_ahead, length_behind = (length_before, length_after) if by < 0 else (length_after, length_before)
    begin, end, length = place.sixteenth(note.onset), place.sixteenth(note.end), note.end - note.onset
    new_begin, new_end = place.sixteenth(note.onset + by), place.sixteenth(note.end + by)
    features = {
        "removal": float(log_chance[note.steps, note.pitch].mean()),
        "addition": float(log_chance[note.onset - 1 if by < 0 else note.end, note.pitch])
        if 0 <= (note.onset - 1 if by < 0 else note.end) < place.n_steps
        else -5.0,
        "left": float(log_chance[note.end - 1 if by < 0 else note.onset, note.pitch]),
        "expected": float(expects[note.pitch]),
        "gap ahead of one": ahead == 1,
        "gap ahead": ahead > 1,
        "no gap ahead": ahead <= 0,
        "gap behind of one": behind == 1,
        "gap behind": behind > 1,
        "odd length": length % 2 == 1 and length > 1,
        "one long": length == 1,
        "two long": length == 2,
        "whole beats long": length % 4 == 0,
        "one long ahead": length_ahead == 1,
        "three long ahead": length_ahead == 3,
        "odd length ahead": length_ahead in (5, 7),
        "one long behind": length_behind == 1,
        "three long behind": length_behind == 3,
        "odd length behind": length_behind in (5, 7),
        "towards an eighth, into a gap": ahead >= 1 and begin % 2 == 1,
        "into a gap beside an odd length": ahead >= 1 and length_behind % 2 == 1,
        "both ends off": begin % 2 == 1 and end % 2 == 1,
        "long and off": begin % 2 == 1 and length >= 4,
        "note before off": place.before is not None and place.sixteenth(place.before.onset) % 2 == 1,
        "note after off": place.after is not None and place.sixteenth(place.after.onset) % 2 == 1,
    }
    for name, sixteenth in (("begins", begin), ("new begins", new_begin), ("ends", end), ("new ends", new_end)):
        for which in (1, 2, 3):
            features[f"{name} on {which + 1}"] = sixteenth == which
    return features


# --- how probable each is


@lru_cache(maxsize=1)
def _weights() -> dict[str, dict[str, float]]:
    text = (resources.files("ripieno.models") / "bundled" / "fix.json").read_text(encoding="utf-8")
    weights: dict[str, dict[str, float]] = json.loads(text)["weights"]
    return weights


def rated(
    found: Iterator[Candidate] | Sequence[Candidate], weights: Mapping[str, Mapping[str, float]] | None = None
) -> Iterator[tuple[Candidate, float]]:
    """How probable it is that each candidate is what was meant."""
    weights = weights or _weights()
    for one in found:
        own = weights[one.kind]
        total = own["bias"] + sum(own[name] * value for name, value in one.features.items())
        yield one, float(1 / (1 + np.exp(-np.clip(total, -50, 50))))


# --- making a change


def _around(candidate: Candidate, singers: Singers) -> set[int]:
    """A note and its neighbours in its voice."""
    steps, voices = np.nonzero(singers.ids == candidate.note)
    voice = int(voices[0])
    line = singers.ids[:, voice]
    earlier, later = line[: steps.min()], line[steps.max() + 1 :]
    found = {candidate.note}
    found |= set(earlier[earlier >= 0][-1:].tolist()) | set(later[later >= 0][:1].tolist())
    return found


def _applied(piece: Piece, candidate: Candidate, singers: Singers) -> Piece | None:
    """The piece after a change; None if there is no room for it."""
    notes = list(piece.notes)
    note = notes[candidate.note]
    if candidate.kind == "pitch":
        notes[note.id] = replace(note, pitch=note.pitch + candidate.by)
        return replace(piece, notes=tuple(notes))
    neighbours = [notes[i] for i in _around(candidate, singers) if i != note.id and notes[i].part == note.part]
    onset, end = note.onset + candidate.by, note.end + candidate.by
    if onset < 0:
        return None
    for other in neighbours:
        is_before = other.onset < note.onset
        if is_before and other.end > onset:  # it is in the way: it ends earlier
            if other.onset >= onset:
                return None
            notes[other.id] = replace(other, duration=onset - other.onset)
        elif is_before and other.end == note.onset and candidate.by > 0:  # it had been cut short
            notes[other.id] = replace(other, duration=onset - other.onset)
        elif not is_before and other.onset < end:
            end = other.onset
        elif not is_before and other.onset == note.end and candidate.by < 0:
            notes[other.id] = replace(other, onset=end, duration=other.end - end)
    if end <= onset:
        return None
    notes[note.id] = replace(note, onset=onset, duration=end - onset)
    return replace(piece, notes=tuple(notes))


def _correction(piece: Piece, candidate: Candidate, chance: float, reading: Reading) -> Correction:
    note = piece.notes[candidate.note]
    step = note.steps.start - reading.start
    place = reading.place(step)
    name = note_name(note.pitch, reading.key, short=True)
    features = candidate.features
    if candidate.kind == "pitch":
        new = note_name(note.pitch + candidate.by, reading.key, short=True)
        what = f"{name} becomes {new}"
        if not features["in key"] and features["new in key"]:
            why = f"{name} is not in {key_name(reading.key)}"
        elif features["new expected"] > features["expected"] + 1:
            why = f"beside the other notes {new} is {_times(features['new expected'] - features['expected'])} as likely"
        else:
            why = "the model would take it back"
    else:
        to = reading.place(max(step + candidate.by, 0)).rpartition(", ")[2]
        what = f"{name} moves to {to}, a sixteenth {'earlier' if candidate.by < 0 else 'later'}"
        if features["towards an eighth, into a gap"]:
            why = "it begins off the beat, beside a gap"
        elif features["both ends off"]:
            why = "it begins and ends off the beat"
        else:
            why = "the rhythm around it asks for it"
    return Correction(
        note.id, candidate.kind, candidate.by, chance, place, f"{place}: {what} ({why}; {chance:.0%} sure)"
    )


def _times(nats: float) -> str:
    times = float(np.exp(min(nats, 9)))
    return f"{times:.0f} times" if times < 100 else "over 100 times"


def _revision(before: Piece, after: Piece) -> Revision:
    """What a writer has to know of the notes that differ."""
    pairs = list(zip(before.notes, after.notes, strict=True))
    return Revision(
        touched={
            old.id: (Span(Fraction(new.onset), Fraction(new.end)),)
            for old, new in pairs
            if (old.onset, old.end) != (new.onset, new.end)
        },
        pitches={old.id: new.pitch for old, new in pairs if old.pitch != new.pitch},
    )
