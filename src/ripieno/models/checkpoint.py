"""From a training run to one file that runs without torch: weights, graph and model card as ONNX."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from ripieno.errors import BadInput
from ripieno.models.coconet import Coconet, CoconetConfig, planes_of
from ripieno.models.context import N_FEATURES, N_HEARD
from ripieno.models.limits import known_fields
from ripieno.models.quantization import constants_of
from ripieno.models.runtime import CARD_KEY, FORMAT
from ripieno.models.separator import Separator, SeparatorConfig
from ripieno.models.unet import UNet, UNetConfig
from ripieno.whole import whole_path

PARITY = 0.05  # logits may differ by this; float16 weights make for a tenth of it


class _Exported(nn.Module):
    """The graph that is exported: logits, and the chance that a cell will change at all; nan without `n_left`."""

    def __init__(self, network: UNet, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, cells: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        logits, change = self.network(cells, context)
        return logits / self.temperature, torch.full_like(logits, torch.nan) if change is None else change.sigmoid()


class _ExportedCoconet(nn.Module):
    """The graph that is exported: log probabilities of each voice's pitch."""

    def __init__(self, network: Coconet) -> None:
        super().__init__()
        self.network = network

    def forward(self, sung: Tensor, known: Tensor) -> Tensor:
        return torch.log_softmax(self.network(sung, known), -1)


class _ExportedSeparator(nn.Module):
    """The graph that is exported: log probabilities of each voice's pitch."""

    def __init__(self, network: Separator) -> None:
        super().__init__()
        self.network = network

    def forward(self, cells: Tensor) -> Tensor:
        return torch.log_softmax(self.network(cells), -1)


NetworkConfig = UNetConfig | CoconetConfig | SeparatorConfig
Network = UNet | Coconet | Separator


def network_config(data: Any) -> NetworkConfig:
    """A network's shape, as JSON has it.

    Raises:
        ValueError: a key is unknown, or a value out of its limits.
    """
    kind: type[NetworkConfig] = UNetConfig
    if isinstance(data, dict) and "n_voices" in data:
        kind = SeparatorConfig if "dropout" in data else CoconetConfig
    held = known_fields(kind, data, "the network")
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in held.items()}
    return kind(**fields)


def network_for(shape: NetworkConfig) -> Network:
    """A fresh network of a shape."""
    if isinstance(shape, CoconetConfig):
        return Coconet(shape)
    return Separator(shape) if isinstance(shape, SeparatorConfig) else UNet(shape)


def load_network(path: Path) -> tuple[Network, dict[str, Any]]:
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
    try:
        run = json.loads(meta["config"])
        network = network_for(network_config(run.get("network")))
        network.load_state_dict(weights)
        run["samples"] = int(meta["samples"])
    except (ValueError, KeyError, TypeError, RuntimeError) as error:  # torch: RuntimeError for other weights
        raise BadInput(f"checkpoint {path} cannot be used: {str(error).splitlines()[0]}") from error
    return network.eval(), run


def network_of_onnx(path: Path, shape: NetworkConfig) -> UNet:
    """The network of a model file, to train further.

    An exported file holds no batch norms: they are merged into the convolutions before them. Here they stand with the
    identity's statistics; `restore_norms` gives them their own.

    Args:
        path: an `.onnx` file that `ripieno train` wrote.
        shape: what the network should be.

    Raises:
        BadInput: the file cannot be read, or holds another network.
    """
    import onnx

    if not isinstance(shape, UNetConfig) or shape.norm_first:
        raise BadInput("only U-Nets with their norms behind the convolutions (chorale, nade) can start from a model")
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf raises its own kinds
        raise BadInput(f"model {path} cannot be read: {error}") from error
    held = {name: torch.from_numpy(value) for name, value in constants_of(graph).items()}
    network = UNet(shape)
    state = network.state_dict()
    for key, value in state.items():
        layer, _, kind = key.rpartition(".")
        if ".norm" in layer and kind == "running_var":
            value.fill_(1 - _EPSILON)
            continue
        if ".norm" in layer and kind == "bias":
            name = layer.replace(".norm", ".conv") + ".weight_bias"
        elif ".conv" in layer or layer == "head":
            name = key
        else:
            continue
        if name not in held or held[name].shape != value.shape:
            raise BadInput(f"model {path.name} holds another network than this configuration's; its {key} is missing")
        value.copy_(held[name])
    network.load_state_dict(state)
    return network.eval()


@torch.no_grad()
def grown(network: UNet, shape: UNetConfig) -> UNet:
    """A network that hears all of `models.context`, with a second plane if asked for, begun as one that does not.

    It says of the first plane what the other said, but within half a stem of the edges of the pitch window, and has
    everything else to learn. What was told at every pitch through the stem is now told beside it.

    Args:
        network: of one plane and `N_FEATURES` features, or with a shape that is `shape` already.
        shape: of the new network.

    Raises:
        ValueError: the networks differ in more than that.
    """
    old, new = network.config, UNet(shape)
    if replace(old, n_features=shape.n_features, n_planes=shape.n_planes, dropout=shape.dropout) != shape:
        raise ValueError("it can begin only as a network of the same levels, pitch window and norms")
    state, held = new.state_dict(), network.state_dict()
    for key, value in held.items():
        if key in state and state[key].shape == value.shape:
            state[key].copy_(value)
    if (old.n_features, shape.n_features) == (N_FEATURES, N_HEARD):
        stem = held["down.0.conv1.weight"]  # (filter, cells + features + height, step, pitch)
        features = stem[:, old.n_planes : old.n_planes + N_FEATURES]
        state["down.0.conv1.weight"].zero_()
        state["down.0.conv1.weight"][:, : old.n_planes].copy_(stem[:, : old.n_planes])
        state["down.0.conv1.weight"][:, shape.n_planes].copy_(stem[:, -1])
        state["told.0.straight.weight"][:, :N_FEATURES].copy_(features.sum(-1))
    if old.n_planes < shape.n_planes:
        for kind in ("weight", "bias"):
            weights, first = held[f"head.{kind}"], state[f"head.{kind}"]
            for i in range(len(weights)):  # logits and, if there are, changes: of each plane
                first[i * shape.n_planes] = weights[i]
    new.load_state_dict(state)
    return new.eval()


_EPSILON = 1e-5  # of batch norm, in PyTorch


@torch.no_grad()
def restore_norms(network: UNet, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Give the batch norms of `network_of_onnx` the statistics of some inputs, so that the network says what it said.

    Args:
        network: changed in place.
        batches: cells and contexts, as `UNet.forward` takes them.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = {norm: (torch.zeros(norm.num_features), torch.zeros(norm.num_features)) for norm in norms}
    n = dict.fromkeys(norms, 0)

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        x = inputs[0].float()
        sums[norm][0].add_(x.sum((0, 2, 3)))
        sums[norm][1].add_(x.square().sum((0, 2, 3)))
        n[norm] += x.numel() // x.shape[1]

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    for cells, context in batches:
        network.eval()(cells, context)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean = sums[norm][0] / n[norm]
        variance = (sums[norm][1] / n[norm] - mean.square()).clamp(min=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)


def export_onnx(
    network: Network, path: Path, card: dict[str, Any], half: bool = True, temperature: float = 1.0
) -> float:
    """Write a network as ONNX and check it against torch.

    Args:
        network: in evaluation mode.
        path: receives the file; written under another name first.
        card: what is worth knowing of the model; stored in the file.
        half: store the weights as float16. They are cast to float32 on loading, so that the sums are float32's.

        temperature: the logits are divided by it. A model that learned on much damage is less sure than it may be of
            what people hand in; what it should be is chosen on a validation split. Only a U-Net's are.

    Returns:
        The largest difference between torch's logits and ONNX Runtime's on random rolls, float16 rounding included.
    """
    network = network.eval()
    if isinstance(network, Coconet):
        return _export_coconet(network, path, card, half)
    if isinstance(network, Separator):
        return _export_separator(network, path, card, half)
    return _export_unet(network, path, card, half, temperature)


def _export_unet(network: UNet, path: Path, card: dict[str, Any], half: bool, temperature: float) -> float:
    c = network.config
    cells = (torch.rand(2, c.n_planes, 4 * c.step_multiple, c.n_pitches) < 0.06).float()
    context = _example_context(2, cells.shape[2])[:, : c.n_features or N_FEATURES]
    batch, n_windows = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("n_windows", min=1, max=65536)
    dynamic = {0: batch, 2: c.step_multiple * n_windows}
    graph = _Graph(
        module=_Exported(network, temperature),
        inputs={"cells": cells, "context": context},
        dynamic={"cells": dynamic, "context": dynamic},
        outputs=("logits", "changes"),
    )
    about = {
        "step_multiple": c.step_multiple,
        "n_planes": c.n_planes,
        "n_features": c.n_features,
        "logits_divided_by": temperature,
    }
    return _write(graph, path, c, about | card, half, lambda written: _parity(network, written, temperature))


def _export_coconet(network: Coconet, path: Path, card: dict[str, Any], half: bool) -> float:
    c = network.config
    sung = (torch.rand(2, c.n_voices, 16, c.n_pitches) < 0.02).float()
    dynamic = {0: torch.export.Dim("batch", min=1, max=4096), 2: torch.export.Dim("steps", min=1, max=1 << 20)}
    graph = _Graph(
        module=_ExportedCoconet(network),
        inputs={"sung": sung, "known": sung.amax(-1)},
        dynamic={"sung": dynamic, "known": dynamic},
        outputs=("log_p",),
    )
    return _write(
        graph, path, c, {"n_voices": c.n_voices} | card, half, lambda written: _coconet_parity(network, written)
    )


def _export_separator(network: Separator, path: Path, card: dict[str, Any], half: bool) -> float:
    c = network.config
    cells = (torch.rand(2, 1, 16, c.n_pitches) < 0.08).float()
    graph = _Graph(
        module=_ExportedSeparator(network),
        inputs={"cells": cells},
        dynamic={
            "cells": {0: torch.export.Dim("batch", min=1, max=4096), 2: torch.export.Dim("steps", min=1, max=1 << 20)}
        },
        outputs=("log_p",),
    )
    about = {"n_voices": c.n_voices, "separates": True, "reach": c.reach}
    return _write(graph, path, c, about | card, half, lambda written: _separator_parity(network, written))


@dataclass(frozen=True)
class _Graph:
    module: nn.Module
    inputs: dict[str, Tensor]
    dynamic: dict[str, dict[int, Any]]
    outputs: tuple[str, ...]


def _write(
    graph: _Graph,
    path: Path,
    shape: NetworkConfig,
    card: dict[str, Any],
    half: bool,
    parity: Callable[[Path], float],
) -> float:
    import onnx

    with warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own insides
        program = torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=graph.dynamic,
            opset_version=18,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is None for the older exporter only
    with whole_path(path) as beside:
        program.save(str(beside))
        model = onnx.load(str(beside))
        for node in model.graph.node:  # where in whose files the exporter found it
            del node.metadata_props[:]
        if half:
            _halve(model)
        full_card = {"format": FORMAT, "lowest_pitch": shape.lowest_pitch, "n_pitches": shape.n_pitches, **card}
        onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(full_card)})
        onnx.checker.check_model(model)
        onnx.save(model, str(beside))
        worst = parity(beside)
        if worst > PARITY:
            raise RuntimeError(f"the exported model is {worst:.3f} off PyTorch's; nothing was written to {path}")
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


def _coconet_parity(network: Coconet, path: Path) -> float:
    from ripieno.models.runtime import load_coconet

    c = network.config
    fill = load_coconet(path)
    rng = np.random.default_rng(0)
    worst = 0.0
    for batch, n_steps in ((1, 1), (3, 24)):
        column = rng.integers(c.n_pitches, size=(batch, n_steps, c.n_voices))
        known = rng.random(column.shape) < 0.5
        with torch.no_grad():
            logits = network(*planes_of(torch.from_numpy(column), torch.from_numpy(known), c.n_pitches))
        expected = torch.log_softmax(logits, -1).permute(0, 2, 1, 3).numpy()
        ours = fill(column + c.lowest_pitch, known)[..., c.lowest_pitch : c.lowest_pitch + c.n_pitches]
        worst = max(worst, float(np.abs(ours - expected).max()))
    return worst


def _separator_parity(network: Separator, path: Path) -> float:
    from ripieno.models.runtime import load_separator

    c = network.config
    separate = load_separator(path)
    rng = np.random.default_rng(0)
    worst = 0.0
    for n_steps in (1, 24):
        cells = np.zeros((1, n_steps, 128), dtype=bool)
        window = slice(c.lowest_pitch, c.lowest_pitch + c.n_pitches)
        cells[..., window] = rng.random((1, n_steps, c.n_pitches)) < 0.08
        with torch.no_grad():
            log_p = torch.log_softmax(network(torch.from_numpy(cells[None, ..., window]).float()), -1)
        expected = log_p[0].permute(1, 0, 2).numpy()
        sounding = np.broadcast_to(cells[0, :, None, window], expected.shape)
        worst = max(worst, float(np.abs(separate(cells)[..., window] - expected)[sounding].max(initial=0)))
    return worst
