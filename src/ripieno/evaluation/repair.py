"""Repair: real chorales damaged in known ways, how well a model finds the damage, and how well it repairs it.

The paper's central claim is that a model which adds *and removes* can repair mistakes (paper 1, 5). It gives no figure.
`mistakes.damage` puts about one note in twenty wrong; `repairers` find and repair.

Finding: each note that sounds gets a score, and the wrong ones should have the highest. What is missing does not
sound, so it counts in repairing only.

Repairing is judged on the merged roll, since ES-Net knows no voices. A mistake is *restored* if every cell of the true
note, and every cell that the damage changed, is as it was. A good note is *spoiled* if one of its cells has gone, or if
it has been prolonged by a cell that was never there. *Invented* notes, runs of cells that neither the true nor the
damaged score has, are counted too: spoiled notes alone would let them pass.

Thresholds were chosen on JSB valid; no figure of JSB test was looked at before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.evaluation import models
from ripieno.evaluation.jobs import Experiment, Figures, Job, Material
from ripieno.evaluation.markdown import TITLES, decimal, percent, table, with_interval
from ripieno.evaluation.mistakes import KINDS, Damaged, damage
from ripieno.evaluation.repairers import Repairer, coconet_repairer, es_net_repairer
from ripieno.evaluation.statistics import average_precision, bootstrap, roc_area
from ripieno.files.corpus import Item
from ripieno.models.runtime import the_separator
from ripieno.music.roll import Cells, VoiceNote, notes_of, roll_of_voices
from ripieno.music.voices import split
from ripieno.sampling.expectation import TRANSPOSITIONS
from ripieno.shapes import Bool, Float, Int

SHARE = 0.05  # of a piece's notes that are damaged
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)  # of ES-Net's
THRESHOLD = 0.4  # spoils 0.8 % on 13 chorales of JSB valid, all kinds together
MARGINS = (2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0)  # of Coconet's
# Of those that spoil less than 1 % of the notes of JSB valid, the one that restores most.
MARGIN = {"coconet": 9.0, "coconet-split": 9.0}
N_DRAWS = 1000  # of the bootstrap: each looks at every note


@dataclass(frozen=True)
class Verdict:
    """What became of the mistakes, and of the good notes. Verdicts add up."""

    n_mistakes: int = 0
    n_restored: int = 0
    n_good: int = 0
    n_spoiled: int = 0
    n_invented: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.n_mistakes + other.n_mistakes,
            self.n_restored + other.n_restored,
            self.n_good + other.n_good,
            self.n_spoiled + other.n_spoiled,
            self.n_invented + other.n_invented,
        )

    @property
    def restored(self) -> float:
        """Share of the mistakes."""
        return self.n_restored / self.n_mistakes if self.n_mistakes else float("nan")

    @property
    def spoiled(self) -> float:
        """Share of the good notes."""
        return self.n_spoiled / self.n_good if self.n_good else float("nan")

    @property
    def invented(self) -> float:
        """Notes that were never there, for each good one."""
        return self.n_invented / self.n_good if self.n_good else float("nan")


def verdict(damaged: Damaged, cells: Cells) -> Verdict:
    """What a roll has made of a damaged score."""
    true, before, after = roll_of_voices(damaged.truth)[0], roll_of_voices(damaged.voices)[0], cells[0]
    new = after & ~true & ~before
    good = damaged.good

    def is_spoiled(note: VoiceNote) -> bool:
        beyond = [step for step in (note.onset - 1, note.end) if 0 <= step < len(after)]
        return bool(not after[note.steps, note.pitch].all() or new[beyond, note.pitch].any())

    return Verdict(
        n_mistakes=len(damaged.mistakes),
        n_restored=sum(all(after[cell] == true[cell] for cell in mistake.cells) for mistake in damaged.mistakes),
        n_good=len(good),
        n_spoiled=sum(is_spoiled(note) for note in good),
        n_invented=len(notes_of(new[None])),
    )


@dataclass(frozen=True)
class RepairResult:
    """One piece, damaged in one way. `verdicts`: for each setting of the repairer."""

    piece: str
    kind: str
    scores: Float[np.ndarray, " note"]
    wrong: Bool[np.ndarray, " note"]
    verdicts: tuple[Verdict, ...]


def repair(
    repairer: Repairer,
    items: Sequence[Item],
    kinds: Sequence[str] = KINDS,
    share: float = 0.05,
    seed: int = 0,
) -> Iterator[RepairResult]:
    """Damage each piece in each way, and have it repaired. The damage depends on nothing but the seed, piece and kind.

    Args:
        repairer: from `es_net_repairer` or `coconet_repairer`.
        items: pieces whose voices are known; their place in the list is part of the key of the damage.
        kinds: of `KINDS`.
        share: see `damage`.
        seed: the only source of chance.

    Raises:
        ValueError: a piece's voices are not known.
    """
    for number, item in enumerate(items):
        if item.voices is None:
            raise ValueError(f"{item.name} has no voices: take the JSB Chorales, which say who sings what")
        for kind in kinds:
            rng = Generator(Philox(key=[seed, number * len(KINDS) + KINDS.index(kind)]))
            damaged = damage(item.voices, kind, share, rng)
            verdicts = tuple(verdict(damaged, cells) for cells in repairer.repair(damaged))
            yield RepairResult(item.name, kind, repairer.find(damaged), damaged.wrong, verdicts)


def pooled_scores(results: Sequence[RepairResult]) -> tuple[Float[np.ndarray, " note"], Bool[np.ndarray, " note"]]:
    """Scores and labels of all notes, for `average_precision` and `roc_area`; what is missing is left out.

    Each kind damages as many notes of a piece, so each has an equal share.
    """
    heard = [result for result in results if result.kind != "missing"]
    if not heard:
        return np.zeros(0), np.zeros(0, dtype=bool)
    return np.concatenate([one.scores for one in heard]), np.concatenate([one.wrong for one in heard])


def pooled_verdict(results: Sequence[RepairResult], setting: int = 0) -> Verdict:
    """The sum of all verdicts of one setting."""
    return sum((result.verdicts[setting] for result in results), Verdict())


def figure_interval(
    results: Sequence[RepairResult], figure: Callable[[Sequence[RepairResult]], float]
) -> tuple[float, float]:
    """95 % bootstrap interval of any figure of some results; pieces are drawn, with all that was done to them.

    Args:
        results: of many pieces.
        figure: such as `lambda some: average_precision(*pooled_scores(some))`.
    """
    pieces: dict[str, list[RepairResult]] = {}
    for result in results:
        pieces.setdefault(result.piece, []).append(result)
    each = list(pieces.values())

    def of_drawn(drawn: Int[np.ndarray, " drawn"]) -> float:
        return figure([result for i in drawn for result in each[i]])

    return bootstrap(of_drawn, len(each), stream=4, n_draws=N_DRAWS)


def jobs(material: Material) -> list[Job]:
    """Each chorale for ES-Net, and for Coconet with the voices given and split."""
    s = material.settings
    digest = material.digests["coconet"]
    heard = {"share": SHARE, "settings": list(THRESHOLDS), "transpositions": list(TRANSPOSITIONS)}
    rewritten = {"share": SHARE, "settings": list(MARGINS), "by_cell": True, "score": "worst cell"}
    ways: list[tuple[str, Path | None, str, dict[str, Any]]] = [
        ("es-net", s.model, material.digests["es-net"], heard),
        ("coconet", s.coconet, digest, rewritten),
        ("coconet-split", s.coconet, digest, rewritten | {"separator": the_separator().digest}),
    ]
    return [
        Job("repair", what, item.name, number, path, digest, options, item)
        for what, path, digest, options in ways
        for number, item in enumerate(material.pieces)
    ]


def repairer_of(job: Job) -> Repairer:
    """What a job asks to find and repair."""
    values = job.options["settings"]
    if job.what == "es-net":
        return es_net_repairer(models.editor(job.model), values)
    read = partial(split, separate=the_separator()) if job.what == "coconet-split" else None
    return coconet_repairer(models.coconet(job.model), values, job.options["by_cell"], read=read)


def work(job: Job) -> list[dict[str, Any]]:
    """Of each kind of damage: scores, which notes are wrong, verdicts by setting."""
    repairer = repairer_of(job)
    return [
        {
            "kind": one.kind,
            "scores": [round(float(score), 5) for score in one.scores],
            "wrong": [int(wrong) for wrong in one.wrong],
            "verdicts": [list(vars(verdict).values()) for verdict in one.verdicts],
        }
        for one in repair(repairer, [job.payload], KINDS, job.options["share"], job.seed)
    ]


def summary(material: Material, jobs: Sequence[Job], results: Sequence[Any]) -> Figures:
    """Figures of all kinds together and of each, with curves over thresholds, and ES-Net beside the others."""
    told: Figures = {"share": SHARE, "kinds": list(KINDS), "rows": {}}
    found: dict[str, list[RepairResult]] = {}
    for job, result in zip(jobs, results, strict=True):
        found.setdefault(job.what, []).extend(
            RepairResult(
                job.name,
                one["kind"],
                np.array(one["scores"]),
                np.array(one["wrong"], dtype=bool),
                tuple(Verdict(*verdict) for verdict in one["verdicts"]),
            )
            for one in result
        )

    def precision(some: Sequence[RepairResult]) -> float:
        return average_precision(*pooled_scores(some))

    for what, some in found.items():
        settings, chosen = THRESHOLDS if what == "es-net" else MARGINS, _setting(what)
        row: dict[str, Any] = {"setting": settings[chosen], "n_pieces": len({one.piece for one in some})}
        row["pooled"] = _row(some, chosen)
        row["pooled"]["precision"] = [precision(some), *figure_interval(some, precision)]
        for name in ("restored", "spoiled", "invented"):
            row["pooled"][name] = [row["pooled"][name], *figure_interval(some, _verdict_figure(name, chosen))]
        row["kinds"] = {kind: _row([one for one in some if one.kind == kind], chosen) for kind in KINDS}
        row["curve"] = [
            [setting, *(getattr(pooled_verdict(some, i), name) for name in ("restored", "spoiled", "invented"))]
            for i, setting in enumerate(settings)
        ]
        told["rows"][what] = row
    ours = found["es-net"]
    restored = {what: _verdict_figure("restored", _setting(what)) for what in found}
    for what in found.keys() - {"es-net"}:
        twin = {id(one): other for one, other in zip(ours, found[what], strict=True)}

        def finds(some: Sequence[RepairResult], twin: dict[int, RepairResult] = twin) -> float:
            return precision(some) - precision([twin[id(one)] for one in some])

        def mends(some: Sequence[RepairResult], twin: dict[int, RepairResult] = twin, what: str = what) -> float:
            return restored["es-net"](some) - restored[what]([twin[id(one)] for one in some])

        told[f"es-net minus {what}"] = {
            "precision": [finds(ours), *figure_interval(ours, finds)],
            "restored": [mends(ours), *figure_interval(ours, mends)],
        }
    return told


def _setting(what: str) -> int:
    """The place of the setting that is chosen."""
    return THRESHOLDS.index(THRESHOLD) if what == "es-net" else MARGINS.index(MARGIN[what])


def _verdict_figure(name: str, setting: int) -> Callable[[Sequence[RepairResult]], float]:
    return lambda some: float(getattr(pooled_verdict(some, setting), name))


def _row(some: Sequence[RepairResult], chosen: int) -> dict[str, Any]:
    verdict = pooled_verdict(some, chosen)
    scores, wrong = pooled_scores(some)
    heard = bool(len(scores))
    return {
        "precision": average_precision(scores, wrong) if heard else None,
        "roc": roc_area(scores, wrong) if heard else None,
        "restored": verdict.restored,
        "spoiled": verdict.spoiled,
        "invented": verdict.invented,
        "n_faults": verdict.n_mistakes,
    }


def written(found: Figures) -> str:
    """See `Experiment.table`."""
    rows = []
    for what, row in found["rows"].items():
        pooled = row["pooled"]
        rows.append(
            [
                f"**{TITLES[what]}, all kinds**",
                with_interval(pooled["precision"]),
                decimal(pooled["roc"]),
                *(percent(pooled[name]) for name in ("restored", "spoiled", "invented")),
            ]
        )
        rows += [
            [
                f"{TITLES[what]}, {kind}",
                decimal(own["precision"]),
                decimal(own["roc"]),
                *(percent([own[name]]) for name in ("restored", "spoiled", "invented")),
            ]
            for kind, own in row["kinds"].items()
        ]
    head = ["", "average precision", "ROC area", "restored", "good notes spoiled", "notes invented, of good ones"]
    said = table(head, rows)
    for what, row in found["rows"].items():
        curve = "; ".join(f"{at:g}: {one:.1%}, {bad:.2%}, {new:.2%}" for at, one, bad, new in row["curve"])
        said += (
            f"\n\n{TITLES[what]}, restored, spoiled, invented at each threshold ({row['setting']:g} above): {curve}."
        )
    for what in ("coconet", "coconet-split"):
        apart = found.get(f"es-net minus {what}")
        if isinstance(apart, dict):  # an earlier version kept less
            mended = percent(apart["restored"])
            said += (
                f"\n\nES-Net minus {TITLES[what]}: average precision **{with_interval(apart['precision'])}**, restored"
            )
            said += f" **{mended}**."
    return said


def plot(found: Figures, folder: Path) -> None:
    """The curves over thresholds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for what, row in found["rows"].items():
        curve = np.array(row["curve"])
        axes.plot(100 * curve[:, 2], 100 * curve[:, 1], marker="o", label=TITLES[what])
    axes.axvline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="good notes spoiled, %", ylabel="damaged notes restored, %", title="Repair")
    axes.set_ylim(0, 100)
    axes.legend()
    figure.savefig(folder / "repair.png", dpi=100)


REPAIR = Experiment("repair", "Repair", jobs, work, summary, written, plot)
