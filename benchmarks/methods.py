"""Is it the method, or this model? ES-Net and orderless NADE trained anew, several seeds each, at equal compute.

    python -m benchmarks.methods corpus.npz --data FOLDER -o runs/methods

A network half as wide as the one that ships is trained from scratch for each method and seed, on as many samples. Then
the notewise likelihood (table 1) and Bach's sopranos harmonised, on some of JSB valid: ES-Net, ES-Net with removals
forbidden, NADE. What is printed is each seed's figure, and the mean difference with a 95 % interval (Student's t over
seeds, so with three of them a wide one). Interrupted, it goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ripieno.evaluation import report
from ripieno.evaluation.jobs import EvaluationSettings
from ripieno.evaluation.run import evaluate
from ripieno.evaluation.statistics import student
from ripieno.models.unet import UNetConfig
from ripieno.training.config import configuration
from ripieno.training.run import train

METHODS = ("es-net", "additions-only", "nade")
SHOWN = (
    "parallel fifths",
    "parallel octaves",
    "hidden, soprano leaps",
    "unresolved leading note",
    "missing third",
    "dissonant pairs",
    "triads on beats",
    "four or more pitches",
    "onsets",
    "lone sixteenth",
)


def trained(corpus: Path, folder: Path, config: str, seed: int, n_samples: int, width: int) -> Path:
    shape = configuration(config).network
    assert isinstance(shape, UNetConfig)
    network = replace(shape, n_filters=tuple(width << level for level in range(6)))
    changes = {"network": network, "n_samples": n_samples, "seed": seed}
    for progress in train(corpus, folder, config, changes):
        if progress.valid_kl_average is not None:
            print(f"  {folder.name}: {progress.samples} samples, KL {progress.valid_kl_average:.3f}", flush=True)
    return folder / "model.onnx"


def row(name: str, values: Mapping[str, list[float]], digits: int = 2) -> str:
    """Every seed's figure by method, and what NADE and additions-only differ by from ES-Net."""
    cells = [", ".join(f"{value:.{digits}f}" for value in values.get(method, [])) or "-" for method in METHODS]
    for method in METHODS[1:]:
        apart = [other - one for one, other in zip(values["es-net"], values.get(method, []), strict=False)]
        if len(apart) < 2:
            cells.append("-")
            continue
        error = student(len(apart) - 1) * stdev(apart) / len(apart) ** 0.5
        cells.append(f"{mean(apart):+.{digits}f} +- {error:.{digits}f}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="what `ripieno data` wrote")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=48_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--width", type=int, default=8, help="filters of the first level")
    parser.add_argument("--every", type=int, default=4, help="one chorale in so many")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    found: list[dict[str, Any]] = []
    for seed in range(a.seeds):
        models = {
            config: trained(a.corpus, a.output / f"{config}-{seed}", config, seed, a.samples, a.width)
            for config in ("chorale", "nade")
        }
        settings = EvaluationSettings(
            data=a.data,
            output=a.output / f"judged-{seed}",
            parts=("likelihood", "chorales"),
            model=models["chorale"],
            nade=models["nade"],
            split="valid",
            every=a.every,
            methods=METHODS,
            jobs=a.jobs,
        )
        for _ in evaluate(settings):
            pass
        found.append(report.read_results(settings.output))
    print(f"\n| | {' | '.join(METHODS)} | additions only, difference | nade, difference |")
    print(f"|---|{'---|' * (len(METHODS) + 2)}")
    likelihoods = {
        method: [one["likelihood"]["rows"][method][0]["interval"][0] for one in found] for method in ("es-net", "nade")
    }
    print(row("notewise likelihood, K = 10, level 0", likelihoods, 3))
    for name in SHOWN:
        values = {method: [one["chorales"]["figures"][name][method][0] for one in found] for method in METHODS}
        bach = found[0]["chorales"]["figures"][name]["bach"][0]
        print(row(f"{name} (Bach {bach:.2f})", values))


if __name__ == "__main__":
    main()
