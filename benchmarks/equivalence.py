"""Is several edits a pass as good as one? The default quality beside "exact", on 150 melodies, three seeds each.

    python -m benchmarks.equivalence --data FOLDER -o runs/equivalence

    python -m benchmarks.equivalence --data FOLDER -o runs/others --others
    python -m benchmarks.equivalence --data FOLDER -o runs/sopranos --sopranos

Melodies of the Bach Doodle. Where drafts stop was chosen by what the 150 showed, so that they no longer judge fairly;
`--others` takes the melodies that are left, `--sopranos` 150 of Bach's from JSB train, whole chorales: the network
knows them, but nothing of how pieces are written was chosen by them. For each rule and measure of the style report
and for the statistics of tables 2 and 3, each melody has the mean over seeds of either quality; of their difference
the 90 % interval over melodies should lie within 0.2 of the standard deviation of Bach's own pieces (JSB valid, split
into voices likewise; eight bars of each, or the whole where the melodies are), which is two one-sided tests at 5 %,
with Holm's correction over all that is looked at. Beside it stands the weaker claim that nothing is lost: there, a
rule may be broken less often by any amount.
What was composed is kept in the output folder under all that it depends on; interrupted, it goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.corpora import chorales
from ripieno.evaluation.claims import MARGIN
from ripieno.evaluation.inputs import doodles, sopranos
from ripieno.evaluation.jobs import Job, run
from ripieno.evaluation.kept import Kept
from ripieno.evaluation.metrics import bhattacharyya, pitch_statistics, pool, pooled
from ripieno.evaluation.models import editor
from ripieno.evaluation.statistics import holm, spread_of
from ripieno.models.runtime import the_separator
from ripieno.music.part_writing import COUNTED, RULES, Report, judge
from ripieno.music.roll import RollNote, notes_of, roll_of, roll_of_voices
from ripieno.music.voices import split
from ripieno.options import Options
from ripieno.session import Session

QUALITY = Options().quality
QUALITIES = ("exact", QUALITY)
STATISTICS: dict[str, Callable[[Any], float]] = {
    "pitch classes used": lambda of: of.pitch_classes,
    "pitches used": lambda of: of.pitches,
    "in-scale rate": lambda of: of.in_scale_rate,
    "polyphonic rate": lambda of: of.polyphonic_rate,
}


def compose(job: Job) -> dict[str, Any]:
    """Compose one piece."""
    of, quality = job.payload, job.what
    session = Session(of.piece, model=editor(None), melody=of.melody, seed=job.seed, quality=quality)
    for _ in session.run():
        pass
    line = session.policy.line
    bound = [] if line is None or session.reading.melody == "inner" else [int(pitch) for pitch in line]
    return {
        "notes": [[note.onset, note.pitch, note.duration] for note in notes_of(session.log.cells)],
        "n_steps": int(session.log.cells.shape[1]),
        "line": bound or None,
        "voice": 3 if session.reading.melody == "bass" else 0,
        "edits": len(session.log.entries),
    }


def two_one_sided(mean: float, error: float) -> tuple[float, float]:
    """The p of lying `MARGIN` or more above, and below."""
    if not error:
        return float(mean >= MARGIN), float(mean <= -MARGIN)
    return NormalDist().cdf((mean - MARGIN) / error), 1 - NormalDist().cdf((mean + MARGIN) / error)


def judged(cells: np.ndarray, line: np.ndarray | None, voice: int) -> tuple[Report, dict[str, float]]:
    report = judge(split(cells, 4, line, voice, the_separator()))
    statistics = pitch_statistics(pool([cells]))
    return report, {name: float(of(statistics)) for name, of in STATISTICS.items()}


def values_of(some: list[tuple[Report, dict[str, float]]], name: str) -> float:
    found = [report[name].rate if name in report else statistics[name] for report, statistics in some]
    finite = [value for value in found if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--inputs", type=int, default=150)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--others", action="store_true", help="the melodies that are left beside the 150")
    which.add_argument("--sopranos", action="store_true", help="sopranos of JSB train instead")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--more", type=int, default=0, help="seeds of the default alone beside those: it costs a tenth")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    if a.sopranos:
        tunes = sopranos(chorales(a.data, "train"), "train")
        inputs = [tunes[i] for i in np.linspace(0, len(tunes) - 1, min(a.inputs, len(tunes))).round().astype(int)]
    else:
        inputs = doodles(a.data / "melodies" / "doodle.json", others=a.others)[: a.inputs]
    digest = f"{editor(None).digest} {the_separator().digest}"
    jobs = [
        Job("equivalence", quality, of.name, seed, None, digest, {}, of)
        for seed in range(a.seeds + a.more)
        for of in inputs
        for quality in QUALITIES[seed >= a.seeds :]
    ]
    pieces: list[dict[str, Any]] = []
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as processes:
        for step in run(jobs, compose, Kept(a.output), processes, 2 * a.jobs):
            if isinstance(step, list):
                pieces = step
            else:
                print(f"\r{step.done} of {step.of}", end="", flush=True)
    print()
    found: dict[tuple[str, str], list[tuple[Report, dict[str, float]]]] = {}
    rolls: dict[str, list[np.ndarray]] = {quality: [] for quality in QUALITIES}
    for job, kept in zip(jobs, pieces, strict=True):
        cells = roll_of([RollNote(*note) for note in kept["notes"]], kept["n_steps"])
        line = None if kept["line"] is None else np.array(kept["line"])
        found.setdefault((job.what, job.name), []).append(judged(cells, line, kept["voice"]))
        rolls[job.what].append(cells)
    bachs = []
    for item in chorales(a.data, "valid"):
        if item.voices is not None:
            voices = item.voices if a.sopranos else item.voices[:128]
            bachs.append(judged(roll_of_voices(voices), voices[:, 0], 0))
    exact, ours = QUALITIES
    rules, rows = {rule.name for rule in RULES}, []
    for name in [*(entry.name for entry in COUNTED), *STATISTICS]:
        spread = spread_of([values_of([one], name) for one in bachs])
        apart = np.array(
            [values_of(found[ours, of.name], name) - values_of(found[exact, of.name], name) for of in inputs]
        )
        apart = apart[np.isfinite(apart)]
        if not spread or len(apart) < 20:
            continue
        mean, error = apart.mean() / spread, apart.std(ddof=1) / spread / len(apart) ** 0.5
        more, less = two_one_sided(float(mean), float(error))
        within, lost = max(more, less), more if name in rules else max(more, less)
        rows.append((name, float(mean), float(1.645 * error), len(apart), float(within), float(lost)))
    held, none_lost = (holm([float(row[at]) for row in rows]) for at in (4, 5))
    print(
        "| | difference, in standard deviations of Bach's pieces (90 %) | n | within 0.2, Holm | nothing lost, Holm |"
    )
    print("|---|---|---|---|---|")
    for (name, mean, half, n, *_), *holds in sorted(
        zip(rows, held, none_lost, strict=True), key=lambda row: not row[1]
    ):
        said = " | ".join("yes" if one else "no" for one in holds)
        print(f"| {name} | {mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f}) | {n} | {said} |")
    shares = {quality: sum((pooled(cells) for cells in some[1:]), pooled(some[0])) for quality, some in rolls.items()}
    distance = bhattacharyya(shares[exact].shares, shares[ours].shares)
    print(f"\nwithin 0.2 for {sum(held)} of {len(held)}, nothing lost for {sum(none_lost)};", end=" ")
    print(f"{len(inputs)} melodies, {a.seeds} seeds{f', {a.more} more of the default' if a.more else ''}.")
    print(f"Table 3's Bhattacharyya distance between the pitches of both: {distance:.4f}")


if __name__ == "__main__":
    main()
