"""The network of Coconet, the baseline that the paper calls Gibbs: who sings what, in the blanks of a score.

Huang, Cooijmans, Roberts, Courville, Eck: "Counterpoint by Convolution" (ISMIR 2017). A score is four voices, each on
exactly one pitch at each step. Some of these are known; for each of the others the network gives a distribution over
pitches. Convolutions keep the size of the score throughout, in residual blocks of two, with batch norm.

Differences from that paper:
1. Smaller: 11 convolutions of 48 filters instead of 64 of 128, so that a laptop trains it in an hour.
2. `dilations`: the convolutions of later blocks look further apart in time, which makes up for their number (the
   authors' released code knows dilation too). `stem_pitches`: the first one spans all pitches.
3. It is trained on transposed pieces, and in part on blanks of whole steps (`TrainConfig.frame_share`), since that is
   how its likelihood is measured and how an accompaniment is filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ripieno.models.limits import Kernel, NPitches, Pitch, Width, Within, check_fields, check_window


@dataclass(frozen=True, kw_only=True)
class VoicesConfig:
    """The shape of a network of residual blocks that has an output for each voice."""

    n_voices: Annotated[int, Within(1, 16)] = 4
    n_filters: Width = 48
    dilations: tuple[Width, ...] = (1, 2, 4, 8, 1)  # in time, a residual block each
    lowest_pitch: Pitch = 36  # the JSB Chorales span 36 to 81
    n_pitches: NPitches = 48
    stem_pitches: Kernel = 49

    def __post_init__(self) -> None:
        check_fields(self)
        check_window(self.lowest_pitch, self.n_pitches)

    @property
    def step_multiple(self) -> int:
        """A score may have any number of steps."""
        return 1


@dataclass(frozen=True, kw_only=True)
class CoconetConfig(VoicesConfig):
    """The shape of the network."""


class Block(nn.Module):
    """Two convolutions beside a way around them; `dropout` is of whole filters."""

    def __init__(self, n_filters: int, dilation: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_filters, n_filters, 3, padding=(dilation, 1), dilation=(dilation, 1), bias=False)
        self.conv2 = nn.Conv2d(n_filters, n_filters, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(n_filters), nn.BatchNorm2d(n_filters)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The width stays the same, and so do steps and pitches."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.dropout(self.norm2(self.conv2(y))))


class Coconet(nn.Module):
    """`forward(sung, known)` returns the logits of every voice's pitch at every step."""

    def __init__(self, config: CoconetConfig) -> None:
        super().__init__()
        self.config = c = config
        n_in = 2 * c.n_voices
        self.stem = nn.Conv2d(n_in, c.n_filters, (3, c.stem_pitches), padding=(1, c.stem_pitches // 2), bias=False)
        self.norm = nn.BatchNorm2d(c.n_filters)
        self.blocks = nn.ModuleList(Block(c.n_filters, dilation) for dilation in c.dilations)
        self.head = nn.Conv2d(c.n_filters, c.n_voices, 1)

    def forward(self, sung: Tensor, known: Tensor) -> Tensor:
        """Score a batch.

        Args:
            sung: float (batch, voice, step, pitch in the window), 1 where a voice is known to sing; all 0 where it is
                unknown or rests.
            known: float (batch, voice, step), 1 where it is known what a voice does.

        Returns:
            logits float32 (batch, voice, step, pitch); a softmax over the last axis gives each voice's pitch.
        """
        planes = known.unsqueeze(-1).expand(-1, -1, -1, sung.shape[-1])
        x = torch.cat([sung, planes], 1).contiguous(memory_format=torch.channels_last)
        x = F.relu(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(x).float()
        return logits


def planes_of(sung: Tensor, known: Tensor, n_pitches: int) -> tuple[Tensor, Tensor]:
    """The network's input.

    Args:
        sung: int (batch, step, voice), columns of the pitch window, -1 a rest.
        known: bool, alike; what is sung elsewhere is not looked at.
        n_pitches: in the window.
    """
    one_hot = F.one_hot(sung.clamp(min=0), n_pitches) * (known & (sung >= 0)).unsqueeze(-1)
    return one_hot.permute(0, 2, 1, 3).float(), known.permute(0, 2, 1).float()
