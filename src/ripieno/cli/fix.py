"""`ripieno fix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ripieno.cli.app import app, read_as, takes
from ripieno.errors import BadInput
from ripieno.options import read_amount

HELP = """
Put notes right that are a semitone or a sixteenth off, and say which and why.

It is for wrong keys and missed beats, in a melody or in several voices. Everything else in the file stays as it is. \
In a score (MusicXML) only pitches are changed; what is off the beat there is told.

[bold]Examples[/bold]

See what would be changed, then change it:
  [green]ripieno fix melody.mid --dry-run[/green]
  [green]ripieno fix melody.mid -o mended.mid[/green]

Three notes at the most, and only if it is very sure:
  [green]ripieno fix melody.mid -o mended.mid --max-changes 3 --sure 80%[/green]
"""


@app.command("fix", help=HELP)
@takes("melody", "key", "meter", bars="Mend these bars only.")
def fix_command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A MIDI or MusicXML file.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Where to write the mended piece.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be changed.")] = False,
    max_changes: Annotated[
        str, typer.Option(metavar="N|SHARE", help="How many notes may be changed: 3, or 10% of them.")
    ] = "25%",
    sure: Annotated[
        str, typer.Option(metavar="SHARE", help="How sure it must be; higher is safer.", show_default="40%")
    ] = "",
    *,
    asked: dict[str, Any],
) -> None:
    """See HELP."""
    from ripieno.export import check_targets
    from ripieno.files.reader import read
    from ripieno.fixing import SURE, check_music_target, fix, write_fixed

    if output is None and not dry_run:
        raise BadInput("say where to write the mended piece (-o mended.mid), or ask for --dry-run")
    if output is not None:
        check_music_target(output)
        check_targets([output], source)
    piece = read(source)
    fixed = fix(
        piece,
        most=read_as("--max-changes", read_amount, max_changes),
        sure=SURE if not sure else read_as("--sure", _share, sure),
        name=source.name,
        **asked,
    )
    print(fixed.reading.sentence())
    for warning in fixed.reading.warnings:
        print(f"Note: {warning}")
    for correction in fixed.corrections:
        print(correction.text)
    remarks = [] if dry_run or output is None else write_fixed(piece, fixed, output)
    print(fixed.summary(dry_run))
    for remark in remarks:
        print(f"Note: {remark}.")
    if output is not None and not dry_run:
        print(f"written {output}")


def _share(text: str) -> float:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise BadInput("give a share, such as 80%") from None
