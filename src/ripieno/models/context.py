"""What a model may know of a step beside the cells: its place in beat and bar, phrases, key, style, how many voices.

The paper's model has no context. `float (feature, step)`; features, in this order:

0-3    position in the beat, one-hot: 1 on the quarter, on its second, third, fourth sixteenth
4      1 inside the piece, 0 before its beginning and past its end (a window may reach out of a piece)
5      nearness of the beginning: 1 on the first step, falling to 0 over `REACH` steps
6      nearness of the end: 1 on the last step, rising from 0 over `REACH` steps

So much hears a model of 7 features (`N_FEATURES`); one of `N_HEARD` hears more, each group only where it is known:

7      1 where bars are known
8      1 on the first beat of a bar
9      weight of the beat: 1 for the first of a bar, 1/2 for the middle one of an even bar, else 1/4
10     share of the bar that is over
11     1 where phrases are known
12     1 while the last note of a phrase lasts
13     nearness of that note: rising from 0 to 1 over `APPROACH` steps
14     nearness of a phrase's beginning: 1 on its first step, falling to 0 over `DEPARTURE` steps
15-16  the style, one-hot: one of `music.styles.STYLES`
17-19  how many voices there are, one-hot: 2, 3, 4
20-31  the tonic's pitch class, one-hot: C to B
32-43  the scale, by pitch class: 1 for its seven notes (in minor the natural scale)

The last two groups are laid over the pitches by the network (`models.unet`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from ripieno.music.outline import Outline
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.music.styles import STYLES
from ripieno.music.understanding import Reading
from ripieno.shapes import Float

FEATURES = ("beat 1/4", "beat 2/4", "beat 3/4", "beat 4/4", "inside", "near beginning", "near end")
N_FEATURES = len(FEATURES)
INSIDE = FEATURES.index("inside")
REACH = 32  # two bars: a cadence and the approach to it
APPROACH = 16
DEPARTURE = 8

GROUPS = {
    "bars": slice(7, 11),
    "phrases": slice(11, 15),
    "style": slice(15, 17),
    "voices": slice(17, 20),
    "key": slice(20, 44),
}
N_HEARD = 44
TONIC, SCALE = slice(20, 32), slice(32, 44)
VOICES = (2, 3, 4)
SCALES = {0: (0, 2, 4, 5, 7, 9, 11), 1: (0, 2, 3, 5, 7, 8, 10)}  # major, minor

Context = Float[np.ndarray, "feature step"]


def context_of(
    n_steps: int,
    start: int = 0,
    length: int | None = None,
    beat_phase: int = 0,
    outline: Outline | None = None,
    style: str | None = None,
    n_voices: int | None = None,
) -> Context:
    """The context of a window of a piece.

    Args:
        n_steps: length of the window.
        start: the step of the piece on which the window begins; may be negative.
        length: steps in the piece; the window is the whole piece unless given.
        beat_phase: which sixteenth of its beat the piece's first step is.
        outline: what is known of the piece; nothing unless given.
        style: one of `STYLES`; not known unless given.
        n_voices: how many there are, 2 to 4; not known unless given.
    """
    length = n_steps if length is None else length
    step = np.arange(start, start + n_steps)
    inside = (step >= 0) & (step < length)
    context = np.zeros((N_HEARD, n_steps), dtype=np.float32)
    context[(step + beat_phase) % STEPS_PER_BEAT, np.arange(n_steps)] = 1
    context[4] = inside
    context[5] = np.where(inside, np.clip(1 - step / REACH, 0, 1), 0)
    context[6] = np.where(inside, np.clip(1 - (length - 1 - step) / REACH, 0, 1), 0)
    if outline is not None:
        first, last = max(start, 0), min(start + n_steps, outline.n_steps)
        if first < last:
            context[7:, first - start : last - start] = _heard(outline)[:, first:last]
    if style is not None:
        context[GROUPS["style"].start + STYLES.index(style), inside] = 1
    if n_voices in VOICES:
        context[GROUPS["voices"].start + VOICES.index(n_voices), inside] = 1
    return context


def context_of_reading(
    reading: Reading, n_steps: int | None = None, style: str | None = None, n_voices: int | None = None
) -> Context:
    """The context of a piece as it is read: all that is written, said or guessed of it.

    Args:
        reading: of the piece.
        n_steps: length of the roll; the region's unless given.
        style, n_voices: as `context_of` has them.
    """
    length = reading.n_steps if n_steps is None else n_steps
    return context_of(length, beat_phase=reading.beat_phase, outline=reading.outline, style=style, n_voices=n_voices)


def _heard(outline: Outline) -> Context:
    """The features from 7 on that an outline says."""
    n_steps = outline.n_steps
    heard = np.zeros((N_HEARD - N_FEATURES, n_steps), dtype=np.float32)
    bars = outline.bar_step >= 0
    beat = np.where(bars, outline.bar_step // np.maximum(outline.beat_length, 1), -1)
    n_beats = np.where(bars, outline.bar_length // np.maximum(outline.beat_length, 1), 0)
    middle = (n_beats % 2 == 0) & (n_beats > 2) & (beat * 2 == n_beats)
    heard[0] = bars
    heard[1] = beat == 0
    heard[2] = np.where(beat == 0, 1, np.where(middle, 0.5, np.where(bars, 0.25, 0)))
    heard[3] = np.where(bars, outline.bar_step / np.maximum(outline.bar_length, 1), 0)
    phrases = outline.rests >= 0
    if phrases.any():
        resting = outline.rests == 1
        heard[4], heard[5] = phrases, resting
        onsets = np.flatnonzero(resting & ~np.concatenate([[False], resting[:-1]])).tolist()
        ends = (np.flatnonzero(resting & ~np.concatenate([resting[1:], [False]])) + 1).tolist()
        for onset in onsets:
            before = np.arange(max(onset - APPROACH, 0), onset)
            heard[6, before] = np.maximum(heard[6, before], 1 - (onset - before) / (APPROACH + 1))
        for begin in [0, *ends]:
            after = np.arange(begin, min(begin + DEPARTURE, n_steps))
            heard[7, after] = np.where(resting[after], 0, 1 - (after - begin) / DEPARTURE)
    known = np.flatnonzero(outline.tonic >= 0)
    tonic, minor = outline.tonic[known], np.maximum(outline.minor[known], 0)
    heard[TONIC.start - N_FEATURES + tonic, known] = 1
    for mode, scale in SCALES.items():
        of_mode = np.flatnonzero(minor == mode)
        for degree in scale:
            heard[SCALE.start - N_FEATURES + (tonic[of_mode] + degree) % 12, known[of_mode]] = 1
    return heard


def transposed(context: Context, semitones: int) -> Context:
    """The context of the same music at another pitch."""
    moved = context.copy()
    if len(context) == N_HEARD:
        for group in (TONIC, SCALE):
            moved[group] = np.roll(context[group], semitones, axis=0)
    return moved


def forget(context: Context, groups: Sequence[str]) -> Context:
    """A context that does not know some of the `GROUPS`."""
    left = context.copy()
    for group in groups:
        left[GROUPS[group]] = 0
    return left


def forget_some(context: Context, chances: dict[str, float], rng: Generator) -> Context:
    """A context that knows each of the `GROUPS` but with a chance."""
    return forget(context, [group for group, chance in chances.items() if rng.random() < chance])
