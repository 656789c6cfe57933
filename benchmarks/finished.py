"""Do pieces get finished, and how?

    python -m benchmarks.finished --data FOLDER melodies    # Bach Doodle melodies and six tunes
    python -m benchmarks.finished --data FOLDER chorales    # whole chorales from Bach's sopranos, JSB valid

For each piece: edits, cells a step, share of steps with four or more, edits still expected at the end and how many of
them would take own notes back, new notes above a top melody; for chorales, whether the last chord is a root-position
triad on the tonic that Bach's own last bass note names. Then for all of them what the style report says of the
voices, and for chorales of Bach's own, merged and split in the same way.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales, doodles
from ripieno.evaluation.inputs import soprano_of
from ripieno.evaluation.models import editor
from ripieno.files.midi import read_midi
from ripieno.models.runtime import the_separator
from ripieno.music.harmony import ends_on_tonic_triad
from ripieno.music.part_writing import Report, judge
from ripieno.music.piece import Piece, piece_from_notes
from ripieno.music.voices import split
from ripieno.options import Options
from ripieno.sampling.ancestral import change_probabilities, expected_edits
from ripieno.sampling.passes import alone
from ripieno.sampling.run import MENDS, STOP_RULE, compose_and_mend
from ripieno.session import Session, way_of

SHOWN = (
    "parallel fifths",
    "parallel octaves",
    "moving pairs",
    "hidden, soprano leaps",
    "crossing",
    "spacing",
    "range",
    "unresolved leading note",
    "missing third",
    "onsets",
    "four or more pitches",
    "dissonant pairs",
    "triads on beats",
    "lone sixteenth",
)


def melodies(data: Path, n: int) -> Iterator[tuple[str, Piece, None]]:
    """Doodle melodies, evenly over the 296 in the file's order, their two bars four times over; then the six tunes."""
    drawn = doodles(data)
    for i in np.linspace(0, len(drawn) - 1, n).round().astype(int):
        notes = [replace(note, onset=note.onset + 32 * k) for k in range(4) for note in drawn[i]]
        yield f"doodle {i}", piece_from_notes(notes, meter=(4, 4)), None
    for path in sorted((data / "melodies" / "deepcomposer").glob("*.midi")):
        yield path.stem, read_midi(path), None


def sopranos(data: Path, n: int, split: str) -> Iterator[tuple[str, Piece, int]]:
    for item in chorales(data, split)[:n]:
        assert item.voices is not None
        last = item.voices[-1]
        yield item.name, soprano_of(item.voices), int(last[last >= 0].min()) % 12


def finish(
    job: tuple[Path | None, float, int, str, bool, str, Piece, int | None],
) -> tuple[str, tuple[float, ...], bool | None, Report]:
    """Compose one piece: what to say of it, its figures, whether it ends on the tonic, the style report."""
    path, temperature, seed, mend, takes_back, name, piece, tonic = job
    model = editor(path)
    melody = None if tonic is None else "top"
    session = Session(piece, model=model, temperature=temperature, seed=seed, melody=melody, mend=mend)
    policy = replace(session.policy, takes_back=takes_back)
    most = STOP_RULE.most_edits(session.document.n_steps)
    log, n_edits = session.log, 0
    for change in alone(compose_and_mend(log, session.context, policy, way_of(session.document, model), most), model):
        log, n_edits = change.log, n_edits + 1
    prediction = model(log.cells[None], session.context[None])
    chance = np.where(policy.allowed(log), change_probabilities(prediction), 0.0)
    n_left = expected_edits(chance, log, policy)
    taking_back = float(chance[log.cells].sum())
    sounding = np.count_nonzero(log.cells[0], axis=1)
    line = policy.line
    above = 0
    sung = sounding[line >= 0] if line is not None else sounding
    if session.reading.melody == "top" and line is not None:
        above = int((log.model_cells & (np.arange(128) > line[:, None]) & (line >= 0)[:, None]).sum())
    share = n_edits / STOP_RULE.most_edits(len(sounding))
    end = None if tonic is None else ends_on_tonic_triad(log.cells, tonic)
    said = (
        f"{name} ({session.reading.melody}): {n_edits} edits, {sounding.mean():.2f} cells a step "
        f"({sung.mean():.2f} where the melody sounds), "
        f"4+ in {(sounding >= 4).mean():.0%}, {n_left:.2f} edits still expected, {taking_back:.2f} taking back, "
        f"{above} above"
    )
    if end is not None:
        said += f", ends on the tonic: {'yes' if end else 'no'}"
    row = (share, sounding.mean(), (sounding >= 4).mean(), n_left, taking_back, above, sung.mean())
    voices = split(log.cells, 4, line, 3 if session.reading.melody == "bass" else 0, the_separator())
    return said, row, end, judge(voices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["melodies", "chorales"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-n", type=int, default=None, help="how many melodies (50) or chorales (76)")
    parser.add_argument("--split", default="valid", choices=["valid", "test"])
    parser.add_argument("--temperature", type=float, default=Options().temperature)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mend", choices=MENDS, default="faults", help="what is put right at the end")
    parser.add_argument("--additions-only", action="store_true", help="nothing may be taken back")
    parser.add_argument("--jobs", type=int, default=2, help="pieces at a time, one core each")
    a = parser.parse_args()
    model = editor(a.model)
    print(f"model {model.name}, {model.digest}; temperature {a.temperature}, seed {a.seed}")
    source = melodies(a.data, a.n or 50) if a.what == "melodies" else sopranos(a.data, a.n or 76, a.split)
    rows, ends, report = [], [], Report()
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as pool:
        jobs = [(a.model, a.temperature, a.seed, a.mend, not a.additions_only, *one) for one in source]
        for said, row, end, judged in pool.map(finish, jobs):
            rows.append(row)
            report += judged
            if end is not None:
                ends.append(end)
            print(said, flush=True)
    table = np.array(rows)
    cells = table[:, 1]
    print(f"\n{len(rows)} pieces. Cells a step: mean {cells.mean():.2f}, from {cells.min():.2f} to {cells.max():.2f};")
    sung = table[:, 6]
    print(f"within 3.6 to 4.2: {np.mean((cells >= 3.6) & (cells <= 4.2)):.0%};")
    print(f"where the melody sounds: mean {sung.mean():.2f}, within: {np.mean((sung >= 3.6) & (sung <= 4.2)):.0%}.")
    print(f"Stopped by themselves: {np.sum(table[:, 0] < 1)} of {len(rows)}.")
    mass = table[:, 4]
    print(
        f"Cells that it expects to take back at the end: at most {mass.max():.2f}, "
        f"in {np.sum(mass >= 0.5)} pieces half a cell or more."
    )
    print(f"Above a top melody: {table[:, 5].sum():.0f} cells.")
    if ends:
        print(f"Ends on a root-position triad on the final tonic: {np.mean(ends):.0%}.")
    columns = {"ours": report}
    if ends:
        bach = chorales(a.data, a.split)[: len(rows)]
        columns["Bach, split likewise"] = sum(
            (judge(split(i.cells, 4, i.voices[:, 0], 0, the_separator())) for i in bach if i.voices is not None),
            Report(),
        )
    print(f"\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in SHOWN:
        print(f"| {name} | {' | '.join(f'{one.figure(name):.2f}' for one in columns.values())} |")


if __name__ == "__main__":
    main()
