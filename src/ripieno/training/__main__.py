"""Train from a source tree, without the command line's libraries: `python -m ripieno.training corpus.npz folder`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.training.run import train


def main() -> None:
    """Parse, train, print a line at every validation."""
    parser = argparse.ArgumentParser(prog="python -m ripieno.training", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", default="chorale")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--n-samples", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--transpose", type=int, help="semitones up or down, at most")
    parser.add_argument("--start-from", type=Path)
    a = parser.parse_args()
    names = ("n_samples", "batch_size", "learning_rate", "seed")
    changes = {name: getattr(a, name) for name in names if getattr(a, name) is not None}
    if a.transpose is not None:
        changes |= {"transpose_down": a.transpose, "transpose_up": a.transpose}
    try:
        for report in train(a.corpus, a.folder, a.config, changes, a.device, a.start_from):
            if report.valid_kl_average is not None:
                print(f"{report.samples} samples: KL on validation {report.valid_kl_average:.4f}", flush=True)
    except BadInput as error:
        sys.exit(f"ripieno: {error}")


if __name__ == "__main__":
    main()
