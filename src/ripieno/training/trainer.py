"""Train a network on a prepared corpus.  (Paper 4)

Needs torch, NumPy and safetensors alone, so that it also runs on a bare machine with a GPU: from a source tree,
`python -m ripieno.training corpus.npz folder`. A run is resumed from its last
checkpoint bit for bit: batches are numbered, and weights, optimiser and random state are saved.

What is learned is an `Objective`: edits, the blanks of Coconet, or who sings what. In the log every loss is called KL:
that of blanks and voices is the nats of each, the divergence from what Bach wrote.

Differences from the paper: the schedule, precision and weight average are options (`TrainConfig`).
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ripieno.models.coconet import Coconet, CoconetConfig, planes_of
from ripieno.models.separator import Separator, SeparatorConfig
from ripieno.models.unet import UNet, UNetConfig, restrikable_cells
from ripieno.training.config import TrainConfig, from_json, to_json
from ripieno.training.loss import blanks_nats, change_nats, edit_kl, n_left_of, voices_nats
from ripieno.training.own import sampled_on
from ripieno.training.samples import (
    Blanks,
    Prepared,
    blanks_batch,
    blanks_set,
    training_batch,
    validation_set,
    voices_batch,
    voices_set,
)
from ripieno.whole import whole_file, whole_path

SAVE_EVERY = 60.0  # seconds; what an interrupt may cost
LOG_COLUMNS = ("samples", "train_kl", "valid_kl", "valid_kl_average", "n_left_error", "learning_rate", "seconds")


@dataclass(frozen=True)
class TrainingProgress:
    """Where a run stands; the validation figures are None between validations."""

    samples: int
    n_samples: int
    train_kl: float
    learning_rate: float
    valid_kl: float | None = None
    valid_kl_average: float | None = None
    n_left_error: float | None = None


def learning_rate_at(config: TrainConfig, share: float) -> float:
    """The learning rate when `share` of the run is done."""
    if share < config.warmup:
        return config.learning_rate * (share + 1e-3) / config.warmup
    if config.schedule == "constant":
        return config.learning_rate
    done = (share - config.warmup) / (1 - config.warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


@runtime_checkable
class Objective(Protocol):
    """What a network is to learn."""

    def network(self) -> nn.Module:
        """A fresh one."""

    def loss(self, network: nn.Module, number: int) -> tuple[Tensor, Tensor]:
        """Of batch `number` of the run: what to descend, and the nats of each sample."""

    def score(self, network: nn.Module) -> tuple[float, float]:
        """Nats on the validation set, and the median relative error of `n_left`, nan without one."""


class EditObjective:
    """The next edit, in one softmax over the roll.  (Paper 4)"""

    def __init__(self, config: TrainConfig, train: Prepared, valid: Prepared, device: torch.device) -> None:
        assert isinstance(config.network, UNetConfig)
        self.config, self.shape, self.corpus, self.device = config, config.network, train, device
        self.valid = validation_set(valid, config)

    def network(self) -> nn.Module:
        """See `Objective`."""
        return UNet(self.shape)

    def loss(self, network: nn.Module, number: int) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        batch = training_batch(self.corpus, self.config, number)
        source, target, context, tell = self._tensors(batch.source, batch.target, batch.context, batch.tells_again)
        if self.config.damage.own_share:
            source = sampled_on(network, source, context, target, self.config.damage.own_share)
        logits, change = network(source.float(), context)
        difference, told = source ^ target, _told(source, tell)
        kl = edit_kl(logits, *_legal(source, difference, told))
        loss = kl.mean()
        if change is not None:
            loss = loss + self.config.n_left_weight * change_nats(change, difference, told).mean()
        return loss, kl

    def score(self, network: nn.Module) -> tuple[float, float]:
        """See `Objective`."""
        kls, errors = [], []
        for first in range(0, len(self.valid.source), 32):
            part = slice(first, first + 32)
            valid = self.valid
            source, target, context, tell = self._tensors(
                valid.source[part], valid.target[part], valid.context[part], valid.tells_again[part]
            )
            logits, change = network(source.float(), context)
            told = _told(source, tell)
            difference = (source ^ target) & told
            kls.append(edit_kl(logits, *_legal(source, difference, told)))
            if change is not None:
                true = difference.flatten(1).sum(1).clamp(min=1)
                errors.append((n_left_of(change) / true - 1).abs())
        error = float(torch.cat(errors).median()) if errors else math.nan
        return float(torch.cat(kls).mean()), error

    def _tensors(self, *arrays: np.ndarray) -> Iterator[Tensor]:
        return (torch.from_numpy(array).to(self.device, non_blocking=True) for array in arrays)


def _told(source: Tensor, tells_again: Tensor) -> Tensor:
    """The cells of which the target says something: which notes are struck again is not known of every piece."""
    told = torch.ones_like(source)
    if source.shape[1] > 1:
        told[:, 1] = tells_again[:, None, None]
    return told


def _legal(source: Tensor, difference: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """Of what differs, what one edit may change now; and the cells in which an edit may lie.

    A note can be struck again only where it sounds already.
    """
    legal = told.clone()
    if source.shape[1] > 1:
        legal[:, 1:] &= restrikable_cells(source)
    return difference & legal, legal


class BlanksObjective:
    """What the voices sing in the blanks of a score: Coconet's."""

    def __init__(self, config: TrainConfig, train: Prepared, valid: Prepared, device: torch.device) -> None:
        assert isinstance(config.network, CoconetConfig)
        _with_voices(config.network.n_voices, train, valid)
        self.config, self.shape, self.corpus, self.device = config, config.network, train, device
        self.valid = blanks_set(valid, config)

    def network(self) -> nn.Module:
        """See `Objective`."""
        return Coconet(self.shape)

    def loss(self, network: nn.Module, number: int) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        nats = self._nats(network, blanks_batch(self.corpus, self.config, number), slice(None))
        return nats.mean(), nats

    def score(self, network: nn.Module) -> tuple[float, float]:
        """See `Objective`."""
        parts = [slice(first, first + 32) for first in range(0, len(self.valid.sung), 32)]
        return float(torch.cat([self._nats(network, self.valid, part) for part in parts]).mean()), math.nan

    def _nats(self, network: nn.Module, batch: Blanks, part: slice) -> Tensor:
        sung, known = (torch.from_numpy(array[part]).to(self.device) for array in (batch.sung, batch.known))
        return blanks_nats(network(*planes_of(sung, known, self.shape.n_pitches)), sung, known)


class VoicesObjective:
    """Who sings which of the pitches that sound."""

    def __init__(self, config: TrainConfig, train: Prepared, valid: Prepared, device: torch.device) -> None:
        assert isinstance(config.network, SeparatorConfig)
        _with_voices(config.network.n_voices, train, valid)
        self.config, self.shape, self.corpus, self.device = config, config.network, train, device
        self.valid = voices_set(valid, config)

    def network(self) -> nn.Module:
        """See `Objective`."""
        return Separator(self.shape)

    def loss(self, network: nn.Module, number: int) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        nats = self._nats(network, voices_batch(self.corpus, self.config, number))
        return nats.mean(), nats

    def score(self, network: nn.Module) -> tuple[float, float]:
        """See `Objective`."""
        parts = [self.valid[first : first + 32] for first in range(0, len(self.valid), 32)]
        return float(torch.cat([self._nats(network, part) for part in parts]).mean()), math.nan

    def _nats(self, network: nn.Module, batch: np.ndarray) -> Tensor:
        sung = torch.from_numpy(batch).to(self.device)
        cells = planes_of(sung, sung >= 0, self.shape.n_pitches)[0].amax(1, keepdim=True)
        return voices_nats(network(cells), sung)


def _with_voices(n_voices: int, *corpora: Prepared) -> None:
    for corpus in corpora:
        if {voices.shape[1] for voices in corpus.voices or []} != {n_voices}:
            raise ValueError(
                "this network learns who sings what, which this corpus does not say: prepare the JSB Chorales "
                "(Jsb16thSeparated.json) with this version's `ripieno data`"
            )


def objective_of(config: TrainConfig, train: Prepared, valid: Prepared, device: torch.device) -> Objective:
    """The objective that a configuration's network is made for.

    Raises:
        ValueError: the corpus does not hold what it takes.
    """
    if isinstance(config.network, CoconetConfig):
        return BlanksObjective(config, train, valid, device)
    if isinstance(config.network, SeparatorConfig):
        return VoicesObjective(config, train, valid, device)
    return EditObjective(config, train, valid, device)


class Trainer:
    """One run: `for progress in Trainer(...).run(): ...`

    Args:
        config: what to train.
        train, valid: the splits to train on and to choose on.
        folder: receives `config.json`, `log.csv`, `best.safetensors`, `last.safetensors` and `resume.pt`; a run that
            was interrupted goes on from what lies there.
        device: "cpu", "cuda", ...
        network: to start from; a fresh one unless given. A run that goes on has its own.

    Raises:
        ValueError: the folder holds a run of another configuration.
    """

    def __init__(
        self,
        config: TrainConfig,
        train: Prepared,
        valid: Prepared,
        folder: Path,
        device: str = "cpu",
        network: nn.Module | None = None,
    ) -> None:
        self.config, self.folder, self.device = config, folder, torch.device(device)
        self.objective = objective_of(config, train, valid, self.device)
        torch.manual_seed(config.seed)
        self.model = (network or self.objective.network()).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its annotations
        self.average = {key: value.detach().clone() for key, value in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.number = 0  # of the next batch
        self.best = math.inf
        self.seconds = 0.0
        self.recent: list[float] = []  # KL of the last batches
        folder.mkdir(parents=True, exist_ok=True)
        described = json.dumps(to_json(config), indent=2)
        kept = folder / "config.json"
        if kept.exists():
            try:
                before = from_json(json.loads(kept.read_text()))
            except ValueError as error:  # of another version, or written by hand
                raise ValueError(f"{kept} cannot be used: {error}; name another folder") from error
            if before != config:
                raise ValueError(f"{folder} holds a run of another configuration; name another folder")
        else:
            with whole_file(kept) as file:
                file.write(described.encode())
        if (folder / "resume.pt").exists():
            self._resume()

    def run(self) -> Iterator[TrainingProgress]:
        """Train to the end, one progress report a batch."""
        config = self.config
        n_batches = -(-config.n_samples // config.batch_size)
        saved = time.monotonic()
        while self.number < n_batches:
            began = time.monotonic()
            share = self.number / n_batches
            rate = learning_rate_at(config, share)
            kl = self._step(rate)
            self.recent = [*self.recent[-99:], kl]
            self.number += 1
            samples = self.number * config.batch_size
            due = samples // config.validate_every > (samples - config.batch_size) // config.validate_every
            valid: tuple[float, float, float] | None = None
            if due or self.number == n_batches:
                valid = self._validate()
            self.seconds += time.monotonic() - began
            mean = float(np.mean(self.recent))
            if valid:
                self._save_weights(valid[1])
                self._log(samples, mean, valid, rate)
            if valid or time.monotonic() - saved > SAVE_EVERY:
                self._save_state()
                saved = time.monotonic()
            try:
                yield TrainingProgress(samples, config.n_samples, mean, rate, *(valid or (None, None, None)))
            except GeneratorExit:  # whoever reads on has had enough
                self._save_state()
                raise

    def _step(self, rate: float) -> float:
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # the state of the dropout is a function of the batch's number, so that a resumed run repeats it
        torch.manual_seed(self.config.seed * 1_000_003 + self.number)
        with self._autocast():
            loss, kl = self.objective.loss(self.model, self.number)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self._update_average()
        return float(kl.detach().mean())

    @torch.no_grad()
    def _update_average(self) -> None:
        # a young run averages over what there is
        decay = min(self.config.average, (1 + self.number) / (10 + self.number)) if self.config.average else 0.0
        for key, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[key].lerp_(value, 1 - decay)
            else:
                self.average[key].copy_(value)

    @torch.no_grad()
    def _validate(self) -> tuple[float, float, float]:
        """Validation KL of the weights, of their average, and the median relative error of `n_left`."""
        raw, _ = self._score()
        own = {key: value.clone() for key, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        averaged, error = self._score()
        self.model.load_state_dict(own)
        return raw, averaged, error

    def _score(self) -> tuple[float, float]:
        self.model.eval()
        with self._autocast():
            return self.objective.score(self.model)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bfloat16")

    def _log(self, samples: int, train_kl: float, valid: tuple[float, float, float], rate: float) -> None:
        path = self.folder / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(LOG_COLUMNS)
            writer.writerow(
                [samples, f"{train_kl:.4f}", *(f"{x:.4f}" for x in valid), f"{rate:.2e}", f"{self.seconds:.0f}"]
            )

    def _save_weights(self, valid_kl: float) -> None:
        weights = {key: value.contiguous() for key, value in self.average.items()}
        meta = {"config": json.dumps(to_json(self.config)), "samples": str(self.number * self.config.batch_size)}
        with whole_path(self.folder / "last.safetensors") as path:
            save_file(weights, path, meta)
        if valid_kl < self.best:
            self.best = valid_kl
            with whole_path(self.folder / "best.safetensors") as path:
                save_file(weights, path, meta)

    def _save_state(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "number": self.number,
            "best": self.best,
            "seconds": self.seconds,
            "recent": self.recent,
        }
        with whole_path(self.folder / "resume.pt") as path:
            torch.save(state, path)

    def _resume(self) -> None:
        path = self.folder / "resume.pt"
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        except Exception as error:  # torch raises its own kinds for every sort of damage
            raise ValueError(f"{path} is damaged: remove it to begin the run anew") from error
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.number, self.best, self.seconds = state["number"], state["best"], state["seconds"]
        self.recent = state["recent"]


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint."""
    return load_file(path)
