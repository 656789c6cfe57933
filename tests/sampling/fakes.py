"""Ten-line models."""

from collections.abc import Callable

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.models.runtime import Prediction


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


def indifferent(cells, context) -> Prediction:
    """A model to which every cell is the same."""
    return Prediction(np.zeros(cells.shape, dtype=np.float32), np.full(len(cells), 50.0, dtype=np.float32))
