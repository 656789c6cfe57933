"""The ES-Net network: a U-Net that scores every cell of a roll.  (Paper 4.1)

Each level is two convolutions, a max-pool and dropout on the way down, and the mirror image on the way up; filters
double (or as `n_filters` lists them) as the roll shrinks. The last layer is linear.

Our choices where the text is open, all as in the authors' released code:
1. Skip connections join by concatenation. 2. Upsampling repeats (nearest). 3. Pooling is 2 x 2.

Differences from the paper, each switched by `UNetConfig` and measured (configuration `chorale`,
docs/log.md#what-each-choice-is-worth):
1. `n_features`: planes of context, repeated along the pitch axis, and a plane with the pitch itself.
2. `stem_pitches`: the first convolution spans this many pitches, so that intervals are seen before any pooling.
3. `norm_first=False`: batch norm stands behind each convolution, where inference can merge the two.
4. `dropout_from`: no dropout in the outer levels, where it costs most and there is least to drop.
5. A second output, the log-odds that a cell will change at all. Their sum of probabilities is `n_left`, the number of
   edits still to come, at any length of piece.
6. A model that hears all of `models.context` (`n_features` = `N_HEARD`) is told it at every level: what is the same
   at all pitches goes through a small convolution in time and is added to each level's first convolution; the key lies
   over the pitches, as two planes of input.
7. Of a second plane, `re-struck`, only the cells that may be struck again have a logit: those that sound, and did on
   the step before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ripieno.models.context import INSIDE, N_FEATURES, N_HEARD, SCALE, TONIC
from ripieno.models.limits import Kernel, NPitches, Pitch, ShareBelow1, Width, Within, check_fields, check_window

NEVER = -1e4  # a logit
TOLD_WIDTH = 32  # filters between the context and what a level is told of it


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """The shape of the network; `UNetConfig()` is the paper's."""

    n_planes: Annotated[int, Within(1, 2)] = 1
    n_features: Annotated[int, Within(0, N_HEARD)] = 0  # context features; 0 in the paper
    n_filters: tuple[Width, ...] = (32, 64, 128, 256, 512, 1024)  # per level, the last is the bottleneck; paper 4.1
    lowest_pitch: Pitch = 0  # the pitch window: the paper sees all 128
    n_pitches: NPitches = 128
    stem_pitches: Kernel = 3  # pitches spanned by the first convolution
    norm_first: bool = True  # the paper lists batch norm before the convolutions
    dropout: ShareBelow1 = 0.5  # paper 4.1
    dropout_from: Annotated[int, Within(0, 64)] = 0  # the level at which dropout begins; the paper's is in every level
    n_left: bool = False  # a second output per cell

    def __post_init__(self) -> None:
        check_fields(self)
        if self.n_features not in (0, N_FEATURES, N_HEARD):
            raise ValueError(f"n_features must be 0, {N_FEATURES} or {N_HEARD}, not {self.n_features}")
        check_window(self.lowest_pitch, self.n_pitches)
        if self.n_pitches % self.step_multiple:
            raise ValueError(
                f"n_pitches must be a multiple of {self.step_multiple}, which {len(self.n_filters)} levels of pooling "
                f"take, not {self.n_pitches}; take another, or fewer n_filters"
            )

    @property
    def step_multiple(self) -> int:
        """A roll's number of steps must be a multiple of this."""
        return 1 << (len(self.n_filters) - 1)


class _Level(nn.Module):
    def __init__(self, n_in: int, n_out: int, norm_first: bool, n_pitches: int = 3) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.conv1 = nn.Conv2d(n_in, n_out, (3, n_pitches), padding=(1, n_pitches // 2), bias=norm_first)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=norm_first)
        self.norm1 = nn.BatchNorm2d(n_in if norm_first else n_out)
        self.norm2 = nn.Identity() if norm_first else nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        """Convolve; `told`, float (batch, filter, step), is added to the first convolution at all pitches."""
        y = self.conv1(self.norm1(x) if self.norm_first else x)
        if told is not None:
            y = y + told.unsqueeze(-1)
        if self.norm_first:
            return F.relu(self.conv2(F.relu(y)))
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(y)))))


class _Told(nn.Module):
    """What a level is told of its steps: a convolution in time, of the context averaged over its pooled steps."""

    def __init__(self, n_features: int, n_filters: int) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(n_features, TOLD_WIDTH, 5, padding=2)
        self.out = nn.Conv1d(TOLD_WIDTH, n_filters, 3, padding=1, bias=False)
        self.straight = nn.Conv1d(n_features, n_filters, 3, padding=1, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.straight.weight)

    def forward(self, context: Tensor) -> Tensor:
        told: Tensor = self.out(F.relu(self.hidden(context))) + self.straight(context)
        return told


class UNet(nn.Module):
    """`forward(cells, context)` returns the logits of every cell, and of its changing at all."""

    height: Tensor
    pitch_class: Tensor

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = c = config
        self.hears = c.n_features == N_HEARD
        # the cells, the height, and what lies over the pitches
        n_in = c.n_planes + (3 if self.hears else c.n_features + 1 if c.n_features else 0)
        widths = c.n_filters
        if self.hears:
            self.told = nn.ModuleList(_Told(TONIC.start, width) for width in widths)
            over = (torch.arange(c.n_pitches) + c.lowest_pitch) % 12
            self.register_buffer("pitch_class", over, persistent=False)
        self.down = nn.ModuleList(
            _Level(n_in if i == 0 else widths[i - 1], width, c.norm_first, c.stem_pitches if i == 0 else 3)
            for i, width in enumerate(widths)
        )
        self.up = nn.ModuleList(
            _Level(widths[i] + widths[i + 1], widths[i], c.norm_first) for i in range(len(widths) - 1)
        )
        self.dropout = nn.Dropout(c.dropout)
        self.n_outputs = 2 if c.n_left else 1
        self.head = nn.Conv2d(widths[0], self.n_outputs * c.n_planes, 1)
        height = torch.linspace(0, 1, c.n_pitches)
        self.register_buffer("height", height.view(1, 1, 1, -1), persistent=False)

    def forward(self, cells: Tensor, context: Tensor) -> tuple[Tensor, Tensor | None]:
        """Score a batch.

        Args:
            cells: float (batch, plane, step, pitch in the window), 0 or 1.
            context: float (batch, feature, step), of as many features as the model hears or more; ignored by a model
                without context.

        Returns:
            logits float32 (batch, plane, step, pitch) of the next edit, and of a change at all (None without `n_left`).
        """
        c = self.config
        batch, _, n_steps, n_pitches = cells.shape
        x = cells
        told: list[Tensor | None] = [None] * len(self.down)
        if self.hears:
            key = [context[:, group][:, self.pitch_class].transpose(1, 2).unsqueeze(1) for group in (TONIC, SCALE)]
            x = torch.cat([x, self.height.expand(batch, 1, n_steps, n_pitches), *key], 1)
            around = context[:, : TONIC.start]
            for i, tell in enumerate(self.told):
                told[i] = tell(around)
                around = F.avg_pool1d(around, 2)
        elif c.n_features:
            planes = context[:, : c.n_features].unsqueeze(-1).expand(-1, -1, -1, n_pitches)
            x = torch.cat([x, planes, self.height.expand(batch, 1, n_steps, n_pitches)], 1)
        x = x.contiguous(memory_format=torch.channels_last)
        skips = []
        for i, level in enumerate(self.down):
            x = level(x, told[i])
            if i < len(self.up):
                skips.append(x)
                x = F.max_pool2d(x, 2)
            if i >= c.dropout_from:
                x = self.dropout(x)
        for i in reversed(range(len(self.up))):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.up[i](torch.cat([skips[i], x], 1))
            if i >= c.dropout_from:
                x = self.dropout(x)
        y = self.head(x).float()
        if c.n_features:
            y = y.masked_fill(context[:, None, INSIDE, :, None] < 0.5, NEVER)
        logits, change = y[:, : c.n_planes], y[:, c.n_planes :]
        if c.n_planes > 1:
            # one fill for both planes: joined after it, their range would be too wide for eight bits
            again = restrikable_cells(cells)
            logits = logits.masked_fill(~torch.cat([torch.ones_like(again), again], 1), NEVER)
        return logits, change if c.n_left else None


def restrikable_cells(cells: Tensor) -> Tensor:
    """Where a cell may be struck again: it sounds, and did on the step before; bool (batch, 1, step, pitch)."""
    sounding = cells[:, :1] > 0.5
    return sounding & F.pad(sounding[:, :, :-1], (0, 0, 1, 0))


def paper() -> UNetConfig:
    """The network as the paper gives it: 31.5 M parameters."""
    return UNetConfig()


def hearing() -> UNetConfig:
    """The same, told of bars, phrases, key, style and voices, with a plane for what is struck again."""
    return replace(chorale(), n_features=N_HEARD, n_planes=2)


def chorale() -> UNetConfig:
    """The network that ships: smaller and better on chorales.  (docs/log.md#which-network-at-equal-time)"""
    return UNetConfig(
        n_features=N_FEATURES,
        n_filters=(16, 32, 64, 128, 256, 512),
        lowest_pitch=28,
        n_pitches=64,
        stem_pitches=25,
        norm_first=False,
        dropout=0.1,
        dropout_from=2,
        n_left=True,
    )
