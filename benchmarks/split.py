"""What merging voices into one roll and splitting it again does to them, and to what a teacher would mark.

    python -m benchmarks.split --data FOLDER

Bach's own voices (JSB train and valid) beside the same pieces split by `ripieno.music.voices`, by hand-set costs alone
and with the bundled network that learned from train: share of cells in the right voice with unisons counted, parallels
found and found rightly, and every figure of the style report on valid. On train the network remembers; what it is worth
on music that it does not know is to be read off valid. The bundled model's music has only split voices, so it is to be
compared with the right-hand column.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales
from ripieno.models.runtime import load_separator
from ripieno.music.part_writing import Fault, Report, judge, parallels
from ripieno.music.voices import split

SPLITS = ("train", "valid")


def as_heard(fault: Fault) -> tuple[str, int, tuple[int, ...]]:
    return fault.rule, fault.step, tuple(sorted(fault.pitches))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="a separator; the bundled one unless given")
    a = parser.parse_args()
    ways = {"hand-set costs": None, "network": load_separator(a.model, 1)}
    # cells that are right, cells; parallels in both, in Bach's voices, in the split ones
    counts = {(way, name): np.zeros(5, dtype=int) for way in ways for name in SPLITS}
    own, again = Report(), Report()
    for item in chorales(a.data, *SPLITS):
        assert item.voices is not None
        for way, separate in ways.items():
            voices = split(item.cells, separate=separate)
            true, found = ({as_heard(fault) for fault in parallels(v)} for v in (item.voices, voices))
            right = np.count_nonzero(voices == item.voices), voices.size
            counts[way, item.split] += [*right, len(true & found), len(true), len(found)]
        if item.split == "valid":
            own, again = own + judge(item.voices), again + judge(voices)
    print("| split by | JSB | cells right | parallels, Bach's | found | of them Bach's | recall | precision |")
    print("|---|---|---|---|---|---|---|---|")
    for way in ways:
        both = sum((counts[way, name] for name in SPLITS), np.zeros(5, dtype=int))
        for name, (right, cells, shared, true, found) in (
            *((name, counts[way, name]) for name in SPLITS),
            ("together", both),
        ):
            shares = f"{shared / true:.2f} | {shared / found:.2f}"
            print(f"| {way} | {name} | {right / cells:.2%} | {true} | {found} | {shared} | {shares} |")
    print("\n| JSB valid | Bach's voices | split by the network | n | n, split |\n|---|---|---|---|---|")
    for name in own:
        print(f"| {name} | {own.figure(name):.3f} | {again.figure(name):.3f} | {own[name].n} | {again[name].n} |")


if __name__ == "__main__":
    main()
