"""Model files whose convolutions run on eight-bit integers: half the time of a pass, half the size of the file.

Weights are integers of seven bits with a scale for each filter, inputs of a convolution integers of eight bits with a
scale that is measured on examples. Seven, since processors without dot products of bytes add two products in sixteen
bits, which the eighth would overflow. Where none of these instructions is at hand ONNX Runtime computes the same sums
by other means.

What it costs is measured before a file ships: benchmarks/likelihood.py,
docs/log.md#integers-of-eight-bits. The paper has nothing like this.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.models.runtime import CARD_KEY, open_session
from ripieno.shapes import Float
from ripieno.whole import whole_path

Inputs = dict[str, Float[np.ndarray, "..."]]


def quantize(source: Path, target: Path, examples: Sequence[Inputs]) -> float:
    """Write a model file again, on integers.

    Args:
        source: an `.onnx` file that `ripieno train` wrote.
        target: receives the file; written under another name first.
        examples: what the model will meet, by the names of the file's inputs, each a batch.

    Returns:
        How far the model's distributions lie apart, before and after: total variation, the mean over the examples.
        An editor's is over all cells of a roll; what tells voices apart has one for each voice and step.

    Raises:
        BadInput: the source cannot be read, or is on integers already.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    before, card = open_session(source)
    if card.get("integers"):
        raise BadInput(f"model {source.name} is on integers already; give the file it was made from")

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(examples)

        def get_next(self) -> Inputs | None:
            return next(self.left, None)

    model = onnx.load(str(source))
    _unhalve(model)
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # what it warns of, it is told to do here
    try:
        with whole_path(target) as beside, tempfile.TemporaryDirectory() as folder:
            whole, ready = Path(folder) / "whole.onnx", Path(folder) / "ready.onnx"
            onnx.save(model, str(whole))
            quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
            quantize_static(
                str(ready),
                str(beside),
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
            written = onnx.load(str(beside))
            onnx.helper.set_model_props(written, {CARD_KEY: json.dumps(card | {"integers": True})})
            onnx.checker.check_model(written)
            onnx.save(written, str(beside))
            after, _ = open_session(beside)
            axes = (3,) if card.get("separates") else (1, 2, 3)
            both = [(_shares(before, one, axes), _shares(after, one, axes)) for one in examples]
            apart = [0.5 * np.abs(was - now).sum(axis=axes).mean() for was, now in both]
    finally:
        logging.root.setLevel(level)
    return float(np.mean(apart))


def _shares(session: Any, inputs: Inputs, axes: tuple[int, ...]) -> Float[np.ndarray, "batch plane step pitch"]:
    logits = session.run(None, inputs)[0]
    weights = np.exp(logits - logits.max(axis=axes, keepdims=True))
    return np.asarray(weights / weights.sum(axis=axes, keepdims=True))


def _unhalve(model: Any) -> None:
    """Undo what makes the file of `checkpoint.export_onnx` small: constants of float16, each followed by a cast."""
    from onnx import TensorProto, numpy_helper

    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    nodes = []
    for node in graph.node:
        half = constants.get(node.input[0]) if node.op_type == "Cast" else None
        if half is None or half.data_type != TensorProto.FLOAT16:
            nodes.append(node)
            continue
        graph.initializer.append(
            numpy_helper.from_array(numpy_helper.to_array(half).astype(np.float32), node.output[0])
        )
        graph.initializer.remove(half)
    del graph.node[:]
    graph.node.extend(nodes)


def constants_of(graph: Any) -> dict[str, np.ndarray]:
    """A graph's constants as float32 by the names that PyTorch knows, those on integers and in float16 included."""
    from onnx import numpy_helper

    raw = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    found: dict[str, np.ndarray] = {}
    for name, value in raw.items():
        if not name.endswith(("_scale", "_zero_point", "_quantized")):
            found[name.removesuffix("_half")] = value.astype(np.float32)
        elif name.endswith("_quantized"):
            plain = name.removesuffix("_quantized")
            at = plain if plain + "_scale" in raw else name
            scale, zero = raw[at + "_scale"], raw[at + "_zero_point"]
            shape = (-1, *[1] * (value.ndim - 1)) if scale.ndim else ()
            found[plain] = (value.astype(np.float32) - zero.reshape(shape)) * scale.reshape(shape)
    return {name.removeprefix("network."): value.astype(np.float32) for name, value in found.items()}
