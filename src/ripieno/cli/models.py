"""`ripieno models`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ripieno.cli.app import app

if TYPE_CHECKING:
    from ripieno.models.runtime import Model

HELP = """
Tell what a model is: what it learned from, how well it does, what it cannot do.

Without a file: the model that comes with Ripieno.

[bold]Examples[/bold]

  [green]ripieno models[/green]
  [green]ripieno models runs/mine/model.onnx[/green]
"""


@app.command("models", help=HELP)
def models_command(
    model: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A model file that you trained.", show_default=False)
    ] = None,
) -> None:
    """See HELP."""
    from ripieno.models.runtime import load_model

    print(_described(load_model(model)))


def _described(model: Model) -> str:
    from ripieno.music.harmony import note_name

    lowest, highest = (note_name(pitch, short=True) for pitch in (model.lowest_pitch, model.highest_pitch))
    lines = [f"{model.name}   (version {model.digest})", f"  hears and writes notes from {lowest} to {highest}"]
    for name, value in model.card.items():
        if isinstance(value, dict):
            lines += [f"  {name.replace('_', ' ')}:"]
            lines += [f"    {inner.replace('_', ' ')}: {text}" for inner, text in value.items() if inner != "network"]
        elif name not in ("format", "lowest_pitch", "n_pitches", "step_multiple", "n_planes"):
            lines.append(f"  {name.replace('_', ' ')}: {value}")
    return "\n".join(lines)
