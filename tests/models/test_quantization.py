"""A model on integers says nearly what it said, is smaller, and can be trained further."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ripieno.errors import BadInput
from ripieno.models.checkpoint import export_onnx, network_of_onnx
from ripieno.models.context import context_of
from ripieno.models.quantization import Inputs, quantize
from ripieno.models.runtime import Model, load_model, load_separator
from ripieno.models.separator import Separator, SeparatorConfig
from ripieno.models.unet import UNet, UNetConfig

SHAPE = UNetConfig(n_filters=(8, 16), dropout=0.0, n_left=True, norm_first=False)


def rolls(n: int, n_steps: int = 32) -> np.ndarray:
    return np.random.default_rng(3).random((n, 1, n_steps, 128)) < 0.05


def inputs(model: Model, n: int = 6) -> list[Inputs]:
    window = slice(model.lowest_pitch, model.lowest_pitch + model.n_pitches)
    context = context_of(32)[None, : model.n_features]
    return [{"cells": roll[None, :, :, window].astype(np.float32), "context": context} for roll in rolls(n)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("quantized")
    network = UNet(SHAPE).eval()
    for module in network.modules():  # as if it had learned something
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    export_onnx(network, folder / "whole.onnx", {"name": "tiny"})
    model = load_model(folder / "whole.onnx")
    assert 0 < quantize(folder / "whole.onnx", folder / "integers.onnx", inputs(model)) < 0.1
    return folder / "whole.onnx", folder / "integers.onnx"


def test_it_says_nearly_what_it_said(both: tuple[Path, Path]) -> None:
    whole, integers = (load_model(path) for path in both)
    cells, context = rolls(3), np.stack([context_of(32)] * 3)
    before, after = whole(cells, context), integers(cells, context)
    held = slice(whole.lowest_pitch, whole.lowest_pitch + whole.n_pitches)
    spread = before.logits[..., held].std()
    assert np.abs(before.logits - after.logits)[..., held].mean() < 0.1 * spread
    np.testing.assert_allclose(after.n_left, before.n_left, rtol=0.1)
    assert integers.card["integers"]
    assert "integers" not in whole.card


def test_what_is_on_integers_is_not_put_on_integers_again(both: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="on integers already"):
        quantize(both[1], tmp_path / "again.onnx", [])
    assert not list(tmp_path.iterdir())


def test_its_weights_are_found_again_to_train_further(both: tuple[Path, Path]) -> None:
    before, after = (network_of_onnx(path, SHAPE).state_dict() for path in both)
    for name, value in before.items():
        if value.ndim == 4:  # seven bits for each filter
            step = value.abs().amax(dim=(1, 2, 3), keepdim=True) / 63
            assert ((after[name] - value).abs() <= step).all(), name


def test_a_roll_among_others_is_told_what_it_is_told_alone(both: tuple[Path, Path]) -> None:
    model = load_model(both[1], n_threads=2)
    cells, context = rolls(5), np.stack([context_of(32)] * 5)
    together = model(cells, context)
    for i in range(5):
        alone = model(cells[i : i + 1], context[i : i + 1])
        np.testing.assert_array_equal(alone.logits[0], together.logits[i])
        assert alone.n_left[0] == together.n_left[i]


def test_what_tells_voices_apart_can_be_put_on_integers_too(tmp_path: Path) -> None:
    torch.manual_seed(2)
    export_onnx(Separator(SeparatorConfig(n_filters=8, dilations=(1, 2))), tmp_path / "whole.onnx", {})
    window = slice(36, 84)
    examples = [{"cells": roll[None, :, :, window].astype(np.float32)} for roll in rolls(6)]
    assert quantize(tmp_path / "whole.onnx", tmp_path / "integers.onnx", examples) < 0.05
    one, other = (load_separator(tmp_path / name)(rolls(1)[0]) for name in ("whole.onnx", "integers.onnx"))
    sounding = rolls(1)[0][0, :, window]
    best = [np.where(sounding[:, None], log_p[..., window], -np.inf).argmax(axis=-1) for log_p in (one, other)]
    assert (best[0] == best[1])[sounding.any(axis=1)].mean() > 0.9
