"""One piece in the studio: a document as the windows see it, and what was offered.  (Paper 5)

Whatever changes the piece goes through `_commit`: first it is on disk, then it holds, then the windows hear of it.
Nothing here waits for the model. What needs it is a generator that yields `Ask`s, which the engine drives; between two
passes a person may have done anything, and what was asked before that is asked again.

What grows with the history, entries and items, is kept as the JSON that is sent. As objects it would be a dozen to a
change, and Python's garbage collector, which stops everything, goes through all of them again and again.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from ripieno import bounds, export
from ripieno.document import Document
from ripieno.edits.edit import Edit
from ripieno.edits.log import USER, CellEntry, EditLog, SettingEntry, UndoEntry, entries_from_json
from ripieno.edits.notes import NoteGone, OwnedNote, note_at, notes_of_batch, owned_notes
from ripieno.edits.policy import Policy
from ripieno.errors import BadInput, NothingAllowed
from ripieno.models.runtime import Model, Prediction, the_separator
from ripieno.music import harmony
from ripieno.music.roll import Cells, RollNote, Voices
from ripieno.music.understanding import Reading, meter_at, steps_of_bars
from ripieno.options import abouts, in_words, title_of
from ripieno.sampling.assist import Filling, NoteSuggestion, doubts, fill, suggest_notes
from ripieno.sampling.mending import Hopeless, lines_sung
from ripieno.sampling.passes import Ask, Change
from ripieno.sampling.run import STOP_RULE
from ripieno.session import turn
from ripieno.shapes import Bool, Int
from ripieno.studio import messages as wire
from ripieno.studio.batches import Batches, is_step, n_that_stay
from ripieno.studio.singing import VOICES, SingerOf, in_unison, selected, voice_for, voices_in, who_sings
from ripieno.studio.store import Store, WrittenElsewhere
from ripieno.studio.wording import bars_in_words, described, heard, lock_in_words, named

MAX_NOTES = 20_000
MAX_BARS = 256
REMEMBERED = 4096  # entries that a window which comes back may have missed; with more it gets the whole piece
OFFERED = 256  # suggestions and alternatives that can still be taken
SEEDS = 64  # of the model's, for one of the page's
SURE, LIKELY = 0.7, 0.4

Listener = Callable[[wire.Message | None], None]  # hears messages for all windows; None: there are new entries


class Refusal(BadInput):
    """A request that cannot be carried out; `code` says to the page what kind of thing it is."""

    def __init__(self, code: wire.ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class RunningNow:
    """A run that goes on."""

    number: int
    id: str | None
    bars: tuple[int, int] | None
    iterations: int | None
    n_changes: int = 0
    n_left: float | None = None
    state: wire.RunWord = "running"
    added: dict[tuple[int, int], int] = field(default_factory=dict)  # cells that it sounded, and in which batch
    removed: dict[tuple[int, int], int] = field(default_factory=dict)
    hopeless: Hopeless = field(default_factory=set)  # faults for which nothing better was found


@dataclass(frozen=True)
class _Offer:
    """What can be taken: edits, and the cells that must still be as they were."""

    edits: tuple[Edit, ...]
    probabilities: tuple[float, ...]
    watched: tuple[Any, ...]  # index into the roll
    before: Bool[np.ndarray, " cell"] | Cells  # the roll there
    text: str
    note: RollNote | None = None  # of a suggestion


class _Changed(Exception):
    """Somebody did something to the piece while the model was asked about it."""


@dataclass(frozen=True)
class _Step:
    """The document after one step, and what to say of it."""

    document: Document
    text: str
    why: str | None = None


Result = TypeVar("Result")


class Composition:
    """A piece that windows look at.

    Args:
        id: its name in the store.
        name: its title.
        document: as the piece began.
        model: what writes in it.
        store: receives every step.
        begun: how it began, as the store keeps it.
        steps: of its log, so far.

    Raises:
        BadInput: the steps do not fit the piece.
    """

    def __init__(
        self,
        id: str,
        name: str,
        document: Document,
        model: Model,
        store: Store,
        begun: dict[str, Any],
        steps: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.id = id
        self.begun = begun
        self.document = document
        self.lock = threading.RLock()
        self.version = 0  # changes with the log
        self.seq = 0
        self.entries: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)  # the newest: number, JSON
        self.run: RunningNow | None = None
        self.voices: SingerOf = {}  # by onset and pitch of the roll
        self.voices_version = -1  # of the log that they are of
        self.listeners: set[Listener] = set()
        self.n_windows = 0
        self.closed_because: tuple[wire.ErrorCode, str] | None = None  # nothing can be done to it any more
        self._store = store
        self._model = model
        self._begun_name = name
        self._batches = Batches(document.log)
        self._items: dict[int, str] = {}  # of the history, as JSON, by batch
        self._offers: dict[str, _Offer] = {}
        self._restore(steps)

    # What it is

    @property
    def log(self) -> EditLog:
        """The log."""
        return self.document.log

    @property
    def name(self) -> str:
        """Its title."""
        return self.document.title or self._begun_name

    @property
    def rules(self) -> wire.Rules:
        """The options that are asked for by rules, as the windows see them."""
        return wire.rules_of(self.document.options)

    @property
    def locks(self) -> wire.Locks:
        """The locks, as the windows see them."""
        locks = self.document.locks
        return wire.Locks(
            notes=self._locked(locks.notes),
            voices=[
                wire.VoiceLock(voice=voice, notes=self._locked(locks.voices[voice]))
                for voice in VOICES
                if voice in locks.voices
            ],
            bars=sorted(locks.bars),
            pitches=sorted(locks.pitches),
        )

    @property
    def settings(self) -> wire.Settings:
        """All settings, as the windows see them."""
        reading = self.document.reading
        starts = [*reading.bar_starts, self.n_steps]
        bars = []
        for i, start in enumerate(reading.bar_starts):
            if start < self.n_steps:
                meter = meter_at(reading, start)
                bars.append(
                    wire.Bar(
                        number=reading.first_bar + i,
                        start=start,
                        n_steps=min(starts[i + 1], self.n_steps) - start,
                        numerator=meter.numerator,
                        denominator=meter.denominator,
                    )
                )
        key = reading.key
        return wire.Settings(
            name=self.name,
            rules=self.rules,
            locks=self.locks,
            bpm=reading.bpm,
            key=wire.Key(
                name=harmony.key_name(key),
                tonic=key.tonic,
                mode=key.mode,
                n_sharps=key.n_sharps,
                is_guessed=reading.is_key_guessed,
            ),
            n_steps=self.n_steps,
            bars=bars,
            phrases=[
                wire.Phrase(
                    start=phrase.start,
                    rest=phrase.rest,
                    end=min(phrase.end, self.n_steps),
                    place=str(reading.end_of(phrase)),
                    sure=phrase.sure,
                )
                for phrase in reading.phrases
                if phrase.rest < self.n_steps
            ],
        )

    @property
    def n_steps(self) -> int:
        """Its length."""
        return self.document.n_steps

    @property
    def run_state(self) -> wire.RunState | None:
        """How the run goes that goes on now."""
        return None if self.run is None else _run_state(self.run)

    def state(self) -> wire.State:
        """The piece, whole."""
        return wire.State(
            settings=self.settings,
            notes=[self._note(note) for note in owned_notes(self.log)],
            history=[wire.HistoryItem.model_validate_json(self._items[batch]) for batch in sorted(self._items)],
        )

    def since(self, seen: int | None) -> list[tuple[int, str]] | None:
        """The entries after the one numbered `seen`, each with its number; None if they are not remembered."""
        if seen is None or seen > self.seq:
            return None
        missed = [entry for entry in list(self.entries) if entry[0] > seen]  # a copy: others may append meanwhile
        if seen < self.seq and (not missed or missed[0][0] != seen + 1):
            return None
        return missed

    # A person's turn

    def edit(self, id: str, remove: Sequence[wire.NoteShape], add: Sequence[wire.NoteShape]) -> str | None:
        """Take notes away and put others in.

        Raises:
            Refusal: one of them is not there as it was, or there are too many.
            BadInput: a note lies outside the piece.
        """
        if self._has(id):
            return None
        gone, come = [self._on_roll(note) for note in remove], [self._on_roll(note) for note in add]
        try:
            after = self.document.put(gone, come, time=time.time(), id=id)
        except NoteGone as error:
            raise Refusal(
                "conflict", f"{self._named(error.note)} is no longer there as you saw it; nothing was changed"
            ) from error
        if come and len(owned_notes(after.log)) > MAX_NOTES:
            raise Refusal("too_many_notes", f"a piece holds {MAX_NOTES:,} notes at the most; remove some first")
        self._commit([_Step(after, described(gone, come, self.document.reading))])
        return None

    def undo(self, id: str, batch: int | None, run: int | None) -> str | None:
        """Undo a batch, a run, or what was done last; says what stays because later changes decide it."""
        if self._has(id):
            return None
        batches = self._asked(batch, run)
        if batches is None:
            newest = next((one for one in sorted(self._items, reverse=True) if not self._is_undone(one)), None)
            if newest is None:
                raise Refusal("unknown_batch", "there is nothing to undo")
            of = self._batches.run_of.get(newest)
            batches = [newest] if of is None else self._batches.of_run[of]
        batches = [one for one in batches if not self._is_undone(one)]
        if not batches:
            return "that is undone already"
        stays = n_that_stay(self.log, batches)
        after = self.document.undo(batches, time=time.time(), id=id)
        self._commit([_Step(after, f"undone: {self._summary(batches)}")])
        if not stays:
            return None
        what = "1 cell stays" if stays == 1 else f"{stays} cells stay"
        return f"{what} as it is: later changes decide it" if stays == 1 else f"{what}: later changes decide them"

    def redo(self, id: str, batch: int | None, run: int | None) -> str | None:
        """Bring back a batch or a run that was undone, or what was undone last."""
        if self._has(id):
            return None
        batches = self._asked(batch, run)
        meant = self.document.undone_last if batches is None else [one for one in batches if self._is_undone(one)]
        if not meant:
            if batches is None:
                raise Refusal("unknown_batch", "there is nothing to bring back")
            return "that is there already"
        after = self.document.redo(None if batches is None else meant, time=time.time(), id=id)
        self._commit([_Step(after, f"brought back: {self._summary(meant)}")])
        return None

    def set_locks(self, request: wire.Lock) -> str | None:
        """Lock notes, voices, bars or rows, or unlock them."""
        if self._has(request.id):
            return None
        asked = [self._on_roll(note) for note in request.notes]
        for note in asked:
            there = note_at(self.log, note.onset, note.pitch) if note.onset < self.n_steps else None
            if request.locked and (there is None or (there.onset, there.duration) != (note.onset, note.duration)):
                raise Refusal("conflict", f"{self._named(note)} is no longer there as you saw it; nothing was locked")
        sung: dict[str, list[RollNote]] = {voice: [] for voice in request.voices}
        if request.locked and request.voices:
            sings, lines = self.singers(), lines_sung(self.log, self.document.policy(), the_separator())
            for voice in request.voices:
                own = [note for note in owned_notes(self.log) if sings.get((note.onset, note.pitch)) == voice]
                sung[voice] = [*map(self._sounding, own)]
                sung[voice] += map(self._sounding, in_unison(lines, voice, sings, self.log))
        after = self.document.set_locks(
            request.locked,
            bars=request.bars,
            pitches=request.pitches,
            notes=list(map(self._sounding, asked)),
            voices=sung,
            time=time.time(),
            id=request.id,
        )
        self._commit([_Step(after, lock_in_words(request, asked, self.document.reading))])
        return None

    def set_rules(self, request: wire.SetRules) -> str | None:
        """Change rules.

        Raises:
            BadInput: two of them contradict each other, or the piece cannot be read so.
        """
        if self._has(request.id):
            return None
        changes = {name: value for name, value in request.changes.model_dump().items() if value is not None}
        after = self.document.set_options(changes | dict.fromkeys(request.unset), time=time.time(), id=request.id)
        said = [f"{title_of(name).lower()} {in_words(name, value)}" for name, value in changes.items()]
        said += [f"{title_of(name).lower()} {abouts()[name].unless}" for name in request.unset]
        self._commit([_Step(after, f"rules: {', '.join(said) or 'as they were'}")])
        return None

    def set_tempo(self, id: str, bpm: float) -> str | None:
        """Change the tempo."""
        if not self._has(id):
            after = self.document.set_options({"bpm": bpm}, time=time.time(), id=id)
            self._commit([_Step(after, f"tempo {bpm:g}")])
        return None

    def rename(self, id: str, name: str) -> str | None:
        """Change the name."""
        if not self._has(id):
            after = self.document.rename(" ".join(name.split()) or "Untitled", time=time.time(), id=id)
            self._commit([_Step(after, f"named {name}")])
        return None

    def lengthen(self, id: str, n_bars: int) -> str | None:
        """Add empty bars at the end.

        Raises:
            Refusal: it would be too long.
        """
        if self._has(id):
            return None
        text = "1 bar added" if n_bars == 1 else f"{n_bars} bars added"
        self._commit([_Step(self.document.lengthen(n_bars, time=time.time(), id=id), text)])
        return None

    def accept(self, id: str, token: str) -> str | None:
        """Make a suggestion true.

        Raises:
            Refusal: it no longer fits.
        """
        if self._has(id):
            return None
        offer = self._offer(token)
        after = self.log.record(offer.edits, "model", offer.probabilities, time=time.time(), id=id)
        self._commit([_Step(self.document.with_log(after), offer.text)])
        return None

    def refuse(self, id: str, token: str) -> str | None:
        """Do not offer a suggestion again until the music around it changes.

        Raises:
            Refusal: there is no such suggestion.
        """
        if self._has(id):
            return None
        offer = self._offers.get(token)
        if offer is None or offer.note is None:
            raise Refusal("stale", "that suggestion is no longer on offer; ask again")
        cells = [(edit.step, edit.pitch) for edit in offer.edits]
        refusal = bounds.RefusedSuggestion.of(cells, offer.note.onset, offer.note.end, self.log)
        after = self.document.refuse(refusal, time=time.time(), id=id)
        self._commit([_Step(after, f"refused: {offer.text}")])
        return None

    def take(self, id: str, token: str) -> str | None:
        """Make an alternative true."""
        return self.accept(id, token)

    # The model's turn

    def suggesting(self, request: wire.Suggest) -> Generator[Ask, Prediction | None, wire.Suggestions]:
        """Find the next whole notes; a generator that the engine drives."""
        while True:
            version = self.version
            bars = request.bars
            policy = self.document.policy(bars)
            try:
                searching = suggest_notes(self.log, self.document.context, policy, request.n)
                found, n_left = yield from self._unless_changed(searching, version)
            except _Changed:
                continue
            except NothingAllowed as error:
                return wire.Suggestions(id=request.id, seq=self.seq, suggestions=[], n_left=None, text=str(error))
            return wire.Suggestions(
                id=request.id,
                seq=self.seq,
                suggestions=[self._suggestion(one) for one in found],
                n_left=_finite(n_left),
                text=None if found else "nothing is left to suggest: the piece is finished",
            )

    def regenerating(self, request: wire.Regenerate) -> Generator[Ask, Prediction | None, wire.Alternatives]:
        """Find other ways to fill a selection; a generator that the engine drives."""
        while True:
            version = self.version
            log = self.log
            steps = steps_of_bars(self.document.reading, *request.bars, name=self.name)
            locked = self.locked_cells()
            sings = self.singers() if request.voices else {}
            cleared, reach, n_new = selected(request, steps, log, locked, sings)
            policy = self.document.policy(request.bars)
            try:
                ways = yield from self._unless_changed(self._filling(request, policy, cleared, reach, n_new), version)
            except _Changed:
                continue
            offered = []
            for way in ways:
                after = log.record(way.edits, "model", way.probabilities)
                gone, new = _difference(log, after, {edit.pitch for edit in way.edits})
                watched = (slice(None), slice(steps.start, steps.stop))
                words = f"another {' and '.join(request.voices) or 'setting'} in {bars_in_words(request.bars)}"
                offer = _Offer(way.edits, way.probabilities, watched, log.cells[watched], words)
                offered.append(
                    wire.Alternative(
                        token=self._offered(offer),
                        seed=way.seed,
                        remove=[self._shape(note) for note in gone],
                        add=[self._shape(note) for note in new],
                    )
                )
            return wire.Alternatives(
                id=request.id,
                seq=self.seq,
                bars=request.bars,
                voices=list(request.voices),
                alternatives=offered,
            )

    def _keeps_locked_voices(self, now: Voices, then: Voices) -> bool:
        """Whether every locked voice still sings what it sings now; with another voice on its note it might not."""
        voices = voices_in(now)
        for lock in self.locks.voices:
            if lock.voice not in voices:
                continue
            voice = voices.index(lock.voice)
            for note in lock.notes:
                steps = slice(note.onset, note.onset + note.duration)
                sings = now[steps, voice] == note.pitch + self.document.reading.shift
                if (sings & (then[steps, voice] != now[steps, voice])).any():
                    return False
        return True

    def _filling(
        self,
        request: wire.Regenerate,
        policy: Policy,
        cleared: Sequence[Edit],
        reach: Bool[np.ndarray, "step pitch"],
        n_new: int | None,
    ) -> Generator[Ask, Prediction | None, list[Filling]]:
        """As many ways as are wanted, if there are so many; with other seeds once more where some came out alike."""
        log, found = self.log, list[Filling]()
        lines = lines_sung(log, policy, the_separator()) if self.locks.voices else None
        for more in range(2):
            seeds = [(SEEDS * request.seed + more * request.n + i) % 2**31 for i in range(request.n - len(found))]
            ways = yield from fill(log, self.document.context, policy, cleared, reach, n_new, seeds)
            new = [way for way in ways if all(set(way.edits) != set(other.edits) for other in found)]
            for way in new:
                after = log.record(way.edits, "model")
                if lines is None or self._keeps_locked_voices(lines, lines_sung(after, policy, the_separator())):
                    found.append(way)
            if len(found) == request.n:
                break
        return found

    def doubting(self, request: wire.AskDoubts) -> Generator[Ask, Prediction | None, wire.Doubts]:
        """Find what the model would change; a generator that the engine drives."""
        while True:
            try:
                doubted = yield from self._unless_changed(doubts(self.log, self.document.context), self.version)
            except _Changed:
                continue
            shift = self.document.reading.shift
            return wire.Doubts(
                id=request.id,
                seq=self.seq,
                notes=[wire.Doubt(note=self._shape(one.note), belongs=one.belongs) for one in doubted.notes],
                cells=[
                    wire.CellDoubt(
                        step=step,
                        pitch=pitch - shift,
                        sounds=bool(self.log.cells[0, step, pitch]),
                        probability=probability,
                    )
                    for step, pitch, probability in doubted.cells
                    if 0 <= pitch - shift < 128
                ],
                n_left=_finite(doubted.n_left),
            )

    def begin_run(self, request: wire.Run) -> RunningNow:
        """Begin a run; the engine drives `composing`.

        Raises:
            Refusal: one goes on already.
            BadInput: there are no such bars.
        """
        if self.run is not None:
            raise Refusal("bad_input", "a run goes on already; stop it first")
        if request.bars is not None:
            steps_of_bars(self.document.reading, *request.bars, name=self.name)
        number = max(self._batches.of_run, default=-1) + 1
        self.run = RunningNow(number, request.id, request.bars, request.iterations)
        self._batches.of_run[number] = []
        self._tell(wire.Running(run=_run_state(self.run)))
        return self.run

    def stop_run(self) -> None:
        """Stop the run: no change of it comes after this.

        Raises:
            Refusal: there is none.
        """
        if self.run is None:
            raise Refusal("not_running", "nothing runs that could be stopped")
        self.end_run(self.run, "stopped")

    def end_run(self, run: RunningNow, state: wire.RunWord) -> None:
        """Note that a run has ended, if it has not already."""
        if self.run is run:
            run.state = state
            self.run = None
            self._tell(wire.Running(run=_run_state(run)))

    def fail_run(self, run: RunningNow, error: wire.Error) -> None:
        """Note that a run went wrong, and tell the windows why."""
        if self.run is run:
            self.end_run(run, "failed")
            self._tell(error)

    def close(self, code: wire.ErrorCode, why: str) -> None:
        """End whatever goes on, and send the windows away."""
        with self.lock:
            self.closed_because = code, why
            if self.run is not None:
                self.end_run(self.run, "stopped")
            for listener in list(self.listeners):
                listener(None)

    def composing(self, run: RunningNow) -> Generator[Ask, Prediction | None, None]:
        """Make changes until the piece is finished or the run is stopped; a generator that the engine drives."""
        most = run.iterations or self.document.options.iterations or STOP_RULE.most_edits(self.n_steps)
        while self.run is run:
            version = self.version
            left = most - run.n_changes
            changing = turn(self.document, self._model, run.hopeless, left, bars=run.bars)
            done: list[Change] = []
            answer: Prediction | None = None
            try:
                while True:
                    item = changing.send(answer)
                    answer = None
                    if not isinstance(item, Ask):
                        done.append(item)
                        if run.n_changes + len(done) < most:
                            continue
                        self._adopt(run, done)
                        self.end_run(run, "finished")
                        return
                    if done:
                        self._adopt(run, done)
                        version, done = self.version, []
                    answer = yield item
                    if self.run is not run or self.version != version:
                        break  # stopped, or somebody did something: look again
            except StopIteration:
                self._adopt(run, done)
                self.end_run(run, "finished" if run.n_changes else "nothing")

    def _adopt(self, run: RunningNow, changes: Sequence[Change]) -> None:
        """Write a run's changes to the log; cells of one note go to one batch."""
        if not changes:
            return
        document, log, steps = self.document, self.log, []
        # The sampler's log has the same entries as this one, but for the numbers of their batches. What changes of one
        # pass have in common is the log after all of them.
        new = [one for one in changes[-1].log.entries[len(log.entries) :] if isinstance(one, CellEntry)]
        batches = [list(entries) for _, entries in groupby(new, key=lambda entry: entry.batch)]
        where = document.policy(run.bars).where
        for change, entries in zip(changes, batches, strict=False):
            number = log.n_batches
            if sum(one.edit.plane == 0 for one in entries) <= 1 and not change.n_revised:
                number = _batch_beside(run, entries[0], number)
            chances = [one.probability for one in entries if one.probability is not None]
            edits = [one.edit for one in entries]
            log = log.record(edits, "model", chances or None, number, time.time(), entries[0].id, where)
            for one in entries:
                cell = one.edit.step, one.edit.pitch
                (run.added if one.value else run.removed)[cell] = number
                (run.removed if one.value else run.added).pop(cell, None)
            document = document.with_log(log)
            steps.append(_Step(document, export.describe(document, change), change.why))
            run.n_left = _finite(change.n_left)
        run.n_changes += len(changes)
        self._commit(steps, run.number)
        self._tell(wire.Running(run=_run_state(run)))

    def _unless_changed(
        self, asking: Generator[Ask, Prediction | None, Result], version: int
    ) -> Generator[Ask, Prediction | None, Result]:
        """Drive a generator as long as nobody does anything to the piece.

        Raises:
            _Changed: somebody did.
        """
        try:
            ask = next(asking)
            while True:
                answer = yield ask
                if self.version != version:
                    raise _Changed
                ask = asking.send(answer)
        except StopIteration as end:
            result: Result = end.value
            return result

    # What the model may do

    def locked_cells(self) -> Bool[np.ndarray, "step pitch"]:
        """Where the locks forbid the model to change anything."""
        return bounds.locked_cells(self.document.locks, self.document.reading, self.n_steps)

    # Who sings what

    def singers(self) -> SingerOf:
        """Who sings each note, by onset and pitch of the roll."""
        if self.voices_version != self.version:
            self.keep_voices(self.version, self.seq, self.ask_who_sings()())
        return self.voices

    def ask_who_sings(self) -> Callable[[], SingerOf]:
        """A function that finds out who sings each note of the piece as it is now, without holding the lock."""
        log, policy = self.log, self.document.policy()
        return lambda: who_sings(log, lines_sung(log, policy, the_separator()))

    def keep_voices(self, version: int, seq: int, voices: SingerOf) -> None:
        """Remember who sings what, as of some state of the piece, and tell the windows."""
        self.voices, self.voices_version = voices, version
        shift = self.document.reading.shift
        notes = [
            wire.Sung(onset=onset, pitch=pitch - shift, voice=voice)
            for (onset, pitch), voice in sorted(voices.items())
            if 0 <= pitch - shift < 128
        ]
        self._tell(wire.Voices(seq=seq, notes=notes))

    # What is offered

    def _offered(self, offer: _Offer) -> str:
        token = secrets.token_urlsafe(9)
        self._offers[token] = offer
        while len(self._offers) > OFFERED:
            del self._offers[next(iter(self._offers))]
        return token

    def _offer(self, token: str) -> _Offer:
        """What a token stands for.

        Raises:
            Refusal: it no longer fits the piece.
        """
        offer = self._offers.get(token)
        if offer is None:
            raise Refusal("stale", "that is no longer on offer; ask again")
        locked = self.locked_cells()
        if not np.array_equal(self.log.cells[offer.watched], offer.before):
            raise Refusal("stale", "the music there has changed since; ask again")
        if any(locked[edit.step, edit.pitch] for edit in offer.edits):
            raise Refusal("stale", "that place was locked since; unlock it, or ask again")
        return offer

    def _suggestion(self, one: NoteSuggestion) -> wire.Suggestion:
        watched = tuple(np.array([list(edit) for edit in one.edits]).T)
        text = self._named(one.note)
        offer = _Offer(one.edits, one.probabilities, watched, self.log.cells[watched], text, one.note)
        sureness: Any = "sure" if one.probability >= SURE else "likely" if one.probability >= LIKELY else "unsure"
        there = self.voices.get((one.note.onset, one.note.pitch))
        voice = voice_for(one.note, self.voices, self.log) if one.adds else there
        return wire.Suggestion(
            token=self._offered(offer),
            action="add" if one.adds else "remove",
            note=self._shape(one.note),
            voice=voice,
            probability=one.probability,
            sureness=sureness,
            text=text if one.adds else f"{text} taken back",
        )

    # Between the roll and the wire

    def _on_roll(self, note: wire.NoteShape) -> RollNote:
        """A note of the wire on the roll.

        Raises:
            BadInput: the roll has no such pitch.
        """
        pitch = note.pitch + self.document.reading.shift
        if not 0 <= pitch < 128:
            raise BadInput(
                f"pitch {note.pitch} cannot be written in this piece, which is moved by octaves for the model"
            )
        return RollNote(note.onset, pitch, note.duration)

    def _sounding(self, note: RollNote) -> RollNote:
        """A note of the roll where it is in the piece."""
        return RollNote(note.onset + self.document.reading.start, self._heard(note.pitch), note.duration)

    def _locked(self, notes: Sequence[RollNote]) -> list[wire.NoteShape]:
        """Notes of the piece as the wire has them, those that lie on the roll."""
        start = self.document.reading.start
        return [
            wire.NoteShape(onset=note.onset - start, pitch=note.pitch, duration=note.duration)
            for note in notes
            if note.onset >= start
        ]

    def _lies(self, note: RollNote) -> bool:
        """Whether a note of the roll can be told of: what was written may lie elsewhere now."""
        return note.onset >= 0 and note.end <= wire.MAX_STEPS and 0 <= note.pitch < self.log.cells.shape[2]

    def _shape(self, note: RollNote) -> wire.NoteShape:
        return wire.NoteShape(onset=note.onset, pitch=self._heard(note.pitch), duration=note.duration)

    def _note(self, note: OwnedNote) -> wire.Note:
        batch = int(self._batches.decider[0, note.onset, note.pitch])
        return wire.Note(
            onset=note.onset,
            pitch=self._heard(note.pitch),
            duration=note.duration,
            author=note.owner,
            voice=self.voices.get((note.onset, note.pitch)),
            batch=None if batch < 0 else batch,
        )

    def _heard(self, pitch: int) -> int:
        return heard(pitch, self.document.reading)

    def _named(self, note: RollNote) -> str:
        return named(note, self.document.reading)

    def _summary(self, batches: Sequence[int]) -> str:
        return self._item(batches[0]).text if len(batches) == 1 else f"{len(batches)} changes"

    def _is_undone(self, batch: int) -> bool:
        return all(place in self.log.undone for place in self._batches.places[batch])

    # How it is kept

    def _has(self, id: str) -> bool:
        """Whether a request was carried out already."""
        return self.log.holds(id)

    def _tell(self, message: wire.Message) -> None:
        for listener in list(self.listeners):
            listener(message)

    def _asked(self, batch: int | None, run: int | None) -> list[int] | None:
        """The batches that an undo or redo names; None if it names none.

        Raises:
            Refusal: there are no such.
        """
        if batch is not None and run is not None:
            raise Refusal("bad_input", "name a batch or a run, not both")
        if batch is not None:
            if batch not in self._items:
                raise Refusal("unknown_batch", f"there is no batch {batch} in the history")
            return [batch]
        if run is not None:
            if not self._batches.of_run.get(run):
                raise Refusal("unknown_batch", f"there is no run {run} in the history, or it changed nothing")
            return list(self._batches.of_run[run])
        return None

    def _commit(self, steps: Sequence[_Step], run: int | None = None) -> None:
        """Write steps to the store, then make them true, then tell the windows.

        Raises:
            Refusal: the piece would be too long.
            DiskFull: nothing of it was done.
        """
        for step in steps:
            if step.document.reading is not self.document.reading:
                _check_size(step.document)
        rows, n_entries, now = [], len(self.log.entries), time.time()
        for step in steps:
            log = step.document.log
            if len(log.entries) > n_entries:
                entries = step.document.entries_to_json(n_entries)
                rows.append({"entries": entries, "run": run, "time": now, "text": step.text, "why": step.why})
                n_entries = len(log.entries)
        if not rows:
            return
        try:
            self._store.append(self.id, self.seq + 1, rows, steps[-1].document.title or self._begun_name)
        except WrittenElsewhere as error:  # what is in memory here is no longer the piece
            self.close("conflict", str(error))
            raise
        for step, row in zip([one for one in steps if one.document.log is not self.log], rows, strict=True):
            entry = self._apply(step.document, row)
            self.entries.append((entry.seq, entry.model_dump_json()))
        for listener in list(self.listeners):
            listener(None)

    def _apply(self, document: Document, row: dict[str, Any]) -> wire.Entry:
        """Make a step true, and tell what it changed."""
        before, after = self.log, document.log
        first = len(before.entries)
        new = after.entries[first:]
        is_moved = _place(document.reading) != _place(self.document.reading)
        is_counted_anew = is_moved or document.reading.bar_starts != self.document.reading.bar_starts
        if is_moved or document.n_steps != self.n_steps:  # what was offered lies elsewhere, or nowhere
            self._offers.clear()
        if is_moved and self.run is not None:
            for kept in (self.run.added, self.run.removed, self.run.hopeless):
                kept.clear()
        old_shapes = [self._shape(note) for note in owned_notes(before)] if is_moved else []
        self.document = document
        self.version += 1
        self.seq += 1
        touched = self._batches.index(new, first, row)
        undone = [entry for entry in new if isinstance(entry, UndoEntry)]
        if undone:
            touched |= {after.entries[place].batch for entry in undone for place in entry.of}
            touched |= self._batches.count(after)
        elif before.origin is not after.origin:
            touched |= self._batches.count(after)
        else:
            for entry in new:
                if isinstance(entry, CellEntry):
                    touched |= self._batches.decide(entry)
        if is_counted_anew:  # the history says bars
            touched |= set(self._batches.places)
        if is_moved:  # all lies elsewhere on the roll
            cells = self._cells_of(old_shapes)
            gone, come = [*old_shapes], owned_notes(after)
        else:
            cells = _changed_cells(before, after)
            less, come = _difference(before, after, {int(pitch) for _, pitch in cells})
            cells = cells[cells[:, 0] < self.n_steps]  # what lies past the end is gone with its bar
            gone = list(map(self._shape, less))
        of = [after.entries[place] for entry in undone for place in entry.of]
        has_settings = any(isinstance(entry, SettingEntry) for entry in (*new, *of))
        items = [self._item(batch) for batch in sorted(touched)]
        self._items |= {item.batch: item.model_dump_json() for item in items}
        head = new[0]
        kind: Any = (
            "setting" if isinstance(head, SettingEntry) else "edit" if isinstance(head, CellEntry) else head.kind
        )
        return wire.Entry(
            seq=self.seq,
            kind=kind,
            author=head.author,
            batch=head.batch,
            run=row["run"],
            id=None if head.id is None else str(head.id),
            time=row["time"],
            probability=head.probability if isinstance(head, CellEntry) else None,
            text=row["text"],
            cells=[self._cell(int(step), int(pitch)) for step, pitch in cells],
            gone=gone,
            new=[self._note(note) for note in come],
            items=items,
            settings=self.settings if has_settings else None,
        )

    def _item(self, batch: int) -> wire.HistoryItem:
        log, places = self.log, self._batches.places[batch]
        first = log.entries[places[0]]
        is_notes = isinstance(first, CellEntry)
        both = notes_of_batch(log, places) if is_notes else ([], [])
        added, removed = ([note for note in notes if self._lies(note)] for notes in both)
        text = self._batches.texts.get(batch)
        if text is None:
            said = [self._named(note) for note in added] + [f"{self._named(note)} taken back" for note in removed]
            if len(added) == len(removed) == 1:
                said = [f"{self._named(removed[0])} changed to {self._named(added[0])}"]
            text = ", ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "") or "nothing in the end"
            if batch in self._batches.whys:
                text += f" (against: {self._batches.whys[batch]})"
        is_undone = self._is_undone(batch)
        return wire.HistoryItem(
            batch=batch,
            run=self._batches.run_of.get(batch),
            kind="notes" if is_notes else "setting",
            author=first.author,
            text=text,
            added=[self._shape(note) for note in added],
            removed=[self._shape(note) for note in removed],
            probability=first.probability if isinstance(first, CellEntry) else None,
            time=self._batches.times[batch],
            undone=is_undone,
            overwritten=is_notes and not is_undone and not self._batches.n_decided[batch],
        )

    def _cells_of(self, old: Sequence[wire.NoteShape]) -> Int[np.ndarray, "cell 2"]:
        """The cells that sound now, and those that sounded before the roll was moved, as it lies now."""
        is_meant = self.log.cells[0].copy()
        for note in old:
            pitch = note.pitch + self.document.reading.shift
            if 0 <= pitch < is_meant.shape[1]:
                is_meant[note.onset : note.onset + note.duration, pitch] = True
        return np.argwhere(is_meant)

    def _cell(self, step: int, pitch: int) -> wire.Cell:
        log = self.log
        sounds = bool(log.cells[0, step, pitch])
        author: Any = None
        if sounds:
            author = "model"
            if log.user_cells[0, step, pitch]:
                is_drawn = log.author_of[0, step, pitch] == USER or not log.origin[0, step, pitch]
                author = "user" if is_drawn else "file"
        strikes = sounds and log.cells.shape[0] > 1 and bool(log.cells[1, step, pitch])
        return wire.Cell(step=step, pitch=self._heard(pitch), sounds=sounds, strikes=strikes, author=author)

    def _restore(self, steps: Sequence[dict[str, Any]]) -> None:
        """Bring back what was done before.

        Raises:
            BadInput: the steps do not fit the piece.
        """
        entries: list[Any] = []
        counts: list[int] = []
        for step in steps:
            if not is_step(step):
                raise BadInput(f"step {len(counts) + 1} of the history is damaged; open an earlier copy")
            entries += step["entries"]
            counts.append(len(step["entries"]))
        if entries:
            self.document = self.document.restored(entries_from_json(entries, self.log.origin.shape[0]))
            _check_size(self.document)
        log = self.log
        self._batches = Batches(log)
        at = 0
        for step, count in zip(steps, counts, strict=True):
            self._batches.index(log.entries[at : at + count], at, step)
            at += count
        self.seq = len(steps)
        self._batches.count(self.log)
        self._items = {batch: self._item(batch).model_dump_json() for batch in self._batches.places}


def _check_size(document: Document) -> None:
    """Refuse a piece that is longer than the studio takes.

    Raises:
        Refusal: it is.
    """
    if document.reading.n_bars > MAX_BARS or document.n_steps > wire.MAX_STEPS:
        raise Refusal("too_many_bars", f"a piece has {MAX_BARS} bars and {wire.MAX_STEPS} steps at the most")


def _place(reading: Reading) -> tuple[int, int]:
    """Where a reading's roll lies."""
    return reading.start, reading.shift


def _changed_cells(before: EditLog, after: EditLog) -> Int[np.ndarray, "cell 2"]:
    """Steps and pitches of the cells that are not as they were, also past the end of the shorter of two rolls."""
    n_steps = max(before.cells.shape[1], after.cells.shape[1])
    was, now = before.resized(n_steps), after.resized(n_steps)
    changed = (was.cells != now.cells) | (was.author_of != now.author_of)
    return np.argwhere((changed | (was.user_cells != now.user_cells)).any(axis=0))


def _difference(before: EditLog, after: EditLog, pitches: set[int]) -> tuple[list[OwnedNote], list[OwnedNote]]:
    """The notes of some pitches that are there no more, and those that are new."""
    if not pitches:
        return [], []
    old, new = owned_notes(before, pitches), owned_notes(after, pitches)
    were, are = set(old), set(new)
    return [note for note in old if note not in are], [note for note in new if note not in were]


def _batch_beside(run: RunningNow, entry: CellEntry, new: int) -> int:
    """The batch of the same run that has the note which a cell belongs to; `new` if there is none."""
    _, step, pitch = entry.edit
    if not entry.value and (step, pitch) in run.added:
        return run.added[step, pitch]
    cells = run.added if entry.value else run.removed
    return cells.get((step - 1, pitch), cells.get((step + 1, pitch), new))


def _run_state(run: RunningNow) -> wire.RunState:
    return wire.RunState(run=run.number, state=run.state, n_changes=run.n_changes, n_left=run.n_left, id=run.id)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
