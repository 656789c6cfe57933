"""What a test may know of time. How fast or busy a machine is decides nothing.

Who waits for something waits `PATIENCE`, which only what hangs exceeds. Who bounds the cost of something counts calls
(`n_calls`), or, where time itself must be bounded, counts in the time that a loop takes in the same process just now
(`loop_seconds`). What anything takes in seconds is told by `benchmarks`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction

PATIENCE = 300.0  # seconds


def loop_seconds() -> float:
    """What a loop of exact arithmetic takes of this process's own time just now, in seconds: the middle of five."""
    return statistics.median(_one_loop() for _ in range(5))


def _one_loop() -> float:
    began = time.process_time()
    found: dict[int, Fraction] = {}
    for i in range(2000):  # about 5 ms
        found[i] = Fraction(i, 24) + found.get(i - 16, Fraction(0))
    return time.process_time() - began


def n_calls(of: Callable[[], object]) -> int:
    """How many functions something calls, Python's own and those written in C."""
    n = 0

    def count(_frame: object, kind: str, _argument: object) -> None:
        nonlocal n
        n += kind in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        of()
    finally:
        sys.setprofile(before)
    return n
