"""`read_corpus` tells what kind of corpus it was given."""

import json
from pathlib import Path

import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.files.corpus import Item, read_corpus, read_jsb, without_repeats
from ripieno.music.roll import RollNote, notes_of, roll_of_voices

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


def test_what_largely_repeats_a_piece_kept_apart_is_left_out_of_training_in_any_transposition_and_it_is_said() -> None:
    rng = np.random.default_rng(0)
    kept, other = (np.sort(rng.integers(40, 75, (64, 4)).repeat(2, axis=0), axis=1) for _ in range(2))
    items = [
        Item("kept", "valid", roll_of_voices(kept)),
        Item("third up", "train", roll_of_voices(kept[32:] + 4)),
        Item("half", "train", roll_of_voices(np.concatenate([kept[:56], other[:72]]))),
        Item("other", "train", roll_of_voices(other)),
        Item("silent", "train", roll_of_voices(other - 200)),
    ]
    left, remarks = without_repeats(items)
    assert [item.name for item in left] == ["kept", "half", "other", "silent"]
    assert remarks == ["left out of training, since they largely repeat a piece kept apart: third up"]
    assert without_repeats(left) == (left, [])


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
