"""`ripieno play`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ripieno.cli.app import SOUNDFONT, app, takes
from ripieno.errors import BadInput
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
    from ripieno.files.reader import read
    from ripieno.files.sound.notes import sounding_notes
    from ripieno.files.sound.render import SUFFIXES, play, render, write_sound
    from ripieno.files.sound.room import RATE
    from ripieno.music.piece import Revision

    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{output.name}: a sound is a .wav or .flac file; name it {output.stem}.wav")
    if output is not None:
        check_target(output, source)
    revision = Revision(bpm=Options(**asked).bpm)
    samples = render(sounding_notes(read(source), revision), soundfont)
    seconds = samples.shape[1] / RATE
    if output is not None:
        write_sound(samples, output)
        print(f"{output}: {seconds:.0f} seconds")
        return
    print(f"Playing {source.name}, {seconds:.0f} seconds; Ctrl-C stops it.")
    try:
        play(samples)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
