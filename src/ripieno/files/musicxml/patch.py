"""Changes to a score that is there: notes dropped, shortened or moved, another tempo, new parts, chord symbols.

All of it is said in splices of the source's bytes. A dropped note leaves a rest where it stood, so that nothing after
it moves; a note of a chord leaves the chord. A shortened note is written as what is left of it, tied where it must be;
in a chord, what is left goes to a voice of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from ripieno.files.musicxml.sheet import (
    ACCIDENTALS,
    Frame,
    Label,
    Sheet,
    free_channels,
    label_xml,
    measures_of,
    names_of,
    new_sheet,
    pitch_of_head,
    score_part,
)
from ripieno.files.musicxml.source import MusicXmlSource
from ripieno.files.musicxml.text import Element, Splice, XmlText, escaped
from ripieno.music.harmony import place_in_key
from ripieno.music.notation import Head, Measure, Sound, Written, spelled, write_voice
from ripieno.music.piece import NewPart, Piece, Revision, Span
from ripieno.music.pitch import LETTERS, pitch_of, place_of, signature_alteration
from ripieno.music.roll import STEPS_PER_BEAT

_AFTER_VOICE = ("type", "dot", "accidental", "time-modification", "stem", "notehead", "notehead-text", "staff", "beam")
# What a <note> begins with, and what is tied to its being a note and not a rest.
_OF_A_NOTE = ("pitch", "unpitched", "tie", "accidental", "stem", "notehead", "notehead-text")


def patched(
    piece: Piece,
    source: MusicXmlSource,
    revision: Revision,
    new_parts: Sequence[NewPart],
    colour: str,
    labels: Sequence[Label],
) -> bytes:
    """A score with what `write_musicxml` is to change, in the encoding of its source."""
    splices = [*_amended(piece, source, revision), *_repitched(piece, source, revision)]
    if revision.bpm is not None:
        splices += _retempo(source.xml, revision.bpm)
        if not piece.tempos or piece.tempos[0].step > 0:
            splices.append(_tempo_at(source.xml, source.measures[0].elements[0], revision.bpm))
    if new_parts:
        places = names_of(piece, new_parts, [place.place for place in source.places])
        fermatas = frozenset(mark.step for mark in piece.marks if mark.kind == "fermata")
        ids = _free_ids(source, len(new_parts))
        channels = free_channels(piece, len(new_parts))
        sheets = [
            new_sheet(part, id_, channel, number, places, colour, fermatas)
            for number, (part, id_, channel) in enumerate(zip(new_parts, ids, channels, strict=True), start=1)
        ]
        words = tuple(label for label in labels if label.chord is None)
        sheets[-1] = replace(sheets[-1], labels=words)
        labels = [label for label in labels if label.chord is not None]
        splices += _with_parts(source, sheets)
    splices += _labelled(source, labels)
    return source.xml.spliced(splices)


class _Remains(NamedTuple):
    """One <note> of the source: when it sounds, and what is left of it."""

    element: Element
    onset: Fraction
    end: Fraction
    left: tuple[Span, ...]
    tied_from: bool  # whether what is left goes on what is left of the one before
    tied_to: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is gone."""
        return self.left == (Span(self.onset, self.end),)


def _remains(
    elements: Sequence[Element], onsets: Sequence[Fraction], end: Fraction, left: Sequence[Span]
) -> list[_Remains]:
    """What is left of each of the notes that are tied to one."""
    found = []
    ends = [*onsets[1:], end]
    for element, first, last in zip(elements, onsets, ends, strict=True):
        spans = [Span(max(span.onset, first), min(span.end, last)) for span in left]
        spans = [span for span in spans if span.onset < span.end]
        found.append(
            _Remains(
                element,
                first,
                last,
                tuple(spans),
                tied_from=any(span.onset < first < span.end for span in left),
                tied_to=any(span.onset < last < span.end for span in left),
            )
        )
    return found


def _amend_measure(
    xml: XmlText, element: Element, measure: Measure, touched: Mapping[int, _Remains], cursor: Fraction
) -> Iterator[Splice]:
    """The splices that drop and shorten notes of one part in one measure.

    Args:
        xml: the source.
        element: what the part has in the measure.
        measure: where it lies.
        touched: what is left of notes, by the start of their element.
        cursor: where the file's time is after the last note, backup or forward, from the measure's beginning.
    """
    chords: list[list[Element]] = []
    for note in element.all("note"):
        if note.has("chord") and chords:
            chords[-1].append(note)
        else:
            chords.append([note])
    apart: list[_Remains] = []
    rewritten: set[int] = set()
    for i, chord in enumerate(chords):
        pieces = {note.start: touched[note.start] for note in chord if note.start in touched}
        if not pieces:
            continue
        if len(chord) == 1:
            (piece,) = pieces.values()
            yield from _amend_note(xml, piece, measure)
            if piece.left and not piece.is_whole:
                rewritten.add(i)
            continue
        kept = [note for note in chord if note.start not in pieces or pieces[note.start].is_whole]
        apart += [piece for piece in pieces.values() if piece.left and not piece.is_whole]
        head = chord[0]
        if not kept:
            yield from _as_rest(xml, head)
        elif head not in kept:
            yield from _renamed(xml, head, kept[0], pieces.get(kept[0].start))
        for note in chord[1:]:
            if note not in kept or (head not in kept and note is kept[0]):
                yield _gone(xml, note)
            elif note.start in pieces:
                yield from _retied(xml, note, pieces[note.start])
        if head in kept and head.start in pieces:
            yield from _retied(xml, head, pieces[head.start])
    under_beams = {other for i in rewritten for other in _beamed_with(chords, i)} - rewritten
    for i in sorted(under_beams):
        for note in chords[i]:
            if note is chords[i][0] or note.start not in touched:
                yield from (_gone(xml, beam) for beam in note.all("beam"))
    if apart:
        last = [child for child in element.children if child.tag in ("note", "backup", "forward")][-1]
        yield Splice(last.end, last.end, "".join(_apart(xml, element, measure, apart, cursor)))


def _retempo(xml: XmlText, bpm: float) -> Iterator[Splice]:
    """One tempo wherever the score sets one, and at its beginning if it does not."""
    quarters = {"whole": 4, "half": 2, "quarter": 1, "eighth": 0.5, "16th": 0.25}
    for element in xml.root.walk():
        if element.tag == "sound" and "tempo" in element.attributes:
            tag = xml.text[element.start : xml.inner_start(element)].decode()
            changed = re.sub(r"""(\stempo\s*=\s*)("[^"]*"|'[^']*')""", rf'\g<1>"{bpm:.6g}"', tag)
            yield Splice(element.start, element.start + len(tag.encode()), changed)
        elif element.tag == "metronome":
            per_minute, unit = element.first("per-minute"), quarters.get(element.text_of("beat-unit"))
            if per_minute is not None and unit and not per_minute.is_empty:
                value = bpm / unit / (1.5 if element.has("beat-unit-dot") else 1)
                yield Splice(xml.inner_start(per_minute), per_minute.stop, f"{value:.4g}")


def _tempo_at(xml: XmlText, measure: Element, bpm: float) -> Splice:
    """A tempo at the beginning of a measure."""
    before = [child for child in measure.children if child.tag in ("print", "attributes", "barline")]
    first = next((child for child in measure.children if child not in before), None)
    at = first.start if first is not None else measure.stop
    text = (
        '<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit>'
        f'<per-minute>{bpm:.4g}</per-minute></metronome></direction-type><sound tempo="{bpm:.6g}"/></direction>'
    )
    return Splice(at, at, text + (xml.indent(first) if first is not None else ""))


def _repitch(xml: XmlText, element: Element, semitones: int, fifths: int, n_sharps: int) -> Iterator[Splice]:
    """A note at another pitch; the written one moves as the sounding one does.

    Args:
        xml: the source.
        element: a <note> with a <pitch>.
        semitones: how far it goes.
        fifths: how far its name goes on the line of fifths.
        n_sharps: the signature that it is written under, for its accidental.
    """
    pitch = element.first("pitch")
    if pitch is None:
        return
    alter = math.floor(float(pitch.text_of("alter") or 0) + 0.5)  # of quarter tones the upper half, as they are read
    written = LETTERS.index(pitch.text_of("step").upper()), alter
    moved = pitch_of(*written, int(pitch.text_of("octave"))) + semitones
    head = Head(moved, place_of(*written) + fifths)
    yield Splice(xml.inner_start(pitch), pitch.stop, "".join(pitch_of_head(head)))
    letter, alter, _ = spelled(head)
    is_shown = alter != signature_alteration(letter, n_sharps) and alter in ACCIDENTALS
    accidental = f"<accidental>{ACCIDENTALS[alter]}</accidental>" if is_shown else ""
    old = element.first("accidental")
    if old is not None:
        yield Splice(old.start, old.end, accidental)
    elif accidental:
        before = [child for child in element.children if child.tag in ("type", "dot", "voice", "tie", "duration")]
        yield Splice(before[-1].end, before[-1].end, accidental)


def _labelled(source: MusicXmlSource, labels: Sequence[Label]) -> Iterator[Splice]:
    """Chord symbols in the first part of a score, words in the last."""
    for label in labels:
        i = max(i for i, measure in enumerate(source.measures) if measure.start <= label.step or i == 0)
        measure, part = source.measures[i], 0 if label.chord is not None else -1
        if label.chord is not None:  # in a transposing part it is written as the player reads it
            fifths = _fifths(source, part, label.step)
            chord = label.chord
            bass = None if chord.bass is None else chord.bass - fifths
            label = replace(label, chord=replace(chord, root=chord.root - fifths, bass=bass))
        element = measure.elements[part]
        first = next((child for child in element.children if child.tag in ("note", "backup", "forward")), None)
        at = element.stop if first is None else first.start
        offset = (label.step - measure.start) * measure.divisions[part] / STEPS_PER_BEAT
        yield Splice(at, at, label_xml(label, offset) + ("" if first is None else source.xml.indent(first)))


def _fifths(source: MusicXmlSource, part: int, step: Fraction) -> int:
    """How far on the line of fifths a part sounds from what is written."""
    signature = [one for one in source.signatures[part] if one.step <= step][-1:]
    return signature[0].fifths if signature else 0


def _amended(piece: Piece, source: MusicXmlSource, revision: Revision) -> Iterator[Splice]:
    """What drops and shortens the piece's own notes."""
    by_measure: dict[tuple[int, int], dict[int, _Remains]] = {}
    for number, spans in revision.touched.items():
        place = source.places[number]
        pieces = _remains(place.elements, place.onsets, piece.notes[number].end, spans)
        for one, i in zip(pieces, place.measures, strict=True):
            by_measure.setdefault((i, place.part), {})[one.element.start] = one
    for (i, part), touched in by_measure.items():
        measure = source.measures[i]
        yield from _amend_measure(source.xml, measure.elements[part], measure.frame, touched, measure.cursors[part])


def _repitched(piece: Piece, source: MusicXmlSource, revision: Revision) -> Iterator[Splice]:
    """What writes notes of the piece at another pitch, spelled for the key in force."""
    for number, pitch in revision.pitches.items():
        note, place = piece.notes[number], source.places[number]
        keys = [key for key in piece.keys if key.step <= note.onset] or list(piece.keys[:1])
        new_place = place_in_key(pitch, keys[-1] if keys else None)
        for element, measure in zip(place.elements, place.measures, strict=True):
            signatures = [one for one in source.signatures[place.part] if one.step <= source.measures[measure].start]
            n_sharps = signatures[-1].n_sharps if signatures else 0
            yield from _repitch(source.xml, element, pitch - note.pitch, new_place - place.place, n_sharps)


def _free_ids(source: MusicXmlSource, n_ids: int) -> list[str]:
    taken = {element.attributes["id"] for element in source.xml.root.walk() if "id" in element.attributes}
    found: list[str] = []
    number = 1
    while len(found) < n_ids:
        id_ = f"P{number}"
        if id_ not in taken and f"{id_}-I1" not in taken:
            found.append(id_)
        number += 1
    return found


def _with_parts(source: MusicXmlSource, sheets: Sequence[Sheet]) -> Iterator[Splice]:
    """What is spliced into a score to add parts to it."""
    xml, root = source.xml, source.xml.root
    part_list = root.first("part-list")
    entries = [line for sheet in sheets for line in score_part(sheet)]
    if part_list is not None and part_list.children:
        last = part_list.children[-1]
        yield Splice(last.end, last.end, _laid_out(entries, xml.indent(last)))
    else:
        first = root.children[0] if part_list is None else part_list
        lines = ["<part-list>", *(f"  {line}" for line in entries), "</part-list>"]
        end = first.start if part_list is None else first.end
        yield Splice(first.start, end, _laid_out(lines, xml.indent(first)).lstrip())
    frames = list(_frames(source))
    if root.tag == "score-partwise":
        last = list(root.all("part"))[-1]
        for sheet in sheets:
            lines = [f'<part id="{escaped(sheet.id)}">']
            lines += [f"  {line}" for measure in measures_of(sheet, frames) for line in measure]
            yield Splice(last.end, last.end, _laid_out([*lines, "</part>"], xml.indent(last)))
    else:
        for sheet in sheets:
            for measure, lines in zip(root.all("measure"), measures_of(sheet, frames), strict=True):
                last = list(measure.all("part"))[-1]
                lines = [f'<part id="{escaped(sheet.id)}">', *lines[1:-1], "</part>"]
                yield Splice(last.end, last.end, _laid_out(lines, xml.indent(last)))


def _laid_out(lines: Iterable[str], indent: str) -> str:
    """Lines, each on one of its own as its neighbours in the source are; all in one where those are."""
    if not indent:
        return "".join(line.strip() for line in lines)
    return "".join(indent + line for line in lines)


def _frames(source: MusicXmlSource) -> Iterator[Frame]:
    """The measures of a score as a new part has them: barlines and meters as in the first part, keys as they sound."""
    xml = source.xml
    chosen = max(source.signatures, key=len, default=())
    for measure in source.measures:
        first = measure.elements[0]
        holder = first
        if source.xml.root.tag == "score-timewise":
            holder = next(one for one in source.xml.root.all("measure") if first in one.children)
        barlines: dict[str, list[str]] = {"left": [], "right": []}
        for element in first.all("barline"):
            location = element.attributes.get("location", "right")
            if location in barlines:
                barlines[location].append(_without_ids(xml.raw(element)))
        times = [time for attributes in first.all("attributes") for time in attributes.all("time")]
        yield Frame(
            measure=measure.frame,
            attributes={
                name: holder.attributes[name]
                for name in ("number", "text", "implicit", "non-controlling")
                if name in holder.attributes
            },
            time=_on_one_line(_without_ids(xml.raw(times[0]))) if times else "",
            keys=tuple(
                (signature.step, signature.sounding, signature.mode)
                for signature in chosen
                if measure.start <= signature.step < measure.end
            ),
            left=tuple(map(_on_one_line, barlines["left"])),
            right=tuple(map(_on_one_line, barlines["right"])),
        )


def _without_ids(raw: str) -> str:
    """An element to be copied: an id may stand only once."""
    return re.sub(r"""\s(xml:)?id\s*=\s*("[^"]*"|'[^']*')""", "", raw)


def _on_one_line(raw: str) -> str:
    return re.sub(r">\s+<", "><", raw)


# One note


def _amend_note(xml: XmlText, piece: _Remains, measure: Measure) -> Iterator[Splice]:
    element = piece.element
    if not piece.left:
        yield from _as_rest(xml, element)
    elif piece.is_whole:
        yield from _retied(xml, element, piece)
    else:
        lines = _rewritten(xml, piece, measure)
        yield Splice(element.start, element.end, xml.indent(element).join(lines))


def _as_rest(xml: XmlText, element: Element) -> Iterator[Splice]:
    for child in element.children:
        if child.tag in ("pitch", "unpitched"):
            yield Splice(child.start, child.end, "<rest/>")
        elif child.tag in _OF_A_NOTE:
            yield _gone(xml, child)
    yield from _without(xml, element, lambda notation: notation.tag == "tied")


def _retied(xml: XmlText, element: Element, piece: _Remains) -> Iterator[Splice]:
    """A note that stays, without the ties to what is gone."""
    gone = {kind for kind, stays in (("stop", piece.tied_from), ("start", piece.tied_to)) if not stays}
    for tie in element.all("tie"):
        if tie.attributes.get("type") in gone:
            yield _gone(xml, tie)
    yield from _without(xml, element, lambda one: one.tag == "tied" and one.attributes.get("type") in gone)


def _without(xml: XmlText, element: Element, is_gone: Callable[[Element], bool]) -> Iterator[Splice]:
    """A note without some of its notations."""
    for notations in element.all("notations"):
        gone = [one for one in notations.children if is_gone(one)]
        if gone and len(gone) == len(notations.children):
            yield _gone(xml, notations)
        else:
            yield from (_gone(xml, one) for one in gone)


def _renamed(xml: XmlText, head: Element, other: Element, piece: _Remains | None) -> Iterator[Splice]:
    """The first note of a chord with the pitch and ties of another: what belongs to the whole chord stays with it."""
    pitch, own = head.first("pitch") or head.first("unpitched"), other.first("pitch") or other.first("unpitched")
    assert pitch is not None
    assert own is not None
    gone = set()
    if piece is not None:
        gone = {kind for kind, stays in (("stop", piece.tied_from), ("start", piece.tied_to)) if not stays}
    yield Splice(pitch.start, pitch.end, xml.raw(own))
    ties = "".join(xml.raw(tie) for tie in other.all("tie") if tie.attributes.get("type") not in gone)
    duration = head.first("duration")
    if duration is not None and ties:
        yield Splice(duration.end, duration.end, ties)
    for child in head.children:
        if child.tag in ("tie", "accidental", "notehead", "notehead-text"):
            yield _gone(xml, child)
    accidental = other.first("accidental")
    last = [child for child in head.children if child.tag in ("voice", "duration", "type", "dot")][-1:]
    if accidental is not None and last:
        yield Splice(last[0].end, last[0].end, xml.raw(accidental))
    yield from _without(xml, head, lambda one: one.tag == "tied")
    tied = "".join(
        xml.raw(one)
        for notations in other.all("notations")
        for one in notations.all("tied")
        if one.attributes.get("type") not in gone
    )
    if tied:
        before = [child for child in head.children if child.tag in (*_AFTER_VOICE, "voice", "duration", "notations")][
            -1
        ]
        yield Splice(before.end, before.end, f"<notations>{tied}</notations>")


def _gone(xml: XmlText, element: Element) -> Splice:
    """Without an element and the line that it stands on."""
    return Splice(element.start - len(xml.indent(element).encode()), element.end, "")


def _beamed_with(chords: Sequence[Sequence[Element]], at: int) -> range:
    """The chords under one beam with this one, itself included. Once it is written anew the beam no longer fits."""
    first = last = at
    voice = chords[at][0].text_of("voice")
    while first > 0 and _beam(chords[first][0]) not in ("", "begin") and chords[first - 1][0].text_of("voice") == voice:
        first -= 1
    while (
        last + 1 < len(chords)
        and _beam(chords[last][0]) not in ("", "end")
        and chords[last + 1][0].text_of("voice") == voice
    ):
        last += 1
    return range(first, last + 1)


def _beam(note: Element) -> str:
    return next((beam.text.strip() for beam in note.all("beam") if beam.attributes.get("number", "1") == "1"), "")


def _rewritten(
    xml: XmlText, piece: _Remains, measure: Measure, voice: str = "", around: tuple[Fraction, Fraction] | None = None
) -> list[str]:
    """A shortened note as the notes and rests that fill its time.

    Args:
        xml, piece, measure: as above.
        voice: another voice than the note's own.
        around: how many steps to go ahead before it and after it; negative to go back.
    """
    element = piece.element
    divisions = Fraction(element.text_of("duration")) * STEPS_PER_BEAT / (piece.end - piece.onset)
    offset = measure.offset + piece.onset - measure.start
    window = Measure(piece.onset, piece.end, measure.numerator, measure.denominator, offset)
    written = write_voice([Sound(span.onset, span.end, (Head(0, 0),)) for span in piece.left], [window])[0]
    lengths = [one.duration for one in written] + list(around or ())
    factor = math.lcm(*((length * divisions / STEPS_PER_BEAT).denominator for length in lengths))
    is_first = True
    lines = []
    for one in written:
        ties = [one.tied_from, one.tied_to]
        ties[0] |= one.onset == piece.onset and piece.tied_from
        ties[1] |= one.end == piece.end and piece.tied_to
        lines.append(_note(xml, element, one, divisions * factor, ties, is_first and bool(one.heads), voice))
        is_first &= not one.heads
    if around is not None:
        lines = [_moved(around[0], divisions * factor), *lines, _moved(around[1], divisions * factor)]
    if factor > 1:  # finer divisions than the part's, which then go on
        before, after = (
            f"<attributes><divisions>{number}</divisions></attributes>" for number in (divisions * factor, divisions)
        )
        lines = [before, *lines, after]
    return [line for line in lines if line]


def _moved(steps: Fraction, divisions: Fraction) -> str:
    duration = f"<duration>{abs(steps) * divisions / STEPS_PER_BEAT}</duration>"
    return "" if not steps else f"<forward>{duration}</forward>" if steps > 0 else f"<backup>{duration}</backup>"


def _note(
    xml: XmlText,
    element: Element,
    one: Written,
    divisions: Fraction,
    ties: Sequence[bool],
    is_first: bool,
    voice: str,
) -> str:
    """A piece of a note, or a rest; the first piece has what belonged to the note."""

    def copied(*tags: str) -> str:
        return "".join(xml.raw(child) for child in element.children if child.tag in tags)

    tag = xml.text[element.start : xml.inner_start(element)].decode() if is_first else "<note>"
    kinds = [kind for kind, is_so in zip(("stop", "start"), ties, strict=True) if is_so and one.heads]
    text = tag + (copied("pitch", "unpitched") if one.heads else "<rest/>")
    text += f"<duration>{one.duration * divisions / STEPS_PER_BEAT}</duration>"
    text += "".join(f'<tie type="{kind}"/>' for kind in kinds)
    text += copied("instrument") if one.heads else ""
    text += f"<voice>{voice}</voice>" if voice else copied("voice")
    text += (f"<type>{one.value}</type>" + "<dot/>" * one.n_dots) if one.value else ""
    text += copied("accidental") if is_first else ""
    text += copied("stem", "notehead") if one.heads else ""
    text += copied("staff")
    notations = "".join(f'<tied type="{kind}"/>' for kind in kinds)
    if is_first:
        for group in element.all("notations"):
            notations += "".join(xml.raw(child) for child in group.children if child.tag != "tied")
    text += f"<notations>{notations}</notations>" if notations else ""
    text += copied("lyric") if is_first else ""
    return text + "</note>"


def _apart(
    xml: XmlText, element: Element, measure: Measure, pieces: Collection[_Remains], cursor: Fraction
) -> Iterator[str]:
    """What is left of shortened notes of chords, each in a voice of its own at the end of the measure."""
    taken = {note.text_of("voice") for note in element.all("note")}
    for piece in sorted(pieces, key=lambda piece: (piece.onset, piece.element.start)):
        voice = next(str(number) for number in range(1, 10_000) if str(number) not in taken)
        taken.add(voice)
        around = piece.onset - measure.start - cursor, measure.start + cursor - piece.end
        indent = xml.indent(piece.element)
        yield "".join(indent + line for line in _rewritten(xml, piece, measure, voice, around))
