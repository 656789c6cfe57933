"""Whether lone lines that lie low are told apart: Bach's basses, his sopranos and people's tunes an octave or two down.

    python -m benchmarks.bass_lines --data FOLDER [--fit]

FOLDER holds `jsb/Jsb16thSeparated.json`, `melodies/doodle.json`, and tunes in `melodies/deepcomposer`. Every line is
moved down by octaves until its mean is below `BASS_BELOW`, where height alone called all of them basses; those of the
Doodle's that people typed as low as that are counted apart.

`--fit` fits the weights on basses and sopranos of JSB's training split, whole and in stretches of 4 and 8 bars, and on
those of the Doodle's melodies on which other choices were made before (once, and four times over), basses and tunes
weighing the same; and prints them as `bass_lines.py` has them. Nothing of the test split is read.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ripieno.evaluation.inputs import N_REPEATS, TUNED
from ripieno.files.corpus import read_jsb
from ripieno.files.reader import read
from ripieno.music.bass_lines import BASS_BELOW, LEAST_MOVES, WEIGHTS, features_of, lone_role
from ripieno.music.understanding import understand

STRETCHES = {"8 bars": 128, "4 bars": 64}
PRIOR = 0.5  # weights are drawn to 0 with half their square times this


class Line(NamedTuple):
    """A line that is known to be a bass or a tune."""

    source: str
    length: str
    is_bass: bool
    pitches: tuple[int, ...]


def sung(voice: np.ndarray) -> tuple[int, ...]:
    """The pitches of a voice's notes, repeats joined."""
    found = [int(pitch) for i, pitch in enumerate(voice) if pitch >= 0 and (i == 0 or pitch != voice[i - 1])]
    return tuple(found)


def chorale_lines(data: Path, split: str) -> Iterator[Line]:
    """Basses and sopranos of a split of JSB, whole and in stretches."""
    for item in read_jsb(data / "jsb" / "Jsb16thSeparated.json"):
        if item.split != split or item.voices is None:
            continue
        for part, is_bass in ((3, True), (0, False)):
            voice = item.voices[:, part]
            yield Line(f"JSB {split}", "whole", is_bass, sung(voice))
            for name, length in STRETCHES.items():
                for first in range(0, len(voice) - length + 1, length):
                    yield Line(f"JSB {split}", name, is_bass, sung(voice[first : first + length]))


def doodle_lines(data: Path) -> Iterator[Line]:
    """The melodies of the Doodle on which choices were made."""
    melodies = json.loads((data / "melodies" / "doodle.json").read_text())["melodies"]
    for i in sorted(TUNED):
        pitches = tuple(pitch for pitch, _, _ in melodies[i]["notes"])
        yield Line("Doodle", "2 bars", False, pitches)
        yield Line("Doodle", f"2 bars, {N_REPEATS} times", False, pitches * N_REPEATS)
        if np.average(pitches, weights=[end - start for _, start, end in melodies[i]["notes"]]) < BASS_BELOW:
            yield Line("Doodle", "typed low", False, pitches)


def people_lines(data: Path) -> Iterator[Line]:
    """Tunes of up to 8 bars."""
    for path in sorted((data / "melodies" / "deepcomposer").glob("*.midi")):
        reading = understand(read(path), melody="top", phrases="none")
        yield Line("deepcomposer", path.stem, False, tuple(note.pitch for note in reading.tune))


def told_by_moves(line: Line) -> bool:
    """Whether a line moves often enough to tell."""
    return int(np.count_nonzero(np.diff(line.pitches))) >= LEAST_MOVES


def fitted(lines: list[Line]) -> dict[str, float]:
    """The weights of a logistic regression, by Newton's method; chorales and the Doodle are half of the tunes each."""
    x = np.array([features_of(line.pitches) for line in lines])
    y = np.array([line.is_bass for line in lines], dtype=float)
    kinds = [("bass" if line.is_bass else line.source) for line in lines]
    n_of = {kind: kinds.count(kind) for kind in kinds}
    share = {"bass": 0.5, **dict.fromkeys(n_of.keys() - {"bass"}, 0.5 / (len(n_of) - 1))}
    counted = np.array([share[kind] / n_of[kind] for kind in kinds]) * len(lines)
    drawn = PRIOR * np.array([0.0, *[1.0] * (len(WEIGHTS) - 1)])
    weights = np.zeros(len(WEIGHTS))
    for _ in range(30):
        chances = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (counted * (y - chances)) - drawn * weights
        bend = (x.T * (counted * chances * (1 - chances))) @ x + np.diag(drawn)
        weights += np.linalg.solve(bend, slope)
    return dict(zip(WEIGHTS, weights.tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    a = parser.parse_args()
    train = [*chorale_lines(a.data, "train"), *doodle_lines(a.data)]
    if a.fit:
        told = [line for line in train if told_by_moves(line) and line.length != "typed low"]
        WEIGHTS.update({name: round(one, 2) for name, one in fitted(told).items()})
        print("".join(f'    "{name}": {weight:.2f},\n' for name, weight in WEIGHTS.items()))
    rows: dict[tuple[str, str, bool], list[tuple[bool, bool]]] = defaultdict(list)
    for line in [*train, *chorale_lines(a.data, "valid"), *people_lines(a.data)]:
        mean = float(np.mean(line.pitches))
        low = mean - 12 * max(np.ceil((mean - BASS_BELOW + 1e-9) / 12), 0)
        found = lone_role(line.pitches, low)
        rows[line.source, line.length, line.is_bass].append((found.is_bass == line.is_bass, found.is_sure))
    print("| lines | length | are | n | taken for what they are | for the other, and sure of it | not sure |")
    print("|---|---|---|---|---|---|---|")
    for (source, length, is_bass), found_so in rows.items():
        right, sure = np.array(found_so).T
        shares = f"{right.mean():.3f} | {(~right & sure).mean():.3f} | {(~sure).mean():.3f}"
        print(f"| {source} | {length} | {'basses' if is_bass else 'tunes'} | {len(right)} | {shares} |")


if __name__ == "__main__":
    main()
