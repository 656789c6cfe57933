"""A network's own mistakes as what it learns from.  (Paper 7, its future work)

Random damage is not what a sampler leaves behind. A network that learned on damage alone keeps what it wrote itself,
right or wrong (the "preservation bias": SCOPE, arXiv 2606.01026). So part of the damaged samples are sampled on, by
the network as it is, for a few passes; what it has written then is the source, and the target is what it was.

A sample need not lead to its own target, so only sources that still have `LEAST_KEPT` of the target's cells go on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ripieno.models.unet import NEVER, restrikable_cells
from ripieno.training.loss import n_left_of

LEAST_KEPT = 0.3
MOST_PASSES = 6


@torch.no_grad()
def sampled_on(network: nn.Module, source: Tensor, context: Tensor, target: Tensor, share: float) -> Tensor:
    """Some of a batch of sources, sampled on.

    In each pass every step draws one edit at most, the likeliest after Gumbel noise (so that rivals for one place are
    not drawn together), and of these as many stay as make the sources finished when the passes are over. Chance is
    torch's own.

    Args:
        network: left in training mode.
        source, target: bool (batch, plane, step, pitch).
        context: float (batch, feature, step).
        share: of the sources that are sampled on, 0 to 1.

    Returns:
        The sources, bool, those that were not drawn as they were.
    """
    kept = (source & target)[:, 0].flatten(1).sum(1) >= LEAST_KEPT * target[:, 0].flatten(1).sum(1)
    drawn = torch.nonzero(kept & (torch.rand(len(source), device=source.device) < share)).flatten()
    if not len(drawn):
        return source
    network.eval()
    rolls, around = source[drawn].clone(), context[drawn]
    n_passes = int(torch.randint(1, MOST_PASSES + 1, ()))
    for number in range(n_passes):
        logits, change = network(rolls.float(), around)
        log_p = torch.log_softmax(logits.flatten(1).float(), 1).view_as(logits)
        noise = -torch.log(-torch.log(torch.rand_like(log_p).clamp(1e-9, 1 - 1e-7)))
        perturbed = torch.where(log_p > NEVER / 2, log_p + noise, torch.tensor(-torch.inf, device=log_p.device))
        best, cell = perturbed.permute(0, 2, 1, 3).flatten(2).max(2)  # (batch, step)
        n_left = n_left_of(change) if change is not None else torch.full((len(rolls),), 64.0, device=log_p.device)
        n_edits = torch.ceil(n_left / (n_passes - number)).clamp(max=best.shape[1])
        rank = best.argsort(1, descending=True).argsort(1)
        edits = torch.zeros_like(rolls)
        which, step = torch.nonzero((rank < n_edits[:, None]) & best.isfinite(), as_tuple=True)
        plane, pitch = cell[which, step] // rolls.shape[3], cell[which, step] % rolls.shape[3]
        edits[which, plane, step, pitch] = True
        rolls ^= edits
        if rolls.shape[1] > 1:
            rolls[:, 1:] &= restrikable_cells(rolls)
    network.train()
    all_sources = source.clone()
    all_sources[drawn] = rolls
    return all_sources
