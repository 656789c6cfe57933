"""The paper's evaluation, and ours beside it: what is run, on what, in which order.  (Paper 6)

An evaluation is a list of jobs, each a pure function of its key: part, method, model, piece, seed and settings. What
a job gives is kept on disk (`kept.py`), so an interrupted evaluation goes on where it was, and only what changed is
made anew. When all jobs of a part are there it is summed up (`parts.py`), and written out (`report.py`).
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ripieno.errors import BadInput
from ripieno.evaluation.inputs import Input, doodles, sopranos
from ripieno.evaluation.kept import Kept, Key
from ripieno.evaluation.methods import METHODS
from ripieno.files.corpus import Item, read_jsb
from ripieno.models.runtime import load_coconet, load_model

QUICK = 40  # every 40th piece: to see that it works
GENERATION = 1  # raised when the same key would give another result
PARTS = ("framewise", "likelihood", "repair", "stabilisation", "chorales", "tables")
JSB = "Jsb16thSeparated.json"
JSB_SHA256 = "79294cc374f9252e95ef4b703161524c1c53dc1f712c236f00f1c1f5d54af5a7"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to evaluate.

    data: a folder with `Jsb16thSeparated.json` and `doodle.json`, in it or in folders `jsb` and `melodies`.
    output: receives results and what is kept.
    parts: of `PARTS`.
    model, coconet, nade: model files; the bundled ones unless given, but NADE has none.
    split: of the JSB Chorales to be judged on.
    seeds: how many pieces to write for each input.
    every: take every so manyth piece; from 2 on the figures are not the real ones.
    methods: of `methods.METHODS`, which to have write pieces.
    jobs: processes, one core each.
    """

    data: Path
    output: Path
    parts: tuple[str, ...] = PARTS
    model: Path | None = None
    coconet: Path | None = None
    nade: Path | None = None
    split: str = "test"
    seeds: int = 1
    every: int = 1
    methods: tuple[str, ...] = METHODS
    jobs: int = 2

    def __post_init__(self) -> None:
        if unknown := [part for part in self.parts if part not in PARTS]:
            raise BadInput(f"there is no part {unknown[0]}; there are: {', '.join(PARTS)}")
        if min(self.seeds, self.jobs, self.every) < 1:
            raise BadInput("seeds, jobs and every must be 1 or more")


@dataclass(frozen=True)
class Job:
    """One thing to compute: `parts.work(job)`."""

    part: str
    what: str  # method or model
    name: str  # of the piece
    seed: int = 0
    model: Path | None = None
    digest: str = ""  # of all models that have a say
    options: dict[str, Any] = field(default_factory=dict)
    payload: Any = None  # an Input, an Item or windows; its hash is part of the key

    @property
    def key(self) -> Key:
        """All that the result depends on."""
        return {
            "generation": GENERATION,
            "what": self.what,
            "name": self.name,
            "seed": self.seed,
            "model": self.digest,
            "options": self.options,
            "input": _hash_of(self.payload),
        }


@dataclass(frozen=True)
class Progress:
    """Where an evaluation stands."""

    part: str
    done: int
    of: int


@dataclass(frozen=True)
class Material:
    """What all parts draw on; read once."""

    settings: Settings
    items: list[Item]
    inputs: list[Input]  # sopranos of the split
    doodles: list[Input]
    digests: dict[str, str]  # of each model there is: "es-net", "coconet", "nade"

    @property
    def pieces(self) -> list[Item]:
        """The chorales of the split."""
        return [item for item in self.items if item.split == self.settings.split]


def _hash_of(payload: Any) -> str:
    if isinstance(payload, Item):
        told = payload.voices.tobytes() if payload.voices is not None else payload.cells.tobytes()
    elif isinstance(payload, Input):
        notes = [(note.pitch, note.onset, note.end) for note in payload.piece.notes]
        told = repr((notes, payload.melody)).encode()
    elif isinstance(payload, tuple):  # with the models' paths; which models they are, their digests say
        told = "".join(_hash_of(one) for one in payload if isinstance(one, Item | Input)).encode()
    else:
        told = repr(payload).encode()
    return hashlib.sha256(told).hexdigest()[:16]


def prepare(settings: Settings) -> Material:
    """Find corpora and models before anything is computed.

    Raises:
        BadInput: something is missing, or is not what it should be.
    """
    jsb = _find(settings.data, "jsb", JSB, "it lies on GitHub in czhuang/JSB-Chorales-dataset")
    digest = hashlib.sha256(jsb.read_bytes()).hexdigest()
    if digest != JSB_SHA256:
        raise BadInput(
            f"{jsb} is not the file that the figures are of: its SHA-256 begins with {digest[:12]}, not "
            f"{JSB_SHA256[:12]}; fetch it again from czhuang/JSB-Chorales-dataset on GitHub"
        )
    items = read_jsb(jsb)
    inputs = sopranos(items, settings.split)
    drawn: list[Input] = []
    if "tables" in settings.parts:
        where = "docs/formats.md says what it holds and where it comes from"
        drawn = doodles(_find(settings.data, "melodies", "doodle.json", where))
    digests = {"es-net": load_model(settings.model, 1).digest, "coconet": load_coconet(settings.coconet, 1).digest}
    if settings.nade is not None:
        nade = load_model(settings.nade, 1)
        if nade.card.get("takes_back", True):
            raise BadInput(f"{settings.nade} is no NADE: train one with `ripieno train --config nade`")
        digests["nade"] = nade.digest
    return Material(settings, items, inputs, drawn, digests)


def _find(data: Path, folder: str, name: str, remedy: str) -> Path:
    for path in (data / folder / name, data / name):
        if path.is_file():
            return path
    raise BadInput(f"{data} has no {name}, nor {folder}/{name}; {remedy}")


def run(material: Material, jobs: Sequence[Job]) -> Iterator[Progress | list[Any]]:
    """Compute what is not kept yet; at last yields the results, in the order of the jobs.

    Raises:
        BadInput: something kept is not what it says.
    """
    from ripieno.evaluation.parts import work

    kept = Kept(material.settings.output / "kept")
    results: list[Any] = [kept.get(job.part, job.key) for job in jobs]
    missing = [i for i, result in enumerate(results) if result is None]
    done = len(jobs) - len(missing)
    part = jobs[0].part if jobs else ""
    yield Progress(part, done, len(jobs))
    if missing:
        pool = ProcessPoolExecutor(material.settings.jobs, get_context("spawn"), initializer=_end_quietly)
        waiting: dict[Future[Any], int] = {}
        try:
            left = iter(missing)
            for i in left:  # few at a time, so that an interrupt has little to wait for
                waiting[pool.submit(work, jobs[i])] = i
                if len(waiting) >= 2 * material.settings.jobs:
                    break
            while waiting:
                ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for one in ready:
                    i = waiting.pop(one)
                    results[i] = one.result()
                    kept.put(part, jobs[i].key, results[i])
                    done += 1
                    following = next(left, None)
                    if following is not None:
                        waiting[pool.submit(work, jobs[following])] = following
                yield Progress(part, done, len(jobs))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    yield results


def _end_quietly() -> None:
    """At Ctrl-C a worker has nothing to say: what it was at is computed again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def evaluate(settings: Settings) -> Iterator[Progress]:
    """Run an evaluation; results lie in its folder as they come.

    Raises:
        BadInput: something is missing, or is not what it should be.
    """
    from ripieno.evaluation import report
    from ripieno.evaluation.parts import jobs_of, summary_of

    material = prepare(settings)
    report.read(settings.output)  # what cannot be read is said before hours have passed
    for part in (part for part in PARTS if part in settings.parts):
        jobs = jobs_of(part, material)
        for step in run(material, jobs):
            if isinstance(step, Progress):
                yield step
            else:
                told: dict[str, Any] = report.read(settings.output)  # another evaluation may have written meanwhile
                told[part] = {
                    "models": material.digests,
                    "split": settings.split,
                    "every": settings.every,
                    "seeds": settings.seeds,
                    "commit": commit(),
                    **summary_of(part, material, jobs, step),
                }
                report.write(told, settings.output)


def commit() -> str:
    """Which version of the program this is: of a checkout its commit, else the release."""
    from ripieno import __version__

    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=10"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__} {found.stdout.strip()}"
