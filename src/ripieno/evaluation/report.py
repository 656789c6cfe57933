"""What an evaluation found, as one JSON file, Markdown tables and plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ripieno.errors import BadInput
from ripieno.evaluation.jobs import Experiment, Figures
from ripieno.evaluation.markdown import TITLES
from ripieno.evaluation.suite import IN_PRINT
from ripieno.whole import whole_file

RESULTS = "results.json"
BEGIN, END = "<!-- ripieno evaluate: {} -->", "<!-- end of {} -->"


def read_results(folder: Path) -> dict[str, Any]:
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


def write_results(told: dict[str, Any], folder: Path) -> None:
    """Write `results.json`, `results.md` and the plots.

    Raises:
        BadInput: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((RESULTS, json.dumps(told, indent=1)), ("results.md", markdown(told))):
            with whole_file(folder / name) as file:
                file.write(text.encode())
        for experiment in IN_PRINT:
            if experiment.plot is not None and experiment.name in told:
                experiment.plot(told[experiment.name], folder)
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
        for experiment in IN_PRINT:
            part = experiment.name
            begin, end = BEGIN.format(part), END.format(part)
            if part in told and begin in text and end in text:
                before, _, rest = text.partition(begin)
                after = rest.partition(end)[2]
                text = f"{before}{begin}\n\n{section(experiment, told[part])}\n\n{end}{after}"
                done.append(part)
        with whole_file(document) as file:
            file.write(text.encode())
    except OSError as error:
        raise BadInput(f"{document} cannot be refreshed ({error.strerror})") from error
    return done


def markdown(told: dict[str, Any]) -> str:
    """All tables."""
    found = [
        f"## {experiment.heading}\n\n{section(experiment, told[experiment.name])}"
        for experiment in IN_PRINT
        if experiment.name in told
    ]
    return "\n\n".join(["# Evaluation", *found, ""])


def section(experiment: Experiment, found: Figures) -> str:
    """The tables of one experiment, under what they are of."""
    models = ", ".join(f"{TITLES.get(name, name)} `{digest}`" for name, digest in found["models"].items())
    of = f"JSB {found['split']}; {models}; Ripieno {found['commit']}; {found['seeds']} seed(s) a piece."
    some = f"every {found['every']}th piece"
    warning = f"**A quick run over {some}; not the real figures.**\n\n" if found["every"] > 1 else ""
    return f"{warning}{of}\n\n{experiment.table(found)}"
