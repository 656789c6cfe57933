"""The loss: how far the model's next edit is from a uniform draw among the differences.  (Paper 4, eq. 5)

Differences from the paper:
1. It writes D(P||U), which is infinite wherever P gives mass to a cell that need not change. What can be trained, and
   what we train, is D(U||P) = cross-entropy with U minus log |difference|.
2. One softmax per sample; a flattened batch would share one.
3. A sample without a difference has no U. It adds nothing to this term, and teaches `n_left` 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def edit_kl(logits: Tensor, difference: Tensor, legal: Tensor | None = None) -> Tensor:
    """D(U||P) of each sample, in nats, float (batch,); 0 where nothing differs.

    Args:
        logits: float (batch, plane, step, pitch).
        difference: bool, alike: the cells in which source and target differ.
        legal: bool, alike: the cells in which the next edit may lie, the differing ones among them; all unless given.
    """
    wanted = difference.flatten(1).float()
    n_different = wanted.sum(1)
    if legal is not None:
        logits = logits.float().masked_fill(~legal, -torch.inf)
    log_p = torch.log_softmax(logits.flatten(1).float(), 1)
    # where, not a product: -inf * 0 would be nan
    cross_entropy = -torch.where(wanted > 0, log_p, 0.0).sum(1) / n_different.clamp(min=1)
    return torch.where(n_different > 0, cross_entropy - n_different.clamp(min=1).log(), 0.0)


def change_nats(change_logits: Tensor, difference: Tensor, told: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of every cell's changing at all, summed over each sample, float (batch,).

    Args:
        change_logits, difference: (batch, plane, step, pitch).
        told: bool, broadcast against them: the cells that count; all of them unless given.
    """
    loss = F.binary_cross_entropy_with_logits(change_logits.float(), difference.float(), reduction="none")
    if told is not None:
        loss = torch.where(told, loss, 0.0)
    return loss.flatten(1).sum(1)


def voices_nats(logits: Tensor, sung: Tensor) -> Tensor:
    """Minus the log probability of who sings what, a mean over each sample's sung steps, float (batch,).

    Args:
        logits: float (batch, voice, step, pitch).
        sung: int (batch, step, voice), the pitch's column; -1 has no say.
    """
    log_p = torch.log_softmax(logits.float(), -1).permute(0, 2, 1, 3)
    sings = sung >= 0
    own = log_p.gather(-1, sung.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return -torch.where(sings, own, 0.0).flatten(1).sum(1) / sings.flatten(1).sum(1).clamp(min=1)


def n_left_of(change_logits: Tensor) -> Tensor:
    """The expected number of edits still to come, float (batch,)."""
    return torch.sigmoid(change_logits.float()).flatten(1).sum(1)


def blanks_nats(logits: Tensor, sung: Tensor, known: Tensor) -> Tensor:
    """Minus the log probability of what is blank, a mean over each sample's blanks, float (batch,).

    The loss of Coconet, and of an orderless NADE over its variables (Uria, Murray, Larochelle 2014).

    Args:
        logits: float (batch, voice, step, pitch).
        sung: int (batch, step, voice), the pitch's column; -1 has no say.
        known: bool, alike; what is not known is blank.
    """
    log_p = torch.log_softmax(logits.float(), -1).permute(0, 2, 1, 3)
    blank = ~known & (sung >= 0)
    own = log_p.gather(-1, sung.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return -(own * blank).flatten(1).sum(1) / blank.flatten(1).sum(1).clamp(min=1)
