"""From a training run to one file that runs without torch: weights, graph and model card as ONNX."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from ripieno.errors import BadInput
from ripieno.models.runtime import CARD_KEY, FORMAT
from ripieno.models.unet import UNet, UNetConfig

PARITY = 0.05  # logits may differ by this; float16 weights make for a tenth of it


class _Exported(nn.Module):
    """The graph that is exported: logits and the expected number of edits still to come."""

    def __init__(self, network: UNet, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, cells: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        logits, change = self.network(cells, context)
        logits = logits / self.temperature
        if change is None:
            return logits, logits.new_full((1,), float("nan")).expand(logits.shape[0])
        return logits, torch.sigmoid(change).flatten(1).sum(1)


def load_network(path: Path) -> tuple[UNet, dict[str, Any]]:
    """A checkpoint's network in evaluation mode, and the configuration of its run.

    Raises:
        BadInput: missing, damaged, or not a checkpoint of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            meta = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except Exception as error:
        raise BadInput(f"checkpoint {path} is missing or damaged: {error}") from error
    if "config" not in meta:
        raise BadInput(f"checkpoint {path} was not written by `ripieno train`")
    run = json.loads(meta["config"])
    shape = dict(run["network"])
    shape["n_filters"] = tuple(shape["n_filters"])
    network = UNet(UNetConfig(**shape))
    network.load_state_dict(weights)
    run["samples"] = int(meta["samples"])
    return network.eval(), run


def export_onnx(network: UNet, path: Path, card: dict[str, Any], half: bool = True, temperature: float = 1.0) -> float:
    """Write a network as ONNX and check it against torch.

    Args:
        network: in evaluation mode.
        path: receives the file; written under another name first.
        card: what is worth knowing of the model; stored in the file.
        half: store the weights as float16. They are cast to float32 on loading, so that the sums are float32's.

        temperature: the logits are divided by it. A model that learned on much damage is less sure than it may be of
            what people hand in; what it should be is chosen on a validation split.

    Returns:
        The largest difference between torch's logits and ONNX Runtime's on random rolls, float16 rounding included.
    """
    import onnx

    c = network.config
    network = network.eval()
    cells = (torch.rand(2, c.n_planes, 4 * c.step_multiple, c.n_pitches) < 0.06).float()
    context = _example_context(2, cells.shape[2])
    temporary = path.with_name(path.name + ".part")
    batch, n_windows = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("n_windows", min=1, max=65536)
    dynamic = {0: batch, 2: c.step_multiple * n_windows}
    with warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own insides
        program = torch.onnx.export(
            _Exported(network, temperature).eval(),
            (cells, context),
            input_names=["cells", "context"],
            output_names=["logits", "n_left"],
            dynamic_shapes={"cells": dynamic, "context": dynamic},
            opset_version=18,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is None for the older exporter only
    program.save(str(temporary))
    model = onnx.load(str(temporary))
    for node in model.graph.node:  # where in whose files the exporter found it
        del node.metadata_props[:]
    if half:
        _halve(model)
    full_card = {
        "format": FORMAT,
        "lowest_pitch": c.lowest_pitch,
        "n_pitches": c.n_pitches,
        "step_multiple": c.step_multiple,
        "n_planes": c.n_planes,
        **card,
    }
    onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(full_card)})
    onnx.checker.check_model(model)
    onnx.save(model, str(temporary))
    try:
        worst = _parity(network, temporary, temperature)
        if worst > PARITY:
            raise RuntimeError(f"the exported model is {worst:.3f} off PyTorch's; nothing was written to {path}")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return worst


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep a logger's remarks back that are no user's business."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _example_context(batch: int, n_steps: int) -> Tensor:
    from ripieno.models.context import context_of

    return torch.from_numpy(np.stack([context_of(n_steps)] * batch))


def _halve(model: Any) -> None:
    """Store large float32 constants as float16, each followed by a cast that ONNX Runtime folds away on loading."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for i, constant in enumerate(graph.initializer):
        if constant.data_type != TensorProto.FLOAT or np.prod(constant.dims) < 256:
            continue
        name = constant.name
        halved = numpy_helper.from_array(numpy_helper.to_array(constant).astype(np.float16), name + "_half")
        graph.initializer[i].CopyFrom(halved)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _parity(network: UNet, path: Path, temperature: float) -> float:
    from ripieno.models.runtime import load_model

    c = network.config
    model = load_model(path)
    worst = 0.0
    rng = np.random.default_rng(0)
    for batch, n_windows in ((1, 1), (3, 2)):
        n_steps = c.step_multiple * 4 * n_windows
        roll = np.zeros((batch, c.n_planes, n_steps, 128), dtype=bool)
        window = slice(c.lowest_pitch, c.lowest_pitch + c.n_pitches)
        roll[..., window] = rng.random((batch, c.n_planes, n_steps, c.n_pitches)) < 0.06
        context = _example_context(batch, n_steps)
        with torch.no_grad():
            expected, _ = network(torch.from_numpy(roll[..., window]).float(), context)
        ours = model(roll, context.numpy()).logits[..., window]
        worst = max(worst, float(np.abs(ours - expected.numpy() / temperature).max()))
    return worst
