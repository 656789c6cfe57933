"""Everything a training run depends on, saved as JSON beside its weights.  (Paper 4)"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ripieno.models.checkpoint import network_config
from ripieno.models.coconet import CoconetConfig
from ripieno.models.separator import SeparatorConfig
from ripieno.models.unet import UNetConfig, chorale, paper


@dataclass(frozen=True, kw_only=True)
class DamageConfig:
    """How targets are damaged; `DamageConfig()` is the paper's."""

    noise_max: float = 0.015  # paper 4; 0 trains orderless NADE
    clean_share: float = 0.0  # share of samples without extraneous cells
    note_share: float = 0.0  # share of samples damaged note by note
    line_share: float = 0.0  # share of samples whose top or bottom line is left whole
    broken_share: float = 0.0  # share of the lines left whole that are broken up first, in source and target
    light_share: float = 0.0  # share of samples whose mask ratio is taken to the fourth power: nearly finished pieces


MOST_TRANSPOSED = 24  # semitones; further off little of a piece is left in a network's pitch window


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of the trainer; `TrainConfig()` is the paper's."""

    network: UNetConfig | CoconetConfig | SeparatorConfig = field(default_factory=paper)
    damage: DamageConfig = field(default_factory=DamageConfig)
    n_steps: int = 128  # length of a sample; the paper trains on 2 and on 8 bars
    start_multiple: int = 16  # samples begin at multiples of this step; 16: whole bars
    overhang: int = 0  # steps that a sample may reach past the piece's ends
    transpose_down: int = 0  # semitones; drawn uniformly
    transpose_up: int = 0
    batch_size: int = 32  # ours: the paper gives none
    n_samples: int = 300_000  # ours: the paper gives none
    learning_rate: float = 1e-3  # Adam, paper 4.1
    weight_decay: float = 0.0
    clip_norm: float | None = None  # of the gradient
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = 0.0  # share of the run
    average: float = 0.0  # decay per step of the running average of the weights that is saved; 0: none
    n_left_weight: float = 0.0  # weight of the n_left loss
    frame_share: float = 0.0  # Coconet: share of samples that are blank in whole steps, not voice by voice
    keep: Literal["best", "last"] = "best"  # which weights are exported: of the lowest validation loss, or the last
    temperature: float = 1.0  # the exported model's logits are divided by it
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    validate_every: int = 20_000  # samples

    def __post_init__(self) -> None:
        for name in ("n_steps", "start_multiple", "batch_size", "n_samples", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in ("transpose_down", "transpose_up"):
            if not 0 <= getattr(self, name) <= MOST_TRANSPOSED:
                raise ValueError(f"{name} must be 0 to {MOST_TRANSPOSED} semitones, not {getattr(self, name)}")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision must be float32 or bfloat16, not {self.precision}")
        if self.keep not in ("best", "last"):
            raise ValueError(f"keep must be best or last, not {self.keep}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, not {self.seed}")


CONFIGURATIONS = ("paper", "chorale", "nade", "coconet", "voices")


def configuration(name: str) -> TrainConfig:
    """A named configuration.

    `paper`: the paper's network and training. `chorale`: what ships. `nade`: the same network and training with masking
    only, the paper's orderless NADE (3.1). `coconet`: the network of its Gibbs baseline.
    `voices`: the network that tells the voices of a roll apart.

    Raises:
        ValueError: there is no such configuration.
    """
    if name == "paper":
        return TrainConfig()
    if name in ("chorale", "nade"):
        damage = DamageConfig(clean_share=0.5, note_share=0.2, line_share=0.4, broken_share=0.5, light_share=0.6)
        if name == "nade":  # `note_share` would write wrong notes too
            damage = replace(damage, noise_max=0.0, note_share=0.0)
        return TrainConfig(
            network=chorale(),
            damage=damage,
            start_multiple=4,
            overhang=32,
            transpose_down=5,
            transpose_up=6,
            batch_size=16,
            n_samples=300_000,
            learning_rate=3e-3,
            weight_decay=0.02,
            clip_norm=1.0,
            schedule="cosine",
            warmup=0.02,
            average=0.999,
            n_left_weight=0.0025,
            temperature=0.8,
            precision="bfloat16",
        )
    if name == "coconet":
        return TrainConfig(
            network=CoconetConfig(),
            n_steps=64,
            start_multiple=4,
            transpose_down=5,
            transpose_up=6,
            batch_size=16,
            n_samples=120_000,
            learning_rate=3e-3,
            weight_decay=0.02,
            clip_norm=1.0,
            schedule="cosine",
            warmup=0.02,
            average=0.999,
            frame_share=0.5,
            precision="bfloat16",
            validate_every=10_000,
        )
    if name == "voices":
        return TrainConfig(
            network=SeparatorConfig(),
            n_steps=64,
            start_multiple=4,
            transpose_down=5,
            transpose_up=6,
            batch_size=16,
            n_samples=40_000,
            learning_rate=3e-3,
            weight_decay=0.03,
            clip_norm=1.0,
            schedule="cosine",
            warmup=0.02,
            average=0.998,
            keep="last",  # its nats rise again while it is right more often, and only the latter counts in a path
            validate_every=4_000,
        )
    raise ValueError(f"no configuration called {name!r}; there are: {', '.join(CONFIGURATIONS)}")


def to_json(config: TrainConfig) -> dict[str, Any]:
    """As plain dictionaries and lists."""
    return asdict(config)


def from_json(data: dict[str, Any]) -> TrainConfig:
    """The inverse of `to_json`.

    Raises:
        TypeError: a key is unknown.
    """
    rest = {key: value for key, value in data.items() if key not in ("network", "damage")}
    return TrainConfig(network=network_config(data["network"]), damage=DamageConfig(**data["damage"]), **rest)
