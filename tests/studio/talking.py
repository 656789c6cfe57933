"""The page's side of the wire, for tests and benchmarks."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from ripieno.studio.messages import PROTOCOL
from tests.pace import PATIENCE


class Window:
    """One WebSocket, seen from the page's side."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}

    def hear(self, timeout: float = PATIENCE) -> dict[str, Any]:
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


class Address:
    """Where a server is, and how to talk to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path) as answer:
            return json.load(answer)

    def download(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path) as answer:
            data: bytes = answer.read()
            return data

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
        address = f"ws://127.0.0.1:{self.port}/api/pieces/{piece}/socket"
        with connect(address, max_size=None, open_timeout=PATIENCE, ping_timeout=PATIENCE, **options) as socket:
            window = Window(socket)
            window.say(type="hello", protocol=PROTOCOL, seen=seen)
            window.welcome = window.hear()
            yield window
