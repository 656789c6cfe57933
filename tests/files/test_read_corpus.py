"""`read_corpus` tells what kind of corpus it was given."""

import json
from pathlib import Path

import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.files.corpus import JSB_LEAKS, read_corpus, read_jsb
from ripieno.music.roll import RollNote, notes_of

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
CHORD = [72, 67, 60, 48]


def a_jsb(path: Path, n_train: int = 3) -> Path:
    chorale = [CHORD, CHORD, [72, 65, -1, 53], CHORD]
    path.write_text(json.dumps({"train": [chorale] * n_train, "valid": [chorale], "test": [chorale]}))
    return path


def test_the_jsb_chorales_keep_their_splits_and_voices(tmp_path: Path) -> None:
    items = read_jsb(a_jsb(tmp_path / "jsb.json"))
    assert [item.split for item in items] == ["train", "train", "train", "valid", "test"]
    assert RollNote(2, 65, 1) in notes_of(items[0].cells)
    assert items[0].voices is not None
    np.testing.assert_array_equal(items[0].voices[2], [72, 65, -1, 53])


def test_chorales_that_repeat_one_of_the_valid_split_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    items, remarks = read_corpus(a_jsb(tmp_path / "jsb.json", 229))
    assert len(items) == 229 - 2 + 2
    assert not {item.name for item in items} & set(JSB_LEAKS)
    assert "142 and 224" in remarks[0]


def test_a_folder_is_read_as_midi_files() -> None:
    items, remarks = read_corpus(EXAMPLES)
    assert len(items) == len(list(EXAMPLES.glob("*.mid")))
    assert remarks == []


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"train": []}', '{"train": [["x"]], "valid": [], "test": []}'])
def test_another_json_file_is_refused_with_where_to_get_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadInput, match="JSB-Chorales-dataset"):
        read_corpus(tmp_path / "x.json")


def test_a_missing_corpus_is_refused(tmp_path: Path) -> None:
    for name in ("gone.json", "gone"):
        with pytest.raises(BadInput, match="gone"):
            read_corpus(tmp_path / name)


@pytest.mark.corpus
def test_jsb_has_3405_whole_bars_to_train_on(data_folder: Path) -> None:
    items = read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json")
    bars = {
        split: sum(i.cells.shape[1] // 16 for i in items if i.split == split) for split in ("train", "valid", "test")
    }
    assert bars == {"train": 3405, "valid": 1134, "test": 1165}
