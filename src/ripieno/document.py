"""The document: a piece, and the log of all that was done to it since.  (Paper 5)

A composition is the piece it began from, as it was asked for, plus an append-only log of entries: cells that were
edited, and settings that were changed (options, locks, refusals, length, title). What the piece is taken to be, what
the model may do, and how it goes are derived from both, and nothing of it is kept beside them: undo of any entry, at
any time, is the piece as if that entry had not been.

A document is immutable; each command returns a new one.

Three things about settings:
1. An entry holds what it changes, not all that holds. Stores of version 0.1.0 hold all; both are read.
2. What the piece is taken to be (melody, meter, pickup) says where the roll begins and how many octaves it is moved.
   Where that changes, all that was written moves with it: in files and stores, steps and pitches are those of the roll
   as the document began (`home`).
3. Bars that were added may be undone like anything else. What was written in them counts again when they are back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ripieno.bounds import Locks, RefusedSuggestion, policy_of
from ripieno.edits.log import CellEntry, EditLog, Entry, EntryId, SettingEntry, UndoEntry
from ripieno.edits.notes import put_notes
from ripieno.edits.policy import Policy
from ripieno.errors import BadInput
from ripieno.models.context import Context, context_of_reading
from ripieno.music.analysis import chords_asked
from ripieno.music.cadences import PlacedCadence, cadences_asked, with_cadences
from ripieno.music.chords import PlacedChord
from ripieno.music.piece import Piece, note_cells, roll_of_piece
from ripieno.music.piece import n_steps as n_steps_of
from ripieno.music.roll import STEPS_PER_BEAT, RollNote
from ripieno.music.understanding import Reading, blank, given_bass, lengthened, steps_of_bars, understand, with_phrases
from ripieno.options import Bars, Options
from ripieno.shapes import Int

MOST_BARS_ADDED = 4096  # that a log may add
MOST_STEPS_PER_BAR = 1024
# What follows from the settings alone, and stays while none is changed.
_OF_SETTINGS = (
    *("options", "locks", "refusals", "title", "n_bars_added", "reading", "context", "chords", "cadences"),
    "_given_bass",
)
_READ = ("melody", "key", "meter", "pickup")  # options that say what the piece is taken to be


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a document begins from.

    n_bars: length of a piece in which nothing is written yet; others are as long as their notes.
    n_planes: 2 keeps repeated notes of one pitch apart.
    window: the lowest and the highest pitch that the model knows.
    """

    piece: Piece
    options: Options = field(default_factory=Options)
    name: str = "the piece"  # what errors call it, for instance the name of its file
    n_bars: int | None = None
    n_planes: int = 1
    window: tuple[int, int] = (28, 91)

    @property
    def is_empty(self) -> bool:
        """Whether nothing but drums is written in it."""
        return self.n_bars is not None and all(self.piece.parts[note.part].is_drums for note in self.piece.notes)


@dataclass(frozen=True, eq=False)
class Document:
    """A piece and what was done to it. `begin` makes one, `restored` brings one back.

    begun: what it began from.
    home: what the piece was taken to be at the beginning.
    frame: what it is taken to be now, but for tempo, chosen bars, and bars that were added; the roll lies in it.
    log: what was done since, on that roll.
    """

    begun: Origin
    home: Reading = field(repr=False)
    frame: Reading = field(repr=False)
    log: EditLog = field(repr=False)

    @classmethod
    def begin(cls, begun: Origin) -> Document:
        """A document to which nothing was done yet.

        Raises:
            BadInput: the options do not fit the piece.
        """
        frame = _read(begun, begun.options)
        document = cls(begun, frame, frame, _origin_log(begun, frame))
        document._check_locks(begun.options)
        document.policy()  # refuses bars and chords that there are not
        return document

    def restored(self, entries: Sequence[Entry]) -> Document:
        """The document after some entries, as `entries_to_json` gives them; this one has none.

        Raises:
            BadInput: they are not what this program writes.
        """
        longest = self._longest(entries)
        for place, entry in enumerate(entries):
            if isinstance(entry, CellEntry) and entry.edit.step >= longest:
                raise BadInput(f"the history cannot be read: entry {place} lies past the end; open an earlier copy")
        return self.with_log(EditLog(self.log.origin, tuple(entries), self.log.struck))

    def _check_locks(self, options: Options) -> None:
        """Refuse to lock bars that there are not.

        Raises:
            BadInput: they are such.
        """
        for first, last in options.lock:
            steps_of_bars(self.reading, first, last, name=self.begun.name)

    def entries_to_json(self, first: int = 0) -> list[Any]:
        """The entries from the place `first` on: what a store appends."""
        steps, pitches = _offset(self.frame, self.home)
        part = EditLog(self.log.origin, self.log.entries[first:])
        return part.moved(part, steps, pitches).entries_to_json()

    def _longest(self, entries: Sequence[Entry]) -> int:
        """Steps that the roll can ever have had."""
        settings = [one for one in entries if isinstance(one, SettingEntry)]
        n_bars = sum(_n_bars(one.value) for one in settings if one.name == "length")
        n_bars += max((_n_bars(one.value) for one in settings if one.name == "lengthened"), default=0)
        asked = [one.value for one in settings if one.name == "options" and isinstance(one.value, dict)]
        if any(set(_READ) & set(changes) for changes in asked):  # bars may have been longer
            return self.home.n_steps + (n_bars + self.home.n_bars + 1) * MOST_STEPS_PER_BAR
        return lengthened(self.home, n_bars).n_steps if n_bars else self.n_steps

    # What holds now; all of it follows from what it began from and the log

    @cached_property
    def options(self) -> Options:
        """What is asked for now."""
        options = self.begun.options
        for entry in self.log.settings:
            if entry.name == "options":
                options = options.changed(entry.value)
            elif entry.name == "rules":  # all of them, as version 0.1.0 wrote it
                options = replace(self.begun.options, bpm=options.bpm).changed(_rules_of_0_1(entry.value))
            elif entry.name == "bpm":  # likewise
                options = options.changed({"bpm": entry.value})
        return options

    @cached_property
    def locks(self) -> Locks:
        """Where the model changes nothing."""
        asked = _bars_in(self.begun.options.lock)
        locks = Locks(bars=asked)
        for entry in self.log.settings:
            if entry.name == "locks":
                locks = locks.changed(entry.value, self.home.start)
            elif entry.name == "options" and "lock" in entry.value:  # in place of what was asked for before
                before, asked = asked, _bars_in(Options().changed({"lock": entry.value["lock"]}).lock)
                locks = replace(locks, bars=(locks.bars - before) | asked)
        return locks

    @cached_property
    def refusals(self) -> tuple[RefusedSuggestion, ...]:
        """Suggestions that the person said no to."""
        refusals: tuple[RefusedSuggestion, ...] = ()
        for entry in self.log.settings:
            if entry.name == "refused":
                value = entry.value
                if isinstance(value, list):  # all of them, as version 0.1.0 wrote it
                    home = self.home
                    refusals = tuple(RefusedSuggestion.from_json(one).moved(home.start, -home.shift) for one in value)
                else:
                    refusals = (*refusals, RefusedSuggestion.from_json(value))
        return refusals

    @cached_property
    def title(self) -> str | None:
        """What the person called it; None if they have not."""
        titles = [entry.value for entry in self.log.settings if entry.name == "name"]
        if titles and not (isinstance(titles[-1], str) and 0 < len(titles[-1]) <= 200):
            raise BadInput(f"a piece cannot be called {str(titles[-1])[:60]}; use 1 to 200 characters")
        return titles[-1] if titles else None

    @cached_property
    def n_bars_added(self) -> int:
        """Bars added at the end."""
        n_bars = 0
        for entry in self.log.settings:
            if entry.name == "length":
                n_bars += _n_bars(entry.value)
            elif entry.name == "lengthened":  # the sum, as version 0.1.0 wrote it
                n_bars = _n_bars(entry.value)
        return _n_bars(n_bars)

    @cached_property
    def reading(self) -> Reading:
        """What the piece is taken to be."""
        reading, options = self.frame, self.options
        if options.bpm is not None:
            reading = replace(reading, bpm=options.bpm, is_bpm_given=True)
        if self.n_bars_added:
            reading = lengthened(reading, self.n_bars_added)
        if options.phrases is not None:
            reading = with_phrases(reading, options.phrases, name=self.begun.name)
        if options.bars is not None:
            return replace(reading, selection=steps_of_bars(reading, *options.bars, name=self.begun.name))
        return reading

    @property
    def n_steps(self) -> int:
        """Its length."""
        return int(self.log.cells.shape[1])

    @cached_property
    def context(self) -> Context:
        """What the model hears beside the cells."""
        return context_of_reading(self.reading, self.n_steps, self.options.style, self.options.n_voices)

    @cached_property
    def chords(self) -> tuple[PlacedChord, ...]:
        """The chords that new notes are to belong to."""
        return chords_asked(self.piece, self.reading, self.options.chords)

    @cached_property
    def cadences(self) -> tuple[PlacedCadence, ...]:
        """The cadences that are asked for."""
        return cadences_asked(self.reading, self.options.cadences, name=self.begun.name)

    @cached_property
    def _given_bass(self) -> Int[np.ndarray, " region"] | None:
        return given_bass(self.piece, self.reading)

    @property
    def piece(self) -> Piece:
        """The piece it began from."""
        return self.begun.piece

    def policy(self, bars: tuple[int, int] | None = None) -> Policy:
        """What the model may change now.

        Args:
            bars: compose in these only; those that the options name unless given.

        Raises:
            BadInput: there are no such bars.
        """
        asked = bars or self.options.bars
        kept = self._policies
        if asked not in kept:
            kept[asked] = policy_of(
                self.options if bars is None else replace(self.options, bars=bars),
                self.reading,
                self.log,
                chords=with_cadences(self.chords, self.cadences),
                bass=self._given_bass,
                locks=self.locks,
                refusals=self.refusals,
                name=self.begun.name,
            )
        return kept[asked]

    @cached_property
    def _policies(self) -> dict[tuple[int, int] | None, Policy]:
        return {}

    # Commands

    def with_log(self, log: EditLog) -> Document:
        """The document after a log that went on from this one's.

        Raises:
            BadInput: a setting in it does not fit the piece.
        """
        after = Document(self.begun, self.home, self.frame, log)
        if log.settings == self.log.settings:
            for name in _OF_SETTINGS:
                if name in self.__dict__:
                    after.__dict__[name] = self.__dict__[name]
            return after
        if _differ(after.options, self.options):
            frame = _read(self.begun, after.options)
            if (frame.start, frame.shift) != (self.frame.start, self.frame.shift):
                log = log.moved(_origin_log(self.begun, frame), *_offset(self.frame, frame))
            after = Document(self.begun, self.home, frame, log)
        n_steps = after.reading.n_steps if after.n_bars_added else _n_steps(self.begun, after.reading)
        if n_steps != after.n_steps:
            after = Document(self.begun, self.home, after.frame, after.log.resized(n_steps))
        for name in ("options", "locks", "refusals", "title"):
            getattr(after, name)  # refuses what cannot be read
        after.policy()  # and bars and chords that there are not
        return after

    def set_options(
        self, changes: Mapping[str, Any], *, time: float | None = None, id: EntryId | None = None
    ) -> Document:
        """Ask for something else from now on; what is not named stays.

        Raises:
            BadInput: an option cannot be that, or it does not fit the piece.
        """
        wanted = self.options.changed(changes).to_json()
        said = {name: wanted.get(name, getattr(Options(), name)) for name in changes}
        after = self.with_log(self.log.record_setting("options", said, time=time, id=id))
        if "lock" in changes:
            after._check_locks(after.options)
        return after

    def set_locks(
        self,
        locked: bool,
        *,
        bars: Iterable[int] = (),
        pitches: Iterable[int] = (),
        notes: Iterable[RollNote] = (),
        voices: Mapping[str, Sequence[RollNote]] | None = None,
        time: float | None = None,
        id: EntryId | None = None,
    ) -> Document:
        """Lock bars, rows, notes or voices, or unlock them.

        Args:
            locked: else they are free from now on.
            bars: their numbers.
            pitches: whole rows, as they sound in the piece.
            notes: steps and pitches of the piece.
            voices: what each sings, likewise.
            time, id: of the request.

        Raises:
            BadInput: there are no such bars.
        """
        bars = list(bars)
        for bar in bars:
            steps_of_bars(self.reading, bar, bar, name=self.begun.name)
        said: dict[str, Any] = {"locked": locked}
        said |= {"bars": bars} if bars else {}
        said |= {"pitches": list(pitches)} if pitches else {}
        said |= {"notes": [_plain(note) for note in notes]} if notes else {}
        if voices:
            said["voices"] = [{"voice": voice, "notes": list(map(_plain, sung))} for voice, sung in voices.items()]
        return self.with_log(self.log.record_setting("locks", said, time=time, id=id))

    def refuse(self, refusal: RefusedSuggestion, *, time: float | None = None, id: EntryId | None = None) -> Document:
        """Do not suggest something of the roll again until the music around it changes."""
        there = refusal.moved(self.reading.start, -self.reading.shift)
        return self.with_log(self.log.record_setting("refused", there.to_json(), time=time, id=id))

    def rename(self, title: str, *, time: float | None = None, id: EntryId | None = None) -> Document:
        """Give it another title."""
        return self.with_log(self.log.record_setting("name", title, time=time, id=id))

    def lengthen(self, n_bars: int, *, time: float | None = None, id: EntryId | None = None) -> Document:
        """Add empty bars at the end.

        Raises:
            BadInput: it would be too long, or no longer.
        """
        if not 0 < n_bars <= MOST_BARS_ADDED - self.n_bars_added:
            raise BadInput(f"{n_bars} bars cannot be added; add 1 or more, {MOST_BARS_ADDED:,} in all at the most")
        return self.with_log(self.log.record_setting("length", n_bars, time=time, id=id))

    def put(
        self,
        remove: Iterable[RollNote] = (),
        add: Iterable[RollNote] = (),
        *,
        time: float | None = None,
        id: str | None = None,
    ) -> Document:
        """Take notes away and put others in; see `edits.notes.put_notes`."""
        return self.with_log(put_notes(self.log, remove, add, time=time, id=id))

    def undo(
        self, batches: Sequence[int] | None = None, *, time: float | None = None, id: EntryId | None = None
    ) -> Document:
        """Undo some batches, or the newest one that counts. With nothing to undo, this document.

        Raises:
            BadInput: there is no such batch, or other settings do not fit the piece without it.
        """
        if batches is None:
            newest = self.newest_batch
            batches = [] if newest is None else [newest]
        after = self.log.undo_all(batches, time=time, id=id)
        return self if after is self.log else self.with_log(after)

    def redo(
        self, batches: Sequence[int] | None = None, *, time: float | None = None, id: EntryId | None = None
    ) -> Document:
        """Bring back some batches, or what was undone last. With nothing to bring back, this document.

        Raises:
            BadInput: as for `undo`.
        """
        if batches is None:
            after = self.log.redo_entries(self.log.undone_last, time=time, id=id)
        else:
            after = self.log.redo_all(batches, time=time, id=id)
        return self if after is self.log else self.with_log(after)

    def revert(self, n_entries: int) -> Document:
        """Go back to when the log had so many entries; what came later is undone, not forgotten."""
        return self.with_log(self.log.revert(n_entries))

    @property
    def newest_batch(self) -> int | None:
        """The batch done last, of those that count; None if there is none."""
        for place in range(len(self.log.entries) - 1, -1, -1):
            entry = self.log.entries[place]
            if place not in self.log.undone and not isinstance(entry, UndoEntry):
                return entry.batch
        return None

    @property
    def undone_last(self) -> list[int]:
        """The batches that were undone last, of those that are undone still; none if nothing is."""
        return sorted({self.log.entries[place].batch for place in self.log.undone_last})


def _bars_in(ranges: Sequence[Bars]) -> frozenset[int]:
    return frozenset(bar for first, last in ranges for bar in range(first, last + 1))


def _n_bars(added: object) -> int:
    """A number of bars that can be added.

    Raises:
        BadInput: it is none.
    """
    if isinstance(added, int) and 0 <= added <= MOST_BARS_ADDED:
        return added
    raise BadInput(f"the history adds {str(added)[:20]} bars, which is more than a piece has; open an earlier copy")


def _offset(one: Reading, other: Reading) -> tuple[int, int]:
    """By how many steps and semitones a cell of one reading's roll lies elsewhere on the other's."""
    return one.start - other.start, other.shift - one.shift


def _differ(options: Options, others: Options) -> bool:
    """Whether the piece may be taken to be something else."""
    return any(getattr(options, name) != getattr(others, name) for name in _READ)


def _read(begun: Origin, options: Options) -> Reading:
    """What the piece is taken to be, as it began, but for its tempo and the bars asked for."""
    if begun.is_empty:
        return blank(begun.piece, begun.n_bars or 1, meter=options.meter, key=options.key)
    return understand(
        begun.piece,
        melody=options.melody,
        key=options.key,
        meter=options.meter,
        pickup=options.pickup,
        name=begun.name,
        lowest=begun.window[0],
        highest=begun.window[1],
    )


def _n_steps(begun: Origin, reading: Reading) -> int:
    """Steps to the end of the beat in which the last note ends: where the tune ends, the piece does."""
    if begun.is_empty:
        return reading.n_steps
    last = n_steps_of(begun.piece) - reading.start
    beats = -(-(last + reading.beat_phase) // STEPS_PER_BEAT)
    return min(beats * STEPS_PER_BEAT - reading.beat_phase, reading.n_steps)


def _origin_log(begun: Origin, frame: Reading) -> EditLog:
    """A log in which nothing was done, over the piece's notes."""
    n_steps = _n_steps(begun, frame)
    cells = roll_of_piece(begun.piece, frame.start, n_steps, frame.shift, n_planes=begun.n_planes)
    struck = {
        (owner.first, owner.pitch)
        for owner in note_cells(begun.piece, frame.start, n_steps, frame.shift)
        if owner.first and cells[0, owner.first - 1, owner.pitch]
    }
    return EditLog(cells, struck=frozenset(struck))


def _plain(note: RollNote) -> list[int]:
    return [note.onset, note.pitch, note.duration]


def _rules_of_0_1(rules: Any) -> dict[str, Any]:
    """What version 0.1.0 called rules, as options.

    Raises:
        BadInput: they are none.
    """
    if not isinstance(rules, dict):
        raise BadInput(f"the rules of the piece cannot be read: {str(rules)[:60]}")
    options = dict(rules)
    low, high = options.pop("lowest", None), options.pop("highest", None)
    if (low, high) != (None, None):
        options["pitches"] = (low, high)
    if options.get("melody") == "auto":
        options["melody"] = None
    return options
