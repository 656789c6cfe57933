"""Drafts that are checked: the same law as one edit a pass, in fewer passes."""

import subprocess
import sys
from collections import Counter
from itertools import product

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.roll import RollNote, roll_of, silence
from ripieno.sampling.passes import alone
from ripieno.sampling.speculative import Tally, compose_lossless
from ripieno.sampling.stopping import StopRule
from tests.sampling.fakes import wanting

CELLS = [Edit(0, 0, 60), Edit(0, 1, 60), Edit(0, 1, 64)]
N_EDITS = 3
CONTEXT = context_of(2)


def _only(cells: list[Edit]) -> Policy:
    selection = np.zeros((1, 2, 128), dtype=bool)
    for cell in cells:
        selection[cell] = True
    return Policy(selection=selection)


MOODS = np.zeros((8, 1, 2, 128), dtype=np.float32)
for state, (place, mood) in product(range(8), enumerate(CELLS)):
    MOODS[(state, *mood)] = 1.5 * np.sin(2.0 * state + 3.0 * place)


def moody(cells, context) -> Prediction:
    """What it wants depends on all that sounds, so that a stale distribution is wrong."""
    states = cells[:, 0, 0, 60] + 2 * cells[:, 0, 1, 60] + 4 * cells[:, 0, 1, 64]
    return Prediction(MOODS[states], np.full(len(cells), np.nan))


def probability_of(sequence: tuple[int, ...]) -> float:
    roll, p = silence(2), 1.0
    for i in sequence:
        logits = np.array([moody(roll[None], None).logits[0][cell] for cell in CELLS], dtype=float)
        weights = np.exp(logits)
        p *= float(weights[i] / weights.sum())
        roll[CELLS[i]] ^= True
    return p


def drawn(n: int) -> tuple[Counter[tuple[int, ...]], Tally]:
    """So many sequences, each of a seed of its own."""
    tally, policy, log = Tally(), _only(CELLS), EditLog(silence(2))
    counts: Counter[tuple[int, ...]] = Counter()
    for seed in range(n):
        sampler = compose_lossless(log, CONTEXT, policy, seed, iterations=N_EDITS, length=3, tally=tally)
        counts[tuple(CELLS.index(change.edit) for change in alone(sampler, moody))] += 1
    return counts, tally


@pytest.mark.slow
def test_the_law_of_the_sequence_is_that_of_one_edit_a_pass() -> None:
    # in a process of its own, where no shapes are checked: that would take most of the time
    n, code = 100_000, "import sys; from tests.sampling.test_speculative import drawn; print(drawn(int(sys.argv[1])))"
    told = subprocess.run([sys.executable, "-c", code, str(n)], check=True, capture_output=True, text=True).stdout
    counts, tally = eval(told)  # a Counter and a Tally
    expected = {sequence: n * probability_of(sequence) for sequence in product(range(3), repeat=N_EDITS)}
    assert sum(expected.values()) == pytest.approx(n)
    chi_square = sum((counts[sequence] - value) ** 2 / value for sequence, value in expected.items())
    assert chi_square < 54.1  # 26 degrees of freedom, one run in a thousand
    assert 0.2 < tally.n_kept / tally.n_looked_at < 0.9, "a toy whose drafts are all kept would show nothing"


def test_where_nothing_changes_in_between_every_draft_is_kept_and_passes_are_saved() -> None:
    target = roll_of([RollNote(0, 60, 8), RollNote(8, 62, 8)], 16)
    sizes = []

    def counted(cells, context):
        sizes.append(len(cells))
        return wanting(target)(cells, context)

    sampler = compose_lossless(EditLog(silence(16)), context_of(16), Policy(), stop=StopRule(), length=4)
    changes = list(alone(sampler, counted))
    np.testing.assert_array_equal(changes[-1].log.cells, target)
    assert len(changes) == 16
    assert sizes == [1, 4, 4, 4, 4]


def test_each_change_has_the_probability_of_its_own_state() -> None:
    changes = list(
        alone(compose_lossless(EditLog(silence(2)), CONTEXT, _only(CELLS), 5, iterations=N_EDITS, length=3), moody)
    )
    sequence = tuple(CELLS.index(change.edit) for change in changes)
    assert np.prod([change.probability for change in changes]) == pytest.approx(probability_of(sequence))
