"""How fast the program is, as ratios within one run, and what it costs beside the model.

    python -m benchmarks.speed            # all of it, a few minutes
    python -m benchmarks.speed eight      # a part: program, eight, scaling, batches, lossless

program   the command line: help, eight bars cold from the shell to the written file, peak memory; one exact edit
          beside its bare pass
eight     eight bars, warm, beside (a) the paper's network, 32 filters on 128 x 128, in eager PyTorch with all threads,
          one edit a pass and as many edits, and (b) our own loop with one edit a pass
scaling   8, 32, 128 and 512 bars
batches   16 settings of a melody side by side, beside one after the other
lossless  of drafts that are checked, how many are kept, and what they cost

The melody is examples/ode-to-joy.mid; for more bars it is repeated. Times depend on the machine, ratios less so.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ripieno.files.reader import read
from ripieno.models.context import context_of
from ripieno.models.runtime import Model, Prediction, load_model, the_separator
from ripieno.music.piece import Piece, piece_from_notes
from ripieno.music.roll import RollNote, notes_of
from ripieno.sampling.passes import alone, together
from ripieno.sampling.run import STOP_RULE
from ripieno.sampling.speculative import Tally, compose_lossless
from ripieno.session import Session

EXAMPLES = Path(__file__).parent.parent / "examples"
MELODY = EXAMPLES / "ode-to-joy.mid"
SEEDS = range(15)  # with five, what one run says of another differs by a tenth
BARS = (8, 32, 128, 512)


def melody(n_bars: int) -> Piece:
    """The melody, cut and repeated to so many bars."""
    session = Session(read(MELODY))
    tune = [note for note in notes_of(session.log.origin) if note.end <= 128]
    return piece_from_notes(
        [RollNote(note.onset + 128 * k, note.pitch, note.duration) for k in range(n_bars // 8) for note in tune],
        meter=(4, 4),
    )


class Counted:
    """A model that counts its passes."""

    def __init__(self, model: Model) -> None:
        self.model, self.n_passes = model, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def __call__(self, cells: np.ndarray, context: np.ndarray) -> Prediction:
        """Predict."""
        self.n_passes += 1
        return self.model(cells, context)


def composed(piece: Piece, model: Model, seed: int, quality: str, mend: str = "faults") -> tuple[float, int, int]:
    """Seconds, edits and passes of one piece, from notes to voices."""
    counted = Counted(model)
    began = time.perf_counter()
    session = Session(piece, model=counted, seed=seed, quality=quality, mend=mend, melody="top")  # type: ignore[arg-type]
    for _ in session.run():
        pass
    session.new_parts()
    return time.perf_counter() - began, len(session.log.entries), counted.n_passes


def program() -> None:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ripieno.cli", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    print(f"ripieno --help: {statistics.median(times):.2f} s (median of 7)")
    with tempfile.TemporaryDirectory() as folder:
        for names in (("piece.mid",), ("piece.mid", "piece.png", "piece.svg")):
            outputs = [word for name in names for word in ("-o", str(Path(folder) / name))]
            command = [sys.executable, "-m", "ripieno.cli", "harmonize", str(EXAMPLES / "old-hundredth.mid"), *outputs]
            times = []
            for _ in range(5):
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                times.append(time.perf_counter() - began)
            print(f"harmonize, 8 bars, cold, to {', '.join(names)}: {statistics.median(times):.2f} s (median of 5)")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # Linux counts in KiB
    print(f"peak memory {peak:.0f} MB")
    edit_beside_pass()


def edit_beside_pass(n_rounds: int = 200) -> None:
    """One exact edit, policy, draw and log included, beside one bare pass of ONNX Runtime on as long a roll."""
    session = Session(melody(8), quality="exact")
    model = session.model
    n_steps = -(-session.log.cells.shape[1] // model.step_multiple) * model.step_multiple
    cells = np.zeros((1, model.n_planes, n_steps, model.n_pitches), dtype=np.float32)
    context = context_of(n_steps)[None, : model.n_features]
    bare, whole = [], []
    changes = session.run(stop=None)
    for _ in range(n_rounds):  # in turn, so that both meet the same machine
        began = time.perf_counter()
        model._session.run(None, {"cells": cells, "context": context})
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        next(changes)
        whole.append(time.perf_counter() - began)
    a, b = statistics.median(bare), statistics.median(whole)
    times = f"{1000 * b:.1f} ms and {1000 * a:.1f} ms, medians of {n_rounds}"
    print(f"one exact edit: {b / a:.2f} times its bare pass ({times})")


def papers_pass() -> Callable[[], None]:
    """One edit of the paper's: its network in eager PyTorch, softmax over 128 x 128 cells, a draw."""
    import torch

    from ripieno.models.unet import UNet, paper

    network = UNet(paper()).eval()
    roll = (torch.rand(1, 1, 128, paper().n_pitches) < 0.02).float()
    context = torch.zeros(1, 7, 128)

    def edit() -> None:
        with torch.inference_mode():
            logits = network(roll, context)[0].flatten()
            cell = int(torch.multinomial(torch.softmax(logits, 0), 1))
        roll.view(-1)[cell] = 1 - roll.view(-1)[cell]

    return edit


def eight() -> None:
    piece, model = melody(8), load_model()
    the_separator()
    edit = papers_pass()
    edit()
    rows: dict[str, list[tuple[float, int, int]]] = {}
    theirs: list[float] = []
    for seed in SEEDS:  # in turn, so that all meet the same machine
        for quality in ("high", "fast", "exact"):
            rows.setdefault(quality, []).append(composed(piece, model, seed, quality))
        for _ in range(20):
            began = time.perf_counter()
            edit()
            theirs.append(time.perf_counter() - began)
    each = statistics.median(theirs)
    print(f"the paper's network, eager PyTorch: {1000 * each:.1f} ms an edit")
    exact = statistics.median(seconds for seconds, _, _ in rows["exact"])
    for quality, found in rows.items():
        seconds, edits, passes = (statistics.median(one[i] for one in found) for i in range(3))
        print(
            f"8 bars, warm, {quality}: {seconds:.2f} s, {edits:.0f} edits in {passes:.0f} passes, "
            f"{edits / seconds:.0f} edits a second; "
            f"{each * edits / seconds:.0f} times as fast as the paper's network for as many edits, "
            f"{exact / seconds:.1f} times as fast as exact"
        )
    drawn = [[composed(piece, model, seed, quality, mend="nothing") for seed in SEEDS] for quality in ("high", "exact")]
    high, one = (statistics.median(row[0] for row in found) for found in drawn)
    edits = statistics.median(row[1] for row in drawn[0])
    print(
        f"the same with nothing mended: high {high:.2f} s, exact {one:.2f} s, {one / high:.1f} times as fast; "
        f"{each * edits / high:.0f} times as fast as the paper's network for as many edits"
    )


def scaling() -> None:
    for n_bars in BARS:
        # in a process of its own, whose memory is its own
        code = f"from benchmarks.speed import scaled; scaled({n_bars})"
        subprocess.run([sys.executable, "-c", code], check=True)


def scaled(n_bars: int) -> None:
    """Print what so many bars cost."""
    piece, model = melody(n_bars), load_model()
    composed(melody(8), model, 0, "high")
    found = [composed(piece, model, seed, "high") for seed in range(3 if n_bars < 512 else 1)]
    seconds, edits, passes = (statistics.median(one[i] for one in found) for i in range(3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{n_bars} bars: {seconds:.2f} s, {1000 * seconds / n_bars:.1f} ms a bar, {edits / n_bars:.0f} edits a bar, "
        f"{passes:.0f} passes, peak memory {peak:.0f} MB",
        flush=True,
    )


def batches(n: int = 16) -> None:
    piece, model = melody(8), load_model()
    the_separator()

    def sessions() -> list[Session]:
        return [Session(piece, model=model, seed=seed, melody="top") for seed in range(n)]

    ratios = []
    for _ in range(3):
        began = time.perf_counter()
        for session in sessions():
            for _ in session.run():
                pass
        single = time.perf_counter() - began
        began = time.perf_counter()
        for _ in together([session.composing() for session in sessions()], model):
            pass
        shared = time.perf_counter() - began
        ratios.append((shared / single, shared, single))
    ratio, shared, single = sorted(ratios)[1]
    print(f"{n} settings of 8 bars: {shared:.2f} s together, {single:.2f} s one by one: {ratio:.2f} (median of 3)")


def lossless() -> None:
    piece, model = melody(8), load_model()
    for length in (2, 4, 8):
        tally, n_passes, n_edits = Tally(), 0, 0
        session = Session(piece, model=model, melody="top")
        counted = Counted(model)
        sampler = compose_lossless(
            session.log, session.context, session.policy, 0, stop=STOP_RULE, length=length, tally=tally
        )
        began = time.perf_counter()
        n_edits = sum(1 for _ in alone(sampler, counted))
        seconds = time.perf_counter() - began
        n_passes = counted.n_passes
        print(
            f"lossless, drafts of {length}: {tally.n_kept / tally.n_looked_at:.3f} of the drafted edits kept, "
            f"{n_edits / n_passes:.1f} edits a pass of up to {length} rolls, {1000 * seconds / n_edits:.1f} ms an edit"
        )


PARTS: dict[str, Callable[[], None]] = {
    "program": program,
    "eight": eight,
    "scaling": scaling,
    "batches": batches,
    "lossless": lossless,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    for part in parser.parse_args().parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
