"""A long roll is scored in windows, as if in one pass; between passes nothing runs."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from ripieno.models import runtime
from ripieno.models.context import context_of
from ripieno.models.runtime import Model, load_model
from tests.pace import loop_seconds

N_STEPS = 1500


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture
def passes(model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many steps each pass saw."""
    seen: list[int] = []

    class Counted:
        get_providers, get_outputs = model._session.get_providers, model._session.get_outputs

        def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            seen.append(inputs["cells"].shape[2])
            answers: list[np.ndarray] = session.run(names, inputs)
            return answers

    session = model._session
    object.__setattr__(model, "_session", Counted())
    monkeypatch.setattr(runtime, "WINDOW", 512)
    monkeypatch.setattr(runtime, "MOST_WINDOWS", 2)
    model._windows.clear()
    yield seen
    object.__setattr__(model, "_session", session)


def a_roll() -> np.ndarray:
    cells = np.random.default_rng(0).random((1, 1, N_STEPS, 128)) < 0.03
    return cells


def test_windows_say_together_what_one_long_pass_says(
    model: Model, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, context = a_roll(), context_of(N_STEPS)[None]
    together = model(cells, context)
    assert passes == [2 * 512 + 224, 224 + 480]  # 1,500 steps are padded to 1,504
    monkeypatch.setattr(runtime, "WINDOW", N_STEPS)
    alone = model(cells, context)
    np.testing.assert_array_equal(together.logits, alone.logits)
    np.testing.assert_allclose(together.n_left, alone.n_left, rtol=1e-5)


def test_a_window_in_which_nothing_has_changed_is_not_asked_again(model: Model, passes: list[int]) -> None:
    cells, context = a_roll(), context_of(N_STEPS)[None]
    before = model(cells, context)
    cells[0, 0, 100, 60] ^= True
    model(cells, context)
    assert passes[2:] == [512 + 224]
    cells[0, 0, 100, 60] ^= True
    after = model(cells, context)
    np.testing.assert_array_equal(before.logits, after.logits)


def test_between_passes_no_thread_keeps_a_core_busy(model: Model) -> None:
    """They went on spinning for some 50 ms, the time of ten loops, in the way of whatever came next."""
    cells = np.zeros((1, model.n_planes, 128, 128), dtype=bool)
    spent = []
    for _ in range(5):
        model(cells, context_of(128)[None])
        began = time.process_time()
        time.sleep(0.1)
        spent.append(time.process_time() - began)
    assert min(spent) < 2 * loop_seconds()  # of processor time; how long anything takes does not matter
