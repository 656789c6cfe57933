"""What the program costs beside the model: ratios and peaks.

python -m benchmarks.speed
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ripieno.models.context import context_of
from ripieno.session import Session, read

MELODY = Path(__file__).parent.parent / "examples" / "old-hundredth.mid"  # 8 bars


def edit_beside_pass(n_rounds: int = 5) -> None:
    """One exact edit, policy, draw and log included, beside one bare pass of ONNX Runtime on as long a roll."""
    session = Session(read(MELODY))
    model = session.model
    n_steps = -(-session.log.cells.shape[1] // model.step_multiple) * model.step_multiple
    cells = np.zeros((1, model.n_planes, n_steps, model.n_pitches), dtype=np.float32)
    context = context_of(n_steps)[None].astype(np.float32)
    bare, whole = [], []
    changes = session.run(stop=None)
    for _ in range(n_rounds * 40):  # in turn, so that both meet the same machine
        began = time.perf_counter()
        model._session.run(None, {"cells": cells, "context": context})
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        next(changes)
        whole.append(time.perf_counter() - began)
    a, b = statistics.median(bare), statistics.median(whole)
    times = f"{1000 * b:.1f} ms and {1000 * a:.1f} ms, medians of {len(bare)}"
    print(f"one exact edit: {b / a:.2f} times its bare pass ({times})")


def help_time(n_rounds: int = 7) -> None:
    times = []
    for _ in range(n_rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ripieno.cli", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    print(f"ripieno --help: {statistics.median(times):.2f} s (median of {n_rounds})")


def peak_memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        outputs = [str(Path(folder) / name) for name in ("piece.mid", "piece.png", "piece.svg")]
        command = [sys.executable, "-m", "ripieno.cli", "harmonize", str(MELODY)]
        began = time.perf_counter()
        subprocess.run(
            [*command, *(word for path in outputs for word in ("-o", path))], check=True, capture_output=True
        )
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # Linux counts in KiB
    print(f"harmonize, 8 bars to .mid, .png and .svg: {seconds:.1f} s, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    help_time()
    peak_memory()
    edit_beside_pass()
