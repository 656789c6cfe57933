"""What is kept of a MusicXML file that was read: its text, and where in it each of the piece's notes is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ripieno.files.musicxml.text import Element, XmlText
from ripieno.music.notation import Measure
from ripieno.music.piece import Piece, SungSyllable
from ripieno.music.understanding import Reading


@dataclass(frozen=True)
class Signature:
    """The key signature of a part from a place on: as it is written there, and as it sounds."""

    step: Fraction
    n_sharps: int
    sounding: int
    fifths: int  # how far to the right on the line of fifths the part sounds from what is written
    mode: str  # "" where the file does not say


@dataclass(frozen=True)
class ScoreMeasure:
    """A measure of the score: where it lies, and what the file has of it in each of its parts."""

    start: Fraction
    end: Fraction
    numerator: int
    denominator: int
    offset: Fraction  # how far into a full bar it begins
    elements: tuple[Element, ...]  # by part of the score
    cursors: tuple[Fraction, ...]  # by part: where its time is at the end, from the measure's beginning
    divisions: tuple[Fraction, ...]  # by part: of a quarter note

    @property
    def frame(self) -> Measure:
        """As notation has it."""
        return Measure(self.start, self.end, self.numerator, self.denominator, self.offset)


@dataclass(frozen=True)
class NotePlace:
    """Where in the source a note is: its elements, one for each note that is tied on."""

    elements: tuple[Element, ...]
    onsets: tuple[Fraction, ...]  # of each
    measures: tuple[int, ...]  # of each
    part: int  # of the score
    place: int  # its name as it sounds, on the line of fifths
    has_syllable: bool = False  # of any verse
    has_fermata: bool = False


@dataclass(frozen=True)
class MusicXmlSource:
    """A score as it was read, and where the piece's notes are in it."""

    xml: XmlText
    measures: tuple[ScoreMeasure, ...]
    signatures: tuple[tuple[Signature, ...], ...]  # by part of the score
    places: tuple[NotePlace, ...]  # by Note.id
    archive: bytes | None = None  # the compressed file, if it was one
    member: str = ""  # the score's name in it
    n_graces: int = 0
    has_repeats: bool = False
    n_verses: int = 0


def syllables_of(piece: Piece, reading: Reading) -> set[int]:
    """The steps of the file on which the melody has a syllable; on which it has a note, where it has no words."""
    source = piece.source if isinstance(piece.source, MusicXmlSource) else None
    melody = [note for note in piece.notes if note.id in reading.melody_notes]
    sung = [note for note in melody if note.syllable or (source and source.places[note.id].has_syllable)]
    return {note.steps.start for note in sung or melody}


def words_of(piece: Piece, reading: Reading) -> list[SungSyllable]:
    """What the melody is sung on, of the first verse, syllable by syllable."""
    melody = [note for note in piece.notes if note.id in reading.melody_notes]
    sung = {note.steps.start: note.syllable for note in melody if note.syllable}
    steps = sorted(sung)
    ends = [*steps[1:], max((note.steps.stop for note in melody), default=0)]
    within = [False, *(sung[step].endswith("-") for step in steps)]
    return [
        SungSyllable(step, sung[step], is_within, until)
        for step, is_within, until in zip(steps, within, ends, strict=False)
    ]


def not_played(piece: Piece) -> list[str]:
    """What of a score a file that is only played does not hold, one line each."""
    source = piece.source
    if not isinstance(source, MusicXmlSource):
        return []
    said = []
    if source.n_graces:
        said.append(f"{source.n_graces} grace notes are in the score only")
    if source.n_verses > 1:
        said.append(f"Of {source.n_verses} verses the MIDI file has the first")
    if source.has_repeats:
        said.append("Repeats are not played out: the MIDI file goes through the score once")
    return said
