"""The separator: which of the sounding pitches each voice sings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ripieno.errors import BadInput
from ripieno.models import runtime
from ripieno.models.checkpoint import export_onnx, load_network
from ripieno.models.coconet import Coconet, CoconetConfig
from ripieno.models.runtime import load_coconet, load_model, load_separator
from ripieno.models.separator import Separator, SeparatorConfig
from ripieno.music.roll import RollNote, roll_of, roll_of_voices
from ripieno.training.config import configuration
from ripieno.training.samples import Prepared, piece_of, voices_batch, voices_set
from ripieno.training.trainer import Trainer

TINY = SeparatorConfig(n_filters=4, dilations=(1, 2))
SCORE = np.tile([72, 67, 64, 48], (16, 1))
CROSSED = np.tile([72, 64, 67, 48], (16, 1))  # the alto lies below the tenor


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("separator") / "tiny.onnx"
    assert export_onnx(Separator(TINY), path, {"name": "tiny"}) < 0.05
    return path


def test_a_voice_sings_nothing_but_what_sounds(exported: Path) -> None:
    cells = roll_of([RollNote(0, 60, 4), RollNote(2, 67, 3)], 8)
    log_p = load_separator(exported)(cells)
    p = np.exp(log_p[:5, :, 36:84])
    np.testing.assert_allclose((p * cells[0, :5, None, 36:84]).sum(axis=-1), 1, atol=1e-3)


def test_pitches_out_of_its_window_are_all_alike_to_it(exported: Path) -> None:
    log_p = load_separator(exported)(roll_of([RollNote(0, 100, 4)], 4))
    assert not log_p[..., 84:].any()


def test_models_of_other_kinds_are_refused_in_one_line(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not edit"):
        load_model(exported)
    with pytest.raises(BadInput, match="knows no voices"):
        load_coconet(exported)
    export_onnx(Coconet(CoconetConfig(n_filters=4, dilations=(1,))), tmp_path / "coconet.onnx", {})
    with pytest.raises(BadInput, match="does not tell voices apart"):
        load_separator(tmp_path / "coconet.onnx")


def prepared(*scores: np.ndarray) -> Prepared:
    return Prepared([piece_of(f"piece {i}", roll_of_voices(score), voices=score) for i, score in enumerate(scores)])


QUICK = replace(
    configuration("voices"),
    network=replace(TINY, n_filters=8, dropout=0.0),
    n_steps=16,
    n_samples=1600,
    learning_rate=1e-2,
    transpose_up=0,
    transpose_down=0,
    average=0.9,
    validate_every=10_000,
)


def test_it_learns_who_crosses_whom_and_is_exported_as_it_was_in_the_end(tmp_path: Path) -> None:
    for _ in Trainer(QUICK, prepared(CROSSED), prepared(CROSSED), tmp_path).run():
        pass
    network, run = load_network(tmp_path / "last.safetensors")
    assert run["samples"] == QUICK.n_samples
    export_onnx(network, tmp_path / "model.onnx", {})
    cells = prepared(CROSSED).pieces[0].cells
    log_p = load_separator(tmp_path / "model.onnx")(cells)
    np.testing.assert_array_equal(np.where(cells[0][:, None], log_p, -np.inf).argmax(axis=-1), CROSSED)


def test_it_asks_for_a_corpus_that_says_who_sings(tmp_path: Path) -> None:
    merged = Prepared([replace(piece, voices=None) for piece in prepared(SCORE).pieces])
    with pytest.raises(ValueError, match="learns who sings what"):
        Trainer(QUICK, merged, merged, tmp_path)


def test_windows_are_transposed_and_keep_their_voices() -> None:
    config = replace(configuration("voices"), n_steps=16, batch_size=32)
    batch = voices_batch(prepared(SCORE), config, 0)
    assert len({int(window[0, 0]) for window in batch}) > 3
    apart = SCORE[0] - SCORE[0, 0]
    sings = (batch >= 0).all(axis=-1)
    np.testing.assert_array_equal((batch - batch[..., :1])[sings], np.broadcast_to(apart, (sings.sum(), 4)))


def test_the_validation_set_is_every_piece_whole() -> None:
    long = np.tile(SCORE, (2, 1))[:20]
    windows = voices_set(prepared(SCORE, long), replace(configuration("voices"), n_steps=16))
    assert windows.shape == (3, 16, 4)
    assert (windows >= 0).sum() == 4 * (16 + 20)


def test_what_is_kept_is_what_came_last() -> None:
    assert configuration("voices").keep == "last"
    assert configuration("chorale").keep == "best"


@pytest.mark.parametrize("bundled", [True, False])
def test_a_long_roll_is_told_apart_in_parts_as_if_in_one(
    bundled: bool, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = np.random.default_rng(0).random((1, 300, 128)) < 0.05
    separate = load_separator(None if bundled else exported)
    assert bundled or separate.card["reach"] == TINY.reach == 6
    assert SeparatorConfig().reach == runtime.REACH
    whole = separate(cells)
    monkeypatch.setattr(runtime, "TOLD_APART", 64)
    separate._last.clear()
    np.testing.assert_allclose(separate(cells), whole, atol=1e-5)
