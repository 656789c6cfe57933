"""Pieces and their edit logs in SQLite: what was acknowledged is on disk.

A piece is stored once, as what it began from; every step of its log is a row that is written before anybody hears of
it. Nothing is ever changed in place, so that whatever kills the program, what was told is there when it starts again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from ripieno.errors import BadInput

_VERSION = 1
_TABLES = """
create table piece (
    id text primary key,
    name text not null,
    begun text not null,            -- JSON: what the piece began from, all but the file's bytes
    source blob,                    -- the file that was opened
    created real not null,
    changed real not null
) strict;
create table step (
    piece text not null references piece (id) on delete cascade,
    seq integer not null,
    step text not null,             -- JSON
    primary key (piece, seq)
) strict, without rowid;
create index recent on piece (changed desc);
"""


class DiskFull(BadInput):
    """What was to be written could not be."""


class WrittenElsewhere(BadInput):
    """Another program has written to the piece meanwhile."""


@dataclass(frozen=True, kw_only=True)
class StoredPiece:
    """What a piece began from, and when."""

    id: str
    name: str
    begun: dict[str, Any]
    source: bytes | None
    created: float
    changed: float
    n_steps: int  # of the log


class Store:
    """One file of pieces. Any thread may call it.

    Args:
        path: made if it is not there; ":memory:" for one that is forgotten.

    Raises:
        BadInput: the file cannot be opened, is no such store, or of a newer version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            if isinstance(path, Path):
                path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.execute("pragma foreign_keys = on")
            self._base.execute("pragma busy_timeout = 5000")
            self._make_tables()
        except OSError as error:
            raise BadInput(f"{path} cannot be opened: {error.strerror or error}; say where by --folder") from error
        except sqlite3.Error as error:
            raise BadInput(f"{path} cannot be opened: {error}; move it away, or say where else by --folder") from error

    def _make_tables(self) -> None:
        (version,) = self._base.execute("pragma user_version").fetchone()
        if version > _VERSION:
            raise BadInput(f"{self.path} is of a newer Ripieno; update this one, or say where else by --folder")
        if version == 0:
            with self._transaction():
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        self._base.execute(statement)
                self._base.execute(f"pragma user_version = {_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing.

        Raises:
            DiskFull: nothing, because it cannot be written.
            WrittenElsewhere: nothing, because another program has written meanwhile.
        """
        with self._lock:
            try:
                self._base.execute("begin immediate")
                try:
                    yield
                    self._base.execute("commit")
                except BaseException:
                    if self._base.in_transaction:
                        self._base.execute("rollback")
                    raise
            except sqlite3.IntegrityError as error:
                raise WrittenElsewhere("another studio changed this piece meanwhile; load the page again") from error
            except sqlite3.OperationalError as error:
                raise DiskFull(f"nothing can be saved now: {error}; make room on the disk and try again") from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()

    # Pieces

    def add(
        self,
        id: str,
        name: str,
        begun: dict[str, Any],
        source: bytes | None = None,
        steps: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Store a piece as it begins, with the steps of its log if it has some already.

        Raises:
            DiskFull: it could not be written.
        """
        now = time.time()
        with self._transaction():
            self._base.execute(
                "insert into piece values (?, ?, ?, ?, ?, ?)", (id, name, json.dumps(begun), source, now, now)
            )
            self._insert(id, 1, steps)

    def append(self, id: str, seq: int, steps: Sequence[dict[str, Any]], name: str | None = None) -> None:
        """Write steps of a log, the first of them with the number `seq`. When this returns they are on disk.

        Raises:
            DiskFull: they could not be written; none of them was.
            WrittenElsewhere: there are steps with these numbers already.
        """
        with self._transaction():
            self._insert(id, seq, steps)
            self._base.execute(
                "update piece set changed = ?, name = coalesce(?, name) where id = ?", (time.time(), name, id)
            )

    def _insert(self, id: str, seq: int, steps: Sequence[dict[str, Any]]) -> None:
        rows = ((id, number, json.dumps(step, separators=(",", ":"))) for number, step in enumerate(steps, start=seq))
        self._base.executemany("insert into step values (?, ?, ?)", rows)

    def piece(self, id: str) -> StoredPiece | None:
        """A piece; None if it is not there."""
        found = self._read(
            "select *, (select count(*) from step where piece = piece.id) from piece where id = ?", (id,)
        )
        return None if not found else _stored(found[0])

    def recent(self, limit: int = 50) -> list[StoredPiece]:
        """The pieces that were changed last, without their files."""
        columns = "id, name, begun, null, created, changed, (select count(*) from step where piece = piece.id)"
        return [
            _stored(row) for row in self._read(f"select {columns} from piece order by changed desc limit ?", (limit,))
        ]

    def steps(self, id: str) -> list[dict[str, Any]]:
        """All steps of a piece's log, in order."""
        return [json.loads(step) for (step,) in self._read("select step from step where piece = ? order by seq", (id,))]

    def remove(self, id: str) -> bool:
        """Forget a piece. False: it was not there."""
        with self._transaction():
            return self._base.execute("delete from piece where id = ?", (id,)).rowcount > 0

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._base.execute(statement, values).fetchall()


def _stored(row: tuple[Any, ...]) -> StoredPiece:
    id, name, begun, source, created, changed, n_steps = row
    return StoredPiece(
        id=id,
        name=name,
        begun=json.loads(begun),
        source=source,
        created=created,
        changed=changed,
        n_steps=n_steps,
    )


def default_folder() -> Path:
    """Where the pieces of this person are kept: in the system's own place, or where version 0.1.0 has kept some."""
    if os.name == "nt":
        before = Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "Ripieno"
    else:
        before = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "ripieno"
    return before if before.is_dir() else user_data_path("ripieno", appauthor=False)
