"""What is each choice of the configuration `chorale` worth? Short runs of a narrow network, one thing changed in each.

    python -m benchmarks.ablations corpus.npz                     # all of them
    python -m benchmarks.ablations corpus.npz base "no context"   # some

The corpus is what `ripieno data` wrote. Each run sees the same number of samples; its averaged weights are then scored
on windows of the validation split, damaged in five ways, the same for all runs:

paper    cells cleared and added, as the paper has it
notes    whole notes cleared and put off
line     cells cleared and added, the top or bottom line left whole
broken   the same, and the line broken up into leaps first
ends     the paper's damage on windows that reach past an end of the piece

All figures are nats (KL, lower is better), the mean over seeds and half the distance between the seeds; the last
column is the median error of `n_left` on `paper`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator, Philox

from ripieno.models.checkpoint import load_network
from ripieno.models.unet import UNetConfig
from ripieno.training.config import DamageConfig, TrainConfig, configuration
from ripieno.training.loss import edit_kl, n_left_of
from ripieno.training.samples import Batch, Prepared, load_prepared, piece_of, training_batch
from ripieno.training.trainer import Trainer

FILTERS = (8, 16, 32, 64, 128, 256)  # half as wide as the network that ships
N_WINDOWS = 304  # in each set


def base(n_samples: int) -> TrainConfig:
    config = configuration("chorale")
    assert isinstance(config.network, UNetConfig)
    network = replace(config.network, n_filters=FILTERS)
    return replace(config, network=network, n_samples=n_samples, validate_every=n_samples)


def with_network(**changes: object) -> Callable[[TrainConfig], TrainConfig]:
    return lambda c: replace(c, network=replace(c.network, **changes))  # type: ignore[arg-type]


def with_damage(**changes: float) -> Callable[[TrainConfig], TrainConfig]:
    return lambda c: replace(c, damage=replace(c.damage, **changes))


def changed(**changes: object) -> Callable[[TrainConfig], TrainConfig]:
    return lambda c: replace(c, **changes)  # type: ignore[arg-type]


CHANGES: dict[str, Callable[[TrainConfig], TrainConfig]] = {
    "base": lambda c: c,
    "no context": with_network(n_features=0),
    "first convolution 3 x 3": with_network(stem_pitches=3),
    "norm before convolution": with_network(norm_first=True),
    "no dropout": with_network(dropout=0.0),
    "dropout 0.5 in every level": with_network(dropout=0.5, dropout_from=0),
    "no transposition": changed(transpose_down=0, transpose_up=0),
    "no overhang": changed(overhang=0),
    "samples begin at whole bars": changed(start_multiple=16),
    "no note-shaped damage": with_damage(note_share=0.0),
    "no line left whole": with_damage(line_share=0.0),
    "no line broken up": with_damage(broken_share=0.0),
    "no more light damage": with_damage(light_share=0.0),
    "no more clean samples": with_damage(clean_share=0.0),
    "the paper's damage": lambda c: replace(c, damage=DamageConfig()),
    "n_left weight 0": changed(n_left_weight=0.0),
    "n_left weight times 10": changed(n_left_weight=0.025),
    "no averaging": changed(average=0.0),
    "constant learning rate 1e-3": changed(schedule="constant", learning_rate=1e-3),
}


def sets(valid: Prepared, config: TrainConfig) -> dict[str, Batch]:
    """The five validation sets, in the pitch window of the network."""
    plain = DamageConfig()
    same = replace(configuration("chorale"), network=config.network, transpose_down=0, transpose_up=0, overhang=0)
    damages = {
        "paper": (plain, 0),
        "notes": (replace(plain, note_share=1.0), 0),
        "line": (replace(plain, line_share=1.0), 0),
        "broken": (replace(plain, line_share=1.0, broken_share=1.0), 0),
        "ends": (plain, 96),
    }
    found = {}
    for number, (name, (damage, overhang)) in enumerate(damages.items()):
        drawn = replace(same, damage=damage, overhang=overhang, batch_size=N_WINDOWS, seed=2020)
        if overhang:  # short pieces, so that every window reaches out of one
            rng = Generator(Philox(key=[2020, 1]))
            cut = [(piece, 16 * int(rng.integers(3, 7))) for piece in valid.pieces]
            short = [piece_of(piece.name, piece.cells[:, :length], piece.beat_phase) for piece, length in cut]
            found[name] = training_batch(Prepared(short), drawn, number)
        else:
            found[name] = training_batch(valid, drawn, number)
    return found


def score(network: torch.nn.Module, batch: Batch) -> tuple[float, float]:
    kls, errors = [], []
    for first in range(0, len(batch.source), 32):
        part = slice(first, first + 32)
        source, target = torch.from_numpy(batch.source[part]), torch.from_numpy(batch.target[part])
        with torch.no_grad():
            logits, change = network(source.float(), torch.from_numpy(batch.context[part]))
        kls.append(edit_kl(logits, source ^ target))
        if change is not None:
            true = (source ^ target).flatten(1).sum(1).clamp(min=1)
            errors.append((n_left_of(change) / true - 1).abs())
    error = float(torch.cat(errors).median()) if errors else float("nan")
    return float(torch.cat(kls).mean()), error


def one_run(job: tuple[Path, str, int, int]) -> tuple[str, int, list[float]]:
    corpus, name, seed, n_samples = job
    torch.set_num_threads(1)
    config = replace(CHANGES[name](base(n_samples)), seed=seed)
    train, valid = load_prepared(corpus, "train"), load_prepared(corpus, "valid")
    with tempfile.TemporaryDirectory() as folder:
        for _ in Trainer(config, train, valid, Path(folder)).run():
            pass
        network, _ = load_network(Path(folder) / "last.safetensors")
    scores = [score(network, batch) for batch in sets(valid, config).values()]
    return name, seed, [kl for kl, _ in scores] + [scores[0][1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("names", nargs="*", help="which changes; all unless given")
    parser.add_argument("--samples", type=int, default=12_800, help="of each run")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one core each")
    a = parser.parse_intermixed_args()
    if unknown := set(a.names) - set(CHANGES):
        parser.error(f"no change called {', '.join(sorted(unknown))}; there are: {', '.join(CHANGES)}")
    names = a.names or list(CHANGES)
    print(f"{a.samples} samples, {a.seeds} seeds, filters {FILTERS[0]} to {FILTERS[-1]}")
    print(
        "| what is changed | paper | notes | line | broken | ends | n_left |\n|---|---|---|---|---|---|---|", flush=True
    )
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as pool:
        jobs = [(a.corpus, name, seed, a.samples) for name in names for seed in range(a.seeds)]
        rows: dict[str, list[list[float]]] = {}
        for name, _, row in pool.map(one_run, jobs):
            rows.setdefault(name, []).append(row)
            if len(rows[name]) == a.seeds:
                table = np.array(rows[name])
                mean, spread = table.mean(axis=0), (table.max(axis=0) - table.min(axis=0)) / 2
                cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean[:-1], spread[:-1], strict=True)]
                print(f"| {name} | {' | '.join(cells)} | {mean[-1]:.1%} |", flush=True)


if __name__ == "__main__":
    main()
