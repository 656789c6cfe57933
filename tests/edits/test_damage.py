"""The damage is as large as asked for, and where it may be."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ripieno.edits.damage import break_line, corrupt, corrupt_accompaniment, corrupt_notes
from ripieno.music.roll import Cells, RollNote, bottom_line, notes_of, roll_of, silence, top_line

ratios = st.floats(0, 1)
seeds = st.integers(0, 2**32)


@st.composite
def rolls(draw: st.DrawFn) -> Cells:
    cells = silence(12, draw(st.sampled_from([1, 2])))
    cells[:, :, 60:65] = draw(arrays(bool, (cells.shape[0], 12, 5)))
    return cells


@given(rolls(), ratios, ratios, seeds)
def test_corrupt_clears_and_sounds_the_shares_asked_for(
    target: Cells, mask_ratio: float, noise_ratio: float, seed: int
) -> None:
    before = target.copy()
    source = corrupt(target, mask_ratio, noise_ratio, np.random.default_rng(seed))
    n_sounding = np.count_nonzero(target)
    assert np.count_nonzero(target & ~source) == round(mask_ratio * n_sounding)
    assert np.count_nonzero(source & ~target) == round(noise_ratio * (target.size - n_sounding))
    np.testing.assert_array_equal(target, before)
    np.testing.assert_array_equal(source, corrupt(target, mask_ratio, noise_ratio, np.random.default_rng(seed)))


def test_corrupt_reaches_every_cell() -> None:
    # each of 4 sounding and 4 * 128 - 4 silent cells, in 400 tries at a half: a miss has probability 2 ** -400 * 512
    target = roll_of([RollNote(0, 60, 4)], 4)
    tries = np.stack([corrupt(target, 0.5, 0.5, np.random.default_rng(seed)) for seed in range(400)])
    assert tries.any(axis=0).all()
    assert not tries.all(axis=0).any()


@given(rolls(), ratios, seeds)
def test_nothing_sounds_past_the_ends_of_the_piece(target: Cells, noise_ratio: float, seed: int) -> None:
    inside = np.arange(12) < 7
    target[:, ~inside] = False
    source = corrupt(target, 0.0, noise_ratio, np.random.default_rng(seed), inside)
    assert not source[:, ~inside].any()
    n_silent = np.count_nonzero(~target[:, inside])
    assert np.count_nonzero(source & ~target) == round(noise_ratio * n_silent)


@pytest.mark.parametrize(("mask_ratio", "noise_ratio"), [(-0.1, 0.0), (1.1, 0.0), (0.0, -0.1), (0.0, 1.5)])
def test_a_share_outside_0_to_1_is_refused(mask_ratio: float, noise_ratio: float) -> None:
    with pytest.raises(ValueError, match="_ratio must lie between 0 and 1, not"):
        corrupt(silence(4), mask_ratio, noise_ratio, np.random.default_rng(0))


@given(rolls(), ratios, seeds)
def test_corrupt_notes_clears_whole_notes(target: Cells, mask_ratio: float, seed: int) -> None:
    before = target.copy()
    left = notes_of(corrupt_notes(target, mask_ratio, 0, np.random.default_rng(seed)))
    notes = notes_of(target)
    assert set(left) <= set(notes)
    assert len(notes) - len(left) == round(mask_ratio * len(notes))
    np.testing.assert_array_equal(target, before)


def test_a_note_is_put_off_by_a_little_in_pitch_or_time_in_its_place_or_beside_it() -> None:
    right = RollNote(onset=8, pitch=60, duration=4)
    target = roll_of([right], 20)
    steps = {-12, -3, -2, -1, 1, 2, 3, 12}
    moved = {(RollNote(8, 60 + by, 4),) for by in steps} | {(RollNote(8 + by, 60, 4),) for by in (-2, -1, 1, 2)}
    beside = {tuple(sorted((right, RollNote(8, 60 + by, 4)))) for by in steps}
    seen = {tuple(notes_of(corrupt_notes(target, 0.0, 1, np.random.default_rng(seed)))) for seed in range(500)}
    assert seen == moved | beside


def test_a_note_put_off_past_the_beginning_or_end_is_cut_there() -> None:
    target = roll_of([RollNote(onset=1, pitch=60, duration=4)], 6)
    seen = {
        note for seed in range(500) for note in notes_of(corrupt_notes(target, 0.0, 1, np.random.default_rng(seed)))
    }
    assert {note for note in seen if note.pitch == 60} == {
        RollNote(0, 60, 3),
        RollNote(0, 60, 4),
        RollNote(1, 60, 4),
        RollNote(2, 60, 4),
        RollNote(3, 60, 3),
    }


@given(rolls(), ratios, st.integers(0, 20), seeds)
def test_as_many_notes_go_wrong_as_asked_for_at_the_most(
    target: Cells, mask_ratio: float, n_wrong: int, seed: int
) -> None:
    source = corrupt_notes(target, mask_ratio, n_wrong, np.random.default_rng(seed))
    notes = notes_of(target)
    n_cleared = round(mask_ratio * len(notes))
    touched = [note for note in notes if not source[0, note.onset : note.end, note.pitch].all()]
    assert len(touched) <= n_cleared + n_wrong
    new = source & ~target
    longest = max((note.duration for note in notes), default=0)
    assert np.count_nonzero(new) <= n_wrong * longest
    assert not new[1:].any()


def test_a_note_at_the_edge_of_the_range_is_put_off_without_wrapping_round() -> None:
    target = roll_of([RollNote(0, 0, 2), RollNote(0, 127, 2)], 2)
    for seed in range(200):
        source = corrupt_notes(target, 0.0, 2, np.random.default_rng(seed))
        assert not source[0, :, 13:115].any()
        # from the bottom one rises by at most an octave, and from the top one falls as far: nothing comes round
        assert np.count_nonzero(source[0, 0, :64]) <= 2
        assert np.count_nonzero(source[0, 0, 64:]) <= 2


def test_a_negative_number_of_wrong_notes_is_refused() -> None:
    with pytest.raises(ValueError, match="n_wrong must be 0 or more, not -1"):
        corrupt_notes(silence(4), 0.0, -1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="mask_ratio must lie between 0 and 1, not 2"):
        corrupt_notes(silence(4), 2.0, 0, np.random.default_rng(0))


@given(rolls(), ratios, ratios, seeds)
def test_the_accompaniment_is_damaged_and_the_line_is_whole(
    target: Cells, mask_ratio: float, noise_ratio: float, seed: int
) -> None:
    ends: list[Literal["top", "bottom"]] = ["top", "bottom"]
    for keep in ends:
        line = top_line(target) if keep == "top" else bottom_line(target)
        source = corrupt_accompaniment(target, keep, mask_ratio, noise_ratio, np.random.default_rng(seed))
        on_line = np.arange(128) == line[:, None]
        np.testing.assert_array_equal(source[:, on_line], target[:, on_line])
        plain = corrupt(target, mask_ratio, noise_ratio, np.random.default_rng(seed))
        np.testing.assert_array_equal(source[:, ~on_line], plain[:, ~on_line])


@pytest.mark.parametrize("keep", ["top", "bottom"])
@given(seed=st.integers(0, 2**32))
def test_a_broken_line_stays_the_outer_one_and_leaves_the_others_alone(keep, seed) -> None:
    before = roll_of([RollNote(0, 72, 8), RollNote(8, 74, 8), *(RollNote(0, p, 16) for p in (67, 60, 48))], 16)
    after = before.copy()
    line = break_line(after, keep, np.random.default_rng(seed))
    outer = top_line(after) if keep == "top" else bottom_line(after)
    others = before.copy()
    was = top_line(before) if keep == "top" else bottom_line(before)
    others[0, np.arange(16), was] = False
    np.testing.assert_array_equal(outer[line >= 0], line[line >= 0])
    without = after.copy()
    without[0, np.flatnonzero(line >= 0), line[line >= 0]] = False
    np.testing.assert_array_equal(without, others)


def test_lines_are_broken_in_more_than_one_way() -> None:
    pitches = set()
    for seed in range(60):
        roll = roll_of([RollNote(0, 72, 16), RollNote(0, 64, 16)], 16)
        pitches.update(break_line(roll, "top", np.random.default_rng(seed)).tolist())
    assert {-1, 72, 84, 71, 74, 76, 79} <= pitches
    assert min(pitches - {-1}) > 64


@pytest.mark.parametrize("keep", ["top", "bottom"])
@pytest.mark.parametrize("pitch", [0, 1, 126, 127])
def test_a_line_at_the_edge_of_the_window_stays_inside(keep, pitch) -> None:
    for seed in range(20):
        roll = roll_of([RollNote(0, pitch, 16)], 16)
        line = break_line(roll, keep, np.random.default_rng(seed))
        assert line.max() < 128
        assert roll.sum() == np.count_nonzero(line >= 0)
