"""`ripieno check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ripieno.cli.app import app, takes
from ripieno.errors import BadInput

HELP = """
Proof-read a piece: faults of part-writing, and notes that the model would take back.

For each it says where (bar, beat, voices), what is wrong, and what to write instead. What Bach hardly ever does is an \
error, what he does now and then a warning, what he does in nearly every chorale a matter of style. \
Voices are the parts of the file (one to four); chords are split into voices.

With -o it writes a copy of your score with these notes in colour (red: error, orange: warning, blue: style) and the \
remark above them. A MIDI file becomes a score for that.

The exit code is 1 if there is anything to say at the --level asked, else 0.

[bold]Examples[/bold]

Read an exercise, and write the remarks into a copy of it, and onto a page to print:
  [green]ripieno check exercise.musicxml -o corrected.musicxml -o corrected.pdf[/green]

Errors alone; then everything, for a program:
  [green]ripieno check exercise.mid --level errors[/green]
  [green]ripieno check exercise.mid --level style --format json[/green]
"""


@app.command("check", help=HELP)
@takes("key", "meter", "pickup", "phrases")
def check_command(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A MIDI or MusicXML file to proof-read.", show_default=False)
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="A marked copy: .musicxml, .mxl, or .pdf, .png to print. Repeat it for more.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[
        str,
        typer.Option(
            metavar="errors|warnings|style",
            help="How light a remark may be to be said.",
        ),
    ] = "warnings",
    format_: Annotated[str, typer.Option("--format", metavar="text|json", help="For people or for programs.")] = "text",
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Do not ask the model; quicker.")] = False,
    *,
    asked: dict[str, Any],
) -> None:
    """See HELP."""
    from ripieno.checking import LEVEL_NAMES, check, check_score_target, write_proof
    from ripieno.export import check_targets
    from ripieno.files.reader import read

    if level not in LEVEL_NAMES:
        raise BadInput(f"--level {level}: choose {', '.join(LEVEL_NAMES)}")
    if format_ not in ("text", "json"):
        raise BadInput(f"--format {format_}: choose text or json")
    targets = output or []
    for target in targets:
        check_score_target(target)
    check_targets(targets, source)
    least = LEVEL_NAMES[level]
    proof = check(read(source), rules_only=rules_only, as_score=bool(targets), name=source.name, **asked)
    remarks = proof.of_level(least)
    for target in targets:
        write_proof(proof, target, least)
    if format_ == "json":
        print(json.dumps({"file": source.name, **proof.to_json(least)}, indent=2, ensure_ascii=False))
    else:
        print(proof.reading.sentence())
        for warning in proof.warnings:
            print(f"Note: {warning}")
        for remark in remarks:
            print(remark.line())
        print(proof.summary(least))
        for target in targets:
            print(f"written {target}")
    if remarks:
        raise typer.Exit(1)
