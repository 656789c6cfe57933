"""Sound is in tune, at one loudness, without clicks, and ends in silence."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.sound import organ, room
from ripieno.files.sound.notes import SoundingNote, clock_of, sounding_notes
from ripieno.files.sound.organ import frequency_of
from ripieno.files.sound.play import write_sound
from ripieno.files.sound.render import render
from ripieno.files.sound.room import RATE, loudness, normalised
from ripieno.music.piece import NewPart, Revision, Tempo, piece_from_notes
from ripieno.music.roll import RollNote


def note(pitch: int, onset: float = 0.0, duration: float = 1.0, **more) -> SoundingNote:
    return SoundingNote(onset_seconds=onset, duration_seconds=duration, pitch=pitch, **more)


def cents_off(samples: np.ndarray, hertz: float) -> float:
    """How far the strongest frequency near the one wanted is from it."""
    n = len(samples)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(n), 8 * n))
    frequency = np.fft.rfftfreq(8 * n, 1 / RATE)
    near = np.flatnonzero(abs(frequency / hertz - 1) < 0.05)
    peak = near[spectrum[near].argmax()]
    a, b, c = np.log(spectrum[peak - 1 : peak + 2])
    found = frequency[peak] + (a - c) / (a - 2 * b + c) / 2 * frequency[1]
    return float(1200 * np.log2(found / hertz))


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(float) ** 2) + 1e-30))


def sine(hertz: float, seconds: float, db: float, rate: int = RATE) -> np.ndarray:
    wave = 10 ** (db / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


# --- the bar of issue 6


@pytest.mark.parametrize("pitch", range(24, 109, 7))
def test_each_note_is_in_tune_to_three_cents(pitch: int, tmp_path: Path) -> None:
    write_sound(render([note(pitch, duration=2.0)]), tmp_path / "x.wav")
    samples, rate = soundfile.read(tmp_path / "x.wav")
    assert rate == RATE
    for side in samples[RATE // 10 : 2 * RATE].T:
        assert abs(cents_off(side, frequency_of(pitch))) < 3


@given(
    st.lists(
        st.tuples(st.integers(0, 127), st.floats(0, 2), st.floats(0.001, 1), st.integers(1, 127), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_clipped_and_silence_comes_at_the_end(drawn: list[tuple[int, float, float, int, int]]) -> None:
    samples = render(note(p, at, length, velocity=v, part=part) for p, at, length, v, part in drawn)
    assert np.abs(samples).max() <= room.CEILING + 1e-6
    assert samples.any()
    assert not samples[:, -RATE * 4 // 10 :].any()


def test_what_a_player_makes_of_the_curve_between_samples_is_not_clipped_either() -> None:
    loud = [note(pitch, 0.25 * i, 0.2, velocity=127) for i in range(6) for pitch in range(40, 90, 3)]
    samples = render(loud)
    n = samples.shape[1]
    spectrum = np.fft.rfft(samples.astype(float))
    between = np.fft.irfft(spectrum, 4 * n) * 4  # four times as many samples, through the same points
    assert np.abs(between).max() < 1.0


def test_notes_begin_and_end_without_clicks() -> None:
    """A click has all frequencies; the organ has none above 16 kHz."""
    staccato = [note(pitch, 0.21 * i, 0.13) for i, pitch in enumerate((48, 60, 60, 67, 84, 64, 41, 76))]
    samples = render(staccato).sum(axis=0)
    frames = samples[: len(samples) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)
    spectrum = np.abs(np.fft.rfft(frames)) ** 2
    hertz = np.fft.rfftfreq(1024, 1 / RATE)
    assert spectrum[:, hertz > 18_000].sum(axis=1).max() < 1e-8 * spectrum.sum(axis=1).max()


def test_a_note_begins_on_its_sample() -> None:
    first = round(1.25 * RATE)
    alone = render([note(69, onset=1.25)])
    assert np.abs(alone[:, :first]).max() < 2**-24  # less than a file can hold
    assert np.abs(alone[:, first : first + 100]).max() > 2**-20


# --- what it sounds like


def test_a_release_leaves_the_room_ringing_and_then_dies_away() -> None:
    samples = render([note(60, duration=1.0)])
    levels = [level_db(samples[:, round(s * RATE) : round((s + 0.2) * RATE)]) for s in (0.6, 1.2, 1.6, 2.0, 2.6)]
    assert all(later < earlier - 3 for earlier, later in pairwise(levels))
    assert levels[1] > levels[0] - 35  # it does not stop dead


def test_a_note_that_is_struck_again_can_be_heard_to_be() -> None:
    held = render([note(60, 0, 2.0)])
    struck = render([note(60, 0, 1.0), note(60, 1.0, 1.0, part=1)])
    around = slice(round(0.96 * RATE), round(1.0 * RATE))
    before = slice(round(0.6 * RATE), round(0.8 * RATE))
    assert level_db(struck[:, around]) < level_db(struck[:, before]) - 5
    assert abs(level_db(held[:, around]) - level_db(held[:, before])) < 2


def test_two_singers_on_one_pitch_are_three_decibels_louder() -> None:
    other = note(48, duration=1.0, part=2, velocity=127)
    one = organ.play_organ([note(72), other]) - organ.play_organ([other])
    two = organ.play_organ([note(72), note(72, part=1), other]) - organ.play_organ([other])
    assert 1.5 < level_db(two) - level_db(one) < 4.5


def test_it_is_stereo_and_survives_in_mono() -> None:
    samples = render([note(60, part=0), note(52, part=1), note(72, part=2)])
    left, right = samples
    assert not np.allclose(left, right)
    assert level_db((left + right) / 2) > level_db(samples) - 3


def test_the_same_notes_give_the_same_samples() -> None:
    notes = [note(60), note(64, 0.3), note(55, 0.1, part=1)]
    organ._loop.cache_clear()
    first = render(notes)
    organ._loop.cache_clear()
    np.testing.assert_array_equal(first, render(reversed(notes)))


# --- loudness


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_loudness_is_that_of_the_standard(rate: int) -> None:
    """The signals and answers of EBU Tech 3341, cases 1 to 4, which allow 0.1."""
    parts = {db: sine(1000, 20, db, rate) for db in (-72, -36, -33, -23)}
    assert loudness(parts[-23], rate) == pytest.approx(-23, abs=0.1)
    assert loudness(parts[-33], rate) == pytest.approx(-33, abs=0.1)
    long = np.concatenate([parts[-23]] * 3, axis=1)
    quieter = parts[-36][:, : 10 * rate]
    third = np.concatenate([quieter, long, quieter], axis=1)
    assert loudness(third, rate) == pytest.approx(-23, abs=0.1)
    silent = parts[-72][:, : 10 * rate]
    assert loudness(np.concatenate([silent, third, silent], axis=1), rate) == pytest.approx(-23, abs=0.1)


def test_one_side_alone_counts_half() -> None:
    left = sine(1000, 5, -20)
    left[1] = 0
    assert loudness(left) == pytest.approx(-23.01, abs=0.1)


def test_bass_counts_less_than_treble() -> None:
    assert loudness(sine(50, 5, -20)) < loudness(sine(1000, 5, -20)) - 1 < loudness(sine(4000, 5, -20))


def test_music_comes_out_at_the_loudness_wanted() -> None:
    chords = [note(p, i, 1.0) for i, chord in enumerate([(48, 64, 67, 72), (43, 62, 67, 71)]) for p in chord]
    assert loudness(render(chords)) == pytest.approx(room.LOUDNESS, abs=0.1)
    assert loudness(normalised(render(chords), -30)) == pytest.approx(-30, abs=0.1)


def test_silence_and_clicks_have_no_loudness() -> None:
    assert loudness(np.zeros((2, RATE), dtype=np.float32)) == -np.inf
    assert loudness(sine(1000, 0.3, -3)) == -np.inf
    assert not normalised(np.zeros((2, 10), dtype=np.float32)).any()


# --- time


def test_tempos_hold_from_where_they_stand() -> None:
    clock = clock_of([Tempo(step=Fraction(8), bpm=120), Tempo(step=Fraction(0), bpm=60)])
    assert clock.at(4) == pytest.approx(1.0)  # a quarter at 60
    assert clock.at(8) == pytest.approx(2.0)
    assert clock.at(Fraction(25, 2)) == pytest.approx(2.0 + 4.5 * 0.125)
    assert clock_of([]).at(4) == pytest.approx(0.5)
    assert clock_of([Tempo(step=Fraction(4), bpm=60)]).at(8) == pytest.approx(0.5 + 1.0)
    assert clock_of([Tempo(step=Fraction(0), bpm=60)], bpm=240).at(4) == pytest.approx(0.25)


def test_new_notes_sound_with_the_old_and_dropped_ones_do_not() -> None:
    piece = piece_from_notes([RollNote(8, 72, 4), RollNote(12, 74, 4)], bpm=60)
    alto = NewPart("Alto", 52, 60, (RollNote(8, 65, 8),))
    heard = sounding_notes(piece, Revision(touched={1: ()}), [alto])
    assert [(n.pitch, n.onset_seconds, n.duration_seconds, n.part) for n in heard] == [
        (72, 0.0, 1.0, 0),
        (65, 0.0, 2.0, 1),
    ]


# --- files


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
def test_files_hold_what_was_rendered(suffix: str, tmp_path: Path) -> None:
    samples = render([note(60, duration=0.5)])
    write_sound(samples, tmp_path / f"x{suffix}")
    read, rate = soundfile.read(tmp_path / f"x{suffix}")
    assert rate == RATE
    assert soundfile.info(tmp_path / f"x{suffix}").subtype == "PCM_24"
    np.testing.assert_allclose(read.T, samples, atol=2**-22)
    assert [path.name for path in tmp_path.iterdir()] == [f"x{suffix}"]


def test_what_cannot_be_heard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to be heard"):
        render([])
    with pytest.raises(BadInput, match="nothing to be heard"):
        render([note(36, is_drums=True)])
    with pytest.raises(BadInput, match="lasts 50 minutes"):
        render([note(60, 2999)])
    with pytest.raises(BadInput, match="nowhere"):
        write_sound(render([note(60)]), tmp_path / "nowhere" / "x.wav")


def test_drums_do_not_make_the_organ_stumble() -> None:
    np.testing.assert_array_equal(render([note(60), note(36, is_drums=True, part=1)]), render([note(60)]))
