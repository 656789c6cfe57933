"""An experiment is a list of jobs, each a pure function of its key; here they are described, run and kept.

What a job gives is kept on disk (`kept.py`) under all that it depends on: what, on which piece, seed, models, options,
input, and the code that computes it (`sources.py`). So an evaluation that was interrupted goes on where it was, and
what changed is made anew. Jobs run on anything with the interface of `concurrent.futures.Executor`, in any order, with
the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ripieno.errors import BadInput
from ripieno.evaluation.inputs import Input, input_digest
from ripieno.evaluation.kept import Kept, ResultKey
from ripieno.evaluation.sources import code_digest
from ripieno.files.corpus import Item

QUICK = 40  # every 40th piece: to see that it works


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What to evaluate.

    data: a folder with `Jsb16thSeparated.json` and `doodle.json`, in it or in folders `jsb` and `melodies`.
    output: receives results and what is kept.
    parts: names of experiments, as `suite.EXPERIMENTS` has them; all of them unless given.
    model, coconet, nade: model files; the bundled ones unless given, but NADE has none.
    split: of the JSB Chorales to be judged on.
    seeds: how many pieces to write for each input.
    every: one piece in so many is taken; from 2 on the figures are not the real ones.
    methods: of `methods.METHODS`, which to have write pieces; all of them unless given.
    jobs: processes, one core each.
    """

    data: Path
    output: Path
    parts: tuple[str, ...] = ()
    model: Path | None = None
    coconet: Path | None = None
    nade: Path | None = None
    split: str = "test"
    seeds: int = 1
    every: int = 1
    methods: tuple[str, ...] = ()
    jobs: int = 2

    def __post_init__(self) -> None:
        if min(self.seeds, self.jobs, self.every) < 1:
            raise BadInput("seeds, jobs and every must be 1 or more")


@dataclass(frozen=True)
class Material:
    """What all experiments draw on; read once."""

    settings: EvaluationSettings
    items: list[Item]
    inputs: list[Input]  # sopranos of the split
    doodles: list[Input]
    digests: dict[str, str]  # of each model there is: "es-net", "coconet", "nade"

    @property
    def pieces(self) -> list[Item]:
        """The chorales of the split."""
        return [item for item in self.items if item.split == self.settings.split]


@dataclass(frozen=True)
class Job:
    """One thing to compute."""

    part: str  # the experiment
    what: str  # method or model
    name: str  # of the piece
    seed: int = 0
    model: Path | None = None
    digest: str = ""  # of all models that have a say
    options: dict[str, Any] = field(default_factory=dict)
    payload: Any = None  # an Input, an Item, or a tuple of such; its hash is part of the key

    @property
    def key(self) -> ResultKey:
        """All that the result depends on but for the code."""
        return {
            "what": self.what,
            "name": self.name,
            "seed": self.seed,
            "model": self.digest,
            "options": self.options,
            "input": input_digest(self.payload),
        }


Figures = dict[str, Any]  # what an experiment comes to; it can be written as JSON


@dataclass(frozen=True)
class Experiment:
    """One part of the evaluation.

    name: on the command line, and of what is kept.
    heading: above its tables.
    jobs: what is to be computed, in an order that does not change.
    work: does one of them; at the top level of a module. What it gives can be written as JSON.
    summary: what the results come to, in the order of the jobs.
    table: that in Markdown.
    plot: draws it to files in a folder, where a picture says more.
    reads_melodies: it needs the melodies of the Bach Doodle.
    """

    name: str
    heading: str
    jobs: Callable[[Material], list[Job]]
    work: Callable[[Job], Any]
    summary: Callable[[Material, Sequence[Job], Sequence[Any]], Figures]
    table: Callable[[Figures], str]
    plot: Callable[[Figures, Path], None] | None = None
    reads_melodies: bool = False

    def jobs_of(self, material: Material) -> list[Job]:
        """The jobs; with `EvaluationSettings.every` above 1 those of some pieces."""
        jobs = self.jobs(material)
        pieces = set(list(dict.fromkeys(job.name for job in jobs))[:: material.settings.every])
        return [job for job in jobs if job.name in pieces]


@dataclass(frozen=True)
class EvaluationProgress:
    """Where an evaluation stands."""

    part: str
    done: int
    of: int


def run(
    jobs: Sequence[Job], work: Callable[[Job], Any], kept: Kept, executor: Executor, n_at_once: int
) -> Generator[EvaluationProgress | list[Any], None, None]:
    """Compute what is not kept yet; at last yields the results, in the order of the jobs.

    Args:
        jobs: of one experiment.
        work: does one of them, in another process.
        kept: where results are kept.
        executor: runs them.
        n_at_once: jobs handed over at a time, so that an interrupt has little to wait for; at least as many as run.

    Raises:
        BadInput: something kept is not what it says.
    """
    code = code_digest(work)
    keys = [job.key | {"code": code} for job in jobs]
    results: list[Any] = [kept.get(job.part, key) for job, key in zip(jobs, keys, strict=True)]
    missing = [i for i, result in enumerate(results) if result is None]
    done = len(jobs) - len(missing)
    part = jobs[0].part if jobs else ""
    yield EvaluationProgress(part, done, len(jobs))
    left = iter(missing)
    waiting: dict[Future[Any], int] = {}
    try:
        while True:
            while len(waiting) < n_at_once and (i := next(left, None)) is not None:
                waiting[executor.submit(work, jobs[i])] = i
            if not waiting:
                break
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for one in ready:
                i = waiting.pop(one)
                results[i] = one.result()
                kept.put(part, keys[i], results[i])
                done += 1
            yield EvaluationProgress(part, done, len(jobs))
    finally:
        for one in waiting:
            one.cancel()
    yield results
