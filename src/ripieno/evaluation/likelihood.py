"""The notewise likelihood of Table 1, level 0.  (Paper 6.2)

Some cells of a real window are cleared, and the model is asked how probable it is that sampling puts back just
these, in K edits, in any order: `(1/K) log (K!/|S| sum over S random orders of the product of the edits' chances)`.

Differences from the paper:
1. Level 0 only: exactly K edits. Its sum over longer sequences is no likelihood, since those of each length sum to 1.
2. It does not say how many orders it draws; we draw 10. Nor how long its samples are; ours are 128 steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lgamma, log

import numpy as np
from numpy.random import Generator, Philox

from ripieno.models.context import Context, context_of
from ripieno.models.runtime import Predict
from ripieno.music.roll import Cells, window
from ripieno.shapes import Float


@dataclass(frozen=True)
class Window:
    """A stretch of a real piece. `piece` tells which windows belong together when intervals are drawn."""

    piece: str
    cells: Cells
    context: Context


def windows_of(name: str, cells: Cells, n_steps: int = 128) -> list[Window]:
    """The whole windows of a piece, end to end."""
    length = cells.shape[1]
    return [
        Window(name, window(cells, start, n_steps), context_of(n_steps, start, length))
        for start in range(0, length - n_steps + 1, n_steps)
    ]


def notewise(
    predict: Predict, of: Window, n_missing: int, n_orders: int, n_picks: int, rng: Generator, batch: int = 40
) -> Float[np.ndarray, " pick"]:
    """The notewise likelihood of one window, in nats an edit, for several picks of missing cells.

    Args:
        predict: the model.
        of: the window.
        n_missing: cells to clear, K.
        n_orders: random orders to put them back in, |S|.
        n_picks: how many times to choose missing cells anew.
        rng: the only source of chance.
        batch: rolls a pass.
    """
    sounding = np.argwhere(of.cells)
    picks = [rng.permutation(sounding)[:n_missing] for _ in range(n_picks)]
    k = len(picks[0])
    orders = [[rng.permutation(k) for _ in range(n_orders)] for _ in range(n_picks)]
    # orders that have put back the same cells, whichever came first, share a pass
    states = sorted({(p, *sorted(order[:j])) for p in range(n_picks) for order in orders[p] for j in range(k)})
    scores: dict[tuple[int, ...], Float[np.ndarray, " cell"]] = {}
    for first in range(0, len(states), batch):
        some = states[first : first + batch]
        rolls = np.repeat(of.cells[None], len(some), axis=0)
        for roll, (p, *back) in zip(rolls, some, strict=True):
            roll[tuple(picks[p].T)] = False
            roll[tuple(picks[p][back].T)] = True
        logits = predict(rolls, np.repeat(of.context[None], len(some), axis=0)).logits.astype(float)
        flat = logits.reshape(len(some), -1)
        top = flat.max(axis=1)
        normalisers = top + np.log(np.exp(flat - top[:, None]).sum(axis=1))
        for state, own, normaliser in zip(some, logits, normalisers, strict=True):
            scores[state] = own[tuple(picks[state[0]].T)] - normaliser
    log_p = np.array(
        [
            [sum(scores[(p, *sorted(order[:j]))][order[j]] for j in range(k)) for order in orders[p]]
            for p in range(n_picks)
        ]
    )
    best = log_p.max(axis=1)
    summed = best + np.log(np.exp(log_p - best[:, None]).sum(axis=1))
    result: Float[np.ndarray, " pick"] = (lgamma(k + 1) - log(n_orders) + summed) / k
    return result


def notewise_all(
    predict: Predict, windows: Sequence[Window], n_missing: int, n_orders: int, n_picks: int, seed: int = 0
) -> Iterator[tuple[str, Float[np.ndarray, " pick"]]]:
    """`notewise` of many windows, one at a time, with the name of the piece."""
    for number, one in enumerate(windows):
        rng = Generator(Philox(key=[seed, number]))
        yield one.piece, notewise(predict, one, n_missing, n_orders, n_picks, rng)


def interval_by_piece(
    values: Sequence[tuple[str, Float[np.ndarray, " pick"]]], share: float = 0.95, n_draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the mean over windows; pieces are drawn, not windows."""
    names = sorted({name for name, _ in values})
    sums = np.array([sum(v.sum() for name, v in values if name == piece) for piece in names])
    counts = np.array([sum(len(v) for name, v in values if name == piece) for piece in names])
    rng = Generator(Philox(key=[seed, 1]))
    drawn = rng.integers(len(names), size=(n_draws, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
