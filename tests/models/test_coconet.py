"""Coconet: four voices, each on one pitch, and blanks to fill."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ripieno.errors import BadInput
from ripieno.models.checkpoint import export_onnx
from ripieno.models.coconet import Coconet, CoconetConfig, planes_of
from ripieno.models.runtime import load_coconet, load_model
from ripieno.models.unet import UNet, UNetConfig

TINY = CoconetConfig(n_filters=4, dilations=(1, 2))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("coconet") / "tiny.onnx"
    assert export_onnx(Coconet(TINY), path, {"name": "tiny"}) < 0.05
    return path


def a_score(n_steps: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    pitches = rng.integers(40, 80, size=(2, n_steps, 4))
    return pitches, rng.random(pitches.shape) < 0.5


def test_each_voice_has_one_pitch_at_each_step(exported: Path) -> None:
    pitches, known = a_score()
    p = np.exp(load_coconet(exported)(pitches, known))
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-4)
    assert not p[..., :36].any()
    assert not p[..., 84:].any()


def test_what_is_blank_is_not_looked_at(exported: Path) -> None:
    fill = load_coconet(exported)
    pitches, known = a_score()
    other = np.where(known, pitches, 50)
    np.testing.assert_array_equal(fill(pitches, known), fill(other, known))
    heard = np.where(known, pitches + 1, pitches)
    assert (fill(pitches, known) != fill(heard, known)).any()


def test_a_known_rest_is_not_a_blank() -> None:
    rest = torch.full((1, 1, 4), -1)
    sung, as_rest = planes_of(rest, torch.ones(1, 1, 4, dtype=torch.bool), 48)
    _, as_blank = planes_of(rest, torch.zeros(1, 1, 4, dtype=torch.bool), 48)
    assert not sung.any()
    assert as_rest.all()
    assert not as_blank.any()


def test_a_model_of_the_other_kind_is_refused_in_one_line(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not edit"):
        load_model(exported)
    torch.manual_seed(0)
    export_onnx(UNet(UNetConfig(n_filters=(4, 4), lowest_pitch=40, n_pitches=32)), tmp_path / "unet.onnx", {})
    with pytest.raises(BadInput, match="knows no voices"):
        load_coconet(tmp_path / "unet.onnx")
