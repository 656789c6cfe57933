"""The engine serves everybody in turn, whatever they ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from ripieno.models.runtime import Model, Prediction
from ripieno.sampling.passes import BREATH, Ask
from ripieno.studio.composition import Composition, RunningNow
from ripieno.studio.engine import Engine
from tests.pace import PATIENCE


class Piece(Composition):
    """What the engine knows of a composition."""

    def __init__(self, id: str, steps: Callable[[], Any]) -> None:
        self.id, self.steps = id, steps
        self.lock = threading.RLock()
        self.version = 0
        self.run: RunningNow | None = None

    def composing(self, run: RunningNow) -> Any:
        return self.steps()


class Counted:
    """Stands for the network: logits tell how many cells of a roll sound; remembers how many rolls each pass had."""

    def __init__(self) -> None:
        self.passes: list[int] = []

    def run(self, _names: None, given: dict[str, Any]) -> tuple[Any, Any]:
        cells = given["cells"]
        self.passes.append(len(cells))
        n = cells.sum(axis=(1, 2, 3))
        return np.zeros_like(cells) + n[:, None, None, None], n.astype(np.float32)


def asking(n_rolls: int, n_steps: int = 32) -> Ask:
    """So many rolls, of which the nth has n cells."""
    cells = np.zeros((n_rolls, 1, n_steps, 128), dtype=bool)
    for i in range(n_rolls):
        cells[i, 0, 0, 28 : 28 + i] = True
    return Ask(cells, np.zeros((n_rolls, 5, n_steps), dtype=np.float32))


@contextmanager
def engine(network: Counted) -> Iterator[Engine]:
    is_loaded = threading.Event()
    model = Model("counted", "0", {"format": 1}, 28, 64, 32, 1, network)
    one = Engine(lambda: model, lambda _failure: is_loaded.set())
    one.start()
    assert is_loaded.wait(PATIENCE)
    yield one
    one.close()


def answer_to(engine: Engine, piece: Piece) -> Any:
    """What a job comes to."""
    came: list[Any] = []
    ended = threading.Event()

    def finish(result: Any, error: BaseException | None) -> None:
        came.append(result if error is None else error)
        ended.set()

    engine.ask(piece, piece.steps(), finish)
    assert ended.wait(PATIENCE)
    return came[0]


def test_many_rolls_are_answered_in_passes_of_what_the_cores_do_best_and_as_one() -> None:
    def steps() -> Generator[Ask, Prediction, Prediction]:
        prediction = yield asking(40)
        return prediction

    network = Counted()
    with engine(network) as one:
        prediction = answer_to(one, Piece("a", steps))
    assert isinstance(prediction, Prediction)
    assert network.passes == [16, 16, 8]  # of 32 steps: as many as four of 128
    assert prediction.n_left.tolist() == list(range(40))
    assert prediction.logits.shape == (40, 1, 32, 128)


def test_between_two_passes_of_one_others_have_theirs(monkeypatch) -> None:
    order: list[str] = []
    network = Counted()
    # a pass takes as long as it has rolls, however busy the machine is
    clock = SimpleNamespace(monotonic=lambda: float(sum(network.passes)), sleep=lambda seconds: None)
    monkeypatch.setattr("ripieno.studio.engine.time", clock)

    def run(name: str, n_rolls: int) -> Callable[[], Iterator[Ask]]:
        def steps() -> Iterator[Ask]:
            for _ in range(2):
                yield asking(n_rolls)
                order.append(name)

        return steps

    with engine(network) as one:
        started, ended = threading.Event(), [threading.Event(), threading.Event()]

        def waits() -> Iterator[Ask]:
            started.wait(PATIENCE)
            yield BREATH

        blocker = Piece("blocker", waits)
        one.ask(blocker, blocker.steps(), lambda *_: None)
        for piece, end in zip((Piece("large", run("large", 64)), Piece("small", run("small", 16))), ended, strict=True):
            piece.run = RunningNow(0, None, None, None)
            one.compose(piece, piece.run, lambda *_, end=end: end.set())
        started.set()
        assert all(end.wait(PATIENCE) for end in ended)
    assert order == ["small", "small", "large", "large"]
    assert (one.served["large"], one.served["small"]) == (128, 32)


def test_who_takes_a_breath_is_stopped_before_the_next_one() -> None:
    breaths = 0
    is_closed = threading.Event()

    def steps() -> Iterator[Ask]:
        nonlocal breaths
        try:
            while True:
                breaths += 1
                if breaths == 3:
                    piece.run = None  # as a stop does
                yield BREATH
        finally:
            is_closed.set()

    piece = Piece("a", steps)
    piece.run = RunningNow(0, None, None, None)
    with engine(Counted()) as one:
        one.compose(piece, piece.run, lambda *_: None)
        assert is_closed.wait(PATIENCE)
    assert breaths == 3
