"""Does the program know how many edits are left? On two to four parts, few missing or many, with wrong ones too.

    python -m benchmarks.stopping --data FOLDER -o docs/n_left.png

Windows of eight bars of JSB valid (two parts: soprano and bass; three: without the tenor). So many cells are taken out,
at random; in half of the rows a tenth as many, one at the least, are sounded that do not belong there (in the row of
none missing: ten). What is expected, of what may be changed where so many voices may sound, is compared with the truth.
Beside it the rule that a piece is finished at 3.91 cells a step, the mean of JSB, taken as a count of what is left.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.random import Generator, Philox

from benchmarks.corpora import chorales
from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import load_model
from ripieno.music.roll import roll_of_voices, silence
from ripieno.sampling.ancestral import change_probabilities, expected_edits

N_STEPS = 128
CELLS = 3.91  # a step, in JSB
MISSING = (0, 5, 20, 100, 400)
PARTS = {2: (0, 3), 3: (0, 1, 3), 4: (0, 1, 2, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with jsb/Jsb16thSeparated.json")
    parser.add_argument("-o", "--output", type=Path, help="a plot")
    a = parser.parse_args()
    model = load_model()
    items = chorales(a.data, "valid")
    rng = Generator(Philox(key=[0, 8]))
    found: dict[int, list[tuple[int, float]]] = {n: [] for n in PARTS}
    print("| parts | missing | wrong | windows | expected, median | median error | of 3.91 cells a step |")
    print("|---|---|---|---|---|---|---|")
    totals: dict[int, tuple[list[float], list[float]]] = {n: ([], []) for n in PARTS}
    for n_parts, voices in PARTS.items():
        for n_missing in MISSING:
            for with_wrong in (False, True):
                rows = []
                for item in items:
                    if item.voices is None or len(item.voices) < N_STEPS:
                        continue
                    target = roll_of_voices(item.voices[:N_STEPS, voices])
                    there = np.argwhere(target[0])
                    if n_missing > 0.9 * len(there):
                        continue
                    source = target.copy()
                    gone = there[rng.permutation(len(there))[:n_missing]]
                    source[0, gone[:, 0], gone[:, 1]] = False
                    n_wrong = (max(n_missing // 10, 1) if n_missing else 10) if with_wrong else 0
                    low, high = np.flatnonzero(target[0].any(axis=0))[[0, -1]]
                    empty = np.argwhere(~target[0, :, low : high + 1])
                    wrong = empty[rng.permutation(len(empty))[:n_wrong]]
                    source[0, wrong[:, 0], wrong[:, 1] + low] = True
                    log = EditLog(silence(N_STEPS)).record([Edit(0, *at) for at in np.argwhere(source[0])], "model")
                    prediction = model(source[None], context_of(N_STEPS, beat_phase=item.beat_phase)[None])
                    n_left = expected_edits(change_probabilities(prediction), log, Policy(n_voices=n_parts))
                    rows.append((n_missing + n_wrong, n_left, CELLS * N_STEPS - source.sum()))
                if not rows:
                    continue
                true, ours, theirs = np.array(rows, dtype=float).T
                found[n_parts] += list(zip(true.astype(int).tolist(), ours.tolist(), strict=True))
                n_wrong = int(true[0]) - n_missing
                cells = [n_parts, n_missing, n_wrong, len(rows), f"{np.median(ours):.1f}"]
                if true[0]:
                    errors, rule = np.abs(ours - true) / true, np.abs(theirs - true) / true
                    totals[n_parts][0].extend(errors)
                    totals[n_parts][1].extend(rule)
                    cells += [f"{np.median(errors):.0%}", f"{np.median(rule):.0%}"]
                else:
                    cells += [f"{np.median(np.abs(ours)):.2f} edits", f"{np.median(np.abs(theirs)):.0f} edits"]
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
    for n_parts, (errors, rule) in totals.items():
        print(f"{n_parts} parts: median error {np.median(errors):.1%}; of 3.91 cells a step {np.median(rule):.0%}")
    every = [error for errors, _ in totals.values() for error in errors]
    print(f"together: median error {np.median(every):.1%}")
    if a.output:
        plot(found, a.output)


def plot(found: dict[int, list[tuple[int, float]]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for (n_parts, pairs), colour in zip(found.items(), ("tab:orange", "tab:green", "tab:blue"), strict=True):
        true, ours = np.array(pairs).T
        axes.scatter(true + 1, ours + 1, s=6, alpha=0.4, color=colour, label=f"{n_parts} parts")
    axes.plot([1, 600], [1, 600], color="black", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="edits that are left, + 1", ylabel="edits that are expected, + 1")
    axes.legend()
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
