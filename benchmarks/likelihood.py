"""The notewise likelihood of Table 1, and the validation KL, of the model that ships.

    python -m benchmarks.likelihood --data FOLDER                 # choose: JSB valid
    python -m benchmarks.likelihood --data FOLDER --split test    # once per release
    python -m benchmarks.likelihood --data FOLDER --level 1       # and levels 0 and 1 together: 5 times the passes
    python -m benchmarks.likelihood --data FOLDER --given         # the source may not change, as with the user's notes
    python -m benchmarks.likelihood --data FOLDER --kl            # validation KL on the fixed damaged set

FOLDER holds jsb/Jsb16thSeparated.json (GitHub, czhuang/JSB-Chorales-dataset).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales
from ripieno.evaluation.likelihood import notewise_levels_all, windows_of
from ripieno.evaluation.statistics import mean_interval
from ripieno.models.runtime import Model, load_model


def notewise(
    model: Model,
    data: Path,
    split: str,
    n_missing: int,
    n_orders: int,
    n_picks: int,
    every: int,
    level: int = 0,
    pool: int = 8,
    given: bool = False,
) -> None:
    windows = [w for item in chorales(data, split) for w in windows_of(item.name, item.cells)][::every]
    values = []
    scored = notewise_levels_all(model, windows, n_missing, n_orders, n_picks, levels=level, pool=pool, given=given)
    for number, value in enumerate(scored):
        values.append(value)
        if number % 10 == 9:
            so_far = np.concatenate([v for _, v in values]).mean(axis=0)
            print(f"  {number + 1} of {len(windows)} windows: mean {', '.join(f'{m:.3f}' for m in so_far)}", flush=True)
    settings = f"{len(windows)} windows of 128 steps, {n_picks} picks each, K = {n_missing}, S = {n_orders}"
    settings += ", source given" if given else ""
    for d in range(level + 1):
        scores = np.concatenate([v[:, d] for _, v in values])
        mean, low, high = mean_interval(scores, [piece for piece, v in values for _ in v], stream=1, n_draws=2000)
        which = "" if level == 0 else ", level 0" if d == 0 else f", levels 0 and 1, pool {pool}"
        print(
            f"JSB {split}, {settings}{which}: "
            f"mean {mean:.3f} (95 % by chorale {low:.3f} to {high:.3f}), median {np.median(scores):.3f}"
        )


def validation_kl(model: Model, data: Path) -> None:
    # the trainer's own set; it needs torch only because the configuration lives beside the network
    from ripieno.training.config import configuration
    from ripieno.training.samples import Prepared, piece_of, validation_set

    items = chorales(data, "valid")
    corpus = Prepared([piece_of(i.name, i.cells, i.beat_phase) for i in items])
    config = configuration("chorale")
    network = replace(config.network, lowest_pitch=model.lowest_pitch, n_pitches=model.n_pitches)
    batch = validation_set(corpus, replace(config, network=network))
    window = slice(model.lowest_pitch, model.lowest_pitch + model.n_pitches)
    kls, errors = [], []
    for source, target, context in zip(batch.source, batch.target, batch.context, strict=True):
        roll = np.zeros((1, source.shape[0], source.shape[1], 128), dtype=bool)
        roll[0, ..., window] = source
        prediction = model(roll, context[None])
        logits = prediction.logits[0][..., window].astype(float)
        log_p = logits - logits.max()
        log_p -= np.log(np.exp(log_p).sum())
        wrong = source ^ target
        # as the trainer counts: where nothing is wrong there is nothing to lose
        kls.append(-log_p[wrong].mean() - np.log(wrong.sum()) if wrong.any() else 0.0)
        errors.append(abs(prediction.n_left[0] / max(wrong.sum(), 1) - 1))
    error = 1.96 * np.std(kls) / np.sqrt(len(kls))
    print(
        f"JSB valid, {len(kls)} windows with the paper's damage: KL {np.mean(kls):.4f} nats (95 % +- {error:.3f}); "
        f"median error of n_left {np.median(errors):.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", default="valid", choices=["train", "valid", "test"])
    parser.add_argument("--missing", type=int, default=10, help="cells to clear, K")
    parser.add_argument("--orders", type=int, default=10, help="random orders, S")
    parser.add_argument("--picks", type=int, default=20, help="how often to choose the cells anew")
    parser.add_argument("--level", type=int, default=0, choices=[0, 1], help="highest level, D")
    parser.add_argument("--pool", type=int, default=8, help="cells that level 1 may visit twice")
    parser.add_argument("--given", action="store_true", help="leave the source's cells out of the softmax")
    parser.add_argument("--every", type=int, default=1, help="one window in so many")
    parser.add_argument("--kl", action="store_true", help="print the validation KL instead")
    a = parser.parse_args()
    model = load_model(a.model)
    print(f"model {model.name}, {model.digest}")
    if a.kl:
        validation_kl(model, a.data)
    else:
        notewise(model, a.data, a.split, a.missing, a.orders, a.picks, a.every, a.level, a.pool, a.given)


if __name__ == "__main__":
    main()
