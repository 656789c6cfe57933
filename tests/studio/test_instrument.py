"""The studio plays on a SoundFont that a person has."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno.errors import BadInput
from ripieno.files.sound.organ import frequency_of
from ripieno.files.sound.room import RATE
from ripieno.models.runtime import Model
from ripieno.studio.instrument import HELD, SoundFontTones
from ripieno.studio.server import Studio, open_studio
from ripieno.studio.store import Store
from tests.files.sound.test_render import cents_off
from tests.files.sound.test_soundfont import LOOPED, build
from tests.studio.conftest import Served, serving
from tests.studio.test_server import G4, ask_http


@pytest.fixture
def soundfont(tmp_path: Path) -> Path:
    path = tmp_path / "choir.sf2"
    path.write_bytes(build([LOOPED]))
    return path


@pytest.fixture
def with_a_soundfont(store: Store, model: Model, soundfont: Path) -> Iterator[Served]:
    with serving(Studio(store, lambda: model, instrument=SoundFontTones(soundfont))) as served:
        yield served


def samples_of(data: bytes) -> np.ndarray:
    """Of a WAV file, by channel."""
    samples, rate = soundfile.read(io.BytesIO(data), always_2d=True)
    assert rate == RATE
    return samples.T


@pytest.mark.parametrize("pitch", [48, 60, 72])
def test_a_tone_has_the_pitch_that_is_asked_for_and_is_held(soundfont: Path, pitch: int) -> None:
    (tone,) = samples_of(SoundFontTones(soundfont).tone(pitch))
    assert abs(cents_off(tone[4800 : 2 * RATE], frequency_of(pitch))) < 3
    assert 0.2 < np.abs(tone[:RATE]).max() <= 1
    assert np.abs(tone[round((HELD - 0.5) * RATE) : round((HELD - 0.1) * RATE)]).max() > 0.1


def test_the_page_is_told_of_the_soundfont_and_can_fetch_its_tones(with_a_soundfont: Served) -> None:
    assert with_a_soundfont.get("/api/health")["soundfont"] == "choir.sf2"
    status, headers, data = ask_http(with_a_soundfont, "/api/sound/67")
    assert (status, headers["content-type"]) == (200, "audio/wav")
    assert abs(cents_off(samples_of(data)[0, 4800 : 2 * RATE], frequency_of(67))) < 3
    assert ask_http(with_a_soundfont, "/api/sound/128")[0] == 422


def test_a_piece_is_saved_as_sound_on_the_soundfont(with_a_soundfont: Served, served: Served) -> None:
    heard = []
    for server in (with_a_soundfont, served):
        piece = server.new_piece()
        with server.window(piece) as window:
            window.ask("edit", add=[G4])
        status, _, data = ask_http(server, f"/api/pieces/{piece}/export/wav")
        assert status == 200
        samples = samples_of(data)
        assert abs(cents_off(samples[0, 4800 : RATE // 2], frequency_of(67))) < 10
        heard.append(samples)
    n = min(one.shape[1] for one in heard)
    assert np.abs(heard[0][:, :n] - heard[1][:, :n]).max() > 0.05  # it is not the organ


def test_without_a_soundfont_there_are_no_tones(served: Served) -> None:
    assert served.get("/api/health")["soundfont"] is None
    status, _, data = ask_http(served, "/api/sound/60")
    assert (status, json.loads(data)["code"]) == (404, "not_available")


def test_a_soundfont_that_cannot_be_used_is_one_clear_line_before_the_server_starts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFF\x10\0\0\0sfbk")
    mute = tmp_path / "mute.sf2"
    mute.write_bytes(build([[(43, 0 | 10 << 8), *LOOPED]]))  # sounds up to B flat -1 only
    for path, said in (
        (tmp_path / "none.sf2", "cannot be read"),
        (Path(__file__), "is no SoundFont; give an .sf2 or .sf3 file"),
        (broken, "is damaged"),
        (mute, "has no sound for"),
    ):
        with pytest.raises(BadInput, match=said) as caught:
            open_studio(None, tmp_path / "pieces", soundfont=path)
        assert "\n" not in str(caught.value)
