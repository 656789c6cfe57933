"""Ten-line models, and a piece for them."""

from collections.abc import Callable

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.models.runtime import Model, Prediction


def chorale() -> np.ndarray:
    """Four voices in quarters, halves and eighths, 64 steps, int (step, voice). Tenor and bass meet once, on C3."""
    lines = (
        [(72, 4), (74, 4), (76, 8), (77, 2), (76, 2), (74, 4), (72, 8)],
        [(67, 8), (65, 4), (67, 4), (69, 4), (65, 4), (64, 8)],
        [(60, 4), (59, 4), (55, 8), (57, 2), (48, 2), (59, 4), (57, 4), (55, 4)],
        [(41, 4), (43, 4), (45, 4), (50, 4), (48, 8), (43, 2), (41, 2), (40, 4)],
    )
    voices = np.stack([np.repeat(*np.array(line).T) for line in lines], axis=1)
    return np.concatenate([voices, voices + 3])


def pointing_at(*edits: Edit, n_left: float = 100.0) -> Callable[..., Prediction]:
    """A model that wants these cells changed, the first most of all."""

    def predict(cells, context):
        logits = np.zeros(cells.shape, dtype=np.float32)
        for rank, edit in enumerate(edits):
            logits[(slice(None), *edit)] = 60.0 - rank
        return Prediction(logits, np.full(len(cells), n_left, dtype=np.float32))

    return predict


def wanting(target: np.ndarray) -> Callable[..., Prediction]:
    """A model that knows the piece: it wants whatever differs from it, and nothing once nothing does."""

    def predict(cells, context):
        wrong = cells != target
        logits = np.where(wrong, 30.0, 0.0).astype(np.float32)
        return Prediction(logits, wrong.sum(axis=(1, 2, 3)).astype(np.float32))

    return predict


def striking(target: np.ndarray) -> Callable[..., Prediction]:
    """As `wanting`, of two planes: it wants a note struck again only where one sounds, and did before."""

    def predict(cells, context):
        wrong = cells != target
        wrong[:, 1, 1:] &= cells[:, 0, 1:] & cells[:, 0, :-1]
        wrong[:, 1, 0] = False
        logits = np.where(wrong, 30.0, 0.0).astype(np.float32)
        return Prediction(logits, wrong.sum(axis=(1, 2, 3)).astype(np.float32))

    return predict


def wanting_in_any_key(target: np.ndarray) -> Callable[..., Prediction]:
    """A model that knows the piece, and knows it again where it is transposed by a tone or less."""

    def predict(cells, context):
        keys = [np.roll(target, by, axis=-1) for by in (0, -1, 1, -2, 2)]
        nearest = min(keys, key=lambda one: np.count_nonzero(cells != one))
        return wanting(nearest)(cells, context)

    return predict


def indifferent(cells, context) -> Prediction:
    """A model to which every cell is the same."""
    return Prediction(np.zeros(cells.shape, dtype=np.float32), np.full(len(cells), 50.0, dtype=np.float32))


class _Session:
    """Stands in for ONNX Runtime's session."""

    def __init__(self, predict) -> None:
        self.predict = predict

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def run(self, outputs, inputs):
        cells = inputs["cells"] > 0.5
        whole = np.zeros((*cells.shape[:3], 128), dtype=bool)
        whole[..., 28:92] = cells
        prediction = self.predict(whole, inputs["context"])
        return prediction.logits[..., 28:92], prediction.n_left


def model_of(predict: Callable[..., Prediction], n_planes: int = 1) -> Model:
    """A loaded model, as the bundled one but for what it says, and the planes that it hears."""
    return Model(
        name="fake",
        digest="0",
        card={},
        lowest_pitch=28,
        n_pitches=64,
        step_multiple=4,
        n_planes=n_planes,
        _session=_Session(predict),
    )


# How well two pitches go together, by the semitones between them.
_CONSONANCE = np.array([-2, -9, -3, 4, 4, 2, -9, 5, 4, 4, -3, -9])


def consonant(cells, context) -> Prediction:
    """A model of whole numbers: what is consonant and goes on is likely, up to four notes at a step."""
    sounding = cells[:, 0].astype(int)
    classes = np.stack([sounding[:, :, pitch::12].sum(axis=2) for pitch in range(12)], axis=2)
    fits = np.stack([classes @ _CONSONANCE[(pitch - np.arange(12)) % 12] for pitch in range(12)], axis=2)
    score = fits[:, :, np.arange(128) % 12] - abs(np.arange(128) - 58) // 4
    score[:, 1:] += 3 * sounding[:, :-1]
    score[:, :-1] += 3 * sounding[:, 1:]
    full = sounding.sum(axis=2, keepdims=True)
    score = np.where(sounding > 0, 4 * (full - 4) - score - 6, score - 12 * (full >= 4) + 3 * (full < 3))
    n_left = np.maximum(4 - full[:, :, 0], 0).sum(axis=1) + 2 * np.maximum(full[:, :, 0] - 4, 0).sum(axis=1)
    logits = np.full(cells.shape, -64.0, dtype=np.float32)
    logits[:, 0] = score / 2
    return Prediction(logits, n_left.astype(np.float32))


def expecting(truth: np.ndarray):
    """A model of voices that knows the piece; of which window, it tells from what is known around the blank."""

    def fill(pitches, known):
        log_p = np.full((*pitches.shape, 128), -9.0)
        for row, (here, given_) in enumerate(zip(pitches, known, strict=True)):
            fits = [
                ((truth[start : start + len(here)] == here) & given_).sum()
                for start in range(len(truth) - len(here) + 1)
            ]
            start = int(np.argmax(fits))
            np.put_along_axis(log_p[row], truth[start : start + len(here), :, None], -0.1, axis=2)
        return log_p

    return fill
