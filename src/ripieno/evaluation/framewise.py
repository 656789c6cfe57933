"""The framewise likelihood of a model that fills in blanks: Coconet's own test.  (Huang et al. 2017, section 5)

The steps of a score are guessed in a random order. When it is a step's turn, the steps before it in the order are known
as they are; its voices are guessed one by one, in a random order too, and of those before it in its own step a voice
hears what the model found likeliest, not what is true. The nats of a step are the sum over its voices. Several orders
are drawn, and a step's probabilities under each are averaged before the logarithm.

Huang et al. give 0.57 nats a step for JSB on the sixteenth grid with five orders. A model that knows nothing has
4 ln 48 = 15.48 with 48 pitches.

Differences from it:
1. For each step and order the steps before it are drawn anew, which gives each step the same distribution as a single
   order for all would, so that a share of the steps is enough to measure.
2. Scores are cut into windows, of 64 steps unless asked otherwise, as the model was trained.
3. A rest is known to be one and costs nothing; the corpus has few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from ripieno.evaluation import models
from ripieno.evaluation.inputs import generator_for
from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import table, with_interval
from ripieno.evaluation.statistics import mean_interval
from ripieno.models.runtime import Fill
from ripieno.music.roll import Voices
from ripieno.shapes import Float, Int

N_ORDERS = 5
EVERY_STEP = 8  # of a score is guessed


def windows(voices: Voices, n_steps: int = 64) -> list[Int[np.ndarray, "_ voice"]]:
    """A score cut into windows end to end; the last one reaches back, so that all have the same length if they can."""
    starts = range(0, max(len(voices) - n_steps, 0) + n_steps, n_steps)
    return [voices[max(min(start, len(voices) - n_steps), 0) :][:n_steps] for start in starts if start < len(voices)]


def framewise_nats(
    fill: Fill,
    voices: Voices,
    steps: Int[np.ndarray, " chosen"],
    n_orders: int,
    rng: Generator,
    batch: int = 40,
) -> Float[np.ndarray, " chosen"]:
    """Nats of some steps of a window.

    Args:
        fill: the model.
        voices: the whole window, MIDI numbers, -1 a rest.
        steps: which of its steps to guess.
        n_orders: orders to average over.
        rng: the only source of chance.
        batch: scores a pass.
    """
    n_steps, n_voices = voices.shape
    chosen = np.repeat(steps, n_orders)
    n_jobs = len(chosen)
    known = np.zeros((n_jobs, n_steps, n_voices), dtype=bool)
    for job, step in enumerate(chosen):
        others = np.delete(np.arange(n_steps), step)
        known[job, rng.permutation(others)[: rng.integers(n_steps)]] = True
    turns = np.array([rng.permutation(n_voices) for _ in range(n_jobs)])
    score = np.repeat(voices[None], n_jobs, axis=0)
    nats = np.zeros(n_jobs)
    for turn in range(n_voices):
        for first in range(0, n_jobs, batch):
            part = np.arange(first, min(first + batch, n_jobs))
            step, voice = chosen[part], turns[part, turn]
            log_p = fill(score[part], known[part])[np.arange(len(part)), step, voice].astype(float)
            true = voices[step, voice]
            sings = true >= 0
            nats[part] -= np.where(sings, log_p[np.arange(len(part)), true], 0.0)
            score[part, step, voice] = np.where(sings, log_p.argmax(axis=-1), -1)
            known[part, step, voice] = True
    log_p_of = -nats.reshape(len(steps), n_orders)
    best = log_p_of.max(axis=1)
    mean: Float[np.ndarray, " chosen"] = -(best + np.log(np.exp(log_p_of - best[:, None]).mean(axis=1)))
    return mean


def jobs(material: Material) -> list[Job]:
    """Is Coconet, as trained here, a fair baseline? Each chorale is asked."""
    options = {"orders": N_ORDERS, "every": EVERY_STEP}
    return [
        Job("framewise", "coconet", item.name, 0, material.settings.coconet, material.digests["coconet"], options, item)
        for item in material.pieces
    ]


def work(job: Job) -> list[float]:
    """Nats of some steps of a chorale."""
    rng = generator_for(job.payload, job.seed)
    fill = models.coconet(job.model)
    nats: list[float] = []
    for window in windows(job.payload.voices):
        first = int(rng.integers(job.options["every"]))
        steps = np.arange(first, len(window), job.options["every"])
        nats += framewise_nats(fill, window, steps, job.options["orders"], rng).tolist()
    return nats


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """The mean over all steps that were guessed."""
    values = np.concatenate([np.array(nats) for nats in results])
    owner = [job.name for job, nats in zip(jobs, results, strict=True) for _ in nats]
    mean, low, high = mean_interval(values, owner)
    return {
        "nats": mean,
        "low": low,
        "high": high,
        "n_steps": len(values),
        "n_pieces": len(jobs),
        "options": jobs[0].options,
    }


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    own = with_interval([found["nats"], found["low"], found["high"]])
    rows = [
        ["Coconet in its paper", "0.57"],
        [f"Coconet as trained here, {found['n_steps']} steps of {found['n_pieces']} chorales", own],
    ]
    o = found["options"]
    figure = f"framewise negative log-likelihood, nats a step, every {o['every']}th step, {o['orders']} orders"
    return table([figure, "mean (95 % by chorale)"], rows)


FRAMEWISE = Experiment("framewise", "Coconet's framewise likelihood", jobs, work, summary, written)
