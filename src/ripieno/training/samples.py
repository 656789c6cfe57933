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

from ripieno.edits.damage import break_line, corrupt, corrupt_accompaniment, corrupt_notes, corrupt_restrikes
from ripieno.models.coconet import CoconetConfig
from ripieno.models.context import (
    GROUPS,
    INSIDE,
    N_FEATURES,
    N_HEARD,
    Context,
    context_of,
    forget_some,
    transposed,
)
from ripieno.models.separator import SeparatorConfig
from ripieno.models.unet import UNetConfig
from ripieno.music.outline import Outline, unknown_outline
from ripieno.music.roll import Cells, Voices, restrikable, roll_of_voices, window
from ripieno.shapes import Bool, Float, Int
from ripieno.training.config import DamageConfig, TrainConfig


@dataclass(frozen=True, eq=False)
class PreparedPiece:
    """One piece of a prepared corpus.

    cells: of as many planes as are known: two where it is known which notes are struck again.
    beat_phase: which sixteenth of its beat it begins on.
    voices, onsets: (step, voice) MIDI numbers, -1 a rest, and where each strikes; None where they are not known.
    context: the piece's own, whole.
    tune_key: the same context with the key that one would guess of its top line.
    """

    name: str
    cells: Cells
    beat_phase: int
    voices: Voices | None
    onsets: Bool[np.ndarray, "_ _"] | None
    context: Context
    tune_key: Context
    style: str


@dataclass(frozen=True)
class Prepared:
    """One split of a corpus."""

    pieces: list[PreparedPiece]

    @property
    def voices(self) -> list[Voices]:
        """Who sings what, of every piece of which it is known."""
        return [piece.voices for piece in self.pieces if piece.voices is not None]


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
    tells_again: Bool[np.ndarray, " batch"]  # whether the target knows which notes are struck again


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
        struck = data.get("onsets")
        n_voices = data["n_voices"] if "n_voices" in data else [0 if sung is None else sung.shape[1]] * len(splits)
        told = data.get("outline")
        tells_onsets = data["tells_onsets"] if "tells_onsets" in data else np.zeros(len(splits), dtype=bool)
        pieces = []
        for i in chosen:
            steps = slice(bounds[i], bounds[i + 1])
            roll = np.ascontiguousarray(cells[steps].transpose(1, 0, 2))
            voices = None if sung is None or not n_voices[i] else sung[steps, : n_voices[i]]
            pieces.append(
                piece_of(
                    str(names[i]),
                    roll,
                    int(phases[i]),
                    voices,
                    None if voices is None or struck is None or not tells_onsets[i] else struck[steps, : n_voices[i]],
                    None if told is None else Outline(*told[steps].T.astype(int)),
                    None if "tune_key" not in data else tuple(data["tune_key"][i].tolist()),
                    str(data["style"][i]) if "style" in data else "",
                )
            )
        return Prepared(pieces)


def piece_of(
    name: str,
    cells: Cells,
    beat_phase: int = 0,
    voices: Voices | None = None,
    onsets: Bool[np.ndarray, "_ _"] | None = None,
    outline: Outline | None = None,
    tune_key: tuple[int, int] | None = None,
    style: str = "",
) -> PreparedPiece:
    """A piece of a corpus from what is known of it.

    Args:
        name, cells, beat_phase, voices, onsets, style: as `PreparedPiece` has them; onsets give it a second plane.
        outline: its bars, phrases and key; unknown unless given.
        tune_key: tonic and 1 for minor, as guessed of its top line; the outline's key unless given.
    """
    n_steps = cells.shape[1]
    if voices is not None and onsets is not None:
        cells = struck_roll(voices, onsets)
    outline = outline or unknown_outline(n_steps)
    guessed = outline
    if tune_key is not None:
        guessed = replace(outline, tonic=np.full(n_steps, tune_key[0]), minor=np.full(n_steps, tune_key[1]))
    whole, of_tune = (
        context_of(n_steps, beat_phase=beat_phase, outline=known, style=style or None) for known in (outline, guessed)
    )
    return PreparedPiece(name, cells, beat_phase, voices, onsets, whole, of_tune, style)


def struck_roll(voices: Voices, onsets: Bool[np.ndarray, "_ _"]) -> Cells:
    """The roll of voices that strike, of two planes; two voices that hand a pitch over strike it again."""
    cells = np.concatenate([roll_of_voices(voices)] * 2)
    cells[1] = False
    steps, columns = np.nonzero(onsets & (voices >= 0))
    cells[1, steps, voices[steps, columns]] = True
    cells[1] &= restrikable(cells)
    return cells


def training_batch(corpus: Prepared, config: TrainConfig, number: int) -> Batch:
    """Batch `number` of a run."""
    rng = Generator(Philox(key=[config.seed, number]))
    lengths = np.array([piece.cells.shape[1] for piece in corpus.pieces], dtype=float)
    which = rng.choice(len(lengths), size=config.batch_size, p=lengths / lengths.sum())
    samples = [_draw_sample(corpus.pieces[i], config, rng) for i in which]
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

    A model that never takes back (`noise_max` 0) is not asked to; one that hears knows all that there is to know.
    """
    rng = Generator(Philox(key=[seed, 0]))
    damage = DamageConfig(noise_max=min(config.damage.noise_max, DamageConfig().noise_max))
    samples = []
    for number in range(n_samples):
        piece = corpus.pieces[number % len(corpus.pieces)]
        last = max(piece.cells.shape[1] - config.n_steps, 0)
        start = int(rng.integers(last // 4 + 1)) * 4
        target = _target(piece.cells, start, 0, config)
        context = _cut_context(piece, piece.context, start, config.n_steps)
        samples.append(_damaged(target, context, config, damage, rng))
    return _stack(samples, config)


Sample = tuple[Bool[np.ndarray, "_ _ _"], Bool[np.ndarray, "_ _ _"], Float[np.ndarray, "_ _"], bool]


def _draw_sample(piece: PreparedPiece, config: TrainConfig, rng: Generator) -> Sample:
    multiple = config.start_multiple
    n_steps = piece.cells.shape[1]
    first = -(config.overhang // multiple)
    last = max((n_steps - config.n_steps + config.overhang) // multiple, 0)
    start = int(rng.integers(first, last + 1)) * multiple - piece.beat_phase
    semitones = int(rng.integers(-config.transpose_down, config.transpose_up + 1))
    cells, context = piece.cells, piece.context
    hears = config.hearing
    n_features = config.network.n_features if isinstance(config.network, UNetConfig) else N_FEATURES
    if n_features == N_HEARD:
        n_voices = 0 if piece.voices is None else piece.voices.shape[1]
        if n_voices > 2 and rng.random() < hears.fewer_share:
            cells, n_voices = _fewer_voices(piece, rng)
        context = piece.tune_key if rng.random() < hears.guessed_key else context
        context = _cut_context(piece, context, start, config.n_steps, n_voices)
        context = forget_some(transposed(context, semitones), hears.unknown, rng)
    else:
        context = _cut_context(piece, context, start, config.n_steps)[:n_features]
    target = _target(cells, start, semitones, config)
    return _damaged(target, context, config, config.damage, rng, tells_again=cells.shape[0] > 1)


def _fewer_voices(piece: PreparedPiece, rng: Generator) -> tuple[Cells, int]:
    """The piece with one or two of its voices left out; mostly the soprano stays."""
    assert piece.voices is not None
    n_voices = piece.voices.shape[1]
    left = int(rng.integers(2, n_voices))
    kept = rng.permutation(np.arange(1, n_voices))
    if rng.random() < 0.8:
        kept = np.concatenate([[0], kept])
    kept = np.sort(kept[:left])
    if piece.onsets is None:
        return roll_of_voices(piece.voices[:, kept]), left
    return struck_roll(piece.voices[:, kept], piece.onsets[:, kept]), left


def _cut_context(
    piece: PreparedPiece, context: Context, start: int, n_steps: int, n_voices: int = 0
) -> Float[np.ndarray, "feature window"]:
    """A window of a piece's context; past the ends of the piece only the beat goes on."""
    cut = context_of(n_steps, start, context.shape[1], piece.beat_phase, n_voices=n_voices)
    first, last = max(start, 0), min(start + n_steps, context.shape[1])
    if first < last:
        known = context[:, first:last]
        voices = GROUPS["voices"]
        cut[N_FEATURES : voices.start, first - start : last - start] = known[N_FEATURES : voices.start]
        cut[voices.stop :, first - start : last - start] = known[voices.stop :]
    return cut


def _target(cells: Cells, start: int, semitones: int, config: TrainConfig) -> Bool[np.ndarray, "_ _ _"]:
    """A window of a roll, in the network's planes and pitch window."""
    network = config.network
    n_planes = network.n_planes if isinstance(network, UNetConfig) else 1
    low = network.lowest_pitch - semitones
    cut = window(cells, start, config.n_steps)[:n_planes]
    target = np.zeros((n_planes, config.n_steps, network.n_pitches), dtype=bool)
    bottom, top = max(low, 0), min(low + network.n_pitches, 128)
    target[: cut.shape[0], :, bottom - low : top - low] = cut[:, :, bottom:top]
    return target


def _damaged(
    target: Bool[np.ndarray, "_ _ _"],
    context: Context,
    config: TrainConfig,
    damage: DamageConfig,
    rng: Generator,
    tells_again: bool = False,
) -> Sample:
    inside = context[INSIDE] > 0.5
    sounding = target[:1]  # the second plane is damaged after it
    mask_ratio = rng.random()
    if rng.random() < damage.light_share:
        mask_ratio = mask_ratio**4
    noise_ratio = 0.0 if rng.random() < damage.clean_share else rng.random() * damage.noise_max
    kind = rng.random()
    if kind < damage.note_share:
        source = corrupt_notes(sounding, mask_ratio, int(rng.integers(9)), rng)
        if rng.random() < 0.5:
            source = corrupt(source, 0.5 * mask_ratio * rng.random(), noise_ratio * 0.2, rng, inside)
        source &= inside[:, None]
    elif kind < damage.note_share + damage.line_share:
        if damage.broken_share and rng.random() < damage.broken_share:
            line = break_line(sounding, "top" if rng.random() < 0.7 else "bottom", rng)
            source = corrupt(sounding, mask_ratio, noise_ratio, rng, inside)
            steps = np.flatnonzero(line >= 0)
            source[:, steps, line[steps]] = sounding[:, steps, line[steps]]
        else:
            keep: Literal["top", "bottom"] = "top" if rng.random() < 0.8 else "bottom"
            if damage.bare_share and rng.random() < damage.bare_share:
                mask_ratio = 1.0
            source = corrupt_accompaniment(sounding, keep, mask_ratio, noise_ratio, rng, inside)
    else:
        source = corrupt(sounding, mask_ratio, noise_ratio, rng, inside)
    if damage.tail_share and rng.random() < damage.tail_share:
        source[:, int(rng.integers(1, source.shape[1])) :] = False
    if target.shape[0] > 1:
        target[1] &= restrikable(target)
        source = np.concatenate([source, corrupt_restrikes(target, source, mask_ratio, noise_ratio, rng)])
    return source, target, context, tells_again


def _stack(samples: list[Sample], config: TrainConfig) -> Batch:
    sources, targets, contexts, tell = zip(*samples, strict=True)
    return Batch(np.stack(sources), np.stack(targets), np.stack(contexts), np.array(tell))
