"""`ripieno harmonize`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ripieno.cli.app import MODEL, SOUNDFONT, app, check_soundfont, showing_progress, takes
from ripieno.errors import BadInput
from ripieno.options import Options

if TYPE_CHECKING:
    from ripieno.assessment import Assessment
    from ripieno.edits.log import EditLog
    from ripieno.models.runtime import Model
    from ripieno.session import Session

MOST_CHANGED = 20  # of the user's notes that are told of one by one

# Typer keeps the line breaks within a paragraph, so each is one long line here; the terminal breaks it.
HELP = """
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

Three different settings to choose from, the best as piece-1.mid, the last as piece-3.mid:
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


@app.command("harmonize", help=HELP)
@takes()
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
    alternatives: Annotated[
        int, typer.Option(metavar="N", help="Write N settings, the best first, with seeds from --seed on.")
    ] = 1,
    model: MODEL = None,
    soundfont: SOUNDFONT = None,
    as_: Annotated[
        str, typer.Option("--as", metavar="roll|score", help="Draw pictures as a piano roll, or engrave a score.")
    ] = "roll",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every change as it is made.")] = False,
    *,
    asked: dict[str, Any],
) -> None:
    """See HELP."""
    from ripieno.assessment import ranked
    from ripieno.export import check_targets
    from ripieno.files.reader import read
    from ripieno.models.runtime import load_model
    from ripieno.session import Session

    if alternatives < 1:
        raise BadInput(f"--alternatives {alternatives}: ask for 1 or more")
    if as_ not in ("roll", "score"):
        raise BadInput(f"--as {as_}: choose roll or score")
    options = Options(**asked)
    settings = [options.changed({"seed": options.seed + number}) for number in range(alternatives)]
    check_soundfont(soundfont)
    for source in sources:
        if source.is_dir():
            raise BadInput(f"{source} is a folder; name the files in it, such as {source}/*.mid")
    if len(sources) > 1 or outputs[0].is_dir() or str(outputs[0]).endswith("/"):
        if len(outputs) > 1 or alternatives > 1:
            raise BadInput("several files, or a folder for -o, go with one -o and one setting of each file")
        _harmonize_all(sources, outputs[0], load_model(model), options)
        return
    source = sources[0]
    check_targets([_numbered(path, i, alternatives) for i in range(alternatives) for path in outputs], source)
    piece = read(source)
    loaded = load_model(model)
    composed: list[_Composed] = []
    for number, one in enumerate(settings):
        session = Session(piece, model=loaded, options=one, name=source.name)
        if number == 0:
            print(session.reading.sentence())
            for warning in session.reading.warnings:
                print(f"Note: {warning}")
            _tell_asked(session)
        composed.append(_compose(session, verbose))
        if composed[-1].is_interrupted:
            break
    n_whole = sum(not one.is_interrupted for one in composed)
    order = ranked([one.assessment for one in composed[:n_whole]])
    order += [(number, "") for number in range(n_whole, len(composed))]  # what was stopped comes last
    for place, (number, reason) in enumerate(order):
        targets = [_numbered(path, place, alternatives) for path in outputs]
        why = f"{place + 1} of {n_whole}: {reason}" if reason else ""
        _tell(composed[number], targets, soundfont, as_ == "score", why)
    if n_whole < len(composed):
        print("You stopped it: what was done so far is written.")
        raise typer.Exit(130)


def _tell_asked(session: Session) -> None:
    """Chords and cadences as they are understood; where that hangs on the key, in which."""
    from ripieno.music.analysis import chart_of
    from ripieno.music.harmony import key_name
    from ripieno.music.numerals import is_of_key

    document, reading = session.document, session.reading
    key = f" in {key_name(reading.key)}{' (guessed)' if reading.is_key_guessed else ''}"
    if len(reading.keys) > 1:
        key = " in the keys of the piece"
    if document.chords:
        read_in = key if is_of_key(document.options.chords or "") else ""
        print(f"Chords to follow{read_in}: {chart_of(document.chords, reading)}")
    if document.cadences:
        print(f"Cadences{key}: {', '.join(one.in_words() for one in document.cadences)}")


def _harmonize_all(
    sources: list[Path],
    folder: Path,
    model: Model,
    options: Options,
) -> None:
    from collections import Counter

    from ripieno.batch import DONE, FAILED, SKIPPED, harmonize_files
    from ripieno.export import SUFFIXES

    if (folder.exists() or folder.suffix.lower() in SUFFIXES) and not folder.is_dir():
        raise BadInput(f"several files go into a folder, and {folder} names a file; name a folder, such as -o out/")
    counts: Counter[str] = Counter()
    interrupted = False
    with showing_progress("{task.fields[told]}") as progress:
        task = progress.add_task("Harmonising", total=len(sources), told="")
        try:
            for step in harmonize_files(sources, folder, model, options):
                told = f"{step.number} of {step.of}, {step.source.name}"
                if step.change is not None:
                    told += f": {step.change.log.n_added} notes added"
                progress.update(task, completed=step.number - (not step.outcome), total=step.of, told=told)
                if step.outcome:
                    counts[step.outcome] += 1
                    lines = [f"{step.source.name}: {step.reading}"] if step.reading else []
                    lines += [f"Doubtful in {step.source.name}, {doubt}." for doubt in step.doubtful]
                    for line in lines:
                        progress.console.print(line, highlight=False, markup=False, soft_wrap=True)
                    for said in step.said:
                        mark = "Failed" if step.outcome == FAILED else f"Note: {step.source.name}"
                        progress.console.print(f"{mark}: {said}", highlight=False, markup=False)
        except KeyboardInterrupt:
            interrupted = True
    said = f"{counts[DONE]} harmonised, {counts[SKIPPED]} done before, {counts[FAILED]} failed; in {folder}"
    print(f"You stopped it: {said}. The same command goes on from there." if interrupted else said)
    if interrupted or counts[FAILED]:
        raise typer.Exit(130 if interrupted else 1)


@dataclass(frozen=True)
class _Composed:
    """A setting, and how it came about."""

    session: Session
    n_changes: int
    seconds: float
    is_interrupted: bool
    assessment: Assessment
    unmended: EditLog | None  # as it was before mending; None where nothing was mended


def _compose(session: Session, verbose: bool) -> _Composed:
    from time import monotonic

    from ripieno.assessment import assess

    began = monotonic()
    interrupted = False
    n_changes, n_left = 0, float("nan")
    unmended: EditLog | None = None
    log = session.log
    with showing_progress("{task.fields[told]}") as progress:
        task = progress.add_task("Composing", total=None, told="")
        try:
            for change in session.run():
                n_changes, n_left = n_changes + 1, change.n_left
                if change.why and unmended is None:
                    unmended = log
                log = session.log
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
    return _Composed(session, n_changes, seconds, interrupted, assess(session), unmended)


def _tell(one: _Composed, targets: list[Path], soundfont: Path | None, as_score: bool, why: str) -> None:
    """Write a setting, and say what it is."""
    from ripieno.export import CHORDS_UNWRITTEN, changed_of_yours, chords_found, holds_chords
    from ripieno.music.analysis import chart_of
    from ripieno.sampling.run import MENDS
    from ripieno.session import n_faults

    session = one.session
    remarks: list[str] = []
    for path in targets:
        remarks += [
            remark for remark in session.save(path, soundfont=soundfont, as_score=as_score) if remark not in remarks
        ]
    if any(holds_chords(path, as_score) for path in targets):
        remarks = [remark for remark in remarks if remark != CHORDS_UNWRITTEN]
    is_told = MENDS[session.options.mend] and one.n_changes and not one.is_interrupted
    logs = (one.unmended or session.log, session.log)
    before, after = [n_faults(session.document, session.model, log) for log in logs] if is_told else (0, 0)
    rows = [
        ("notes added", f"{session.log.n_added}"),
        ("taken back while composing", f"{session.log.n_taken_back}"),
        *([("faults of part-writing", f"{before} before mending, {after} after")] if is_told else []),
        ("changed of yours", f"{len(session.revision().touched)}"),
        ("seconds", f"{one.seconds:.1f}"),
        ("seed", f"{session.options.seed}"),
        *([("place", why)] if why else []),
        *(("written" if i == 0 else "", str(path)) for i, path in enumerate(targets)),
    ]
    for name, value in rows:
        print(f"  {name:<28}{value}")
    changed = changed_of_yours(session.document)
    for line in changed[:MOST_CHANGED]:
        print(f"Changed of yours, {line}.")
    if len(changed) > MOST_CHANGED:
        print(f"Changed of yours, {len(changed) - MOST_CHANGED} more.")
    for doubt in one.assessment.doubtful:
        print(f"Doubtful, {doubt}.")
    if session.options.write_chords is not None:
        print(f"Chords: {chart_of(chords_found(session.document), session.reading)}")
    if not one.n_changes and not one.is_interrupted and session.options.max_additions != 0:
        remarks.append(
            "Nothing was added: the model misses nothing. Where the piece is full already, take notes out first, let "
            "it change some of yours (--max-removals), or let more sound at once (--voices)"
        )
    for remark in remarks:
        print(f"Note: {remark}.")


def _numbered(path: Path, number: int, of: int) -> Path:
    return path if of == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
