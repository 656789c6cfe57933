"""`ripieno evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ripieno.cli.app import app, showing_progress
from ripieno.errors import BadInput

if TYPE_CHECKING:
    from rich.progress import TaskID

HELP = """
Regenerate the paper's evaluation, and more: how good is the music, and how do we know?

FOLDER holds Jsb16thSeparated.json (GitHub, czhuang/JSB-Chorales-dataset) and, for tables 2 and 3, doodle.json \
(docs/formats.md). Parts, all unless named:

  framewise      Coconet's own test: is the baseline a fair one?
  likelihood     table 1, levels 0 and 1, ES-Net beside orderless NADE
  repair         real chorales damaged in known ways: what is found, what is mended
  stabilisation  what 10,000 iterations do to a piece
  chorales       Bach's sopranos harmonised by each method, beside Bach's own settings
  tables         tables 2 and 3 and figure 3, as published and corrected

Results are written to the output folder part by part: results.json, results.md and plots. What was computed is kept \
there too: the same command takes an interrupted evaluation up where it was.

[bold]Examples[/bold]

See that it works, in minutes:
  [green]ripieno evaluate corpora -o quick --quick[/green]

Everything, with an orderless NADE that you trained (ripieno train --config nade):
  [green]ripieno evaluate corpora -o results --nade runs/nade/model.onnx[/green]

One part, on the chorales that choices are made on:
  [green]ripieno evaluate corpora repair -o valid --split valid[/green]
"""


@app.command("evaluate", help=HELP)
def evaluate_command(
    data: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpora are.", show_default=False)],
    parts: Annotated[
        list[str] | None, typer.Argument(metavar="[PART]...", help="What to run.", show_default="all")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Receives the results.")],
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An ES-Net that you trained.", show_default="the bundled one")
    ] = None,
    nade: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An orderless NADE that you trained.", show_default="left out")
    ] = None,
    coconet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A Coconet that you trained.", show_default="the bundled one")
    ] = None,
    split: Annotated[str, typer.Option(metavar="valid|test", help="Which chorales to judge on.")] = "test",
    seeds: Annotated[int, typer.Option(help="Pieces to write for each melody.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A small part of everything.")] = False,
    jobs: Annotated[int, typer.Option(help="Cores to use.")] = 2,
    refresh: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", help="Also put the tables where this document has places for them."),
    ] = None,
) -> None:
    """See HELP."""
    from ripieno.evaluation import report
    from ripieno.evaluation.jobs import QUICK, EvaluationSettings
    from ripieno.evaluation.run import evaluate

    if split not in ("valid", "test"):
        raise BadInput(f"--split {split}: choose valid or test; train is what the models learned")
    settings = EvaluationSettings(
        data=data,
        output=output,
        parts=tuple(parts or ()),
        model=model,
        nade=nade,
        coconet=coconet,
        split=split,
        seeds=seeds,
        every=QUICK if quick else 1,
        jobs=jobs,
    )
    try:
        with showing_progress("{task.fields[told]}") as progress:
            tasks: dict[str, TaskID] = {}
            tenths: dict[str, int] = {}
            for step in evaluate(settings):
                if step.part not in tasks:
                    tasks[step.part] = progress.add_task(step.part, total=step.of, told="")
                told = f"{step.done} of {step.of}"
                progress.update(tasks[step.part], completed=step.done, told=told)
                tenth = 10 * step.done // max(step.of, 1)
                if not progress.console.is_terminal and tenth != tenths.get(step.part):  # into a file no bar is drawn
                    tenths[step.part] = tenth
                    minutes = (progress.tasks[tasks[step.part]].elapsed or 0) / 60
                    progress.console.print(f"{step.part}: {told}, {minutes:.0f} min", highlight=False)
    except KeyboardInterrupt:
        print(f"You stopped it: what was computed is kept in {output}; the same command goes on from there.")
        raise typer.Exit(130) from None
    print(f"The tables: {output / 'results.md'}   Everything: {output / report.RESULTS}")
    if refresh is not None:
        done = report.refresh(refresh, report.read_results(output))
        print(f"Refreshed in {refresh}: {', '.join(done) or 'nothing, it has no places for these tables'}")
