"""The edit log: everything that was done to a roll, by whom, and undo of any of it.  (Paper 5)

A composition is the roll it began from, its *origin*, and an append-only row of entries. The roll is derived: a cell
has the value of its newest live entry, else the origin's. An entry is live until an undo names it, and again once a
redo does.

Differences from the paper:
1. It lets the user undo and redo single notes. Here any change can be undone at any time, in any order. Undoing one
   that a later live entry has overwritten changes nothing in that cell, and `overwritten` says which cells those are.
2. What was done at once is a *batch*: a note that a person drew, or a note-sized change of the model. People undo
   batches.
3. Every entry knows whether the user or the model wrote it, so that what is the user's own can be kept (`user_cells`).
4. Where a note can be struck again (plane 1), that goes with the cells it rests on: what silences a cell says in the
   same batch that neither it nor the next is struck again, and an undo of a cell takes with it what was struck on it
   since. Else a note that comes back would be struck where nobody said so. What the user struck stays as they had it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.errors import BadInput
from ripieno.music.roll import N_PITCHES, Cells, RollNote, attacks, notes_of, restrikable
from ripieno.shapes import Bool, Int, Int8

_Array = TypeVar("_Array", bound=np.ndarray)
_Where = Bool[np.ndarray, "..."]  # as it broadcasts to the roll

Author = Literal["user", "model"]
EntryId = int | str

# What `EditLog.author_of` holds.
NOBODY = 0  # as in the origin
USER = 1
MODEL = 2

_AUTHORS: dict[Author, int] = {"user": USER, "model": MODEL}
_VERSION = 1  # of the JSON form
FARTHEST = 2**16  # steps from a roll's beginning at which an entry may lie


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEntry:
    """One cell was sounded or silenced."""

    kind: ClassVar[Literal["edit"]] = "edit"
    edit: Edit
    value: bool  # that it leaves
    batch: int
    author: Author
    probability: float | None = None  # the model's, when it drew the edit
    time: float | None = None  # seconds since 1970
    id: EntryId | None = None  # of the message that asked for it, or of a round; entries recorded together share one


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoEntry:
    """Some entries no longer count, or count again."""

    kind: Literal["undo", "redo"]
    of: tuple[int, ...]  # places in `EditLog.entries`
    batch: int
    author: Author
    time: float | None = None
    id: EntryId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingEntry:
    """A setting of the composition changed: its tempo, a lock, the selection."""

    kind: ClassVar[Literal["setting"]] = "setting"
    name: str
    text: str  # the value as JSON, which nobody can change behind the log's back
    batch: int
    author: Author
    time: float | None = None
    id: EntryId | None = None

    @property
    def value(self) -> Any:
        """What the setting was set to."""
        return json.loads(self.text)


Entry = CellEntry | UndoEntry | SettingEntry


class _Derived(NamedTuple):
    """What follows from origin and entries. `record` carries it forward; anything else replays the log."""

    cells: Cells
    user_cells: Cells
    author_of: Int8[np.ndarray, "plane step pitch"]
    settings: tuple[SettingEntry, ...]  # that count, in order
    n_edits: int
    undone: frozenset[int]
    ids: frozenset[EntryId]
    n_batches: int


@dataclass(frozen=True, eq=False)
class EditLog:
    """A roll and everything that was done to it. Immutable: each change returns a new log.

    Args:
        origin: the roll before the first entry; copied.
        entries: what was done since.
        struck: cells (step, pitch) of the origin on which another of the user's notes begins, though the pitch sounds
            before: a roll of one plane joins the two, and the user still counts them as two.
    """

    origin: Cells = field(repr=False)
    entries: tuple[Entry, ...] = ()
    struck: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        if self.origin.flags.writeable:
            object.__setattr__(self, "origin", _read_only(self.origin.copy()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EditLog):
            return NotImplemented
        same = self.entries == other.entries and self.struck == other.struck
        return same and np.array_equal(self.origin, other.origin)

    # What the roll is now

    @property
    def cells(self) -> Cells:
        """The roll as it is now; read-only."""
        return self._derived.cells

    @property
    def user_cells(self) -> Cells:
        """The roll by the user's word alone: the newest live entry of theirs, else the origin's; read-only.

        What sounds here is the user's own, also after the model has removed it (`cells` is silent there) or has put it
        back.
        """
        return self._derived.user_cells

    @property
    def author_of(self) -> Int8[np.ndarray, "plane step pitch"]:
        """Who wrote the newest live entry of each cell: NOBODY (as in the origin), USER or MODEL; read-only."""
        return self._derived.author_of

    @property
    def undone(self) -> frozenset[int]:
        """Places in `entries` of those that do not count."""
        return self._derived.undone

    @property
    def n_batches(self) -> int:
        """How many batches there are; the next one gets this number."""
        return self._derived.n_batches

    @property
    def settings(self) -> tuple[SettingEntry, ...]:
        """The changes of settings that count, in order: what a setting is follows from all of them."""
        return self._derived.settings

    @property
    def n_edits(self) -> int:
        """How many cells were ever edited, undone edits and those past the end included.

        With a seed it is what chance depends on: a setting that is changed draws nothing.
        """
        return self._derived.n_edits

    def holds(self, id: EntryId) -> bool:
        """Whether an entry came of the message with this id."""
        return id in self._derived.ids

    def notes(self) -> list[RollNote]:
        """The notes that sound now, ordered by onset and then pitch."""
        return notes_of(self.cells)

    def excerpt(self, steps: slice) -> EditLog:
        """Some steps alone, as they are now, with who wrote what, but without how they came to be so."""
        part = EditLog(self.cells[:, steps])
        # A cached property lies in __dict__.
        part.__dict__["_derived"] = self._derived._replace(
            cells=part.origin,
            user_cells=_read_only(self.user_cells[:, steps].copy()),
            author_of=_read_only(self.author_of[:, steps].copy()),
            undone=frozenset(),
            settings=(),
            n_edits=0,
            n_batches=0,
        )
        return part

    # What the model did, in notes

    @property
    def model_cells(self) -> Bool[np.ndarray, "step pitch"]:
        """Where a cell sounds that is not the user's."""
        sounding: np.ndarray = self.cells[0] & ~self.user_cells[0]
        return sounding

    @property
    def n_added(self) -> int:
        """Notes that the model has added and that sound now: runs of its cells, also where they touch the user's."""
        sounding = self.model_cells
        held = sounding[1:] & sounding[:-1]
        if self.cells.shape[0] > 1:
            held &= ~self.cells[1, 1:]
        return int(np.count_nonzero(sounding) - np.count_nonzero(held))

    @property
    def n_taken_back(self) -> int:
        """Notes that the model added and took back whole; one that it only shortened still sounds."""
        sounding = self.model_cells
        gone = ~self.cells[0] & ~self.user_cells[0] & (self.author_of[0] == MODEL)
        first, last = gone.copy(), gone.copy()
        first[1:] &= ~gone[:-1]
        last[:-1] &= ~gone[1:]
        before, after = np.zeros_like(gone), np.zeros_like(gone)
        before[1:], after[:-1] = sounding[:-1], sounding[1:]
        # Read pitch by pitch, first and last cells of the runs pair up.
        shortened = before.T[first.T] | after.T[last.T]
        return int(np.count_nonzero(~shortened))

    @cached_property
    def user_note_of(self) -> Int[np.ndarray, "step pitch"]:
        """Which of the user's notes each cell belongs to, counted from 0; -1 for none."""
        begins = self._user_attacks
        number = np.cumsum(begins.T.reshape(-1), dtype=np.int32).reshape(begins.T.shape).T - 1
        return _read_only(np.where(self.user_cells[0], number, -1))

    @property
    def n_user_notes(self) -> int:
        """How many notes are the user's own, removed ones included."""
        return int(np.count_nonzero(self._user_attacks))

    @property
    def touched_user_notes(self) -> Int[np.ndarray, " note"]:
        """The user's notes, numbered as in `user_note_of`, of which the model has removed a cell or more."""
        removed = self.user_cells[0] & ~self.cells[0]
        return np.unique(self.user_note_of[removed])

    @property
    def n_removed_from_user(self) -> int:
        """How many of the user's notes the model has removed or shortened."""
        return len(self.touched_user_notes)

    @property
    def _user_attacks(self) -> Bool[np.ndarray, "step pitch"]:
        begins = attacks(self.user_cells)
        for step, pitch in self.struck:
            begins[step, pitch] |= self.user_cells[0, step, pitch]
        return begins

    # Changes

    def record(
        self,
        edits: Iterable[Edit],
        author: Author,
        probabilities: Sequence[float] | None = None,
        batch: int | None = None,
        time: float | None = None,
        id: EntryId | None = None,
        where: _Where | None = None,
    ) -> EditLog:
        """Apply edits, as one batch.

        Args:
            edits: each toggles its cell.
            probabilities: the model's, one for each edit.
            batch: one of the batches there are, to go on with it; a new one unless given.
            time: seconds since 1970, read by whoever holds the clock.
            id: of the message that asked for it. A log that holds it already stays as it is.
            where: what is struck again is forgotten with its cell only here, as it broadcasts to the roll (a note that
                is locked stays as it is); None for anywhere.

        Raises:
            BadInput: an edit lies outside the roll, or there is no such batch.
        """
        edits = self._inside(edits)
        cells = self.cells
        values: list[bool] = []
        toggled: dict[Edit, bool] = {}
        for edit in edits:
            value = not toggled.get(edit, bool(cells[edit]))
            toggled[edit] = value
            values.append(value)
        return self._write(edits, values, author, probabilities, batch, time, id, where=where)

    def record_each(
        self,
        edits: Iterable[Edit],
        author: Author,
        probabilities: Sequence[float],
        where: _Where | None = None,
    ) -> EditLog:
        """Apply edits of different cells, each as a batch of its own; see `record`."""
        edits = self._inside(edits)
        values = [not bool(self.cells[edit]) for edit in edits]
        return self._write(edits, values, author, probabilities, None, None, None, each=True, where=where)

    def set(
        self,
        step: int,
        pitch: int,
        value: bool,
        author: Author = "user",
        *,
        plane: int = 0,
        batch: int | None = None,
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Sound or silence one cell, whatever it was.

        A cell that is so already stays as it is, and nothing is recorded; but what the model wrote, and the user sets
        to the same value, becomes the user's.

        Raises:
            BadInput: the cell lies outside the roll, or there is no such batch.
        """
        return self.put([Edit(plane, step, pitch)], [value], author, batch=batch, time=time, id=id)

    def put(
        self,
        cells: Iterable[Edit],
        values: Sequence[bool],
        author: Author = "user",
        *,
        batch: int | None = None,
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Sound or silence several cells, as one batch; each as `set` does.

        Raises:
            BadInput: a cell lies outside the roll, or there is no such batch.
        """
        before, author_of = self.cells, self.author_of
        news = [
            (edit, bool(value))
            for edit, value in zip(self._inside(cells), values, strict=True)
            if before[edit] != value or (author == "user" and author_of[edit] == MODEL)
        ]
        return self._write([edit for edit, _ in news], [value for _, value in news], author, None, batch, time, id)

    def with_note(
        self,
        pitch: int,
        onset: int,
        duration: int = 4,
        by: Author = "user",
        *,
        batch: int | None = None,
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Sound a note, as one batch; cells are set as `set` does. With a re-struck plane it is a note of its own.

        Raises:
            BadInput: the note lies outside the roll, or there is no such batch.
        """
        if duration < 1:
            raise BadInput(f"a note of {duration} steps cannot sound; give it a duration of 1 or more")
        steps = range(onset, onset + duration)
        edits = [Edit(0, step, pitch) for step in steps]
        values = [True] * duration
        if self.origin.shape[0] > 1:
            edits += [Edit(1, step, pitch) for step in steps]
            values += [step == onset for step in steps]
        return self.put(edits, values, by, batch=batch, time=time, id=id)

    def record_setting(
        self,
        name: str,
        value: Any,
        author: Author = "user",
        *,
        batch: int | None = None,
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Change a setting.

        Raises:
            BadInput: JSON cannot hold the value, or there is no such batch.
        """
        text = _setting_text(name, value)
        if id is not None and id in self._derived.ids:
            return self
        number = self._batch_number(batch)
        entry = SettingEntry(name=name, text=text, batch=number, author=author, time=_seconds(time), id=id)
        return self._replayed(entry)

    def undo(
        self,
        batch: int | None = None,
        *,
        entry: int | None = None,
        author: Author = "user",
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Undo a batch, or one entry, whenever it was recorded.

        What is undone already stays so, and nothing is recorded. `overwritten` says which cells this leaves as they
        are because a later entry decides them.

        Args:
            batch: its number, or
            entry: the place of one entry in `entries`.

        Raises:
            BadInput: there is no such batch or entry, or it is itself an undo or a redo.
        """
        live = [place for place in self._places(batch, entry, "undo") if place not in self.undone]
        return self._revive("undo", live, author, time, id)

    def redo(
        self,
        batch: int | None = None,
        *,
        entry: int | None = None,
        author: Author = "user",
        time: float | None = None,
        id: EntryId | None = None,
    ) -> EditLog:
        """Bring back a batch, or one entry, that was undone; it counts as of when it was first recorded. See `undo`."""
        dead = [place for place in self._places(batch, entry, "redo") if place in self.undone]
        return self._revive("redo", dead, author, time, id)

    def undo_all(
        self, batches: Iterable[int], *, author: Author = "user", time: float | None = None, id: EntryId | None = None
    ) -> EditLog:
        """Undo several batches, a run for instance, as one entry. See `undo`."""
        places = [place for batch in batches for place in self._places(batch, None, "undo")]
        return self._revive("undo", sorted(set(places) - self.undone), author, time, id)

    def redo_all(
        self, batches: Iterable[int], *, author: Author = "user", time: float | None = None, id: EntryId | None = None
    ) -> EditLog:
        """Bring back several batches that were undone, as one entry. See `redo`."""
        places = [place for batch in batches for place in self._places(batch, None, "redo")]
        return self._revive("redo", sorted(set(places) & self.undone), author, time, id)

    @property
    def undone_last(self) -> list[int]:
        """The places of the entries that were undone last, of those that are undone still; none if nothing is."""
        for entry in reversed(self.entries):
            if isinstance(entry, UndoEntry) and entry.kind == "undo":
                still = [place for place in entry.of if place in self.undone]
                if still:
                    return still
        return []

    def redo_entries(
        self, places: Iterable[int], *, author: Author = "user", time: float | None = None, id: EntryId | None = None
    ) -> EditLog:
        """Bring back some entries, by their places, as one entry. See `redo`."""
        return self._revive("redo", sorted(set(places) & self.undone), author, time, id)

    def revert(self, n_entries: int, *, author: Author = "user", time: float | None = None) -> EditLog:
        """Go back to when there were so many entries.

        What came later is undone, not forgotten, and what was undone or brought back since is as it was then.

        Raises:
            BadInput: there were never so many.
        """
        if not 0 <= n_entries <= len(self.entries):
            raise BadInput(f"the log cannot go back to {n_entries} entries: it has {len(self.entries)}")
        then = EditLog(self.origin, self.entries[:n_entries], self.struck).undone
        later = range(n_entries, len(self.entries))
        gone = then | {place for place in later if not isinstance(self.entries[place], UndoEntry)}
        now = self.undone
        after = self._revive("undo", sorted(gone - now), author, time, None, alone=True)
        return after._revive("redo", sorted(now - gone), author, time, None, alone=True)

    def overwritten(self, batch: int | None = None, *, entry: int | None = None) -> list[Edit]:
        """The cells of a batch, or of one entry, that a later live entry decides, so that undo and redo leave them be.

        Raises:
            BadInput: as for `undo`.
        """
        places = self._places(batch, entry, "undo")
        last = {item.edit: place for place in places if isinstance(item := self.entries[place], CellEntry)}
        later = {
            item.edit
            for place, item in enumerate(self.entries)
            if isinstance(item, CellEntry) and place > last.get(item.edit, place) and place not in self.undone
        }
        return sorted(later)

    # To a project file and back

    def to_json(self) -> dict[str, Any]:
        """The log as JSON holds it: the origin packed into text, each entry a list."""
        packed = zlib.compress(np.packbits(self.origin).tobytes())
        return {
            "version": _VERSION,
            "shape": list(self.origin.shape),
            "origin": base64.b64encode(packed).decode("ascii"),
            "struck": [list(cell) for cell in sorted(self.struck)],
            "entries": self.entries_to_json(),
        }

    def entries_to_json(self, first: int = 0) -> list[Any]:
        """The entries from the place `first` on, as `to_json` holds them: what a store appends."""
        return [_entry_to_json(entry) for entry in self.entries[first:]]

    def resized(self, n_steps: int) -> EditLog:
        """The same log over a roll of so many steps: silent where it is longer, and cut where it is shorter.

        Entries past the end stay in the log, and count again when the roll is long enough.
        """
        more = n_steps - self.origin.shape[1]
        if not more:
            return self
        origin = np.pad(self.origin, ((0, 0), (0, max(more, 0)), (0, 0)))[:, :n_steps]
        return EditLog(origin, self.entries, frozenset(cell for cell in self.struck if cell[0] < n_steps))

    def moved(self, onto: EditLog, steps: int, pitches: int) -> EditLog:
        """The same entries over the origin of another log, on which all lies so many steps and semitones elsewhere.

        What comes to lie outside of it stays in the log, and counts again when it is moved back.
        """
        if not steps and not pitches:
            return EditLog(onto.origin, self.entries, onto.struck)
        entries = tuple(
            replace(one, edit=Edit(one.edit.plane, one.edit.step + steps, one.edit.pitch + pitches))
            if isinstance(one, CellEntry)
            else one
            for one in self.entries
        )
        return EditLog(onto.origin, entries, onto.struck)

    def on_planes(self, n_planes: int) -> EditLog:
        """The same log as a model of so many planes hears it: without the re-struck one, repeated notes are joined.

        Notes of the user's that are joined still count as the notes that they are.
        """
        if n_planes >= self.origin.shape[0]:
            return self
        first = slice(0, n_planes)
        begins = attacks(self.user_cells)
        begins[1:] &= self.user_cells[0, :-1]
        struck = frozenset((int(step), int(pitch)) for step, pitch in np.argwhere(begins)) | self.struck
        heard = EditLog(self.origin[first], self.entries, struck)
        # A cached property lies in __dict__.
        heard.__dict__["_derived"] = self._derived._replace(
            cells=_read_only(self.cells[first].copy()),
            user_cells=_read_only(self.user_cells[first].copy()),
            author_of=_read_only(self.author_of[first].copy()),
        )
        return heard

    @classmethod
    def from_json(cls, data: object) -> EditLog:
        """Read what `to_json` wrote.

        Raises:
            BadInput: it is something else, damaged, or of a newer version.
        """
        if not isinstance(data, dict):
            raise _unreadable(f"it is {type(data).__name__}, not an object with entries")
        expected = {"version", "shape", "origin", "struck", "entries"}
        if unknown := sorted(str(key) for key in set(data) - expected):
            raise _unreadable(f"it has unknown keys: {', '.join(unknown)}")
        if missing := sorted(expected - set(data)):
            raise _unreadable(f"it lacks {', '.join(missing)}")
        if data["version"] != _VERSION:
            raise BadInput(
                f"the edit log has version {data['version']!r} and this program reads {_VERSION}; update ripieno"
            )
        origin = _origin_from_json(data["shape"], data["origin"])
        struck = _struck_from_json(data["struck"], origin.shape)
        return cls(origin, entries_from_json(data["entries"], origin.shape[0]), struck)

    # How it is done

    @cached_property
    def _derived(self) -> _Derived:
        """Replay the log."""
        undone: set[int] = set()
        for entry in self.entries:
            if isinstance(entry, UndoEntry):
                if entry.kind == "undo":
                    undone.update(entry.of)
                else:
                    undone.difference_update(entry.of)
        cells, user_cells = self.origin.copy(), self.origin.copy()
        author_of = np.zeros(self.origin.shape, dtype=np.int8)
        n_planes, n_steps, n_pitches = self.origin.shape
        settings: list[SettingEntry] = []
        n_edits = 0
        for place, entry in enumerate(self.entries):
            if isinstance(entry, UndoEntry):
                continue
            n_edits += isinstance(entry, CellEntry)
            if place in undone:
                continue
            if isinstance(entry, SettingEntry):
                settings.append(entry)
                continue
            plane, step, pitch = entry.edit
            if not (plane < n_planes and 0 <= step < n_steps and 0 <= pitch < n_pitches):
                continue  # past the ends of the roll, or of a plane that a model does not hear
            cells[entry.edit] = entry.value
            author_of[entry.edit] = _AUTHORS[entry.author]
            if entry.author == "user":
                user_cells[entry.edit] = entry.value
        return _Derived(
            cells=_read_only(cells),
            user_cells=_read_only(user_cells),
            author_of=_read_only(author_of),
            settings=tuple(settings),
            n_edits=n_edits,
            undone=frozenset(undone),
            ids=frozenset(entry.id for entry in self.entries if entry.id is not None),
            n_batches=max((entry.batch + 1 for entry in self.entries), default=0),
        )

    def _write(
        self,
        edits: list[Edit],
        values: list[bool],
        author: Author,
        probabilities: Sequence[float] | None,
        batch: int | None,
        time: float | None,
        id: EntryId | None,
        each: bool = False,
        where: _Where | None = None,
    ) -> EditLog:
        before = self._derived
        if not edits or (id is not None and id in before.ids):
            return self
        number = self._batch_number(batch)
        time = _seconds(time)
        likely = [None] * len(edits) if probabilities is None else [float(p) for p in probabilities]
        batches = [number + i * each for i in range(len(edits))]
        freed = self._freed(edits, values, author, where) if self.origin.shape[0] > 1 else {}
        if freed:  # each after the edit that frees it
            rows = []
            for i, row in enumerate(zip(edits, values, likely, batches, strict=True)):
                rows.append(row)
                rows += [(bit, False, likely[i], batches[i]) for bit in freed.get(i, ())]
            edits, values, likely, batches = map(list, zip(*rows, strict=True))
        new = tuple(
            CellEntry(edit=edit, value=value, batch=n, author=author, probability=p, time=time, id=id)
            for edit, value, p, n in zip(edits, values, likely, batches, strict=True)
        )
        cells, author_of = before.cells.copy(), before.author_of.copy()
        user_cells = before.user_cells.copy() if author == "user" else before.user_cells
        for edit, value in zip(edits, values, strict=True):
            cells[edit] = value
            author_of[edit] = _AUTHORS[author]
            if author == "user":
                user_cells[edit] = value
        after = EditLog(self.origin, self.entries + new, self.struck)
        # A cached property lies in __dict__: filled in here, the new log need not replay all its entries.
        after.__dict__["_derived"] = before._replace(
            cells=_read_only(cells),
            author_of=_read_only(author_of),
            user_cells=_read_only(user_cells),
            n_edits=before.n_edits + len(new),
            ids=before.ids if id is None else before.ids | {id},
            n_batches=max(before.n_batches, *(batch + 1 for batch in batches)),
        )
        if author == "model" and "user_note_of" in self.__dict__:
            after.__dict__["user_note_of"] = self.user_note_of
        return after

    def _freed(
        self, edits: Sequence[Edit], values: Sequence[bool], author: Author, where: _Where | None
    ) -> dict[int, list[Edit]]:
        """What is struck again and rests on nothing once edits are made, by the place of the edit that frees it."""
        told = dict(zip(edits, values, strict=True))
        free = None if where is None else np.broadcast_to(where, self.origin.shape)
        found: dict[int, list[Edit]] = {}
        gone: set[Edit] = set()
        for i, edit in enumerate(edits):
            if edit.plane or told[edit] or not self.cells[edit]:
                continue
            for at in (edit.step, edit.step + 1):
                bit, under = Edit(1, at, edit.pitch), Edit(0, at, edit.pitch)
                if at == self.origin.shape[1] or bit in told or bit in gone or not self.cells[bit]:
                    continue
                own = bool(self.user_cells[under]) if author == "model" else told.get(under, self.user_cells[under])
                if not (own and self.user_cells[bit]) and (free is None or free[bit]):
                    gone.add(bit)
                    found.setdefault(i, []).append(bit)
        return found

    def _revive(
        self,
        kind: Literal["undo", "redo"],
        places: list[int],
        author: Author,
        time: float | None,
        id: EntryId | None,
        alone: bool = False,
    ) -> EditLog:
        """Undo or redo entries; unless `alone`, what the model struck on cells that are silent by then goes, too."""
        if not places or (id is not None and id in self._derived.ids):
            return self
        number = self._batch_number(None)
        entry = UndoEntry(kind=kind, of=tuple(places), batch=number, author=author, time=_seconds(time), id=id)
        after = self._replayed(entry)
        if alone or self.origin.shape[0] == 1:
            return after
        gone = {
            (int(step), int(pitch))
            for step, pitch in np.argwhere(after._resting_on_nothing & ~self._resting_on_nothing)
        }
        struck = tuple(
            place
            for place, one in enumerate(self.entries)
            if isinstance(one, CellEntry)
            and one.author == "model"
            and one.edit.plane
            and one.edit[1:] in gone
            and place not in after.undone
        )
        if not struck:
            return after
        if kind == "undo":
            return self._replayed(replace(entry, of=tuple(sorted((*places, *struck)))))
        return after._replayed(replace(entry, kind="undo", of=struck))

    @property
    def _resting_on_nothing(self) -> Bool[np.ndarray, "step pitch"]:
        """What is struck again though it does not sound, or did not before, but for what the user struck."""
        struck: np.ndarray = self.cells[1] & ~restrikable(self.cells) & ~self.user_cells[1]
        return struck

    def _replayed(self, entry: Entry) -> EditLog:
        # A replay costs a millisecond or so, and what calls this is a person.
        return EditLog(self.origin, (*self.entries, entry), self.struck)

    def _places(self, batch: int | None, entry: int | None, verb: str) -> list[int]:
        """Where the entries of a batch, or the one entry, stand."""
        if (batch is None) == (entry is None):
            raise BadInput(f"say what to {verb}: a batch or an entry, one of the two")
        if entry is not None:
            if not 0 <= entry < len(self.entries):
                raise BadInput(f"there is no entry {entry} to {verb}: the log has {len(self.entries)}, counted from 0")
            places = [entry]
        else:
            places = [place for place, item in enumerate(self.entries) if item.batch == batch]
            if not places:
                raise BadInput(f"there is no batch {batch} to {verb}: the log has {self.n_batches}, counted from 0")
        for place in places:
            if isinstance(item := self.entries[place], UndoEntry):
                said = "an undo; redo" if item.kind == "undo" else "a redo; undo"
                raise BadInput(f"that is itself {said} batch {self.entries[item.of[0]].batch} instead")
        return places

    def _batch_number(self, batch: int | None) -> int:
        n_batches = self._derived.n_batches
        if batch is None:
            return n_batches
        if not 0 <= batch <= n_batches:
            raise BadInput(f"there is no batch {batch} to go on with: the log has {n_batches}, counted from 0")
        return batch

    def _inside(self, edits: Iterable[Edit]) -> list[Edit]:
        """The edits in plain numbers, none of them outside the roll."""
        n_planes, n_steps, n_pitches = self.origin.shape
        plain = [Edit(int(plane), int(step), int(pitch)) for plane, step, pitch in edits]
        for plane, step, pitch in plain:
            if not (0 <= plane < n_planes and 0 <= step < n_steps and 0 <= pitch < n_pitches):
                raise BadInput(
                    f"step {step}, pitch {pitch}, plane {plane} lies outside the roll: "
                    f"it has steps 0-{n_steps - 1}, pitches 0-{n_pitches - 1}, planes 0-{n_planes - 1}"
                )
        return plain


def entries_from_json(items: object, n_planes: int) -> tuple[Entry, ...]:
    """The entries that `EditLog.entries_to_json` wrote.

    They may lie outside of a roll, which may have been longer, or elsewhere, when they were recorded.

    Args:
        items: what JSON holds.
        n_planes: of the roll.

    Raises:
        BadInput: they are something else, or do not fit the roll or one another.
    """
    if not isinstance(items, list):
        raise _unreadable("its entries are not a list")
    entries: list[Entry] = []
    n_batches = 0
    for item in items:
        entry = _entry_from_json(item, entries, n_planes, n_batches)
        n_batches = max(n_batches, entry.batch + 1)
        entries.append(entry)
    return tuple(entries)


def _read_only(array: _Array) -> _Array:
    array.setflags(write=False)
    return array


def _seconds(time: float | None) -> float | None:
    return None if time is None else float(time)


def _entry_to_json(entry: Entry) -> list[Any]:
    head = [entry.kind, entry.batch, entry.author]
    if isinstance(entry, CellEntry):
        return [*head, *entry.edit, entry.value, entry.probability, entry.time, entry.id]
    if isinstance(entry, UndoEntry):
        return [*head, list(entry.of), entry.time, entry.id]
    return [*head, entry.name, entry.value, entry.time, entry.id]


def _entry_from_json(item: object, earlier: list[Entry], n_planes: int, n_batches: int) -> Entry:
    """Read one entry; it must fit the roll and those before it."""
    match item:
        case [str(kind), int(batch), ("user" | "model") as author, *rest, None | int() | float() as time, id] if (
            0 <= batch <= n_batches and _is_finite(time) and isinstance(id, EntryId | None)
        ):
            match kind, rest:
                case "edit", [int(plane), int(step), int(pitch), bool(value), None | int() | float() as chance]:
                    edit = Edit(plane, step, pitch)
                    is_near = abs(step) < FARTHEST and -N_PITCHES <= pitch < 2 * N_PITCHES
                    if is_near and 0 <= plane < n_planes and _is_finite(chance):
                        return CellEntry(
                            edit=edit, value=value, batch=batch, author=author, probability=chance, time=time, id=id
                        )
                case ("undo" | "redo") as verb, [list() as places]:
                    of = tuple(at for at in places if isinstance(at, int) and 0 <= at < len(earlier))
                    if of and len(of) == len(places) and not any(isinstance(earlier[at], UndoEntry) for at in of):
                        return UndoEntry(kind=verb, of=of, batch=batch, author=author, time=time, id=id)
                case "setting", [str(name), value]:
                    text = _setting_text(name, value)
                    return SettingEntry(name=name, text=text, batch=batch, author=author, time=time, id=id)
    raise _unreadable(f"entry {len(earlier)} is {str(item)[:60]}, which fits neither the roll nor the entries before")


def _setting_text(name: str, value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"the setting {name} cannot be saved as {value!r}; use numbers, text and lists") from error


def _is_finite(number: float | None) -> bool:
    return number is None or math.isfinite(number)


def _origin_from_json(shape: object, text: object) -> Cells:
    match shape:
        case [1 | 2 as n_planes, int(n_steps), int(n_pitches)] if n_steps > 0 and n_pitches == N_PITCHES:
            n_cells = n_planes * n_steps * N_PITCHES
            try:
                packed = base64.b64decode(str(text), validate=True)
                # One byte more than it should hold, so that a longer one is seen, and no more than that.
                bits = zlib.decompressobj().decompress(packed, n_cells // 8 + 1)
            except (binascii.Error, zlib.error, OverflowError, ValueError) as error:
                raise _unreadable(f"its origin is damaged ({error})") from error
            if len(bits) != n_cells // 8:
                raise _unreadable(f"its origin does not fill {n_steps} steps")
            return np.unpackbits(np.frombuffer(bits, dtype=np.uint8)).astype(bool).reshape(n_planes, n_steps, N_PITCHES)
    raise _unreadable(f"its roll has shape {str(shape)[:60]}, not 1 or 2 planes, some steps and {N_PITCHES} pitches")


def _struck_from_json(cells: object, shape: tuple[int, ...]) -> frozenset[tuple[int, int]]:
    found = set()
    for cell in cells if isinstance(cells, list) else [cells]:
        match cell:
            case [int(step), int(pitch)] if 0 <= step < shape[1] and 0 <= pitch < shape[2]:
                found.add((step, pitch))
            case _:
                raise _unreadable(f"a note cannot be struck again at {str(cell)[:60]}")
    return frozenset(found)


def _unreadable(why: str) -> BadInput:
    return BadInput(f"the edit log cannot be read: {why}; open an earlier copy of the file")
