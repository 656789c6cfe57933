"""Fifths and octaves in a row are told apart by how the voices move."""

from collections import Counter

import numpy as np
import pytest

from ripieno.music.part_writing import RULE_CALLED, faults, parallels
from ripieno.music.part_writing.consecutives import CONSECUTIVES, PARALLEL_FIFTHS, PARALLEL_OCTAVES

PARALLEL = (PARALLEL_FIFTHS, PARALLEL_OCTAVES)
NAMES = [rule.name for rule in CONSECUTIVES]
FIFTHS = np.array([[67, 48], [69, 50]])


@pytest.mark.parametrize(
    ("voices", "n_parallel", "n_contrary"),
    [
        (FIFTHS, 1, 0),
        (FIFTHS - [[0, 0], [0, 12]], 0, 1),  # to a fifth in the other direction
        ([[60, 48], [62, 50]], 1, 0),  # octaves
        ([[60, 60], [62, 62]], 1, 0),  # unisons
        ([[67, 48], [67, 48]], 0, 0),  # nobody moves
        ([[67, 60], [69, 62]], 1, 0),
        ([[67, 60], [72, 62]], 0, 0),  # from a fifth to a seventh
        ([[67, 60], [69, 57]], 0, 0),  # from a fifth to an octave
        ([[67, -1], [69, 62]], 0, 0),  # from a rest
        ([[60, 67], [62, 69]], 1, 0),  # crossed voices move in fifths too
    ],
)
def test_consecutive_fifths_and_octaves_are_told_apart_by_their_motion(voices, n_parallel, n_contrary) -> None:
    found = Counter(RULE_CALLED[fault.rule] in PARALLEL for fault in faults(np.array(voices), rules=NAMES))
    assert (found[True], found[False]) == (n_parallel, n_contrary)


def test_parallels_say_where_and_who() -> None:
    voices = np.array([[76, 67, 64, 48], [76, 67, 64, 48], [74, 69, 64, 50]])
    assert [(fault.step, *fault.voices) for fault in parallels(voices)] == [(2, 1, 3)]
