"""Voices are the piece's parts, or what its chords are split into, and each cell knows its note."""

from fractions import Fraction

import numpy as np

from ripieno.music.piece import Note, Part, Piece, piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.music.singers import singers_of
from ripieno.music.understanding import understand


def piece_of(lines: dict[str, list[tuple[int, int, int]]]) -> Piece:
    """Parts by name: pitch, onset, duration."""
    notes = [(part, *note) for part, own in enumerate(lines.values()) for note in own]
    return Piece(
        notes=tuple(
            Note(id=i, part=part, pitch=pitch, onset=Fraction(onset), duration=Fraction(duration))
            for i, (part, pitch, onset, duration) in enumerate(notes)
        ),
        parts=tuple(Part(name=name) for name in lines),
    )


def test_parts_are_voices_from_the_highest_to_the_lowest() -> None:
    piece = piece_of({"Bass": [(48, 0, 8)], "Soprano": [(72, 0, 4), (72, 4, 4)], "Alto": [(65, 0, 8)]})
    singers = singers_of(piece, understand(piece))
    assert singers.names == ("Soprano", "Alto", "Bass")
    assert singers.are_parts
    assert singers.voices[0].tolist() == [72, 65, 48]
    assert singers.ids[5].tolist() == [2, 3, 0]
    assert np.argwhere(singers.onsets).tolist() == [[0, 0], [0, 1], [0, 2], [4, 0]]


def test_parts_without_names_of_their_own_are_called_as_voices_are() -> None:
    piece = piece_of({"a": [(72, 0, 8)], "b": [(48, 0, 8)]})
    named = Piece(notes=piece.notes, parts=(Part(name="Piano"), Part(name="Piano")))
    assert singers_of(named, understand(named)).names == ("Soprano", "Bass")


def test_chords_are_split_into_voices() -> None:
    chords = [(72, 67, 64, 48), (71, 67, 62, 43)]
    piece = piece_from_notes([RollNote(4 * i, p, 4) for i, chord in enumerate(chords) for p in chord])
    singers = singers_of(piece, understand(piece))
    assert not singers.are_parts
    assert singers.voices[[0, 4]].tolist() == [[72, 67, 64, 48], [71, 67, 62, 43]]
    for step, voice in np.argwhere(singers.ids >= 0):
        assert piece.notes[singers.ids[step, voice]].pitch == singers.voices[step, voice]


def test_what_sounds_beside_four_voices_is_counted() -> None:
    piece = piece_from_notes([RollNote(0, pitch, 4) for pitch in (48, 55, 60, 64, 67, 72)])
    assert singers_of(piece, understand(piece)).n_unsung == 2


def test_legato_is_still_a_line() -> None:
    piece = piece_from_notes([RollNote(0, 60, 17), RollNote(16, 62, 16), RollNote(32, 64, 16)])
    singers = singers_of(piece, understand(piece))
    assert singers.are_parts
    assert singers.voices[15:17, 0].tolist() == [60, 62]


def test_a_region_that_begins_late_keeps_its_notes_apart() -> None:
    piece = piece_from_notes([RollNote(32, 60, 4), RollNote(36, 62, 4)], meter=(4, 4))
    reading = understand(piece)
    singers = singers_of(piece, reading)
    assert reading.start == 32
    assert singers.voices[:9, 0].tolist() == [60] * 4 + [62] * 4 + [-1]
