"""`ripieno data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ripieno.cli.app import app
from ripieno.errors import BadInput
from ripieno.music.styles import STYLES

HELP = """
Prepare music for training: read it, lay it on a grid of sixteenths, keep some of it apart for testing.

SOURCE is a folder (or .zip) of MIDI files: sub-folders train, valid and test are respected, else a tenth of the \
pieces is kept for validation and a tenth for testing. Or it is Jsb16thSeparated.json, the JSB Chorales as Coconet's \
authors published them (GitHub, czhuang/JSB-Chorales-dataset). Several sources make one corpus; what largely repeats a \
piece kept apart is left out of training.

[bold]Examples[/bold]

  [green]ripieno data my-midi-folder -o corpus.npz[/green]
  [green]ripieno data Jsb16thSeparated.json -o jsb.npz[/green]
  [green]ripieno data Jsb16thSeparated.json hymns.zip --scores music21/corpus/bach --metres hymns.abc --style hymn \
-o hearing.npz[/green]
"""


@app.command("data", help=HELP)
def data_command(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="Where the music is, as above.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.npz", help="The prepared corpus.")],
    seed: Annotated[int, typer.Option(help="Which pieces are kept apart for testing, if the source does not say.")] = 0,
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Scores of the JSB Chorales, for their bars, fermatas, keys and repeated notes: corpus/bach of the "
            "package music21.",
        ),
    ] = None,
    metres: Annotated[
        Path | None,
        typer.Option(metavar="FILE.abc", help="Where the lines of hymns end: the metre of each, by number."),
    ] = None,
    style: Annotated[
        str, typer.Option(help=f"Who writes as the MIDI files do: {', '.join(STYLES)}; nobody known unless given.")
    ] = "",
) -> None:
    """See HELP."""
    from collections import Counter

    from ripieno.files.corpus import read_corpus, without_repeats, write_prepared

    if output.suffix != ".npz":
        raise BadInput(f"{output.name}: a prepared corpus is a .npz file; name it {output.stem}.npz")
    if style and style not in STYLES:
        raise BadInput(f"--style {style}: there are {', '.join(STYLES)}; leave it out for any other")
    items, remarks = [], []
    for source in sources:
        found, said = read_corpus(source, seed, style, metres, scores)
        items += found
        remarks += said
    items, left = without_repeats(items)
    remarks += left
    write_prepared(items, output)
    counts = Counter(item.split for item in items)
    n_steps = sum(item.cells.shape[1] for item in items)
    print(f"{len(items)} pieces, {n_steps // 16} bars of sixteen sixteenths: ", end="")
    print(", ".join(f"{counts[split]} {split}" for split in ("train", "valid", "test")) + f"; written to {output}")
    for remark in remarks:
        print(f"Note: {remark}")
