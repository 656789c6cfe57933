import json
import zipfile
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.corpus import Item, read_jsb, read_midi_folder, write_prepared
from ripieno.files.midi import midi_bytes
from ripieno.music.piece import Meter, piece_from_notes
from ripieno.music.roll import RollNote, notes_of, roll_of
from ripieno.training.samples import load_prepared


def tune(*notes: RollNote, meter: tuple[int, int] | None = None) -> bytes:
    return midi_bytes(piece_from_notes(notes or [RollNote(0, 60, 4)], meter=meter))[0]


def folder_of(tmp_path, files: dict[str, bytes]):
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def splits_of(items: list[Item]) -> dict[str, str]:
    return {item.name: item.split for item in items}


# JSB Chorales


def test_jsb_keeps_its_splits_and_its_voices(tmp_path):
    path = tmp_path / "jsb.json"
    path.write_text(
        json.dumps({"train": [[[72, 64, 55, 48], [72, -1, 55, 48]]], "valid": [], "test": [[[60, 60, 55, -1]]]})
    )
    first, last = read_jsb(path)
    assert (first.name, first.split, last.name, last.split) == ("jsb-train-0", "train", "jsb-test-0", "test")
    assert notes_of(first.cells) == [RollNote(0, 48, 2), RollNote(0, 55, 2), RollNote(0, 64, 1), RollNote(0, 72, 2)]
    assert notes_of(last.cells) == [RollNote(0, 55, 1), RollNote(0, 60, 1)]
    assert first.voices is not None
    assert first.voices.tolist() == [[72, 64, 55, 48], [72, -1, 55, 48]]


@pytest.mark.corpus
def test_jsb_has_the_published_bars(data_folder):
    items = read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json")
    assert Counter(item.split for item in items) == {"train": 229, "valid": 76, "test": 77}
    bars: Counter[str] = Counter()
    for item in items:
        bars[item.split] += item.cells.shape[1] // 16
    assert bars == {"train": 3405, "valid": 1134, "test": 1165}  # Table 2 counts the 3,405


# Any folder of MIDI


def test_a_folder_s_tunes_are_read_in_the_order_of_their_names(tmp_path):
    folder = folder_of(
        tmp_path, {"b.mid": tune(), "a/c.MIDI": tune(RollNote(0, 62, 4)), "notes.txt": b"", "a/._c.midi": b""}
    )
    items, unusable = read_midi_folder(folder)
    assert [item.name for item in items] == ["a/c.MIDI", "b.mid"]
    assert notes_of(items[0].cells) == [RollNote(0, 62, 4)]
    assert unusable == []


def test_a_zip_file_reads_as_the_folder_that_is_in_it(tmp_path):
    files = {f"tunes/{i}.mid": tune(RollNote(0, 60 + i, 4)) for i in range(9)}
    with zipfile.ZipFile(tmp_path / "tunes.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    zipped, _ = read_midi_folder(tmp_path / "tunes.zip")
    plain, _ = read_midi_folder(folder_of(tmp_path / "unpacked", files))
    assert splits_of(zipped) == splits_of(plain)
    assert all(np.array_equal(one.cells, other.cells) for one, other in zip(zipped, plain, strict=True))


def test_a_file_that_cannot_be_used_is_left_out_and_named(tmp_path):
    items, unusable = read_midi_folder(folder_of(tmp_path, {"good.mid": tune(), "bad/one.mid": tune()[:30]}))
    assert [item.name for item in items] == ["good.mid"]
    (line,) = unusable
    assert line.startswith("bad/one.mid is cut short")


def test_files_can_be_left_out_by_name(tmp_path):
    items, _ = read_midi_folder(folder_of(tmp_path, {"a/1.mid": tune(), "2.mid": tune()}), exclude={"1.mid"})
    assert [item.name for item in items] == ["2.mid"]


def test_a_tune_begins_with_its_first_note_and_knows_where_in_the_beat_that_is(tmp_path):
    short_bar = piece_from_notes([RollNote(0, 60, 2), RollNote(2, 62, 32)], meter=(1, 8))
    pickup_bar = replace(short_bar, meters=(*short_bar.meters, Meter(step=Fraction(2), numerator=4, denominator=4)))
    late = tune(RollNote(14, 60, 2), RollNote(16, 62, 4))
    items, _ = read_midi_folder(folder_of(tmp_path, {"late.mid": late, "short.mid": midi_bytes(pickup_bar)[0]}))
    assert [item.beat_phase for item in items] == [2, 2]
    assert notes_of(items[0].cells) == [RollNote(0, 60, 2), RollNote(2, 62, 4)]


def test_folders_named_after_splits_win(tmp_path):
    names = ["valid/a.mid", "my/test/b.mid", "train/deep/c.mid"]
    items, _ = read_midi_folder(folder_of(tmp_path, dict.fromkeys(names, tune())))
    assert splits_of(items) == {"valid/a.mid": "valid", "my/test/b.mid": "test", "train/deep/c.mid": "train"}


def test_the_same_files_make_the_same_splits_and_another_seed_makes_others(tmp_path):
    names = [f"{i}.mid" for i in range(20)]
    here = folder_of(tmp_path / "here", dict.fromkeys(names, tune()))
    there = folder_of(tmp_path / "there", dict.fromkeys(reversed(names), tune()))
    splits = splits_of(read_midi_folder(here)[0])
    assert splits_of(read_midi_folder(there)[0]) == splits
    assert splits_of(read_midi_folder(here, seed=1)[0]) != splits
    assert Counter(splits.values()) == {"train": 16, "valid": 2, "test": 2}


def test_three_files_are_enough_for_three_splits(tmp_path):
    items, _ = read_midi_folder(folder_of(tmp_path, dict.fromkeys(["a.mid", "b.mid", "c.mid"], tune())))
    assert sorted(item.split for item in items) == ["test", "train", "valid"]


def test_a_share_of_nothing_gets_nothing(tmp_path):
    items, _ = read_midi_folder(
        folder_of(tmp_path, dict.fromkeys(["a.mid", "b.mid", "c.mid"], tune())), shares=(1, 0, 0)
    )
    assert {item.split for item in items} == {"train"}


def test_a_folder_of_no_use_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="neither a folder nor a zip file"):
        read_midi_folder(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"has no MIDI file that can be used$"):
        read_midi_folder(tmp_path)
    folder_of(tmp_path, {"a.mid": b""})
    with pytest.raises(BadInput, match=r"the first: a\.mid is empty"):
        read_midi_folder(tmp_path)
    with pytest.raises(BadInput, match="together they must be 1"):
        read_midi_folder(tmp_path, shares=(0.5, 0.1, 0.1))


def test_a_damaged_zip_file_is_one_clear_line(tmp_path):
    path = tmp_path / "tunes.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.mid", tune() * 50)
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"tunes\.zip cannot be read"):
        read_midi_folder(path)


@pytest.mark.corpus
def test_infinite_bach_matches_the_jsb_chorales_it_is_said_to_hold(data_folder):
    matches = json.loads((data_folder / "jsb" / "jsb_bwv.json").read_text())
    some = [match for match in matches if match["infinite_bach"]][::100]
    jsb = {item.name: item.cells[0] for item in read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json")}
    with zipfile.ZipFile(data_folder / "infinite-bach" / "midi.zip") as archive:
        others = {info.filename for info in archive.infolist()} - {match["infinite_bach"] for match in some}
    items, unusable = read_midi_folder(data_folder / "infinite-bach" / "midi.zip", exclude=others, shares=(1, 0, 0))
    assert unusable == []
    rolls = {item.name: item.cells[0] for item in items}
    for match in some:
        ours, theirs = rolls[match["infinite_bach"]], jsb[f"jsb-{match['split']}-{match['index']}"]
        # JSB is often in another key, and Infinite Bach plays repeats: compare how they begin.
        alike = max(
            (ours[:32] & np.roll(theirs[:32], semitones, axis=1)).sum() / theirs[:32].sum()
            for semitones in range(-6, 7)
        )
        assert alike > 0.8


# Prepared


@given(
    pieces=st.lists(
        st.tuples(
            st.sampled_from(["train", "valid"]),
            st.lists(st.builds(RollNote, st.integers(0, 9), st.integers(0, 127), st.integers(1, 5)), max_size=5),
            st.integers(1, 14),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=4,
    ),
    n_planes=st.integers(1, 2),
)
def test_training_reads_the_rolls_that_were_prepared(tmp_path_factory, pieces, n_planes):
    items = [
        Item(f"piece {i}", split, roll_of(notes, length, n_planes), beat_phase)
        for i, (split, notes, length, beat_phase) in enumerate(pieces)
    ]
    path = tmp_path_factory.mktemp("corpus") / "prepared.npz"
    write_prepared(items, path)
    for split in {item.split for item in items}:
        wanted = [item for item in items if item.split == split]
        prepared = load_prepared(path, split)
        assert [piece.name for piece in prepared.pieces] == [item.name for item in wanted]
        assert [piece.beat_phase for piece in prepared.pieces] == [item.beat_phase for item in wanted]
        assert all(np.array_equal(piece.cells, item.cells) for piece, item in zip(prepared.pieces, wanted, strict=True))
    with np.load(path, allow_pickle=False) as data:  # the names and types that the module's first lines promise
        assert {name: data[name].dtype.kind for name in data.files} == {
            "cells": "u",
            "cells_shape": "i",
            "n_steps": "i",
            "beat_phase": "i",
            "split": "U",
            "name": "U",
            "tells_onsets": "b",
            "outline": "i",
            "tune_key": "i",
            "style": "U",
            **({"voices": "i", "onsets": "b", "n_voices": "i"} if any(i.voices is not None for i in items) else {}),
        }
        assert data["cells"].shape == (sum(item.cells.shape[1] for item in items), n_planes, 16)
    assert [file.name for file in path.parent.iterdir()] == ["prepared.npz"]
