"""Stabilisation: what 10,000 iterations do to a piece, and what it is like where the stop rule ends it.  (Paper 6.4)

Some of Bach's sopranos are harmonised three times: until the stop rule ends it; with an edit in every iteration, as the
paper has it; and with cells left alone that hardly need a change, until nothing is left to do. The last and the first
should be alike: then the rule stops in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.bounds import KEEPS_HEIGHT
from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.evaluation import models
from ripieno.evaluation.claims import SHOWN
from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import decimal, table
from ripieno.evaluation.methods import as_heard
from ripieno.evaluation.statistics import spread_of, student
from ripieno.models.runtime import the_separator
from ripieno.music.part_writing import PER, Report, judge
from ripieno.music.voices import split
from ripieno.options import Options
from ripieno.sampling.ancestral import sample_ancestral
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.passes import Change
from ripieno.sampling.run import STOP_RULE
from ripieno.sampling.stopping import SETTLED
from ripieno.session import Session

QUALITY, TEMPERATURE = Options().quality, Options().temperature
N_ITERATIONS = 10_000  # paper 6.4
N_SETTLING = 12  # pieces that go on for so long; four said little (docs/log.md#settling)
LOOK_EVERY = 250  # of these iterations
WHEN = ("stop", "end", "edited on")  # a piece is judged: at the stop; at the end, without edits or with one each time


def jobs(material: Material) -> list[Job]:
    """Some sopranos, evenly over all."""
    is_part = material.settings.every > 1
    n = len(material.inputs) if is_part else N_SETTLING
    evenly = np.linspace(0, len(material.inputs) - 1, min(n, len(material.inputs))).round().astype(int)
    iterations = 1000 if is_part else N_ITERATIONS
    options = {
        "iterations": iterations,
        "every": LOOK_EVERY,
        "temperature": TEMPERATURE,
        "keeps_height": KEEPS_HEIGHT,
        "quality": asdict(QUALITIES[QUALITY]),
        "settled": SETTLED,
        "stop": asdict(STOP_RULE),
        "separator": the_separator().digest,
    }
    digest = material.digests["es-net"]
    return [
        Job("stabilisation", "es-net", material.inputs[i].name, 0, material.settings.model, digest, options, of)
        for i in evenly
        for of in [material.inputs[i]]
    ]


def work(job: Job) -> dict[str, Any]:
    """When a piece stops, what it looks like as it is edited on and on, and its voices at each end."""
    model, of = models.editor(job.model), job.payload
    session = Session(of.piece, model=model, melody=of.melody, seed=job.seed)
    line = session.policy.line
    assert line is not None

    def judged(log: EditLog) -> list[list[int]]:
        return [[int(pitch) for pitch in row] for row in split(log.cells, 4, line, 0, the_separator())]

    start = session.log, session.context, session.policy, job.seed
    stopped = session.log
    for change in sample_ancestral(
        model, *start, STOP_RULE.most_edits(stopped.cells.shape[1]), STOP_RULE, QUALITIES[QUALITY]
    ):
        stopped = change.log
    told: dict[str, Any] = {"stopped": len(stopped.entries)}
    voices = {"stop": judged(stopped)}
    for way, settled, when in (("every", 0.0, "edited on"), ("settling", SETTLED, "end")):
        told[way], log = _looks(sample_ancestral(model, *start, settled=settled), session.log, job.options)
        voices[when] = judged(log)
    return told | {"voices": voices}


def _looks(changes: Iterator[Change], log: EditLog, options: dict[str, Any]) -> tuple[list[dict[str, float]], EditLog]:
    """What so many iterations do to a piece; when the changes end, the rest of them do nothing."""
    looks: list[dict[str, float]] = []
    recent: list[tuple[Edit, bool]] = []
    for number in range(1, options["iterations"] + 1):
        if (change := next(changes, None)) is not None:
            log = change.log
            recent.append((change.edit, change.added))
        if number % options["every"] == 0:
            sounding = np.count_nonzero(log.cells[0], axis=1)
            looks.append(
                {
                    "iteration": number,
                    "edits": len(log.entries),
                    "cells": float(sounding.mean()),
                    "four": float((sounding >= 4).mean()),
                    "touched": float(len({edit for edit, _ in recent})),
                    "removals": float(np.mean([not added for _, added in recent])) if recent else 0.0,
                }
            )
            recent = []
    return looks, log


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """What each look saw, and how the style report changes between the stop and the end."""
    looks = {
        way: {
            name: [[look[name] for look in result[way]] for result in results]
            for name in ("iteration", "cells", "four", "touched", "removals")
        }
        for way in ("every", "settling")
    }
    told: dict[str, Any] = {
        "options": jobs[0].options,
        "names": [job.name for job in jobs],
        "stopped": [result["stopped"] for result in results],
        "series": looks,
    }
    bachs = {of.name: of.voices for of in material.inputs if of.voices is not None}
    reports = {when: [judge(np.array(result["voices"][when])) for result in results] for when in WHEN} | {
        "bach": [judge(as_heard(bachs[job.name])) for job in jobs]
    }
    told["figures"] = {name: {when: sum(some, Report()).figure(name) for when, some in reports.items()} for name in PER}
    told["drift"] = {
        when: {name: _paired(reports["stop"], reports[when], reports["bach"], name) for name in PER}
        for when in WHEN
        if when != "stop"
    }
    edits = [int(result["settling"][-1]["edits"]) for result in results]
    told["settled"] = [n for n in edits if n < jobs[0].options["iterations"]]
    told["restless"] = len(edits) - len(told["settled"])
    told["band"] = {when: [report["four or more pitches"].rate for report in reports[when]] for when in (*WHEN, "bach")}
    return told


def _paired(before: list[Report], after: list[Report], bach: list[Report], name: str) -> list[float]:
    """Mean change of a figure in standard deviations of Bach's pieces, and half of its 95 % interval."""
    apart = np.array([b[name].rate - a[name].rate for a, b in zip(before, after, strict=True)])
    spread = spread_of([one[name].rate for one in bach])
    apart = apart[np.isfinite(apart)]
    if not spread or len(apart) < 2:
        return [float("nan"), float("nan")]
    error = apart.std(ddof=1) / spread / len(apart) ** 0.5
    return [float(apart.mean() / spread), float(student(len(apart) - 1) * error)]


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    ways = {
        "every": "An edit in every iteration, as in the paper",
        "settling": f"The same, but cells that need a change with less than a chance of {SETTLED:.1%} stay as they are",
    }
    names = {
        "cells": "cells a step",
        "four": "four or more pitches",
        "touched": f"distinct cells touched in {found['options']['every']}",
        "removals": "share of removals",
    }
    said = []
    for way, title in ways.items():
        series = {name: np.array(rows, dtype=float) for name, rows in found["series"][way].items()}
        iterations = series["iteration"][0]
        marks = [1000, 2000, 5000, 10_000]
        chosen = [int(np.flatnonzero(iterations == at)[0]) for at in marks if (iterations == at).any()]
        head = ["iterations", *(f"{iterations[i]:.0f}" for i in chosen)]
        rows = [[label, *(decimal(series[name][:, i].mean(), 2) for i in chosen)] for name, label in names.items()]
        said.append(f"{title}:\n\n{table(head, rows)}")
    stops = found["stopped"]
    settled, restless = found["settled"], found.get("restless", 0)
    said.append(
        f"Mean of {len(stops)} sopranos. The stop rule ends them after {min(stops)} to {max(stops)} edits; without it "
        + (f"they settle after {min(settled)} to {max(settled)}" if settled else "none settles")
        + (f"; {restless} of them not at all." if settled and restless else ".")
    )
    band = found["band"]
    whens = {"bach": "Bach", "stop": "at the stop", "end": "settled", "edited on": "edited on and on"}
    said.append(
        "Share of steps with four or more pitches, mean (lowest to highest piece): "
        + "; ".join(f"{t} {np.mean(band[w]):.3f} ({min(band[w]):.2f} to {max(band[w]):.2f})" for w, t in whens.items())
        + "."
    )
    drift = found["drift"]
    known = [name for name in (*SHOWN, *(n for n in drift["end"] if n not in SHOWN)) if isfinite(drift["end"][name][0])]
    rows = [
        [
            name,
            *(decimal(found["figures"][name][when], 2) for when in whens),
            *(f"{drift[when][name][0]:+.2f} +- {drift[when][name][1]:.2f}" for when in ("end", "edited on")),
        ]
        for name in known
    ]
    head = ["", *whens.values(), "change since the stop, in standard deviations of Bach's (95 %)", "edited on and on"]
    said.append(table(head, rows))
    return "\n\n".join(said)


def plot(found: Figures, folder: Path) -> None:
    """What each look saw, piece by piece."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    names = {
        "cells": "cells a step",
        "four": "share of steps with\nfour or more pitches",
        "touched": f"distinct cells touched\nin {found['options']['every']} iterations",
        "removals": "share of removals",
    }
    for axes, (name, label) in zip(figure.subplots(4, sharex=True), names.items(), strict=True):
        for way, colour in (("every", "tab:orange"), ("settling", "tab:blue")):
            series = found["series"][way]
            for iterations, values in zip(series["iteration"], series[name], strict=True):
                axes.plot(iterations, values, color=colour, linewidth=0.8, alpha=0.6)
        for stop in found["stopped"]:
            axes.axvline(stop, color="grey", linewidth=0.5, linestyle=":")
        axes.set_ylabel(label)
    axes.set_xlabel("iterations; orange: an edit in each; blue: settling; dotted: the stop rule")
    figure.savefig(folder / "stabilisation.png", dpi=100)


STABILISATION = Experiment("stabilisation", "Stabilisation", jobs, work, summary, written, plot)
