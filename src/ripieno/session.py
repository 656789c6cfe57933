"""One composition: a piece, an edit log, a policy and a model. Every interface drives this.  (Paper 5)

The piece's notes lie on a roll, moved by octaves if the model would not hear them otherwise; the log holds what was
done to that roll, by the user and by the model; on the way out the changes are read as notes and moved back to where
the piece is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog, UndoEntry
from ripieno.edits.notes import beginnings
from ripieno.edits.policy import Policy
from ripieno.errors import BadInput, NothingAllowed
from ripieno.files.midi import not_written, read_midi, write_midi
from ripieno.files.musicxml.read import SUFFIXES as MUSICXML_SUFFIXES
from ripieno.files.musicxml.read import is_musicxml, read_musicxml
from ripieno.files.musicxml.sheet import Label
from ripieno.files.musicxml.source import not_played, syllables_of
from ripieno.files.musicxml.write import musicxml_text, write_musicxml
from ripieno.files.picture.score import NEW_COLOUR, draw_score
from ripieno.files.picture.score import SUFFIXES as PICTURE_SUFFIXES
from ripieno.files.sound.notes import sounding_notes
from ripieno.files.sound.render import SUFFIXES as SOUND_SUFFIXES
from ripieno.files.sound.render import render, write_sound
from ripieno.models.context import context_of
from ripieno.models.runtime import Model, load_model, the_separator
from ripieno.music.analysis import beats_of, chords_asked, find_chords, roman
from ripieno.music.chords import PlacedChord, asked_of_steps
from ripieno.music.ensembles import arranged, check_arrangement, out_of_range, range_of, struck_on
from ripieno.music.harmony import note_name
from ripieno.music.piece import NewPart, Piece, Revision, Span, owners, revise, roll_of_piece, within_range
from ripieno.music.piece import n_steps as n_steps_of
from ripieno.music.roll import N_PITCHES, STEPS_PER_BEAT, RollNote, notes_of
from ripieno.music.understanding import Reading, blank, given_bass, lengthened, steps_of_bars, understand
from ripieno.music.voices import parts_of, place_within
from ripieno.sampling.ancestral import choose, compose, generator_at
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.lossless import compose_lossless
from ripieno.sampling.passes import Change, Sampler, alone
from ripieno.sampling.stopping import StopRule
from ripieno.sampling.voice_leading import CARES, COSTS, PARALLELS, Hopeless, is_mended, mend
from ripieno.shapes import Int

if TYPE_CHECKING:
    from ripieno.files.picture.roll import RollDrawing

TEMPERATURE = 0.8  # chosen on JSB valid: 1.0 has fewer triads and more sevenths than Bach (docs/log.md)
KEEPS_HEIGHT = True  # see `Policy`; a temperature below the model's own lifts the voices
QUALITY = "high"
LOSSLESS = "lossless"
STOP_RULE = StopRule()
MEND: dict[str, Mapping[str, float]] = {"faults": COSTS, "parallels": PARALLELS, "nothing": {}}
SUFFIXES = (".mid", ".midi", *MUSICXML_SUFFIXES, *PICTURE_SUFFIXES, *SOUND_SUFFIXES)
CHORDS_UNWRITTEN = "Chords are written into scores only (.musicxml, .mxl, and pictures with --as score)"
LOW_TUNE = (
    "The melody lies low, and the new parts lie beneath it: --melody inner takes it as a tenor, with voices above it"
)


def holds_chords(path: Path, as_score: bool) -> bool:
    """Whether chords are written into a file of this name."""
    return path.suffix.lower() in (*MUSICXML_SUFFIXES, *(PICTURE_SUFFIXES if as_score else ()))


@dataclass(frozen=True)
class Suggestion:
    """What the model would do next."""

    edit: Edit
    adds: bool  # else it takes back
    probability: float
    n_left: float  # edits that the model still expects
    text: str  # "add A4, bar 2, beat 3"


class Session:
    """A piece being written.

    Args:
        piece: what it begins from.
        model: a loaded model; the bundled one unless given.
        melody: "top", "bass", "inner", or a track by number or name; found by itself unless given.
        key, meter, pickup: what the piece does not say or says wrongly, as `understand` takes them.
        bpm: quarter notes a minute throughout, in place of what the piece says.
        bars: the first and last bar to compose in; the rest stays as it is.
        lock: bars, as (first, last), in which nothing may change.
        pitches: lowest and highest MIDI number of new notes.
        n_voices: how many notes may sound at once, yours included.
        chords: a chart of chords that new notes belong to, "Ab Eb7 | Fm | ..." from the first full bar on; "none" for
            no chords. Unless given, those that the file names.
        write_chords: "symbols" or "roman" writes the chords found in the finished piece into scores.
        ensemble: "choir", "strings", "winds" or "organ": who plays the new parts, and within what range.
        syllables: the new parts strike again on the melody's syllables, or, where it has none, on its notes.
        max_removals: how many of the piece's own notes may be changed: a number, or a share of them.
        max_additions: how many notes the model may add; None for as many as it likes.
        mend: what is put right in the model's notes when the piece is finished: "faults" of part-writing and a last
            chord that does not close, "parallels" alone, or "nothing".
        temperature: 1 is the model as it was trained; below the default safer, above it more daring.
        quality: "high"; "exact" looks at the piece anew for every edit, as the paper does, and takes ten times as long;
            "fast" takes less time still, and "lossless" is "exact" for a GPU (which "exact" becomes there).
        seed: the same seed gives the same music.
        name: what errors call the piece, for instance the name of its file.
        n_bars: length of a piece in which nothing is written yet; others are as long as their notes.
        n_planes: 2 keeps repeated notes of one pitch apart; as many as the model hears unless given.

    Raises:
        BadInput: the options do not fit the piece or one another.
    """

    def __init__(
        self,
        piece: Piece,
        *,
        model: Model | None = None,
        melody: str | None = None,
        key: str | None = None,
        meter: str | None = None,
        pickup: float | None = None,
        bpm: float | None = None,
        bars: tuple[int, int] | None = None,
        lock: Sequence[tuple[int, int]] = (),
        pitches: tuple[int, int] | None = None,
        n_voices: int | None = 4,
        chords: str | None = None,
        write_chords: str | None = None,
        ensemble: str | None = None,
        syllables: bool = False,
        max_removals: int | float = 0,
        max_additions: int | None = None,
        mend: str = "faults",
        temperature: float = TEMPERATURE,
        quality: str = QUALITY,
        seed: int = 0,
        name: str = "the piece",
        n_bars: int | None = None,
        n_planes: int | None = None,
    ) -> None:
        self.piece = piece
        self.model = model or load_model()
        self.seed = seed
        if mend not in MEND:
            raise BadInput(f"mend {mend}: choose {', '.join(MEND)}")
        self.mend = mend
        if quality not in (*QUALITIES, LOSSLESS):
            raise BadInput(f"quality {quality}: choose {', '.join((*QUALITIES, LOSSLESS))}")
        self.quality = quality
        is_empty = n_bars is not None and all(piece.parts[note.part].is_drums for note in piece.notes)
        self.reading: Reading = (
            blank(piece, n_bars or 1, meter=meter, key=key)
            if is_empty
            else understand(
                piece,
                melody=melody,
                key=key,
                meter=meter,
                pickup=pickup,
                bars=bars,
                name=name,
                lowest=self.model.lowest_pitch,
                highest=self.model.highest_pitch,
            )
        )
        if bpm is not None:
            self.reading = replace(self.reading, bpm=checked_bpm(bpm), is_bpm_given=True)
        self.bpm = bpm
        reading = self.reading
        n_steps = reading.n_steps if is_empty else _sounding_steps(piece, reading)
        n_planes = n_planes or self.model.n_planes
        cells = roll_of_piece(piece, reading.start, n_steps, reading.shift, n_planes=n_planes)
        struck = {
            (owner.first, owner.pitch)
            for owner in owners(piece, reading.start, n_steps, reading.shift)
            if owner.first and cells[0, owner.first - 1, owner.pitch]
        }
        self.log = EditLog(cells, struck=frozenset(struck))
        self.context = context_of(n_steps, beat_phase=reading.beat_phase)
        locked = np.zeros(n_steps, dtype=bool)
        for first, last in lock:
            locked[steps_of_bars(reading, first, last, name=name)] = True
        selection = np.zeros(n_steps, dtype=bool)
        selection[reading.selection] = True
        if not (selection & ~locked).any():
            raise BadInput("every bar to compose in is locked: lock fewer bars, or choose others to compose in")
        check_arrangement(ensemble, None)
        if write_chords not in (None, "symbols", "roman"):
            raise BadInput(f"chords cannot be written as {write_chords}; choose symbols or roman")
        if ensemble is not None and pitches is None:
            pitches = range_of(ensemble)
        self.ensemble, self.syllables, self.write_chords = ensemble, syllables, write_chords
        self.chords = chords_asked(piece, reading, chords)
        classes, basses = asked_of_steps(self.chords, reading.start, n_steps) if self.chords else (None, None)
        line = _moved_line(reading.line, reading.shift)[:n_steps]
        bass = given_bass(piece, reading)
        self.policy = Policy(
            locked=locked,
            selection=selection,
            pitches=None if pitches is None else _moved_range(pitches, reading.shift),
            n_voices=n_voices,
            max_removals=max_removals,
            max_additions=max_additions,
            melody=reading.melody,
            line=line,
            floor=None if bass is None else _moved_line(bass, reading.shift)[:n_steps],
            n_above=place_within(line, n_voices or 0) if reading.melody == "inner" else None,
            chords=classes,
            basses=None if reading.melody == "bass" else basses,
            temperature=temperature,
            keeps_height=KEEPS_HEIGHT,
        )
        allowed = self.policy.allowed(self.log)
        if max_additions != 0 and not allowed[:, :, self.model.lowest_pitch : self.model.highest_pitch + 1].any():
            raise BadInput(
                "no note may be added with these options: widen the range, allow more voices, bars or notes, or take "
                "notes out where these bars are full"
            )
        self._undone: list[int] = []  # batches that redo() brings back

    # The model's turn

    def suggest(self) -> Suggestion:
        """The change that `step` would make, which is not made.

        Raises:
            NothingAllowed: no note may change.
        """
        prediction = self.model(self.log.cells[None], self.context[None])
        choice = choose(prediction, self.log, self.policy, generator_at(self.seed, len(self.log.entries)))
        adds = not bool(self.log.cells[choice.edit])
        text = f"{'add' if adds else 'take back'} {self._place(choice.edit)}"
        return Suggestion(choice.edit, adds, choice.probability, float(prediction.n_left[0]), text)

    def step(self) -> Change:
        """Make one change.

        Raises:
            NothingAllowed: no note may change.
        """
        for change in self.run(iterations=1, stop=None):
            return change
        raise NothingAllowed("no note may change: unlock some, or allow more to be added or changed")

    def run(self, iterations: int | None = None, stop: StopRule | None = STOP_RULE) -> Iterator[Change]:
        """Compose, one change at a time, until the piece is finished; leaving the loop at any time keeps what is done.

        What the user does between two changes (an edit, an undo, a lock) holds from the next one on.

        Args:
            iterations: changes at the most; as many as the stop rule bears unless given.
            stop: when the piece is finished; None goes on until `iterations` are done.
        """
        return alone(self.composing(iterations, stop), self.model)

    def composing(self, iterations: int | None = None, stop: StopRule | None = STOP_RULE) -> Sampler:
        """`run` for whoever owns the passes: several sessions can share them (`sampling.passes.together`)."""
        if iterations is None and stop is not None:
            iterations = stop.most_edits(self.log.cells.shape[1])
        done = 0
        hopeless: Hopeless = set()
        while iterations is None or done < iterations:
            policy, log = self.policy, self.log
            turn = self._turn(None if iterations is None else iterations - done, stop, hopeless)
            answer = None
            while True:
                try:
                    told = turn.send(answer)
                except StopIteration:
                    return log
                # what shares the log of the last change was made with it; else the user may have done something
                same_pass = isinstance(told, Change) and told.log is log
                if not same_pass and not (self.policy is policy and self.log is log):
                    break
                if isinstance(told, Change):
                    if told.log is not log:
                        self.log = log = told.log
                        self._undone.clear()
                    done += 1
                answer = yield told
                if done == iterations:
                    return self.log
        return self.log

    def _turn(self, iterations: int | None, stop: StopRule | None, hopeless: Hopeless) -> Sampler:
        """Sample, then mend, as if nobody interfered."""
        log = self.log
        if stop is None or not is_mended(log):  # the model would write again what was mended
            start = log, self.context, self.policy, self.seed, iterations, stop
            # of the same law as "exact", and faster where a pass over many rolls costs hardly more than over one
            if self.quality == LOSSLESS or (self.quality == "exact" and self.model.is_on_gpu):
                log = yield from compose_lossless(*start)
            else:
                log = yield from compose(*start, QUALITIES[self.quality])
        if stop is not None and self.policy.chords is not None:  # what is asked for is written, likely or not
            completing = replace(self.policy, only_completes=True)
            log = yield from compose(log, self.context, completing, self.seed, iterations, None, QUALITIES["high"])
        if stop is not None and MEND[self.mend]:
            log = yield from mend(
                log,
                self.context,
                self.policy,
                MEND[self.mend],
                None if self.reading.is_key_guessed else self.reading.key,  # all the notes tell more than a tune
                self.reading.beat_phase,
                hopeless,
                the_separator(),
                CARES[self.quality],
            )
        return log

    # The user's turn

    def set(self, pitch: int, onset: int, duration: int = 4, sounding: bool = True) -> None:
        """Add a note of the user's, or silence what sounds there.

        Args:
            pitch: MIDI number, as in the piece.
            onset: step of the piece's roll, from its first bar (or pickup) on.
            duration: steps.
            sounding: False silences; the model will not bring back what the user silenced.
        """
        pitch += self.reading.shift
        if sounding:
            self.log = self.log.with_note(pitch, onset, duration)
        else:
            batch = None
            for step in range(onset, onset + duration):
                before = len(self.log.entries)
                self.log = self.log.set(step, pitch, False, batch=batch)
                if len(self.log.entries) > before:
                    batch = self.log.entries[-1].batch
        self._undone.clear()

    def undo(self, batch: int | None = None) -> bool:
        """Undo a batch of the log, or the newest one that counts. False: there was nothing to undo."""
        if batch is None:
            batch = self._newest_batch()
            if batch is None:
                return False
        before = self.log
        self.log = before.undo(batch)
        if self.log is before:
            return False
        self._undone.append(batch)
        return True

    def redo(self) -> bool:
        """Bring back what `undo` took last. False: there was nothing."""
        if not self._undone:
            return False
        self.log = self.log.redo(self._undone.pop())
        return True

    def revert(self, n_entries: int) -> None:
        """Go back to when the log had so many entries; what came later is undone, not forgotten."""
        later = {entry.batch for entry in self.log.entries[n_entries:] if not isinstance(entry, UndoEntry)}
        for batch in sorted(later, reverse=True):
            self.log = self.log.undo(batch)
        self._undone.clear()

    def lock(self, first_bar: int, last_bar: int) -> None:
        """From now on nothing changes in these bars."""
        self._lock(first_bar, last_bar, True)

    def unlock(self, first_bar: int, last_bar: int) -> None:
        """The opposite of `lock`."""
        self._lock(first_bar, last_bar, False)

    def lengthen(self, n_bars: int) -> None:
        """Add empty bars at the end."""
        reading = self.reading = lengthened(self.reading, n_bars)
        self.log = self.log.lengthened(reading.n_steps)
        self.context = context_of(reading.n_steps, beat_phase=reading.beat_phase)
        locked, selection = np.zeros((2, reading.n_steps), dtype=bool)
        old = self.policy
        if old.locked is not None and old.selection is not None:
            locked[: len(old.locked)] = old.locked
            selection[: len(old.selection)] = old.selection
            selection[len(old.selection) :] = True
        line = _moved_line(reading.line, reading.shift)
        floor = old.floor
        if floor is not None:
            floor = np.pad(floor, (0, reading.n_steps - len(floor)), constant_values=-1)
        self.policy = replace(old, locked=locked, selection=selection, line=line, floor=floor)

    # The way out

    def revision(self) -> Revision:
        """What happened to the piece's own notes, and which ones are new."""
        reading = self.reading
        revision = revise(self.piece, self.log.origin, self.log.cells, reading.start, reading.shift)
        return replace(revision, bpm=self.bpm)

    def new_parts(self, n_parts: int | None = None) -> list[NewPart]:
        """The new notes as parts of their own: one for each voice, or put together.

        Args:
            n_parts: 1, or 2 (upper and lower voices), or 4, one for each voice, which it is unless given.
        """
        check_arrangement(self.ensemble, n_parts)
        voices = self._voices()
        parts = arranged(voices, self.ensemble, n_parts)
        if len(parts) == 1 and len(voices) > 1:  # one player sounds nothing twice, nor what the user's part has
            parts = [replace(parts[0], notes=self._voices(1)[0].notes)]
        return struck_on(parts, syllables_of(self.piece, self.reading)) if self.syllables else parts

    def _apart(self, n_parts: int | None) -> list[NewPart]:
        """The new parts, none by the name of one that the piece has: who gives a bass may get notes below it."""
        taken = {part.name.strip().casefold() for part in self.piece.parts}
        parts = []
        for part in self.new_parts(n_parts):
            names = chain((part.name, f"{part.name} (new)"), (f"{part.name} (new {n})" for n in count(2)))
            name = next(name for name in names if name.casefold() not in taken)
            taken.add(name.casefold())
            parts.append(replace(part, name=name))
        return parts

    def _voices(self, n_parts: int | None = None) -> list[NewPart]:
        reading, log = self.reading, self.log
        own = [note.velocity for note in self.piece.notes if not self.piece.parts[note.part].is_drums]
        cells = log.cells
        if len(cells) > 1:  # as the roll shows it: a note ends where one of somebody else's begins
            cells = np.stack([cells[0], beginnings(log)])
        parts = parts_of(
            cells,
            log.cells[0] & log.origin[0],
            line=self.policy.line,
            role=reading.melody,
            n_above=self.policy.n_above,
            n_parts=n_parts,
            velocity=median(own or [80]),
            separate=the_separator(),
            doubles=self.policy.max_additions is None,  # so few notes are wanted, and not each of them twice
        )
        return [replace(part, notes=tuple(map(self._in_file, part.notes))) for part in parts]

    def chords_found(self) -> list[PlacedChord]:
        """The chords of the piece as it is now, with steps of the file; none of a lone line outside the chosen bars."""
        cells = self.log.cells.copy()
        if self.policy.selection is not None:
            cells[:, ~self.policy.selection & (np.count_nonzero(cells[0], axis=1) < 2)] = False
        return find_chords(cells, beats_of(self.reading, cells.shape[1]), self.reading.key, self.reading.start)

    def labels(self) -> list[Label]:
        """What `write_chords` asks to be written into a score."""
        if self.write_chords is None:
            return []
        placed = [(one.step, one.chord) for one in self.chords_found() if one.chord is not None]
        if self.write_chords == "symbols":
            return [Label(step, chord=chord) for step, chord in placed]
        key = self.reading.key
        return [Label(step, text=roman(chord, key, is_last=step == placed[-1][0])) for step, chord in placed]

    def remarks(self, is_score: bool) -> list[str]:
        """What the user should hear of a file that is written: what its players cannot play, what it cannot hold."""
        said = out_of_range(self._voices(), self.ensemble) if self.ensemble is not None else []
        if self.reading.shift > 0 and self.reading.melody == "top" and self.log.n_added:
            said.append(LOW_TUNE)
        said += not_written(self.piece) if is_score else not_played(self.piece)
        if not is_score and self.write_chords is not None:
            said.append(CHORDS_UNWRITTEN)
        return said

    def drawing(self, n_parts: int | None = None) -> RollDrawing:
        """What a picture of the piece as it is now shows."""
        from ripieno.files.picture.roll import DrawnNote, RollDrawing  # brings matplotlib

        reading, revision = self.reading, self.revision()
        heard = [note for note in self.piece.notes if not self.piece.parts[note.part].is_drums]
        notes = [
            DrawnNote(pitch=note.pitch, onset=float(span.onset) - reading.start, duration=float(span.end - span.onset))
            for note in heard
            for span in revision.touched.get(note.id, (Span(note.onset, note.end),))
        ]
        for part in self.new_parts(n_parts):
            notes += [
                DrawnNote(
                    pitch=note.pitch,
                    onset=note.onset - reading.start,
                    duration=note.duration,
                    kind="new",
                    voice=part.name,
                )
                for note in part.notes
            ]
        gone = notes_of(self.log.origin & ~self.log.cells)
        notes += [
            DrawnNote(pitch=note.pitch - reading.shift, onset=note.onset, duration=note.duration, kind="removed")
            for note in gone
        ]
        return RollDrawing(
            notes=tuple(notes),
            bar_starts=tuple(float(start) for start in reading.bar_starts),
            end=float(reading.n_steps),
            beat=16 / reading.meters[0].denominator,
            first_bar=reading.first_bar,
            key=reading.key,
            title=self.piece.name,
        )

    def score(self, n_parts: int | None = None) -> str:
        """The piece as it is now as MusicXML text, as `save` writes it; ids of new notes begin with `NEW_ID`."""
        return musicxml_text(
            self.piece, self.revision(), self._apart(n_parts), reading=self.reading, labels=self.labels()
        )

    def save(
        self,
        path: str | Path,
        n_parts: int | None = None,
        soundfont: Path | None = None,
        as_score: bool = False,
    ) -> list[str]:
        """Write the piece as it is now.

        Args:
            path: its suffix says what: `.mid` or `.midi`, and `.musicxml`, `.xml` or `.mxl` are the source's own file
                with the new parts added, or a new one where the source is of the other kind; `.png`, `.svg` and `.pdf`
                are a picture, `.wav` and `.flac` a sound.
            n_parts: as `new_parts` takes it.
            soundfont: what a sound is played on; a small organ unless given.
            as_score: a picture is an engraved score, not a piano roll.

        Returns:
            Remarks that the user should hear.

        Raises:
            BadInput: unknown suffix, the file cannot be written, or the SoundFont cannot be used.
        """
        path = Path(path)
        check_target(path)
        if path.suffix.lower() in (".mid", ".midi"):
            return self.remarks(False) + write_midi(self.piece, path, self.revision(), self._apart(n_parts))
        if path.suffix.lower() in MUSICXML_SUFFIXES:
            parts = self._apart(n_parts)
            return self.remarks(True) + write_musicxml(
                self.piece, path, self.revision(), parts, reading=self.reading, labels=self.labels()
            )
        if path.suffix.lower() in SOUND_SUFFIXES:
            notes = sounding_notes(self.piece, self.revision(), self.new_parts(n_parts))
            write_sound(render(notes, soundfont), path)
            return []
        if as_score:
            # told apart by colour, and by their name where there is none
            parts = [replace(part, name=f"{part.name} (new)") for part in self.new_parts(n_parts)]
            options: dict[str, Any] = {"reading": self.reading, "colour": NEW_COLOUR, "labels": self.labels()}
            draw_score(musicxml_text(self.piece, self.revision(), parts, **options), path)
            return []
        from ripieno.files.picture.roll import draw_roll  # brings matplotlib

        draw_roll(self.drawing(n_parts), path)
        return [] if self.write_chords is None else [CHORDS_UNWRITTEN]

    def describe(self, change: Change) -> str:
        """One change in words: "+ A4, bar 2, beat 3"."""
        why = f" (against: {change.why})" if change.why else ""
        return f"{'+' if change.added else '-'} {self._place(change.edit)}{why}"

    # Within

    def _in_file(self, note: RollNote) -> RollNote:
        """A note of the roll where it is in the piece."""
        pitch = within_range(note.pitch - self.reading.shift)
        return RollNote(note.onset + self.reading.start, pitch, note.duration)

    def _place(self, edit: Edit) -> str:
        name = note_name(edit.pitch - self.reading.shift, self.reading.key, short=True)
        return f"{name}, {self.reading.place(edit.step)}"

    def _newest_batch(self) -> int | None:
        for place in range(len(self.log.entries) - 1, -1, -1):
            entry = self.log.entries[place]
            if place not in self.log.undone and not isinstance(entry, UndoEntry):
                return entry.batch
        return None

    def _lock(self, first_bar: int, last_bar: int, value: bool) -> None:
        assert self.policy.locked is not None  # __init__ gave one
        locked = self.policy.locked.copy()
        locked[steps_of_bars(self.reading, first_bar, last_bar)] = value
        self.policy = replace(self.policy, locked=locked)
        # in the log it also tells the stop rule that something is new
        self.log = self.log.record_setting("locked", [int(step) for step in np.flatnonzero(locked)])


def _moved_range(pitches: tuple[int, int], shift: int) -> tuple[int, int]:
    low, high = pitches
    if low > high:
        raise BadInput(f"the range runs from {low} down to {high}: give the lower note first")
    return max(low + shift, 0), min(high + shift, N_PITCHES - 1)


def _moved_line(line: Int[np.ndarray, " step"], shift: int) -> Int[np.ndarray, " step"]:
    """A line of the piece on the roll, -1 where it rests or lies where the roll has no pitch."""
    moved = line + shift
    return np.where((line >= 0) & (moved >= 0) & (moved < N_PITCHES), moved, -1)


def _sounding_steps(piece: Piece, reading: Reading) -> int:
    """Steps to the end of the beat in which the last note ends: where the tune ends, the piece does."""
    last = n_steps_of(piece) - reading.start
    beats = -(-(last + reading.beat_phase) // STEPS_PER_BEAT)
    return min(beats * STEPS_PER_BEAT - reading.beat_phase, reading.n_steps)


def checked_bpm(bpm: float) -> float:
    """A tempo that can be played.

    Raises:
        BadInput: it cannot.
    """
    if not 4 <= bpm <= 1000:
        raise BadInput(f"a tempo of {bpm:g} quarter notes a minute cannot be played; take 4 to 1000")
    return bpm


def check_target(path: Path) -> None:
    """Refuse a file name that cannot be written.

    Raises:
        BadInput: its suffix says nothing that we can write, or its folder is missing or read-only.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(
            f"{path.name}: cannot write {path.suffix or 'a name without a suffix'}; use {', '.join(SUFFIXES)}"
        )
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give a file name in it")
    if path.exists() and not os.access(path, os.W_OK):
        raise BadInput(f"{path} is write-protected; choose another name, or allow it to be written")
    if not path.parent.is_dir():
        raise BadInput(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise BadInput(f"{path} cannot be written: the folder {path.parent} is read-only; choose another place")


def read(path: str | Path) -> Piece:
    """Read a piece from a MIDI or MusicXML file; where the suffix does not say which, its first bytes do.

    Raises:
        BadInput: missing, damaged, neither of the two, or nothing in it.
    """
    path = Path(path)
    return read_musicxml(path) if is_musicxml(path) else read_midi(path)


def harmonize(piece: Piece | str | Path, *, iterations: int | None = None, **options: Any) -> Session:
    """Compose around a piece until it is finished; `options` are `Session`'s.

    Raises:
        BadInput: the options do not fit the piece or one another.
    """
    session = Session(piece if isinstance(piece, Piece) else read(piece), **options)
    for _ in session.run(iterations):
        pass
    return session
