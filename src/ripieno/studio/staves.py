"""The staff view: a piece engraved, each note in the picture saying what it is and when it sounds.

The score is the one that is saved as MusicXML. It is read again, so that the same reader which is tested on thousands
of scores tells where each written note lies, and each note gets a name by which it is found in the engraver's picture.

The engraver is a process of its own (`studio.engraver`).
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from ripieno import export
from ripieno.document import Document
from ripieno.edits.notes import OwnedNote, owned_notes
from ripieno.errors import BadInput
from ripieno.files.musicxml.read import parse_musicxml
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.text import Element, Splice, escaped
from ripieno.files.musicxml.write import musicxml_text
from ripieno.music.harmony import note_name
from ripieno.music.piece import Note
from ripieno.studio.composition import Composition
from ripieno.studio.engraver import Engraver

MOST_NOTES = 3000  # of a piece; with more, engraving takes longer than anybody looks on
REMEMBERED = 16  # pieces whose picture is kept
SAID = {"file": "yours", "user": "yours", "model": "the model's"}
_STYLE = re.compile(
    r"<style\b[^>]*>.*?</style>", re.DOTALL
)  # the page's policy allows none; studio.css has what is needed
_NAMED = re.compile(r'<g id="of-(\d+)-\d+"([^>]*)>')


class Staves:
    """The newest picture of each piece. Any thread may call it; one picture is made at a time."""

    def __init__(self) -> None:
        self.engraver = Engraver()
        # by piece: number of an entry, and the SVG or why there is none
        self._pictures: OrderedDict[str, tuple[int, str | BadInput]] = OrderedDict()
        self._lock = threading.Lock()

    def picture(self, composition: Composition) -> str:
        """A piece as it is now, as SVG.

        Every note in it is a group with `data-step`, `data-duration` (of the whole note, also where it is written as
        several that are tied), `data-pitch` as it sounds and `data-author`.

        Raises:
            BadInput: the piece has no notes, too many, or cannot be engraved.
        """
        with self._lock:
            with composition.lock:
                seq = composition.seq
                known = self._pictures.get(composition.id)
                document = composition.document  # which nobody changes
            if known is None or known[0] != seq:
                known = self._pictures[composition.id] = seq, self._picture(document)
            self._pictures.move_to_end(composition.id)
            while len(self._pictures) > REMEMBERED:
                self._pictures.popitem(last=False)
        if isinstance(known[1], BadInput):
            raise BadInput(str(known[1]))  # a new one: each raise would add to the trace of the other
        return known[1]

    def _picture(self, document: Document) -> str | BadInput:
        try:
            score = named_score(document)
            return told(self.engraver.engrave(score.text), score, document)
        except BadInput as error:
            return BadInput(str(error))

    def close(self) -> None:
        """End the engraver's process."""
        self.engraver.close()


@dataclass(frozen=True)
class NamedScore:
    """A score as MusicXML whose notes are called "of-3-0": the first of those that are tied to be `notes[3]`."""

    text: str
    notes: tuple[OwnedNote, ...]  # with steps of the roll, and pitches as they sound


def named_score(document: Document) -> NamedScore:
    """The piece as it is now; the model's notes in colour, its parts called new.

    Raises:
        BadInput: there is nothing to engrave, or too much.
    """
    from ripieno.files.picture.score import NEW_COLOUR

    reading = document.reading
    owned = owned_notes(document.log)
    if not owned:
        raise BadInput("nothing is written yet: draw a note, and it is here on staves")
    if len(owned) > MOST_NOTES:
        raise BadInput(
            f"{len(owned):,} notes are too many for the staff view, which takes {MOST_NOTES:,}; save a score"
        )
    whose = {(note.pitch - reading.shift, step): note.owner for note in owned for step in range(note.onset, note.end)}
    is_score = isinstance(document.piece.source, MusicXmlSource)
    start = reading.start if is_score else 0  # of the roll in what is written

    def of(note: Note, is_new: bool) -> OwnedNote:
        onset, duration = note.onset - start, note.duration
        owner = whose.get((note.pitch, round(onset)), "file")
        if is_new and owner == "file":  # in unison with a note of the file
            owner = "model"
        # the roll has whole steps; what lies between them is drawn where it was, and heard where the roll has it
        return OwnedNote(round(onset), note.pitch, max(round(onset + duration) - round(onset), 1), owner)

    new = []
    for part in export.new_parts(document):
        is_drawn = any(whose.get((note.pitch, note.onset - reading.start)) == "user" for note in part.notes)
        new.append(part if is_drawn else replace(part, name=f"{part.name} (new)"))
    text = musicxml_text(
        document.piece, export.revision(document), new, reading=reading, labels=export.labels(document)
    )
    again = parse_musicxml(text.encode(), "the score")
    source = again.source
    assert isinstance(source, MusicXmlSource)
    first_new = len(source.measures[0].elements) - len(new)
    notes = tuple(of(note, place.part >= first_new) for note, place in zip(again.notes, source.places, strict=True))
    # the tempo stands above the roll, and its note is in a font that the page does not have
    splices = [Splice(one.start, one.end, "") for one in source.xml.root.walk() if _is_metronome(one)]
    for note, place in zip(again.notes, source.places, strict=True):
        colour = NEW_COLOUR if notes[note.id].owner == "model" else ""
        for k, element in enumerate(place.elements):
            splices.append(_renamed(element, f"of-{note.id}-{k}", colour, source))
    return NamedScore(source.xml.spliced(splices).decode("utf-8-sig"), notes)


def _is_metronome(element: Element) -> bool:
    kinds = list(element.all("direction-type"))
    return element.tag == "direction" and bool(kinds) and all(kind.has("metronome") for kind in kinds)


def _renamed(element: Element, name: str, colour: str, source: MusicXmlSource) -> Splice:
    """A note's start tag with another id, and a colour of its own if it has one."""
    kept = {key: value for key, value in element.attributes.items() if key != "id" and not (colour and key == "color")}
    attributes = {"id": name, **({"color": colour} if colour else {}), **kept}
    written = "".join(f' {key}="{escaped(value)}"' for key, value in attributes.items())
    return Splice(element.start, source.xml.inner_start(element), f"<note{written}>")


def told(svg: str, score: NamedScore, document: Document) -> str:
    """A picture in which each note says what it is, to a program and to whoever points at it."""
    key = document.reading.key

    def named(found: re.Match[str]) -> str:
        note = score.notes[int(found[1])]
        place = f", {document.reading.place(note.onset)}" if note.onset < document.reading.n_steps else ""
        title = f"{note_name(note.pitch, key, short=True)}{place}: {SAID[note.owner]}"
        return (
            f'<g{found[2]} data-step="{note.onset}" data-duration="{note.duration}" data-pitch="{note.pitch}" '
            f'data-author="{note.owner}"><title>{escaped(title)}</title>'
        )

    return _STYLE.sub("", _NAMED.sub(named, svg))
