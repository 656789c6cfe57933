"""`ripieno studio`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ripieno.cli.app import MODEL, app

HELP = """
Write with the model, note by note, in the browser: you set what you like, it suggests or fills in the rest.

Opens your browser on a page of this computer; nothing leaves it. FILE is a MIDI or MusicXML file, or a project that \
the studio saved. Without one you go on with the piece you had last. Every change is kept as you make it.

[bold]Examples[/bold]

  [green]ripieno studio[/green]
  [green]ripieno studio melody.mid[/green]
  [green]ripieno studio --no-browser --port 9000[/green]
  [green]ripieno studio --soundfont choir.sf2[/green]
"""


@app.command("studio", help=HELP)
def studio_command(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="What to open.", show_default="where you were")
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", help="Where on this computer the page is; 0 for any that is free.")
    ] = 8440,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only say the address.")] = False,
    model: MODEL = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where pieces are kept.", show_default="your own data folder"),
    ] = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(metavar="FILE.sf2", help="What to hear pieces on.", show_default="a small organ"),
    ] = None,
) -> None:
    """See HELP."""
    from ripieno.studio.server import listen, open_studio, serve

    def ready(address: str) -> None:
        print(f"The studio is open: {address}   (Ctrl+C closes it)", flush=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    taken = listen(port)
    serve(open_studio(source, folder, model, soundfont), taken, ready)
