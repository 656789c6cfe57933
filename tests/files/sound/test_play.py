"""A sound is heard on the computer's own player, or written to a file."""

import os
import stat
from pathlib import Path

import pytest
import soundfile

from ripieno.errors import BadInput
from ripieno.files.midi import write_midi
from ripieno.files.sound.notes import SoundingNote, sounding_notes
from ripieno.files.sound.play import play, play_samples, write_sound
from ripieno.files.sound.render import render
from ripieno.music.piece import Revision, piece_from_notes
from ripieno.music.roll import RollNote

SHORT = render([SoundingNote(onset_seconds=0, duration_seconds=0.2, pitch=60)])
PIECE = piece_from_notes([RollNote(4 * i, 60 + i, 4) for i in range(4)], bpm=240)


@pytest.fixture
def player(tmp_path: Path, monkeypatch) -> Path:
    """A program that a computer may have to play sounds, which keeps a copy of what it is given."""
    if os.name == "nt":
        pytest.skip("Windows plays sounds by itself")
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "aplay"
    program.write_text(f'#!/bin/sh\nfor last; do :; done\ncp "$last" "{tmp_path}/heard.wav"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr("ripieno.files.sound.play._PLAYERS", (("aplay", "-q"),))
    return program


def test_playing_hands_the_sound_to_the_computers_own_player(player: Path, tmp_path: Path) -> None:
    play_samples(SHORT)
    assert soundfile.info(tmp_path / "heard.wav").duration > 2


def test_a_player_that_fails_is_one_clear_line(player: Path) -> None:
    player.write_text("#!/bin/sh\necho first >&2\necho no such device >&2\nexit 1\n")
    with pytest.raises(BadInput, match="aplay could not play the sound: no such device"):
        play_samples(SHORT)


def test_without_a_player_there_is_a_way_out(player: Path, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.files.sound.play._PLAYERS", (("a-player-that-nobody-has",),))
    with pytest.raises(BadInput, match=r"-o piece\.wav"):
        play_samples(SHORT)


def test_a_piece_is_played_from_its_file_once_its_length_is_told(player: Path, tmp_path: Path) -> None:
    write_midi(PIECE, tmp_path / "piece.mid")
    told: list[tuple[float, bool]] = []
    seconds = play(tmp_path / "piece.mid", ready=lambda s: told.append((s, (tmp_path / "heard.wav").exists())))
    assert told == [(seconds, False)]
    assert soundfile.info(tmp_path / "heard.wav").duration == pytest.approx(seconds)


def test_a_piece_is_written_at_another_tempo(tmp_path: Path) -> None:
    seconds = play(PIECE, str(tmp_path / "slow.flac"), bpm=60)
    assert soundfile.info(tmp_path / "slow.flac").duration == pytest.approx(seconds)
    write_sound(render(sounding_notes(PIECE, Revision(bpm=60))), tmp_path / "same.flac")
    assert (tmp_path / "slow.flac").read_bytes() == (tmp_path / "same.flac").read_bytes()
    assert seconds > play(PIECE, tmp_path / "quick.wav") + 2


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"piece\.mp3: a sound is a \.wav or \.flac file; name it piece\.wav"):
        play(tmp_path / "missing.mid", tmp_path / "piece.mp3")
    with pytest.raises(BadInput, match="there is no folder"):
        play(tmp_path / "missing.mid", tmp_path / "nowhere" / "piece.wav")
    with pytest.raises(BadInput, match=r"missing\.mid does not exist"):
        play(tmp_path / "missing.mid", tmp_path / "piece.wav")
