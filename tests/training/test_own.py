"""A network learns from what it writes itself."""

import torch
from torch import Tensor, nn

from ripieno.training.own import sampled_on


class Pointing(nn.Module):
    """Wants one cell a step to change, and no more."""

    def __init__(self, wanted: Tensor) -> None:
        super().__init__()
        self.wanted = wanted

    def forward(self, cells: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        differs = (cells > 0.5) ^ self.wanted
        return torch.where(differs, 0.0, -50.0), torch.where(differs, 9.0, -20.0)


def target() -> Tensor:
    cells = torch.zeros(1, 8, 16, dtype=torch.bool)
    cells[0, :, [3, 7, 12]] = True
    return cells


def rolls(n: int) -> tuple[Tensor, Tensor, Tensor]:
    source = target().repeat(n, 1, 1, 1)
    source[:, :, :, 7] = False
    return source, target().repeat(n, 1, 1, 1), torch.zeros(n, 7, 8)


def test_the_network_itself_writes_on() -> None:
    torch.manual_seed(0)
    source, whole, context = rolls(4)
    wrong = target()
    wrong[0, :, 7] = False
    wrong[0, :, 9] = True  # its own mistake
    network = Pointing(wrong).train()
    after = sampled_on(network, source, context, whole, 1.0)
    assert torch.equal(after, wrong.repeat(4, 1, 1, 1))
    assert network.training
    assert not source[:, :, :, 9].any()  # left untouched


def test_some_sources_stay_as_they_are_and_so_do_those_of_which_little_is_left() -> None:
    torch.manual_seed(0)
    source, whole, context = rolls(40)
    source[20:] = False
    after = sampled_on(Pointing(target()), source, context, whole, 0.5)
    changed = (after != source).flatten(1).any(1)
    assert 0 < int(changed[:20].sum()) < 20
    assert not changed[20:].any()


def test_what_is_struck_again_sounds() -> None:
    torch.manual_seed(0)
    whole = torch.cat([target(), torch.zeros_like(target())]).unsqueeze(0)
    wanted = whole[0].clone()
    wanted[0, :, 3] = False
    wanted[1, :, [3, 7]] = True
    after = sampled_on(Pointing(wanted), whole, torch.zeros(1, 7, 8), whole, 1.0)
    assert not (after[:, 1] & ~after[:, 0]).any()
