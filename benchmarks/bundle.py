"""Make the model that ships from a run's best checkpoint, on integers, with its card.

    python -m benchmarks.bundle runs/chorale --data FOLDER
    python -m benchmarks.bundle chorale.onnx --data FOLDER     # from a model file in floating point, this one's or
                                                               # that of the network that tells voices apart
    python -m benchmarks.bundle runs/chorale --data FOLDER --blend before.onnx --share 0.25 --corpus jsb.npz
                                                               # a quarter of the weights of what the run began with

    python -m benchmarks.bundle runs/own --data FOLDER --corpus hearing.npz    # a network that hears

FOLDER holds jsb/Jsb16thSeparated.json, whose training split says how large the network's numbers become.
The card is src/ripieno/models/bundled/card.json, which the program reads in place of the one in the file. Its scores
are what benchmarks/likelihood.py and finished.py printed, written in by hand. Replace the model seldom: every version
stays in the history for ever.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales
from ripieno.models.checkpoint import Network, export_onnx, load_network, network_of_onnx
from ripieno.models.context import N_FEATURES, context_of
from ripieno.models.quantization import Inputs, quantize
from ripieno.models.runtime import open_session
from ripieno.models.unet import UNet
from ripieno.music.roll import roll_of_voices
from ripieno.training.config import TrainConfig, configuration, from_json
from ripieno.training.run import starting_network
from ripieno.training.samples import load_prepared, training_batch

BUNDLED = Path(__file__).parent.parent / "src" / "ripieno" / "models" / "bundled"
N_EXAMPLES, N_STEPS = 120, 128
MOST_NOISE = 0.015  # of all cells, the paper's most


def beginnings(data: Path) -> list[np.ndarray]:
    """Beginnings of JSB train's chorales, (step, voice) each."""
    voices = [item.voices[:N_STEPS] for item in chorales(data, "train") if item.voices is not None]
    return [sung for sung in voices if len(sung) == N_STEPS][:N_EXAMPLES]


def roll_inputs(voices: list[np.ndarray], lowest: int, n_pitches: int, damaged: bool) -> list[Inputs]:
    """What a model that sees pitches from `lowest` on will meet; if damaged, as the paper damages."""
    rng = np.random.default_rng(0)
    window = slice(lowest, lowest + n_pitches)
    found = []
    for sung in voices:
        masked, noise = rng.random() * damaged, rng.random() * MOST_NOISE * damaged
        heard = np.stack([rng.random(N_STEPS) >= masked for _ in range(4)], axis=1)
        cells = roll_of_voices(np.where(heard, sung, -1))
        cells[0, :, window] |= rng.random((N_STEPS, n_pitches)) < noise
        found.append({"cells": cells[None, :1, :, window].astype(np.float32)})
    return found


def heard_inputs(corpus: Path, config: TrainConfig) -> list[Inputs]:
    """What a network that hears was trained on: damaged music and its context."""
    pieces = load_prepared(corpus, "train")
    batches = (training_batch(pieces, config, number) for number in range(-(-N_EXAMPLES // config.batch_size)))
    return [
        {"cells": source[None].astype(np.float32), "context": context[None]}
        for batch in batches
        for source, context in zip(batch.source, batch.context, strict=True)
    ][:N_EXAMPLES]


def blend(network: Network, before: Network, share: float) -> None:
    """Mix the weights that a network was trained on from back into it."""
    theirs = before.state_dict()
    for name, own in network.state_dict().items():
        if own.dtype.is_floating_point:
            own.lerp_(theirs[name], share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder that `ripieno train` wrote, or a model file")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, help="unless given, the file of that kind that ships")
    parser.add_argument("--blend", type=Path, help="what the run began with: its weights are mixed in")
    parser.add_argument("--share", type=float, default=0.5, help="of the weights that are from there")
    parser.add_argument("--corpus", type=Path, help="what the run was trained on, if it hears or is blended")
    a = parser.parse_args()
    examples: list[Inputs] = []
    if a.blend and (a.corpus is None or not a.source.is_dir()):
        parser.error("--blend takes a run's folder, and the corpus that it was trained on (--corpus)")
    with tempfile.TemporaryDirectory() as folder:
        source = a.source
        if source.is_dir():
            network, run = load_network(source / "best.safetensors")
            config = from_json(json.loads((source / "config.json").read_text()))
            if isinstance(network, UNet) and network.hears:
                if a.corpus is None:
                    parser.error("a network that hears takes the corpus that it was trained on (--corpus)")
                examples = heard_inputs(a.corpus, config)
            if a.blend:
                before = starting_network(a.blend, load_prepared(a.corpus, "train"), config)
                assert isinstance(network, UNet)
                assert isinstance(before, UNet)
                blend(network, before, a.share)
            source = Path(folder) / "whole.onnx"
            card = json.loads((BUNDLED / "card.json").read_text())
            worst = export_onnx(network, source, card, temperature=configuration("chorale").temperature)
            print(f"{run['samples']} samples; logits within {worst:.4f} of torch's")
        else:
            _, card = open_session(source)
            if not card.get("separates"):  # written anew, with all that is written today
                shape = configuration("chorale").network
                network = network_of_onnx(source, shape)
                source = Path(folder) / "whole.onnx"
                card = json.loads((BUNDLED / "card.json").read_text())
                export_onnx(network, source, card, temperature=configuration("chorale").temperature)
        _, card = open_session(source)
        separates = bool(card.get("separates"))
        if not examples:
            examples = roll_inputs(beginnings(a.data), card["lowest_pitch"], card["n_pitches"], damaged=not separates)
        if not separates and "context" not in examples[0]:
            context = context_of(N_STEPS)[None, : card.get("n_features", N_FEATURES)]
            examples = [one | {"context": context} for one in examples]
        output = a.output or BUNDLED / ("separator.onnx" if separates else "chorale.onnx")
        apart = quantize(source, output, examples)
    size = output.stat().st_size / 1e6
    print(f"{output.name}: {size:.1f} MB; total variation from floating point {apart:.4f}")


if __name__ == "__main__":
    main()
