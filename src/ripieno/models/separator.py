"""The network that tells the voices of a merged roll apart: who sings which of the pitches that sound.

Voice separation as the assignment of each voice to one of the sounding pitches, step by step; the path through time is
`music.voices.split`'s. Costs that are set by hand see no crossing where all voices move at once; this network learned
from four-part writing what such places look like. Nothing of the kind is in the paper, which merges its voices and
never takes them apart again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ripieno.models.coconet import Block, VoicesConfig
from ripieno.models.limits import Kernel, ShareBelow1, Width

SILENT = -1e4  # the logit of a pitch that does not sound


@dataclass(frozen=True, kw_only=True)
class SeparatorConfig(VoicesConfig):
    """The shape of the network."""

    n_filters: Width = 40
    stem_pitches: Kernel = 31
    dropout: ShareBelow1 = 0.15  # of whole filters, in each block

    @property
    def reach(self) -> int:
        """Steps on either side that a step hears."""
        return 1 + sum(dilation + 1 for dilation in self.dilations)


class Separator(nn.Module):
    """`forward(cells)` returns the logits of every voice's pitch at every step."""

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        self.config = c = config
        self.stem = nn.Conv2d(1, c.n_filters, (3, c.stem_pitches), padding=(1, c.stem_pitches // 2), bias=False)
        self.norm = nn.BatchNorm2d(c.n_filters)
        self.blocks = nn.ModuleList(Block(c.n_filters, dilation, c.dropout) for dilation in c.dilations)
        self.head = nn.Conv2d(c.n_filters, c.n_voices, 1)

    def forward(self, cells: Tensor) -> Tensor:
        """Score a batch.

        Args:
            cells: float (batch, 1, step, pitch in the window), 1 where a pitch sounds.

        Returns:
            logits float32 (batch, voice, step, pitch), `SILENT` where nothing sounds; a softmax over the last axis
            says which of the sounding pitches each voice sings.
        """
        x = F.relu(self.norm(self.stem(cells.contiguous(memory_format=torch.channels_last))))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(x).float()
        return logits.masked_fill(cells == 0, SILENT)
