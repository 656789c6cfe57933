"""An outline says of every step what is known, and that the rest is not."""

import numpy as np
import pytest

from ripieno.music.harmony import key_of
from ripieno.music.outline import UNKNOWN, beat_of, outline_of, unknown_outline


def test_a_pickup_is_the_end_of_its_bar() -> None:
    outline = outline_of(8, bars=[(-12, 16, 4), (4, 16, 4)])
    assert outline.bar_step.tolist() == [12, 13, 14, 15, 0, 1, 2, 3]
    assert outline.bar_length.tolist() == [16] * 8


def test_phrases_rest_on_their_last_notes() -> None:
    assert outline_of(6, phrases=[(1, 3), (5, 9)]).rests.tolist() == [0, 1, 1, 0, 0, 1]
    assert outline_of(3, phrases=[]).rests.tolist() == [0, 0, 0]  # known to have none
    assert outline_of(3).rests.tolist() == [UNKNOWN] * 3


def test_a_key_holds_until_the_next() -> None:
    outline = outline_of(6, keys=[(4, key_of(9, "minor")), (2, key_of(7, "major"))])
    assert outline.tonic.tolist() == [7, 7, 7, 7, 9, 9]
    assert outline.minor.tolist() == [0, 0, 0, 0, 1, 1]


def test_other_steps_can_be_taken_of_an_outline() -> None:
    taken = outline_of(4, bars=[(0, 4, 4)]).taken(np.array([3, 0, -1, 7]))
    assert taken.bar_step.tolist() == [3, 0, UNKNOWN, UNKNOWN]
    assert unknown_outline(4).taken(np.array([1])).tonic.tolist() == [UNKNOWN]


@pytest.mark.parametrize(
    ("meter", "beat"), [((4, 4), 4), ((3, 4), 4), ((6, 8), 6), ((12, 8), 6), ((2, 2), 8), ((3, 8), 4), ((3, 2), 8)]
)
def test_a_beat_is_a_quarter_a_half_or_a_dotted_quarter(meter: tuple[int, int], beat: int) -> None:
    assert beat_of(*meter) == beat
