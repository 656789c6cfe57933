"""What a model may know of a step beside the cells: where in the beat, how near the ends of the piece.

The paper's model has no context. `float (feature, step)`; features, in this order:

0-3  position in the beat, one-hot: 1 on the quarter, on its second, third, fourth sixteenth
4    1 inside the piece, 0 before its beginning and past its end (a window may reach out of a piece)
5    nearness of the beginning: 1 on the first step, falling to 0 over `REACH` steps
6    nearness of the end: 1 on the last step, rising from 0 over `REACH` steps
"""

from __future__ import annotations

import numpy as np

from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.shapes import Float

FEATURES = ("beat 1/4", "beat 2/4", "beat 3/4", "beat 4/4", "inside", "near beginning", "near end")
N_FEATURES = len(FEATURES)
INSIDE = FEATURES.index("inside")
REACH = 32  # two bars: a cadence and the approach to it

Context = Float[np.ndarray, "feature step"]


def context_of(n_steps: int, start: int = 0, length: int | None = None, beat_phase: int = 0) -> Context:
    """The context of a window of a piece.

    Args:
        n_steps: length of the window.
        start: the step of the piece on which the window begins; may be negative.
        length: steps in the piece; the window is the whole piece unless given.
        beat_phase: which sixteenth of its beat the piece's first step is.
    """
    length = n_steps if length is None else length
    step = np.arange(start, start + n_steps)
    inside = (step >= 0) & (step < length)
    context = np.zeros((N_FEATURES, n_steps), dtype=np.float32)
    context[(step + beat_phase) % STEPS_PER_BEAT, np.arange(n_steps)] = 1
    context[4] = inside
    context[5] = np.where(inside, np.clip(1 - step / REACH, 0, 1), 0)
    context[6] = np.where(inside, np.clip(1 - (length - 1 - step) / REACH, 0, 1), 0)
    return context
