"""`ripieno data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ripieno.cli.app import app
from ripieno.errors import BadInput

HELP = """
Prepare music for training: read it, lay it on a grid of sixteenths, keep some of it apart for testing.

SOURCE is a folder (or .zip) of MIDI files: sub-folders train, valid and test are respected, else a tenth of the \
pieces is kept for validation and a tenth for testing. Or it is Jsb16thSeparated.json, the JSB Chorales as Coconet's \
authors published them (GitHub, czhuang/JSB-Chorales-dataset).

[bold]Examples[/bold]

  [green]ripieno data my-midi-folder -o corpus.npz[/green]
  [green]ripieno data Jsb16thSeparated.json -o jsb.npz[/green]
"""


@app.command("data", help=HELP)
def data_command(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Where the music is, as above.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.npz", help="The prepared corpus.")],
    seed: Annotated[int, typer.Option(help="Which pieces are kept apart for testing, if the source does not say.")] = 0,
) -> None:
    """See HELP."""
    from collections import Counter

    from ripieno.files.corpus import read_corpus, write_prepared

    if output.suffix != ".npz":
        raise BadInput(f"{output.name}: a prepared corpus is a .npz file; name it {output.stem}.npz")
    items, remarks = read_corpus(source, seed)
    write_prepared(items, output)
    counts = Counter(item.split for item in items)
    n_steps = sum(item.cells.shape[1] for item in items)
    print(f"{len(items)} pieces, {n_steps // 16} bars of sixteen sixteenths: ", end="")
    print(", ".join(f"{counts[split]} {split}" for split in ("train", "valid", "test")) + f"; written to {output}")
    for remark in remarks:
        print(f"Note: {remark}")
