"""Whatever kills the program, what was acknowledged is there when it starts again."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed

from ripieno.studio.store import Store
from tests.studio.talking import Address

TUNE = (Path(__file__).parents[2] / "examples" / "old-hundredth.mid").read_bytes()


def start(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A server of its own; the process and its port."""
    command = [sys.executable, "-m", "ripieno.cli", "studio", "--no-browser", "--port", "0", "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
    assert found, line
    return process, int(found[1])


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def kill_in_a_run(folder: Path, piece: str | None, rng: random.Random) -> tuple[str, list[dict[str, Any]], bool]:
    """Start, run, kill; the piece, the entries that a window has seen, and whether the run went on until then.

    Args:
        folder: of the store.
        piece: None for a new one.
        rng: chooses the moment.
    """
    process, port = start(folder)
    try:
        server = Address(port)
        piece = piece or str(server.post("/api/pieces/import?name=tune.mid", TUNE)["piece"]["id"])
        with server.window(piece) as window:
            window.ask("undo")  # the last run, so that there is something to do
            window.ask("run")
            window.until(lambda message: message["type"] == "entries" and message["entries"][-1]["kind"] == "edit")
            deadline = time.monotonic() + rng.uniform(0, 0.4)
            with suppress(TimeoutError):
                while (left := deadline - time.monotonic()) > 0:
                    window.hear(left)
            process.kill()
            with suppress(ConnectionClosed, TimeoutError):
                window.until(lambda message: False)
            ended = [one for one in window.heard if one["type"] == "running" and one["run"]["state"] != "running"]
            return piece, window.entries, not ended
    finally:
        end(process)


def lost(folder: Path, piece: str, heard: list[dict[str, Any]]) -> list[object]:
    """The numbers of entries that a window has seen and the store has not, or has otherwise."""
    store = Store(folder / "studio.sqlite")
    kept = dict(enumerate(store.steps(piece), start=1))
    store.close()
    return [entry["seq"] for entry in heard if kept.get(entry["seq"], {}).get("text") != entry["text"]]


def test_no_acknowledged_entry_is_missing_after_a_kill(tmp_path: Path) -> None:
    """`python -m benchmarks.studio kills` does it 200 times."""
    rng = random.Random(3)
    piece: str | None = None
    for _ in range(3):
        piece, heard, _ = kill_in_a_run(tmp_path, piece, rng)
        assert heard
        assert lost(tmp_path, piece, heard) == []
    process, port = start(tmp_path)
    try:
        with Address(port).window(str(piece)) as window:  # and the piece can be opened
            assert window.welcome["type"] == "welcome"
            assert window.ask("tempo", bpm=90)["type"] == "done"
    finally:
        end(process)
