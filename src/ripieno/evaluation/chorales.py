"""Bach's sopranos, harmonised by each method, judged by the rules of part-writing and beside Bach's own settings.

Everyone is merged, split and judged in the key of Bach's setting. The paper has no such figures; what is claimed of
them was fixed beforehand (`claims.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.evaluation.claims import FACTOR, MARGIN, NAMED, SHOWN, no_worse, ratio_interval
from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import TITLES, decimal, table, with_interval
from ripieno.evaluation.methods import as_heard, generate, generated_by, generation_jobs
from ripieno.evaluation.metrics import bhattacharyya
from ripieno.evaluation.statistics import LEVEL, bootstrap
from ripieno.music.harmony import ends_on_tonic_triad, identify_key
from ripieno.music.part_writing import PER, Report, judge
from ripieno.music.piece import Key
from ripieno.music.roll import roll_of_voices
from ripieno.shapes import Float, Int

N_DRAWS = 2000  # of the bootstrap


def jobs(material: Material) -> list[Job]:
    """Every soprano, by every method."""
    return generation_jobs("chorales", material, material.inputs)


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """The style report of each method and of Bach, and what is claimed of ES-Net beside the others."""
    inputs = {of.name: of for of in material.inputs}
    sung = {of.name: of.voices for of in material.inputs if of.voices is not None}  # by Bach's choir
    names = list(dict.fromkeys(job.name for job in jobs))
    pieces = generated_by(jobs, results)
    keys = {name: _key_of(sung[name]) for name in names}
    reports: dict[str, dict[str, Report]] = {
        "bach": {name: judge(as_heard(sung[name]), key=keys[name]) for name in names}
    }
    singly: dict[str, dict[str, list[Report]]] = {}
    profiles = {"bach": {name: _profile(roll_of_voices(sung[name]), keys[name].tonic) for name in names}}
    ends: dict[str, list[bool]] = {}
    for method, some in pieces.items():
        singly[method] = {name: [] for name in names}
        profiles[method] = {name: np.zeros(12) for name in names}
        ends[method] = []
        for name, one in some:
            singly[method][name].append(judge(one.voices, key=keys[name]))
            profiles[method][name] += _profile(one.cells, keys[name].tonic)
            last = sung[name][-1]
            tonic = int(last[last >= 0].min()) % 12
            ends[method].append(bool(ends_on_tonic_triad(one.cells, tonic)))
        reports[method] = {name: sum(own, Report()) for name, own in singly[method].items()}
    told: Figures = {
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
    weights = _profile(roll_of_voices(voices), 0)
    last = voices[-1]
    return identify_key(weights, int(last[last >= 0].min()) % 12)


def _figure(reports: list[Report], name: str) -> list[float]:
    """Pooled figure, its bootstrap interval over pieces, occurrences, opportunities."""
    whole = sum(reports, Report())
    n, of = (np.array([getattr(report[name], kind) for report in reports]) for kind in ("n", "of"))

    def rate(drawn: Int[np.ndarray, " drawn"]) -> float:
        total = of[drawn].sum()
        return float(n[drawn].sum() / total) if total else float("nan")

    low, high = bootstrap(rate, len(reports), stream=2, n_draws=N_DRAWS)
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


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    methods = [m for m in ("bach", "es-net", "unmended", "additions-only", "nade", "gibbs") if m in found["methods"]]
    head = ["", *(TITLES[method] for method in methods)]
    figures = found["figures"]
    rows = [[name, *(with_interval(figures[name][m], 2) for m in methods)] for name in figures]
    ends = found["ends on the tonic"]
    rows.append(["ends on the tonic", *(decimal(ends.get(m), 2) for m in methods)])
    rows.append(["pitch classes, distance from Bach's", *(with_interval(found["classes"][m], 4) for m in methods)])
    said = f"{found['n_pieces']} sopranos.\n\n{table(head, rows)}"
    known, unknown = found["known tunes"], found["unknown tunes"]
    if found["n_known"] and found["n_known"] < found["n_pieces"]:
        rows = [
            [name, *(f"{decimal(known[name][m], 2)} / {decimal(unknown[name][m], 2)}" for m in methods)]
            for name in SHOWN
        ]
        said += f"\n\n{found['n_known']} tunes that occur in the training split / the others:\n\n{table(head, rows)}"
    if "parallels" in found:
        said += (
            f"\n\nParallel fifths and octaves, Gibbs for each one of ES-Net's: "
            f"**{with_interval(found['parallels']['ratio'], 1)}**; claimed: {found['parallels']['factor']}."
        )
    for method, tests in found["no worse"].items():
        held = [test["name"] for test in tests if test["holds"]]
        rest = [test for test in tests if not test["holds"]]
        worse = [test for test in rest if test["worse"] - (test["upper"] - test["worse"]) > 0]
        said += (
            f"\n\nNo worse than {TITLES[method]}, by less than {MARGIN} of Bach's standard deviation "
            f"(Holm, {LEVEL:.0%}): shown for {len(held)} of {len(tests)} rules and measures. "
        )
        said += "Not shown: " + (
            "; ".join(f"{test['name']} ({test['worse']:+.2f}, at most {test['upper']:+.2f})" for test in rest) or "none"
        )
        said += f". Worse at 95 % one-sided: {', '.join(test['name'] for test in worse) or 'none'}."
    return said


CHORALES = Experiment("chorales", "Bach's sopranos, harmonised", jobs, generate, summary, written)
