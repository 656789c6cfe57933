"""`ripieno play`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ripieno.cli.app import SOUNDFONT, app, takes
from ripieno.options import Options

HELP = """
Play a piece on this computer, or write its sound to a file.

It is played on a small organ in a small church, or on your own SoundFont. Sounds are 24 bits at 48 kHz, \
at -18 LUFS. To play, Ripieno uses the program that your computer has for it.

[bold]Examples[/bold]

Listen to a piece, then write it down as a sound:
  [green]ripieno play piece.mid[/green]
  [green]ripieno play piece.mid -o piece.flac[/green]

Slower, on the instruments of a SoundFont:
  [green]ripieno play piece.mid --tempo 60 --soundfont choir.sf2[/green]
"""


@app.command("play", help=HELP)
@takes("bpm")
def play_command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The music to play.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Write a .wav or .flac instead.", show_default=False),
    ] = None,
    soundfont: SOUNDFONT = None,
    *,
    asked: dict[str, Any],
) -> None:
    """See HELP."""
    from ripieno.export import check_target
    from ripieno.files.door import SOUNDS
    from ripieno.files.sound.play import play

    if output is not None and output.suffix.lower() in SOUNDS:
        check_target(output, source)
    bpm = Options(**asked).bpm
    if output is not None:
        seconds = play(source, output, bpm=bpm, soundfont=soundfont)
        print(f"{output}: {seconds:.0f} seconds")
        return
    try:
        play(
            source,
            bpm=bpm,
            soundfont=soundfont,
            ready=lambda seconds: print(f"Playing {source.name}, {seconds:.0f} seconds; Ctrl-C stops it."),
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
