"""One thread that asks the model for everybody, fairly.

A job is a generator that yields `Ask`s: a run, a suggestion, alternatives, doubts. Before each call of the model the
engine gathers asks of several jobs for rolls of one length, of those served least first, and answers them together.
What a person waits for goes before what runs by itself, but never twice in a row where something runs.

A batch is kept small. On two cores eight rolls take about six times as long as one, so that a longer batch serves
hardly anybody sooner, and whoever asks next waits for the end of it. What asks for more at once, as mending does, is
answered in several passes, between which others have theirs and a stop is heard; what computes for long takes a breath
now and then (`sampling.passes.BREATH`). Who was served least is told by time, as mending computes more than it asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from ripieno.errors import BadInput
from ripieno.models.runtime import Model, Prediction, the_separator
from ripieno.sampling.passes import Ask, answered, joined
from ripieno.studio.composition import Composition, RunningNow

MOST_STEPS = 4 * 128  # of rolls in one call
MOST_LEAD = 0.5  # seconds
REST = 4.0  # times as long as it took, before voices are told apart again

log = logging.getLogger("ripieno.studio")

Finish = Callable[[Any, BaseException | None], None]  # what came out, or what went wrong; called on the engine's thread


@dataclass(eq=False)
class _Job:
    composition: Composition
    steps: Generator[Ask, Any, Any]
    finish: Finish
    run: RunningNow | None = None  # none: a person waits for it
    ask: Ask | None = None
    version: int = -1  # of the piece, when it asked
    heard: list[Prediction] = field(default_factory=list)  # of the first rolls of the ask
    n_served: float = 0.0  # seconds

    @property
    def n_heard(self) -> int:
        """How many of the ask's rolls were answered."""
        return sum(len(one.n_left) for one in self.heard)


@dataclass(eq=False)
class Engine:
    """The model and its one thread.

    Args:
        load: brings the model; called on the engine's thread, so that a server can answer meanwhile.
        loaded: called when that is done, with what went wrong if it failed.
    """

    load: Callable[[], Model]
    loaded: Callable[[BadInput | None], None]
    model: Model | None = None
    failure: BadInput | None = None
    served: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds, by piece
    _jobs: list[_Job] = field(default_factory=list)
    _due: dict[int, Composition] = field(default_factory=dict)  # whose voices are to be told apart
    _leads: dict[str, float] = field(default_factory=dict)  # seconds, of pieces whose run has ended beside others
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name="ripieno-engine", daemon=True),
            threading.Thread(target=self._listen, name="ripieno-voices", daemon=True),
        ]

    def start(self) -> None:
        """Load the model and begin to work."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after the pass that goes on now."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def ask(self, composition: Composition, steps: Generator[Ask, Any, Any], finish: Finish) -> None:
        """Drive a generator for which a person waits."""
        self._add(_Job(composition, steps, finish))

    def compose(self, composition: Composition, run: RunningNow, finish: Finish) -> None:
        """Drive a run."""
        self._add(_Job(composition, composition.composing(run), finish, run))

    def tell_voices(self, composition: Composition) -> None:
        """Find out who sings what in a piece, soon."""
        with self._changed:
            self._due[id(composition)] = composition
            self._changed.notify_all()

    def _add(self, job: _Job) -> None:
        with self._changed:
            # whoever comes later has no arrears to be served first, nor does one who runs again forget a lead
            job.n_served = self._least_served() + min(self._leads.pop(job.composition.id, 0.0), MOST_LEAD)
            self._jobs.append(job)
            self._changed.notify_all()

    def _least_served(self) -> float:
        return min((job.n_served for job in self._jobs if job.run is not None), default=0.0)

    # The engine's own thread

    def _work(self) -> None:
        try:
            self.model = self.load()
            the_separator()
        except BadInput as error:
            self.failure = error
        except Exception as error:  # whatever it is, people hear of it instead of waiting for ever
            log.exception("the model could not be loaded")
            self.failure = BadInput(f"the model could not be loaded: {error}")
        self.loaded(self.failure)
        was_urgent = False
        while True:
            with self._changed:
                while not self._jobs and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                jobs = list(self._jobs)
            for job in jobs:
                self._bring_up_to_date(job)
            chosen = self._choose(was_urgent)
            if chosen:
                was_urgent = chosen[0][0].run is None
                self._answer(chosen)

    def _bring_up_to_date(self, job: _Job) -> None:
        """Begin a job, end one that is no longer wanted, ask again what was asked of another state of the piece."""
        if job.run is not None and job.composition.run is not job.run:
            job.steps.close()
            self._end(job, None, None)
        elif job.ask is None or job.version != job.composition.version:
            self._advance(job, None)

    def _choose(self, was_urgent: bool) -> list[tuple[_Job, slice]]:
        """Who is served in the next pass, and with which rolls of what they ask."""
        ready = [job for job in self._jobs if job.ask is not None]
        urgent = [job for job in ready if job.run is None]
        running = sorted((job for job in ready if job.run is not None), key=lambda job: job.n_served)
        first = running if running and (was_urgent or not urgent) else urgent
        chosen: list[tuple[_Job, slice]] = []
        room = MOST_STEPS
        for job in first:
            assert job.ask is not None
            if chosen and _shape(job) != _shape(chosen[0][0]):
                continue
            n_steps = job.ask.cells.shape[2]
            n = min(len(job.ask.cells) - job.n_heard, max(room // n_steps, 0 if chosen else 1))
            if n or not chosen:
                chosen.append((job, slice(job.n_heard, job.n_heard + n)))
                room -= n * n_steps
            if not n:  # a breath, or there is no more room
                break
        return chosen

    def _answer(self, chosen: list[tuple[_Job, slice]]) -> None:
        began = time.monotonic()
        asks = [Ask(job.ask.cells[part], job.ask.context[part]) for job, part in chosen if job.ask is not None]
        try:
            if self.model is None:
                raise self.failure or BadInput("the model is not there")
            answers = answered(self.model, asks)
        except Exception as error:
            for job, _ in chosen:
                self._end(job, None, error)
            return
        share = (time.monotonic() - began) / len(chosen)
        for (job, part), answer in zip(chosen, answers, strict=True):
            began = time.monotonic()
            job.heard.append(answer)
            assert job.ask is not None
            if part.stop == len(job.ask.cells):
                self._advance(job, joined(job.heard))
            took = share + time.monotonic() - began
            job.n_served += took
            self.served[job.composition.id] += took

    def _advance(self, job: _Job, answer: Prediction | None) -> None:
        try:
            with job.composition.lock:
                job.heard = []
                job.ask = next(job.steps) if answer is None and job.ask is None else job.steps.send(answer)
                job.version = job.composition.version
        except StopIteration as end:
            self._end(job, end.value, None)
        except Exception as error:
            self._end(job, None, error)

    def _end(self, job: _Job, result: Any, error: BaseException | None) -> None:
        with self._changed:
            if job not in self._jobs:
                return
            self._jobs.remove(job)
            if job.run is not None and any(other.run is not None for other in self._jobs):
                self._leads[job.composition.id] = max(job.n_served - self._least_served(), 0.0)
        job.finish(result, error)

    # The thread that tells voices apart

    def _listen(self) -> None:
        while True:
            with self._changed:
                while not self._due and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                composition = self._due.pop(next(iter(self._due)))
            began = time.monotonic()
            try:
                with composition.lock:
                    version, seq = composition.version, composition.seq
                    find = None if composition.voices_version == version else composition.ask_who_sings()
                if find is not None:
                    found = find()
                    with composition.lock:
                        composition.keep_voices(version, seq, found)
            except Exception:
                log.exception("voices could not be told apart")
            time.sleep(REST * (time.monotonic() - began))


def _shape(job: _Job) -> tuple[int, ...]:
    assert job.ask is not None
    return job.ask.cells.shape[1:]
