"""From a prepared corpus to a model file: what `ripieno train` does."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from ripieno.errors import BadInput
from ripieno.models.checkpoint import (
    Network,
    export_onnx,
    grown,
    load_network,
    network_for,
    network_of_onnx,
    restore_norms,
)
from ripieno.models.context import N_FEATURES
from ripieno.models.runtime import model_digest
from ripieno.models.unet import UNet, UNetConfig
from ripieno.music.styles import STYLES
from ripieno.training.config import TrainConfig, configuration
from ripieno.training.samples import Prepared, load_prepared, training_batch
from ripieno.training.trainer import Trainer, TrainingProgress
from ripieno.whole import whole_file

MEASURED = 40  # batches from which norms get their statistics back


def train(
    corpus: Path,
    folder: Path,
    config: str = "chorale",
    changes: Mapping[str, Any] | None = None,
    device: str = "cpu",
    start_from: Path | None = None,
) -> Iterator[TrainingProgress]:
    """Train, and export the best checkpoint as `model.onnx` at the end.

    Args:
        corpus: what `ripieno data` wrote.
        folder: of the run; an interrupted one goes on.
        config: a configuration's name.
        changes: fields of `TrainConfig` to set otherwise.
        device: "cpu", "cuda", ...
        start_from: what to train further; see `starting_network`.

    Raises:
        BadInput: the corpus, the configuration, a change or the folder cannot be used.
    """
    try:
        chosen = configuration(config)
        known = {field.name for field in fields(chosen)}
        if unknown := sorted(set(changes or {}) - known):
            raise ValueError(f"no setting called {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
        chosen = replace(chosen, **(changes or {}))
        if device != "cpu" and not torch.cuda.is_available() and device.startswith("cuda"):
            raise ValueError("there is no CUDA device on this machine: leave --device out")
        _keep_corpus(corpus, folder)
        pieces = load_prepared(corpus, "train")
        first = None if start_from is None else starting_network(start_from, pieces, chosen)
        trainer = Trainer(chosen, pieces, load_prepared(corpus, "valid"), folder, device, first)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError) as error:
        raise BadInput(f"{corpus} is no prepared corpus, or damaged: make it with `ripieno data`") from error
    except (OSError, ValueError, RuntimeError) as error:  # torch: RuntimeError for a device that is not there
        raise BadInput(str(error).splitlines()[0]) from error
    yield from trainer.run()
    try:
        import onnx  # noqa: F401 (asks only whether it is there)
    except ImportError:  # a bare machine: whoever gets the checkpoint home gives the same command there
        return
    network, run = load_network(folder / f"{chosen.keep}.safetensors")
    card = {
        "name": folder.name,
        **({} if chosen.damage.noise_max or chosen.damage.note_share else {"takes_back": False}),
        "trained_on": corpus.name,
        "configuration": config,
        **({"styles": _styles_of(pieces)} if isinstance(network, UNet) and network.hears else {}),
        **({} if start_from is None else {"started_from": model_digest(start_from)}),
        "scores": {"validation_kl_nats": round(trainer.best, 4)},
        "training": {"samples": run["samples"], "seed": chosen.seed},
    }
    export_onnx(network, folder / "model.onnx", card, temperature=chosen.temperature)


def starting_network(path: Path, pieces: Prepared, config: TrainConfig) -> Network:
    """What a run trains further.

    Args:
        path: a checkpoint of another run (`best.safetensors`), any network's; or an `.onnx` file of an editor, which
            holds no norms: they get their statistics back from the first batches of this run.
        pieces: the training split.
        config: of this run, whose network it must be, but for dropout.

    Raises:
        BadInput: it cannot be read, or holds another network.
    """
    shape = config.network
    # a network that hears may begin as one that does not yet
    deaf = replace(shape, n_features=N_FEATURES, n_planes=1) if isinstance(shape, UNetConfig) else shape
    if path.suffix == ".safetensors":
        held, _ = load_network(path)
        begun = network_for(shape)
        try:
            if isinstance(held, UNet) and isinstance(shape, UNetConfig):
                return grown(held, shape)
            begun.load_state_dict(held.state_dict())
        except (RuntimeError, ValueError) as error:
            raise BadInput(f"checkpoint {path.name} holds another network than this configuration's") from error
        return begun
    network = network_of_onnx(path, deaf)
    batches = (training_batch(pieces, config, number) for number in range(MEASURED))
    restore_norms(
        network,
        (
            (torch.from_numpy(batch.source[:, :1]).float(), torch.from_numpy(batch.context[:, :N_FEATURES]))
            for batch in batches
        ),
    )
    return grown(network, shape) if isinstance(shape, UNetConfig) and shape != deaf else network


def _styles_of(pieces: Prepared) -> list[str]:
    """The styles that a network that hears has learned apart."""
    there = {piece.style for piece in pieces.pieces}
    return [style for style in STYLES if style in there] or list(STYLES[:1])


def _keep_corpus(corpus: Path, folder: Path) -> None:
    """A run goes on with the corpus that it began with."""
    digest = hashlib.sha256(corpus.read_bytes()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "corpus.sha256"
    if kept.exists() and kept.read_text().strip() != digest:
        raise ValueError(f"{folder} holds a run on another corpus than {corpus.name}; name another folder")
    with whole_file(kept) as file:
        file.write(f"{digest}\n".encode())
