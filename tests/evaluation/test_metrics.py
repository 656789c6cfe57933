"""Tables 2 and 3: the paper's own figures come out of its own set, and what they should have been beside them."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ripieno.evaluation.metrics import (
    Pooled,
    bhattacharyya,
    exact_p,
    kolmogorov_smirnov,
    pitch_statistics,
    pool,
    pooled,
    statistic_interval,
)
from ripieno.files.corpus import read_jsb
from ripieno.music.roll import RollNote, roll_of, silence

# one bar: C4 for 16 steps, C sharp 5 for 8, and two notes that make four pitches for 4
BAR = roll_of([RollNote(0, 60, 16), RollNote(0, 73, 8), RollNote(0, 64, 4), RollNote(0, 67, 4)], 16)


def at(**shares: float) -> np.ndarray:
    found = np.zeros(128)
    for name, share in shares.items():
        found[int(name[1:])] = share
    return found


def test_the_training_row_of_table_2_comes_out_as_published_and_corrected(data_folder: Path) -> None:
    items = read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json")
    of = pool(item.cells for item in items if item.split == "train")
    published, corrected = pitch_statistics(of, as_published=True), pitch_statistics(of)
    assert published.n_bars == corrected.n_bars == 3405
    assert (published.pitch_classes, published.pitches) == (6, 46)
    assert (round(published.in_scale_rate, 4), round(published.polyphonic_rate, 4)) == (0.5409, 0.9169)
    assert (corrected.pitch_classes, corrected.pitches) == (12, 46)
    assert (round(corrected.in_scale_rate, 3), round(corrected.polyphonic_rate, 4)) == (0.787, 0.9169)


def test_a_bar_is_counted_by_hand() -> None:
    row = pitch_statistics(pooled(BAR))
    assert (row.n_bars, row.pitch_classes, row.pitches) == (1, 4, 4)
    assert row.in_scale_rate == pytest.approx(24 / 32)  # all but the C sharp
    assert row.polyphonic_rate == pytest.approx(4 / 16)


def test_as_published_a_pitch_class_is_a_block_of_ten_pitches() -> None:
    row = pitch_statistics(pooled(BAR), as_published=True)
    assert row.pitch_classes == 2  # 60 to 69, 70 to 79
    assert row.in_scale_rate == pytest.approx(8 / 32)  # block 7 is in "C major", block 6 is not


def test_what_is_no_whole_bar_does_not_count_and_pools_add_up() -> None:
    longer = roll_of([RollNote(0, 60, 20)], 20)
    assert pooled(longer).n_steps == 16
    both = pool([BAR, longer])
    assert both.n_steps == 32
    assert both.n_cells[60] == 32


def test_a_set_in_which_nothing_sounds_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing sounds"):
        pitch_statistics(pooled(silence(16)))


def test_distances_are_nothing_between_equals_and_greatest_between_strangers() -> None:
    one, other = at(p60=0.5, p62=0.5), at(p61=1.0)
    assert bhattacharyya(one, one) == pytest.approx(0)
    assert bhattacharyya(one, other) == float("inf")
    assert bhattacharyya(one, at(p60=1.0)) == pytest.approx(0.5 * np.log(2))
    assert kolmogorov_smirnov(one, one)[0] == 0
    assert kolmogorov_smirnov(one, other)[0] == pytest.approx(0.5)
    assert kolmogorov_smirnov(at(p60=1.0), at(p62=1.0))[0] == pytest.approx(1)


def test_as_published_it_does_not_matter_which_pitch_has_which_share() -> None:
    one, turned = at(p60=0.7, p62=0.3), at(p60=0.3, p62=0.7)
    assert kolmogorov_smirnov(one, turned, as_published=True) == (0, 1)
    assert kolmogorov_smirnov(one, turned)[0] == pytest.approx(0.4)


@pytest.mark.parametrize(("apart", "p"), [(8, 0.49), (6, 0.83)])  # table 3
def test_the_papers_p_values_follow_from_its_statistics(apart: int, p: float) -> None:
    assert round(exact_p(apart, 46), 2) == p


def test_p_is_what_counting_every_arrangement_gives() -> None:
    n, apart = 4, 2
    hits = total = 0
    for chosen in combinations(range(2 * n), n):
        path = np.cumsum([1 if i in chosen else -1 for i in range(2 * n)])
        hits, total = hits + (np.abs(path).max() >= apart), total + 1
    assert exact_p(apart, n) == pytest.approx(hits / total)


def test_the_interval_holds_the_figure_and_is_a_point_where_pieces_agree() -> None:
    low, high = statistic_interval([pooled(BAR)] * 5, "in_scale_rate")
    assert low == high == pytest.approx(24 / 32)
    many: list[Pooled] = [pooled(BAR), pooled(roll_of([RollNote(0, 61, 16)], 16))] * 10
    low, high = statistic_interval(many, "in_scale_rate")
    assert low < pitch_statistics(pool([BAR, roll_of([RollNote(0, 61, 16)], 16)])).in_scale_rate < high
