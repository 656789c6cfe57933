"""The network is the paper's, and its options do what they say."""

from dataclasses import replace

import pytest
import torch

from ripieno.models.context import N_FEATURES, context_of
from ripieno.models.unet import UNet, UNetConfig, chorale, paper

TINY = UNetConfig(n_features=N_FEATURES, n_filters=(4, 8, 8), n_pitches=32, n_left=True, norm_first=False)


def test_the_papers_network_has_31_million_parameters() -> None:
    with torch.device("meta"):
        n_parameters = sum(weight.numel() for weight in UNet(paper()).parameters())
    assert n_parameters == pytest.approx(31.45e6, rel=0.003)


def test_the_one_that_ships_fits_in_the_package() -> None:
    n_parameters = sum(weight.numel() for weight in UNet(chorale()).parameters())
    assert n_parameters * 2 < 20e6  # bytes, at float16


@pytest.mark.parametrize("config", [TINY, replace(TINY, stem_pitches=13), replace(TINY, norm_first=True)])
def test_every_cell_is_scored_at_any_length(config: UNetConfig) -> None:
    network = UNet(config).eval()
    for n_steps in (config.step_multiple, 3 * config.step_multiple):
        context = torch.from_numpy(context_of(n_steps))[None]
        logits, change = network(torch.zeros(1, 1, n_steps, 32), context)
        assert change is not None
        assert logits.shape == change.shape == (1, 1, n_steps, 32)


def test_steps_outside_the_piece_are_never_edited() -> None:
    network = UNet(TINY).eval()
    context = torch.from_numpy(context_of(16, start=-4, length=8))[None]
    logits, _ = network(torch.zeros(1, 1, 16, 32), context)
    assert (logits[0, 0, :4] == -1e4).all()
    assert (logits[0, 0, 12:] == -1e4).all()
    assert (logits[0, 0, 4:12] > -100).all()


def test_the_context_is_heard() -> None:
    torch.manual_seed(0)
    network = UNet(TINY).eval()
    cells = torch.zeros(1, 1, 16, 32)
    on_beat, _ = network(cells, torch.from_numpy(context_of(16))[None])
    off_beat, _ = network(cells, torch.from_numpy(context_of(16, beat_phase=2))[None])
    assert not torch.allclose(on_beat, off_beat)
