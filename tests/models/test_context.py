"""The context says where a step stands."""

import numpy as np

from ripieno.models.context import FEATURES, INSIDE, context_of


def test_the_beat_goes_round_in_four() -> None:
    np.testing.assert_array_equal(context_of(8)[:4].argmax(axis=0), [0, 1, 2, 3, 0, 1, 2, 3])
    np.testing.assert_array_equal(context_of(4, beat_phase=3)[:4].argmax(axis=0), [3, 0, 1, 2])


def test_a_window_of_a_piece_is_the_pieces_context_cut() -> None:
    whole = context_of(64)
    np.testing.assert_array_equal(context_of(16, start=20, length=64), whole[:, 20:36])


def test_steps_before_and_past_the_ends_are_outside() -> None:
    inside = context_of(12, start=-4, length=4)[INSIDE]
    np.testing.assert_array_equal(inside, [0] * 4 + [1] * 4 + [0] * 4)


def test_the_last_step_is_the_nearest_to_the_end() -> None:
    near = context_of(64)[FEATURES.index("near end")]
    assert near.argmax() == 63
    assert near[63] == 1
    assert near[:32].max() == 0
