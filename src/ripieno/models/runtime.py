"""Predict: a roll in, the score of every cell out, by ONNX Runtime. Fill: the same for Coconet's scores with blanks.
Separate: a roll in, who sings what out.

From here up a model is a function `predict(cells, context) -> Prediction` (or `fill`, or `separate`) and its card, so
any function of that shape can stand in for it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.models.context import N_FEATURES
from ripieno.music.roll import N_PITCHES
from ripieno.music.styles import STYLES
from ripieno.shapes import Bool, Float, Int

CARD_KEY = "ripieno_card"  # in the ONNX file's metadata
GPU = ("CUDAExecutionProvider", "ROCMExecutionProvider", "DmlExecutionProvider")  # used where they are installed
WINDOW = 1024  # steps of a long roll that are remembered together
MOST_WINDOWS = 4  # neighbours that are scored in one pass
OVERLAP = 224  # and beside them: further than this the network does not hear, in whole pooled steps
TOLD_APART = 1024  # steps of which a separator is asked at once
REACH = 22  # steps beside them that one hears whose card does not say
DEEPEST = 32  # steps in a pooled one (six levels), up to which that is so
FORMAT = 2  # of the card and of the graph's inputs and outputs; 1 had the sums of the changes alone


@dataclass(frozen=True)
class Prediction:
    """What a model says of a batch of rolls.

    logits: unnormalised scores of the next edit; -inf outside the model's pitch window.
    n_left: how many edits the model expects are still to come; nan if it was not trained to tell.
    sharpness: what the scores were multiplied by when the model was exported; without it, its own probabilities are
        the softmax of `logits / sharpness`.
    changes: the chance of each cell that it has to change at all, by an output of its own; None where the model has
        none, or nobody keeps it. One less that of a sounding cell is how sure the model is of it.
    """

    logits: Float[np.ndarray, "batch plane step pitch"]
    n_left: Float[np.ndarray, " batch"]
    sharpness: float = 1.0
    changes: Float[np.ndarray, "batch plane step pitch"] | None = None


Predict = Callable[[Bool[np.ndarray, "batch plane step pitch"], Float[np.ndarray, "batch feature step"]], Prediction]


@dataclass(frozen=True)
class Model:
    """A trained model: call it as `model(cells, context)`.

    `card` says what it was trained on and how well it does; `name` is its file's; `digest` tells two models apart.
    """

    name: str
    digest: str
    card: dict[str, Any]
    lowest_pitch: int
    n_pitches: int
    step_multiple: int
    n_planes: int
    _session: Any = field(repr=False, compare=False)
    n_features: int = N_FEATURES
    # of a long roll: the window that begins at a step, what it was asked with, its logits, its changes
    _windows: dict[int, tuple[bytes, np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def highest_pitch(self) -> int:
        """The highest pitch that the model can score."""
        return self.lowest_pitch + self.n_pitches - 1

    @property
    def styles(self) -> tuple[str, ...]:
        """Those of `music.styles.STYLES` that it has learned apart; models that were told of none write chorales."""
        return tuple(self.card.get("styles", STYLES[:1]))

    @property
    def is_on_gpu(self) -> bool:
        """Whether many rolls in a pass cost hardly more than one."""
        return any(provider in GPU for provider in self._session.get_providers())

    def __call__(
        self, cells: Bool[np.ndarray, "batch plane step pitch"], context: Float[np.ndarray, "batch feature step"]
    ) -> Prediction:
        """Score every cell of a batch of rolls of 128 pitches and any number of steps.

        Planes that the model has and the rolls have not are silent to it, and it says nothing of them; of those that
        the rolls have and the model has not it says that they never change.
        """
        batch, n_planes, n_steps, _ = cells.shape
        padded = -(-n_steps // self.step_multiple) * self.step_multiple
        held = slice(self.lowest_pitch, self.lowest_pitch + self.n_pitches)
        shared = min(n_planes, self.n_planes)
        source = np.zeros((batch, self.n_planes, padded, self.n_pitches), dtype=np.float32)
        source[:, :shared, :n_steps] = cells[:, :shared, :, held]
        n_features = min(self.n_features, context.shape[1])
        around = np.zeros((batch, self.n_features, padded), dtype=np.float32)
        around[:, :n_features, :n_steps] = context[:, :n_features]
        if padded > n_steps:  # the beat goes on past the end of the piece
            late = np.arange(n_steps, padded)
            around[:, :4, n_steps:] = around[:, :4][:, :, late % 4 + (n_steps // 4 - 1) * 4] if n_steps >= 4 else 0
        logits, changes = self._scores(source, around)
        whole = np.full((batch, n_planes, n_steps, N_PITCHES), -np.inf, dtype=np.float32)
        whole[:, :shared, :, held] = logits[:, :shared, :n_steps]
        n_left = changes[:, :shared].sum((1, 2, 3), dtype=np.float32)
        sharpness = 1 / self.card.get("logits_divided_by", 1.0)
        if self.card.get("format", FORMAT) < 2:
            return Prediction(whole, n_left, sharpness)
        placed = np.zeros_like(whole)
        placed[:, :shared, :, held] = changes[:, :shared, :n_steps]
        return Prediction(whole, n_left, sharpness, placed)

    def _scores(self, source: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and changes of padded rolls; long ones in windows that overlap.

        As far as the overlap reaches a window does not know that the piece goes on, and what it says there is left out;
        further than that no step hears another, so that the windows say together what one long pass would say, in less
        memory. A window in which nothing has changed since it was last asked is not asked again.
        """
        n_steps = source.shape[2]
        deep = self.step_multiple > DEEPEST
        if n_steps <= WINDOW + 2 * OVERLAP or self.is_on_gpu or len(source) > 1 or deep:
            return self._pass(source, around)
        firsts = range(0, n_steps, WINDOW)
        asked: dict[int, bytes] = {}
        for first in firsts:
            near = slice(max(first - OVERLAP, 0), min(first + WINDOW + OVERLAP, n_steps))
            asked[first] = source[:, :, near].tobytes() + around[:, :, near].tobytes()
        known = {first: last for first in firsts if (last := self._windows.get(first)) and last[0] == asked[first]}
        stale = [first for first in firsts if first not in known]
        while stale:
            group = [stale.pop(0)]
            while stale and stale[0] == group[-1] + WINDOW and len(group) < MOST_WINDOWS:
                group.append(stale.pop(0))
            seen = slice(max(group[0] - OVERLAP, 0), min(group[-1] + WINDOW + OVERLAP, n_steps))
            scores, changes = self._pass(source[:, :, seen], around[:, :, seen])
            for first in group:
                kept = slice(first - seen.start, min(first + WINDOW, n_steps) - seen.start)
                known[first] = asked[first], scores[:, :, kept].copy(), changes[:, :, kept].copy()
        parts = [known[first] for first in firsts]
        self._windows.update(known)
        logits, changed = (np.concatenate([part[i] for part in parts], axis=2) for i in (1, 2))
        return logits, changed

    def _pass(self, source: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One call of the network. Of a file of format 1 only the sums of the changes are known: by step, or whole."""
        logits, changes, *by_step = self._session.run(None, {"cells": source, "context": around})
        if changes.ndim == 1:  # format 1: laid where their sums come out right
            sums = by_step[0] if by_step else np.pad(changes[:, None], ((0, 0), (0, source.shape[2] - 1)))
            changes = np.zeros(source.shape, dtype=np.float32)
            changes[:, 0, :, 0] = sums
        return logits, changes


# Pitches (MIDI numbers, -1 a rest) and which of them are known, to log probabilities of each voice's pitch at each
# step; what a pitch is where it is not known does not matter. -inf outside the model's pitch window.
Fill = Callable[
    [Int[np.ndarray, "batch step voice"], Bool[np.ndarray, "batch step voice"]],
    Float[np.ndarray, "batch step voice pitch"],
]


@dataclass(frozen=True)
class CoconetModel:
    """A trained Coconet: call it as `fill(pitches, known)`."""

    name: str
    digest: str
    card: dict[str, Any]
    lowest_pitch: int
    n_pitches: int
    n_voices: int
    _session: Any = field(repr=False, compare=False)

    def __call__(
        self, pitches: Int[np.ndarray, "batch step voice"], known: Bool[np.ndarray, "batch step voice"]
    ) -> Float[np.ndarray, "batch step voice pitch"]:
        """Log probabilities of each voice's pitch."""
        batch, n_steps, n_voices = pitches.shape
        column = pitches - self.lowest_pitch
        sings = known & (pitches >= 0) & (column >= 0) & (column < self.n_pitches)
        sung = np.zeros((batch, n_voices, n_steps, self.n_pitches), dtype=np.float32)
        which, step, voice = np.nonzero(sings)
        sung[which, voice, step, column[sings]] = 1
        (log_p,) = self._session.run(None, {"sung": sung, "known": known.transpose(0, 2, 1).astype(np.float32)})
        whole = np.full((batch, n_steps, n_voices, N_PITCHES), -np.inf, dtype=np.float32)
        whole[..., self.lowest_pitch : self.lowest_pitch + self.n_pitches] = log_p.transpose(0, 2, 1, 3)
        return whole


@dataclass(frozen=True)
class SeparatorModel:
    """A network that tells voices apart, a `music.voices.Separate`: call it as `separate(cells)`."""

    name: str
    digest: str
    card: dict[str, Any]
    lowest_pitch: int
    n_pitches: int
    n_voices: int
    _session: Any = field(repr=False, compare=False)
    _last: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, cells: Bool[np.ndarray, "plane step pitch"]) -> Float[np.ndarray, "step voice pitch"]:
        """Log probabilities of each voice's pitch; 0 outside of the model's pitch window."""
        window = slice(self.lowest_pitch, self.lowest_pitch + self.n_pitches)
        roll = np.packbits(cells[0]).tobytes()
        known = self._last.get(roll)  # who asks once often asks again, of the finished piece
        if known is not None:
            return known
        n_steps = cells.shape[1]
        whole = np.zeros((n_steps, self.n_voices, N_PITCHES), dtype=np.float32)
        heard = int(self.card.get("reach", REACH))
        for first in range(0, n_steps, TOLD_APART):  # a long roll in parts, which say what one pass would say
            end = min(first + TOLD_APART, n_steps)
            seen = slice(max(first - heard, 0), min(end + heard, n_steps))
            (log_p,) = self._session.run(None, {"cells": cells[None, :1, seen, window].astype(np.float32)})
            whole[first:end, :, window] = log_p[0, :, first - seen.start : end - seen.start].transpose(1, 0, 2)
        whole.flags.writeable = False
        self._last.clear()
        self._last[roll] = whole
        return whole


def load_separator(path: str | Path | None = None, n_threads: int | None = None) -> SeparatorModel:
    """Load a network that tells voices apart, or the bundled one; see `load_model`.

    Raises:
        BadInput: as `load_model`, or the model does something else.
    """
    refusal = "does not tell voices apart; train one with `ripieno train --config voices`"
    return SeparatorModel(**_of_voices(path, "separator.onnx", n_threads, separates=True, refusal=refusal))


@lru_cache(maxsize=1)
def the_separator() -> SeparatorModel:
    """The bundled separator, loaded once."""
    return load_separator()


def load_coconet(path: str | Path | None = None, n_threads: int | None = None) -> CoconetModel:
    """Load a Coconet, or the bundled one; see `load_model`.

    Raises:
        BadInput: as `load_model`, or the model knows no voices.
    """
    refusal = "edits merged rolls and knows no voices; give a Coconet, or leave it out"
    return CoconetModel(**_of_voices(path, "coconet.onnx", n_threads, separates=False, refusal=refusal))


def _of_voices(
    path: str | Path | None, bundled: str, n_threads: int | None, *, separates: bool, refusal: str
) -> dict[str, Any]:
    """The fields of a model that has an output for each voice; one of another kind is refused."""
    name, data = _read(path, bundled)
    session, digest, card = _open(data, name, n_threads)
    if "n_voices" not in card or bool(card.get("separates")) != separates:
        raise BadInput(f"model {name} {refusal}")
    told = {key: card[key] for key in ("lowest_pitch", "n_pitches", "n_voices")}
    return {"name": name, "digest": digest, "card": card, "_session": session, **told}


def load_model(path: str | Path | None = None, n_threads: int | None = None) -> Model:
    """Load a model file, or the bundled model.

    Args:
        path: an `.onnx` file that `ripieno train` wrote; None for the model in the package.
        n_threads: cores to use; all of them unless given.

    Raises:
        BadInput: no such file, damaged, not a Ripieno model, or of a newer version of Ripieno.
    """
    name, data = _read(path, "chorale.onnx")
    session, digest, card = _open(data, name, n_threads)
    session = _Streams(data, session, n_threads or _n_cores())
    if "step_multiple" not in card:
        raise BadInput(f"model {name} fills in or tells apart voices and does not edit; give a U-Net, or leave it out")
    if path is None:  # its scores were measured on the file as it is, so its card lies beside it
        card |= json.loads((resources.files("ripieno.models") / "bundled" / "card.json").read_text(encoding="utf-8"))
    return Model(
        name=name,
        digest=digest,
        card=card,
        lowest_pitch=card["lowest_pitch"],
        n_pitches=card["n_pitches"],
        step_multiple=card["step_multiple"],
        n_planes=card["n_planes"],
        n_features=card.get("n_features") or N_FEATURES,
        _session=session,
    )


class _Streams:
    """Runs a file: one roll on all cores, several shared out among the cores, each of which then works by itself.

    Eight rolls take 11.5 ms so, and 14.5 ms one after the other on both of two cores
    (docs/log.md#several-rolls-on-two-cores).
    """

    def __init__(self, data: bytes, session: Any, n_threads: int) -> None:
        self._data, self._session, self._n_threads = data, session, n_threads
        self.get_providers, self.get_outputs = session.get_providers, session.get_outputs

    @cached_property
    def _streams(self) -> tuple[Any, ThreadPoolExecutor]:
        return _new_session(self._data, 1), ThreadPoolExecutor(self._n_threads, thread_name_prefix="pass")

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The file's outputs, as ONNX Runtime's `run` gives them."""
        n_rolls = len(next(iter(inputs.values())))
        if min(n_rolls, self._n_threads) == 1 or any(provider in GPU for provider in self.get_providers()):
            whole: list[np.ndarray] = self._session.run(names, inputs)
            return whole
        session, pool = self._streams
        cuts = np.linspace(0, n_rolls, min(n_rolls, self._n_threads) + 1).round().astype(int)
        shares = [{name: array[a:b] for name, array in inputs.items()} for a, b in pairwise(cuts)]
        answers = list(pool.map(lambda share: session.run(names, share), shares))
        return [np.concatenate(parts) for parts in zip(*answers, strict=True)]


def open_session(path: Path) -> tuple[Any, dict[str, Any]]:
    """The ONNX Runtime session and the card of any model file of ours.

    Raises:
        BadInput: as `load_model`.
    """
    name, data = _read(path, "")
    session, _, card = _open(data, name, None)
    return session, card


def _read(path: str | Path | None, bundled: str) -> tuple[str, bytes]:
    if path is None:
        file = resources.files("ripieno.models") / "bundled" / bundled
        return f"{bundled.partition('.')[0]} (bundled)", file.read_bytes()
    path = Path(path)
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BadInput(f"model {path} cannot be read: {reason}; without --model the bundled one is used") from error


def _open(data: bytes, name: str, n_threads: int | None) -> tuple[Any, str, dict[str, Any]]:
    """A session, the digest of its file, its card."""
    try:
        session = _new_session(data, n_threads or _n_cores())
        meta = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # ONNX Runtime raises its own kinds for every sort of damage
        raise BadInput(f"model {name} is damaged or no ONNX file; train one with `ripieno train`") from error
    if CARD_KEY not in meta:
        raise BadInput(f"model {name} was not made by Ripieno; train one with `ripieno train`")
    card: dict[str, Any] = json.loads(meta[CARD_KEY])
    if card.get("format", 0) > FORMAT:
        raise BadInput(f"model {name} needs a newer Ripieno: its format is {card['format']}, this one reads {FORMAT}")
    return session, _digest(data), card


def _new_session(data: bytes, n_threads: int) -> Any:
    import onnxruntime as ort  # heavy: only when a model is wanted

    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    # between passes its threads would go on spinning, for some 50 ms, in the way of whatever comes next
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    there = [provider for provider in GPU if provider in ort.get_available_providers()]
    return ort.InferenceSession(data, options, providers=[*there, "CPUExecutionProvider"])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def model_digest(path: Path) -> str:
    """What tells a model file from others; `Model.digest` of it."""
    return _digest(path.read_bytes())


@lru_cache(maxsize=1)
def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
