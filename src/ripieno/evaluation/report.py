"""What an evaluation found, as one JSON file, Markdown tables and plots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from math import isfinite, isnan
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.evaluation.claims import LEVEL, MARGIN
from ripieno.evaluation.parts import SHOWN
from ripieno.sampling.stopping import SETTLED
from ripieno.whole import whole_file

RESULTS = "results.json"
BEGIN, END = "<!-- ripieno evaluate: {} -->", "<!-- end of {} -->"
TITLES = {
    "es-net": "ES-Net",
    "unmended": "ES-Net, nothing mended",
    "additions-only": "ES-Net, additions only",
    "nade": "orderless NADE",
    "gibbs": "Coconet, Gibbs",
    "coconet": "Coconet",
    "coconet-split": "Coconet, voices as split",
    "bach": "Bach",
    "training data": "training data",
}
# Table 2 and 3 as the paper prints them: PC, P, ISR, PR, Bhattacharyya, Kolmogorov-Smirnov D and p.
PAPER = {
    "training data": (6, 46, 0.541, 0.917, None, None, None),
    "es-net": (6, 46, 0.540, 0.930, 0.028, 0.17, 0.49),
    "gibbs": (6, 46, 0.535, 0.898, 0.021, 0.13, 0.83),
    "nade": (8, 55, 0.559, 0.759, 0.049, 0.17, 0.49),
}


def read(folder: Path) -> dict[str, Any]:
    """What was found before, by part; nothing if nothing was.

    Raises:
        BadInput: the file is damaged.
    """
    path = folder / RESULTS
    try:
        told = json.loads(path.read_text())
        if not isinstance(told, dict):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is damaged; remove it, what is kept beside it makes it anew") from error
    return told


def write(told: dict[str, Any], folder: Path) -> None:
    """Write `results.json`, `results.md` and the plots.

    Raises:
        BadInput: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((RESULTS, json.dumps(told, indent=1)), ("results.md", markdown(told))):
            with whole_file(folder / name) as file:
                file.write(text.encode())
        plot(told, folder)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written to ({error.strerror}); choose another folder for -o") from error


def refresh(document: Path, told: dict[str, Any]) -> list[str]:
    """Put tables where a document has a place for them, between comments that name their part.

    Returns:
        The parts that were refreshed.

    Raises:
        BadInput: the document cannot be read or written.
    """
    try:
        text = document.read_text()
        done = []
        for part in _SECTIONS:
            begin, end = BEGIN.format(part), END.format(part)
            if part in told and begin in text and end in text:
                before, _, rest = text.partition(begin)
                after = rest.partition(end)[2]
                text = f"{before}{begin}\n\n{section(part, told[part])}\n\n{end}{after}"
                done.append(part)
        with whole_file(document) as file:
            file.write(text.encode())
    except OSError as error:
        raise BadInput(f"{document} cannot be refreshed ({error.strerror})") from error
    return done


def markdown(told: dict[str, Any]) -> str:
    """All tables."""
    parts = [part for part in _SECTIONS if part in told]
    return "\n\n".join(
        ["# Evaluation", *(f"## {_HEADINGS[part]}\n\n{section(part, told[part])}" for part in parts), ""]
    )


def section(part: str, found: dict[str, Any]) -> str:
    """The tables of one part, under what they are of."""
    models = ", ".join(f"{TITLES.get(name, name)} `{digest}`" for name, digest in found["models"].items())
    of = f"JSB {found['split']}; {models}; Ripieno {found['commit']}; {found['seeds']} seed(s) a piece."
    some = f"every {found['every']}th piece"
    warning = f"**A quick run over {some}; not the real figures.**\n\n" if found["every"] > 1 else ""
    return f"{warning}{of}\n\n{_SECTIONS[part](found)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None or isnan(value) else f"{value:.{digits}f}"


def with_interval(values: Sequence[float], digits: int = 3) -> str:
    """A figure and its interval."""
    return f"{number(values[0], digits)} ({number(values[1], digits)} to {number(values[2], digits)})"


def _framewise(found: dict[str, Any]) -> str:
    own = with_interval([found["nats"], found["low"], found["high"]])
    rows = [
        ["Coconet in its paper", "0.57"],
        [f"Coconet as trained here, {found['n_steps']} steps of {found['n_pieces']} chorales", own],
    ]
    o = found["options"]
    figure = f"framewise negative log-likelihood, nats a step, every {o['every']}th step, {o['orders']} orders"
    return table([figure, "mean (95 % by chorale)"], rows)


def _likelihood(found: dict[str, Any]) -> str:
    o = found["options"]
    rows = [
        ["ES-Net in the paper", "0 + 1", "-0.635", "-"],
        ["orderless NADE in the paper", "0 + 1", "-0.558", "-"],
    ]
    for what, levels in found["rows"].items():
        for row in levels:
            rows.append([TITLES[what], row["level"], with_interval(row["interval"]), number(row["median"])])
    head = [f"K = {o['K']}, S = {o['S']}, pool {o['pool']}", "levels", "mean (95 % by chorale)", "median"]
    said = table(head, rows)
    said += f"\n\n{found['n_windows']} windows of 128 steps, {o['picks']} picks in each."
    apart = found.get("es-net minus nade")
    if apart:
        each = "; ".join(f"level {level}: **{with_interval(interval)}**" for level, interval in apart.items())
        said += f" ES-Net minus NADE, same cells in the same orders; {each}."
    said += (
        "\n\nSource given: what is there stays, as the user's notes do by default, and the softmax is over the rest."
    )
    return said


def _repair(found: dict[str, Any]) -> str:
    rows = []
    for what, row in found["rows"].items():
        pooled = row["pooled"]
        rows.append(
            [
                f"**{TITLES[what]}, all kinds**",
                with_interval(pooled["precision"]),
                number(pooled["roc"]),
                *(percent(pooled[name]) for name in ("restored", "spoiled", "invented")),
            ]
        )
        rows += [
            [
                f"{TITLES[what]}, {kind}",
                number(own["precision"]),
                number(own["roc"]),
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


def percent(values: Sequence[float]) -> str:
    """A share and, if given, its interval."""
    if len(values) == 1:
        return "-" if isnan(values[0]) else f"{values[0]:.1%}"
    return f"{values[0]:.1%} ({values[1]:.1%} to {values[2]:.1%})"


def _stabilisation(found: dict[str, Any]) -> str:
    ways = {
        "every": "An edit in every iteration, as in the paper",
        "settling": f"The same, but cells that need a change with less than a chance of {SETTLED:.1%} stay as they are",
    }
    names = {
        "cells": "cells a step",
        "four": "four or more pitches",
        "touched": f"distinct cells touched in {found['options']['every']}",
        "removals": "share of removals",
    }
    said = []
    for way, title in ways.items():
        series = {name: np.array(rows, dtype=float) for name, rows in found["series"][way].items()}
        iterations = series["iteration"][0]
        marks = [1000, 2000, 5000, 10_000]
        chosen = [int(np.flatnonzero(iterations == at)[0]) for at in marks if (iterations == at).any()]
        head = ["iterations", *(f"{iterations[i]:.0f}" for i in chosen)]
        rows = [[label, *(number(series[name][:, i].mean(), 2) for i in chosen)] for name, label in names.items()]
        said.append(f"{title}:\n\n{table(head, rows)}")
    stops = found["stopped"]
    settled, restless = found["settled"], found.get("restless", 0)
    said.append(
        f"Mean of {len(stops)} sopranos. The stop rule ends them after {min(stops)} to {max(stops)} edits; without it "
        + (f"they settle after {min(settled)} to {max(settled)}" if settled else "none settles")
        + (f"; {restless} of them not at all." if settled and restless else ".")
    )
    band = found["band"]
    whens = {"bach": "Bach", "stop": "at the stop", "end": "settled", "edited on": "edited on and on"}
    said.append(
        "Share of steps with four or more pitches, mean (lowest to highest piece): "
        + "; ".join(f"{t} {np.mean(band[w]):.3f} ({min(band[w]):.2f} to {max(band[w]):.2f})" for w, t in whens.items())
        + "."
    )
    drift = found["drift"]
    known = [name for name in (*SHOWN, *(n for n in drift["end"] if n not in SHOWN)) if isfinite(drift["end"][name][0])]
    rows = [
        [
            name,
            *(number(found["figures"][name][when], 2) for when in whens),
            *(f"{drift[when][name][0]:+.2f} +- {drift[when][name][1]:.2f}" for when in ("end", "edited on")),
        ]
        for name in known
    ]
    head = ["", *whens.values(), "change since the stop, in standard deviations of Bach's (95 %)", "edited on and on"]
    said.append(table(head, rows))
    return "\n\n".join(said)


def _chorales(found: dict[str, Any]) -> str:
    methods = [m for m in ("bach", "es-net", "unmended", "additions-only", "nade", "gibbs") if m in found["methods"]]
    head = ["", *(TITLES[method] for method in methods)]
    figures = found["figures"]
    rows = [[name, *(with_interval(figures[name][m], 2) for m in methods)] for name in figures]
    ends = found["ends on the tonic"]
    rows.append(["ends on the tonic", *(number(ends.get(m), 2) for m in methods)])
    rows.append(["pitch classes, distance from Bach's", *(with_interval(found["classes"][m], 4) for m in methods)])
    said = f"{found['n_pieces']} sopranos.\n\n{table(head, rows)}"
    known, unknown = found["known tunes"], found["unknown tunes"]
    if found["n_known"] and found["n_known"] < found["n_pieces"]:
        rows = [
            [name, *(f"{number(known[name][m], 2)} / {number(unknown[name][m], 2)}" for m in methods)] for name in SHOWN
        ]
        said += f"\n\n{found['n_known']} tunes that occur in the training split / the others:\n\n{table(head, rows)}"
    if "parallels" in found:
        said += (
            f"\n\nParallel fifths and octaves, Gibbs for each one of ES-Net's: "
            f"**{with_interval(found['parallels']['ratio'], 1)}**; claimed: {found['parallels']['factor']}."
        )
    for method, tests in found["no worse"].items():
        held = [test["name"] for test in tests if test["holds"]]
        rest = [test for test in tests if not test["holds"]]
        worse = [test for test in rest if test["worse"] - (test["upper"] - test["worse"]) > 0]
        said += (
            f"\n\nNo worse than {TITLES[method]}, by less than {MARGIN} of Bach's standard deviation "
            f"(Holm, {LEVEL:.0%}): shown for {len(held)} of {len(tests)} rules and measures. "
        )
        said += "Not shown: " + (
            "; ".join(f"{test['name']} ({test['worse']:+.2f}, at most {test['upper']:+.2f})" for test in rest) or "none"
        )
        said += f". Worse at 95 % one-sided: {', '.join(test['name'] for test in worse) or 'none'}."
    return said


def _tables(found: dict[str, Any]) -> str:
    rows = []
    for method, row in found["rows"].items():
        for way in ("published", "corrected"):
            own = row[way]
            isr, pr = f"{own['in_scale_rate']:.4f}", f"{own['polyphonic_rate']:.4f}"
            if way == "corrected":
                for name in ("in_scale_rate", "polyphonic_rate"):
                    low, high = row["intervals"][name]
                    if name == "in_scale_rate":
                        isr += f" ({low:.3f} to {high:.3f})"
                    else:
                        pr += f" ({low:.3f} to {high:.3f})"
            published = way == "published"
            d, p = row["ks_published"] if published else (row["ks_corrected"], None)
            rows.append(
                [
                    f"{TITLES.get(method, method)}, {'as published' if published else 'corrected'}",
                    str(own["n_bars"]),
                    str(own["pitch_classes"]),
                    str(own["pitches"]),
                    isr,
                    pr,
                    number(row["bhattacharyya"]) if method != "training data" else "-",
                    f"{d:.2f}" + (f" ({p:.2f})" if p is not None else "") if method != "training data" else "-",
                ]
            )
        if method in PAPER:
            pc, n, isr_, pr_, distance, d_, p_ = PAPER[method]
            ks = "-" if d_ is None else f"{d_:.2f} ({p_:.2f})"
            rows.append(
                [
                    f"*{TITLES[method]}, in the paper*",
                    "3405",
                    str(pc),
                    str(n),
                    str(isr_),
                    str(pr_),
                    number(distance),
                    ks,
                ]
            )
    head = ["", "bars", "PC", "P", "ISR", "PR", "Bhattacharyya", "Kolmogorov-Smirnov D (p)"]
    said = table(head, rows)
    halves = found["halves of the training data"]
    return f"{said}\n\nTwo random halves of the training data lie {halves:.4f} apart (Bhattacharyya)."


def plot(told: dict[str, Any], folder: Path) -> None:
    """Figure 3, what 10,000 iterations do, and the repair curves, where there are results for them."""
    from matplotlib.figure import Figure

    if "tables" in told:
        figure = Figure(figsize=(9, 4), layout="constrained")
        axes = figure.subplots()
        for method, row in told["tables"]["rows"].items():
            axes.plot(range(30, 90), row["shares"][30:90], label=TITLES.get(method, method))
        axes.set(xlabel="pitch (MIDI number)", ylabel="share of sounding cells", title="Figure 3: pitches")
        axes.legend()
        figure.savefig(folder / "pitches.png", dpi=100)
    if "stabilisation" in told:
        _plot_stabilisation(told["stabilisation"], folder / "stabilisation.png")
    if "repair" in told:
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        for what, row in told["repair"]["rows"].items():
            curve = np.array(row["curve"])
            axes.plot(100 * curve[:, 2], 100 * curve[:, 1], marker="o", label=TITLES[what])
        axes.axvline(1, color="grey", linewidth=0.8, linestyle=":")
        axes.set(xlabel="good notes spoiled, %", ylabel="damaged notes restored, %", title="Repair")
        axes.set_ylim(0, 100)
        axes.legend()
        figure.savefig(folder / "repair.png", dpi=100)


def _plot_stabilisation(found: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    names = {
        "cells": "cells a step",
        "four": "share of steps with\nfour or more pitches",
        "touched": f"distinct cells touched\nin {found['options']['every']} iterations",
        "removals": "share of removals",
    }
    for axes, (name, label) in zip(figure.subplots(4, sharex=True), names.items(), strict=True):
        for way, colour in (("every", "tab:orange"), ("settling", "tab:blue")):
            series = found["series"][way]
            for iterations, values in zip(series["iteration"], series[name], strict=True):
                axes.plot(iterations, values, color=colour, linewidth=0.8, alpha=0.6)
        for stop in found["stopped"]:
            axes.axvline(stop, color="grey", linewidth=0.5, linestyle=":")
        axes.set_ylabel(label)
    axes.set_xlabel("iterations; orange: an edit in each; blue: settling; dotted: the stop rule")
    figure.savefig(path, dpi=100)


_SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "likelihood": _likelihood,
    "tables": _tables,
    "chorales": _chorales,
    "repair": _repair,
    "stabilisation": _stabilisation,
    "framewise": _framewise,
}
_HEADINGS = {
    "likelihood": "Table 1: the notewise likelihood",
    "tables": "Tables 2 and 3",
    "chorales": "Bach's sopranos, harmonised",
    "repair": "Repair",
    "stabilisation": "Stabilisation",
    "framewise": "Coconet's framewise likelihood",
}
