"""The notewise likelihood of Table 1, levels 0 and 1.  (Paper 6.2)

Some cells of a real window are cleared, and the model is asked how probable it is that sampling puts back just
these, K of them: `(1/K) log (sum over d, and over Q, of (K+2d)!/2^d 1/|S| sum over S random orders of p(order))`,
where p is the product of the edits' chances. At level d = 0 each missing cell is visited once. At level 1 one cell
more, out of a pool Q of cells that are not missing, is visited twice: once wrongly, and once to take that back.

What the figure is: level 0 is the log-probability, an edit, of being at the target after exactly K edits. Levels 0
and 1 together are no likelihood, nor a lower bound of one: nothing says "stop", so the sequences of each length sum to
1, and adding up lengths counts expected visits to the target. The sum is never below level 0, by construction.

The paper's softmax is over all cells, so that a model which doubts what it is given pays for it even where nothing is
wrong. The program by default takes nothing of the user's back (`Policy`), so there is a second way to count: `given`
leaves the source's cells out of the softmax, as sampling does.

Differences from the paper:
1. Table 1 is at level 1 (D = 1). We report level 0, and level 1 beside it when asked; no level above.
2. It gives neither the number of orders, nor the size of the pool, nor the length of its samples. We draw 10 orders,
   take 8 cells, and cut samples of 128 steps.
3. It does not say in which state the pool's cells are the most probable; we rank them in the source.
4. The same orders of the missing cells serve both levels and every cell of the pool; only where its two visits stand
   is drawn anew for each. The expected sum is the same, and more states are shared.
5. As there, a missing cell is never visited three times, though that too ends at the target after K+2 edits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from math import factorial, lgamma, log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.evaluation import models
from ripieno.evaluation.inputs import generator_for
from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import TITLES, decimal, table, with_interval
from ripieno.evaluation.statistics import mean_interval
from ripieno.models.context import Context, context_of
from ripieno.models.runtime import Predict
from ripieno.music.roll import Cells, window
from ripieno.shapes import Float, Int

MOST_SEQUENCES = 50_000  # that are enumerated for one pick
K, S, POOL, N_PICKS = 10, 10, 8, 1  # of the evaluation; windows differ more than picks do
N_STEPS = 128  # of a window


@dataclass(frozen=True)
class Window:
    """A stretch of a real piece. `piece` tells which windows belong together when intervals are drawn."""

    piece: str
    cells: Cells
    context: Context


def windows_of(name: str, cells: Cells, n_steps: int = N_STEPS) -> list[Window]:
    """The whole windows of a piece, end to end."""
    length = cells.shape[1]
    return [
        Window(name, window(cells, start, n_steps), context_of(n_steps, start, length))
        for start in range(0, length - n_steps + 1, n_steps)
    ]


def notewise(
    predict: Predict, of: Window, n_missing: int, n_orders: int | None, n_picks: int, rng: Generator, batch: int = 40
) -> Float[np.ndarray, " pick"]:
    """The notewise likelihood of one window, level 0: `notewise_levels` says what the arguments are."""
    return notewise_levels(predict, of, n_missing, n_orders, n_picks, rng, batch=batch)[:, 0]


def notewise_levels(
    predict: Predict,
    of: Window,
    n_missing: int,
    n_orders: int | None,
    n_picks: int,
    rng: Generator,
    levels: int = 0,
    pool: int = 8,
    batch: int = 40,
    given: bool = False,
) -> Float[np.ndarray, "pick level"]:
    """The notewise likelihood of one window, in nats an edit missing, for several picks of missing cells.  (Paper 6.2)

    Column d holds the sum of levels 0 to d, so the columns never fall. Column 0 does not depend on `levels`.

    Args:
        predict: the model.
        of: the window; without the missing cells it is the source, with them the target.
        n_missing: cells to clear, K.
        n_orders: random orders, |S|; None enumerates all of them, at each level.
        n_picks: how many times to choose missing cells anew.
        rng: the only source of chance.
        levels: the highest level, D: 0 or 1.
        pool: at level 1, how many cells may be visited twice, each in a sequence of its own: of those that are not
            missing, the most probable by the model's distribution in the source.
        batch: rolls a pass.
        given: the source's cells stay, as what the user wrote does: the softmax is over the others.

    Raises:
        ValueError: `levels` is neither 0 nor 1, `n_orders` or `pool` is below 1, or more than 50,000 sequences are to
            be enumerated for one pick.
    """
    if levels not in (0, 1):
        raise ValueError(f"levels must be 0 or 1, not {levels}: only these two are computed")
    if n_orders is not None and n_orders < 1:
        raise ValueError(f"n_orders must be 1 or more, or None for all orders, not {n_orders}")
    if levels and pool < 1:
        raise ValueError(f"pool must be 1 or more, not {pool}: level 1 visits a cell of it; levels=0 does without")
    sounding = np.argwhere(of.cells)
    picks = [rng.permutation(sounding)[:n_missing] for _ in range(n_picks)]
    k = len(picks[0])
    n_kept = len(sounding) - k if given else 0
    n_extra = min(pool, of.cells.size - k - n_kept) if levels else 0

    # A sequence names cells by number: those below k are missing, the others are the pool's.
    orders: list[list[tuple[int, ...]]]
    if n_orders is None:
        n_sequences = factorial(k) + n_extra * factorial(k + 2) // 2
        if n_sequences > MOST_SEQUENCES:
            raise ValueError(
                f"{n_sequences} sequences are too many to enumerate, at most {MOST_SEQUENCES}: "
                f"draw some (n_orders=10), or lower n_missing ({k}) or pool ({n_extra})"
            )
        orders = [list(permutations(range(k)))] * n_picks
    else:
        orders = [[tuple(rng.permutation(k).tolist()) for _ in range(n_orders)] for _ in range(n_picks)]

    def places() -> list[tuple[int, int]]:
        """Where in a sequence the two visits stand."""
        if n_orders is None:
            return list(combinations(range(k + 2), 2))
        first, second = sorted(rng.choice(k + 2, size=2, replace=False).tolist())
        return [(first, second)]

    by_level = [orders]
    if levels:
        by_level.append(
            [
                [_visiting(order, k + q, *at) for q in range(n_extra) for order in own for at in places()]
                for own in orders
            ]
        )
        extra = _most_probable(predict, of, picks, n_extra, batch, given)
        cells = [np.concatenate(both) for both in zip(picks, extra, strict=True)]
    else:
        cells = picks

    scores = _scores(predict, of, k, cells, by_level, batch, given)
    terms = np.empty((n_picks, levels + 1))
    for d, sequences in enumerate(by_level):
        # with all orders at hand their sum needs no scaling
        scale = 0.0 if n_orders is None else lgamma(k + 2 * d + 1) - d * log(2) - log(n_orders)
        for p, own in enumerate(sequences):
            log_p = [sum(scores[p, state][edit] for state, edit in _met(sequence)) for sequence in own]
            terms[p, d] = scale + np.logaddexp.reduce(log_p)
    result: Float[np.ndarray, "pick level"] = np.logaddexp.accumulate(terms, axis=1) / k
    return result


def _visiting(order: tuple[int, ...], cell: int, first: int, second: int) -> tuple[int, ...]:
    """An order with `cell` put in twice, to stand at these two places, `first` before `second`."""
    return (*order[:first], cell, *order[first : second - 1], cell, *order[second - 1 :])


def _met(sequence: tuple[int, ...]) -> Iterator[tuple[frozenset[int], int]]:
    """Each edit of a sequence with the state that it meets: the cells that differ from the source."""
    state: frozenset[int] = frozenset()
    for edit in sequence:
        yield state, edit
        state ^= {edit}


def _most_probable(
    predict: Predict, of: Window, picks: Sequence[Int[np.ndarray, "k 3"]], n: int, batch: int, given: bool
) -> list[Int[np.ndarray, "n 3"]]:
    """The cells outside each pick that the model finds the most probable edits of its source."""
    chosen = []
    for first in range(0, len(picks), batch):
        some = picks[first : first + batch]
        rolls = np.repeat(of.cells[None], len(some), axis=0)
        for roll, pick in zip(rolls, some, strict=True):
            roll[tuple(pick.T)] = False
        logits = predict(rolls, np.repeat(of.context[None], len(some), axis=0)).logits
        for own, pick, roll in zip(logits, some, rolls, strict=True):
            if given:
                own[roll] = -np.inf
            ranked = np.argsort(-own, axis=None, kind="stable")
            missing = np.ravel_multi_index(tuple(pick.T), own.shape)
            others = ranked[~np.isin(ranked, missing)][:n]
            chosen.append(np.stack(np.unravel_index(others, own.shape), axis=1))
    return chosen


def _scores(
    predict: Predict,
    of: Window,
    k: int,
    cells: Sequence[Int[np.ndarray, "cell 3"]],
    by_level: Sequence[Sequence[Sequence[tuple[int, ...]]]],
    batch: int,
    given: bool,
) -> dict[tuple[int, frozenset[int]], Float[np.ndarray, " cell"]]:
    """The log-probabilities of each pick's cells in every state that its sequences meet.

    Of a pass only these are kept: rolls of scores of all states would fill the memory.
    """
    # sequences that have toggled the same cells, whichever came first, share a state; a dict keeps their order
    states = list(
        dict.fromkeys(
            (p, state)
            for p in range(len(cells))
            for sequences in by_level
            for sequence in sequences[p]
            for state, _ in _met(sequence)
        )
    )
    sources = np.repeat(of.cells[None], len(cells), axis=0)
    for source, own in zip(sources, cells, strict=True):
        source[tuple(own[:k].T)] = False
    scores = {}
    for first in range(0, len(states), batch):
        some = states[first : first + batch]
        rolls = sources[[p for p, _ in some]]
        for roll, (p, state) in zip(rolls, some, strict=True):
            roll[tuple(cells[p][sorted(state)].T)] ^= True
        logits = predict(rolls, np.repeat(of.context[None], len(some), axis=0)).logits.astype(float)
        if given:
            for own, (p, _) in zip(logits, some, strict=True):
                own[sources[p]] = -np.inf
        flat = logits.reshape(len(some), -1)
        top = flat.max(axis=1)
        normalisers = top + np.log(np.exp(flat - top[:, None]).sum(axis=1))
        for (p, state), own, normaliser in zip(some, logits, normalisers, strict=True):
            scores[p, state] = own[tuple(cells[p].T)] - normaliser
    return scores


def notewise_all(
    predict: Predict, windows: Sequence[Window], n_missing: int, n_orders: int | None, n_picks: int, seed: int = 0
) -> Iterator[tuple[str, Float[np.ndarray, " pick"]]]:
    """`notewise` of many windows, one at a time, with the name of the piece."""
    for piece, values in notewise_levels_all(predict, windows, n_missing, n_orders, n_picks, seed):
        yield piece, values[:, 0]


def notewise_levels_all(
    predict: Predict,
    windows: Sequence[Window],
    n_missing: int,
    n_orders: int | None,
    n_picks: int,
    seed: int = 0,
    levels: int = 0,
    pool: int = 8,
    given: bool = False,
) -> Iterator[tuple[str, Float[np.ndarray, "pick level"]]]:
    """`notewise_levels` of many windows, one at a time, with the name of the piece."""
    for number, one in enumerate(windows):
        rng = Generator(Philox(key=[seed, number]))
        yield one.piece, notewise_levels(predict, one, n_missing, n_orders, n_picks, rng, levels, pool, given=given)


def jobs(material: Material) -> list[Job]:
    """Each chorale that has a whole window, for each editor."""
    options = {"K": K, "S": S, "pool": POOL, "picks": N_PICKS, "levels": 1, "given": True}
    return [
        Job("likelihood", what, item.name, 0, path, material.digests[what], options, item)
        for item in material.pieces
        if item.cells.shape[1] >= N_STEPS
        for what, path in _editors(material)
    ]


def _editors(material: Material) -> list[tuple[str, Path | None]]:
    found: list[tuple[str, Path | None]] = [("es-net", material.settings.model)]
    return [*found, ("nade", material.settings.nade)] if "nade" in material.digests else found


def work(job: Job) -> list[list[list[float]]]:
    """Of each window and pick: level 0, levels 0 and 1, and level 0 where the source is given."""
    o = job.options
    of: list[Window] = windows_of(job.name, job.payload.cells)
    model, found = models.editor(job.model), []
    for number, one in enumerate(of):
        # of the piece, so that both models put back the same cells in the same orders
        free, given = (generator_for(job.payload, job.seed, number) for _ in range(2))
        levels = notewise_levels(model, one, o["K"], o["S"], o["picks"], free, o["levels"], o["pool"])
        kept = notewise_levels(model, one, o["K"], o["S"], o["picks"], given, given=o["given"])
        found.append(np.concatenate([levels, kept], axis=1).tolist())
    return found


LEVELS = ("0", "0 + 1", "0, source given")


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """Of each model and level mean, interval and median; and how far ES-Net and NADE lie apart."""
    told: Figures = {"options": jobs[0].options, "rows": {}}
    tables: dict[str, Float[np.ndarray, "value level"]] = {}
    owners: dict[str, list[str]] = {}
    for what in dict.fromkeys(job.what for job in jobs):
        own = [(job.name, np.array(result)) for job, result in zip(jobs, results, strict=True) if job.what == what]
        tables[what] = np.concatenate([values.reshape(-1, values.shape[-1]) for _, values in own])
        owners[what] = [name for name, values in own for _ in range(values.shape[0] * values.shape[1])]
        told["rows"][what] = [
            {"level": level, "median": float(np.median(column)), "interval": mean_interval(column, owners[what])}
            for level, column in zip(LEVELS, tables[what].T, strict=True)
        ]
        told["n_windows"] = sum(len(values) for _, values in own)
    if "nade" in tables and owners["nade"] == owners["es-net"]:
        apart = tables["es-net"] - tables["nade"]
        told["es-net minus nade"] = {
            level: mean_interval(column, owners["nade"]) for level, column in zip(LEVELS, apart.T, strict=True)
        }
    return told


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    o = found["options"]
    rows = [
        ["ES-Net in the paper", "0 + 1", "-0.635", "-"],
        ["orderless NADE in the paper", "0 + 1", "-0.558", "-"],
    ]
    for what, levels in found["rows"].items():
        for row in levels:
            rows.append([TITLES[what], row["level"], with_interval(row["interval"]), decimal(row["median"])])
    head = [f"K = {o['K']}, S = {o['S']}, pool {o['pool']}", "levels", "mean (95 % by chorale)", "median"]
    said = table(head, rows)
    said += f"\n\n{found['n_windows']} windows of 128 steps, {o['picks']} picks in each."
    apart = found.get("es-net minus nade")
    if apart:
        each = "; ".join(f"level {level}: **{with_interval(interval)}**" for level, interval in apart.items())
        said += f" ES-Net minus NADE, same cells in the same orders; {each}."
    said += (
        "\n\nSource given: what is there stays, as the user's notes do by default, and the softmax is over the rest."
    )
    return said


LIKELIHOOD = Experiment("likelihood", "Table 1: the notewise likelihood", jobs, work, summary, written)
