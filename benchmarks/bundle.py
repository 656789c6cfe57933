"""Export a run's best checkpoint as the model that ships, with its card.

    python -m benchmarks.bundle runs/chorale

The card is src/ripieno/models/bundled/card.json, which the program reads in place of the one in the file. Its scores
are what benchmarks/likelihood.py and finished.py printed, written in by hand. Replace the model seldom: every version
stays in the history for ever.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ripieno.models.checkpoint import export_onnx, load_network
from ripieno.training.config import configuration

BUNDLED = Path(__file__).parent.parent / "src" / "ripieno" / "models" / "bundled"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder that `ripieno train` wrote")
    parser.add_argument("-o", "--output", type=Path, default=BUNDLED / "chorale.onnx")
    a = parser.parse_args()
    temperature = configuration("chorale").temperature
    network, run = load_network(a.run / "best.safetensors")
    card = json.loads((BUNDLED / "card.json").read_text())
    worst = export_onnx(network, a.output, card, temperature=temperature)
    size = a.output.stat().st_size / 1e6
    print(f"{a.output.name}: {size:.1f} MB, {run['samples']} samples; logits within {worst:.4f} of torch's")


if __name__ == "__main__":
    main()
