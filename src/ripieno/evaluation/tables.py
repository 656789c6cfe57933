"""Tables 2 and 3, and figure 3: melodies that people drew, harmonised by each method.  (Paper 6.3)

`metrics.py` says what the statistics are, and where the paper's are at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import TITLES, decimal, table
from ripieno.evaluation.methods import generate, generated_by, generation_jobs
from ripieno.evaluation.metrics import (
    Pooled,
    bhattacharyya,
    kolmogorov_smirnov,
    pitch_statistics,
    pool,
    pooled,
    statistic_interval,
)

# Table 2 and 3 as the paper prints them: PC, P, ISR, PR, Bhattacharyya, Kolmogorov-Smirnov D and p.
PAPER = {
    "training data": (6, 46, 0.541, 0.917, None, None, None),
    "es-net": (6, 46, 0.540, 0.930, 0.028, 0.17, 0.49),
    "gibbs": (6, 46, 0.535, 0.898, 0.021, 0.13, 0.83),
    "nade": (8, 55, 0.559, 0.759, 0.049, 0.17, 0.49),
}


def jobs(material: Material) -> list[Job]:
    """Every melody, by every method."""
    return generation_jobs("tables", material, material.doodles)


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """A row for each method and for the training data."""
    train = [item for item in material.items if item.split == "train"]
    pools: dict[str, list[Pooled]] = {"training data": [pooled(item.cells) for item in train]}
    for method, some in generated_by(jobs, results).items():
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
                name: statistic_interval(pools[method], name, as_published=False)
                for name in ("in_scale_rate", "polyphonic_rate")
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


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    rows = []
    for method, row in found["rows"].items():
        for way in ("published", "corrected"):
            own = row[way]
            isr, pr = f"{own['in_scale_rate']:.4f}", f"{own['polyphonic_rate']:.4f}"
            if way == "corrected":
                for name in ("in_scale_rate", "polyphonic_rate"):
                    low, high = row["intervals"][name]
                    if name == "in_scale_rate":
                        isr += f" ({low:.3f} to {high:.3f})"
                    else:
                        pr += f" ({low:.3f} to {high:.3f})"
            published = way == "published"
            d, p = row["ks_published"] if published else (row["ks_corrected"], None)
            rows.append(
                [
                    f"{TITLES.get(method, method)}, {'as published' if published else 'corrected'}",
                    str(own["n_bars"]),
                    str(own["pitch_classes"]),
                    str(own["pitches"]),
                    isr,
                    pr,
                    decimal(row["bhattacharyya"]) if method != "training data" else "-",
                    f"{d:.2f}" + (f" ({p:.2f})" if p is not None else "") if method != "training data" else "-",
                ]
            )
        if method in PAPER:
            pc, n, isr_, pr_, distance, d_, p_ = PAPER[method]
            ks = "-" if d_ is None else f"{d_:.2f} ({p_:.2f})"
            rows.append(
                [
                    f"*{TITLES[method]}, in the paper*",
                    "3405",
                    str(pc),
                    str(n),
                    str(isr_),
                    str(pr_),
                    decimal(distance),
                    ks,
                ]
            )
    head = ["", "bars", "PC", "P", "ISR", "PR", "Bhattacharyya", "Kolmogorov-Smirnov D (p)"]
    said = table(head, rows)
    halves = found["halves of the training data"]
    return f"{said}\n\nTwo random halves of the training data lie {halves:.4f} apart (Bhattacharyya)."


def plot(found: Figures, folder: Path) -> None:
    """Figure 3."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for method, row in found["rows"].items():
        axes.plot(range(30, 90), row["shares"][30:90], label=TITLES.get(method, method))
    axes.set(xlabel="pitch (MIDI number)", ylabel="share of sounding cells", title="Figure 3: pitches")
    axes.legend()
    figure.savefig(folder / "pitches.png", dpi=100)


TABLES = Experiment("tables", "Tables 2 and 3", jobs, generate, summary, written, plot, reads_melodies=True)
