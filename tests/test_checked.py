"""The checks that run beside all tests refuse what annotations of ripieno's do not say, arrays by kind and shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from beartype.roar import BeartypeException
from jaxtyping import Bool, Float, Int

from tests.checked import checked

REFUSED = (BeartypeException, TypeError)
Mask = Bool[np.ndarray, " step"] | Bool[np.ndarray, "step pitch"]


@checked
def weighed(
    cells: Bool[np.ndarray, "step pitch"], line: Int[np.ndarray, "#step"], n: int = 1, given: Any = None
) -> Float[np.ndarray, " step"]:
    """What it is told to give back, or what it should."""
    return np.zeros(len(cells)) if given is None else given


@checked
def masked(cells: Bool[np.ndarray, "plane step pitch"], mask: Mask | None) -> Bool[np.ndarray, "_ step 128"]:
    return np.zeros((2, cells.shape[1], 128), dtype=bool)


@checked
def joined(rows: list[Int[np.ndarray, " step"]], more: Int[np.ndarray, " step"]) -> int:
    return len(rows) + len(more)


@checked
@dataclass(frozen=True)
class Line:
    pitches: Int[np.ndarray, " step"]
    sung: Bool[np.ndarray, " step"]

    @property
    @checked
    def lengths(self) -> Int[np.ndarray, " note"]:
        return self.pitches[self.sung]


def within(*words: Any, n: Any = 1, **rest: Any) -> Any:
    """What functions within functions are asked, which are checked anew each time."""

    @checked
    def inner(cells: Bool[np.ndarray, " step"], line: Int[np.ndarray, " step"], n: float) -> int:
        return len(cells) + len(line) + (n > 0)

    @checked
    def many(*words: str, **rest: int) -> int:
        return len(words) + len(rest)

    return inner(CELLS[:, 0], line=LINE, n=n) + many(*words, **rest)


CELLS, LINE = np.zeros((4, 128), dtype=bool), np.zeros(4, dtype=int)


def test_what_the_annotations_say_passes() -> None:
    assert len(weighed(CELLS, LINE, 2)) == 4
    assert len(weighed(cells=CELLS, line=LINE[:1])) == 4
    assert masked(CELLS[None], None).shape == masked(CELLS[None], CELLS[:, 0]).shape == (2, 4, 128)
    assert masked(CELLS[None], CELLS).any() == np.False_
    assert joined([LINE, LINE], LINE) == 6
    assert len(Line(LINE, CELLS[:, 0]).lengths) == 0
    assert within("a", "b", n=1.5, c=3) == within("a", "b", n=1, c=3) == 12


@pytest.mark.parametrize(
    "call",
    [
        lambda: weighed(CELLS.astype(float), LINE),
        lambda: weighed(CELLS[0], LINE),
        lambda: weighed(CELLS, line=LINE[:3]),
        lambda: weighed(CELLS.tolist(), LINE),
        lambda: weighed(CELLS, LINE, 1.5),
        lambda: weighed(CELLS, LINE, given=np.zeros(3)),
        lambda: weighed(CELLS, LINE, given=LINE),
        lambda: weighed(CELLS, None),
        lambda: masked(CELLS[None], CELLS[:3]),
        lambda: masked(CELLS[None], CELLS[None]),
        lambda: masked(CELLS[None], LINE),
        lambda: joined([LINE], LINE[:3]),
        lambda: within(1),
        lambda: within(a="b"),
        lambda: within(n="3"),
        lambda: Line(LINE, CELLS[:3, 0]),
        lambda: Line(LINE, LINE),
        lambda: Line(LINE.reshape(2, 2), CELLS[0]),
    ],
)
def test_anything_else_is_refused(call: Any) -> None:
    with pytest.raises(REFUSED):
        call()


def test_each_call_has_lengths_of_its_own() -> None:
    assert [len(weighed(np.zeros((n, 128), dtype=bool), np.zeros(n, dtype=int))) for n in (4, 3, 7)] == [4, 3, 7]
