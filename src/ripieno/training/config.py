"""Everything a training run depends on, saved as JSON beside its weights.  (Paper 4)"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal

from ripieno.models.checkpoint import network_config
from ripieno.models.coconet import CoconetConfig
from ripieno.models.context import GROUPS
from ripieno.models.limits import OneOrMore, Share, ShareBelow1, Steps, Within, check_fields, known_fields
from ripieno.models.separator import SeparatorConfig
from ripieno.models.unet import UNetConfig, chorale, hearing, paper


@dataclass(frozen=True, kw_only=True)
class DamageConfig:
    """How targets are damaged; `DamageConfig()` is the paper's."""

    noise_max: Share = 0.015  # paper 4; 0 trains orderless NADE
    clean_share: Share = 0.0  # share of samples without extraneous cells
    note_share: Share = 0.0  # share of samples damaged note by note
    line_share: Share = 0.0  # share of samples whose top or bottom line is left whole
    broken_share: Share = 0.0  # share of the lines left whole that are broken up first, in source and target
    light_share: Share = 0.0  # share of samples whose mask ratio is taken to the fourth power: nearly finished pieces
    bare_share: Share = 0.0  # share of the unbroken lines left whole of which nothing else is left
    tail_share: Share = 0.0  # share of samples that are cleared from some step on
    own_share: Share = 0.0  # share of samples that the network then samples on itself (training.own; paper 7)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.note_share + self.line_share > 1:
            raise ValueError(
                f"note_share and line_share must be 1 together at most, not {self.note_share} and {self.line_share}: "
                f"they are shares of the same samples"
            )


@dataclass(frozen=True, kw_only=True)
class HearingConfig:
    """What a network that hears (`models.context`) is told in training; ours, since the paper's hears nothing."""

    no_bars: Share = 0.25  # chances that a group of features is unknown
    no_phrases: Share = 0.25
    no_key: Share = 0.25
    no_style: Share = 0.1
    no_voices: Share = 0.3
    guessed_key: Share = 0.4  # share of samples whose key is the one guessed of the tune, as a user's often is
    fewer_share: Share = 0.1  # share of the samples with voices that lose one or two of them

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def unknown(self) -> dict[str, float]:
        """For each of `models.context.GROUPS`, the chance that it is unknown."""
        return {group: getattr(self, f"no_{group}") for group in GROUPS}


Semitones = Annotated[int, Within(0, 24)]  # further off little of a piece is left in a network's pitch window
# what only a network that edits listens to, and what it is for the others
EDITORS_OWN = {"damage": DamageConfig(), "overhang": 0, "n_left_weight": 0.0, "temperature": 1.0}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of the trainer; `TrainConfig()` is the paper's."""

    network: UNetConfig | CoconetConfig | SeparatorConfig = field(default_factory=paper)
    damage: DamageConfig = field(default_factory=DamageConfig)
    hearing: HearingConfig = field(default_factory=HearingConfig)
    n_steps: Steps = 128  # length of a sample; the paper trains on 2 and on 8 bars
    start_multiple: Steps = 16  # samples begin at multiples of this step; 16: whole bars
    overhang: Annotated[int, Within(0, 2**20)] = 0  # steps that a sample may reach past the piece's ends
    transpose_down: Semitones = 0  # semitones; drawn uniformly
    transpose_up: Semitones = 0
    batch_size: Annotated[int, Within(1, 2**20)] = 32  # ours: the paper gives none
    n_samples: OneOrMore = 300_000  # ours: the paper gives none
    learning_rate: Annotated[float, Within(0, 1, without_low=True)] = 1e-3  # Adam, paper 4.1
    weight_decay: Share = 0.0
    clip_norm: Annotated[float, Within(0, 1e9, without_low=True)] | None = None  # of the gradient
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: ShareBelow1 = 0.0  # share of the run
    average: ShareBelow1 = 0.0  # decay per step of the running average of the weights that is saved; 0: none
    n_left_weight: Annotated[float, Within(0, 1e6)] = 0.0  # weight of the n_left loss
    frame_share: Share = 0.0  # Coconet: share of samples that are blank in whole steps, not voice by voice
    keep: Literal["best", "last"] = "best"  # which weights are exported: of the lowest validation loss, or the last
    temperature: Annotated[float, Within(0, 100, without_low=True)] = 1.0  # divides the exported model's logits
    seed: Annotated[int, Within(0, 2**32 - 1)] = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    validate_every: OneOrMore = 20_000  # samples

    def __post_init__(self) -> None:
        check_fields(self)
        multiple = self.network.step_multiple
        if self.n_steps % multiple:
            raise ValueError(f"n_steps must be a multiple of {multiple}, which this network takes, not {self.n_steps}")
        if self.overhang > self.n_steps:
            raise ValueError(
                f"overhang must be n_steps, {self.n_steps}, or less, not {self.overhang}: samples would lie outside of "
                f"their pieces"
            )
        if not isinstance(self.network, UNetConfig):
            for name, default in EDITORS_OWN.items():
                if getattr(self, name) != default:
                    raise ValueError(
                        f"{name} is for networks that edit: it must be left out for a {type(self.network).__name__}, "
                        f"not {getattr(self, name)}"
                    )
        elif self.n_left_weight and not self.network.n_left:
            raise ValueError(
                f"n_left_weight must be 0 for a network without n_left, not {self.n_left_weight}; or give it n_left"
            )
        if self.frame_share and not isinstance(self.network, CoconetConfig):
            raise ValueError(f"frame_share is Coconet's, and must be 0 for other networks, not {self.frame_share}")


OURS = TrainConfig(  # how all networks but the paper's are trained
    start_multiple=4,
    transpose_down=5,
    transpose_up=6,
    batch_size=16,
    learning_rate=3e-3,
    weight_decay=0.02,
    clip_norm=1.0,
    schedule="cosine",
    warmup=0.02,
    average=0.999,
    precision="bfloat16",
)
CONFIGURATIONS = ("paper", "chorale", "hearing", "own", "nade", "coconet", "voices")


def configuration(name: str) -> TrainConfig:
    """A named configuration.

    `paper`: the paper's network and training. `chorale`: what 0.1.0 shipped. `hearing`: the same, which hears bars,
    phrases, key and style, and writes repeated notes. `own`: the same, trained further on its own mistakes. `nade`: the
    network and training of `chorale` with masking only, the paper's orderless NADE (3.1). `coconet`: the network of its
    Gibbs baseline. `voices`: the network that tells the voices of a roll apart.

    Raises:
        ValueError: there is no such configuration.
    """
    if name == "paper":
        return TrainConfig()
    if name in ("chorale", "nade"):
        damage = DamageConfig(clean_share=0.5, note_share=0.2, line_share=0.4, broken_share=0.5, light_share=0.6)
        if name == "nade":  # `note_share` would write wrong notes too
            damage = replace(damage, noise_max=0.0, note_share=0.0)
        return replace(
            OURS,
            network=chorale(),
            damage=damage,
            overhang=32,
            n_left_weight=0.0025,
            temperature=0.8,
        )
    if name == "hearing":  # begins with the weights of `chorale`
        base = configuration("chorale")
        return replace(
            base,
            network=hearing(),
            damage=replace(base.damage, bare_share=0.2, tail_share=0.05),
            n_samples=110_000,
            learning_rate=1.2e-3,
        )
    if name == "own":  # begins with the weights of `hearing`
        base = configuration("hearing")
        damage = replace(base.damage, own_share=0.35)
        return replace(
            base,
            damage=damage,
            n_samples=44_000,
            learning_rate=8e-4,
            n_left_weight=0.005,
            transpose_down=2,  # near to the pitch that is written, so that voices keep to their own ranges
            transpose_up=2,
        )
    if name == "coconet":
        return replace(
            OURS,
            network=CoconetConfig(),
            n_steps=64,
            n_samples=120_000,
            frame_share=0.5,
            validate_every=10_000,
        )
    if name == "voices":
        return replace(
            OURS,
            network=SeparatorConfig(),
            n_steps=64,
            n_samples=40_000,
            weight_decay=0.03,
            average=0.998,
            precision="float32",
            keep="last",  # its nats rise again while it is right more often, and only the latter counts in a path
            validate_every=4_000,
        )
    raise ValueError(f"no configuration called {name!r}; there are: {', '.join(CONFIGURATIONS)}")


def to_json(config: TrainConfig) -> dict[str, Any]:
    """As plain dictionaries and lists."""
    return asdict(config)


def from_json(data: Any) -> TrainConfig:
    """The inverse of `to_json`.

    Raises:
        ValueError: a key is unknown, one of the two parts is missing, or a value is out of its limits.
    """
    held = dict(known_fields(TrainConfig, data, "a configuration"))
    if missing := [name for name in ("network", "damage") if name not in held]:
        raise ValueError(f"a configuration says its {' and '.join(missing)}, and this one does not")
    network, damage = network_config(held.pop("network")), known_fields(DamageConfig, held.pop("damage"), "damage")
    hearing = known_fields(HearingConfig, held.pop("hearing", {}), "hearing")  # 0.1.0 had none
    return TrainConfig(network=network, damage=DamageConfig(**damage), hearing=HearingConfig(**hearing), **held)
