"""How well `ripieno fix` mends melodies, and where its weights come from.

    python -m benchmarks.fix --data FOLDER fit              # writes models/bundled/fix.json
    python -m benchmarks.fix --data FOLDER report           # on JSB test and a third of the doodles
    python -m benchmarks.fix --data FOLDER report --valid   # on what thresholds are chosen on

In each melody one note in ten (one at least) is moved by a semitone, or by a sixteenth with both of its ends, at the
cost of the neighbour that it runs into; which, and which way, is drawn. Mended: pitch and onset are as they were.
Touched: a good note whose pitch or onset has changed. Melodies are the sopranos of JSB Chorales, and melodies of the
Bach Doodle, two bars each, and tunes of hymns: every third of these is fitted on, chosen on, tested on. The
regression is fitted on JSB train too: sopranos alone, and every fourth chorale with all its voices. No doodle of the
last third has had a say in it, though others of Ripieno's settings were chosen on some (`evaluation.inputs.TUNED`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.random import Generator, Philox

from benchmarks import corpora
from ripieno.errors import BadInput
from ripieno.evaluation.models import coconet, editor
from ripieno.files.midi import parse_midi
from ripieno.fixing import MOST, SURE, WAYS, Candidate, candidates, fix
from ripieno.models.runtime import the_separator
from ripieno.music.piece import Piece, piece_from_notes
from ripieno.music.roll import RollNote, notes_of_voices
from ripieno.music.singers import singers_of
from ripieno.music.understanding import understand

WEIGHTS = Path(__file__).parent.parent / "src" / "ripieno" / "models" / "bundled" / "fix.json"
LEAKS = ("jsb-train-142", "jsb-train-224")  # they largely repeat two of the valid split; `without_repeats` finds them
SHARE = 0.1
DAMAGED = 6  # times that each doodle is damaged anew, to be fitted on
THIRDS = {"train": 0, "valid": 1, "test": 2}


def sopranos(data: Path, split: str) -> Iterator[Piece]:
    for item in corpora.chorales(data, split):
        if item.name not in LEAKS:
            assert item.voices is not None
            notes = notes_of_voices(item.voices[:, :1])
            yield piece_from_notes([RollNote(n.onset, n.pitch, n.end - n.onset) for n in notes], name=item.name)


def chorales(data: Path, split: str) -> Iterator[Piece]:
    for item in corpora.chorales(data, split):
        if item.name not in LEAKS:
            assert item.voices is not None
            yield corpora.score_of(item.voices, item.name)


def doodles(data: Path, split: str) -> Iterator[Piece]:
    for number, notes in enumerate(corpora.doodles(data)):
        if number % 3 == THIRDS[split]:
            yield piece_from_notes(notes, meter=(4, 4), name=f"doodle {number}")


def hymns(data: Path, split: str) -> Iterator[Piece]:
    with ZipFile(data / "hymns" / "hymns-midi.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".mid", ".midi")))
        for name in names[THIRDS[split] :: 3]:
            try:
                reading = understand(parse_midi(archive.read(name), name))
            except BadInput:
                continue
            yield piece_from_notes(reading.tune, meter=(4, 4), name=name)


def damaged(piece: Piece, rng: Generator, share: float = SHARE) -> tuple[Piece, dict[int, str]]:
    """The piece with some notes off, and which, by Note.id, in which way."""
    notes = list(piece.notes)
    off: dict[int, str] = {}
    lines: dict[int, list[int]] = {}
    for note in notes:
        lines.setdefault(note.part, []).append(note.id)
    neighbours = {
        line[i]: (line[i - 1] if i else None, line[i + 1] if i + 1 < len(line) else None)
        for line in lines.values()
        for i in range(len(line))
    }
    last = max(note.end for note in notes)
    for i in rng.permutation(len(notes)).tolist():
        if len(off) == max(1, round(share * len(notes))):
            break
        before, after = neighbours[i]
        if {before, after} & set(off):
            continue
        kind, by = WAYS[int(rng.integers(2))], int(rng.choice([-1, 1]))
        note = notes[i]
        if kind == "pitch":
            beside = [notes[j] for j in (before, after) if j is not None]
            joined = any(
                other.pitch == note.pitch + by and note.onset in (other.end, other.onset - note.duration)
                for other in beside
            )
            if not joined:  # else two notes would become one, and nobody could tell
                notes[i] = replace(note, pitch=note.pitch + by)
                off[i] = kind
            continue
        moved = replace(note, onset=note.onset + by)
        if moved.onset < 0 or moved.end > last:
            continue
        neighbour = before if by < 0 else after
        if neighbour is not None:
            other = notes[neighbour]
            overlap = min(other.end, moved.end) - max(other.onset, moved.onset)
            if overlap >= other.duration:
                continue
            if overlap > 0:
                onset = other.onset if by < 0 else other.onset + overlap
                notes[neighbour] = replace(other, onset=onset, duration=other.duration - overlap)
        notes[i] = moved
        off[i] = kind
    return replace(piece, notes=tuple(notes)), off


def examples(job: tuple[int, Piece]) -> list[tuple[Candidate, bool]]:
    number, piece = job
    hurt, off = damaged(piece, Generator(Philox(key=[3, number])))
    reading = understand(hurt)
    found = candidates(hurt, reading, singers_of(hurt, reading, the_separator()), editor(None), coconet(None))
    return [(one, off.get(one.note) == one.kind and _would_mend(piece, hurt, one)) for one in found]


def _would_mend(truth: Piece, hurt: Piece, one: Candidate) -> bool:
    was, now = truth.notes[one.note], hurt.notes[one.note]
    return was.pitch == now.pitch + one.by if one.kind == "pitch" else was.onset == now.onset + one.by


def fit(data: Path, jobs: int) -> None:
    # doodles are short and few: each is damaged in several ways
    drawn = list(doodles(data, "train")) * DAMAGED
    pieces = [*sopranos(data, "train"), *list(chorales(data, "train"))[::4], *hymns(data, "train"), *drawn]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        found = [one for some in pool.map(examples, enumerate(pieces)) for one in some]
    weights = {}
    for kind in WAYS:
        own = [(one.features, right) for one, right in found if one.kind == kind]
        names = list(own[0][0])
        x = np.array([[float(features[name]) for name in names] for features, _ in own])
        y = np.array([right for _, right in own], dtype=float)
        weights[kind] = {name: round(value, 4) for name, value in regression(names, x, y).items()}
        print(f"{kind}: {len(own)} candidates, {int(y.sum())} of them right")
    made = {"made by": "python -m benchmarks.fix fit", "model": editor(None).digest, "weights": weights}
    WEIGHTS.write_text(json.dumps(made, indent=1) + "\n")


def regression(names: Sequence[str], x: np.ndarray, y: np.ndarray, prior: float = 1.0) -> dict[str, float]:
    """A logistic regression by Newton's method, with a normal prior on the weights of standardised features."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.concatenate([np.ones((len(x), 1)), (x - mean) / scale], axis=1)
    w = np.zeros(z.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ w))
        step = np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + prior * np.eye(len(w)), z.T @ (p - y) + prior * w)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    slopes = w[1:] / scale
    return {"bias": float(w[0] - slopes @ mean), **dict(zip(names, slopes.tolist(), strict=True))}


def repaired(job: tuple[int, Piece], sure: float) -> np.ndarray:
    """Pitch: off, mended; time: off, mended; good notes, touched."""
    number, piece = job
    hurt, off = damaged(piece, Generator(Philox(key=[4, number])))
    model, fill = editor(None), coconet(None)
    # as many as are off may be changed, and more
    done = fix(hurt, model=model, fill=fill, sure=sure, most=MOST).piece
    counts = np.zeros(6, dtype=int)
    for was, before, now in zip(piece.notes, hurt.notes, done.notes, strict=True):
        is_right = (now.pitch, now.onset) == (was.pitch, was.onset)
        if was.id in off:
            kind = WAYS.index(off[was.id])
            counts[2 * kind] += 1
            counts[2 * kind + 1] += is_right
        else:
            counts[4] += 1
            # a neighbour that was cut short at its beginning may get that back
            counts[5] += (now.pitch, now.onset) != (before.pitch, before.onset) and not is_right
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fit", "report"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--valid", action="store_true")
    parser.add_argument("--sure", type=float, nargs="*", default=[SURE])
    parser.add_argument("--every", type=int, default=1, help="a part of the pieces")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    if a.what == "fit":
        fit(a.data, a.jobs)
        return
    split = "valid" if a.valid else "test"
    sources = {"sopranos": sopranos, "hymn tunes": hymns, "doodles": doodles, "all four voices": chorales}
    print(f"| {split} | sure | melodies | pitch mended | time mended | mended | good notes touched |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as pool:
        for name, source in sources.items():
            pieces = list(source(a.data, split))[:: a.every * (4 if name == "all four voices" else 1)]
            for sure in a.sure:
                c = sum(pool.map(partial(repaired, sure=sure), enumerate(pieces)), np.zeros(6, dtype=int))
                shares = f"{c[1]} of {c[0]} | {c[3]} of {c[2]} | {(c[1] + c[3]) / (c[0] + c[2]):.1%}"
                print(f"| {name} | {sure} | {len(pieces)} | {shares} | {c[5] / c[4]:.2%} |", flush=True)


if __name__ == "__main__":
    main()
