"""The paper's evaluation, and ours beside it: what `ripieno evaluate` does.  (Paper 6)

When all jobs of an experiment are there it is summed up and written out, with what was found before.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.evaluation import report
from ripieno.evaluation.inputs import Input, doodles, sopranos
from ripieno.evaluation.jobs import EvaluationProgress, EvaluationSettings, Experiment, Material, run
from ripieno.evaluation.kept import Kept
from ripieno.evaluation.suite import EXPERIMENTS, PARTS
from ripieno.files.corpus import read_jsb
from ripieno.models.runtime import load_coconet, load_model

JSB = "Jsb16thSeparated.json"
JSB_SHA256 = "79294cc374f9252e95ef4b703161524c1c53dc1f712c236f00f1c1f5d54af5a7"


def chosen(settings: EvaluationSettings) -> list[Experiment]:
    """The experiments that the settings ask for, in the order in which they are run.

    Raises:
        BadInput: there is no such experiment.
    """
    if unknown := [part for part in settings.parts if part not in PARTS]:
        raise BadInput(f"there is no part {unknown[0]}; there are: {', '.join(PARTS)}")
    return [one for one in EXPERIMENTS if one.name in (settings.parts or PARTS)]


def prepare(settings: EvaluationSettings) -> Material:
    """Find corpora and models before anything is computed.

    Raises:
        BadInput: something is missing, or is not what it should be.
    """
    reads_melodies = any(experiment.reads_melodies for experiment in chosen(settings))
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
    if reads_melodies:
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


def evaluate(settings: EvaluationSettings, executor: Executor | None = None) -> Iterator[EvaluationProgress]:
    """Run an evaluation; results lie in its folder as they come.

    Args:
        settings: what to evaluate.
        executor: runs the jobs, `EvaluationSettings.jobs` of them at a time; as many processes here unless given.

    Raises:
        BadInput: something is missing, or is not what it should be.
    """
    material = prepare(settings)
    report.read_results(settings.output)  # what cannot be read is said before hours have passed
    own = None
    if executor is None:
        executor = own = ProcessPoolExecutor(settings.jobs, get_context("spawn"), initializer=_end_quietly)
    kept = Kept(settings.output / "kept")
    try:
        for experiment in chosen(settings):
            jobs = experiment.jobs_of(material)
            for step in run(jobs, experiment.work, kept, executor, 2 * settings.jobs):
                if isinstance(step, EvaluationProgress):
                    yield step
                    continue
                told = report.read_results(settings.output)  # another evaluation may have written meanwhile
                told[experiment.name] = {
                    "models": material.digests,
                    "split": settings.split,
                    "every": settings.every,
                    "seeds": settings.seeds,
                    "commit": commit(),
                    **experiment.summary(material, jobs, step),
                }
                report.write_results(told, settings.output)
    finally:
        if own is not None:
            own.shutdown(wait=False, cancel_futures=True)


def _end_quietly() -> None:
    """At Ctrl-C a worker has nothing to say: what it was at is computed again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
