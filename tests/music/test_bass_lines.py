"""Lines that lie low: what moves like a tune is one."""

import numpy as np
import pytest

from ripieno.music.bass_lines import BASS_BELOW, LEAST_MOVES, WEIGHTS, bass_chance, features_of, lone_role

ODE = [52, 52, 53, 55, 55, 53, 52, 50, 48, 48, 50, 52, 52, 50, 50]
BASS = [48, 53, 43, 48, 50, 43, 45, 50, 43, 48]


def test_a_bass_moves_by_fourths_and_fifths_and_closes_with_one():
    assert bass_chance(BASS) > 0.8
    assert bass_chance(ODE) < 0.2
    assert bass_chance([*BASS, 50]) < bass_chance(BASS), "it ends by step"


def test_how_high_it_lies_changes_nothing_but_above_all_basses():
    assert bass_chance([pitch + 12 for pitch in BASS]) == bass_chance(BASS)
    assert lone_role(BASS, BASS_BELOW - 0.1) == (True, True)
    assert lone_role(BASS, BASS_BELOW) == (False, True)


def test_what_hardly_moves_is_what_its_height_says_and_nobody_is_sure():
    still = [48] * 20 + [50] * 20
    assert np.count_nonzero(np.diff(still)) < LEAST_MOVES
    assert lone_role(still, 49) == (True, False)
    assert lone_role([48], 48) == (True, False)


def test_a_note_struck_again_is_no_move():
    assert bass_chance([pitch for pitch in BASS for _ in range(3)]) == pytest.approx(bass_chance(BASS))


def test_a_weight_for_each_feature():
    assert len(features_of(ODE)) == len(WEIGHTS)
    assert np.isfinite(features_of([60])).all()
