"""What is to be said of a setting that is finished: what is doubtful in it, and which of several is best.

Doubtful is where a rule of part-writing is broken still, after mending, graver than a matter of style, and where the
model itself would take back a note that it wrote (its change probability, a pass over the finished piece). Several
settings of one tune are ranked by the same: by what a teacher would take off for their faults, then by how many of
their new notes the model doubts, then by how smoothly their voices go. The paper has nothing like this.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ripieno.models.runtime import Prediction, the_separator
from ripieno.music.harmony import note_name
from ripieno.music.part_writing import RULE_CALLED, TEACHERS_PRICES, faults
from ripieno.music.roll import Voices
from ripieno.music.voices import NAMES
from ripieno.sampling.assist import Doubted, doubts
from ripieno.sampling.mending import lines_sung
from ripieno.sampling.passes import Ask
from ripieno.session import Session

UNSURE = 0.5  # chance of a note to be right, below which the model would sooner take it back
MOST_BARS = 4  # that are told of, the most doubtful
STEP = 2  # semitones up to which a voice moves by step


@dataclass(frozen=True)
class Assessment:
    """A finished setting, judged.

    doubtful: what is, by bar, the most doubtful first and no more than `MOST_BARS`; and a line for those left out.
    n_faults, price: broken rules, and what a teacher would take off for them.
    n_doubted: new notes that the model doubts, each by how much: the sum of their chances to be wrong.
    leaps: share of the new voices' moves that are no steps.
    """

    doubtful: tuple[str, ...]
    n_faults: int
    price: float
    n_doubted: float
    leaps: float

    @property
    def rank(self) -> tuple[float, float, float]:
        """The less the better, the first that differs decides."""
        return round(self.price, 3), round(self.n_doubted, 2), round(self.leaps, 3)


def assess(session: Session) -> Assessment:
    """Judge a setting as it is now; one pass of its model."""
    document, reading, policy = session.document, session.reading, session.policy
    log = session.log.on_planes(session.model.n_planes)
    if not log.model_cells.any():
        return Assessment((), 0, 0.0, 0.0, 0.0)
    voices = lines_sung(log, policy, the_separator())
    names = NAMES[voices.shape[1]]
    by_bar: dict[int, list[tuple[float, str]]] = {}
    n_faults, price = 0, 0.0
    key = None if reading.is_key_guessed else reading.key
    for fault in faults(voices, key=key, beat_phase=reading.beat_phase, rules=TEACHERS_PRICES):
        rule = RULE_CALLED[fault.rule]
        around = slice(max(fault.step - 1, 0), fault.step + 1)
        is_ours = log.model_cells[around][:, [pitch for pitch in fault.pitches if pitch >= 0]].any()
        if not is_ours or rule.level == "style" or (rule.is_of_free_chords and policy.chords is not None):
            continue
        n_faults, price = n_faults + 1, price + TEACHERS_PRICES[fault.rule]
        bar, beat = reading.bar_and_beat(fault.step)
        who = " and ".join(names[voice].lower() for voice in fault.voices) if len(fault.voices) < len(names) else ""
        told = f"{fault.rule}{f' of {who}' if who else ''}"
        if not any(other.startswith(f"{told}, beat") for _, other in by_bar.get(bar, [])):  # once a bar
            by_bar.setdefault(bar, []).append((TEACHERS_PRICES[fault.rule], f"{told}, beat {beat:g}"))
    answered = _answer(doubts(log, session.context), session)
    n_doubted = 0.0
    for doubted in answered.notes:
        if doubted.note.owner != "model":
            continue
        n_doubted += 1 - doubted.belongs
        if doubted.belongs < UNSURE:
            bar, beat = reading.bar_and_beat(doubted.note.onset)
            name = note_name(doubted.note.pitch - reading.shift, reading.key, short=True)
            by_bar.setdefault(bar, []).append((1 - doubted.belongs, f"{name} on beat {beat:g}, which the model doubts"))
    worst = sorted(by_bar, key=lambda bar: (-sum(weight for weight, _ in by_bar[bar]), bar))
    lines = [
        f"bar {bar}: " + "; ".join(told for _, told in sorted(by_bar[bar], key=lambda one: -one[0]))
        for bar in sorted(worst[:MOST_BARS])
    ]
    if len(worst) > MOST_BARS:
        left = len(worst) - MOST_BARS
        lines.append(f"{left} more bar{'s' if left > 1 else ''}: ripieno check tells of all")
    return Assessment(tuple(lines), n_faults, price, n_doubted, _leaps(voices, document.policy().line))


def _answer(asking: Generator[Ask, Prediction | None, Doubted], session: Session) -> Doubted:
    """What a question to the model comes to."""
    try:
        ask = next(asking)
        while True:
            ask = asking.send(session.model(ask.cells, ask.context))
    except StopIteration as end:
        doubted: Doubted = end.value
        return doubted


def _leaps(voices: Voices, line: np.ndarray | None) -> float:
    """The share of moves by more than a step, of all voices but the melody's."""
    others = [voice for voice in voices.T if line is None or not np.array_equal(voice, line)]
    moves = [abs(int(b) - int(a)) for voice in others for a, b in pairwise(voice) if min(a, b) >= 0]
    moves = [move for move in moves if move]
    return sum(move > STEP for move in moves) / len(moves) if moves else 0.0


def ranked(assessed: Sequence[Assessment]) -> list[tuple[int, str]]:
    """The places of some settings, the best first, each with a reason in words."""
    order = sorted(range(len(assessed)), key=lambda i: (assessed[i].rank, i))
    return [(i, _reason(i, at, order, assessed)) for at, i in enumerate(order)]


def _reason(i: int, at: int, order: Sequence[int], assessed: Sequence[Assessment]) -> str:
    """Why a setting has its place: by what it differs from the next, the last from the one before."""
    if len(order) == 1:
        return ""
    mine, is_last = assessed[i].rank, at == len(order) - 1
    other = assessed[order[at - 1 if is_last else at + 1]].rank
    n = assessed[i].n_faults
    count = "no fault" if n == 0 else "1 fault" if n == 1 else f"{n} faults"
    differs = next((place for place in range(3) if mine[place] != other[place]), None)
    first = at == 0
    if differs is None:
        return f"{count}, as good as {'the one before' if is_last else 'the next'}"
    if differs == 0:
        how = "more or graver than before" if is_last else "fewer or lighter than the next"
        how = "the fewest and lightest" if first else how
        return f"{count} of part-writing, {how}"
    if differs == 1:
        how = "less sure of its notes" if is_last else "surer of its notes than of the next's"
        return f"{count}, the model is {'surest of its notes' if first else how}"
    how = "less smoothly" if is_last else "more smoothly than the next"
    return f"{count}, the voices go {'most smoothly' if first else how}"
