"""Where phrases end: the guess beside the fermatas of Bach's chorales.

    python -m benchmarks.phrases --data FOLDER --scores FOLDER [--hymns FOLDER] [--fit] [--show]

FOLDER of the data holds `jsb/Jsb16thSeparated.json`; that of the scores is `corpus/bach` of music21, a PyPI package. A
score belongs to the chorale that has most of its two outer voices, whatever the key. Twice a soprano is heard, each
time with no fermata shown: as the score has it, with its bars and its repeated notes; and as JSB has it, with no bars,
and with repeated notes joined, so that a phrase that begins on the pitch on which the last one ended has no onset at
all. What counts are the ends within; the last note of a tune always ends a phrase, and is counted beside.

FOLDER of the hymns holds `hymns.abc`, whose metres say where their lines end, and `hymns-midi.zip`; one in five is
kept for validation.

`--fit` fits the weights on JSB's training split, both ways of hearing together, and on the hymns, and prints them as
`segmentation.py` has them; else those are used. Nothing of the test split is read. `--show` names each tune and what is
wrong in it.
"""

from __future__ import annotations

import argparse
import time
import zipfile
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.corpus import Item, read_jsb, without_repeats
from ripieno.files.metres import lines_by_number
from ripieno.files.midi import parse_midi
from ripieno.files.reader import read
from ripieno.music import segmentation
from ripieno.music.phrases import written_ends
from ripieno.music.piece import Piece, bar_starts, piece_from_notes, roll_of_piece
from ripieno.music.roll import RollNote
from ripieno.music.segmentation import BY_HAND, CHOSEN, NAMES, Lattice, Tune, guess_ends
from ripieno.music.understanding import Reading, tune_heard, understand

FRAGMENT = 16  # steps by which a score is found, and laid beside the chorale
PRIOR = 0.5  # weights are drawn to 0 with half their square times this
ENOUGH = 0.3  # fragments of the chorale that the score has
LEAST_ENDS = 3


@dataclass(frozen=True, eq=False)
class Heard:
    """A soprano, and the last notes of its phrases; `placed` has the bars that the score gives it."""

    name: str
    split: str
    tune: Tune
    last: tuple[int, ...]
    placed: Tune


def fragments(top: np.ndarray, bottom: np.ndarray) -> list[bytes]:
    """What begins at each step: the intervals between two lines, and how the upper one moves."""
    moves = np.append(0, np.diff(top))
    both = np.stack([np.where((top < 0) | (bottom < 0), 99, top - bottom), moves], axis=1).astype(np.int16)
    both[:, 1] = np.clip(both[:, 1], -40, 40)
    return [
        both[i : i + FRAGMENT, 0].tobytes() + both[i + 1 : i + FRAGMENT, 1].tobytes()
        for i in range(len(top) - FRAGMENT + 1)
    ]


def edges(piece: Piece) -> tuple[np.ndarray, np.ndarray]:
    """The highest and the lowest pitch at each step, -1 where nothing sounds."""
    sounds = roll_of_piece(piece, 0, max(note.steps.stop for note in piece.notes))[0]
    rests = ~sounds.any(axis=1)
    top = sounds.shape[1] - 1 - sounds[:, ::-1].argmax(axis=1)
    return np.where(rests, -1, top), np.where(rests, -1, sounds.argmax(axis=1))


def soprano_of(piece: Piece) -> int | None:
    """The part that is called one, if it has notes; alto, tenor and bass follow it."""
    called = [i for i, part in enumerate(piece.parts) if "soprano" in part.name.lower()]
    sung = {note.part for note in piece.notes}
    return next((i for i in called if i in sung), None)


def scores(folder: Path, items: list[Item]) -> list[tuple[Item, Piece, dict[bytes, int]]]:
    """The score of each chorale, and where its fragments are in it."""
    where: dict[bytes, set[int]] = defaultdict(set)
    for i, item in enumerate(items):
        sounds = item.cells[0]
        top = np.where(sounds.any(axis=1), sounds.shape[1] - 1 - sounds[:, ::-1].argmax(axis=1), -1)
        for one in fragments(top, np.where(sounds.any(axis=1), sounds.argmax(axis=1), -1)):
            where[one].add(i)
    best: dict[int, tuple[int, Piece, dict[bytes, int]]] = {}
    for path in sorted(folder.glob("*.mxl")):
        try:
            piece = read(path)
        except BadInput:
            continue
        soprano = soprano_of(piece)
        if soprano is None:
            continue
        own = replace(piece, notes=tuple(note for note in piece.notes if soprano <= note.part < soprano + 4))
        at: dict[bytes, int] = {}
        for step, one in enumerate(fragments(*edges(own))):
            at.setdefault(one, step)
        found = Counter(i for one in at for i in where.get(one, ()))
        for i, n in found.most_common(1):
            if n > best.get(i, (ENOUGH * len(at), None, None))[0]:
                best[i] = n, piece, at
    return [(items[i], piece, at) for i, (_, piece, at) in sorted(best.items())]


def heard_in(item: Item, piece: Piece, at: dict[bytes, int]) -> dict[str, Heard]:
    """A soprano as its score has it, and as the corpus has it; none where the score marks hardly a phrase."""
    soprano = soprano_of(piece)
    assert soprano is not None
    plain = replace(piece, marks=(), source=None)
    reading = understand(plain, melody=str(soprano + 1), phrases="none")
    marks = [mark for mark in piece.marks if mark.kind == "fermata"]
    written = written_ends(marks, reading.tune, reading.start, reading.part).last
    n = len(reading.tune)
    if len({*written, n - 1}) < LEAST_ENDS:
        return {}
    tune = tune_heard(reading)
    found = {"score": Heard(item.name, item.split, tune, tuple(sorted({*written, n - 1})), tune)}
    roll = _heard_in_roll(item, piece, at, reading, written)
    return found | ({"roll": roll} if roll else {})


def _heard_in_roll(
    item: Item, piece: Piece, at: dict[bytes, int], reading: Reading, written: tuple[int, ...]
) -> Heard | None:
    assert item.voices is not None
    top, sounds = item.voices[:, 0], item.cells[0]
    own = fragments(
        np.where(sounds.any(axis=1), sounds.shape[1] - 1 - sounds[:, ::-1].argmax(axis=1), -1),
        np.where(sounds.any(axis=1), sounds.argmax(axis=1), -1),
    )
    there = np.full(len(top), -1)  # the step of the score that each step is
    for step, one in enumerate(own):
        if one in at:
            steps = np.arange(FRAGMENT)
            there[step + steps] = at[one] + steps
    if np.mean(there >= 0) < 0.9:
        return None
    starts = [i for i in range(len(top)) if top[i] >= 0 and (i == 0 or top[i] != top[i - 1])]
    ends = [next((i for i in range(start, len(top)) if top[i] != top[start]), len(top)) for start in starts]
    notes = [RollNote(start, int(top[start]), end - start) for start, end in zip(starts, ends, strict=True)]
    tune = tune_heard(understand(piece_from_notes(notes), phrases="none"))
    rests = {reading.tune[i].onset + reading.start for i in written}
    last = {bisect_right(starts, step) - 1 for step in range(len(top)) if there[step] in rests} | {len(notes) - 1}
    lines = {int(line) for line in bar_starts(piece)[1:]}
    line = next((step for step in range(len(top)) if there[step] in lines), None)
    if line is None:
        return None
    meter = piece.meters[0]
    bar, beat = int(meter.steps_per_bar), 16 // meter.denominator
    places = (np.append(tune.onsets, tune.ends[-1]) - line) % bar
    placed = replace(tune, places=places, bar=bar, beat=beat, is_bar_known=True)
    return Heard(item.name, item.split, tune, tuple(sorted(last)), placed)


def hymns(folder: Path) -> list[Heard]:
    """The melodies of a folder of hymns whose metres fit their notes."""
    lines = lines_by_number(folder / "hymns.abc")
    found = []
    with zipfile.ZipFile(folder / "hymns-midi.zip") as files:
        for name in sorted(files.namelist()):
            number = int(Path(name).name.partition("-")[0])
            if number not in lines:
                continue
            piece = parse_midi(files.read(name), name)
            first = min(note.part for note in piece.notes)
            tune = tune_heard(understand(piece, melody=str(first + 1), phrases="none"))
            if lines[number][-1] == len(tune.onsets) - 1:
                split = "train" if number % 5 else "valid"
                found.append(Heard(name, split, tune, tuple(lines[number]), tune))
    return found


def fitted(examples: list[Heard]) -> dict[str, float]:
    """The weights under which the true ways to cut are likeliest."""
    known = []
    for one in examples:
        lattice = Lattice(one.placed)
        features = lattice.features_of(one.last)
        if features is not None:
            known.append((lattice, features))
    print(f"fitted on {len(known)} of {len(examples)} tunes")
    is_held = np.array([name in BY_HAND | CHOSEN for name in NAMES])
    held = np.array([BY_HAND.get(name, 0.0) for name in NAMES])

    def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
        weights = np.where(is_held, held, free)
        total, slope = PRIOR * float(free @ free) / 2, PRIOR * free
        for lattice, features in known:
            log_sum, _, expected = lattice.posterior(weights)
            total += log_sum - float(weights @ features)
            slope = slope + np.where(is_held, 0.0, expected - features)
        return total, slope

    found = np.where(is_held, held, minimised(loss, np.zeros(len(NAMES))))
    return dict(zip(NAMES, found.tolist(), strict=True)) | CHOSEN


def minimised(loss: Callable[[np.ndarray], tuple[float, np.ndarray]], at: np.ndarray, n_steps: int = 60) -> np.ndarray:
    """The least of a smooth convex function, by L-BFGS with a line search that only steps back."""
    value, slope = loss(at)
    moved: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(n_steps):
        way, shares = slope.copy(), []
        for step, change in reversed(moved):
            share = step @ way / (change @ step)
            shares.append(share)
            way -= share * change
        if moved:
            step, change = moved[-1]
            way *= step @ change / (change @ change)
        else:
            way /= np.abs(slope).sum()
        for (step, change), share in zip(moved, reversed(shares), strict=True):
            way += step * (share - change @ way / (change @ step))
        length = 1.0
        while True:
            there = at - length * way
            new_value, new_slope = loss(there)
            if new_value <= value - 1e-4 * length * (slope @ way) or length < 1e-3:
                break
            length /= 2
        if (there - at) @ (new_slope - slope) > 1e-9:
            moved = [*moved[-9:], (there - at, new_slope - slope)]
        gain = value - new_value
        at, value, slope = there, new_value, new_slope
        if gain < 0.01:
            break
    return at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--hymns", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--show", action="store_true")
    a = parser.parse_args()
    items, said = without_repeats(read_jsb(a.data / "jsb" / "Jsb16thSeparated.json"))
    print(*said, sep="\n")
    items = [item for item in items if item.split != "test"]
    every: dict[str, list[Heard]] = {"score": [], "roll": []}
    for item, piece, at in scores(a.scores, items):
        for way, one in heard_in(item, piece, at).items():
            every[way].append(one)
    if a.hymns:
        every["hymns"] = hymns(a.hymns)
    if a.fit:
        train = [one for own in every.values() for one in own if one.split == "train"]
        weights = fitted(train)
        segmentation.WEIGHTS.update({name: round(weight, 2) for name, weight in weights.items()})
        print("".join(f'    "{name}": {weight:.2f},\n' for name, weight in segmentation.WEIGHTS.items()))
    print(
        "| sopranos | JSB | tunes | ends within | precision | recall | all ends: precision | recall | sure | of wrong |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for way, own in every.items():
        for split in ("train", "valid"):
            _tell(way, split, [one for one in own if one.split == split], a.show and split == "valid")


def _tell(way: str, split: str, tunes: list[Heard], show: bool) -> None:
    right = said = true = 0
    sure: dict[bool, list[float]] = {True: [], False: []}
    begun = time.perf_counter()
    for one in tunes:
        guess = guess_ends(one.tune)
        assert guess is not None
        found, ends = set(guess.last[:-1]), set(one.last[:-1])
        right, said, true = right + len(found & ends), said + len(found), true + len(ends)
        for i, chance in zip(guess.last[:-1], guess.chances[:-1], strict=True):
            sure[i in ends].append(chance)
        if show and found != ends:
            print(f"{way} {one.name}: said {sorted(found - ends)}, missed {sorted(ends - found)} of {sorted(ends)}")
    n, seconds = len(tunes), time.perf_counter() - begun
    shares = (
        f"{right / said:.3f} | {right / true:.3f} | {(right + n) / (said + n):.3f} | {(right + n) / (true + n):.3f}"
    )
    means = f"{np.mean(sure[True]):.2f} | {np.mean(sure[False]):.2f}"
    print(f"| {way} | {split} | {n} | {true} | {shares} | {means} | {1000 * seconds / n:.1f} ms a tune")


if __name__ == "__main__":
    main()
