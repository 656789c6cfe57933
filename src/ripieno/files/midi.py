"""Standard MIDI Files: in as a `Piece`, out again by patching the file that it came from.

A source is kept as the bytes it was, so what we do not model (controllers, lyrics, sysex, events nobody knows) leaves
as it came. A track in which none of the piece's notes changed is copied to the byte. One in which some did is put
together anew from its events: all but those of the changed notes keep their bytes and their time.

The tests compare both sides with mido. We do not read with it, because its messages do not hold every file: it drops
the time before an event that it does not know, and with it moves all that follows; makes a sysex of a continuation
packet (F7); refuses a file for a key signature of nine sharps or a tempo of two bytes, or for a chunk that is no track.
"""

from __future__ import annotations

import math
import struct
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

from ripieno.errors import BadInput
from ripieno.files.door import bytes_of
from ripieno.music.piece import (
    Key,
    Meter,
    NewPart,
    Note,
    Part,
    Piece,
    Revision,
    Span,
    Tempo,
    n_steps,
    one_tempo,
    remaining_notes,
)
from ripieno.music.roll import STEPS_PER_BEAT
from ripieno.whole import whole_file

DRUMS = 9  # the channel that musicians call 10
N_CHANNELS = 16
MAX_STEPS = 100_000  # 6,250 bars of 4/4; a longer one is a fault of the file
TICKS_PER_BEAT = 480  # of a file that we write from nothing: whole ticks for triplets and quintuplets of sixteenths
COARSE_TICKS_PER_BEAT = 48  # below it half a tick can be heard: 5 ms at 120 quarter notes a minute

NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0
SYSEX, ESCAPE, META = 0xF0, 0xF7, 0xFF
TRACK_NAME, INSTRUMENT_NAME, LYRIC, MARKER = 0x03, 0x04, 0x05, 0x06
END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x2F, 0x51, 0x58, 0x59
# Data bytes after a status byte, by its upper half; system messages, which files rarely hold, by the whole of it.
N_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
N_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}


class Event(NamedTuple):
    """One event of a track: its bytes as in the file, with the status byte that the file may have left out."""

    tick: int  # from the file's beginning
    data: bytes


class EventPlace(NamedTuple):
    """Where in the source a note is: its track, and the indexes there of the events that begin and end it."""

    track: int
    on: int
    off: int | None  # none: it sounds until the track ends


@dataclass(frozen=True)
class MidiSource:
    """A file as it was read, and where the piece's notes are in it."""

    header: bytes
    chunks: tuple[tuple[bytes, bytes], ...]  # (name, contents), up to the last track
    rest: bytes  # what follows the last track
    tracks: tuple[tuple[Event, ...], ...]
    places: tuple[EventPlace, ...]  # by Note.id

    @property
    def ticks_per_beat(self) -> int:
        """Ticks in a quarter note."""
        return int.from_bytes(self.header[4:6], "big")


def read_midi(path: Path) -> Piece:
    """Read a Standard MIDI File of format 0 or 1.

    Raises:
        BadInput: there is no such file, or nothing in it that we can use; one line says what and what to do.
    """
    return parse_midi(bytes_of(path, "MIDI"), path.name)


def parse_midi(data: bytes, name: str) -> Piece:
    """Read a Standard MIDI File from its bytes; `name` is what an error calls it.

    Raises:
        BadInput: as `read_midi`.
    """
    header, chunks, rest = _split_file(data, name)
    bodies = [body for kind, body in chunks if kind == b"MTrk"]
    tracks = tuple(tuple(_split_track(body, number, name)) for number, body in enumerate(bodies, start=1))
    ticks_per_beat = int.from_bytes(header[4:6], "big")

    def position(tick: int) -> Fraction:
        return Fraction(tick * STEPS_PER_BEAT, ticks_per_beat)

    sounded = sorted(
        (note for number, events in enumerate(tracks) for note in _pair(events, number)),
        key=lambda note: (note.on_tick, note.place.track, note.channel, note.pitch, note.place.on),
    )
    if not sounded:
        raise BadInput(f"{name} has no notes; choose a file with a melody in it")
    if all(note.channel == DRUMS for note in sounded):
        raise BadInput(f"{name} has nothing but drums (channel 10); choose a file with a melody in it")
    lines = sorted({(note.place.track, note.channel) for note in sounded})
    words = _words(tracks, sounded)
    piece = Piece(
        notes=tuple(
            Note(
                id=i,
                part=lines.index((note.place.track, note.channel)),
                pitch=note.pitch,
                onset=position(note.on_tick),
                duration=position(note.off_tick - note.on_tick),
                velocity=note.velocity,
                syllable=words.get(note.place, ""),
            )
            for i, note in enumerate(sounded)
        ),
        parts=_parts(lines, tracks, sounded),
        tempos=tuple(
            Tempo(step=position(tick), bpm=60e6 / int.from_bytes(data, "big"))
            for tick, data in _metas(tracks, SET_TEMPO)
            if len(data) == 3 and any(data)
        ),
        meters=tuple(
            Meter(step=position(tick), numerator=data[0], denominator=2 ** data[1])
            for tick, data in _metas(tracks, TIME_SIGNATURE)
            if len(data) >= 2 and data[0] > 0 and data[1] <= 6  # shorter than a 64th is a fault of the file
        ),
        keys=tuple(_key(position(tick), data) for tick, data in _metas(tracks, KEY_SIGNATURE) if _is_key(data)),
        # In a file of several tracks the first is named after the piece, unless it is itself a part of it.
        name=_name(tracks[0]) if len(tracks) == 1 or lines[0][0] > 0 else "",
        source=MidiSource(header, chunks, rest, tracks, tuple(note.place for note in sounded)),
    )
    if n_steps(piece) > MAX_STEPS:
        raise BadInput(
            f"{name} lasts {n_steps(piece):,} sixteenths, more than the {MAX_STEPS:,} that are read: "
            "cut it, or see whether one note lies far behind the others"
        )
    return piece


def write_midi(
    piece: Piece, path: Path, revision: Revision | None = None, new_parts: Sequence[NewPart] = ()
) -> list[str]:
    """Write a piece: its source with the changes patched in, or a new file if it has none.

    Args:
        piece: left untouched.
        path: replaced only once the new file is whole.
        revision: says which of the piece's own notes are dropped or shortened. Its new notes are not written: a caller
            gives them to parts.
        new_parts: each becomes a track after the others, on a channel of its own.

    Returns:
        What a listener may notice that was not asked for, one line each; mostly nothing.

    Raises:
        BadInput: the file cannot be written there.
    """
    data, remarks = midi_bytes(piece, revision, new_parts)
    with whole_file(path) as file:
        file.write(data)
    return remarks


def midi_bytes(
    piece: Piece, revision: Revision | None = None, new_parts: Sequence[NewPart] = ()
) -> tuple[bytes, list[str]]:
    """The file that `write_midi` writes, and its remarks."""
    revision = revision or Revision()
    source = piece.source if isinstance(piece.source, MidiSource) else None
    ticks_per_beat = source.ticks_per_beat if source else TICKS_PER_BEAT
    if source:
        chunks = _patched_chunks(piece, source, revision)
        # A channel with any event at all is taken: its volume or bend would colour the new part.
        taken = {data[0] & 0x0F for events in source.tracks for _, data in events if NOTE_OFF <= data[0] < SYSEX}
        form = int.from_bytes(source.header[:2], "big")
        header, rest = source.header, source.rest
    else:
        tempos = piece.tempos if revision.bpm is None else one_tempo(revision.bpm)
        chunks = _new_chunks(replace(piece, tempos=tempos), remaining_notes(piece, revision))
        taken = {part.channel for part in piece.parts}
        form, header, rest = 1, struct.pack(">HHH", 1, 0, ticks_per_beat), b""
    channels, remarks = _channels_for(new_parts, taken, piece)
    for part, (channel, is_its_own) in zip(new_parts, channels, strict=True):
        spans = [_ticks(note.onset, note.end, ticks_per_beat) for note in part.notes]
        sounded = [(*span, note.pitch, part.velocity) for span, note in zip(spans, part.notes, strict=True)]
        # On a shared channel a program change would change the other part's instrument.
        words = {_tick(one.step, ticks_per_beat): one.text for one in part.syllables}
        chunks.append((b"MTrk", _part_track(part.name, channel, part.program if is_its_own else None, sounded, words)))
    is_changed = bool(new_parts or revision.touched or revision.pitches)
    if is_changed and ticks_per_beat < COARSE_TICKS_PER_BEAT and ticks_per_beat % STEPS_PER_BEAT:
        remarks.append(
            f"The file counts only {ticks_per_beat} ticks to a quarter note, so that new notes may begin or end "
            "a little off their sixteenth"
        )
    n_tracks = sum(kind == b"MTrk" for kind, _ in chunks)
    # A file of format 0 has one track by definition; as the first track of a format 1 file it may stay as it is.
    header = struct.pack(">HH", 1 if new_parts else form, n_tracks) + header[4:]
    return b"".join(_chunk(kind, body) for kind, body in [(b"MThd", header), *chunks]) + rest, remarks


# Reading


class _Sounded(NamedTuple):
    channel: int
    pitch: int
    velocity: int
    on_tick: int
    off_tick: int
    place: EventPlace


def _split_file(data: bytes, name: str) -> tuple[bytes, tuple[tuple[bytes, bytes], ...], bytes]:
    """The header's contents, the chunks up to the last track that it promises, and what is left."""
    again = "copy or export it again"
    if not data:
        raise BadInput(f"{name} is empty; {again}")
    if not data.startswith(b"MThd"):
        raise BadInput(
            f"{name} is not a MIDI file; expected one (.mid), or a score as MusicXML, which notation programs export"
        )
    size = int.from_bytes(data[4:8], "big")
    header, at = data[8 : 8 + size], 8 + size
    if len(header) < max(size, 6):
        raise BadInput(f"{name} is cut short in its first {len(data)} bytes; {again}")
    form, n_tracks, division = struct.unpack(">HHH", header[:6])
    if form == 2:
        raise BadInput(f"{name} is of format 2, a set of patterns and not a piece; export it as format 0 or 1")
    if form > 2:
        raise BadInput(f"{name} is of format {form}; expected a MIDI file of format 0 or 1")
    if division >= 0x8000:
        raise BadInput(f"{name} counts time in film frames (SMPTE); export it with ticks to a quarter note")
    if division == 0:
        raise BadInput(f"{name} is damaged: it has no ticks to a quarter note; {again}")
    chunks: list[tuple[bytes, bytes]] = []
    n_read = 0
    while n_read < n_tracks:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 8 : at + 8 + size]
        if at + 8 + size > len(data):
            raise BadInput(f"{name} is cut short: {n_tracks} tracks were promised and {n_read} are whole; {again}")
        chunks.append((kind, body))
        n_read += kind == b"MTrk"
        at += 8 + size
    return header, tuple(chunks), data[at:]


def _split_track(body: bytes, number: int, name: str) -> Iterable[Event]:
    at = tick = 0
    running: int | None = None

    def damaged(what: str) -> BadInput:
        return BadInput(f"{name} is damaged: track {number}, byte {at}: {what}; copy or export it again")

    while at < len(body):
        try:
            delta, at = _read_number(body, at)
            tick += delta
            status = body[at]
            if status in (META, SYSEX, ESCAPE):
                length, begin = _read_number(body, at + (2 if status == META else 1))
                end = begin + length
                if status == META and body[at + 1] == END_OF_TRACK:
                    end = len(body)  # whatever follows the end of a track is none of its events
                data = body[at:end]
            else:
                if status >= 0x80:
                    at += 1
                    running = status if status < SYSEX else running
                elif running is None:
                    raise damaged("an event without a status byte")
                else:
                    status = running
                n_bytes = N_DATA_BYTES.get(status & 0xF0, N_SYSTEM_BYTES.get(status))
                if n_bytes is None:
                    raise damaged(f"no event begins with {status:#x}")
                end = at + n_bytes
                data = bytes((status, *body[at:end]))
                if any(byte > 127 for byte in data[1:]):
                    raise damaged("a number over 127 within an event")
        except (IndexError, OverflowError):
            raise damaged("its last event is cut off") from None
        if end > len(body):
            raise damaged("its last event is cut off")
        yield Event(tick, data)
        at = end


def _read_number(body: bytes, at: int) -> tuple[int, int]:
    """A number of up to four bytes with seven bits each, and where it stops."""
    value = 0
    for i in range(at, at + 4):
        value = value << 7 | body[i] & 0x7F
        if body[i] < 0x80:
            return value, i + 1
    raise OverflowError


def _pair(events: Sequence[Event], track: int) -> Iterable[_Sounded]:
    """The notes of a track: a note-off ends the oldest note that still sounds at its pitch."""
    sounding: dict[tuple[int, int], deque[tuple[int, int]]] = {}

    def note(channel: int, pitch: int, on: int, velocity: int, off: int | None) -> _Sounded:
        off_tick = events[-1 if off is None else off].tick
        return _Sounded(channel, pitch, velocity, events[on].tick, off_tick, EventPlace(track, on, off))

    for i, (_, data) in enumerate(events):
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        if kind == NOTE_ON and data[2] > 0:
            sounding.setdefault((channel, data[1]), deque()).append((i, data[2]))
        elif kind in (NOTE_ON, NOTE_OFF) and (waiting := sounding.get((channel, data[1]))):
            yield note(channel, data[1], *waiting.popleft(), off=i)
    for (channel, pitch), waiting in sounding.items():
        for on, velocity in waiting:
            yield note(channel, pitch, on, velocity, off=None)


def _parts(
    lines: Sequence[tuple[int, int]], tracks: Sequence[Sequence[Event]], sounded: Sequence[_Sounded]
) -> tuple[Part, ...]:
    first_note: dict[tuple[int, int], int] = {}
    for note in sounded:
        first_note.setdefault((note.place.track, note.channel), note.on_tick)
    changes = [
        (event.data[0] & 0x0F, event.tick, track, event.data[1])
        for track, events in enumerate(tracks)
        for event in events
        if event.data[0] & 0xF0 == PROGRAM
    ]
    parts = []
    for track, channel in lines:
        # A program may be set in another track: channels belong to the whole file. The track's own has the last word.
        in_force = [
            (where == track, tick, program)
            for on, tick, where, program in changes
            if on == channel and tick <= first_note[track, channel]
        ]
        # Not the greatest program but the last one: of equals `sorted` keeps the order of the file.
        last = sorted(in_force, key=lambda change: change[:2])[-1:]
        parts.append(
            Part(
                name=_name(tracks[track]),
                program=last[0][2] if last else 0,
                channel=channel,
                is_drums=channel == DRUMS,
                track=track,
            )
        )
    return tuple(parts)


def _metas(tracks: Sequence[Sequence[Event]], kind: int) -> list[tuple[int, bytes]]:
    """The contents of all meta events of a kind, in order of time; the last one of a tick counts."""
    found = ((tick, _contents(data)) for events in tracks for tick, data in events if data[:2] == bytes((META, kind)))
    return sorted(dict(sorted(found, key=lambda event: event[0])).items())


def _contents(meta: bytes) -> bytes:
    return meta[_read_number(meta, 2)[1] :]


def _name(events: Sequence[Event]) -> str:
    for kind in (TRACK_NAME, INSTRUMENT_NAME):
        for _, data in events:
            if data[:2] == bytes((META, kind)):
                return _text(_contents(data).strip(b"\0 "))
    return ""


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # the standard says ASCII; files hold both of these


def _words(tracks: Sequence[Sequence[Event]], sounded: Sequence[_Sounded]) -> dict[EventPlace, str]:
    """The syllable of each note that has one: the highest that begins in the syllable's track and tick.

    Files write that a word goes on with a hyphen, or, if other words end in a space, with none.
    """
    highest: dict[tuple[int, int], _Sounded] = {}
    for note in sounded:
        at = note.place.track, note.on_tick
        if at not in highest or note.pitch > highest[at].pitch:
            highest[at] = note
    words: dict[EventPlace, str] = {}
    for track, events in enumerate(tracks):
        found = [(tick, _text(_contents(data))) for tick, data in events if data[:2] == bytes((META, LYRIC))]
        has_spaces = any(text[-1:].isspace() for _, text in found)
        for tick, text in found:
            syllable = text.strip("\0\r\n\t /\\")
            if syllable and (track, tick) in highest:
                goes_on = has_spaces and not text[-1:].isspace() and not syllable.endswith("-")
                words.setdefault(highest[track, tick].place, syllable + "-" * goes_on)  # of two verses the first
    return words


def not_written(piece: Piece) -> list[str]:
    """What of a MIDI file a score made of it does not hold, one line each."""
    source = piece.source
    if not isinstance(source, MidiSource):
        return []
    said = []
    n_words = sum(data[:2] == bytes((META, LYRIC)) for events in source.tracks for _, data in events)
    n_sung = sum(bool(note.syllable) for note in piece.notes)
    if n_words > n_sung:
        why = "a second verse, or where no note begins"
        said.append(f"{n_words - n_sung} of {n_words} syllables stay in the MIDI file: {why}")
    markers = [_text(data) for _, data in _metas(source.tracks, MARKER)]
    if markers:
        said.append(f"Markers stay in the MIDI file: {', '.join(markers[:4])}{', ...' if len(markers) > 4 else ''}")
    return said


def _is_key(data: bytes) -> bool:
    return len(data) >= 2 and (data[0] <= 7 or data[0] >= 249) and data[1] <= 1


def _key(step: Fraction, data: bytes) -> Key:
    n_sharps = int.from_bytes(data[:1], "big", signed=True)
    mode: Literal["major", "minor"] = "minor" if data[1] else "major"
    return Key(step=step, tonic=(7 * n_sharps + 9 * data[1]) % 12, mode=mode, n_sharps=n_sharps)


# Writing


def _patched_chunks(piece: Piece, source: MidiSource, revision: Revision) -> list[tuple[bytes, bytes]]:
    touched: dict[int, list[int]] = {}
    for note in {**revision.touched, **revision.pitches}:
        touched.setdefault(source.places[note].track, []).append(note)
    chunks = []
    track = 0
    for kind, body in source.chunks:
        if kind == b"MTrk":
            if track in touched or revision.bpm is not None:
                events = _patched_events(piece, source, revision, track, touched.get(track, ()))
                if revision.bpm is not None:
                    events = _at_one_tempo(events, revision.bpm if track == 0 else None)
                body = _track_body(events)
            track += 1
        chunks.append((kind, body))
    return chunks


def _patched_events(
    piece: Piece, source: MidiSource, revision: Revision, track: int, touched: Iterable[int]
) -> list[Event]:
    """The events of a track with some of its notes dropped, shortened or cut in pieces."""
    events = source.tracks[track]
    gone: set[int] = set()
    # New note-offs come before, new note-ons after, what the source has at the same time.
    added: list[tuple[int, int, int, bytes]] = []
    for number in touched:
        note, place = piece.notes[number], source.places[number]
        spans = revision.touched.get(number, (Span(note.onset, note.end),))
        pitch = revision.pitches.get(number, note.pitch)
        on = events[place.on]
        off_tick = events[-1 if place.off is None else place.off].tick
        silenced = bytes((on.data[0] - NOTE_ON + NOTE_OFF, note.pitch, 64))
        off_data = silenced if place.off is None else events[place.off].data
        is_same_pitch = pitch == note.pitch
        on_data, off_data = (bytes((data[0], pitch, *data[2:])) for data in (on.data, off_data))
        if not spans or spans[0].onset != note.onset or not is_same_pitch:
            gone.add(place.on)
        if place.off is not None and (not spans or spans[-1].end != note.end or not is_same_pitch):
            gone.add(place.off)
        for span in spans:
            first, last = _ticks(span.onset, span.end, source.ticks_per_beat)
            first, last = (on.tick if span.onset == note.onset else first), (off_tick if span.end == note.end else last)
            last = max(last, on.tick + 1) if span.onset == note.onset else last
            if span.onset != note.onset or not is_same_pitch:
                added.append((min(first, last - 1), 2, 0, on_data))
            if span.end != note.end or not is_same_pitch:
                added.append((last, 0, 0, off_data))
    kept = [(event.tick, 1, i, event.data) for i, event in enumerate(events) if i not in gone]
    return [Event(tick, data) for tick, _, _, data in sorted(kept + added)]


def _at_one_tempo(events: Sequence[Event], bpm: float | None) -> list[Event]:
    """The events of a track without its tempos, and with another at the beginning if it is given."""
    kept = [event for event in events if event.data[:2] != bytes((META, SET_TEMPO))]
    return kept if bpm is None else [Event(0, _tempo(bpm)), *kept]


def _tempo(bpm: float) -> bytes:
    microseconds = min(max(round(60e6 / bpm), 1), 0xFFFFFF)
    return _meta(SET_TEMPO, microseconds.to_bytes(3, "big"))


def _channels_for(
    new_parts: Sequence[NewPart], taken: set[int], piece: Piece
) -> tuple[list[tuple[int, bool]], list[str]]:
    """A channel for each new part and whether it may choose its instrument there, and what to say of it."""
    free = [channel for channel in range(N_CHANNELS) if channel not in taken and channel != DRUMS]
    programs = {part.channel: part.program for part in piece.parts if not part.is_drums}
    n_notes = Counter(piece.parts[note.part].channel for note in piece.notes)
    channels, remarks = [], []
    for part in new_parts:
        if free:
            channel = free.pop(0)
            programs[channel] = part.program
            channels.append((channel, True))
        else:
            alike = [channel for channel in programs if programs[channel] == part.program]
            others = [channel for channel in range(N_CHANNELS) if channel != DRUMS]
            channel = min(alike or others, key=lambda channel: n_notes[channel])
            sound = "" if alike else " and sounds with its instrument"
            remarks.append(f"All 15 channels are taken: {part.name} shares channel {channel + 1}{sound}")
            channels.append((channel, False))
        n_notes[channel] += len(part.notes)
    return channels, remarks


def _new_chunks(piece: Piece, notes: Sequence[Note]) -> list[tuple[bytes, bytes]]:
    """A piece without a source: one track for its tempos, meters and keys, one for each part."""
    events = [Event(0, _meta(TRACK_NAME, piece.name.encode()))]
    for tempo in piece.tempos:
        events.append(Event(_tick(tempo.step), _tempo(tempo.bpm)))
    for meter in _meters_of_bars(piece):
        # 24 clocks to a click of the metronome, 8 thirty-seconds to a quarter note: the usual ones.
        data = bytes((meter.numerator, meter.denominator.bit_length() - 1, 24, 8))
        events.append(Event(_tick(meter.step), _meta(TIME_SIGNATURE, data)))
    for key in piece.keys:
        data = bytes((key.n_sharps % 256, key.mode == "minor"))
        events.append(Event(_tick(key.step), _meta(KEY_SIGNATURE, data)))
    events.sort(key=lambda event: event.tick)
    bodies = [_track_body([*events, Event(events[-1].tick, _meta(END_OF_TRACK, b""))])]
    for i, part in enumerate(piece.parts):
        sounded = [
            (*_ticks(note.onset, note.end, TICKS_PER_BEAT), note.pitch, note.velocity)
            for note in notes
            if note.part == i
        ]
        words = {_tick(note.onset): note.syllable for note in notes if note.part == i and note.syllable}
        bodies.append(_part_track(part.name, part.channel, part.program, sounded, words))
    return [(b"MTrk", body) for body in bodies]


def _meters_of_bars(piece: Piece) -> list[Meter]:
    """The meters of a file whose bars are to lie where the piece's do: a pickup is a short bar before its meter.

    What comes short later, as where a repeat cuts a bar in two, is one bar in `Piece.bars`; the last may end early.
    """
    starts = [bar.step for bar in piece.bars]
    if len(starts) < 2:
        return list(piece.meters)
    in_force = [meter for meter in piece.meters if meter.step <= starts[0]][-1:]
    length = starts[1] - starts[0]
    if not in_force or length >= in_force[0].steps_per_bar or in_force[0].step < starts[0]:
        return list(piece.meters)
    denominator = max(4, 16 // math.gcd(16, int(length)) if length.denominator == 1 else 16 * length.denominator)
    numerator = length * denominator / 16
    is_power = denominator & (denominator - 1) == 0 and denominator <= 64
    if not is_power or numerator.denominator != 1 or numerator > 255:
        return list(piece.meters)
    pickup = Meter(step=starts[0], numerator=int(numerator), denominator=denominator)
    rest = [meter for meter in piece.meters if meter.step > starts[0]]
    if not rest or rest[0].step > starts[1]:
        rest.insert(0, replace(in_force[0], step=starts[1]))
    return [pickup, *rest]


def _part_track(
    name: str,
    channel: int,
    program: int | None,
    sounded: Iterable[tuple[int, int, int, int]],
    words: Mapping[int, str] | None = None,
) -> bytes:
    """A track of notes (first tick, last tick, pitch, velocity) and what is sung at some ticks."""
    events = [Event(0, _meta(TRACK_NAME, name.encode()))]
    if program is not None:
        events.append(Event(0, bytes((PROGRAM | channel, program))))
    notes = []
    for first, last, pitch, velocity in sounded:
        notes.append(Event(first, bytes((NOTE_ON | channel, pitch, velocity))))
        notes.append(Event(last, bytes((NOTE_OFF | channel, pitch, 64))))
    notes.sort()  # at the same time note-offs come first: their status byte is the lower one
    # words end in a space, and go on in a hyphen: so both ways of reading lyrics see which do
    shown = {tick: text if text.endswith("-") else f"{text} " for tick, text in (words or {}).items()}
    sung = [Event(tick, _meta(LYRIC, text.encode())) for tick, text in shown.items()]
    events += sorted([*notes, *sung], key=lambda event: (event.tick, _order(event.data)))
    return _track_body([*events, Event(events[-1].tick, _meta(END_OF_TRACK, b""))])


def _order(data: bytes) -> int:
    """Within a tick: what ends, words, what begins."""
    return {NOTE_OFF: 0, NOTE_ON: 2}.get(data[0] & 0xF0, 1)


def _ticks(onset: Fraction | int, end: Fraction | int, ticks_per_beat: int) -> tuple[int, int]:
    """The ticks on which a note begins and ends, at least one apart."""
    first = _tick(onset, ticks_per_beat)
    return first, max(_tick(end, ticks_per_beat), first + 1)


def _tick(position: Fraction | int, ticks_per_beat: int = TICKS_PER_BEAT) -> int:
    """The tick nearest to a position in steps."""
    return int(Fraction(position) * ticks_per_beat / STEPS_PER_BEAT + Fraction(1, 2))


def _meta(kind: int, contents: bytes) -> bytes:
    return bytes((META, kind)) + _number(len(contents)) + contents


def _track_body(events: Iterable[Event]) -> bytes:
    body = bytearray()
    now = 0
    for tick, data in events:
        body += _number(tick - now) + data
        now = tick
    return bytes(body)


def _number(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "big") + body
