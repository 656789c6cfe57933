"""A document on its way out: its new notes as parts, words about them, pictures, and files.

Whoever writes a piece, the command line, Python, a folder of many or the studio, writes it here. What only some kinds
of files need is loaded when one is written.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ripieno.document import Document
from ripieno.edits.edit import Edit
from ripieno.edits.log import MODEL
from ripieno.errors import BadInput
from ripieno.files.door import MIDI, MUSICXML, PICTURES, SOUNDS
from ripieno.files.midi import not_written, write_midi
from ripieno.files.musicxml.source import not_played, syllables_of, words_of
from ripieno.models.runtime import the_separator
from ripieno.music.analysis import beats_of, find_chords
from ripieno.music.chords import PlacedChord
from ripieno.music.ensembles import arranged, out_of_range, struck_on, sung_with
from ripieno.music.harmony import note_name
from ripieno.music.numerals import roman
from ripieno.music.piece import NewPart, Note, Revision, Span, revise, within_range
from ripieno.music.roll import RollNote, notes_of
from ripieno.music.voices import parts_of
from ripieno.sampling.passes import Change
from ripieno.whole import check_place

if TYPE_CHECKING:
    from ripieno.files.musicxml.sheet import Label
    from ripieno.files.picture.roll import RollDrawing

SUFFIXES = (*MIDI, *MUSICXML, *PICTURES, *SOUNDS)
CHORDS_UNWRITTEN = "Chords are written into scores only (.musicxml, .mxl, and pictures with --as score)"
NEXT = 4  # semitones up to which a new note is what one of the user's became
LOW_TUNE = (
    "The melody lies low, and the new parts lie beneath it: --melody inner takes it as a tenor, with voices above it"
)


def holds_chords(path: Path, as_score: bool) -> bool:
    """Whether chords are written into a file of this name."""
    return path.suffix.lower() in (*MUSICXML, *(PICTURES if as_score else ()))


def check_target(path: Path, *sources: Path | None) -> None:
    """Refuse a file name that cannot be written, or that is the user's own.

    Args:
        path: where to write.
        sources: files of the user's that stay as they are.

    Raises:
        BadInput: its suffix says nothing that we can write, its folder is missing or read-only, or it is one of the
            sources.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(
            f"{path.name}: cannot write {path.suffix or 'a name without a suffix'}; use {', '.join(SUFFIXES)}"
        )
    check_place(path, *sources)


def check_targets(paths: list[Path], *sources: Path | None) -> None:
    """Refuse before the work what could not be written after it; see `check_target`.

    Raises:
        BadInput: as for `check_target`, or a name stands there twice.
    """
    for i, path in enumerate(paths):
        check_target(path, *sources)
        if path in paths[:i]:
            raise BadInput(f"{path} is named twice; give each output a name of its own")


def revision(document: Document) -> Revision:
    """What happened to the piece's own notes, and which ones are new."""
    reading, log = document.reading, document.log
    changed = revise(document.piece, log.origin, log.cells, reading.start, reading.shift)
    return replace(changed, bpm=document.options.bpm)


def new_parts(document: Document, n_parts: int | None = None) -> list[NewPart]:
    """The new notes as parts of their own: one for each voice, or put together.

    Args:
        document: whose notes.
        n_parts: 1, or 2 (upper and lower voices), or 4, one for each voice; as its options say unless given.
    """
    options = document.options
    n_parts = options.n_parts if n_parts is None else n_parts
    voices = _voices(document)
    parts = arranged(voices, options.ensemble, n_parts)
    if len(parts) == 1 and len(voices) > 1:  # one player sounds nothing twice, nor what the user's part has
        parts = [replace(parts[0], notes=_voices(document, 1)[0].notes)]
    piece, reading = document.piece, document.reading
    if options.syllables:
        parts = struck_on(parts, syllables_of(piece, reading))
    return sung_with(parts, words_of(piece, reading), options.ensemble)


def parts_apart(document: Document, n_parts: int | None = None) -> list[NewPart]:
    """The new parts, none by the name of one that the piece has: who gives a bass may get notes below it."""
    taken = {part.name.strip().casefold() for part in document.piece.parts}
    parts = []
    for part in new_parts(document, n_parts):
        names = chain((part.name, f"{part.name} (new)"), (f"{part.name} (new {n})" for n in count(2)))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        parts.append(replace(part, name=name))
    return parts


def _voices(document: Document, n_parts: int | None = None) -> list[NewPart]:
    piece, reading, log, policy = document.piece, document.reading, document.log, document.policy()
    own = [note.velocity for note in piece.notes if not piece.parts[note.part].is_drums]
    # A voice that joins the user's line holds what they share, unless the model is one that strikes notes again: then
    # it strikes with the line. What was drawn is new too, and stays a note of its own.
    strikes_again = bool((log.author_of[1:] == MODEL).any())
    struck = log.cells[1:] if strikes_again else log.cells[1:] & ~log.origin[1:]
    begins = np.asarray(struck.any(axis=0))
    drawn = log.user_cells[0] & ~log.origin[0]
    begins[1:] |= drawn[1:] != drawn[:-1]
    parts = parts_of(
        np.stack([log.cells[0], begins]),
        log.cells[0] & log.origin[0],
        line=policy.line,
        role=policy.melody or reading.melody,
        n_above=policy.n_above,
        n_parts=n_parts,
        velocity=median(own or [80]),
        separate=the_separator(),
        doubles=policy.max_additions is None,  # so few notes are wanted, and not each of them twice
    )
    return [replace(part, notes=tuple(_in_file(document, note) for note in part.notes)) for part in parts]


def chords_found(document: Document) -> list[PlacedChord]:
    """The chords of the piece as it is now, with steps of the file; none of a lone line outside the chosen bars."""
    reading = document.reading
    cells = document.log.cells.copy()
    selection = document.policy().selection
    if selection is not None:
        cells[:, ~selection & (np.count_nonzero(cells[0], axis=1) < 2)] = False
    return find_chords(cells, beats_of(reading, cells.shape[1]), reading.key, reading.start)


def labels(document: Document) -> list[Label]:
    """What `write_chords` asks to be written into a score."""
    asked = document.options.write_chords
    if asked is None:
        return []
    from ripieno.files.musicxml.sheet import Label

    placed = [(one.step, one.chord) for one in chords_found(document) if one.chord is not None]
    if asked == "symbols":
        return [Label(step, chord=chord) for step, chord in placed]
    key = document.reading.key
    return [Label(step, text=roman(chord, key, is_last=step == placed[-1][0])) for step, chord in placed]


def remarks(document: Document, is_score: bool) -> list[str]:
    """What the user should hear of a file that is written: what its players cannot play, what it cannot hold."""
    options, reading, piece = document.options, document.reading, document.piece
    said = out_of_range(_voices(document), options.ensemble) if options.ensemble is not None else []
    if reading.shift > 0 and reading.melody == "top" and document.log.n_added:
        said.append(LOW_TUNE)
    said += not_written(piece) if is_score else not_played(piece)
    if not is_score and options.write_chords is not None:
        said.append(CHORDS_UNWRITTEN)
    return said


def drawing(document: Document, n_parts: int | None = None) -> RollDrawing:
    """What a picture of the piece as it is now shows."""
    from ripieno.files.picture.roll import DrawnNote, RollDrawing  # brings matplotlib

    piece, reading, log, changed = document.piece, document.reading, document.log, revision(document)
    heard = [note for note in piece.notes if not piece.parts[note.part].is_drums]
    notes = [
        DrawnNote(pitch=note.pitch, onset=float(span.onset) - reading.start, duration=float(span.end - span.onset))
        for note in heard
        for span in changed.touched.get(note.id, (Span(note.onset, note.end),))
    ]
    for part in new_parts(document, n_parts):
        notes += [
            DrawnNote(
                pitch=note.pitch,
                onset=note.onset - reading.start,
                duration=note.duration,
                kind="new",
                voice=part.name,
            )
            for note in part.notes
        ]
    gone = notes_of(log.origin & ~log.cells)
    notes += [
        DrawnNote(pitch=note.pitch - reading.shift, onset=note.onset, duration=note.duration, kind="removed")
        for note in gone
    ]
    return RollDrawing(
        notes=tuple(notes),
        bar_starts=tuple(float(start) for start in reading.bar_starts),
        end=float(reading.n_steps),
        beat=16 / reading.meters[0].denominator,
        first_bar=reading.first_bar,
        key=reading.key,
        title=document.title or piece.name,
    )


def score(document: Document, n_parts: int | None = None) -> str:
    """The piece as it is now as MusicXML text, as `save` writes it; ids of new notes begin with `NEW_ID`."""
    from ripieno.files.musicxml.write import musicxml_text

    parts = parts_apart(document, n_parts)
    return musicxml_text(document.piece, revision(document), parts, reading=document.reading, labels=labels(document))


def save(
    document: Document,
    path: str | Path,
    n_parts: int | None = None,
    soundfont: Path | None = None,
    as_score: bool = False,
) -> list[str]:
    """Write the piece as it is now.

    Args:
        document: the piece.
        path: its suffix says what: `.mid` or `.midi`, and `.musicxml`, `.xml` or `.mxl` are the source's own file
            with the new parts added, or a new one where the source is of the other kind; `.png`, `.svg` and `.pdf`
            are a picture, `.wav` and `.flac` a sound.
        n_parts: as `new_parts` takes it.
        soundfont: what a sound is played on; a small organ unless given.
        as_score: a picture is an engraved score, not a piano roll.

    Returns:
        Remarks that the user should hear.

    Raises:
        BadInput: unknown suffix, the file cannot be written, it is the one that the piece was read from, or the
            SoundFont cannot be used.
    """
    path = Path(path)
    check_target(path, document.piece.path)
    piece, changed = document.piece, revision(document)
    if path.suffix.lower() in MIDI:
        return remarks(document, False) + write_midi(piece, path, changed, parts_apart(document, n_parts))
    if path.suffix.lower() in MUSICXML:
        from ripieno.files.musicxml.write import write_musicxml

        parts = parts_apart(document, n_parts)
        return remarks(document, True) + write_musicxml(
            piece, path, changed, parts, reading=document.reading, labels=labels(document)
        )
    if path.suffix.lower() in SOUNDS:
        from ripieno.files.sound.notes import sounding_notes
        from ripieno.files.sound.play import write_sound
        from ripieno.files.sound.render import render

        notes = sounding_notes(piece, changed, new_parts(document, n_parts))
        write_sound(render(notes, soundfont), path)
        return []
    if as_score:
        from ripieno.files.musicxml.write import musicxml_text
        from ripieno.files.picture.score import NEW_COLOUR, draw_score

        # told apart by colour, and by their name where there is none
        parts = [replace(part, name=f"{part.name} (new)") for part in new_parts(document, n_parts)]
        engraved: dict[str, Any] = {
            "reading": document.reading,
            "colour": NEW_COLOUR,
            "labels": labels(document),
        }
        draw_score(musicxml_text(piece, changed, parts, **engraved), path)
        return []
    from ripieno.files.picture.roll import draw_roll  # brings matplotlib

    draw_roll(drawing(document, n_parts), path)
    return [] if document.options.write_chords is None else [CHORDS_UNWRITTEN]


def changed_of_yours(document: Document) -> list[str]:
    """Which of the user's own notes are not as they were, one line each: where, from what, to what."""
    reading, touched = document.reading, revision(document).touched
    said = []
    for note in sorted(document.piece.notes, key=lambda note: (note.onset, -note.pitch)):
        if note.id not in touched:
            continue
        name, spans = _name(document, note.pitch), touched[note.id]
        left = sum((span.end - span.onset for span in spans), Fraction(0))
        gone = [at for at in note.steps if not any(span.onset <= at < span.end for span in spans)]
        became = _became(document, note, gone[0] - reading.start) if gone else ""
        what = f"{name} became {became}" if became else f"{name} was taken out"
        if left:
            what = f"{name} was shortened from {float(note.duration / 4):g} to {float(left / 4):g} quarters"
            what += f", then {became}" if became else ""
        said.append(f"{reading.place(note.steps.start - reading.start)}: {what}")
    return said


def _became(document: Document, note: Note, step: int) -> str:
    """What one of the user's notes became at a step where it is gone: a new note that begins there close by, if any.

    In place of a top line or a bass that is the outermost, else the nearest.
    """
    reading, log = document.reading, document.log
    own = note.pitch + reading.shift
    there = np.flatnonzero(log.cells[0, step])
    if not len(there):
        return ""
    best = int(there[np.abs(there - own).argmin()])
    if note.id in reading.melody_notes and reading.melody in ("top", "bass"):
        best = int(there[-1 if reading.melody == "top" else 0])
    begins = log.model_cells[step, best] and (step == 0 or not log.cells[0, step - 1, best])
    return _name(document, best - reading.shift) if begins and abs(best - own) <= NEXT else ""


def describe(document: Document, change: Change) -> str:
    """One change in words: "+ A4, bar 2, beat 3"."""
    if change.n_revised:
        cells = "cell" if change.n_revised == 1 else "cells"
        return f"revised {change.n_revised} {cells}, from {document.reading.place(change.edit.step)} on"
    why = f" (against: {change.why})" if change.why else ""
    return f"{'+' if change.added else '-'} {cell_in_words(document, change.edit)}{why}"


def cell_in_words(document: Document, edit: Edit) -> str:
    """A cell in words: "A4, bar 2, beat 3"; of plane 1 "A4 struck again, bar 2, beat 3"."""
    name = _name(document, edit.pitch - document.reading.shift)
    return f"{name}{' struck again' if edit.plane else ''}, {document.reading.place(edit.step)}"


def _name(document: Document, pitch: int) -> str:
    """What a pitch of the piece is called."""
    return note_name(pitch, document.reading.key, short=True)


def _in_file(document: Document, note: RollNote) -> RollNote:
    """A note of the roll where it is in the piece."""
    pitch = within_range(note.pitch - document.reading.shift)
    return RollNote(note.onset + document.reading.start, pitch, note.duration)
