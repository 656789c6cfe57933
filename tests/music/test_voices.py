"""Who sings what."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.files.corpus import Item, read_jsb
from ripieno.models.runtime import load_separator
from ripieno.music import voices
from ripieno.music.part_writing import parallels
from ripieno.music.roll import Cells, RollNote, notes_of, roll_of
from ripieno.music.voices import Liking, parts_of, place_within, split

CHORD = [RollNote(0, 72, 4), RollNote(0, 67, 4), RollNote(0, 64, 4), RollNote(0, 48, 4)]
NEXT = [RollNote(4, 71, 4), RollNote(4, 67, 4), RollNote(4, 62, 4), RollNote(4, 55, 4)]


def test_four_pitches_go_to_four_voices_from_the_top_down() -> None:
    np.testing.assert_array_equal(split(roll_of(CHORD, 4)), [[72, 67, 64, 48]] * 4)


def test_three_pitches_are_sung_by_four_voices_two_of_them_in_unison() -> None:
    sung = split(roll_of([*CHORD, RollNote(4, 72, 4), RollNote(4, 65, 4), RollNote(4, 53, 4)], 8))
    assert (sung >= 0).all()
    assert sorted(set(sung[5].tolist())) == [53, 65, 72]


def test_where_one_or_two_pitches_sound_nobody_doubles_them_and_the_others_pause() -> None:
    sung = split(roll_of([*CHORD, RollNote(4, 72, 4), RollNote(8, 72, 4), RollNote(8, 53, 4)], 12))
    assert sorted(sung[5].tolist()) == [-1, -1, -1, 72]
    assert sorted(sung[9].tolist()) == [-1, -1, 53, 72]
    assert sung[9, 0] == 72
    three = split(roll_of([RollNote(0, 72, 4), RollNote(0, 53, 4), RollNote(4, 72, 4)], 8), 3)
    assert (three[1] >= 0).all()
    assert sorted(three[5].tolist()) == [-1, -1, 72]


def test_voices_pause_together_when_nothing_sounds() -> None:
    assert (split(roll_of([RollNote(0, 60, 2)], 4))[2:] == -1).all()


def test_the_users_line_is_sung_by_its_own_voice_whatever_lies_above() -> None:
    line = np.array([64] * 4)
    sung = split(roll_of(CHORD, 4), line=line, line_voice=0)
    assert (sung[:, 0] == 64).all()


def test_where_a_line_rests_its_voice_does_if_the_others_can_sing_what_sounds() -> None:
    three, rest = CHORD[1:], np.full(4, -1)
    assert (split(roll_of(three, 4), line=rest)[:, 0] == -1).all()
    assert (split(roll_of(three, 4), line=rest, line_voice=3)[:, 3] == -1).all()
    assert (split(roll_of(CHORD, 4), line=rest)[:, 0] == 72).all()


@pytest.mark.parametrize(("mean", "place"), [(72, 1), (66, 1), (57, 2), (50, 2)])
def test_of_four_voices_an_alto_has_one_above_it_and_a_tenor_two(mean: int, place: int) -> None:
    assert place_within(np.array([-1, mean - 2, mean + 2, -1]), 4) == place
    assert place_within(np.array([mean]), 3) == 1
    assert (
        place_within(np.array([-1]), 4)
        is place_within(np.array([mean]), 2)
        is place_within(np.array([mean]), 5)
        is None
    )


def test_new_notes_become_alto_tenor_and_bass_softer_than_the_melody() -> None:
    cells = roll_of([*CHORD, *NEXT], 8)
    melody = roll_of([CHORD[0], NEXT[0]], 8)[0]
    parts = parts_of(cells, melody, line=np.array([72] * 4 + [71] * 4), velocity=100)
    assert [part.name for part in parts] == ["Alto", "Tenor", "Bass"]
    assert parts[2].notes == (RollNote(0, 48, 4), RollNote(4, 55, 4))
    assert all(0 < part.velocity < 100 for part in parts)


def test_over_a_bass_they_become_soprano_alto_and_tenor() -> None:
    parts = parts_of(roll_of(CHORD, 4), roll_of(CHORD[3:], 4)[0], line=np.array([48] * 4), role="bass")
    assert [part.name for part in parts] == ["Soprano", "Alto", "Tenor"]


def test_a_voice_in_unison_with_the_melody_is_written_and_does_not_fall_silent() -> None:
    cells = roll_of([*CHORD, RollNote(4, 67, 4), RollNote(4, 62, 4), RollNote(4, 55, 4)], 8)
    melody = roll_of([RollNote(0, 72, 4), RollNote(4, 67, 4)], 8)[0]
    parts = parts_of(cells, melody, line=np.array([72] * 4 + [67] * 4))
    for part in parts:
        assert {step for note in part.notes for step in range(note.onset, note.end)} == set(range(8))


rolls = st.lists(
    st.builds(RollNote, st.integers(0, 20), st.integers(36, 84), st.integers(1, 9)), min_size=1, max_size=14
).map(lambda notes: roll_of(notes, 24))


@given(rolls, st.integers(0, 3), st.sampled_from(["top", "bass", "inner"]))
def test_no_new_note_is_lost_and_no_part_overlaps_itself_or_sings_what_does_not_sound(cells, n_own, role) -> None:
    own = roll_of(notes_of(cells)[:n_own], 24)[0] & cells[0]
    line = np.where(own.any(axis=1), own.argmax(axis=1), -1)
    for n_parts in (1, None):
        parts = parts_of(cells, own, line=line, role=role, n_parts=n_parts)
        written = roll_of([note for part in parts for note in part.notes], 24)[0]
        assert not (cells[0] & ~own & ~written).any()
        assert not (written & ~cells[0]).any()
        for part in parts:
            if part.name in ("Soprano", "Alto", "Tenor", "Bass"):
                assert np.array((part.notes and [n.duration for n in part.notes]) or [0]).sum() == len(
                    {step for note in part.notes for step in range(note.onset, note.end)}
                )


@pytest.fixture(scope="module")
def bach(data_folder: Path) -> list[Item]:
    return [item for item in read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json") if item.split != "test"]


@pytest.fixture(scope="module")
def told_apart(bach: list[Item]) -> list[np.ndarray]:
    """Their voices, by the network that ships."""
    separate = load_separator()
    return [split(item.cells, separate=separate) for item in bach]


@pytest.fixture(scope="module")
def by_costs(bach: list[Item]) -> list[np.ndarray]:
    """The voices of those that the network does not know, by costs alone."""
    return [split(item.cells, separate=None) for item in bach if item.split == "valid"]


def share_right(items: list[Item], voices: list[np.ndarray]) -> float:
    right = sum(int((ours == item.voices).sum()) for item, ours in zip(items, voices, strict=True))
    return right / sum(ours.size for ours in voices)


@pytest.mark.corpus
def test_bachs_voices_are_found_again_in_the_merged_roll_by_costs_alone(
    bach: list[Item], by_costs: list[np.ndarray]
) -> None:
    """Sorting by pitch alone finds 97.8 %; unisons count."""
    assert share_right([item for item in bach if item.split == "valid"], by_costs) > 0.98


@pytest.mark.corpus
def test_993_of_1000_cells_of_train_and_valid_together_are_in_the_right_voice(
    bach: list[Item], told_apart: list[np.ndarray]
) -> None:
    assert share_right(bach, told_apart) >= 0.993


@pytest.mark.corpus
def test_the_network_finds_more_than_the_costs_in_music_that_it_does_not_know(
    bach: list[Item], told_apart: list[np.ndarray], by_costs: list[np.ndarray]
) -> None:
    unknown = [item for item in bach if item.split == "valid"]
    ours = [voices for item, voices in zip(bach, told_apart, strict=True) if item.split == "valid"]
    assert share_right(unknown, ours) > share_right(unknown, by_costs)


@pytest.mark.corpus
def test_nine_in_ten_of_bachs_parallels_are_found_again_and_three_in_four_of_those_found_are_his(
    bach: list[Item], told_apart: list[np.ndarray]
) -> None:
    n_true = n_found = n_shared = 0
    for item, ours in zip(bach, told_apart, strict=True):
        assert item.voices is not None
        true, found = (
            {(fault.rule, fault.step, tuple(sorted(fault.pitches))) for fault in parallels(voices)}
            for voices in (item.voices, ours)
        )
        n_true, n_found, n_shared = n_true + len(true), n_found + len(found), n_shared + len(true & found)
    assert n_shared / n_true >= 0.9
    assert n_shared / n_found >= 0.75


def test_who_likes_a_pitch_best_sings_it() -> None:
    def crossed(cells: Cells) -> Liking:
        liking = np.full((cells.shape[1], 4, 128), -9.0)
        for voice, pitch in enumerate((72, 64, 67, 48)):
            liking[:, voice, pitch] = -0.1
        return liking

    assert split(roll_of(CHORD, 4), separate=crossed)[0].tolist() == [72, 64, 67, 48]
    # three voices are told apart by hand-set costs
    assert split(roll_of(CHORD[1:], 4), 3, separate=crossed)[0].tolist() == [67, 64, 48]


def test_one_voice_alone_sings_the_top() -> None:
    cells = roll_of([RollNote(0, 60, 4), RollNote(4, 64, 4), RollNote(4, 55, 4)], 8)
    assert split(cells, 1)[:, 0].tolist() == [60] * 4 + [64] * 4


def test_the_voice_that_doubles_another_is_chosen_so_that_nothing_moves_in_parallel() -> None:
    # with the upper two in unison the lower two would move in octaves
    first = [RollNote(0, pitch, 4) for pitch in (67, 60, 48)]
    second = [RollNote(4, pitch, 4) for pitch in (62, 50)]
    assert split(roll_of([*first, *second], 8), 3)[4].tolist() == [62, 50, 50]


def test_a_line_that_nobody_accompanies_is_one_part_and_keeps_its_repeated_notes() -> None:
    line = [RollNote(0, 67, 4), RollNote(4, 67, 4), RollNote(8, 66, 8)]
    cells = roll_of(line, 16, n_planes=2)
    (part,) = parts_of(cells, np.zeros_like(cells[0]))
    assert list(part.notes) == line


def test_where_one_of_two_voices_rests_the_other_is_not_doubled() -> None:
    cells = roll_of([RollNote(0, 67, 8), RollNote(0, 55, 4)], 8)
    upper, lower = parts_of(cells, np.zeros_like(cells[0]))
    assert list(upper.notes) == [RollNote(0, 67, 8)]
    assert list(lower.notes) == [RollNote(0, 55, 4)]


def test_the_split_is_the_same_whether_costs_are_remembered_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    cells = np.zeros((1, 160, 128), dtype=bool)
    for step in range(0, 160, 2):  # from one pitch to seven, some held
        cells[0, step : step + int(rng.integers(1, 5)), rng.choice(np.arange(45, 75), int(rng.integers(1, 5)))] = True
    first = split(cells)
    again = split(cells)
    monkeypatch.setattr(voices, "REMEMBERED", 0)
    monkeypatch.setattr(voices, "WEIGHED", 1)
    anew = split(cells)
    monkeypatch.setattr(voices, "_weigh", lambda *_: None)
    voices._known_costs.clear()
    assert (first == again).all()
    assert (first == anew).all()
    assert (first == split(cells)).all()
