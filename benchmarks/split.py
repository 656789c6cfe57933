"""What merging voices into one roll and splitting it again does to them, and to what a teacher would mark.

    python -m benchmarks.split --data FOLDER

Bach's own voices (JSB train and valid) beside the same pieces split by `ripieno.music.voices`: share of cells in the
right voice with unisons counted, parallels found and found rightly, and every figure of the style report on valid. The
bundled model's music has only split voices, so it is to be compared with the right-hand column.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ripieno.files.corpus import read_jsb
from ripieno.music.referee import Fault, Report, judge, parallels
from ripieno.music.voices import split


def as_heard(fault: Fault) -> tuple[str, int, tuple[int, ...]]:
    return fault.rule, fault.step, tuple(sorted(fault.pitches))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    a = parser.parse_args()
    right, n_cells, n_shared, n_true, n_found = 0, 0, 0, 0, 0
    own, again = Report(), Report()
    for item in read_jsb(a.data / "jsb" / "Jsb16thSeparated.json"):
        if item.split == "test":
            continue
        assert item.voices is not None
        voices = split(item.cells)
        right, n_cells = right + int(np.count_nonzero(voices == item.voices)), n_cells + voices.size
        true, found = ({as_heard(fault) for fault in parallels(v)} for v in (item.voices, voices))
        n_shared, n_true, n_found = n_shared + len(true & found), n_true + len(true), n_found + len(found)
        if item.split == "valid":
            own, again = own + judge(item.voices), again + judge(voices)
    print(f"cells in the right voice, train and valid: {right / n_cells:.2%}")
    print(f"parallels: {n_true} in Bach's voices, {n_found} in the split ones, {n_shared} in both")
    print(f"  recall {n_shared / n_true:.2f}, precision {n_shared / n_found:.2f}\n")
    print("| JSB valid | Bach's voices | split | n | n, split |\n|---|---|---|---|---|")
    for name in own:
        print(f"| {name} | {own.figure(name):.3f} | {again.figure(name):.3f} | {own[name].n} | {again[name].n} |")


if __name__ == "__main__":
    main()
