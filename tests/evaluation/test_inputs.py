"""What is harmonised: Bach's sopranos, and melodies that nothing was tuned on."""

import json
from pathlib import Path

import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.evaluation.inputs import TUNED, doodles, soprano_of, sopranos
from ripieno.files.corpus import Item
from ripieno.music.roll import silence


def item(name: str, split: str, line: list[int]) -> Item:
    voices = np.stack([np.array(line), np.full(len(line), 60), np.full(len(line), 55), np.full(len(line), 48)], axis=1)
    return Item(name, split, silence(len(line)), voices=voices)


def a_tune(seed: int, semitones: int = 0) -> list[int]:
    walk = 70 + semitones + np.cumsum(np.random.default_rng(seed).choice([-2, -1, 1, 2], size=30))
    return np.repeat(walk, 2).tolist()


def test_a_soprano_is_the_top_voice_and_nothing_else() -> None:
    line = [72, 72, -1, 74, 74, 74, 71, 71]
    voices = item("x", "test", line).voices
    assert voices is not None
    piece = soprano_of(voices)
    assert [(n.pitch, float(n.onset), float(n.end)) for n in piece.notes] == [(72, 0, 2), (74, 3, 6), (71, 6, 8)]


def test_a_tune_is_known_in_any_key_and_setting() -> None:
    corpus = [item("a", "train", a_tune(1)), item("b", "test", a_tune(1, 5)), item("c", "test", a_tune(2))]
    assert [(of.name, of.is_known) for of in sopranos(corpus)] == [("b", True), ("c", False)]
    assert [of.name for of in sopranos(corpus, "train")] == ["a"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "doodle.json"
    melodies = [{"notes": [[40 + i % 40, 0, 4 + i // 40], [60, 16, 20]]} for i in range(296)]
    path.write_text(json.dumps({"melodies": melodies}))
    return path


def test_the_others_are_what_was_neither_judged_by_nor_tuned_on(file: Path) -> None:
    judged, others = ({int(of.name.split()[1]) for of in doodles(file, others=way)} for way in (False, True))
    assert len(others) == 66
    assert judged | others | TUNED == set(range(296))
    assert not others & (judged | TUNED)


def test_melodies_that_something_was_tuned_on_are_left_out(file: Path) -> None:
    inputs = doodles(file)
    assert len(inputs) == 150
    chosen = {int(of.name.split()[1]) for of in inputs}
    assert len(chosen) == 150
    assert not chosen & TUNED
    assert len(TUNED) == 50 + 30


def test_two_bars_come_four_times_over(file: Path) -> None:
    piece = doodles(file)[0].piece
    assert [float(note.onset) for note in piece.notes] == [0, 16, 32, 48, 64, 80, 96, 112]


def test_what_is_no_file_of_melodies_is_said_in_one_line(tmp_path: Path, file: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        doodles(tmp_path / "missing.json")
    file.write_text('{"tunes": []}')
    with pytest.raises(BadInput, match="does not hold melodies"):
        doodles(file)
    file.write_text('{"melodies": []}')
    with pytest.raises(BadInput, match="0 melodies"):
        doodles(file)
