from __future__ import annotations

import runpy
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.midi import read_midi
from ripieno.music.harmony import key_name, key_of
from ripieno.music.piece import Meter, Part, PhraseMark, Piece, Tempo, bar_starts, piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.music.segmentation import MOST_GUESSED
from ripieno.music.understanding import Reading, blank, given_bass, steps_of_bars, understand, with_phrases
from tests.pace import n_calls

EXAMPLES = Path(__file__).parents[2] / "examples"

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]  # C major
BASS = [48, 53, 43, 48, 50, 43, 45, 50, 43, 48]  # I IV V I ii V vi ii V I


def tune(
    pitches: Sequence[int], length: int = 4, start: int = 0, meter: tuple[int, int] | None = (4, 4), name: str = ""
) -> Piece:
    """Even notes, one after the other."""
    notes = [RollNote(start + i * length, pitch, length) for i, pitch in enumerate(pitches)]
    return piece_from_notes(notes, meter=meter, name=name)


def together(*pieces: Piece, drums: int | None = None) -> Piece:
    """Pieces of one part each as the parts of one piece."""
    notes = [replace(note, part=i) for i, piece in enumerate(pieces) for note in piece.notes]
    notes.sort(key=lambda note: note.onset)
    return replace(
        pieces[0],
        notes=tuple(replace(note, id=i) for i, note in enumerate(notes)),
        parts=tuple(replace(piece.parts[0], is_drums=i == drums) for i, piece in enumerate(pieces)),
    )


def melody_pitches(piece: Piece, melody: str | None = None) -> list[int]:
    reading = understand(piece, melody=melody)
    return [note.pitch for note in piece.notes if note.id in reading.melody_notes]


# The melody


def test_what_a_piece_costs_hangs_on_its_notes_and_not_on_how_many_parts_they_are_in():
    def shared_out(n_parts: int) -> Piece:
        parts = [
            tune([48 + (5 * i + part) % 30 for i in range(192 // n_parts)], name="Bass") for part in range(n_parts)
        ]
        return together(*parts)

    def cost(n_parts: int) -> int:
        piece = shared_out(n_parts)
        return n_calls(lambda: given_bass(piece, understand(piece)))

    assert cost(48) < 2 * cost(3)


def test_a_melody_is_found_exactly_though_no_tick_divides_its_times():
    """An ornament within each beat, all of other denominators, and the same an octave below it."""
    primes = [n for n in range(2, 1000) if all(n % i for i in range(2, n))][-100:]
    ornaments = [
        replace(note, onset=note.onset + Fraction(1, prime), duration=Fraction(1, prime))
        for note, prime in zip(tune([60] * 100).notes, primes, strict=True)
    ]
    below = [replace(note, id=100 + i, pitch=48) for i, note in enumerate(ornaments)]
    piece = replace(tune([60]), notes=(*ornaments, *below))
    assert understand(piece).melody_notes == frozenset(range(100))


def test_a_tune_alone_is_the_top_however_low_unless_it_moves_like_a_bass():
    assert understand(tune(SCALE)).melody == "top"
    assert understand(tune([pitch - 24 for pitch in SCALE])).melody == "top"
    assert understand(tune(BASS)).melody == "bass"
    assert understand(tune(BASS), melody="top").melody == "top"
    assert understand(tune([pitch + 24 for pitch in BASS])).melody == "top", "too high for one"


def test_where_it_may_be_either_the_first_line_says_so_and_how_to_overrule():
    few = understand(tune([48, 50, 48]))
    assert few.melody == "bass"
    assert few.sentence().startswith("Melody: bass line of track 1 (guessed: if it is a tune, say --melody top). 4/4")
    either = understand(tune([48, 43, 45, 47, 48, 53, 52, 53, 48]))
    assert either.sentence().startswith("Melody: top line of track 1 (guessed: if it is a bass, say --melody bass). ")
    for sure in (tune(SCALE), tune([52, 52, 53, 55, 55, 53, 52, 50, 48, 48, 50, 52, 52, 50, 50]), tune(BASS)):
        assert understand(sure).is_melody_sure
    assert understand(tune([48, 50, 48]), melody="top").is_melody_sure


def test_an_inner_tune_is_moved_by_octaves_until_it_is_a_tenor_or_an_alto():
    for octaves, shift in ((0, 0), (1, -12), (-1, 12), (3, -36)):
        reading = understand(tune([pitch - 5 + 12 * octaves for pitch in SCALE]), melody="inner")
        assert (reading.melody, reading.shift) == ("inner", shift)
        assert any("no tenor's or alto's" in warning for warning in reading.warnings) == bool(shift)


def test_a_tune_that_ranges_too_far_for_an_inner_line_is_refused():
    with pytest.raises(BadInput, match="from C 3 to C 6 ranges too far for an inner line"):
        understand(tune([48, 84] * 4), melody="inner")


@pytest.mark.parametrize(
    ("name", "octaves", "is_given"), [("Bass", 1, True), ("", 2, True), ("Second voice", 1, False)]
)
def test_a_bass_that_is_there_is_known_by_its_name_or_by_how_low_it_is(name: str, octaves: int, is_given: bool):
    lower = tune([pitch - 12 * octaves for pitch in reversed(SCALE)])
    lower = replace(lower, parts=(replace(lower.parts[0], name=name),))
    piece = together(tune(SCALE), lower)
    piece = replace(piece, parts=(replace(piece.parts[0], name="Melody"), piece.parts[1]))
    bass = given_bass(piece, understand(piece))
    assert (bass is not None) == is_given
    if bass is not None:
        assert bass[::4].tolist() == [pitch - 12 * octaves for pitch in reversed(SCALE)]
    assert given_bass(tune(SCALE), understand(tune(SCALE))) is None


@pytest.mark.parametrize("overlap", [Fraction(0), Fraction(1, 16)])
def test_an_ornament_shorter_than_a_sixteenth_takes_nothing_from_the_melody(overlap: Fraction):
    """A turn of 32nds: two of its notes begin in one step, and neither is over the other."""
    plain = tune([69, 67, 64, 62, 64, 67, 69, 62])
    half = Fraction(1, 2)
    turn = [
        replace(plain.notes[0], pitch=pitch, onset=i * half, duration=half + overlap)
        for i, pitch in enumerate((69, 71, 69))
    ] + [replace(plain.notes[0], onset=3 * half, duration=Fraction(5, 2))]
    notes = [*turn, *plain.notes[1:]]
    piece = replace(plain, notes=tuple(replace(note, id=i) for i, note in enumerate(notes)))
    assert melody_pitches(piece) == [note.pitch for note in notes]


@pytest.mark.parametrize(
    ("name", "role"), [("Alto", "inner"), ("Tenor 1", "inner"), ("Alto sax", "top"), ("Double bass", "bass")]
)
def test_a_tune_alone_is_what_its_name_says(name, role):
    assert understand(tune(SCALE, name=name)).melody == role


def test_the_line_is_the_melody_step_by_step_with_its_rests():
    piece = piece_from_notes([RollNote(0, 72, 4), RollNote(6, 74, 2), RollNote(8, 76, 8)], meter=(4, 4))
    assert understand(piece).line.tolist() == [72] * 4 + [-1] * 2 + [74] * 2 + [76] * 8


def test_the_top_line_of_chords_is_their_highest_notes():
    chords = [(48, 64, 67, 72), (50, 65, 69, 74), (43, 62, 67, 71), (48, 64, 67, 72)]
    notes = [RollNote(4 * i, pitch, 4) for i, chord in enumerate(chords) for pitch in chord]
    piece = piece_from_notes(notes, meter=(4, 4))
    assert melody_pitches(piece) == [72, 74, 71, 72]
    assert melody_pitches(piece, melody="bass") == [48, 50, 43, 48]


def test_an_accompaniment_is_no_melody_where_the_melody_rests():
    bass = [RollNote(4 * i, (48, 55)[i % 2], 4) for i in range(8)]
    piece = piece_from_notes([*bass, RollNote(0, 72, 8), RollNote(8, 76, 4), RollNote(16, 74, 12)], meter=(4, 4))
    assert melody_pitches(piece) == [72, 76, 74]
    assert understand(piece).line[12:16].tolist() == [-1] * 4


def test_a_player_who_holds_notes_over_into_the_next_still_plays_one_line():
    piece = piece_from_notes([RollNote(4 * i, pitch, 5) for i, pitch in enumerate(reversed(SCALE))], meter=(4, 4))
    assert melody_pitches(piece) == list(reversed(SCALE))
    assert understand(piece).line[3:6].tolist() == [72, 72, 71]  # while both sound, the higher one


def test_of_several_parts_the_melody_is_found_by_height_or_name():
    low, middle, high = (tune([pitch + shift for pitch in SCALE]) for shift in (-24, 0, 12))
    assert understand(together(low, middle, high)).part == 2
    named = together(low, replace(middle, parts=(Part(name="Lead vocal"),)), high)
    reading = understand(named)
    assert (reading.part, reading.melody) == (1, "inner")  # what is above it may not be hidden by a rule
    assert "inner line of track 2 (Lead vocal)" in reading.sentence()


def test_a_part_can_be_named_by_number_or_name_and_is_top_bass_or_inner_by_where_it_lies():
    names = ("Soprano", "Alto", "Tenor", "Bass")
    shifts = (12, 5, 0, -12)
    piece = together(*(tune([p + shift for p in SCALE], name=name) for name, shift in zip(names, shifts, strict=True)))
    assert [understand(piece, melody=str(i)).melody for i in (1, 2, 3, 4)] == ["top", "inner", "inner", "bass"]
    assert [understand(piece, melody=name).part for name in ("alto", "TENOR", "bas")] == [1, 2, 3]
    assert understand(piece, melody="Track 2").part == 1
    assert understand(piece, melody="bass").part is None  # the word is the line's before it is a part's name
    assert set(understand(piece, melody="bass").line) == {pitch - 12 for pitch in SCALE}


def test_a_part_that_is_not_there_is_answered_with_those_that_are():
    piece = together(tune(SCALE, name="Violin 1"), tune(SCALE, name="Violin 2"), tune(SCALE, name="Kit"), drums=2)
    choices = r"track 1 \(Violin 1\), track 2 \(Violin 2\)$"
    with pytest.raises(BadInput, match=f'"oboe" is no track of this piece; .*{choices}'):
        understand(piece, melody="oboe")
    with pytest.raises(BadInput, match=f'"4" is no track of this piece; .*{choices}'):
        understand(piece, melody="4")
    with pytest.raises(BadInput, match=f'"violin" could be several tracks; .*{choices}'):
        understand(piece, melody="violin")
    with pytest.raises(BadInput, match=f'"3" is the drums; .*{choices}'):
        understand(piece, melody="3")


def test_drums_are_left_alone_and_said_so():
    beat = tune([36] * 32, name="Kit")
    reading = understand(together(tune(SCALE, start=16), beat, drums=1))
    assert (reading.start, reading.n_bars) == (16, 2)
    assert reading.warnings == ("The drums (track 2 (Kit), channel 10) are left alone",)
    with pytest.raises(BadInput, match=r"beat\.mid has no notes besides drums"):
        understand(together(beat, drums=0), name="beat.mid")


# The octave


@pytest.mark.parametrize(
    ("lowest", "melody", "shift"),
    [
        (60, None, 0),
        (66, None, 0),  # a little high
        (84, None, -12),
        (108, None, -36),
        (36, "top", 24),
        (48, "top", 12),
        (36, None, 24),  # it moves like no bass
        (36, "bass", 0),
        (24, "bass", 12),
    ],
)
def test_a_tune_that_lies_clearly_outside_is_heard_in_another_octave(lowest, melody, shift):
    reading = understand(tune([pitch - 60 + lowest for pitch in SCALE]), melody=melody)
    assert reading.shift == shift
    assert set(reading.line) == {pitch - 60 + lowest for pitch in SCALE}  # the file's pitches all the same


def test_a_moved_tune_is_said_to_be():
    assert (
        understand(tune([p + 24 for p in SCALE]))
        .sentence()
        .endswith("moved down an octave for the model and back again")
    )
    assert "moved up 2 octaves" in understand(tune([p - 24 for p in SCALE]), melody="top").sentence()


def test_no_octave_is_worth_losing_the_accompaniment():
    melody, bass = tune([pitch - 12 for pitch in SCALE]), tune([88] * 8)
    assert understand(together(melody, bass), melody="1").shift == 0


def test_notes_outside_what_the_model_knows_are_counted():
    reading = understand(together(tune(SCALE), tune([23] * 3)))
    assert reading.warnings == (
        "3 of 11 notes lie outside E 1 to G 6: the model does not hear them, the file keeps them",
    )


# Bars


def test_bars_count_from_one_and_a_pickup_is_bar_nought():
    assert understand(tune(SCALE)).bar_starts == (0, 16)
    reading = understand(tune(SCALE * 2 + [60], start=12))
    assert (reading.start, reading.first_bar, reading.bar_starts) == (12, 0, (0, 4, 20, 36, 52))
    assert (reading.n_bars, reading.pickup, reading.n_steps) == (4, 4, 68)
    assert "4 bars, pickup of one beat" in reading.sentence()


def test_a_pickup_may_be_a_short_first_bar():
    meters = (Meter(step=Fraction(0), numerator=1, denominator=4), Meter(step=Fraction(4), numerator=3, denominator=4))
    reading = understand(replace(tune(SCALE[:7]), meters=meters))
    assert (reading.first_bar, reading.bar_starts, reading.pickup) == (0, (0, 4, 16), 4)
    assert reading.meters == meters[1:]


def test_the_last_bar_is_short_where_it_makes_one_with_the_pickup():
    assert understand(tune(SCALE * 2, start=12)).n_steps == 64
    assert understand(tune([*SCALE, *SCALE[:7]], start=12)).n_steps == 64  # it ends earlier still
    assert understand(tune(SCALE * 2)).n_steps == 64


def test_a_rest_on_the_first_beat_makes_no_pickup():
    reading = understand(tune(SCALE[:7], start=4))
    assert (reading.start, reading.first_bar, reading.pickup) == (0, 1, 0)
    late = understand(tune(SCALE[:7], length=2, start=2))
    assert (late.start, late.pickup) == (0, 0)


def test_a_pickup_between_two_beats_begins_the_region_on_the_beat():
    reading = understand(piece_from_notes([RollNote(14, 67, 2), RollNote(16, 72, 16)], meter=(4, 4)))
    assert (reading.start, reading.bar_starts, reading.beat_phase) == (12, (0, 4), 0)
    assert "pickup of one eighth" in reading.sentence()


def test_empty_bars_before_the_first_note_are_left_out_and_keep_their_numbers():
    reading = understand(tune(SCALE, start=32))
    assert (reading.start, reading.first_bar, reading.last_bar, reading.n_steps) == (32, 3, 4, 32)
    assert "2 bars (3 to 4)" in reading.sentence()


@pytest.mark.parametrize(("pickup", "starts", "phase"), [(0, (0, 16), 0), (1, (0, 4, 20), 0), (0.5, (0, 2, 18), 2)])
def test_a_pickup_can_be_set(pickup, starts, phase):
    reading = understand(tune(SCALE), pickup=pickup)
    assert (reading.bar_starts, reading.beat_phase, reading.pickup) == (starts, phase, 4 * pickup)


def test_no_pickup_means_that_the_first_note_begins_a_bar():
    reading = understand(tune(SCALE, start=12), pickup=0)
    assert (reading.start, reading.first_bar, reading.bar_starts) == (12, 1, (0, 16))


@pytest.mark.parametrize(
    ("pickup", "why"),
    [(4, "give 0 to less than 4"), (-1, "give 0 to less than 4"), (0.3, "does not end on a sixteenth")],
)
def test_a_pickup_that_does_not_fit_is_refused(pickup, why):
    with pytest.raises(BadInput, match=f"a pickup of {pickup} beats .*{why}"):
        understand(tune(SCALE), pickup=pickup)


def test_bars_are_selected_by_their_numbers():
    reading = understand(tune(SCALE * 3, start=12), bars=(2, 3))
    assert reading.selection == slice(20, 52)
    assert steps_of_bars(reading, 0, 0) == slice(0, 4)
    assert understand(tune(SCALE)).selection == slice(0, 32)


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ((9, 12), "bars 9-12 lie past the end: song.mid has 8 bars; try 5-8"),
        ((1, 12), "bars 1-12 lie past the end: song.mid has 8 bars; try 1-8"),
        ((0, 3), "bars 0-3 begin too early: song.mid has no pickup, so that bar 1 is the first; try 1-4"),
        ((5, 3), "bars 5-3 run backwards; try 3-5"),
    ],
)
def test_bars_that_are_not_there_are_answered_with_some_that_are(bars, message):
    with pytest.raises(BadInput) as error:
        understand(tune(SCALE * 4), bars=bars, name="song.mid")
    assert str(error.value) == message


@given(
    onsets=st.lists(st.integers(0, 200), min_size=1, max_size=12, unique=True),
    meter=st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (3, 16)]),
    pickup=st.sampled_from([None, 0, 1, 0.5]),
)
def test_the_region_is_whole_bars_around_every_note(onsets, meter, pickup):
    piece = piece_from_notes([RollNote(onset, 60 + onset % 12, 3) for onset in onsets], meter=meter)
    try:
        reading = understand(piece, pickup=pickup)
    except BadInput:
        assert pickup in (0.5, 1)  # not whole sixteenths, or no bar after it
        return
    starts = reading.bar_starts
    assert starts[0] == 0
    assert all(
        0 < b - a <= 16 * meter[0] // meter[1] for a, b in zip(starts, (*starts[1:], reading.n_steps), strict=True)
    )
    assert 0 <= reading.start <= min(onsets) < reading.start + starts[1] if len(starts) > 1 else True
    assert max(onsets) + 3 <= reading.start + reading.n_steps
    assert len(reading.line) == reading.n_steps
    if pickup is None:
        assert {reading.start + start for start in starts[1:]} <= set(bar_starts(piece))


def test_a_place_is_named_by_bar_and_beat():
    reading = understand(tune(SCALE * 2, start=12))
    assert [reading.place(step) for step in (0, 2, 4, 11, 67 - 4)] == [
        "bar 0, beat 4",
        "bar 0, beat 4.5",
        "bar 1, beat 1",
        "bar 1, beat 2.75",
        "bar 4, beat 3.75",
    ]
    assert understand(read_midi(EXAMPLES / "greensleeves.mid")).place(0) == "bar 0, beat 6"
    assert understand(tune(SCALE, start=32)).place(16) == "bar 4, beat 1"


# Meter, tempo, key


def test_the_file_is_believed_about_its_meter():
    reading = understand(tune(SCALE, meter=(3, 4)))
    assert ((reading.meters[0].numerator, reading.meters[0].denominator), reading.is_meter_guessed) == ((3, 4), False)
    assert understand(tune(SCALE, meter=(3, 4)), meter="2/4").bar_starts == (0, 8, 16, 24)
    with pytest.raises(BadInput, match='no meter is called "3/7"; write one like "4/4"'):
        understand(tune(SCALE), meter="3/7")


def test_a_change_of_meter_is_said():
    meters = (Meter(step=Fraction(0), numerator=4, denominator=4), Meter(step=Fraction(32), numerator=3, denominator=4))
    reading = understand(replace(tune(SCALE * 2), meters=meters))
    assert reading.bar_starts == (0, 16, 32, 44, 56)
    assert "4/4 (3/4 from bar 3)" in reading.sentence()


@pytest.mark.parametrize(
    ("file", "meter", "pickup"),
    [
        ("first-noel.mid", "3/4 (guessed)", 4),
        ("greensleeves.mid", "6/8 (guessed)", 2),
        ("ode-to-joy.mid", "4/4 (guessed)", 0),
        ("abide-with-me.mid", "4/4 (guessed)", 0),
        ("pachelbel-bass.mid", "4/4 (guessed)", 0),
    ],
)
def test_a_meter_that_the_file_keeps_to_itself_is_guessed_with_its_pickup(file, meter, pickup):
    reading = understand(replace(read_midi(EXAMPLES / file), meters=()))
    assert meter in reading.sentence()
    assert reading.pickup == pickup


def test_a_tempo_is_read_or_said_not_to_be_given():
    assert "120 bpm (not given)" in understand(tune(SCALE)).sentence()
    tempos = (Tempo(step=Fraction(0), bpm=60.0), Tempo(step=Fraction(16), bpm=91.6), Tempo(step=Fraction(30), bpm=50.0))
    assert "92 bpm," in understand(replace(tune(SCALE, start=16), tempos=tempos)).sentence()


def test_a_key_is_read_guessed_or_set():
    piece = tune(SCALE)
    assert "C major (guessed)" in understand(piece).sentence()
    assert "C major, " in understand(replace(piece, keys=(key_of(0, "major"),))).sentence()
    assert "A flat major, " in understand(piece, key="Ab").sentence()
    with pytest.raises(BadInput, match='no key is called "x"'):
        understand(piece, key="x")


def test_a_program_that_writes_c_major_whatever_the_music_is_not_believed():
    piece = replace(read_midi(EXAMPLES / "abide-with-me.mid"), keys=(key_of(0, "major"),))
    reading = understand(piece)
    assert "A flat major (guessed)" in reading.sentence()
    assert reading.warnings == ("The file says C major, but its notes say A flat major",)
    believed = understand(replace(piece, keys=(key_of(3, "major"),)))  # nearly the same notes
    assert (key_name(believed.key), believed.is_key_guessed) == ("E flat major", False)


def test_notes_off_the_grid_are_counted_but_not_a_player_s_unevenness():
    piece = tune(SCALE)
    late = [Fraction(1, 16), Fraction(1, 3), Fraction(-1, 3), *[Fraction(0)] * 5]
    notes = tuple(
        replace(note, onset=max(note.onset + by, Fraction(0))) for note, by in zip(piece.notes, late, strict=True)
    )
    assert understand(replace(piece, notes=notes)).warnings == (
        "2 of 8 notes begin off the sixteenth grid (bar 1): the model hears them on the nearest sixteenth, "
        "the file keeps them as they are",
    )


# The examples

SENTENCES = {
    "abide-with-me.mid": "Melody: top line of track 1. 4/4, A flat major, 92 bpm, 16 bars, "
    "7 phrases (guessed): bars 2, 4, 6, 8, 10, 12, 16",
    "first-noel.mid": "Melody: top line of track 1. 3/4, D major, 100 bpm, 16 bars, pickup of one beat, "
    "5 phrases (guessed): bars 2:1, 4:1, 8:1, 12, 16",
    "greensleeves.mid": "Melody: top line of track 1. 6/8, A minor, 84 bpm, 16 bars, pickup of one eighth, "
    "4 phrases (guessed): bars 4:4, 8, 12, 16",
    "ode-to-joy.mid": "Melody: top line of track 1. 4/4, D major, 108 bpm, 16 bars, "
    "8 phrases (guessed): bars 2?, 4, 6?, 8, 10?, 12, 14, 16",
    "old-hundredth.mid": "Melody: top line of track 1. 4/4, G major, 80 bpm, 8 bars, pickup of one beat, "
    "4 phrases (guessed): bars 2:3, 4:3, 6:3, 8",
    "pachelbel-bass.mid": "Melody: bass line of track 1. 4/4, D major, 76 bpm, 12 bars, "
    "3 phrases (guessed): bars 4, 8, 12",
}


# The phrases


def phrase_ends(reading: Reading) -> list[str]:
    return [str(reading.end_of(one)) for one in reading.phrases]


def test_phrases_that_are_said_are_told_back_as_they_were():
    piece = read_midi(EXAMPLES / "old-hundredth.mid")
    reading = understand(piece, phrases="2:3, 4:3, 6:3")
    assert phrase_ends(reading) == ["2:3", "4:3", "6:3", "8"], "the last note ends one in any case"
    assert reading.sentence().endswith("4 phrases")
    assert understand(piece, phrases=", ".join(phrase_ends(reading))).phrases == reading.phrases
    assert understand(piece, phrases="L.M.").phrases == reading.phrases
    assert reading.phrases[0].start == 0, "the pickup is its first note"


def test_a_bar_alone_means_its_last_note_and_a_beat_the_note_that_sounds_there():
    reading = understand(tune([60, 62, 64, 65, 67, 69], 8), phrases="1, 2:2, 3")
    assert [one.rest for one in reading.phrases] == [8, 16, 40]


def test_one_may_say_that_there_are_no_phrases():
    reading = understand(tune(SCALE), phrases="none")
    assert (reading.phrases, reading.phrases_from) == ((), "said")
    assert reading.sentence().endswith("no phrases")


@pytest.mark.parametrize(
    ("phrases", "why"),
    [
        ("3", "no phrase can end at 3: the piece has 2 bars"),
        ("0", "no phrase can end at 0"),
        ("1:5", "bar 1 has no beat 5: its beats go from 1 to 4"),
        ("1:1, 1:1.5", "the same note of the melody"),
        ("2, 1", "in order"),
        ("9.9", "fits a melody of 8 notes"),
    ],
)
def test_phrases_that_cannot_be_are_refused_in_one_line(phrases, why):
    with pytest.raises(BadInput, match=why) as refused:
        understand(tune(SCALE), phrases=phrases)
    assert "\n" not in str(refused.value)


def test_where_nothing_is_written_yet_phrases_have_places_only():
    reading = with_phrases(blank(piece_from_notes([]), 4), "2:3, 4")
    assert [one[:3] for one in reading.phrases] == [(0, 24, 28), (28, 48, 64)]


def test_marks_of_a_score_come_before_a_guess():
    piece = tune([60, 62, 64, 62, 60, 62, 64, 60])
    marked = replace(piece, marks=(PhraseMark(step=Fraction(8), kind="fermata", part=0),))
    reading = understand(marked)
    assert (reading.phrases_from, [one.rest for one in reading.phrases]) == ("fermatas", [8, 28])
    assert reading.sentence().endswith("2 phrases (fermatas)")


def test_the_metre_in_a_pieces_name_says_where_its_lines_end():
    reading = understand(replace(tune(SCALE[:6] * 4), name="Tallis (6.6.6.6)"))
    assert (reading.phrases_from, [one.rest for one in reading.phrases]) == ("metre", [20, 44, 68, 92])


def test_a_long_tune_is_not_guessed_at():
    assert understand(tune(SCALE * (MOST_GUESSED // 8 + 1))).phrases == ()


# The keys


def test_the_keys_that_a_score_changes_to_are_read():
    keys = tuple(replace(key_of(tonic, "major"), step=Fraction(step)) for tonic, step in ((0, 0), (7, 16)))
    piece = replace(tune([60, 64, 67, 60, 67, 71, 74, 67]), keys=keys)
    assert [(step, key.tonic) for step, key in understand(piece).keys] == [(0, 0), (16, 7)]
    assert [(step, key.tonic) for step, key in understand(piece, key="F").keys] == [(0, 5)]
    assert [step for step, _ in understand(tune(SCALE)).keys] == [0]


@pytest.mark.parametrize("file", SENTENCES)
def test_an_example_is_read_as_it_was_written(file):
    piece = read_midi(EXAMPLES / file)
    reading = understand(piece)
    assert reading.sentence() == SENTENCES[file]
    assert reading.warnings == ()
    assert len(reading.melody_notes) == len(piece.notes)
    assert (reading.line >= 0).all() or file == "greensleeves.mid"
    assert reading.beat_phase == (2 if file == "greensleeves.mid" else 0)


@pytest.mark.parametrize("file", SENTENCES)
def test_the_key_of_an_example_can_be_told_from_its_notes(file):
    piece = read_midi(EXAMPLES / file)
    assert understand(replace(piece, keys=())).key == replace(piece.keys[0], step=Fraction(understand(piece).start))


def test_the_examples_are_what_their_script_writes(tmp_path):
    written = runpy.run_path(str(EXAMPLES / "make_examples.py"))["write_examples"](tmp_path)
    assert {path.name for path in written} == {path.name for path in EXAMPLES.glob("*.mid")} == set(SENTENCES)
    assert all(path.read_bytes() == (EXAMPLES / path.name).read_bytes() for path in written)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("tune", "key", "n_notes"),
    [
        ("deck_the_halls", "E flat major", 33),
        ("me_and_my_jar_by_Jonathan_Coulton", "D major", 34),
        ("merry_christmas", "E major", 35),
        ("new_world", "B flat major", 22),
        ("ode_to_joy", "E flat major", 30),
        ("twinkle_twinkle", "C major", 28),
    ],
)
def test_the_deepcomposer_tunes_are_told_from_their_accompaniment(data_folder, tune, key, n_notes):
    reading = understand(read_midi(data_folder / "melodies" / "deepcomposer" / f"{tune}.midi"))
    assert f"top line of track 1. 4/4 (guessed), {key} (guessed)" in reading.sentence()
    assert (reading.n_bars, len(reading.melody_notes)) == (8, n_notes)
