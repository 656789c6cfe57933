"""A studio with a model that knows what it wants, and a server of it on this machine."""

from __future__ import annotations

import json
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from websockets.sync.client import ClientConnection, connect

from ripieno.models.runtime import Model
from ripieno.studio.composition import Composition
from ripieno.studio.pieces import Pieces
from ripieno.studio.server import Doorkeeper, Studio, listen, make_app
from ripieno.studio.store import Store

CHORD = (48, 55, 64)  # what the model wants to hear throughout, each for a beat


class Knowing:
    """Stands for the network: of the cells of CHORD, those that are silent are still to come."""

    def run(self, _names: None, given: dict[str, Any]) -> tuple[Any, Any]:
        cells = given["cells"] > 0
        missing = np.zeros_like(cells)
        for pitch in CHORD:
            missing[:, 0, :, pitch - 28] = ~cells[:, 0, :, pitch - 28] & (given["context"][:, 4] > 0)
        logits = np.where(missing, 5.0, -9.0).astype(np.float32)
        return logits, missing.sum(axis=(1, 2, 3)).astype(np.float32)


@pytest.fixture
def model() -> Model:
    return Model("knowing", "0", {"format": 1}, 28, 64, 32, 1, Knowing())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "studio.sqlite")
    yield store
    store.close()


@pytest.fixture
def pieces(store: Store, model: Model) -> Pieces:
    return Pieces(store, lambda: model, lambda composition: None)


@pytest.fixture
def piece(pieces: Pieces) -> Composition:
    """Two empty bars in C."""
    from ripieno.studio.messages import NewPiece

    return pieces.get(pieces.begin(NewPiece(name="Two bars", bars=2)))


class Window:
    """One WebSocket, seen from the page's side."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}

    def hear(self, timeout: float = 20) -> dict[str, Any]:
        message = json.loads(self.socket.recv(timeout))
        self.heard.append(message)
        return message

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not fits(message := self.hear()):
            pass
        return message

    def find(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """A message that came already, or will."""
        return next((message for message in self.heard if fits(message)), None) or self.until(fits)

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def ask(self, type: str, **rest: Any) -> dict[str, Any]:
        """Say something, and hear what answers it."""
        id = rest.pop("id", uuid.uuid4().hex)
        self.say(type=type, id=id, **rest)
        return self.until(lambda message: message.get("id") == id)

    @property
    def entries(self) -> list[dict[str, Any]]:
        said = [entry for message in self.heard if message["type"] == "entries" for entry in message["entries"]]
        return [*self.welcome.get("entries", []), *said]


class Served:
    """A server that runs, and how to talk to it."""

    def __init__(self, studio: Studio, port: int) -> None:
        self.studio = studio
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(self.address + path, data, {"content-type": kind}, method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def new_piece(self, bars: int = 2) -> str:
        return self.post("/api/pieces", {"name": "A piece", "bars": bars})["piece"]["id"]

    @contextmanager
    def window(self, piece: str, seen: int | None = None, **options: Any) -> Iterator[Window]:
        with connect(f"ws://127.0.0.1:{self.port}/api/pieces/{piece}/socket", max_size=None, **options) as socket:
            window = Window(socket)
            window.say(type="hello", protocol=1, seen=seen)
            window.welcome = window.hear()
            yield window


@contextmanager
def serving(studio: Studio) -> Iterator[Served]:
    """Serve until the block ends."""
    taken = listen(0)
    port = taken.getsockname()[1]
    config = uvicorn.Config(
        Doorkeeper(make_app(studio), port), log_level="warning", ws_max_size=2**20, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([taken],))
    thread.start()
    try:
        yield Served(studio, port)
    finally:
        server.should_exit = True
        thread.join(20)
        taken.close()


@pytest.fixture
def served(store: Store, model: Model) -> Iterator[Served]:
    with serving(Studio(store, lambda: model)) as served:
        yield served
