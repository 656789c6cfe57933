"""Is the studio's server fast, fair and safe enough?  Times are of this machine; say which when you quote them.

    python -m benchmarks.studio             all of it, some minutes
    python -m benchmarks.studio suggest     one part: start, suggest, alternatives, stream, load, kills, fuzz
    python -m benchmarks.studio kills --n 20
    python -m benchmarks.studio load --seconds 10

Everything but the fuzzing talks to a server in a process of its own, over loopback, as a page would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websockets
from tests.studio.conftest import serving
from tests.studio.talking import Address
from tests.studio.test_kill import end, kill_in_a_run, lost, start
from tests.studio.test_server import nonsense

from ripieno.studio import server as server_module
from ripieno.studio.messages import PROTOCOL
from ripieno.studio.server import Studio, open_studio
from ripieno.studio.store import Store

TUNE = (Path(__file__).parents[1] / "examples" / "old-hundredth.mid").read_bytes()  # 8 bars
N_SESSIONS = 20
KILLS_A_PIECE = 10
LOAD_SECONDS = 30


@contextmanager
def own_server() -> Iterator[Address]:
    """A server in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        process, port = start(Path(folder))
        try:
            yield Address(port)
        finally:
            end(process)


def _serve(folder: str, line: Any) -> None:
    studio = open_studio(folder=Path(folder))
    with serving(studio) as served:
        line.send(served.port)
        while line.recv():
            line.send(dict(studio.engine.served))
    studio.store.close()


@contextmanager
def watched_server() -> Iterator[tuple[Address, Callable[[], dict[str, float]]]]:
    """A server in a process of its own, and how many seconds its engine has given to each piece."""
    here, there = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, there))
        process.start()
        port = here.recv()

        def served() -> dict[str, float]:
            here.send(True)
            found: dict[str, float] = here.recv()
            return found

        try:
            yield Address(port), served
        finally:
            here.send(False)
            process.join(30)
            process.kill()


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def new_piece(server: Address) -> str:
    """The eight bars of Old Hundredth, once more."""
    return str(server.post("/api/pieces/import?name=tune.mid", TUNE)["piece"]["id"])


def start_up() -> None:
    """From the command to a page that can be used: health, the list of pieces, and the piece itself."""
    times = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            process, port = start(Path(folder))
            try:
                server = Address(port)
                with server.window(server.get("/api/pieces")["current"]):
                    times.append(time.monotonic() - began)
            finally:
                end(process)
    print(f"start: a piece is there {statistics.median(times):.2f} s after the command (bar: 2 s)")


def suggest() -> None:
    """The next whole note after an edit of the person's."""
    times = []
    with own_server() as server, server.window(new_piece(server)) as window:
        window.ask("suggest")
        for i in range(40):
            note = {"onset": 4 * (i % 32), "pitch": 48 + i // 32, "duration": 4}
            assert window.ask("edit", add=[note])["type"] == "done"
            began = time.monotonic()
            assert window.ask("suggest", n=5)["type"] == "suggestions"
            times.append(time.monotonic() - began)
            window.ask("undo")
            time.sleep(0.1)  # a person takes longer
    said = f"median {1000 * statistics.median(times):.0f} ms, 95 % {1000 * percentile(times, 0.95):.0f} ms"
    print(f"suggest: {said} after an edit (bar: median 100 ms)")


def alternatives() -> None:
    """Three ways to fill two bars of one voice."""
    times, n_found = [], []
    with own_server() as server, server.window(new_piece(server)) as window:
        window.ask("run")
        window.until(lambda message: message["type"] == "running" and message["run"]["state"] != "running")
        for i in range(24):
            began = time.monotonic()
            voice = ("alto", "tenor", "bass")[i % 3]
            found = window.ask("regenerate", bars=[1 + i % 7, 2 + i % 7], voices=[voice], seed=i)
            times.append(time.monotonic() - began)
            n_found.append(len(found["alternatives"]))
    said = f"median {statistics.median(times):.2f} s, 95 % {percentile(times, 0.95):.2f} s"
    print(f"alternatives: {said}, {statistics.mean(n_found):.1f} of 3 found (bar: 1 s)")


def stream() -> None:
    """Changes a second of one run, as they reach the window."""
    with own_server() as server, server.window(new_piece(server)) as window:
        for quality in ("exact", "high", "fast"):
            window.ask("rules", changes={"quality": quality, "mend": "nothing"})
            n_before = len(window.entries)
            began = time.monotonic()
            window.ask("run")
            window.until(lambda message: message["type"] == "running" and message["run"]["state"] != "running")
            took = time.monotonic() - began
            n = len(window.entries) - n_before
            print(f"stream, {quality}: {n / took:.0f} changes a second, {took:.1f} s for the piece (bar: 20 a second)")
            window.ask("undo")


async def _one_session(
    port: int, piece: str, seconds: float, rng: random.Random, stops: bool, mend: str
) -> tuple[int, float, list[float]]:
    """Run again and again; how many changes came, in how many seconds, and how long each stop took."""
    address = f"ws://127.0.0.1:{port}/api/pieces/{piece}/socket"
    n_changes, waits = 0, []
    async with websockets.connect(address, max_size=None, ping_interval=None) as line:

        async def say(type: str, **rest: Any) -> str:
            id = uuid.uuid4().hex
            await line.send(json.dumps({"type": type, "id": id, **rest}))
            return id

        async def answer(id: str | None, until: float, ends: bool = False) -> bool:
            """Hear until the answer, the end of a run, or a time; whether that is what came."""
            nonlocal n_changes
            while (left := until - time.monotonic()) > 0:
                try:
                    message = json.loads(await asyncio.wait_for(line.recv(), left))
                except TimeoutError:
                    return False
                if message["type"] == "entries":
                    n_changes += sum(entry["run"] is not None for entry in message["entries"])
                if id is not None and message.get("id") == id:
                    return True
                if ends and message["type"] == "running" and message["run"]["state"] != "running":
                    return True
            return False

        await line.send(json.dumps({"type": "hello", "protocol": PROTOCOL, "seen": None}))
        await line.recv()
        await answer(await say("rules", changes={"seed": rng.randrange(1000), "mend": mend}), time.monotonic() + 60)
        began = time.monotonic()
        deadline = began + seconds
        while time.monotonic() < deadline:
            await say("run")
            pause = rng.uniform(0.5, 2) if stops else seconds
            if not await answer(None, min(deadline, time.monotonic() + pause), ends=True):
                asked = time.monotonic()
                if await answer(await say("stop"), asked + 60):
                    waits.append(time.monotonic() - asked)
            await answer(await say("undo"), time.monotonic() + 60)
        return n_changes, time.monotonic() - began, waits


def load(seconds: float = LOAD_SECONDS) -> None:
    """Twenty pieces that run at once: is each served, and is a stop obeyed?  Without mending and with it."""
    _load("nothing", seconds)
    _load("faults", seconds)


def _load(mend: str, seconds: float) -> None:
    with watched_server() as (server, served):
        pieces = [new_piece(server) for _ in range(N_SESSIONS)]

        async def all_of_them(stops: bool) -> list[tuple[int, float, list[float]]]:
            sessions = [
                _one_session(server.port, piece, seconds, random.Random(2 * i + stops), stops, mend)
                for i, piece in enumerate(pieces)
            ]
            return list(await asyncio.gather(*sessions))

        before = served()
        rates = [n / took for n, took, _ in asyncio.run(all_of_them(stops=False))]
        shares = [took - before.get(piece, 0.0) for piece, took in served().items()]
        assert len(shares) == N_SESSIONS
        said = f"of the engine's time the least served gets {min(shares) / statistics.mean(shares):.2f} of the mean"
        more = f"of the changes, {sum(rates):.0f} a second, {min(rates) / statistics.mean(rates):.2f}"
        print(f"load, mend {mend}: {N_SESSIONS} runs at once: {said} (bar: 0.8); {more}", flush=True)
        waits = [wait for _, _, waited in asyncio.run(all_of_them(stops=True)) for wait in waited]
        said = f"median {1000 * statistics.median(waits):.0f} ms, 95 % {1000 * percentile(waits, 0.95):.0f} ms"
        print(f"load, mend {mend}: {len(waits)} stops obeyed: {said} (bar: 95 % in 300 ms)", flush=True)


def kills(n: int = 200) -> None:
    """Kill the server in the middle of runs; what was acknowledged must be there, then and after all later kills."""
    rng = random.Random(0)
    piece: str | None = None
    n_lost = n_running = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heard: dict[str, list[dict[str, Any]]] = {}
        for i in range(n):
            if i % KILLS_A_PIECE == 0:  # a long history takes long to read
                piece = None
            piece, entries, was_running = kill_in_a_run(folder, piece, rng)
            n_running += was_running
            n_lost += len(lost(folder, piece, entries))
            heard.setdefault(piece, []).extend(entries)
        n_heard = sum(map(len, heard.values()))
        n_lost += sum(len(lost(folder, piece, entries)) for piece, entries in heard.items())
    took = time.monotonic() - began
    print(
        f"kills: {n} in {took:.0f} s, {n_running} while the run went on; {n_heard:,} acknowledged entries, "
        f"{n_lost} missing (bar: none)"
    )


def fuzz(n: int = 20_000) -> None:
    """Bad messages: each is refused, the server lives, and nobody else's piece is touched."""
    server_module.PER_SECOND = server_module.BURST = 10**9
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name) / "studio.sqlite")
        with serving(Studio(store)) as served:
            mine, other = served.new_piece(), served.new_piece()
            n_refused = n_other = 0
            with served.window(other) as bystander:
                for at in range(0, n, 500):
                    with served.window(mine) as window:
                        for _ in range(min(500, n - at)):
                            window.socket.send(nonsense(rng))
                        for _ in range(min(500, n - at)):
                            answer = window.until(lambda message: message["type"] != "voices")
                            n_refused += answer.get("code") == "bad_message"
                            n_other += answer["type"] != "error"
                answer = bystander.ask("tempo", bpm=90)
                ok = answer["type"] == "done" and answer["seq"] == 1 and served.get("/api/health")["model"] == "ready"
                heard = [message for message in bystander.heard if message["type"] == "error"]
        n_steps = len(store.steps(mine))
        store.close()
    print(
        f"fuzz: {n_refused} of {n} bad messages refused, {n_other} answered otherwise, {n_steps} changed the piece, "
        f"another window {'untouched' if ok and not heard else 'HARMED'} (bar: all, none, none, untouched)"
    )


PARTS: dict[str, Callable[[], None]] = {
    "start": start_up,
    "suggest": suggest,
    "alternatives": alternatives,
    "stream": stream,
    "load": load,
    "kills": kills,
    "fuzz": fuzz,
}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studio", description=str(__doc__).splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    parser.add_argument("--n", type=int, help="how many kills, or bad messages; 200 and 20,000 unless given")
    parser.add_argument(
        "--seconds", type=float, default=LOAD_SECONDS, help=f"of each part of load; {LOAD_SECONDS} unless given"
    )
    asked = parser.parse_args()
    for part in asked.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part}: choose {', '.join(PARTS)}")
    for part in asked.parts or PARTS:
        if asked.n is not None and part in ("kills", "fuzz"):
            {"kills": kills, "fuzz": fuzz}[part](asked.n)
        elif part == "load":
            load(asked.seconds)
        else:
            PARTS[part]()


if __name__ == "__main__":
    main()
