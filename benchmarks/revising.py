"""What does going over a full piece again and again do for its lines, and what does it cost?

    python -m benchmarks.revising --data FOLDER                      # the schedules below
    python -m benchmarks.revising --data FOLDER --schedule "n_rounds=32 most=0.4 clears=notes+cells" --schedule ""
    python -m benchmarks.revising --data FOLDER --model model.onnx --bars 0 --mend faults --gibbs 128

Sopranos of JSB valid are harmonised, several side by side, by each schedule: fields of `sampling.revising.Revising`
and options, with their values; "" is the program as it is. Beside them stand Bach, split like everyone, and Coconet by
Gibbs sampling. Each row says how the lines run (`evaluation.texture`), how full and how faulty the settings are, and
how many passes over the whole roll, entries of the log and seconds eight bars took. "Apart" is the mean of how far
lines, passing notes and beats with nothing off the beat are from Bach's, as a share of his.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from benchmarks.corpora import chorales
from benchmarks.speed import Counted
from ripieno.edits.log import EditLog
from ripieno.evaluation.inputs import soprano_of
from ripieno.evaluation.texture import FEATURES, Setting, counted
from ripieno.models.runtime import Model, load_coconet, load_model, the_separator
from ripieno.music.part_writing import Report, judge
from ripieno.music.roll import STEPS_PER_BAR, Cells, Voices, roll_of_voices
from ripieno.music.voices import split
from ripieno.options import Options
from ripieno.sampling.gibbs import sample_gibbs
from ripieno.sampling.passes import Change, Sampler, together
from ripieno.sampling.revising import Revising
from ripieno.sampling.run import MENDS, STOP_RULE, compose_and_mend
from ripieno.session import Session, way_of

LINES = tuple(f"{what}, {voice}" for what in ("runs of three", "leaps", "passing notes") for voice in "ATB")
NEARNESS = (*LINES, "nothing off the beat")  # whose mean relative distance from Bach's is "apart"
ALONE = ("nothing off the beat", "tenor and bass parallel", "unprepared clashes", "parallel fifths", "parallel octaves")
FEW = ("complete triads", "sixteenths below the tune")
SCHEDULES = (
    "n_rounds=0",
    "n_rounds=8",
    "n_rounds=24",
    "n_rounds=24 clears=cells",
    "n_rounds=24 clears=notes",
    "n_rounds=24 heat=1.25",
    "n_rounds=32 n_passes=2",
    "n_rounds=48",
)


@dataclass(frozen=True)
class Written:
    """What one schedule wrote: rolls and voices of all pieces, and what they cost."""

    cells: list[Cells]
    voices: list[Voices]
    n_passes: float = 0  # of eight bars
    n_edits: float = 0  # entries of the log, of eight bars
    seconds: float = 0  # of a piece of eight bars, many side by side


def read_schedule(text: str) -> tuple[Revising | None, dict[str, Any]]:
    """A schedule from the command line: how to revise, None as the quality says; and options."""
    kinds: dict[str, Any] = {name: type(value) for name, value in vars(Revising()).items()}
    kinds["clears"] = lambda value: tuple(value.split("+"))
    revising: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name in kinds:
            revising[name] = kinds[name](value)
        else:
            options[name] = type(getattr(Options(), name))(value)
    return (Revising(**revising) if revising else None), options


def written(model: Model, settings: Sequence[Voices], schedule: str, mend: str, seed: int) -> Written:
    """Harmonise the sopranos, all side by side."""
    revising, options = read_schedule(schedule)
    rolls = Counted(model)
    logs: dict[int, EditLog] = {}
    samplers, lines = [], []
    for number, voices in enumerate(settings):
        session = Session(
            soprano_of(voices),
            model=model,
            melody="top",
            mend=mend,
            seed=seed,
            **options,
        )
        lines.append(session.policy.line)
        logs[number] = session.log
        way = replace(way_of(session.document, model), revising=revising)
        most = STOP_RULE.most_edits(session.document.n_steps)
        samplers.append(compose_and_mend(session.log, session.context, session.policy, way, most))
    began = time.perf_counter()
    counts = [0] * len(samplers)
    for number, change in together([_counting(one, counts, at) for at, one in enumerate(samplers)], rolls):
        logs[number] = change.log
    n_steps = sum(len(voices) for voices in settings)
    eights = n_steps / (8 * STEPS_PER_BAR)
    seconds = (time.perf_counter() - began) / eights
    cells = [logs[number].cells for number in range(len(settings))]
    sung = [split(one, 4, line, 0, the_separator()) for one, line in zip(cells, lines, strict=True)]
    n_edits = sum(len(log.entries) for log in logs.values()) / eights
    weighed = sum(n * len(one) for n, one in zip(counts, settings, strict=True)) / n_steps
    return Written(cells, sung, weighed, n_edits, seconds)


def _counting(sampler: Sampler, counts: list[int], number: int) -> Sampler:
    """The same sampler; whenever it asks for the whole roll, that is counted."""
    answer = None
    while True:
        try:
            told = sampler.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        counts[number] += not isinstance(told, Change) and len(told.cells) == 1
        answer = yield told


def by_gibbs(settings: Sequence[Voices], n_passes: int, seed: int) -> Written:
    """Coconet's settings of the sopranos, voices as it wrote them."""
    fill = load_coconet()
    scores = []
    for number, voices in enumerate(settings):
        score = np.full_like(voices, -1)
        score[:, 0] = voices[:, 0]
        rng = Generator(Philox(key=np.array([seed, number], dtype=np.uint64)))
        *_, score = sample_gibbs(fill, score, score >= 0, n_passes, rng)
        scores.append(score)
    return Written([roll_of_voices(score) for score in scores], scores, n_passes)


def figures(found: Written) -> dict[str, float]:
    """What is told of the settings."""
    wanted = [one for one in FEATURES if one.name in (*LINES, *ALONE, *FEW)]
    counts = [counted(Setting(voices), wanted) for voices in found.voices]
    row = {
        one.name: one.per * sum(c[one.name].n for c in counts) / max(sum(c[one.name].of for c in counts), 1)
        for one in wanted
    }
    report: Report = sum((judge(voices) for voices in found.voices), Report())
    row["onsets"] = report.figure("onsets")
    sounding = np.concatenate([np.count_nonzero(one[0], axis=1) for one in found.cells])
    row["cells"], row["four or more"] = float(sounding.mean()), float((sounding >= 4).mean())
    return row


def told(name: str, row: dict[str, float], bach: dict[str, float], found: Written) -> str:
    """One line of the table."""
    cells = [name]
    cells += [" / ".join(f"{row[f'{what}, {one}']:.2f}" for one in "ATB") for what in _whats()]
    cells += [f"{row[one]:.2f}" if row[one] < 1 else f"{row[one]:.1f}" for one in ALONE]
    cells += [f"{row[one]:.2f}" for one in (*FEW, "onsets", "cells", "four or more")]
    cells += [f"{np.mean([abs(row[one] / bach[one] - 1) for one in NEARNESS]):.3f}"]
    cells += [f"{found.n_passes:.0f}", f"{found.n_edits:.0f}", f"{found.seconds:.2f}"]
    return f"| {' | '.join(cells)} |"


def _whats() -> Iterator[str]:
    yield from dict.fromkeys(one.partition(",")[0] for one in LINES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-n", type=int, default=24, help="how many sopranos, evenly over JSB valid")
    parser.add_argument("--bars", type=int, default=8, help="the first so many bars of each; 0 for all")
    parser.add_argument("--mend", choices=MENDS, default="nothing", help="what is put right at the end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gibbs", type=int, default=0, help="passes of Coconet's Gibbs sampling beside it; 0 for none")
    parser.add_argument("--threads", type=int, help="cores; all of them unless given")
    parser.add_argument("--schedule", action="append", help="see above; may be given several times")
    a = parser.parse_args()
    model = load_model(a.model, a.threads)
    valid = [one.voices for one in chorales(a.data, "valid") if one.voices is not None]
    long_enough = [one for one in valid if len(one) >= a.bars * STEPS_PER_BAR]
    chosen = [long_enough[at] for at in np.linspace(0, len(long_enough) - 1, a.n).round().astype(int)]
    settings = [one[: a.bars * STEPS_PER_BAR or None] for one in chosen]
    rolls = [roll_of_voices(one) for one in settings]
    heard = [split(roll, 4, one[:, 0], 0, the_separator()) for roll, one in zip(rolls, settings, strict=True)]
    ours = Written(rolls, heard)
    bach = figures(ours)
    print(f"model {model.name}, {model.digest}; {len(settings)} sopranos, seed {a.seed}, mended: {a.mend}\n")
    heads = [f"{what} A / T / B" for what in _whats()]
    heads += [*ALONE, *FEW, "onsets", "cells", "four or more", "apart", "passes", "edits", "seconds"]
    print(f"| | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    print(told("Bach", bach, bach, ours))
    if a.gibbs:
        found = by_gibbs(settings, a.gibbs, a.seed)
        print(told("Coconet, Gibbs", figures(found), bach, found), flush=True)
    for schedule in SCHEDULES if a.schedule is None else a.schedule:
        found = written(model, settings, schedule, a.mend, a.seed)
        print(told(schedule or "as it is", figures(found), bach, found), flush=True)


if __name__ == "__main__":
    main()
