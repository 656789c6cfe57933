"""A part as MusicXML text: measures of notes, rests and signatures, for a score that exists or for a new one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ripieno.files.musicxml.text import escaped
from ripieno.music.chords import KINDS, Chord
from ripieno.music.notation import Head, Measure, Sound, Written, accidentals, spelled, write_voice
from ripieno.music.piece import Key, NewPart, Piece
from ripieno.music.pitch import LETTERS, letter_at, within_seven
from ripieno.music.roll import STEPS_PER_BEAT, RollNote
from ripieno.music.spelling import Unspelled, spell

ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
CLEFS = {
    "treble": ("G", 2, 0),
    "treble8": ("G", 2, -1),  # as tenors read
    "alto": ("C", 3, 0),
    "tenor": ("C", 4, 0),
    "bass": ("F", 4, 0),
}
NEW_ID = "ripieno-"  # the ids of new notes begin so
NO_HEAD: tuple[Head | None, ...] = (None,)


@dataclass(frozen=True)
class Frame:
    """A measure as all parts of a score have it."""

    measure: Measure
    attributes: Mapping[str, str]  # number, implicit
    time: str = ""  # a <time> element where the meter is new
    keys: tuple[tuple[Fraction, int, str], ...] = ()  # where the key is new: step, sharps as they sound, mode
    left: tuple[str, ...] = ()  # <barline> elements
    right: tuple[str, ...] = ()
    bpm: float | None = None  # a tempo that begins with the measure


@dataclass(frozen=True)
class Label:
    """What stands at a place of the score: a chord symbol above it, or words below."""

    step: Fraction
    text: str = ""
    chord: Chord | None = None


@dataclass(frozen=True)
class Staff:
    """The voices of a staff, the highest first."""

    clef: str  # one of CLEFS
    voices: tuple[tuple[Sound, ...], ...]


@dataclass(frozen=True)
class Sheet:
    """A part as it is to be written."""

    id: str
    name: str
    abbreviation: str
    program: int  # 0-127
    channel: int  # 0-15
    staves: tuple[Staff, ...]
    note_id: str = ""  # what the ids of its notes begin with; "": they have none
    colour: str = ""  # of its notes, as "#1F5FA8"
    diatonic: int = 0  # a transposing instrument sounds so many letters and semitones above what is written
    chromatic: int = 0
    fermatas: frozenset[Fraction] = field(default_factory=frozenset)  # notes that begin there have one
    labels: tuple[Label, ...] = ()  # in order of time
    syllables: Mapping[tuple[Fraction, int], str] = field(default_factory=dict)  # by onset and sounding pitch
    within: frozenset[Fraction] | None = None  # where a word goes on; None: where the syllable before says so
    melismas: frozenset[Fraction] = field(default_factory=frozenset)  # the end of a word, sung on several notes

    @property
    def fifths(self) -> int:
        """How far to the right on the line of fifths it sounds from what is written."""
        return 7 * self.chromatic - 12 * self.diatonic


def score_part(sheet: Sheet) -> list[str]:
    """The part's entry in the list of parts, in lines."""
    instrument = f"{sheet.id}-I1"
    lines = [f'<score-part id="{escaped(sheet.id)}">', f"  <part-name>{escaped(sheet.name)}</part-name>"]
    if sheet.abbreviation:
        lines.append(f"  <part-abbreviation>{escaped(sheet.abbreviation)}</part-abbreviation>")
    return [
        *lines,
        f'  <score-instrument id="{escaped(instrument)}">',
        f"    <instrument-name>{escaped(sheet.name or 'Instrument')}</instrument-name>",
        "  </score-instrument>",
        f'  <midi-instrument id="{escaped(instrument)}">',
        f"    <midi-channel>{sheet.channel + 1}</midi-channel>",
        f"    <midi-program>{sheet.program + 1}</midi-program>",
        "  </midi-instrument>",
        "</score-part>",
    ]


def measures_of(sheet: Sheet, frames: Sequence[Frame]) -> Iterator[list[str]]:
    """What a part has in each measure, in lines."""
    divisions = _divisions(sheet, frames)
    sheet = replace(sheet, staves=tuple(_as_read(staff, sheet) for staff in sheet.staves))
    written = [
        [write_voice(voice, [frame.measure for frame in frames]) for voice in staff.voices] for staff in sheet.staves
    ]
    sharps = 0
    number = 0
    word_goes_on = False
    for i, frame in enumerate(frames):
        lines = list(frame.left)
        keys = [(step, within_seven(n_sharps - sheet.fifths), mode) for step, n_sharps, mode in frame.keys]
        at_start = [key for key in keys if key[0] <= frame.measure.start]
        lines += _attributes(sheet, divisions if i == 0 else 0, at_start[-1:], frame.time)
        if frame.bpm is not None:
            lines += _tempo(frame.bpm)
        first_sharps = at_start[-1][1] if at_start else sharps
        later = [key for key in keys if key[0] > frame.measure.start]
        length = round((frame.measure.end - frame.measure.start) * divisions / STEPS_PER_BEAT)
        for j, staff in enumerate(sheet.staves):
            here = [written[j][voice][i] for voice in range(len(staff.voices))]
            # An empty voice is not written where another one of its staff has notes.
            full = [k for k, voice in enumerate(here) if any(one.heads for one in voice)] or [0]
            ordered = sorted(
                ((one.onset, k, n) for k in full for n, one in enumerate(here[k])),
            )
            signs = accidentals(
                [here[k][n] for _, k, n in ordered],
                [([first_sharps] + [key[1] for key in later if key[0] <= onset])[-1] for onset, _, _ in ordered],
            )
            shown = {(*ordered[place][1:], head): alteration for (place, head), alteration in signs.items()}
            for k in full:
                if k != full[0] or j > 0:
                    lines += ["<backup>", f"  <duration>{length}</duration>", "</backup>"]
                is_first = j == 0 and k == full[0]
                waiting = list(later) if is_first else []
                is_last = j == len(sheet.staves) - 1 and k == full[0]
                for n, one in enumerate(here[k]):
                    for label in sheet.labels:  # chord symbols above all staves, words below
                        if (is_last if label.chord is None else is_first) and one.onset <= label.step < one.end:
                            offset = (label.step - one.onset) * divisions / STEPS_PER_BEAT
                            lines.append(label_xml(label, offset, j + 1 if len(sheet.staves) > 1 else None))
                    while waiting and waiting[0][0] <= one.onset:
                        lines += _attributes(sheet, 0, [waiting.pop(0)], "")
                    stem = "" if len(full) == 1 else "up" if k == full[0] else "down"
                    sung = "" if one.tied_from else _sung(sheet, one)
                    for m, head in enumerate(one.heads or NO_HEAD):
                        number += head is not None
                        lines += _note(
                            sheet,
                            one,
                            head,
                            is_chord=m > 0,
                            divisions=divisions,
                            voice=4 * j + k + 1,
                            staff=j + 1 if len(sheet.staves) > 1 else 0,
                            stem=stem if head is not None else "",
                            accidental=shown.get((k, n, head)) if head is not None else None,
                            number=number,
                            lyric=_lyric(sheet, sung, one.onset, word_goes_on) if sung and m == 0 else (),
                        )
                    word_goes_on = sung.endswith("-") if sung else word_goes_on
        if later:
            first_sharps = later[-1][1]
        sharps = first_sharps
        lines += frame.right
        attributes = "".join(f' {name}="{escaped(value)}"' for name, value in frame.attributes.items())
        yield [f"<measure{attributes}>", *(f"  {line}" for line in lines), "</measure>"]


def voices_of(
    notes: Iterable[RollNote | tuple[Fraction, Fraction, int]], places: Mapping[tuple[Fraction, int], int]
) -> list[tuple[Sound, ...]]:
    """Notes as voices of chords, the highest first: what begins and ends together is a chord.

    Args:
        notes: in steps; as tuples onset, end, pitch.
        places: their names, by onset and pitch.
    """
    chords: dict[tuple[Fraction, Fraction], set[int]] = {}
    for note in notes:
        onset, end, pitch = (
            (Fraction(note.onset), Fraction(note.end), note.pitch) if isinstance(note, RollNote) else note
        )
        chords.setdefault((onset, end), set()).add(pitch)
    voices: list[list[Sound]] = []
    for (onset, end), pitches in sorted(chords.items(), key=lambda item: (item[0][0], -max(item[1]), item[0][1])):
        heads = tuple(Head(pitch, places[onset, pitch]) for pitch in sorted(pitches))
        free = [i for i, voice in enumerate(voices) if voice[-1].end <= onset]
        if free:
            top = heads[-1].pitch
            nearest = min(free, key=lambda i: (abs(voices[i][-1].heads[-1].pitch - top), i))
            voices[nearest].append(Sound(onset, end, heads))
        else:
            voices.append([Sound(onset, end, heads)])
    voices.sort(key=lambda voice: -sum(sound.heads[-1].pitch for sound in voice) / len(voice))
    return [tuple(voice) for voice in voices]


def names_of(
    piece: Piece, new_parts: Sequence[NewPart], known: Sequence[int] | None, keys: Sequence[Key] | None = None
) -> dict[tuple[Fraction, int], int]:
    """The names of all notes, by onset and pitch."""
    notes = [
        Unspelled(note.onset, note.end, note.pitch, None if known is None else known[note.id])
        for note in piece.notes
        if not piece.parts[note.part].is_drums
    ]
    # what one player sounds once may stand in the staves as two notes, of two voices
    written = {
        note
        for part in new_parts
        for line in (part.notes, *(v for staff in part.staves for v in staff))
        for note in line
    }
    notes += [Unspelled(Fraction(note.onset), Fraction(note.end), note.pitch) for note in sorted(written)]
    names = spell(notes, piece.keys if keys is None else keys)
    return {(note.onset, note.pitch): name for note, name in zip(notes, names, strict=True)}


def new_sheet(
    part: NewPart,
    id_: str,
    channel: int,
    number: int,
    places: dict[tuple[Fraction, int], int],
    colour: str,
    fermatas: frozenset[Fraction] = frozenset(),
) -> Sheet:
    """New notes as the part that they are written in; `number` stands in their ids, `places` names them."""
    onsets = [note.onset for note in part.notes]
    top = {note.onset: note.pitch for note in sorted(part.notes)}  # of those that begin together
    staves = []
    for voices in part.staves or ((part.notes,),):
        pitches = [note.pitch for voice in voices for note in voice]
        sounds = [sounds for voice in voices for sounds in voices_of(voice, places)]
        staves.append(Staff(part.clef or clef_for(pitches), tuple(sounds) or ((),)))
    return Sheet(
        id=id_,
        name=part.name,
        abbreviation=part.abbreviation,
        program=part.program,
        channel=channel,
        diatonic=part.diatonic,
        chromatic=part.chromatic,
        staves=tuple(staves),
        note_id=f"{NEW_ID}{number}-",
        colour=colour,
        fermatas=fermatas,
        syllables={(Fraction(one.step), top[one.step]): one.text for one in part.syllables},
        within=frozenset(Fraction(one.step) for one in part.syllables if one.is_within),
        melismas=frozenset(
            Fraction(one.step) for one in part.syllables if any(one.step < onset < one.until for onset in onsets)
        ),
    )


def free_channels(piece: Piece, nfree_channels: int) -> list[int]:
    """MIDI channels for new parts: those that no part has, as long as there are any."""
    free = [channel for channel in range(16) if channel != 9]
    taken = {part.channel for part in piece.parts}
    own = [channel for channel in free if channel not in taken] or free
    return [own[i % len(own)] for i in range(nfree_channels)]


def clef_for(pitches: Sequence[int]) -> str:
    """The clef in which pitches need the fewest ledger lines."""
    if not pitches:
        return "treble"
    # Middle C lies one ledger line from each: the middle lines are B4 (71) and D3 (50).
    return "treble" if sum(pitches) / len(pitches) >= 59 else "bass"


def time_xml(numerator: int, denominator: int) -> str:
    """A time signature."""
    return f"<time><beats>{numerator}</beats><beat-type>{denominator}</beat-type></time>"


def _as_read(staff: Staff, sheet: Sheet) -> Staff:
    """What a player of the part reads, who sounds it elsewhere."""

    def moved(sound: Sound) -> Sound:
        return replace(
            sound, heads=tuple(Head(head.pitch - sheet.chromatic, head.place - sheet.fifths) for head in sound.heads)
        )

    return replace(staff, voices=tuple(tuple(map(moved, voice)) for voice in staff.voices))


def label_xml(label: Label, offset: Fraction, staff: int | None = None) -> str:
    """A label, so many divisions after where it stands in the file, on one of several staves."""
    shown = f"{float(offset):g}"
    later = f"<offset>{shown}</offset>" if offset else ""
    if label.chord is None:
        words = f'<words font-size="10">{escaped(label.text)}</words>'
        later += "" if staff is None else f"<staff>{staff}</staff>"
        return f'<direction placement="below"><direction-type>{words}</direction-type>{later}</direction>'
    chord = label.chord
    plain = BASE_OF.get(chord.kind)
    kind, degrees = plain or (chord.kind, "")
    text = escaped(KINDS[chord.kind].symbols[0])
    bass = "" if chord.bass is None else f"<bass>{_root('bass', chord.bass)}</bass>"
    return (
        f"<harmony><root>{_root('root', chord.root)}</root>"
        f'<kind text="{text}">{kind}</kind>{bass}{degrees}{later}</harmony>'
    )


def _root(what: str, place: int) -> str:
    letter, alteration = letter_at(place)
    alter = f"<{what}-alter>{alteration}</{what}-alter>" if alteration else ""
    return f"<{what}-step>{LETTERS[letter]}</{what}-step>{alter}"


def _degree(value: int, alteration: int, how: str) -> str:
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alteration}</degree-alter>"
        f"<degree-type>{how}</degree-type></degree>"
    )


# Kinds that MusicXML makes of others
BASE_OF = {
    "dominant (suspended)": ("suspended-fourth", _degree(7, 0, "add")),
    "dominant (flat ninth)": ("dominant", _degree(9, -1, "add")),
    "major (ninth)": ("major", _degree(9, 0, "add")),
}


def _divisions(sheet: Sheet, frames: Sequence[Frame]) -> int:
    """Of a quarter note, so that every time is whole."""
    denominators = {1}
    for frame in frames:
        denominators |= {
            frame.measure.start.denominator,
            frame.measure.end.denominator,
            frame.measure.offset.denominator,
        }
    for staff in sheet.staves:
        for voice in staff.voices:
            for sound in voice:
                denominators |= {sound.onset.denominator, sound.end.denominator}
    # Pieces of tuplets end where binary ones of the same beat would: thirds bring sixths.
    least = math.lcm(*denominators)
    return STEPS_PER_BEAT * (least if least == 1 else 2 * least)


def _attributes(sheet: Sheet, divisions: int, key: Sequence[tuple[Fraction, int, str]], time: str) -> list[str]:
    """The <attributes> of a place; `divisions` only at the beginning of the part."""
    lines = [f"  <divisions>{divisions}</divisions>"] if divisions else []
    for _, n_sharps, mode in key:
        lines += ["  <key>", f"    <fifths>{n_sharps}</fifths>"]
        lines += [f"    <mode>{escaped(mode)}</mode>"] if mode else []
        lines.append("  </key>")
    if time:
        lines.append(f"  {time}")
    if divisions:
        if len(sheet.staves) > 1:
            lines.append(f"  <staves>{len(sheet.staves)}</staves>")
        for i, staff in enumerate(sheet.staves, start=1):
            sign, line, octave = CLEFS[staff.clef]
            number = f' number="{i}"' if len(sheet.staves) > 1 else ""
            lines += [f"  <clef{number}>", f"    <sign>{sign}</sign>", f"    <line>{line}</line>"]
            lines += [f"    <clef-octave-change>{octave}</clef-octave-change>"] if octave else []
            lines.append("  </clef>")
        if sheet.chromatic or sheet.diatonic:
            lines += _transpose(sheet)
    return ["<attributes>", *lines, "</attributes>"] if lines else []


def _transpose(sheet: Sheet) -> list[str]:
    octaves = int(sheet.chromatic / 12)
    lines = ["  <transpose>"]
    lines.append(f"    <diatonic>{sheet.diatonic - 7 * octaves}</diatonic>")
    lines.append(f"    <chromatic>{sheet.chromatic - 12 * octaves}</chromatic>")
    lines += [f"    <octave-change>{octaves}</octave-change>"] if octaves else []
    return [*lines, "  </transpose>"]


def _tempo(bpm: float) -> list[str]:
    return [
        '<direction placement="above">',
        "  <direction-type>",
        "    <metronome>",
        "      <beat-unit>quarter</beat-unit>",
        f"      <per-minute>{bpm:.4g}</per-minute>",
        "    </metronome>",
        "  </direction-type>",
        f'  <sound tempo="{bpm:.6g}"/>',
        "</direction>",
    ]


def _note(
    sheet: Sheet,
    one: Written,
    head: Head | None,
    *,
    is_chord: bool,
    divisions: int,
    voice: int,
    staff: int,
    stem: str,
    accidental: int | None,
    number: int,
    lyric: Sequence[str],
) -> list[str]:
    ties = [kind for kind, is_so in (("stop", one.tied_from), ("start", one.tied_to)) if is_so and head is not None]
    attributes = f' id="{escaped(sheet.note_id)}{number}"' if sheet.note_id and head is not None else ""
    attributes += f' color="{escaped(sheet.colour)}"' if sheet.colour and head is not None else ""
    lines = ["  <chord/>"] if is_chord else []
    if head is None:
        lines.append('  <rest measure="yes"/>' if one.is_whole_measure else "  <rest/>")
    else:
        lines += ["  <pitch>", *(f"    {line}" for line in pitch_of_head(head)), "  </pitch>"]
    lines.append(f"  <duration>{one.duration * divisions / STEPS_PER_BEAT}</duration>")
    lines += [f'  <tie type="{kind}"/>' for kind in ties]
    lines.append(f"  <voice>{voice}</voice>")
    if not one.is_whole_measure and one.value:
        lines += [f"  <type>{one.value}</type>", *["  <dot/>"] * one.n_dots]
    if accidental is not None:
        lines.append(f"  <accidental>{ACCIDENTALS[accidental]}</accidental>")
    if one.ratio is not None:
        actual, normal = one.ratio
        lines += ["  <time-modification>", f"    <actual-notes>{actual}</actual-notes>"]
        lines += [f"    <normal-notes>{normal}</normal-notes>", "  </time-modification>"]
    if stem:
        lines.append(f"  <stem>{stem}</stem>")
    if staff:
        lines.append(f"  <staff>{staff}</staff>")
    if not is_chord:
        lines += [f'  <beam number="{level}">{kind}</beam>' for level, kind in enumerate(one.beams, start=1)]
    notations = [f'<tied type="{kind}"/>' for kind in ties]
    if not is_chord:
        notations += ['<tuplet type="start"/>'] if one.tuplet_starts else []
        notations += ['<tuplet type="stop"/>'] if one.tuplet_stops else []
    if head is not None and not is_chord and one.onset in sheet.fermatas and not one.tied_from:
        notations.append('<fermata type="upright"/>')
    if notations:
        lines += ["  <notations>", *(f"    {notation}" for notation in notations), "  </notations>"]
    lines += lyric
    return [f"<note{attributes}>", *lines, "</note>"]


def _sung(sheet: Sheet, one: Written) -> str:
    return next(
        (text for head in one.heads if (text := sheet.syllables.get((one.onset, head.pitch + sheet.chromatic)))), ""
    )


def _lyric(sheet: Sheet, sung: str, onset: Fraction, word_goes_on: bool) -> list[str]:
    goes_on = word_goes_on if sheet.within is None else onset in sheet.within
    return lyric_xml(sung, goes_on, onset in sheet.melismas)


def lyric_xml(syllable: str, goes_on: bool, is_melisma: bool = False) -> list[str]:
    """A syllable under a note.

    Args:
        syllable: ends in a hyphen where its word goes on.
        goes_on: the one before it was of the same word.
        is_melisma: further notes are sung on it; a line says so at the end of a word, hyphens within one.
    """
    is_last = not syllable.endswith("-")
    syllabic = ("end" if is_last else "middle") if goes_on else ("single" if is_last else "begin")
    text = escaped(syllable.removesuffix("-"))
    lines = ['  <lyric number="1">', f"    <syllabic>{syllabic}</syllabic>", f"    <text>{text}</text>"]
    return [*lines, *(["    <extend/>"] if is_melisma and is_last else []), "  </lyric>"]


def pitch_of_head(head: Head) -> list[str]:
    """What stands in the <pitch> of a note head, in lines."""
    letter, alteration, octave = spelled(head)
    alter = [f"<alter>{alteration}</alter>"] if alteration else []
    return [f"<step>{LETTERS[letter]}</step>", *alter, f"<octave>{octave}</octave>"]
