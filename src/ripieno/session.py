"""A document and a model: one composition that a person steers.  (Paper 5)

The piece's notes lie on a roll, moved by octaves if the model would not hear them otherwise; the document's log holds
what was done to that roll, by the user and by the model; on the way out the changes are read as notes and moved back to
where the piece is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno import export
from ripieno.bounds import Locks
from ripieno.document import Document, Origin
from ripieno.edits.edit import Edit
from ripieno.edits.log import CellEntry, EditLog
from ripieno.edits.policy import Policy
from ripieno.errors import BadInput, NothingAllowed
from ripieno.files.reader import opened
from ripieno.models.context import Context
from ripieno.models.runtime import Model, load_model, the_separator
from ripieno.music.piece import NewPart, Piece, Revision
from ripieno.music.understanding import Reading, steps_of_bars
from ripieno.options import Options, takes_options
from ripieno.sampling.ancestral import choose, generator_at
from ripieno.sampling.mending import Hopeless, n_faulty
from ripieno.sampling.passes import Change, Sampler, alone
from ripieno.sampling.run import MENDS, STOP_RULE, Way, compose_and_mend
from ripieno.sampling.stopping import StopRule

if TYPE_CHECKING:
    from ripieno.files.picture.roll import RollDrawing


@dataclass(frozen=True)
class SuggestedEdit:
    """What the model would do next."""

    edit: Edit
    adds: bool  # else it takes back
    probability: float
    n_left: float  # edits that the model still expects
    text: str  # "add A4, bar 2, beat 3"


def turn(
    document: Document,
    model: Model,
    hopeless: Hopeless,
    iterations: int | None = None,
    stop: StopRule | None = STOP_RULE,
    bars: tuple[int, int] | None = None,
) -> Sampler:
    """What a run does with a document, as if nobody interfered.

    Its log is the document's as the model hears it: `adopt` brings changes back to the document.

    Args:
        document: where to begin.
        model: for what it can hear; the sampler asks whoever drives it.
        hopeless: what mending has tried in vain.
        iterations: sampled edits at the most.
        stop: when the piece is finished.
        bars: compose in these only; those that the options name unless given.
    """
    log = document.log.on_planes(model.n_planes)
    way = way_of(document, model, hopeless)
    return compose_and_mend(log, document.context, document.policy(bars), way, iterations, stop)


def way_of(document: Document, model: Model, hopeless: Hopeless | None = None) -> Way:
    """How a run goes with a document, as its options say; see `turn`.

    Raises:
        BadInput: the model does not know the style that is asked for.
    """
    options, reading = document.options, document.reading
    if options.style not in model.styles:
        raise BadInput(
            f"model {model.name} does not write in the style {options.style}: it knows {', '.join(model.styles)}; "
            f"leave --style out, or name another --model"
        )
    return Way(
        seed=options.seed,
        quality=options.quality,
        mended=options.mend,
        key=reading.key,
        beat_phase=reading.beat_phase,
        phrases=tuple((phrase.rest, phrase.end) for phrase in reading.phrases),
        last=reading.tune[-1].onset if reading.tune else None,
        separate=the_separator(),
        on_gpu=model.is_on_gpu,
        hopeless=set() if hopeless is None else hopeless,
    )


def n_faults(document: Document, model: Model, log: EditLog) -> int:
    """How many faults of part-writing a document has with `log`, of those that its options have mended."""
    way = way_of(document, model)
    weights, facts = MENDS[way.mended], (way.key, way.beat_phase, way.separate, way.phrases, way.last)
    return n_faulty(log, document.policy(), weights, *facts)


def adopt(document: Document, change: Change) -> Document:
    """The document after a pass of which `change` is one change, made to what `turn` heard of it."""
    log = document.log
    if log.origin.shape == change.log.origin.shape:
        return document.with_log(change.log)
    new = [entry for entry in change.log.entries[len(log.entries) :] if isinstance(entry, CellEntry)]
    where = document.policy().where
    for batch, together in groupby(new, key=lambda entry: entry.batch):
        entries = list(together)
        chances = [entry.probability for entry in entries if entry.probability is not None]
        number = batch if batch < log.n_batches else None
        edits = [entry.edit for entry in entries]
        log = log.record(edits, entries[0].author, chances or None, number, id=entries[0].id, where=where)
    return document.with_log(log)


@takes_options
class Session:
    """A piece being written.

    Args:
        piece: what it begins from, or the path of a MIDI or MusicXML file.
        model: a loaded model; the bundled one unless given.
        name: what errors call the piece, unless its file's.
        n_bars: length of a piece in which nothing is written yet; others are as long as their notes.
        n_planes: 2 keeps repeated notes of one pitch apart; as many as the model hears unless given.
        options: what is asked for, all at once; or
        asked: one by one, as follows.

    Raises:
        BadInput: the options do not fit the piece or one another.
    """

    def __init__(
        self,
        piece: Piece | str | Path,
        *,
        model: Model | None = None,
        name: str | None = None,
        n_bars: int | None = None,
        n_planes: int | None = None,
        options: Options | None = None,
        **asked: Any,
    ) -> None:
        self.model = model or load_model()
        piece, name = opened(piece, name)
        begun = Origin(
            piece=piece,
            options=(options or Options()).changed(asked),
            name=name,
            n_bars=n_bars,
            n_planes=n_planes or self.model.n_planes,
            window=(self.model.lowest_pitch, self.model.highest_pitch),
        )
        self.document = Document.begin(begun)
        self._check_that_something_may_change()

    # What it is

    @property
    def piece(self) -> Piece:
        """What it began from."""
        return self.document.piece

    @property
    def options(self) -> Options:
        """What is asked for now."""
        return self.document.options

    @property
    def log(self) -> EditLog:
        """What was done."""
        return self.document.log

    @log.setter
    def log(self, log: EditLog) -> None:
        self.document = self.document.with_log(log)

    @property
    def reading(self) -> Reading:
        """What the piece is taken to be."""
        return self.document.reading

    @property
    def context(self) -> Context:
        """What the model hears beside the cells."""
        return self.document.context

    @property
    def locks(self) -> Locks:
        """Where the model changes nothing."""
        return self.document.locks

    @property
    def policy(self) -> Policy:
        """What the model may change now."""
        return self.document.policy()

    # The model's turn

    def suggest(self) -> SuggestedEdit:
        """The change that `step` would make, which is not made.

        Raises:
            NothingAllowed: no note may change.
        """
        log = self.log.on_planes(self.model.n_planes)
        prediction = self.model(log.cells[None], self.context[None])
        choice = choose(prediction, log, self.policy, generator_at(self.options.seed, log.n_edits))
        adds = not bool(log.cells[choice.edit])
        text = f"{'add' if adds else 'take back'} {export.cell_in_words(self.document, choice.edit)}"
        return SuggestedEdit(choice.edit, adds, choice.probability, float(prediction.n_left[0]), text)

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

        What the user does between two changes (an edit, an undo, a lock, another option) holds from the next one on.

        Args:
            iterations: changes at the most; as many as the options say, or the stop rule bears, unless given.
            stop: when the piece is finished; None goes on until `iterations` are done.
        """
        return alone(self.composing(iterations, stop), self.model)

    def composing(self, iterations: int | None = None, stop: StopRule | None = STOP_RULE) -> Sampler:
        """`run` for whoever owns the passes: several sessions can share them (`sampling.passes.together`)."""
        if iterations is None:
            iterations = self.options.iterations
        if iterations is None and stop is not None:
            iterations = stop.most_edits(self.document.n_steps)
        done = 0
        hopeless: Hopeless = set()
        while iterations is None or done < iterations:
            document = self.document
            heard: EditLog | None = None  # by the changes of the last pass
            left = None if iterations is None else iterations - done
            sampler, answer = turn(document, self.model, hopeless, left, stop), None
            while True:
                try:
                    told = sampler.send(answer)
                except StopIteration:
                    return self.log
                # what shares the log of the last change was made with it; else the user may have done something
                same_pass = isinstance(told, Change) and told.log is heard
                if not same_pass and self.document is not document:
                    break
                if isinstance(told, Change):
                    if told.log is not heard:
                        self.document = document = adopt(document, told)
                        heard = told.log
                    done += 1
                answer = yield told
                if done == iterations:
                    return self.log
        return self.log

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
            cells = [Edit(0, step, pitch) for step in range(onset, onset + duration)]
            self.log = self.log.put(cells, [False] * duration)

    def ask(self, **asked: Any) -> None:
        """Change options; what is not named stays.

        Raises:
            BadInput: an option cannot be that, or it does not fit the piece.
        """
        self.document = self.document.set_options(asked)

    def undo(self, batch: int | None = None) -> bool:
        """Undo a batch of the log, of notes or settings, or the newest one that counts. False: there was none.

        Raises:
            BadInput: there is no such batch, or what was written since rests on it.
        """
        before = self.document
        self.document = before.undo(None if batch is None else [batch])
        return self.document is not before

    def redo(self) -> bool:
        """Bring back what was undone last, of what still is, whatever came since. False: there was nothing."""
        before = self.document
        self.document = before.redo()
        return self.document is not before

    def revert(self, n_entries: int) -> None:
        """Go back to when the log had so many entries; what came later is undone, not forgotten."""
        self.document = self.document.revert(n_entries)

    def lock(self, first_bar: int, last_bar: int) -> None:
        """From now on nothing changes in these bars.

        Raises:
            BadInput: there are no such bars.
        """
        self.document = self.document.set_locks(True, bars=self._bars(first_bar, last_bar))

    def unlock(self, first_bar: int, last_bar: int) -> None:
        """The opposite of `lock`."""
        self.document = self.document.set_locks(False, bars=self._bars(first_bar, last_bar))

    def lengthen(self, n_bars: int) -> None:
        """Add empty bars at the end."""
        self.document = self.document.lengthen(n_bars)

    # The way out; see `export`

    def revision(self) -> Revision:
        """What happened to the piece's own notes, and which ones are new."""
        return export.revision(self.document)

    def new_parts(self, n_parts: int | None = None) -> list[NewPart]:
        """The new notes as parts of their own; see `export.new_parts`."""
        return export.new_parts(self.document, n_parts)

    def drawing(self, n_parts: int | None = None) -> RollDrawing:
        """What a picture of the piece as it is now shows."""
        return export.drawing(self.document, n_parts)

    def score(self, n_parts: int | None = None) -> str:
        """The piece as it is now as MusicXML text."""
        return export.score(self.document, n_parts)

    def save(
        self, path: str | Path, n_parts: int | None = None, soundfont: Path | None = None, as_score: bool = False
    ) -> list[str]:
        """Write the piece as it is now; see `export.save`.

        Returns:
            Remarks that the user should hear.

        Raises:
            BadInput: it cannot be written.
        """
        return export.save(self.document, path, n_parts, soundfont, as_score)

    def describe(self, change: Change) -> str:
        """One change in words: "+ A4, bar 2, beat 3"."""
        return export.describe(self.document, change)

    def _bars(self, first: int, last: int) -> range:
        steps_of_bars(self.reading, first, last, name=self.document.begun.name)
        return range(first, last + 1)

    def _check_that_something_may_change(self) -> None:
        """Refuse options under which there is nothing to do.

        Raises:
            BadInput: they are such.
        """
        policy, log = self.policy, self.log
        if policy.selection is not None and policy.locked is not None and policy.locked[policy.selection].all():
            raise BadInput("every bar to compose in is locked: lock fewer bars, or choose others to compose in")
        if self.options.max_additions == 0:
            return
        allowed = policy.allowed(log)
        if not allowed[:, :, self.model.lowest_pitch : self.model.highest_pitch + 1].any():
            raise BadInput(
                "no note may be added with these options: widen the range, allow more voices, bars or notes, or take "
                "notes out where these bars are full"
            )


@takes_options
def harmonize(
    piece: Piece | str | Path,
    *,
    model: Model | None = None,
    name: str | None = None,
    n_bars: int | None = None,
    n_planes: int | None = None,
    options: Options | None = None,
    **asked: Any,
) -> Session:
    """Compose around a piece until it is finished.

    Args:
        piece: as `read` gives it, or the path of a MIDI or MusicXML file.
        model, name, n_bars, n_planes, options: as for `Session`.
        asked: options one by one, as follows.

    Raises:
        BadInput: the options do not fit the piece or one another.
    """
    more: dict[str, Any] = {"n_bars": n_bars, "n_planes": n_planes, "options": options}
    session = Session(piece, model=model, name=name, **more, **asked)
    for _ in session.run():
        pass
    return session
