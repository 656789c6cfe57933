"""Who runs the model: a sampler asks, whoever owns the loop answers.

A pass of the network is the only costly step, and several rolls cost less in one pass than one by one. So a sampler
here is a generator that calls no model: it yields an `Ask`, rolls that it wants to be told of, is sent the
`Prediction`, and yields each `Change` that it makes. `alone` runs one sampler with a model; `together` runs many, and
joins what they ask for at the same time into common passes. What a sampler does depends on nothing but its own
arguments and answers, so a piece comes out the same, composed alone or beside others.

The paper has nothing like this.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.models.runtime import Predict, Prediction
from ripieno.music.roll import N_PITCHES
from ripieno.shapes import Bool, Float

MOST = 8  # rolls of eight bars in one pass; beyond that two cores gain nothing (docs/log.md#several-rolls-on-two-cores)
EIGHT_BARS = 128  # steps


@dataclass(frozen=True, eq=False)
class Ask:
    """Rolls of which a sampler wants the prediction, with their context."""

    cells: Bool[np.ndarray, "batch plane step pitch"]
    context: Float[np.ndarray, "batch feature step"]


# Asks for nothing: a sampler that computes for long yields it, so that whoever owns the loop can turn to others.
BREATH = Ask(np.zeros((0, 1, 1, N_PITCHES), dtype=bool), np.zeros((0, 1, 1), dtype=np.float32))
NOTHING_SAID = Prediction(np.zeros((0, 1, 1, N_PITCHES), dtype=np.float32), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True)
class Change:
    """What one iteration did; `n_left` is how many edits the model expected before it.

    Changes that were drawn of one pass share their log, the one after all of them. A change is one edit, but for a note
    that was changed for a fault of part-writing (`why`, the rule's name), and for a round of revising, which changes
    many cells (`n_revised`): these are batches of the log, and `edit` the first cell, of the new pitch or of all.
    """

    log: EditLog
    edit: Edit
    added: bool
    probability: float
    n_left: float
    why: str | None = None
    n_revised: int = 0


Sampler = Generator[Ask | Change, Prediction | None, EditLog]  # returns the log at its end


def answered(predict: Predict, asks: Sequence[Ask]) -> list[Prediction]:
    """Answer several asks in as few passes as suit the cores: rolls of one length share a pass, `MOST` at a time."""
    answers: list[Prediction | None] = [None] * len(asks)
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, ask in enumerate(asks):
        if not len(ask.cells):
            answers[number] = NOTHING_SAID
            continue
        by_shape.setdefault((ask.cells.shape[1], ask.cells.shape[2], ask.context.shape[1]), []).append(number)
    for (_, n_steps, _), numbers in by_shape.items():
        cells = np.concatenate([asks[number].cells for number in numbers])
        context = np.concatenate([asks[number].context for number in numbers])
        most = max(MOST * EIGHT_BARS // max(n_steps, 1), 1)
        passes = [predict(cells[at : at + most], context[at : at + most]) for at in range(0, len(cells), most)]
        logits = np.concatenate([one.logits for one in passes])
        n_left = np.concatenate([one.n_left for one in passes])
        at = 0
        for number in numbers:
            own = slice(at, at + len(asks[number].cells))
            answers[number] = Prediction(logits[own], n_left[own], passes[0].sharpness)
            at = own.stop
    return [answer for answer in answers if answer is not None]


def joined(parts: Sequence[Prediction]) -> Prediction:
    """What was said of rolls in several passes, as of one."""
    if len(parts) == 1:
        return parts[0]
    return Prediction(
        np.concatenate([one.logits for one in parts]),
        np.concatenate([one.n_left for one in parts]),
        parts[0].sharpness,
    )


def alone(sampler: Sampler, predict: Predict) -> Iterator[Change]:
    """Run one sampler to its end."""
    for _, change in together([sampler], predict):
        yield change


def together(samplers: Sequence[Sampler], predict: Predict) -> Iterator[tuple[int, Change]]:
    """Run samplers side by side to their ends, each pass shared by all that wait for one.

    Returns:
        The place of a sampler in the sequence, and a change that it made.
    """
    asks: dict[int, Ask] = {}
    answers: dict[int, Prediction | None] = dict.fromkeys(range(len(samplers)))
    while answers:
        for number, answer in answers.items():
            reply: Prediction | None = answer
            while True:
                try:
                    told = samplers[number].send(reply)
                except StopIteration:
                    break
                if isinstance(told, Ask):
                    asks[number] = told
                    break
                yield number, told
                reply = None
        answers = dict(zip(asks, answered(predict, list(asks.values())), strict=True)) if asks else {}
        asks = {}
