"""What mido says of a file is the judge here; our own reader is not asked whether it kept what it read."""

import io
import os
import re
import zipfile
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.midi import MAX_STEPS, midi_bytes, not_written, parse_midi, read_midi, write_midi
from ripieno.files.musicxml.read import parse_musicxml
from ripieno.files.musicxml.write import musicxml_bytes
from ripieno.music.piece import (
    Key,
    Meter,
    NewPart,
    Part,
    Piece,
    Revision,
    Tempo,
    bar_starts,
    n_steps,
    piece_from_notes,
    remaining_notes,
    revise,
    roll_of_piece,
)
from ripieno.music.roll import RollNote

END = bytes.fromhex("00ff2f00")
MIDDLE_C = bytes.fromhex("00903c40 60803c40")  # 96 ticks

# Files by hand, for what mido cannot write


def smf(*tracks: bytes, form: int = 1, ticks_per_beat: int = 96) -> bytes:
    header = b"".join(number.to_bytes(2, "big") for number in (form, len(tracks), ticks_per_beat))
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track) for track in tracks)


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "big") + body


def chunks_of(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        found.append(data[at : at + size])
        at += size
    return found


# Files by mido


def load(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data))


def saved(*tracks: list[mido.Message], form: int = 1, ticks_per_beat: int = 96) -> bytes:
    file = io.BytesIO()
    mido.MidiFile(type=form, ticks_per_beat=ticks_per_beat, tracks=[mido.MidiTrack(track) for track in tracks]).save(
        file=file
    )
    return file.getvalue()


def note(pitch: int, ticks: int, wait: int = 0, channel: int = 0, velocity: int = 64) -> list[mido.Message]:
    return [
        mido.Message("note_on", note=pitch, velocity=velocity, channel=channel, time=wait),
        mido.Message("note_off", note=pitch, channel=channel, time=ticks),
    ]


def new_part(name: str, *notes: RollNote, program: int = 0, velocity: int = 64) -> NewPart:
    return NewPart(name, program, velocity, notes)


def notes_by_mido(track: list[mido.Message]) -> list[tuple[int, int, int, int, int]]:
    """(first tick, last tick, channel, pitch, velocity) of a track's notes, sorted."""
    found: list[tuple[int, int, int, int, int]] = []
    waiting: dict[tuple[int, int], deque[tuple[int, int, int, int]]] = {}
    now = 0
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        at_pitch = waiting.setdefault((message.channel, message.note), deque())
        if message.type == "note_on" and message.velocity:
            at_pitch.append((now, message.channel, message.note, message.velocity))
        elif at_pitch:
            first, on_channel, pitch, velocity = at_pitch.popleft()
            found.append((first, now, on_channel, pitch, velocity))
    never_ended = [one for at_pitch in waiting.values() for one in at_pitch]
    found += [(first, now, on_channel, pitch, velocity) for first, on_channel, pitch, velocity in never_ended]
    return sorted(found)


def notes_by_us(piece: Piece, ticks_per_beat: int, track: int) -> list[tuple[int, int, int, int, int]]:
    found = []
    for one in piece.notes:
        part = piece.parts[one.part]
        if part.track == track:
            first, last = one.onset * ticks_per_beat / 4, one.end * ticks_per_beat / 4
            assert first.denominator == last.denominator == 1
            found.append((int(first), int(last), part.channel, one.pitch, one.velocity))
    return sorted(found)


byte = st.integers(0, 127)
few = st.integers(58, 61)  # few pitches and channels, so that notes meet
channel = st.sampled_from([0, 0, 0, 1, 9, 15])
latin1 = st.text(st.characters(max_codepoint=255), max_size=6)
any_bytes = st.lists(st.integers(0, 255), max_size=6).map(tuple)
wait = st.integers(0, 150)


def message(kind, **values):
    return st.fixed_dictionaries({**values, "time": wait}).map(lambda given: mido.Message(kind, **given))


def meta(kind, **values):
    return st.fixed_dictionaries({**values, "time": wait}).map(lambda given: mido.MetaMessage(kind, **given))


messages = st.one_of(
    message("note_on", channel=channel, note=few, velocity=st.sampled_from([0, 1, 64, 127])),
    message("note_on", channel=channel, note=few, velocity=byte),
    message("note_off", channel=channel, note=few, velocity=byte),
    message("note_off", channel=channel, note=few, velocity=byte),
    message("polytouch", channel=channel, note=few, value=byte),
    message("control_change", channel=channel, control=byte, value=byte),
    message("program_change", channel=channel, program=byte),
    message("aftertouch", channel=channel, value=byte),
    message("pitchwheel", channel=channel, pitch=st.integers(-8192, 8191)),
    message("sysex", data=st.lists(byte, max_size=200).map(tuple)),
    meta("sequence_number", number=st.integers(0, 0xFFFF)),
    meta("text", text=latin1),
    meta("copyright", text=latin1),
    meta("track_name", name=latin1),
    meta("instrument_name", name=latin1),
    meta("lyrics", text=latin1),
    meta("marker", text=latin1),
    meta("device_name", name=latin1),
    meta("channel_prefix", channel=byte),
    meta("midi_port", port=byte),
    meta("set_tempo", tempo=st.integers(0, 0xFFFFFF)),
    meta("time_signature", numerator=st.integers(0, 255), denominator=st.sampled_from([1, 2, 4, 8, 16, 128])),
    meta("key_signature", key=st.sampled_from(["C", "F#m", "Cb", "A#m"])),
    meta("smpte_offset", frame_rate=st.sampled_from([24, 25, 29.97, 30]), hours=st.integers(0, 23)),
    meta("sequencer_specific", data=any_bytes),
    st.builds(lambda data, time: mido.UnknownMetaMessage(0x60, data=data, time=time), any_bytes, wait),
)
tracks = st.lists(messages, max_size=25)
# quarter notes of one tick, of three, of a prime number of ticks, of the usual, of the greatest number
resolutions = st.sampled_from([1, 3, 97, 96, 480, 32767])


@st.composite
def midi_files(draw, ticks_per_beat=resolutions):
    """A file of one to three tracks with at least one note, and time after the last event of each."""
    found = [draw(tracks) for _ in range(draw(st.integers(1, 3)))]
    found[-1] = note(60, draw(wait), draw(wait)) + found[-1]
    for track in found:
        track.append(mido.MetaMessage("end_of_track", time=draw(wait)))
    form = draw(st.integers(0, 1)) if len(found) == 1 else 1
    return saved(*found, form=form, ticks_per_beat=draw(ticks_per_beat))


new_parts = st.lists(
    st.builds(
        lambda program, notes: new_part("Alto", *sorted(notes), program=program),
        byte,
        st.sets(st.builds(RollNote, st.integers(0, 40), byte, st.integers(1, 9)), max_size=4),
    ),
    max_size=3,
)

# What is kept


@settings(max_examples=30)
@given(data=midi_files())
def test_a_piece_in_which_nothing_changed_is_written_as_it_was_read(data):
    assert midi_bytes(parse_midi(data, "song.mid")) == (data, [])


@settings(max_examples=30)
@given(data=midi_files(), parts=new_parts)
def test_every_event_of_the_file_is_still_there_beside_new_parts(data, parts):
    before = load(data)
    after = load(midi_bytes(parse_midi(data, "song.mid"), new_parts=parts)[0])
    assert after.tracks[: len(before.tracks)] == before.tracks
    assert len(after.tracks) == len(before.tracks) + len(parts)
    assert after.ticks_per_beat == before.ticks_per_beat
    assert after.type == (1 if parts else before.type)


@settings(max_examples=30)
@given(data=midi_files())
def test_the_notes_we_read_are_those_that_mido_sees(data):
    piece, file = parse_midi(data, "song.mid"), load(data)
    for number, track in enumerate(file.tracks):
        # The time before an event that it does not know is the one thing that mido gets wrong.
        if not any(isinstance(message, mido.UnknownMetaMessage) for message in track):
            assert notes_by_us(piece, file.ticks_per_beat, number) == notes_by_mido(track)
    assert [one.id for one in piece.notes] == list(range(len(piece.notes)))


def others(track: list[mido.Message]) -> list[tuple[int, list[int]]]:
    """When and what, for all of a track but its notes."""
    found, now = [], 0
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            found.append((now, message.bytes()))
    return found


@settings(max_examples=50)
@given(data=midi_files(ticks_per_beat=st.sampled_from([4, 96, 480])), picks=st.data())
def test_changed_notes_sound_as_revised_and_nothing_else_changes(data, picks):
    piece = parse_midi(data, "song.mid")
    length = min(n_steps(piece), 60)
    before = roll_of_piece(piece, 0, length)
    sounding = np.argwhere(before[0])
    after = before.copy()
    if len(sounding):
        for which in picks.draw(st.sets(st.integers(0, len(sounding) - 1), max_size=12)):
            after[0][tuple(sounding[which])] = False
    revision = revise(piece, before, after, 0)
    original, patched = load(data), load(midi_bytes(piece, revision)[0])
    left = replace(piece, notes=remaining_notes(piece, revision))
    touched = {piece.parts[piece.notes[one].part].track for one in revision.touched}
    for number, (track, changed) in enumerate(zip(original.tracks, patched.tracks, strict=True)):
        if number not in touched:
            assert changed == track
        elif not any(isinstance(message, mido.UnknownMetaMessage) for message in track):
            assert others(changed) == others(track)
            ours = notes_by_us(left, original.ticks_per_beat, number)
            theirs = notes_by_mido(changed)
            # Which of two notes that begin or end together on a pitch is which, a file does not say.
            for sides in (lambda one: (one[0], *one[2:]), lambda one: one[1:4]):
                assert sorted(map(sides, theirs)) == sorted(map(sides, ours))


def test_the_other_notes_keep_their_messages_when_one_is_shortened():
    release = mido.Message("note_off", note=64, velocity=33, time=96)
    track = [*note(60, 96), mido.Message("note_on", note=64, velocity=90), release, *note(62, 96)]
    piece = parse_midi(saved(track), "song.mid")
    before = roll_of_piece(piece, 0, 12)
    after = before.copy()
    after[0, 6:8, 64] = False
    (patched,) = load(midi_bytes(piece, revise(piece, before, after, 0))[0]).tracks
    assert patched[:3] == track[:3]
    assert patched[3] == release.copy(time=48)
    assert patched[4] == track[4].copy(time=48)
    assert patched[5:-1] == track[5:]


def test_a_note_cut_short_ends_before_and_begins_again_after_what_happens_at_that_time():
    track = [
        mido.Message("note_on", note=60),
        mido.Message("control_change", control=7, value=90, time=48),
        mido.Message("control_change", control=7, value=100, time=48),
        mido.Message("note_off", note=60, time=96),
    ]
    piece = parse_midi(saved(track), "song.mid")
    before = roll_of_piece(piece, 0, 8)
    after = before.copy()
    after[0, 2:4, 60] = False
    (patched,) = load(midi_bytes(piece, revise(piece, before, after, 0))[0]).tracks
    assert [one.type for one in patched] == [
        "note_on",
        "note_off",
        "control_change",
        "control_change",
        "note_on",
        "note_off",
        "end_of_track",
    ]


def test_a_dropped_note_leaves_its_lyric_and_the_time_of_what_follows():
    track = [*note(60, 96), mido.MetaMessage("lyrics", text="la"), *note(62, 96), *note(64, 96)]
    piece = parse_midi(saved(track), "song.mid")
    (patched,) = load(midi_bytes(piece, Revision({1: ()}))[0]).tracks
    assert patched[:3] == track[:3]
    assert patched[3] == track[5].copy(time=96)


def test_a_note_that_was_never_ended_can_be_cut_in_pieces():
    track = [mido.Message("note_on", note=60, velocity=70), mido.MetaMessage("end_of_track", time=192)]
    piece = parse_midi(saved(track), "song.mid")
    assert [float(one.end) for one in piece.notes] == [8]
    before = roll_of_piece(piece, 0, 8)
    after = before.copy()
    after[0, 3, 60] = False
    (patched,) = load(midi_bytes(piece, revise(piece, before, after, 0))[0]).tracks
    assert notes_by_mido(patched) == [(0, 72, 0, 60, 70), (96, 192, 0, 60, 70)]


ODD_EVENTS = {
    "an unknown event after a wait": "30 ff60 01 01",
    "a sysex in two packets": "00 f0 03 430102 0a f7 02 03f7",
    "a real-time message in an escape": "00 f7 01 f8",
    "a sysex without an end": "00 f0 03 430102",
    "nine sharps": "00 ff59 02 09 00",
    "a mode that is neither": "00 ff59 02 00 07",
    "a tempo of two bytes": "00 ff51 02 0700",
    "a tempo of nothing": "00 ff51 03 000000",
    "film frames that nobody counts": "00 ff54 05 e000000000",
    "a sequence number of no bytes": "00 ff00 00",
    "no beats to a bar": "00 ff58 04 00021808",
    "a numeral in four bytes": "80808000 ff01 01 41",
    "half of a UTF-8 letter": "00 ff03 02 c3a9 00 ff01 01 e2",
    "a clock message": "00 f8",
    "running status across an event": "00 903e40 00 ff0100 10 3e00",
}


@pytest.mark.parametrize("odd", ODD_EVENTS.values(), ids=ODD_EVENTS.keys())
def test_an_odd_event_stops_nobody_and_leaves_as_it_came(odd):
    data = smf(bytes.fromhex(odd) + MIDDLE_C + MIDDLE_C + END)
    piece = parse_midi(data, "song.mid")
    written, _ = midi_bytes(piece, new_parts=[new_part("Alto", RollNote(0, 55, 4))])
    assert chunks_of(written)[1] == chunks_of(data)[1]
    # also where its track is put together anew: two events are missing, the rest has its bytes and its time
    last = len(piece.notes) - 1
    patched = parse_midi(midi_bytes(piece, Revision({last: ()}))[0], "song.mid")
    gone = piece.source.places[last]
    events = piece.source.tracks[0]
    assert patched.source.tracks[0] == tuple(event for i, event in enumerate(events) if i not in (gone.on, gone.off))


def test_an_unknown_event_does_not_move_what_follows_it():
    piece = parse_midi(smf(bytes.fromhex("30ff6000") + MIDDLE_C + END), "song.mid")
    assert piece.notes[0].onset == 2


def test_what_is_not_a_track_is_kept_too():
    data = smf(MIDDLE_C + END + b"padding")
    long_header = chunk(b"MThd", data[8:14] + b"more")
    data = long_header + chunk(b"XFIH", b"karaoke") + data[14:] + chunk(b"XFKM", b"karaoke") + b"!"
    piece = parse_midi(data, "song.mid")
    assert midi_bytes(piece)[0] == data
    written, _ = midi_bytes(piece, new_parts=[new_part("Alto", RollNote(0, 55, 4))])
    assert written.endswith(chunk(b"XFKM", b"karaoke") + b"!")
    assert data[18 : -len(chunk(b"XFKM", b"karaoke")) - 1] in written
    assert written[8:18] == bytes.fromhex("0001 0002 0060") + b"more"


# What is new


def added_to(data: bytes, *parts: NewPart) -> tuple[mido.MidiFile, list[str]]:
    written, remarks = midi_bytes(parse_midi(data, "song.mid"), new_parts=parts)
    return load(written), remarks


def test_a_new_part_is_a_track_with_a_name_an_instrument_and_a_channel_of_its_own():
    data = saved(note(72, 96, channel=0), [mido.Message("control_change", channel=1, control=7, value=90)])
    alto = new_part("Alto", RollNote(0, 60, 4), RollNote(4, 60, 2), program=19, velocity=50)
    tenor = new_part("Tenor", RollNote(0, 55, 4), program=19)
    file, remarks = added_to(data, alto, tenor)
    assert file.tracks[2] == [
        mido.MetaMessage("track_name", name="Alto"),
        mido.Message("program_change", channel=2, program=19),
        mido.Message("note_on", channel=2, note=60, velocity=50),
        mido.Message("note_off", channel=2, note=60, velocity=64, time=96),
        mido.Message("note_on", channel=2, note=60, velocity=50),
        mido.Message("note_off", channel=2, note=60, velocity=64, time=48),
        mido.MetaMessage("end_of_track"),
    ]
    assert {message.channel for message in file.tracks[3] if not message.is_meta} == {3}
    assert remarks == []


def test_a_new_part_never_takes_the_drums_channel():
    taken = [message for channel in range(9) for message in note(60, 0, channel=channel)]
    file, remarks = added_to(saved(taken), new_part("Alto", RollNote(0, 60, 4)))
    assert {one[2] for one in notes_by_mido(file.tracks[1])} == {10}
    assert remarks == []


def test_a_new_part_shares_a_channel_where_all_are_taken_and_says_so():
    taken = [mido.Message("program_change", channel=4, program=19)]
    taken += [message for channel in range(16) if channel != 9 for message in note(60, 96, channel=channel)]
    taken += [message for channel in range(16) if channel not in (7, 9) for message in note(62, 96, channel=channel)]
    organ, flute = (
        new_part("Alto", RollNote(0, 55, 4), program=19),
        new_part("Flute", RollNote(0, 79, 4), program=73),
    )
    file, remarks = added_to(saved(taken), organ, flute)
    # the organ goes to the organ that is there, the flute where least is going on
    assert [{one[2] for one in notes_by_mido(track)} for track in file.tracks[1:]] == [{4}, {7}]
    assert not any(message.type == "program_change" for track in file.tracks[1:] for message in track)
    assert remarks == [
        "All 15 channels are taken: Alto shares channel 5",
        "All 15 channels are taken: Flute shares channel 8 and sounds with its instrument",
    ]


def test_new_parts_of_one_instrument_share_the_last_free_channel():
    taken = [message for channel in range(16) if channel not in (3, 9) for message in note(60, 96, channel=channel)]
    choir = [new_part(name, RollNote(0, 55, 4), program=52) for name in ("Alto", "Tenor")]
    file, remarks = added_to(saved(taken), *choir)
    assert [{one[2] for one in notes_by_mido(track)} for track in file.tracks[1:]] == [{3}, {3}]
    assert remarks == ["All 15 channels are taken: Tenor shares channel 4"]


@given(ticks_per_beat=st.integers(1, 32767), steps=st.sets(st.integers(0, 500), min_size=2, max_size=5))
def test_new_notes_begin_and_end_on_the_nearest_tick_and_none_is_without_length(ticks_per_beat, steps):
    bounds = sorted(steps)
    notes = tuple(RollNote(first, 60, last - first) for first, last in pairwise(bounds))
    file, remarks = added_to(saved(note(72, 96), ticks_per_beat=ticks_per_beat), new_part("Alto", *notes))
    for (first, last, *_), new in zip(notes_by_mido(file.tracks[1]), notes, strict=True):
        assert abs(first - Fraction(new.onset * ticks_per_beat, 4)) <= Fraction(1, 2)
        assert last > first
        assert last == first + 1 or abs(last - Fraction(new.end * ticks_per_beat, 4)) <= Fraction(1, 2)
    assert bool(remarks) == (ticks_per_beat < 48 and ticks_per_beat % 4 > 0)


# A piece without a source


def test_a_piece_made_in_python_becomes_a_file_that_says_the_same():
    piece = replace(
        piece_from_notes([RollNote(0, 60, 4), RollNote(4, 64, 12)], bpm=92, meter=(3, 8), name="Étude", program=52),
        keys=(
            Key(step=Fraction(0), tonic=8, mode="major", n_sharps=-4),
            Key(step=Fraction(8), tonic=6, mode="minor", n_sharps=3),
        ),
    )
    again = parse_midi(midi_bytes(piece)[0], "etude.mid")
    assert again.notes == piece.notes
    assert again.parts == (replace(piece.parts[0], track=1),)
    assert (again.meters, again.keys, again.name) == (piece.meters, piece.keys, piece.name)
    assert again.tempos[0].bpm == pytest.approx(92, abs=1e-4)


def test_a_revision_and_new_parts_are_written_also_without_a_source():
    piece = piece_from_notes([RollNote(0, 72, 4), RollNote(4, 74, 4)])
    before = roll_of_piece(piece, 0, 8)
    after = before.copy()
    after[0, 2:6, [72, 74]] = False
    written, _ = midi_bytes(piece, revise(piece, before, after, 0), [new_part("Bass", RollNote(0, 48, 8))])
    _, melody, bass = load(written).tracks
    assert [one[:2] for one in notes_by_mido(melody)] == [(0, 240), (720, 960)]
    assert [one[:3] for one in notes_by_mido(bass)] == [(0, 960, 1)]


# What a file says


def test_a_file_s_tempos_meters_keys_and_names_are_read():
    conductor = [
        mido.MetaMessage("track_name", name="Air"),
        mido.MetaMessage("set_tempo", tempo=500000),
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
        mido.MetaMessage("key_signature", key="F#m"),
        mido.MetaMessage("key_signature", key="Ab", time=288),
        mido.MetaMessage("set_tempo", tempo=1000000),
    ]
    choir = [
        mido.MetaMessage("instrument_name", name="Choir"),
        mido.Message("program_change", program=52),
        *note(60, 96),
    ]
    piece = parse_midi(saved(conductor, choir), "air.mid")
    assert piece.name == "Air"
    assert piece.tempos == (Tempo(step=Fraction(0), bpm=120), Tempo(step=Fraction(12), bpm=60))
    assert piece.meters == (Meter(step=Fraction(0), numerator=3, denominator=4),)
    assert [(key.tonic, key.mode, key.n_sharps) for key in piece.keys] == [(6, "minor", 3), (8, "major", -4)]
    assert piece.parts == (Part(name="Choir", program=52, channel=0, track=1),)


def test_each_channel_of_a_track_is_a_part():
    track = [
        mido.MetaMessage("track_name", name="Everything"),
        mido.Message("program_change", channel=3, program=7),
        *note(60, 96, channel=3),
        mido.Message("program_change", channel=3, program=8),
        *note(38, 96, channel=9),
        *note(62, 96, channel=0),
    ]
    piece = parse_midi(saved(track, form=0), "song.mid")
    assert piece.name == "Everything"
    assert [(part.channel, part.program, part.is_drums) for part in piece.parts] == [
        (0, 0, False),
        (3, 7, False),
        (9, 0, True),
    ]
    assert [(one.part, one.pitch) for one in piece.notes] == [(1, 60), (2, 38), (0, 62)]


def test_an_instrument_may_be_chosen_in_another_track():
    elsewhere = [mido.Message("program_change", program=40), mido.Message("program_change", channel=1, program=41)]
    own = [mido.Message("program_change", channel=1, program=42), *note(60, 96, channel=1)]
    piece = parse_midi(saved(elsewhere, note(72, 96), own), "song.mid")
    assert [part.program for part in piece.parts] == [40, 42]


def test_a_note_off_ends_the_oldest_note_of_its_pitch():
    track = [
        mido.Message("note_on", note=60, velocity=1),
        mido.Message("note_on", note=60, velocity=2, time=24),
        mido.Message("note_on", note=60, velocity=0, time=24),  # a note-off in disguise
        mido.Message("note_off", note=60, time=24),
        mido.Message("note_off", note=60, time=24),  # of no note
    ]
    piece = parse_midi(saved(track), "song.mid")
    assert [(one.velocity, float(one.onset), float(one.end)) for one in piece.notes] == [(1, 0, 2), (2, 1, 3)]


def test_a_note_without_length_is_kept():
    assert parse_midi(saved(note(60, 0, wait=24)), "song.mid").notes[0].duration == 0


# Bad input


GOOD = smf(MIDDLE_C + END, MIDDLE_C + END)

BAD_FILES = {
    "empty": (b"", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a MIDI file"),
    "letters": (b"MThd", "cut short"),
    "half a header": (GOOD[:11], "cut short"),
    "half a track": (GOOD[:30], "cut short: 2 tracks were promised and 0 are whole"),
    "a track too few": (GOOD[: -len(chunk(b"MTrk", MIDDLE_C + END))], "2 tracks were promised and 1 are whole"),
    "no tracks": (smf(), "has no notes"),
    "no notes": (smf(END), "has no notes"),
    "only drums": (smf(bytes.fromhex("00992640 60892640") + END), "nothing but drums"),
    "format 2": (smf(MIDDLE_C + END, form=2), "format 2"),
    "format 3": (smf(MIDDLE_C + END, form=3), "format 3"),
    "SMPTE": (smf(MIDDLE_C + END, ticks_per_beat=0xE728), "SMPTE"),
    "no ticks": (smf(MIDDLE_C + END, ticks_per_beat=0), "no ticks to a quarter note"),
    "no status": (smf(bytes.fromhex("003c40") + END), "an event without a status byte"),
    "unknown status": (smf(bytes.fromhex("00f43c40") + END), "no event begins with 0xf4"),
    "a great velocity": (smf(bytes.fromhex("00903cff60803c40") + END), "a number over 127"),
    "half an event": (smf(MIDDLE_C + bytes.fromhex("00903c")), "cut off"),
    "half a text": (smf(MIDDLE_C + bytes.fromhex("00ff01094142")), "cut off"),
    "an endless number": (smf(MIDDLE_C + b"\xff" * 9), "cut off"),
    "a note in the year 3000": (smf(bytes.fromhex("8fffff7f903c40 60803c40") + END), f"more than the {MAX_STEPS:,}"),
}


@pytest.mark.parametrize(("data", "says"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_cannot_be_used_is_one_clear_line(data, says, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=says) as caught:
        read_midi(path)
    assert str(caught.value).startswith("song.mid ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.mid does not exist"):
        read_midi(tmp_path / "nowhere.mid")
    with pytest.raises(BadInput, match="is a folder"):
        read_midi(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_midi(tmp_path / ("long" * 200 + ".mid"))


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "song.mid")
    with pytest.raises(BadInput, match="not an ordinary file"):
        read_midi(tmp_path / "song.mid")


@settings(max_examples=30)
@given(data=midi_files(), cut=st.integers(1, 10_000))
def test_a_truncated_file_is_never_read(data, cut):
    with pytest.raises(BadInput):
        parse_midi(data[: -1 - cut % len(data)], "song.mid")


@settings(max_examples=100)
@given(data=midi_files(), damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6))
def test_a_damaged_file_is_read_or_refused_but_never_crashes(data, damage):
    spoilt = bytearray(data)
    for where, value in damage:
        spoilt[where % len(data)] = value
    try:
        piece = parse_midi(bytes(spoilt), "song.mid")
    except BadInput:
        return
    assert midi_bytes(piece)[0] == bytes(spoilt)


# Writing to disk


def test_a_file_is_written_whole(tmp_path):
    piece = piece_from_notes([RollNote(0, 60, 4)])
    assert write_midi(piece, tmp_path / "song.mid", new_parts=[new_part("Bass", RollNote(0, 48, 4))]) == []
    assert len(read_midi(tmp_path / "song.mid").parts) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["song.mid"]


def test_a_missing_output_folder_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="there is no folder"):
        write_midi(piece_from_notes([RollNote(0, 60, 4)]), tmp_path / "nowhere" / "song.mid")


# Corpora


def assert_kept(path: Path) -> None:
    data = path.read_bytes()
    piece = read_midi(path)
    parts = [new_part("Alto", RollNote(0, 60, 4)), new_part("Bass", RollNote(0, 48, 4))]
    before, after = load(data), load(midi_bytes(piece, new_parts=parts)[0])
    assert after.tracks[: len(before.tracks)] == before.tracks
    assert len(after.tracks) == len(before.tracks) + 2
    for number, track in enumerate(before.tracks):
        assert notes_by_us(piece, before.ticks_per_beat, number) == notes_by_mido(track)


@pytest.mark.corpus
def test_every_event_of_six_published_tunes_is_kept(data_folder):
    tunes = sorted((data_folder / "melodies" / "deepcomposer").glob("*.midi"))
    assert len(tunes) == 6
    for tune in tunes:
        assert_kept(tune)


@pytest.mark.corpus
@pytest.mark.slow
def test_every_event_of_infinite_bach_is_kept(data_folder, tmp_path):
    with zipfile.ZipFile(data_folder / "infinite-bach" / "midi.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.endswith(".mid")]
        assert len(names) == 498
        for name in names:
            assert_kept(Path(archive.extract(name, tmp_path)))


# Words and bars, from one kind of file to the other


def a_song(words: Sequence[tuple[int, str]]) -> bytes:
    """Quarter notes C4 D4 E4 F4 in a track, and what is sung at some of its quarters."""
    track = mido.MidiTrack()
    for quarter, pitch in enumerate((60, 62, 64, 65)):
        track += [mido.MetaMessage("lyrics", text=text) for at, text in words if at == quarter]
        track += [mido.Message("note_on", note=pitch), mido.Message("note_off", note=pitch, time=480)]
    file = io.BytesIO()
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(file=file)
    return file.getvalue()


def lyrics(data: bytes) -> list[str]:
    file = mido.MidiFile(file=io.BytesIO(data))
    return [event.text for track in file.tracks for event in track if event.type == "lyrics"]


@pytest.mark.parametrize(
    "words",
    [
        [(0, "A-"), (1, "ma-"), (2, "zing"), (3, "grace")],  # hyphens
        [(0, "A"), (1, "ma"), (2, "zing "), (3, "grace ")],  # spaces
    ],
)
def test_words_go_into_a_score_and_back(words: list[tuple[int, str]]) -> None:
    piece = parse_midi(a_song(words), "song.mid")
    assert [note.syllable for note in piece.notes] == ["A-", "ma-", "zing", "grace"]
    score, _ = musicxml_bytes(piece)
    shown = re.findall(r"<syllabic>(\w+)</syllabic>\s*<text>(\w+)</text>", score.decode())
    assert shown == [("begin", "A"), ("middle", "ma"), ("end", "zing"), ("single", "grace")]
    again = parse_musicxml(score, "song.musicxml")
    assert [note.syllable for note in again.notes] == ["A-", "ma-", "zing", "grace"]
    data, _ = midi_bytes(again)
    assert lyrics(data) == ["A-", "ma-", "zing ", "grace "]
    assert [note.syllable for note in parse_midi(data, "song.mid").notes] == ["A-", "ma-", "zing", "grace"]


def test_of_two_verses_a_score_has_the_first_and_says_so() -> None:
    piece = parse_midi(a_song([(0, "one"), (0, "two"), (1, "more"), (2, "")]), "song.mid")
    assert [note.syllable for note in piece.notes] == ["one", "more", "", ""]
    assert not_written(piece) == ["2 of 4 syllables stay in the MIDI file: a second verse, or where no note begins"]
    assert lyrics(midi_bytes(piece)[0]) == ["one", "two", "more", ""]  # its own file keeps all


@pytest.mark.parametrize(("pickup", "meter"), [("1/4", "3/4"), ("3/8", "4/4"), ("1/16", "2/4")])
def test_a_pickup_goes_into_a_score_and_back(pickup: str, meter: str) -> None:
    signatures = [[int(number) for number in text.split("/")] for text in (pickup, meter)]
    steps = 16 * signatures[0][0] // signatures[0][1]
    notes = [RollNote(0, 60, steps), *(RollNote(steps + 4 * i, 62 + i % 5, 4) for i in range(16))]
    piece = replace(
        piece_from_notes(notes),
        meters=tuple(
            Meter(step=Fraction(at), numerator=n, denominator=d)
            for at, (n, d) in zip((0, steps), signatures, strict=True)
        ),
    )
    score, _ = musicxml_bytes(piece)
    data, _ = midi_bytes(parse_musicxml(score, "tune.musicxml"))
    again = parse_midi(data, "tune.mid")
    assert [(m.step, m.numerator, m.denominator) for m in again.meters] == [
        (0, *signatures[0]),
        (steps, *signatures[1]),
    ]
    assert bar_starts(again)[:3] == bar_starts(piece)[:3]
