"""The store writes all or nothing, and what it has written stays."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.studio.store import DiskFull, Store, default_folder


def test_a_piece_and_its_steps_are_there_in_another_program(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "studio.sqlite")
    store.add("one", "First", {"bars": 2}, b"MThd", [{"text": "a"}])
    store.append("one", 2, [{"text": "b"}, {"text": "c"}], name="Renamed")
    other = Store(tmp_path / "a" / "studio.sqlite")
    piece = other.piece("one")
    assert piece is not None
    assert (piece.name, piece.begun, piece.source, piece.n_steps) == ("Renamed", {"bars": 2}, b"MThd", 3)
    assert other.steps("one") == [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    store.close()
    other.close()


def test_steps_are_written_all_or_none(store: Store) -> None:
    store.add("one", "First", {})
    store.append("one", 1, [{"text": "a"}])
    with pytest.raises(BadInput, match="another studio"):
        store.append("one", 1, [{"text": "b"}, {"text": "c"}])  # somebody else has written number 1
    assert store.steps("one") == [{"text": "a"}]


def test_the_piece_changed_last_comes_first(store: Store) -> None:
    for id in ("one", "two", "three"):
        store.add(id, id, {})
    store.append("one", 1, [{}])
    assert [piece.id for piece in store.recent()] == ["one", "three", "two"]
    assert [piece.id for piece in store.recent(1)] == ["one"]


def test_a_removed_piece_takes_its_steps_along(store: Store) -> None:
    store.add("one", "First", {}, None, [{}])
    assert store.remove("one")
    assert not store.remove("one")
    assert store.piece("one") is None
    assert store.steps("one") == []


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "studio.sqlite")
    store.add("one", "First", {})
    store._base.execute("pragma max_page_count = 20")  # what SQLite says when the disk is full, it says now
    n_written = 0

    def write() -> None:
        nonlocal n_written
        while True:
            store.append("one", n_written + 1, [{"text": "x" * 5000}])
            n_written += 1

    with pytest.raises(DiskFull, match="make room"):
        write()
    assert 0 < len(store.steps("one")) == n_written
    store._base.execute("pragma max_page_count = 10000")
    store.append("one", n_written + 1, [{"text": "room again"}])
    store.close()


def test_a_folder_that_cannot_be_written_and_a_file_that_is_no_store_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "text.sqlite").write_text("no database, and long enough to be read as one" * 100)
    for path in (tmp_path / "file" / "studio.sqlite", tmp_path / "text.sqlite"):
        with pytest.raises(BadInput, match="cannot be opened"):
            Store(path)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    base = sqlite3.connect(path)
    base.execute("pragma user_version = 99")
    base.close()
    with pytest.raises(BadInput, match="newer"):
        Store(path)


def test_threads_may_write_at_once(store: Store) -> None:
    def write(id: str) -> None:
        for seq in range(1, 30):
            store.append(id, seq, [{"text": id}])

    for id in ("one", "two", "three"):
        store.add(id, id, {})
    threads = [threading.Thread(target=write, args=(id,)) for id in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(store.steps(id)) for id in ("one", "two", "three")] == [29, 29, 29]


@pytest.mark.skipif(os.name == "nt", reason="Windows has one place, then as now")
def test_pieces_are_kept_where_the_system_says_or_where_they_were_before(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.store.user_data_path", lambda *_args, **_options: tmp_path / "new" / "ripieno")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / "new" / "ripieno"
    before = tmp_path / ".local" / "share" / "ripieno"
    before.mkdir(parents=True)
    assert default_folder() == before  # of version 0.1.0, which knew no place of macOS's own


@pytest.mark.skipif(sys.platform != "linux", reason="what 0.1.0 took for every system but Windows is Linux's own place")
def test_on_linux_the_place_is_the_same_as_before(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_folder() == tmp_path / "data" / "ripieno"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local" / "share" / "ripieno"
