"""`ripieno train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ripieno.cli.app import app, showing_progress
from ripieno.errors import BadInput

HELP = """
Train a model on a prepared corpus. Needs: pip install 'ripieno\\[train]'

Writes config.json, log.csv, best.safetensors, last.safetensors and, at the end, model.onnx, which \
ripieno harmonize --model takes. The same command takes an interrupted run up where it was; the result is the same.

[bold]Examples[/bold]

Prepare a folder of MIDI files, then train the network that ships on it:
  [green]ripieno data my-midi-folder -o corpus.npz[/green]
  [green]ripieno train corpus.npz -o runs/mine[/green]

The network exactly as in the paper:
  [green]ripieno train jsb.npz -o runs/paper --config paper[/green]

The paper's two baselines, for ripieno evaluate:
  [green]ripieno train jsb.npz -o runs/nade --config nade[/green]
  [green]ripieno train jsb.npz -o runs/coconet --config coconet[/green]
"""


@app.command("train", help=HELP)
def train_command(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS.npz", help="What `ripieno data` wrote.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Receives the run.")],
    config: Annotated[
        str, typer.Option(metavar="paper|chorale|nade|coconet|voices", help="Which network and training.")
    ] = "chorale",
    n_samples: Annotated[
        int | None, typer.Option(help="How many samples to train on.", show_default="as configured")
    ] = None,
    n_steps: Annotated[
        int | None, typer.Option(help="Length of a sample in sixteenths: 128 is 8 bars.", show_default="128")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a step.", show_default="as configured")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its highest.", show_default="as configured")] = None,
    transpose: Annotated[
        int | None,
        typer.Option(
            min=0, max=24, help="Semitones that a sample is moved by at most, up or down.", show_default="as configured"
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="float32|bfloat16", help="Of the sums.", show_default="as configured")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The only source of chance.", show_default="0")] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(metavar="MODEL.onnx", help="Train this model further.", show_default="a fresh network"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda for a GPU.")] = "cpu",
) -> None:
    """See HELP."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise BadInput("training needs PyTorch: pip install 'ripieno[train]'")
    from ripieno.training.run import train

    changes = {
        "n_samples": n_samples,
        "n_steps": n_steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "transpose_down": transpose,
        "transpose_up": transpose,
        "precision": precision,
        "seed": seed,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    with showing_progress("{task.fields[told]}") as progress:
        task = progress.add_task("Training", total=None, told="")
        for report in train(corpus, output, config, given, device, start_from):
            told = f"KL {report.train_kl:.3f}"
            if report.valid_kl_average is not None:
                text = (
                    f"{report.samples} samples: KL {report.train_kl:.3f}, on validation {report.valid_kl_average:.3f}"
                )
                progress.console.print(text, highlight=False)
            progress.update(task, completed=report.samples, total=report.n_samples, told=told)
    print(f"The model: {output / 'model.onnx'}   Its history: {output / 'log.csv'}")
