"""The command line: parses, calls, prints. What it says is for musicians; the manual is its help."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ripieno.errors import BadInput

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ripieno.models.runtime import Model
    from ripieno.session import Session

app = typer.Typer(
    name="ripieno",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=(
        "Fills music in around yours: give it a melody, get a piece in four parts.\n\n"
        "It works offline, on the model that comes with it. The model writes as Bach did in his chorales: four voices, "
        "sixteenth notes at the shortest. Melodies of other styles come out hymn-like.\n\n"
        "Begin with: [bold]ripieno harmonize melody.mid -o four-parts.mid[/bold]"
    ),
)

# Typer keeps the line breaks within a paragraph, so each is one long line here; the terminal breaks it.
HARMONIZE_HELP = """
Write the other voices to a melody (or over a bass, or around an inner voice).

Your own notes stay exactly as they are unless you allow otherwise with --max-removals. \
New notes come as parts of their own (alto, tenor, bass), under your melody, on tracks or staves after yours.

The model writes four-part texture in the manner of Bach's chorales, on a grid of sixteenths; tunes of other styles \
come out hymn-like. The same file, options and seed give the same music; try another --seed for another setting.

[bold]Examples[/bold]

A melody in, a four-part piece and a picture of it out:
  [green]ripieno harmonize melody.mid -o piece.mid -o piece.png[/green]

The score of it as a page to print, the new notes in blue:
  [green]ripieno harmonize melody.mid -o piece.mid -o piece.pdf --as score[/green]

The same to listen to, played on a small organ:
  [green]ripieno harmonize melody.mid -o piece.mid -o piece.wav[/green]

Three different settings to choose from, piece-1.mid to piece-3.mid:
  [green]ripieno harmonize melody.mid -o piece.mid --alternatives 3[/green]

A bass line from track 2, new voices between C3 and G5, in G minor:
  [green]ripieno harmonize bass.mid -o piece.mid --melody 2 --range C3-G5 --key Gm[/green]

A score, for strings, over chords of yours:
  [green]ripieno harmonize tune.musicxml -o quartet.musicxml --ensemble strings --chords "G | C D7 | Em C/E | G"[/green]

All melodies of a folder, into another; after an interrupt the same command goes on where it was:
  [green]ripieno harmonize songs/*.mid -o out/[/green]

Only bars 5 to 8, more adventurous, and up to two of your notes may be changed:
  [green]ripieno harmonize song.mid -o song2.mid --bars 5-8 --temperature 1.0 --max-removals 2[/green]
"""

PLAY_HELP = """
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

CHECK_HELP = """
Proof-read a piece: mistakes of part-writing, and notes that the model would take back.

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

FIX_HELP = """
Put notes right that are a semitone or a sixteenth off, and say which and why.

For wrong keys hit and beats missed, in a melody or in several voices. Everything else in the file stays as it is. \
In a score (MusicXML) only pitches are changed; what is off the beat there is told.

[bold]Examples[/bold]

See what would be changed, then change it:
  [green]ripieno fix melody.mid --dry-run[/green]
  [green]ripieno fix melody.mid -o mended.mid[/green]

Three notes at the most, and only if it is very sure:
  [green]ripieno fix melody.mid -o mended.mid --max-changes 3 --sure 80%[/green]
"""

STUDIO_HELP = """
Write with the model, note by note, in the browser: you set what you like, it suggests or fills in the rest.

Opens your browser on a page of this computer; nothing leaves it. FILE is a MIDI or MusicXML file, or a project that \
the studio saved. Without one you go on with the piece you had last. Every change is kept as you make it.

[bold]Examples[/bold]

  [green]ripieno studio[/green]
  [green]ripieno studio melody.mid[/green]
  [green]ripieno studio --no-browser --port 9000[/green]
  [green]ripieno studio --soundfont choir.sf2[/green]
"""

MODELS_HELP = """
Tell what a model is: what it learned from, how well it does, what it cannot do.

Without a file: the model that comes with Ripieno.

[bold]Examples[/bold]

  [green]ripieno models[/green]
  [green]ripieno models runs/mine/model.onnx[/green]
"""

DATA_HELP = """
Prepare music for training: read it, lay it on a grid of sixteenths, keep some of it apart for testing.

SOURCE is a folder (or .zip) of MIDI files: sub-folders train, valid and test are respected, else a tenth of the \
pieces is kept for validation and a tenth for testing. Or it is Jsb16thSeparated.json, the JSB Chorales as Coconet's \
authors published them (GitHub, czhuang/JSB-Chorales-dataset).

[bold]Examples[/bold]

  [green]ripieno data my-midi-folder -o corpus.npz[/green]
  [green]ripieno data Jsb16thSeparated.json -o jsb.npz[/green]
"""

TRAIN_HELP = """
Train a model on a prepared corpus. Needs: pip install 'ripieno\\[train]'

Writes config.json, log.csv, best.safetensors, last.safetensors and, at the end, model.onnx, which \
ripieno harmonize --model takes. A run that was interrupted goes on where it was when the same command is given \
again, and ends as if it had not been.

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


EVALUATE_HELP = """
Regenerate the paper's evaluation, and more: how good is the music, and how do we know?

FOLDER holds Jsb16thSeparated.json (GitHub, czhuang/JSB-Chorales-dataset) and, for tables 2 and 3, doodle.json \
(docs/formats.md). Parts, all unless named:

  framewise      Coconet's own test: is the baseline a fair one?
  likelihood     table 1, levels 0 and 1, ES-Net beside orderless NADE
  repair         real chorales damaged in known ways: what is found, what is mended
  stabilisation  what 10,000 iterations do to a piece
  chorales       Bach's sopranos harmonised by each method, beside Bach's own settings
  tables         tables 2 and 3 and figure 3, as published and corrected

Results lie in the output folder as they come: results.json, results.md and plots. What was computed is kept there \
too: an evaluation that was interrupted goes on where it was when the same command is given again.

[bold]Examples[/bold]

See that it works, in minutes:
  [green]ripieno evaluate corpora -o quick --quick[/green]

Everything, with an orderless NADE that you trained (ripieno train --config nade):
  [green]ripieno evaluate corpora -o results --nade runs/nade/model.onnx[/green]

One part, on the chorales that choices are made on:
  [green]ripieno evaluate corpora repair -o valid --split valid[/green]
"""


@app.command("harmonize", help=HARMONIZE_HELP)
def harmonize_command(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...",
            help="A MIDI or MusicXML file with your melody; or several, with a folder for -o.",
            show_default=False,
        ),
    ],
    outputs: Annotated[
        list[Path],
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Where to write: .mid, .musicxml or .mxl for the music, .png, .svg or .pdf for a picture, .wav or "
            ".flac for a sound. May be given several times. For several files a folder.",
            show_default=False,
        ),
    ],
    melody: Annotated[
        str | None,
        typer.Option(
            metavar="top|bass|inner|TRACK",
            help="Which line is yours to lead: the top one, the bass, an inner one, or a track by number or name. "
            "Found by itself unless given.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help='Such as "Ab", "F#m", "C minor".', show_default=False)
    ] = None,
    meter: Annotated[
        str | None, typer.Option(metavar="N/N", help='Such as "3/4", if the file is wrong.', show_default=False)
    ] = None,
    pickup: Annotated[
        float | None,
        typer.Option(metavar="BEATS", help="Length of the pickup in beats; 0 for none.", show_default=False),
    ] = None,
    tempo: Annotated[
        float | None,
        typer.Option(metavar="BPM", help="Quarter notes a minute, in place of the file's tempo.", show_default=False),
    ] = None,
    bars: Annotated[
        str | None, typer.Option(metavar="FIRST-LAST", help="Compose in these bars only.", show_default=False)
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIRST-LAST", help="Change nothing in these bars. May be given several times.", show_default=False
        ),
    ] = None,
    range_: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LOW-HIGH",
            help='Lowest and highest new note, such as "C3-G5" (C4 is middle C).',
            show_default=False,
        ),
    ] = None,
    voices: Annotated[
        int,
        typer.Option(
            metavar="N", help="How many notes may sound at once, yours included; fewer than 4 come out rougher."
        ),
    ] = 4,
    parts: Annotated[
        int | None,
        typer.Option(
            metavar="1|2|4",
            help="How many new parts: one on two staves, upper and lower voices, or one for each voice.",
            show_default="one for each voice, but for an organ",
        ),
    ] = None,
    ensemble: Annotated[
        str | None,
        typer.Option(
            metavar="choir|strings|winds|organ",
            help="Who plays the new parts: names, clefs, ranges, sounds and transposition.",
            show_default=False,
        ),
    ] = None,
    chords: Annotated[
        str | None,
        typer.Option(
            metavar="CHART",
            help='Chords that new notes belong to, bar by bar: "Ab Eb7 | Fm | Db/F Eb". '
            "A named bass (Db/F) is the lowest note. None: --chords none.",
            show_default="those in the file, if any",
        ),
    ] = None,
    write_chords: Annotated[
        str | None,
        typer.Option(
            metavar="symbols|roman", help="Write the chords found into the score, and print them.", show_default=False
        ),
    ] = None,
    syllables: Annotated[
        bool, typer.Option("--syllables", help="New parts strike again on the melody's syllables.")
    ] = False,
    max_removals: Annotated[
        str,
        typer.Option(metavar="N|SHARE", help="How many of your own notes may be changed: 3, or 10% of them."),
    ] = "0",
    max_additions: Annotated[
        int | None, typer.Option(metavar="N", help="How many notes may be added.", show_default="no limit")
    ] = None,
    mend: Annotated[
        str,
        typer.Option(
            metavar="faults|parallels|nothing",
            help="What is put right at the end: faults of part-writing and a last chord that does not close, "
            "parallel fifths and octaves alone, or nothing.",
        ),
    ] = "faults",
    temperature: Annotated[
        float | None,
        typer.Option(metavar="T", help="Lower is safer, higher more daring.", show_default="0.8"),
    ] = None,
    quality: Annotated[
        str,
        typer.Option(
            metavar="high|exact|fast|lossless",
            help="exact looks at the piece anew for every change and takes ten times as long; fast is faster yet; "
            "lossless is exact for a GPU.",
        ),
    ] = "high",
    iterations: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Stop after so many small changes at the latest.", show_default="until finished"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another number, another setting of the same melody.")] = 0,
    alternatives: Annotated[
        int, typer.Option(metavar="N", help="Write so many settings, numbered; with seeds from --seed on.")
    ] = 1,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A model that you trained.", show_default="the one that comes with Ripieno"),
    ] = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play sounds on this .sf2 or .sf3.", show_default="a small organ"),
    ] = None,
    as_: Annotated[
        str, typer.Option("--as", metavar="roll|score", help="Draw pictures as a piano roll, or engrave a score.")
    ] = "roll",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every change as it is made.")] = False,
) -> None:
    """See HARMONIZE_HELP."""
    from ripieno.models.runtime import load_model
    from ripieno.music.analysis import chart_of
    from ripieno.music.ensembles import check_arrangement
    from ripieno.session import TEMPERATURE, Session, read

    if alternatives < 1:
        raise BadInput(f"--alternatives {alternatives}: ask for 1 or more")
    if iterations is not None and iterations < 1:
        raise BadInput(f"--iterations {iterations}: ask for 1 or more")
    if pickup is not None and not 0 <= pickup < 100:
        raise BadInput(f"--pickup {pickup}: give its length in beats, such as 1 or 0.5; 0 for none")
    if voices < 1:
        raise BadInput(f"--voices {voices}: ask for 1 or more; for no new notes at all there is nothing to do")
    check_arrangement(ensemble, parts)
    if as_ not in ("roll", "score"):
        raise BadInput(f"--as {as_}: choose roll or score")
    _check_soundfont(soundfont)
    options: dict[str, Any] = {
        "melody": melody,
        "key": key,
        "meter": meter,
        "pickup": pickup,
        "bpm": tempo,
        "bars": None if bars is None else _bars(bars, "--bars"),
        "lock": [_bars(text, "--lock") for text in lock or []],
        "pitches": None if range_ is None else _pitches(range_),
        "n_voices": voices,
        "chords": chords,
        "write_chords": write_chords,
        "ensemble": ensemble,
        "syllables": syllables,
        "max_removals": _removals(max_removals),
        "max_additions": max_additions,
        "mend": mend,
        "temperature": TEMPERATURE if temperature is None else temperature,
        "quality": quality,
    }
    for source in sources:
        if source.is_dir():
            raise BadInput(f"{source} is a folder; name the files in it, such as {source}/*.mid")
    if len(sources) > 1 or outputs[0].is_dir() or str(outputs[0]).endswith("/"):
        if len(outputs) > 1 or alternatives > 1:
            raise BadInput("several files, or a folder for -o, go with one -o and one setting of each file")
        _harmonize_all(sources, outputs[0], load_model(model), {**options, "seed": seed}, iterations, parts)
        return
    source = sources[0]
    options["name"] = source.name
    _check_targets(source, [_numbered(path, i, alternatives) for i in range(alternatives) for path in outputs])
    piece = read(source)
    loaded = load_model(model)
    first = Session(piece, model=loaded, seed=seed, **options)
    print(first.reading.sentence())
    for warning in first.reading.warnings:
        print(f"Note: {warning}")
    if first.chords:
        print(f"Chords to follow: {chart_of(first.chords, first.reading)}")
    for number in range(alternatives):
        session = first if number == 0 else Session(piece, model=loaded, seed=seed + number, **options)
        numbered = [_numbered(path, number, alternatives) for path in outputs]
        _compose(session, numbered, parts, iterations, soundfont, as_ == "score", verbose)


def _harmonize_all(
    sources: list[Path],
    folder: Path,
    model: Model,
    options: dict[str, Any],
    iterations: int | None,
    parts: int | None,
) -> None:
    from collections import Counter

    from ripieno.batch import DONE, FAILED, SKIPPED, harmonize_files
    from ripieno.session import SUFFIXES

    if (folder.exists() or folder.suffix.lower() in SUFFIXES) and not folder.is_dir():
        raise BadInput(f"several files go into a folder, and {folder} names a file; name a folder, such as -o out/")
    counts: Counter[str] = Counter()
    interrupted = False
    with _progress("{task.fields[told]}") as progress:
        task = progress.add_task("Harmonising", total=len(sources), told="")
        try:
            for step in harmonize_files(sources, folder, model, options, iterations=iterations, n_parts=parts):
                told = f"{step.number} of {step.of}, {step.source.name}"
                if step.change is not None:
                    told += f": {step.change.log.n_added} notes added"
                progress.update(task, completed=step.number - (not step.outcome), total=step.of, told=told)
                if step.outcome:
                    counts[step.outcome] += 1
                    for said in step.said:
                        mark = "Failed" if step.outcome == FAILED else f"Note: {step.source.name}"
                        progress.console.print(f"{mark}: {said}", highlight=False, markup=False)
        except KeyboardInterrupt:
            interrupted = True
    said = f"{counts[DONE]} harmonised, {counts[SKIPPED]} done before, {counts[FAILED]} failed; in {folder}"
    print(f"You stopped it: {said}. The same command goes on from there." if interrupted else said)
    if interrupted or counts[FAILED]:
        raise typer.Exit(130 if interrupted else 1)


def _compose(
    session: Session,
    targets: list[Path],
    parts: int | None,
    iterations: int | None,
    soundfont: Path | None,
    as_score: bool,
    verbose: bool,
) -> None:
    from time import monotonic

    from ripieno.music.analysis import chart_of
    from ripieno.session import CHORDS_UNWRITTEN, holds_chords

    began = monotonic()
    interrupted = False
    n_changes, n_left = 0, float("nan")
    with _progress("{task.fields[told]}") as progress:
        task = progress.add_task("Composing", total=None, told="")
        try:
            for change in session.run(iterations):
                n_changes, n_left = n_changes + 1, change.n_left
                expected = "" if n_left != n_left else f", about {n_left:.0f} still expected"
                told = f"{change.log.n_added} notes added, {change.log.n_taken_back} taken back{expected}"
                total = None if n_left != n_left else n_changes + n_left
                progress.update(task, completed=n_changes, total=total, told=told)
                if verbose:
                    progress.console.print(session.describe(change), highlight=False)
        except KeyboardInterrupt:
            interrupted = True
        if not interrupted:
            told = f"{session.log.n_added} notes added, {session.log.n_taken_back} taken back"
            progress.update(task, completed=n_changes, total=n_changes, told=told)
    seconds = monotonic() - began
    remarks: list[str] = []
    for path in targets:
        remarks += [remark for remark in session.save(path, parts, soundfont, as_score) if remark not in remarks]
    if any(holds_chords(path, as_score) for path in targets):
        remarks = [remark for remark in remarks if remark != CHORDS_UNWRITTEN]
    rows = [
        ("notes added", f"{session.log.n_added}"),
        ("taken back while composing", f"{session.log.n_taken_back}"),
        ("changed of yours", f"{len(session.revision().touched)}"),
        ("seconds", f"{seconds:.1f}"),
        ("seed", f"{session.seed}"),
        *(("written" if i == 0 else "", str(path)) for i, path in enumerate(targets)),
    ]
    for name, value in rows:
        print(f"  {name:<28}{value}")
    if session.write_chords is not None:
        print(f"Chords: {chart_of(session.chords_found(), session.reading)}")
    if not n_changes and not interrupted and session.policy.max_additions != 0:
        remarks.append(
            "Nothing was added: the model misses nothing. Where the piece is full already, take notes out first, let "
            "it change some of yours (--max-removals), or let more sound at once (--voices)"
        )
    for remark in remarks:
        print(f"Note: {remark}.")
    if interrupted:
        print("You stopped it: what was done so far is written.")
        raise typer.Exit(130)


@app.command("play", help=PLAY_HELP)
def play_command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The music to play.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Write a .wav or .flac instead.", show_default=False),
    ] = None,
    tempo: Annotated[
        float | None,
        typer.Option(metavar="BPM", help="Quarter notes a minute, in place of the file's tempo.", show_default=False),
    ] = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play it on this .sf2 or .sf3.", show_default="a small organ"),
    ] = None,
) -> None:
    """See PLAY_HELP."""
    from ripieno.files.sound.notes import sounding_notes
    from ripieno.files.sound.render import SUFFIXES, play, render, write_sound
    from ripieno.files.sound.room import RATE
    from ripieno.music.piece import Revision
    from ripieno.session import checked_bpm, read

    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{output.name}: a sound is a .wav or .flac file; name it {output.stem}.wav")
    if output is not None:
        _check_targets(source, [output])
    revision = Revision(bpm=None if tempo is None else checked_bpm(tempo))
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


@app.command("check", help=CHECK_HELP)
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
        str, typer.Option(metavar="errors|warnings|style", help="Say this and what is graver.")
    ] = "warnings",
    format_: Annotated[str, typer.Option("--format", metavar="text|json", help="For people or for programs.")] = "text",
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help='Such as "Ab", "F#m", "C minor".', show_default=False)
    ] = None,
    meter: Annotated[
        str | None, typer.Option(metavar="N/N", help='Such as "3/4", if the file is wrong.', show_default=False)
    ] = None,
    pickup: Annotated[
        float | None,
        typer.Option(metavar="BEATS", help="Length of the pickup in beats; 0 for none.", show_default=False),
    ] = None,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Do not ask the model; quicker.")] = False,
) -> None:
    """See CHECK_HELP."""
    import json

    from ripieno.proofreading import LEVEL_NAMES, check_score_target, proofread, write_proof
    from ripieno.session import read

    if level not in LEVEL_NAMES:
        raise BadInput(f"--level {level}: choose {', '.join(LEVEL_NAMES)}")
    if format_ not in ("text", "json"):
        raise BadInput(f"--format {format_}: choose text or json")
    targets = output or []
    for target in targets:
        check_score_target(target)
    _check_targets(source, targets)
    asked = LEVEL_NAMES[level]
    options: dict[str, Any] = {"key": key, "meter": meter, "pickup": pickup}
    proof = proofread(read(source), rules_only=rules_only, as_score=bool(targets), name=source.name, **options)
    remarks = proof.of_level(asked)
    for target in targets:
        write_proof(proof, target, asked)
    if format_ == "json":
        print(json.dumps({"file": source.name, **proof.to_json(asked)}, indent=2, ensure_ascii=False))
    else:
        print(proof.reading.sentence())
        for warning in proof.warnings:
            print(f"Note: {warning}")
        for remark in remarks:
            print(remark.line())
        print(proof.summary(asked))
        for target in targets:
            print(f"written {target}")
    if remarks:
        raise typer.Exit(1)


@app.command("fix", help=FIX_HELP)
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
    bars: Annotated[
        str | None, typer.Option(metavar="FIRST-LAST", help="Mend these bars only.", show_default=False)
    ] = None,
    melody: Annotated[
        str | None,
        typer.Option(metavar="top|bass|inner|TRACK", help="Which line leads, as for harmonize.", show_default=False),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help='Such as "Ab", "F#m", "C minor".', show_default=False)
    ] = None,
    meter: Annotated[
        str | None, typer.Option(metavar="N/N", help='Such as "3/4", if the file is wrong.', show_default=False)
    ] = None,
) -> None:
    """See FIX_HELP."""
    from ripieno.fixing import SURE, check_music_target, fix, write_fixed
    from ripieno.session import check_target, read

    if output is None and not dry_run:
        raise BadInput("say where to write the mended piece (-o mended.mid), or ask for --dry-run")
    if output is not None:
        check_music_target(output)
        _check_targets(source, [output])
        check_target(output)
    piece = read(source)
    fixed = fix(
        piece,
        most=_removals(max_changes, "--max-changes"),
        sure=SURE if not sure else _share(sure, "--sure"),
        bars=None if bars is None else _bars(bars, "--bars"),
        name=source.name,
        melody=melody,
        key=key,
        meter=meter,
    )
    print(fixed.reading.sentence())
    for warning in fixed.reading.warnings:
        print(f"Note: {warning}")
    for change in fixed.changes:
        print(change.text)
    remarks = [] if dry_run or output is None else write_fixed(piece, fixed, output)
    print(fixed.summary(dry_run))
    for remark in remarks:
        print(f"Note: {remark}.")
    if output is not None and not dry_run:
        print(f"written {output}")


@app.command("studio", help=STUDIO_HELP)
def studio_command(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="What to open.", show_default="where you were")
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", help="Where on this computer the page is; 0 for any that is free.")
    ] = 8440,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only say the address.")] = False,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A model that you trained.", show_default="the one that comes with Ripieno"),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where pieces are kept.", show_default="your own data folder"),
    ] = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(metavar="FILE.sf2", help="What to hear pieces on.", show_default="a small organ"),
    ] = None,
) -> None:
    """See STUDIO_HELP."""
    from ripieno.studio.server import listen, open_studio, serve

    def ready(address: str) -> None:
        print(f"The studio is open: {address}   (Ctrl+C closes it)", flush=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    taken = listen(port)
    serve(open_studio(source, folder, model, soundfont), taken, ready)


@app.command("models", help=MODELS_HELP)
def models_command(
    model: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A model file that you trained.", show_default=False)
    ] = None,
) -> None:
    """See MODELS_HELP."""
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


@app.command("data", help=DATA_HELP)
def data_command(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Where the music is, as above.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.npz", help="The prepared corpus.")],
    seed: Annotated[int, typer.Option(help="Which pieces are kept apart for testing, if the source does not say.")] = 0,
) -> None:
    """See DATA_HELP."""
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


@app.command("train", help=TRAIN_HELP)
def train_command(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS.npz", help="What `ripieno data` wrote.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Receives the run.")],
    config: Annotated[
        str, typer.Option(metavar="paper|chorale|nade|coconet|voices", help="Which network and training.")
    ] = "chorale",
    n_samples: Annotated[
        int | None, typer.Option(help="Train on so many samples.", show_default="as configured")
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
    """See TRAIN_HELP."""
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
    with _progress("{task.fields[told]}") as progress:
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


@app.command("evaluate", help=EVALUATE_HELP)
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
    """See EVALUATE_HELP."""
    from ripieno.evaluation import report
    from ripieno.evaluation.suite import PARTS, QUICK, Settings, evaluate

    if split not in ("valid", "test"):
        raise BadInput(f"--split {split}: choose valid or test; train is what the models learned")
    settings = Settings(
        data=data,
        output=output,
        parts=tuple(parts or PARTS),
        model=model,
        nade=nade,
        coconet=coconet,
        split=split,
        seeds=seeds,
        every=QUICK if quick else 1,
        jobs=jobs,
    )
    try:
        with _progress("{task.fields[told]}") as progress:
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
        done = report.refresh(refresh, report.read(output))
        print(f"Refreshed in {refresh}: {', '.join(done) or 'nothing, it has no places for these tables'}")


@contextmanager
def _progress(told: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn(told))
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        yield progress


def _numbered(path: Path, number: int, of: int) -> Path:
    return path if of == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


def _check_targets(source: Path, targets: list[Path]) -> None:
    """Refuse before the work what could not be written after it."""
    from ripieno.session import check_target

    for i, target in enumerate(targets):
        check_target(target)
        if target in targets[:i]:
            raise BadInput(f"{target} is named twice; give each output a name of its own")
        if target.exists() and source.exists() and target.samefile(source):
            raise BadInput(f"{target} is your own file and would be overwritten; choose another name for -o")


def _check_soundfont(path: Path | None) -> None:
    """Refuse before the work what could not be played on after it."""
    if path is not None:
        from ripieno.files.sound.soundfont import read_soundfont

        read_soundfont(path)


def _bars(text: str, option: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise BadInput(f"{option} {text}: give the first and the last bar, such as 5-8, or one bar") from None


def _pitches(text: str) -> tuple[int, int]:
    from ripieno.music.harmony import parse_pitch

    low, dash, high = text.partition("-")
    if not dash:
        raise BadInput(f"--range {text}: give the lowest and the highest note, such as C3-G5")
    lowest, highest = parse_pitch(low), parse_pitch(high)
    if lowest > highest:
        raise BadInput(f"--range {text}: the lower note comes first, {high}-{low}")
    return lowest, highest


def _share(text: str, option: str) -> float:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise BadInput(f"{option} {text}: give a share, such as 80%") from None


def _removals(text: str, option: str = "--max-removals") -> int | float:
    try:
        amount = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        amount = -1
    if amount < 0 or (isinstance(amount, float) and not amount <= 1):
        raise BadInput(f"{option} {text}: give a number of notes, such as 3, or a share, such as 10%")
    return amount


def main() -> None:
    """Run the program; what it cannot use is said in one line, with exit code 2."""
    try:
        app()
    except BadInput as error:
        print(f"ripieno: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
