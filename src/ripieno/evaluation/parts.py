"""The parts of the evaluation: the jobs of each, how one is done, what all of them come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.bounds import KEEPS_HEIGHT
from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.evaluation.claims import FACTOR, NAMED, mean_interval, no_worse, ratio_interval, spread_of, student
from ripieno.evaluation.framewise import framewise_nats, windows
from ripieno.evaluation.inputs import Input
from ripieno.evaluation.likelihood import Window, notewise_levels, windows_of
from ripieno.evaluation.methods import PASSES, Generated, by_editing, by_gibbs, generated_of
from ripieno.evaluation.metrics import (
    Pooled,
    bhattacharyya,
    interval,
    kolmogorov_smirnov,
    pitch_statistics,
    pool,
    pooled,
)
from ripieno.evaluation.repair import (
    KINDS,
    THRESHOLD,
    TRANSPOSITIONS,
    Repairer,
    Result,
    Verdict,
    average_precision,
    coconet,
    es_net,
    pooled_scores,
    pooled_verdict,
    repair,
    roc_area,
)
from ripieno.evaluation.repair import interval as repair_interval
from ripieno.evaluation.suite import Job, Material
from ripieno.models.runtime import CoconetModel, Model, load_coconet, load_model, the_separator
from ripieno.music.harmony import ends_on_tonic_triad, estimate_key
from ripieno.music.part_writing import PER, READING, Report, bootstrap, judge
from ripieno.music.part_writing.completeness import MISSING_THIRD
from ripieno.music.part_writing.consecutives import PARALLEL_FIFTHS, PARALLEL_OCTAVES
from ripieno.music.part_writing.habits import (
    DISSONANT_PAIRS,
    FOUR_OR_MORE,
    MOVING_PAIRS,
    ONSETS,
    SEVENTHS_ON_BEATS,
    TRIADS_ON_BEATS,
)
from ripieno.music.part_writing.melody import FALSE_RELATION, LONE_SIXTEENTH
from ripieno.music.part_writing.motion import CROSSING, HIDDEN_LEAP
from ripieno.music.part_writing.resolution import UNRESOLVED_LEADING_NOTE, UNRESOLVED_SEVENTH
from ripieno.music.part_writing.spacing import RANGE, SPACING
from ripieno.music.piece import Key
from ripieno.music.voices import split
from ripieno.options import Options
from ripieno.sampling.ancestral import sample_ancestral
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.mending import CARES, COSTS, SETTINGS
from ripieno.sampling.passes import Change
from ripieno.sampling.run import STOP_RULE
from ripieno.sampling.stopping import SETTLED
from ripieno.session import Session
from ripieno.shapes import Float

QUALITY, TEMPERATURE = Options().quality, Options().temperature
N_ORDERS = 5  # of the framewise likelihood
EVERY_STEP = 8  # of a score is guessed
POLICY = 2  # raised when a policy allows something else than before
K, S, POOL, N_PICKS = 10, 10, 8, 1  # of the notewise likelihood; windows differ more than picks do
N_ITERATIONS = 10_000  # paper 6.4
N_SETTLING = 12  # pieces that go on for so long; four said little (docs/log.md#settling)
LOOK_EVERY = 250  # of these iterations
WHEN = ("stop", "end", "edited on")  # a piece is judged: at the stop; at the end, without edits or with one each time
SHARE = 0.05  # of a piece's notes that are damaged
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)  # of ES-Net's repair
MARGINS = (2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0)  # of Coconet's
# Of those that spoil less than 1 % of the notes of JSB valid, the one that restores most.
MARGIN = {"coconet": 9.0, "coconet-split": 9.0}


def jobs_of(part: str, material: Material) -> list[Job]:
    """The jobs of a part, in an order that does not change."""
    jobs = _JOBS[part](material)
    pieces = set(list(dict.fromkeys(job.name for job in jobs))[:: material.settings.every])
    return [job for job in jobs if job.name in pieces]


def work(job: Job) -> Any:
    """Do a job: what it gives can be written as JSON."""
    return _WORK[job.part](job)


def summary_of(part: str, material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    """What the results of a part come to."""
    return _SUMMARIES[part](material, jobs, results)


@cache
def _model(path: Path | None) -> Model:
    return load_model(path, n_threads=1)


@cache
def _coconet(path: Path | None) -> CoconetModel:
    return load_coconet(path, n_threads=1)


def _rng(job: Job, number: int = 0) -> Generator:
    key = np.array([job.seed, int(job.key["input"], 16)], dtype=np.uint64)
    return Generator(Philox(key=key, counter=number << 192))


# --- framewise: is Coconet, trained here, a fair baseline?


def _framewise_jobs(material: Material) -> list[Job]:
    options = {"orders": N_ORDERS, "every": EVERY_STEP}
    return [
        Job("framewise", "coconet", item.name, 0, material.settings.coconet, material.digests["coconet"], options, item)
        for item in material.pieces
    ]


def _framewise(job: Job) -> list[float]:
    rng = _rng(job)
    fill = _coconet(job.model)
    nats: list[float] = []
    for window in windows(job.payload.voices):
        first = int(rng.integers(job.options["every"]))
        steps = np.arange(first, len(window), job.options["every"])
        nats += framewise_nats(fill, window, steps, job.options["orders"], rng).tolist()
    return nats


def _framewise_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    values = np.concatenate([np.array(nats) for nats in results])
    owner = [job.name for job, nats in zip(jobs, results, strict=True) for _ in nats]
    mean, low, high = mean_interval(values, owner)
    return {
        "nats": mean,
        "low": low,
        "high": high,
        "n_steps": len(values),
        "n_pieces": len(jobs),
        "options": jobs[0].options,
    }


# --- likelihood: table 1


def _likelihood_jobs(material: Material) -> list[Job]:
    options = {"K": K, "S": S, "pool": POOL, "picks": N_PICKS, "levels": 1, "given": True}
    return [
        Job("likelihood", what, item.name, 0, path, material.digests[what], options, item)
        for item in material.pieces
        if item.cells.shape[1] >= 128
        for what, path in _editors(material)
    ]


def _editors(material: Material) -> list[tuple[str, Path | None]]:
    found: list[tuple[str, Path | None]] = [("es-net", material.settings.model)]
    return [*found, ("nade", material.settings.nade)] if "nade" in material.digests else found


def _likelihood(job: Job) -> list[list[list[float]]]:
    """Of each window and pick: level 0, levels 0 and 1, and level 0 where the source is given."""
    o = job.options
    of: list[Window] = windows_of(job.name, job.payload.cells)
    model, found = _model(job.model), []
    for number, one in enumerate(of):
        # of the piece, so that both models put back the same cells in the same orders
        free, given = _rng(job, number), _rng(job, number)
        levels = notewise_levels(model, one, o["K"], o["S"], o["picks"], free, o["levels"], o["pool"])
        kept = notewise_levels(model, one, o["K"], o["S"], o["picks"], given, given=o["given"])
        found.append(np.concatenate([levels, kept], axis=1).tolist())
    return found


LEVELS = ("0", "0 + 1", "0, source given")


def _likelihood_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"options": jobs[0].options, "rows": {}}
    tables: dict[str, Float[np.ndarray, "value level"]] = {}
    owners: dict[str, list[str]] = {}
    for what in dict.fromkeys(job.what for job in jobs):
        own = [(job.name, np.array(result)) for job, result in zip(jobs, results, strict=True) if job.what == what]
        tables[what] = np.concatenate([values.reshape(-1, values.shape[-1]) for _, values in own])
        owners[what] = [name for name, values in own for _ in range(values.shape[0] * values.shape[1])]
        told["rows"][what] = [
            {"level": level, "median": float(np.median(column)), "interval": mean_interval(column, owners[what])}
            for level, column in zip(LEVELS, tables[what].T, strict=True)
        ]
        told["n_windows"] = sum(len(values) for _, values in own)
    if "nade" in tables and owners["nade"] == owners["es-net"]:
        apart = tables["es-net"] - tables["nade"]
        told["es-net minus nade"] = {
            level: mean_interval(column, owners["nade"]) for level, column in zip(LEVELS, apart.T, strict=True)
        }
    return told


# --- repair: what is wrong, and is it put right?


def _repair_jobs(material: Material) -> list[Job]:
    s = material.settings
    digest = material.digests["coconet"]
    heard = {"share": SHARE, "settings": list(THRESHOLDS), "transpositions": list(TRANSPOSITIONS)}
    rewritten = {"share": SHARE, "settings": list(MARGINS), "by_cell": True, "score": "worst cell"}
    ways: list[tuple[str, Path | None, str, dict[str, Any]]] = [
        ("es-net", s.model, material.digests["es-net"], heard),
        ("coconet", s.coconet, digest, rewritten),
        ("coconet-split", s.coconet, digest, rewritten | {"separator": the_separator().digest}),
    ]
    return [
        Job("repair", what, item.name, number, path, digest, options, item)
        for what, path, digest, options in ways
        for number, item in enumerate(material.pieces)
    ]


def _repairer(job: Job) -> Repairer:
    values = job.options["settings"]
    if job.what == "es-net":
        return es_net(_model(job.model), values)
    read = partial(split, separate=the_separator()) if job.what == "coconet-split" else None
    return coconet(_coconet(job.model), values, job.options["by_cell"], read=read)


def _repair(job: Job) -> list[dict[str, Any]]:
    repairer = _repairer(job)
    return [
        {
            "kind": one.kind,
            "scores": [round(float(score), 5) for score in one.scores],
            "wrong": [int(wrong) for wrong in one.wrong],
            "verdicts": [list(vars(verdict).values()) for verdict in one.verdicts],
        }
        for one in repair(repairer, [job.payload], KINDS, job.options["share"], job.seed)
    ]


def _repair_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"share": SHARE, "kinds": list(KINDS), "rows": {}}
    found: dict[str, list[Result]] = {}
    for job, result in zip(jobs, results, strict=True):
        found.setdefault(job.what, []).extend(
            Result(
                job.name,
                one["kind"],
                np.array(one["scores"]),
                np.array(one["wrong"], dtype=bool),
                tuple(Verdict(*verdict) for verdict in one["verdicts"]),
            )
            for one in result
        )

    def precision(some: Sequence[Result]) -> float:
        return average_precision(*pooled_scores(some))

    for what, some in found.items():
        settings, chosen = THRESHOLDS if what == "es-net" else MARGINS, _setting(what)
        row: dict[str, Any] = {"setting": settings[chosen], "n_pieces": len({one.piece for one in some})}
        row["pooled"] = _repair_row(some, chosen)
        row["pooled"]["precision"] = [precision(some), *repair_interval(some, precision)]
        for name in ("restored", "spoiled", "invented"):
            row["pooled"][name] = [row["pooled"][name], *repair_interval(some, _verdict_figure(name, chosen))]
        row["kinds"] = {kind: _repair_row([one for one in some if one.kind == kind], chosen) for kind in KINDS}
        row["curve"] = [
            [setting, *(getattr(pooled_verdict(some, i), name) for name in ("restored", "spoiled", "invented"))]
            for i, setting in enumerate(settings)
        ]
        told["rows"][what] = row
    ours = found["es-net"]
    restored = {what: _verdict_figure("restored", _setting(what)) for what in found}
    for what in found.keys() - {"es-net"}:
        twin = {id(one): other for one, other in zip(ours, found[what], strict=True)}

        def finds(some: Sequence[Result], twin: dict[int, Result] = twin) -> float:
            return precision(some) - precision([twin[id(one)] for one in some])

        def mends(some: Sequence[Result], twin: dict[int, Result] = twin, what: str = what) -> float:
            return restored["es-net"](some) - restored[what]([twin[id(one)] for one in some])

        told[f"es-net minus {what}"] = {
            "precision": [finds(ours), *repair_interval(ours, finds)],
            "restored": [mends(ours), *repair_interval(ours, mends)],
        }
    return told


def _setting(what: str) -> int:
    """The place of the setting that is chosen."""
    return THRESHOLDS.index(THRESHOLD) if what == "es-net" else MARGINS.index(MARGIN[what])


def _verdict_figure(name: str, setting: int) -> Callable[[Sequence[Result]], float]:
    return lambda some: float(getattr(pooled_verdict(some, setting), name))


def _repair_row(some: Sequence[Result], chosen: int) -> dict[str, Any]:
    verdict = pooled_verdict(some, chosen)
    scores, wrong = pooled_scores(some)
    heard = bool(len(scores))
    return {
        "precision": average_precision(scores, wrong) if heard else None,
        "roc": roc_area(scores, wrong) if heard else None,
        "restored": verdict.restored,
        "spoiled": verdict.spoiled,
        "invented": verdict.invented,
        "n_faults": verdict.n_faults,
    }


# --- stabilisation: what 10,000 iterations do


def _stabilisation_jobs(material: Material) -> list[Job]:
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


def _stabilisation(job: Job) -> dict[str, Any]:
    model, of = _model(job.model), job.payload
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


def _stabilisation_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
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
    bachs = {of.name: of.voices for of in material.inputs}
    reports = {when: [judge(np.array(result["voices"][when])) for result in results] for when in WHEN} | {
        "bach": [judge(_as_heard(bachs[job.name])) for job in jobs]
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


def _as_heard(voices: Any) -> Any:
    """Bach's voices merged and split, like everyone's."""
    return split(_merged(voices), 4, voices[:, 0], 0, the_separator())


def _merged(voices: Any) -> Any:
    cells = np.zeros((1, len(voices), 128), dtype=bool)
    steps, columns = np.nonzero(voices >= 0)
    cells[0, steps, voices[steps, columns]] = True
    return cells


# --- generation, for chorales and for tables 2 and 3


def sampled_by(quality: str = QUALITY) -> dict[str, Any]:
    """What beside model, input and seed makes another piece if it changes, before mending."""
    return {
        "temperature": TEMPERATURE,
        "keeps_height": KEEPS_HEIGHT,
        "quality": asdict(QUALITIES[quality]),
        "stop": asdict(STOP_RULE),
        "policy": POLICY,
    }


def mended_by(quality: str = QUALITY) -> dict[str, Any]:
    """The same of mending, which asks a network who sings what."""
    told = {"weights": COSTS, "care": asdict(CARES[quality]), "mending": SETTINGS, "rules": READING}
    return told | {"separator": the_separator().digest}


def _generation_jobs(part: str, material: Material, inputs: Sequence[Input]) -> list[Job]:
    s = material.settings
    unmended, as_it_is = sampled_by(), sampled_by() | mended_by()
    passes: dict[str, Any] = {"passes": PASSES}
    ways: list[tuple[str, Path | None, str, dict[str, Any]]] = [
        ("es-net", s.model, material.digests["es-net"], as_it_is),
        ("additions-only", s.model, material.digests["es-net"], unmended),
    ]
    if s.nade is not None:
        ways.append(("nade", s.nade, material.digests["nade"], unmended))
    reader = _model(s.model)  # the melody is read with it, which needs nothing of it but its window
    both = f"{material.digests['coconet']} {reader.lowest_pitch}-{reader.highest_pitch}"
    coconet = "" if s.coconet is None else str(s.coconet)
    model = "" if s.model is None else str(s.model)
    ways.append(("gibbs", s.model, both, passes))
    return [
        Job(part, what, of.name, seed, path, digest, options, of if what != "gibbs" else (of, coconet, model))
        for what, path, digest, options in ways
        if what in s.methods
        for of in inputs
        for seed in range(s.seeds)
    ]


def _generation(job: Job) -> dict[str, Any]:
    if job.what == "gibbs":
        of, coconet, _ = job.payload
        fill = _coconet(Path(coconet) if coconet else None)
        window = (fill.lowest_pitch, fill.lowest_pitch + fill.n_pitches - 1)
        return {"finished": by_gibbs(fill, of, _model(job.model), job.seed, window, job.options["passes"]).as_json()}
    written = by_editing(_model(job.model), job.payload, job.seed, takes_back=job.what == "es-net")
    return {name: one.as_json() for name, one in written.items()}


def _written(jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, list[tuple[str, Generated]]]:
    """The pieces of each method, with the names of their inputs."""
    found: dict[str, list[tuple[str, Generated]]] = {}
    for job, result in zip(jobs, results, strict=True):
        found.setdefault(job.what, []).append((job.name, generated_of(result["finished"])))
        if "unmended" in result:
            found.setdefault("unmended", []).append((job.name, generated_of(result["unmended"])))
    return found


def _chorales_jobs(material: Material) -> list[Job]:
    return _generation_jobs("chorales", material, material.inputs)


def _chorales_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    inputs = {of.name: of for of in material.inputs}
    names = list(dict.fromkeys(job.name for job in jobs))
    pieces = _written(jobs, results)
    keys = {name: _key_of(inputs[name].voices) for name in names}
    reports: dict[str, dict[str, Report]] = {
        "bach": {name: judge(_as_heard(inputs[name].voices), key=keys[name]) for name in names}
    }
    singly: dict[str, dict[str, list[Report]]] = {}
    profiles = {"bach": {name: _profile(_merged(inputs[name].voices), keys[name].tonic) for name in names}}
    ends: dict[str, list[bool]] = {}
    for method, some in pieces.items():
        singly[method] = {name: [] for name in names}
        profiles[method] = {name: np.zeros(12) for name in names}
        ends[method] = []
        for name, one in some:
            singly[method][name].append(judge(one.voices, key=keys[name]))
            profiles[method][name] += _profile(one.cells, keys[name].tonic)
            last = inputs[name].voices
            assert last is not None
            tonic = int(last[-1][last[-1] >= 0].min()) % 12
            ends[method].append(bool(ends_on_tonic_triad(one.cells, tonic)))
        reports[method] = {name: sum(own, Report()) for name, own in singly[method].items()}
    told: dict[str, Any] = {
        "n_pieces": len(names),
        "n_known": sum(bool(inputs[name].is_known) for name in names),
        "methods": list(reports),
        "figures": {name: {m: _figure(list(own.values()), name) for m, own in reports.items()} for name in PER},
        "ends on the tonic": {method: float(np.mean(some)) for method, some in ends.items()},
        "facts": {
            method: {fact: float(np.mean([one.facts[fact] for _, one in some])) for fact in some[0][1].facts}
            for method, some in pieces.items()
        },
        "classes": _classes(profiles, names),
    }
    for known in (True, False):
        own = [name for name in names if inputs[name].is_known is known]
        told["known tunes" if known else "unknown tunes"] = {
            name: {m: sum((r[n] for n in own), Report()).figure(name) for m, r in reports.items()} if own else {}
            for name in SHOWN
        }
    ours = [reports["es-net"][name] for name in names]
    bachs = [reports["bach"][name] for name in names]
    told["no worse"] = {}
    for method in (m for m in reports if m not in ("es-net", "bach", "unmended")):
        our_pieces, their_pieces = ([singly[m][name] for name in names] for m in ("es-net", method))
        told["no worse"][method] = [vars(test) for test in no_worse(our_pieces, their_pieces, bachs)]
    if "gibbs" in reports:
        theirs = [reports["gibbs"][name] for name in names]
        told["parallels"] = {"factor": FACTOR, "ratio": ratio_interval(ours, theirs, NAMED)}
    return told


def _key_of(voices: Any) -> Key:
    """The key of Bach's setting: everyone is judged in it."""
    weights = _profile(_merged(voices), 0)
    last = voices[-1]
    return estimate_key(weights, int(last[last >= 0].min()) % 12)


SHOWN = tuple(
    entry.name
    for entry in (
        PARALLEL_FIFTHS,
        PARALLEL_OCTAVES,
        MOVING_PAIRS,
        HIDDEN_LEAP,
        CROSSING,
        SPACING,
        RANGE,
        UNRESOLVED_LEADING_NOTE,
        UNRESOLVED_SEVENTH,
        MISSING_THIRD,
        FALSE_RELATION,
        ONSETS,
        FOUR_OR_MORE,
        DISSONANT_PAIRS,
        TRIADS_ON_BEATS,
        SEVENTHS_ON_BEATS,
        LONE_SIXTEENTH,
    )
)


def _figure(reports: list[Report], name: str) -> list[float]:
    """Pooled figure, its bootstrap interval over pieces, occurrences, opportunities."""
    whole = sum(reports, Report())
    low, high = bootstrap(reports, name)
    return [whole.figure(name), PER[name] * low, PER[name] * high, whole[name].n, whole[name].of]


def _profile(cells: Any, tonic: int) -> Float[np.ndarray, " twelve"]:
    """Sounding cells of each pitch class, counted from the tonic."""
    counts = cells[0].sum(axis=0)
    profile: Float[np.ndarray, " twelve"] = np.bincount(
        (np.arange(128) - tonic) % 12, weights=counts, minlength=12
    ).astype(float)
    return profile


def _classes(profiles: dict[str, dict[str, Any]], names: list[str]) -> dict[str, list[float]]:
    """Bhattacharyya distance of one half's pitch classes, relative to the key, from those of Bach's other half."""
    rng = Generator(Philox(key=[0, 6]))

    def shares(method: str, some: Sequence[str]) -> Any:
        total = sum(profiles[method][name] for name in some)
        return total / total.sum()

    told = {}
    for method in profiles:
        values = []
        for _ in range(200):
            drawn = [names[i] for i in rng.permutation(len(names))]
            half, rest = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
            values.append(bhattacharyya(shares(method, half), shares("bach", rest)))
        told[method] = [float(np.mean(values)), *map(float, np.quantile(values, [0.025, 0.975]))]
    return told


def _tables_jobs(material: Material) -> list[Job]:
    return _generation_jobs("tables", material, material.doodles)


def _tables_summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, Any]:
    train = [item for item in material.items if item.split == "train"]
    pools: dict[str, list[Pooled]] = {"training data": [pooled(item.cells) for item in train]}
    for method, some in _written(jobs, results).items():
        by_input: dict[str, list[Any]] = {}
        for name, one in some:
            by_input.setdefault(name, []).append(one.cells)
        pools[method] = [pool(cells) for cells in by_input.values()]
    whole = {method: sum(some[1:], some[0]) for method, some in pools.items()}
    reference = whole["training data"].shares
    rows = {}
    for method, of in whole.items():
        rows[method] = {
            "n_inputs": len(pools[method]),
            "published": vars(pitch_statistics(of, as_published=True)),
            "corrected": vars(pitch_statistics(of)),
            "intervals": {
                name: interval(pools[method], name, as_published=False) for name in ("in_scale_rate", "polyphonic_rate")
            },
            "shares": [float(share) for share in of.shares],
            "bhattacharyya": bhattacharyya(of.shares, reference),
            "ks_published": kolmogorov_smirnov(of.shares, reference, as_published=True),
            "ks_corrected": kolmogorov_smirnov(of.shares, reference)[0],
        }
    rng = Generator(Philox(key=[0, 7]))
    halves = []
    own = pools["training data"]
    for _ in range(200):
        order = rng.permutation(len(own))
        one, other = (
            sum((own[i] for i in some[1:]), own[some[0]]) for some in (order[: len(own) // 2], order[len(own) // 2 :])
        )
        halves.append(bhattacharyya(one.shares, other.shares))
    return {"rows": rows, "halves of the training data": float(np.mean(halves))}


_JOBS: dict[str, Callable[[Material], list[Job]]] = {
    "framewise": _framewise_jobs,
    "likelihood": _likelihood_jobs,
    "repair": _repair_jobs,
    "stabilisation": _stabilisation_jobs,
    "chorales": _chorales_jobs,
    "tables": _tables_jobs,
}
_WORK: dict[str, Callable[[Job], Any]] = {
    "framewise": _framewise,
    "likelihood": _likelihood,
    "repair": _repair,
    "stabilisation": _stabilisation,
    "chorales": _generation,
    "tables": _generation,
}
_SUMMARIES: dict[str, Callable[[Material, Sequence[Job], Sequence[Any]], dict[str, Any]]] = {
    "framewise": _framewise_summary,
    "likelihood": _likelihood_summary,
    "repair": _repair_summary,
    "stabilisation": _stabilisation_summary,
    "chorales": _chorales_summary,
    "tables": _tables_summary,
}
