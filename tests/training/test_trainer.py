"""A run that is interrupted and resumed is the run that was not."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ripieno.errors import BadInput
from ripieno.models.checkpoint import export_onnx, load_network, network_of_onnx, restore_norms
from ripieno.models.coconet import CoconetConfig
from ripieno.models.context import context_of
from ripieno.models.runtime import load_coconet, load_model
from ripieno.models.unet import UNet
from ripieno.music.roll import RollNote, roll_of
from ripieno.training.config import configuration, from_json, to_json
from ripieno.training.run import starting_network
from ripieno.training.samples import Prepared, piece_of, training_batch
from ripieno.training.trainer import Trainer, learning_rate_at, load_weights
from tests.training.test_samples import SHAPE, SMALL

SOURCE = Path(__file__).parent.parent.parent / "src"
TINY = replace(
    SMALL,
    network=replace(SHAPE, n_left=True, norm_first=False, dropout=0.2),
    batch_size=4,
    n_samples=24,
    validate_every=8,
    average=0.9,
    n_left_weight=0.01,
)


@pytest.fixture
def corpus() -> Prepared:
    notes = [RollNote(onset, 50 + onset % 12, 4) for onset in range(0, 48, 4)]
    return Prepared([piece_of("scale", roll_of(notes, 48))])


def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(tmp_path: Path, corpus: Prepared) -> None:
    whole = Trainer(TINY, corpus, corpus, tmp_path / "whole")
    for _ in whole.run():
        pass
    interrupted = Trainer(TINY, corpus, corpus, tmp_path / "parts")
    for progress in interrupted.run():
        if progress.samples >= 12:
            break
    resumed = Trainer(TINY, corpus, corpus, tmp_path / "parts")
    assert resumed.number == 3
    for _ in resumed.run():
        pass
    expected = load_weights(tmp_path / "whole" / "last.safetensors")
    got = load_weights(tmp_path / "parts" / "last.safetensors")
    assert all(torch.equal(expected[key], got[key]) for key in expected)
    logs = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("whole", "parts")]
    assert [line.rsplit(",", 1)[0] for line in logs[0]] == [line.rsplit(",", 1)[0] for line in logs[1]]  # but for time
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key])


def test_a_run_that_was_killed_does_its_last_batches_again_alike(tmp_path: Path, corpus: Prepared) -> None:
    killed = Trainer(TINY, corpus, corpus, tmp_path)
    reports = killed.run()
    for progress in reports:
        if progress.samples >= 16:
            break
    state = (tmp_path / "resume.pt").read_bytes()  # as of the validation at 8 samples, or later
    whole = [report.train_kl for report in Trainer(TINY, corpus, corpus, tmp_path).run()]
    (tmp_path / "resume.pt").write_bytes(state)
    assert [report.train_kl for report in Trainer(TINY, corpus, corpus, tmp_path).run()] == whole


def test_training_learns_a_piece_by_heart(tmp_path: Path, corpus: Prepared) -> None:
    config = replace(TINY, n_samples=960, batch_size=8, validate_every=10_000, learning_rate=1e-2)
    reports = list(Trainer(config, corpus, corpus, tmp_path).run())
    assert reports[-1].train_kl < 0.75 * reports[4].train_kl


def test_a_folder_keeps_one_configuration(tmp_path: Path, corpus: Prepared) -> None:
    Trainer(TINY, corpus, corpus, tmp_path)
    with pytest.raises(ValueError, match="another configuration"):
        Trainer(replace(TINY, seed=9), corpus, corpus, tmp_path)


def test_the_exported_file_says_what_torch_says(tmp_path: Path, corpus: Prepared) -> None:
    for _ in Trainer(TINY, corpus, corpus, tmp_path).run():
        pass
    network, run = load_network(tmp_path / "best.safetensors")
    assert from_json({key: run[key] for key in to_json(TINY)}) == TINY
    worst = export_onnx(network, tmp_path / "exact.onnx", {}, half=False)
    assert worst < 1e-3
    assert export_onnx(network, tmp_path / "half.onnx", {"scores": {"valid_kl": 1.0}}) < 0.05
    assert load_model(tmp_path / "half.onnx").card["scores"] == {"valid_kl": 1.0}


def test_the_papers_kind_of_network_without_context_is_exported_too(tmp_path: Path) -> None:
    network = UNet(replace(SHAPE, n_features=0)).eval()
    assert export_onnx(network, tmp_path / "plain.onnx", {}) < 0.05
    assert np.isnan(load_model(tmp_path / "plain.onnx")(*an_input()).n_left).all()


def an_input() -> tuple[np.ndarray, np.ndarray]:
    return roll_of([RollNote(0, 50, 8)], 8)[None], context_of(8)[None]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be used"), ("[]", "must be a JSON object"), ('{"schedule": "cosin"}', "network and damage")],
)
def test_a_folder_whose_configuration_says_nonsense_is_refused_in_one_line(tmp_path, corpus, text, said) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=f"config.json cannot be used: .*{said}|{said}") as refused:
        Trainer(TINY, corpus, corpus, tmp_path)
    assert "\n" not in str(refused.value)
    assert "name another folder" in str(refused.value)


def test_a_checkpoint_whose_configuration_says_nonsense_is_refused_in_one_line(tmp_path: Path) -> None:
    for meta in ("{", '{"network": {"n_filters": [4, -4]}}', "{}"):
        save_file({"weight": torch.zeros(1)}, tmp_path / "odd.safetensors", {"config": meta, "samples": "1"})
        with pytest.raises(BadInput, match=r"odd.safetensors cannot be used") as refused:
            load_network(tmp_path / "odd.safetensors")
        assert "\n" not in str(refused.value)


def test_training_needs_nothing_but_numpy_torch_and_safetensors() -> None:
    code = (
        "import sys\n"
        "for name in ('jaxtyping', 'typer', 'rich', 'onnx', 'onnxruntime', 'onnxscript', 'matplotlib', 'mido'):\n"
        "    sys.modules[name] = None\n"
        "import ripieno.training.run, ripieno.training.trainer\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(SOURCE)})


def test_the_learning_rate_warms_up_and_falls_to_nothing() -> None:
    config = replace(TINY, schedule="cosine", warmup=0.1, learning_rate=1.0)
    rates = [learning_rate_at(config, share / 20) for share in range(21)]
    assert rates[0] < 0.05
    assert max(rates) == rates[2] == 1.0
    assert rates[-1] < 1e-6


@pytest.fixture
def voices() -> Prepared:
    lines = np.array([[72, 67, 60, 48], [74, 67, 59, 43], [76, 67, 60, 48], [77, 69, 60, 41]])
    score = np.repeat(np.concatenate([lines, lines[::-1]]), 4, axis=0)
    return Prepared([piece_of("cadences", roll_of([], len(score)), voices=score)])


COCONET = replace(
    configuration("coconet"),
    network=CoconetConfig(n_filters=8, dilations=(1,)),
    n_steps=16,
    batch_size=8,
    n_samples=32,
    validate_every=16,
    precision="float32",
)


def test_coconet_learns_a_score_by_heart_and_is_exported(tmp_path: Path, voices: Prepared) -> None:
    config = replace(COCONET, n_samples=1200, validate_every=10_000, learning_rate=1e-2)
    trainer = Trainer(config, voices, voices, tmp_path)
    reports = list(trainer.run())
    assert reports[0].train_kl == pytest.approx(np.log(48), abs=0.5)  # it begins with no idea
    assert reports[-1].train_kl < 0.5 * reports[0].train_kl
    network, _ = load_network(tmp_path / "best.safetensors")
    export_onnx(network, tmp_path / "model.onnx", {})
    score = voices.voices[0][None]
    known = np.ones((1, 32, 4), dtype=bool)
    known[0, 8:12, 1] = False
    assert (load_coconet(tmp_path / "model.onnx")(score, known)[0, 8:12, 1].argmax(-1) == 67).all()


def test_a_resumed_run_of_coconet_is_the_run_that_was_not_interrupted(tmp_path: Path, voices: Prepared) -> None:
    whole = [report.train_kl for report in Trainer(COCONET, voices, voices, tmp_path / "whole").run()]
    for progress in Trainer(COCONET, voices, voices, tmp_path / "parts").run():
        if progress.samples >= 16:
            break
    assert [r.train_kl for r in Trainer(COCONET, voices, voices, tmp_path / "parts").run()] == whole[2:]


def test_coconet_asks_for_a_corpus_that_says_who_sings(tmp_path: Path, corpus: Prepared) -> None:
    with pytest.raises(ValueError, match="does not say"):
        Trainer(COCONET, corpus, corpus, tmp_path)


def test_a_model_file_can_be_trained_further(tmp_path: Path, corpus: Prepared) -> None:
    config = replace(TINY, n_samples=400, learning_rate=1e-2, validate_every=400)
    for _ in Trainer(config, corpus, corpus, tmp_path / "first").run():
        pass
    network, _ = load_network(tmp_path / "first" / "last.safetensors")
    export_onnx(network, tmp_path / "model.onnx", {}, half=False)
    again = network_of_onnx(tmp_path / "model.onnx", replace(SHAPE, n_left=True, norm_first=False, dropout=0.0))
    batches = [training_batch(corpus, TINY, number) for number in range(3)]
    inputs = [(torch.from_numpy(b.source).float(), torch.from_numpy(b.context)) for b in batches]
    for restored in (False, True):  # in evaluation it says what it said, whatever the statistics
        if restored:
            restore_norms(again, inputs)
        with torch.no_grad():
            for one in inputs:
                torch.testing.assert_close(again(*one)[0], network(*one)[0], atol=1e-3, rtol=0)
    norms = [module for module in again.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert any((norm.weight - 1).abs().max() > 0.1 for norm in norms)
    whole = torch.cat([cells for cells, _ in inputs]), torch.cat([context for _, context in inputs])
    with torch.no_grad():  # and in training too, since these inputs have the statistics that were measured
        torch.testing.assert_close(again.train()(*whole)[0], network(*whole)[0], atol=1e-2, rtol=0)
    trainer = Trainer(TINY, corpus, corpus, tmp_path / "second", network=again)
    assert (
        next(iter(trainer.run())).train_kl
        < next(iter(Trainer(TINY, corpus, corpus, tmp_path / "third").run())).train_kl
    )


def test_a_checkpoint_is_trained_further_exactly_as_it_was(tmp_path: Path, corpus: Prepared) -> None:
    for _ in Trainer(TINY, corpus, corpus, tmp_path).run():
        pass
    weights = load_weights(tmp_path / "last.safetensors")
    shape = replace(SHAPE, n_left=True, norm_first=False, dropout=0.1)
    again = starting_network(tmp_path / "last.safetensors", corpus, replace(TINY, network=shape))
    assert all(torch.equal(weights[name], value) for name, value in again.state_dict().items())
    wider = replace(TINY, network=replace(shape, n_filters=(4, 8)))
    with pytest.raises(BadInput, match="another network"):
        starting_network(tmp_path / "last.safetensors", corpus, wider)
    with pytest.raises(BadInput, match="missing or damaged"):
        starting_network(tmp_path / "none.safetensors", corpus, TINY)


def test_another_network_is_not_trained_further(tmp_path: Path) -> None:
    export_onnx(UNet(replace(SHAPE, norm_first=False)).eval(), tmp_path / "other.onnx", {})
    with pytest.raises(BadInput, match="another network"):
        network_of_onnx(tmp_path / "other.onnx", replace(SHAPE, norm_first=False, n_filters=(4, 8)))
    with pytest.raises(BadInput, match="only U-Nets"):
        network_of_onnx(tmp_path / "other.onnx", CoconetConfig())
