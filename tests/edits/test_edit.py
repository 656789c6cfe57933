"""One verb, and what follows from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ripieno.edits.edit import Edit, apply, difference
from ripieno.music.roll import Cells, silence

cells_alike = arrays(bool, (2, 6, 5))
some_edits = st.lists(st.builds(Edit, st.integers(0, 1), st.integers(0, 5), st.integers(0, 4)), max_size=20)


@given(cells_alike, cells_alike)
def test_the_difference_leads_from_one_roll_to_the_other_and_back(source: Cells, target: Cells) -> None:
    edits = difference(source, target)
    np.testing.assert_array_equal(apply(source, edits), target)
    np.testing.assert_array_equal(apply(target, edits), source)
    assert len(edits) == len(set(edits)) == np.count_nonzero(source != target)
    assert edits == sorted(edits)


@given(cells_alike, some_edits, st.randoms(use_true_random=False))
def test_edits_may_come_in_any_order_and_twice_is_not_at_all(cells: Cells, edits: list[Edit], chance) -> None:
    shuffled = edits.copy()
    chance.shuffle(shuffled)
    np.testing.assert_array_equal(apply(cells, edits), apply(cells, shuffled))
    np.testing.assert_array_equal(apply(cells, edits + shuffled), cells)


def test_an_edit_toggles_its_cell_and_no_other_and_leaves_its_argument_alone() -> None:
    before = silence(4)
    after = apply(before, [Edit(0, 3, 60)])
    assert np.argwhere(after).tolist() == [[0, 3, 60]]
    assert not before.any()


def test_a_difference_holds_plain_numbers_so_that_it_can_be_saved() -> None:
    (edit,) = difference(silence(4), apply(silence(4), [Edit(0, 3, 60)]))
    assert edit == Edit(plane=0, step=3, pitch=60)
    assert all(type(at) is int for at in edit)


def test_rolls_of_different_lengths_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"\(1, 4, 128\) and \(1, 5, 128\)"):
        difference(silence(4), silence(5))
