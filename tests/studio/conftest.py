"""A studio with a model that knows what it wants, and a server of it on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from ripieno.models.runtime import Model
from ripieno.studio.composition import Composition
from ripieno.studio.messages import NewPiece
from ripieno.studio.pieces import Pieces
from ripieno.studio.server import Doorkeeper, Studio, listen, make_app
from ripieno.studio.store import Store
from tests.pace import PATIENCE
from tests.studio.talking import Address

CHORD = (48, 55, 64)  # what the model wants to hear throughout, each for a beat


class Knowing:
    """Stands for the network: of the cells of CHORD, those that are silent are still to come."""

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def run(self, _names: None, given: dict[str, Any]) -> tuple[Any, Any]:
        cells = given["cells"] > 0
        missing = np.zeros_like(cells)
        for pitch in CHORD:
            missing[:, 0, :, pitch - 28] = ~cells[:, 0, :, pitch - 28] & (given["context"][:, 4] > 0)
        logits = np.where(missing, 5.0, -9.0).astype(np.float32)
        return logits, missing.sum(axis=(1, 2, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def _an_engraver_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ripieno.studio.engraver.PATIENCE", PATIENCE)


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
    return pieces.get(pieces.begin(NewPiece(name="Two bars", bars=2)))


class Served(Address):
    """A server that runs in this process."""

    def __init__(self, studio: Studio, port: int) -> None:
        super().__init__(port)
        self.studio = studio


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
        thread.join(PATIENCE)
        taken.close()


@pytest.fixture
def served(store: Store, model: Model) -> Iterator[Served]:
    with serving(Studio(store, lambda: model)) as served:
        yield served
