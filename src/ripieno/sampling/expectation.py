"""What the models say of music that is there: which cells must change, and which pitch belongs in a note's place.

ES-Net gives each cell's *change probability*. Its next edit is a uniform draw among the cells that must change (paper
4), so a cell's share of the softmax, times their number, is its chance of being one of them.
`averaged_change_probabilities` asks about transpositions of the piece too.

Coconet says by *leave-one-out* what it expects in each note's place, given all the others: one note blanked at a time.
The paper has it as the Gibbs baseline (6); this puts it to another use.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ripieno.models.context import Context, transposed
from ripieno.models.runtime import Fill, Predict, Prediction
from ripieno.music.roll import N_PITCHES, Cells, VoiceNote, Voices
from ripieno.shapes import Float

TRANSPOSITIONS = (0, -1, 1, -2, 2)  # semitones; more of them find no more (docs/log.md#the-same-piece-in-five-keys)
N_VOICES = 4
# which of the model's four voices sing where there are fewer
COLUMNS = {1: (0,), 2: (0, 3), 3: (0, 1, 3), 4: (0, 1, 2, 3)}
LEAST = -40.0  # no log probability counts for less
REACH = 24  # steps on either side that Coconet is shown; its convolutions reach no further than 22


def change_probabilities_of_batch(prediction: Prediction) -> Float[np.ndarray, "batch plane step pitch"]:
    """How probable it is that a cell is one of those that must change, in a batch of any size.

    The next edit is a uniform draw among these, so a cell's share of the model's own softmax is its chance divided by
    their number, which `n_left` estimates. An estimate may be above 1.

    `ancestral.change_probabilities` divides before it multiplies, so the last bit may differ. Neither can stand for the
    other: the piece of every seed depends on that one to the bit, and figures that are kept on this one.
    """
    logits = prediction.logits.astype(float) / prediction.sharpness
    weights = np.exp(logits - logits.max(axis=(1, 2, 3), keepdims=True))
    n_left = np.asarray(prediction.n_left, dtype=float)[:, None, None, None]
    result: Float[np.ndarray, "batch plane step pitch"] = n_left * weights / weights.sum(axis=(1, 2, 3), keepdims=True)
    return result


def averaged_change_probabilities(
    predict: Predict, cells: Cells, context: Context, transpositions: Sequence[int] = TRANSPOSITIONS
) -> Float[np.ndarray, "plane step pitch"]:
    """`change_probabilities_of_batch` of one roll: the mean over several transpositions of it (test-time augmentation).

    The network was trained on all keys, but errs in each a little differently, and errors cancel. A transposition in
    which what sounds would leave the model's pitch window is left out, and so is a cell where it alone would.

    Args:
        predict: the model, asked once for each transposition.
        cells, context: of the roll.
        transpositions: in semitones; 0 is among them in any case.
    """
    prediction = predict(cells[None], context[None])
    total: Float[np.ndarray, "plane step pitch"] = change_probabilities_of_batch(prediction)[0]
    window = np.flatnonzero(np.isfinite(prediction.logits[0]).any(axis=(0, 1)))
    sounding = np.flatnonzero(cells[0].any(axis=0))
    if not len(sounding):
        return total
    lowest, highest = window[0], window[-1]
    n_heard = np.ones(N_PITCHES)
    for by in dict.fromkeys(transpositions):
        if by == 0 or sounding[0] + by < lowest or sounding[-1] + by > highest:
            continue
        moved = change_probabilities_of_batch(predict(np.roll(cells, by, axis=2)[None], transposed(context, by)[None]))[
            0
        ]
        within = slice(max(lowest, lowest - by), min(highest, highest - by) + 1)
        total[..., within] += np.roll(moved, -by, axis=2)[..., within]
        n_heard[within] += 1
    return total / n_heard


def leave_one_out(
    fill: Fill,
    voices: Voices,
    notes: Sequence[VoiceNote],
    columns: Sequence[int] | None = None,
    rests_known: bool = False,
    reach: int = REACH,
    batch: int = 64,
) -> list[Float[np.ndarray, "_ 128"]]:
    """What a model of voices expects in each note's place: log probabilities of every pitch at each of its steps.

    Args:
        fill: the model.
        voices: of one to four; voice 0 the highest.
        notes: blanked one at a time, with all else known.
        columns: which of the model's voices these are; `COLUMNS` says unless given.
        rests_known: the model is told that a voice rests; otherwise it must imagine what would be sung there, and in
            the voices that are missing.
        reach: steps on either side that the model is shown; nothing changes from its receptive field on.
        batch: windows in a pass.
    """
    columns = COLUMNS[voices.shape[1]] if columns is None else columns
    n_steps = len(voices)
    order = sorted(range(len(notes)), key=lambda i: notes[i].end - notes[i].onset)  # a pass has windows about as long
    expected = [np.zeros((note.end - note.onset, N_PITCHES)) for note in notes]
    for begin in range(0, len(order), batch):
        some = [notes[i] for i in order[begin : begin + batch]]
        length = min(max(note.end - note.onset for note in some) + 2 * reach, n_steps)
        starts = [min(max(note.onset - reach, 0), n_steps - length) for note in some]
        pitches = np.full((len(some), length, N_VOICES), -1)
        known = np.zeros(pitches.shape, dtype=bool)
        for row, (start, note) in enumerate(zip(starts, some, strict=True)):
            blank = slice(note.onset - start, note.end - start)
            pitches[row][:, columns] = voices[start : start + length]
            pitches[row, blank, columns[note.voice]] = -1
            known[row] = pitches[row] >= 0
            if rests_known:
                known[row][:, columns] = True
                known[row, blank, columns[note.voice]] = False
        log_p = fill(pitches, known)
        for row, (start, note) in enumerate(zip(starts, some, strict=True)):
            here = log_p[row, note.onset - start : note.end - start, columns[note.voice]]
            expected[order[begin + row]] = here.copy()  # or the whole pass would stay in memory
    return expected


def expected_pitches(
    fill: Fill,
    voices: Voices,
    notes: Sequence[VoiceNote],
    columns: Sequence[int] | None = None,
    reach: int = REACH,
    batch: int = 64,
) -> Float[np.ndarray, "note pitch"]:
    """Mean log probability, over the steps of each note, of every pitch being sung there in its place.

    Args:
        fill, voices, notes, columns, reach, batch: see `leave_one_out`. What rests is not known to the model.
    """
    found = leave_one_out(fill, voices, notes, columns, reach=reach, batch=batch)
    result = np.zeros((len(notes), N_PITCHES))
    for number, log_p in enumerate(found):
        result[number] = np.maximum(log_p, LEAST).mean(axis=0)
    return result
