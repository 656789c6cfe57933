"""From a prepared corpus to batches of (source, target, context), or of scores with blanks.  (Paper 4, 6.1)

A batch is a pure function of the configuration and its number in the run, so a run that is resumed sees what it would
have seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.random import Generator, Philox

from ripieno.edits.damage import break_line, corrupt, corrupt_accompaniment, corrupt_notes
from ripieno.models.coconet import CoconetConfig
from ripieno.models.context import context_of
from ripieno.models.separator import SeparatorConfig
from ripieno.models.unet import UNetConfig
from ripieno.music.roll import Cells, Voices, window
from ripieno.shapes import Bool, Float, Int
from ripieno.training.config import DamageConfig, TrainConfig


@dataclass(frozen=True)
class Prepared:
    """One split of a corpus: rolls and, for each, which sixteenth of its beat it begins on."""

    rolls: list[Bool[np.ndarray, "_ _ _"]]  # of different lengths
    beat_phases: list[int]
    names: list[str]
    voices: list[Int[np.ndarray, "_ _"]] | None = None  # (step, voice) MIDI numbers, -1 a rest, where they are known


@dataclass(frozen=True)
class Blanks:
    """What a training step of Coconet sees: pitches as columns of its window, -1 a rest or outside of it."""

    sung: Int[np.ndarray, "batch step voice"]
    known: Bool[np.ndarray, "batch step voice"]


@dataclass(frozen=True)
class Batch:
    """What a training step sees, cut to the model's pitch window."""

    source: Bool[np.ndarray, "batch plane step pitch"]
    target: Bool[np.ndarray, "batch plane step pitch"]
    context: Float[np.ndarray, "batch feature step"]


def load_prepared(path: Path, split: str) -> Prepared:
    """Read one split of the `.npz` that `ripieno data` writes, with NumPy alone.

    Raises:
        ValueError: the file holds no such split.
    """
    with np.load(path, allow_pickle=False) as data:
        splits = [str(name) for name in data["split"]]
        if split not in splits:
            raise ValueError(f"{path.name} has no split {split!r}; it has: {', '.join(sorted(set(splits)))}")
        shape = data["cells_shape"]
        cells = np.unpackbits(data["cells"], axis=-1).astype(bool).reshape(shape)  # (step, plane, pitch)
        bounds = np.concatenate([[0], np.cumsum(data["n_steps"])])
        phases, names = data["beat_phase"], data["name"]
        chosen = [i for i, name in enumerate(splits) if name == split]
        sung = data["voices"].astype(int) if "voices" in data else None
        return Prepared(
            rolls=[np.ascontiguousarray(cells[bounds[i] : bounds[i + 1]].transpose(1, 0, 2)) for i in chosen],
            beat_phases=[int(phases[i]) for i in chosen],
            names=[str(names[i]) for i in chosen],
            voices=None if sung is None else [sung[bounds[i] : bounds[i + 1]] for i in chosen],
        )


def training_batch(corpus: Prepared, config: TrainConfig, number: int) -> Batch:
    """Batch `number` of a run."""
    rng = Generator(Philox(key=[config.seed, number]))
    lengths = np.array([roll.shape[1] for roll in corpus.rolls], dtype=float)
    which = rng.choice(len(lengths), size=config.batch_size, p=lengths / lengths.sum())
    samples = [_draw_sample(corpus.rolls[i], corpus.beat_phases[i], config, rng) for i in which]
    return _stack(samples, config)


def blanks_batch(corpus: Prepared, config: TrainConfig, number: int) -> Blanks:
    """Batch `number` of a run of Coconet."""
    rng = Generator(Philox(key=[config.seed, number]))
    return _stack_blanks([_draw_blanks(voices, config, rng) for voices in _draw_scores(corpus, config, rng)])


def blanks_set(corpus: Prepared, config: TrainConfig, n_samples: int = 304, seed: int = 2020) -> Blanks:
    """Windows of every piece in turn, as they are written, with blanks."""
    assert corpus.voices is not None
    rng = Generator(Philox(key=[seed, 0]))
    as_written = replace(config, transpose_down=0, transpose_up=0)
    pieces = [corpus.voices[number % len(corpus.voices)] for number in range(n_samples)]
    return _stack_blanks([_draw_blanks(voices, as_written, rng) for voices in pieces])


def voices_batch(corpus: Prepared, config: TrainConfig, number: int) -> Int[np.ndarray, "batch step voice"]:
    """Batch `number` of a run that learns to tell voices apart: who sings what, as columns of its window, -1 a rest."""
    rng = Generator(Philox(key=[config.seed, number]))
    return np.stack([_draw_voices(voices, config, rng) for voices in _draw_scores(corpus, config, rng)])


def voices_set(corpus: Prepared, config: TrainConfig) -> Int[np.ndarray, "sample step voice"]:
    """Every piece whole, as it is written, in windows that do not overlap."""
    assert corpus.voices is not None
    n, network = config.n_steps, config.network
    return np.concatenate(
        [
            _columns(np.pad(voices, ((0, -len(voices) % n), (0, 0)), constant_values=-1), 0, network).reshape(
                -1, n, voices.shape[1]
            )
            for voices in corpus.voices
        ]
    )


def _draw_scores(corpus: Prepared, config: TrainConfig, rng: Generator) -> list[Int[np.ndarray, "_ _"]]:
    """As many pieces as a batch has samples, long ones more often."""
    assert corpus.voices is not None
    lengths = np.array([len(voices) for voices in corpus.voices], dtype=float)
    which = rng.choice(len(lengths), size=config.batch_size, p=lengths / lengths.sum())
    return [corpus.voices[i] for i in which]


def _draw_voices(voices: Voices, config: TrainConfig, rng: Generator) -> Int[np.ndarray, "window voice"]:
    """A window of a piece, somewhere, transposed somehow."""
    n_steps = config.n_steps
    start = int(rng.integers(max(len(voices) - n_steps, 0) // config.start_multiple + 1)) * config.start_multiple
    semitones = int(rng.integers(-config.transpose_down, config.transpose_up + 1))
    sung = np.full((n_steps, voices.shape[1]), -1)
    cut = voices[start : start + n_steps]
    sung[: len(cut)] = _columns(cut, semitones, config.network)
    return sung


def _columns(voices: Voices, semitones: int, network: UNetConfig | CoconetConfig | SeparatorConfig) -> Voices:
    column = voices + semitones - network.lowest_pitch
    return np.where((voices >= 0) & (column >= 0) & (column < network.n_pitches), column, -1)


def _draw_blanks(
    voices: Voices, config: TrainConfig, rng: Generator
) -> tuple[Int[np.ndarray, "window voice"], Bool[np.ndarray, "window voice"]]:
    n_steps = config.n_steps
    sung = _draw_voices(voices, config, rng)
    # as many blanks as may be, each number as likely as any other: the orderless loss
    by_step = rng.random() < config.frame_share
    rank = rng.permutation(n_steps)[:, None] if by_step else rng.permutation(sung.size).reshape(sung.shape)
    n_known = int(rng.integers(rank.size))
    known = np.broadcast_to(rank < n_known, sung.shape).copy()
    if by_step:  # one of the blank steps is half done
        step = int(np.flatnonzero(rank[:, 0] == n_known)[0])
        known[step] = rng.permutation(sung.shape[1]) < rng.integers(sung.shape[1])
    return sung, known


def _stack_blanks(
    samples: list[tuple[Int[np.ndarray, "window voice"], Bool[np.ndarray, "window voice"]]],
) -> Blanks:
    sung, known = zip(*samples, strict=True)
    return Blanks(np.stack(sung), np.stack(known))


def validation_set(corpus: Prepared, config: TrainConfig, n_samples: int = 608, seed: int = 2020) -> Batch:
    """Windows of every piece in turn, with the paper's damage, the same for every run with this pitch window.

    A model that never takes back (`noise_max` 0) is not asked to.
    """
    rng = Generator(Philox(key=[seed, 0]))
    damage = DamageConfig(noise_max=min(config.damage.noise_max, DamageConfig().noise_max))
    samples = []
    for number in range(n_samples):
        i = number % len(corpus.rolls)
        roll = corpus.rolls[i]
        last = max(roll.shape[1] - config.n_steps, 0)
        start = int(rng.integers(last // 4 + 1)) * 4
        samples.append(_damaged(roll, corpus.beat_phases[i], start, 0, config, damage, rng))
    return _stack(samples, config)


Sample = tuple[Bool[np.ndarray, "_ _ _"], Bool[np.ndarray, "_ _ _"], Float[np.ndarray, "_ _"]]


def _draw_sample(roll: Cells, beat_phase: int, config: TrainConfig, rng: Generator) -> Sample:
    multiple = config.start_multiple
    first = -(config.overhang // multiple)
    last = max((roll.shape[1] - config.n_steps + config.overhang) // multiple, 0)
    start = int(rng.integers(first, last + 1)) * multiple - beat_phase
    semitones = int(rng.integers(-config.transpose_down, config.transpose_up + 1))
    return _damaged(roll, beat_phase, start, semitones, config, config.damage, rng)


def _damaged(
    roll: Cells,
    beat_phase: int,
    start: int,
    semitones: int,
    config: TrainConfig,
    damage: DamageConfig,
    rng: Generator,
) -> Sample:
    network = config.network
    low = network.lowest_pitch - semitones
    cut = window(roll, start, config.n_steps)
    target = np.zeros((cut.shape[0], config.n_steps, network.n_pitches), dtype=bool)
    bottom, top = max(low, 0), min(low + network.n_pitches, 128)
    target[:, :, bottom - low : top - low] = cut[:, :, bottom:top]
    context = context_of(config.n_steps, start, roll.shape[1], beat_phase)
    step = np.arange(start, start + config.n_steps)
    inside = (step >= 0) & (step < roll.shape[1])
    mask_ratio = rng.random()
    if rng.random() < damage.light_share:
        mask_ratio = mask_ratio**4
    noise_ratio = 0.0 if rng.random() < damage.clean_share else rng.random() * damage.noise_max
    kind = rng.random()
    if kind < damage.note_share:
        source = corrupt_notes(target, mask_ratio, int(rng.integers(9)), rng)
        if rng.random() < 0.5:
            source = corrupt(source, 0.5 * mask_ratio * rng.random(), noise_ratio * 0.2, rng, inside)
        source &= inside[:, None]
    elif kind < damage.note_share + damage.line_share:
        if damage.broken_share and rng.random() < damage.broken_share:
            line = break_line(target, "top" if rng.random() < 0.7 else "bottom", rng)
            source = corrupt(target, mask_ratio, noise_ratio, rng, inside)
            steps = np.flatnonzero(line >= 0)
            source[:, steps, line[steps]] = target[:, steps, line[steps]]
        else:
            keep: Literal["top", "bottom"] = "top" if rng.random() < 0.8 else "bottom"
            source = corrupt_accompaniment(target, keep, mask_ratio, noise_ratio, rng, inside)
    else:
        source = corrupt(target, mask_ratio, noise_ratio, rng, inside)
    return source, target, context


def _stack(samples: list[Sample], config: TrainConfig) -> Batch:
    sources, targets, contexts = zip(*samples, strict=True)
    return Batch(np.stack(sources), np.stack(targets), np.stack(contexts))
