"""SoundFonts are read as the standard has them, and what is damaged is said in one line."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ripieno.errors import BadInput
from ripieno.files.sound import soundfont as sf
from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.organ import frequency_of
from ripieno.files.sound.render import render
from ripieno.files.sound.room import RATE
from ripieno.files.sound.soundfont import read_soundfont
from tests.files.sound.test_render import cents_off, level_db

# A wave of 441 Hz at 44,100 samples a second: a period is a hundred samples.
PERIOD = 100
WAVE = (12_000 * np.sin(2 * np.pi * np.arange(2_000) / PERIOD)).astype("<i2")
A_LITTLE_SHARP = 4  # cents by which 441 Hz lies above 440


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def build(
    zones: list[list[tuple[int, int]]],
    *,
    programs: tuple[tuple[int, int], ...] = ((0, 0),),
    compressed: bool = False,
    preset_zone: tuple[tuple[int, int], ...] = (),
) -> bytes:
    """A SoundFont of one instrument: its zones as lists of generators, without the sample at their end."""
    generators, bags = b"", b""
    for n, zone in enumerate(zones):
        bags += struct.pack("<HH", sum(len(z) + 1 for z in zones[:n]), 0)
        for number, value in [*zone, (sf.SAMPLE, 0)]:
            generators += struct.pack("<HH", number, value % 65_536)
    bags += struct.pack("<HH", sum(len(z) + 1 for z in zones), 0)
    outer = [*preset_zone, (sf.INSTRUMENT, 0)]
    presets = b"".join(
        struct.pack("<20sHHHIII", b"preset", program, bank, i, 0, 0, 0) for i, (bank, program) in enumerate(programs)
    )
    end = len(programs)
    data, kind, length = WAVE.tobytes(), 1, len(WAVE)
    if compressed:
        stream = io.BytesIO()
        soundfile.write(stream, WAVE, 44_100, format="OGG", subtype="VORBIS")
        data, kind = stream.getvalue(), 0x11
        length = len(data)
    header = struct.pack("<20sIIIIIBbHH", b"sine", 0, length, 500, 1500, 44_100, 69, -A_LITTLE_SHARP, 0, kind)
    hydra = b"".join(
        [
            chunk(b"phdr", presets + struct.pack("<20sHHHIII", b"EOP", 0, 0, end, 0, 0, 0)),
            chunk(b"pbag", b"".join(struct.pack("<HH", i * len(outer), 0) for i in range(end + 1))),
            chunk(b"pmod", bytes(10)),
            chunk(b"pgen", b"".join(struct.pack("<HH", n, v % 65_536) for n, v in outer) * end + bytes(4)),
            chunk(b"inst", struct.pack("<20sH", b"organ", 0) + struct.pack("<20sH", b"EOI", len(zones))),
            chunk(b"ibag", bags),
            chunk(b"imod", bytes(10)),
            chunk(b"igen", generators + bytes(4)),
            chunk(b"shdr", header + bytes(46)),
        ]
    )
    body = chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 4)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", data)) + chunk(b"LIST", b"pdta" + hydra)
    return chunk(b"RIFF", b"sfbk" + body)


LOOPED = [(sf.MODES, 1)]


def note(pitch: int, duration: float = 1.0, **more) -> SoundingNote:
    return SoundingNote(onset_seconds=0.0, duration_seconds=duration, pitch=pitch, **more)


def rendered(tmp_path: Path, data: bytes, *notes: SoundingNote) -> np.ndarray:
    path = tmp_path / "font.sf2"
    path.write_bytes(data)
    return render(notes, path)


@pytest.mark.parametrize("pitch", [40, 57, 69, 70, 88])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_looped_sample_sounds_at_every_pitch_for_as_long_as_it_is_held(
    pitch: int, compressed: bool, tmp_path: Path
) -> None:
    samples = rendered(tmp_path, build([LOOPED], compressed=compressed), note(pitch, 2.0))
    assert abs(cents_off(samples[0, 4800 : 2 * RATE], frequency_of(pitch))) < 3
    assert level_db(samples[:, RATE : 2 * RATE]) > level_db(samples[:, 4800:RATE]) - 2


def test_without_a_loop_a_sample_ends_where_it_ends(tmp_path: Path) -> None:
    samples = rendered(tmp_path, build([[]]), note(69, 2.0))
    assert level_db(samples[:, : RATE // 25]) > level_db(samples[:, RATE : 2 * RATE]) + 20


def test_tuning_adds_up(tmp_path: Path) -> None:
    zone = [(sf.MODES, 1), (sf.COARSE_TUNE, -12), (sf.FINE_TUNE, 30), (sf.ROOT_KEY, 70)]
    samples = rendered(tmp_path, build([zone], preset_zone=((sf.FINE_TUNE, -30),)), note(70, 2.0))
    assert abs(cents_off(samples[0, 4800 : 2 * RATE], frequency_of(57))) < 3


def test_zones_are_chosen_by_key_and_velocity(tmp_path: Path) -> None:
    low = [(sf.KEYS, 0 | 60 << 8), *LOOPED]
    soft = [(sf.KEYS, 61 | 127 << 8), (sf.VELOCITIES, 0 | 50 << 8), (sf.COARSE_TUNE, 12), *LOOPED]
    path = tmp_path / "font.sf2"
    path.write_bytes(build([low, soft]))
    assert abs(cents_off(render([note(52, 2.0)], path)[0, 4800 : 2 * RATE], frequency_of(52))) < 3
    assert abs(cents_off(render([note(69, 2.0, velocity=40)], path)[0, 4800 : 2 * RATE], frequency_of(81))) < 3
    with pytest.raises(BadInput, match="no sound for these notes"):
        render([note(69, velocity=100)], path)


def test_programs_and_drums_have_banks_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "font.sf2"
    path.write_bytes(build([LOOPED], programs=((0, 0), (0, 52), (128, 0))))
    font = read_soundfont(path)
    assert font.zones(52, False) is font.presets[0, 52]
    assert font.zones(7, False) is font.presets[0, 0]
    assert font.zones(7, True) is font.presets[128, 0]


def test_a_note_fades_as_its_envelope_says(tmp_path: Path) -> None:
    def levels(zone: list[tuple[int, int]], *seconds: float) -> list[float]:
        (tmp_path / "x.sf2").write_bytes(build([[*zone, *LOOPED]]))
        tone = sf.play_notes(read_soundfont(tmp_path / "x.sf2"), [note(69, 1.0)], RATE)
        return [level_db(tone[:, round(s * RATE) : round((s + 0.01) * RATE)]) for s in seconds]

    one_second = 0  # timecents
    early, late = levels([(sf.RELEASE, one_second)], 1.1, 1.4)
    assert early - late == pytest.approx(30, abs=1)  # 100 dB a second
    full, sustained = levels([(sf.SUSTAIN, 200), (sf.DECAY, one_second)], 0.01, 0.9)
    assert full - sustained == pytest.approx(19, abs=1.1)
    half, whole = levels([(sf.ATTACK, one_second)], 0.5, 0.99)
    assert whole - half == pytest.approx(6, abs=0.5)


def test_pan_and_the_filter_are_heard(tmp_path: Path) -> None:
    left = rendered(tmp_path, build([[(sf.PAN, -500), *LOOPED]]), note(69))
    assert level_db(left[0]) > level_db(left[1]) + 10
    font = tmp_path / "font.sf2"
    font.write_bytes(build([LOOPED]))
    bright = read_soundfont(font)
    font.write_bytes(build([[(sf.CUTOFF, 4_000), *LOOPED]]))
    dull = read_soundfont(font)
    high, low = (sf.play_notes(f, [note(93, 1.0), note(45, 1.0)], RATE)[0, 4800:RATE] for f in (bright, dull))

    def share(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples)) ** 2
        return float(spectrum[len(spectrum) // 20 :].sum() / spectrum.sum())

    assert share(low) < share(high) / 10


def test_what_is_no_soundfont_is_one_clear_line(tmp_path: Path) -> None:
    for data in (b"", b"RIFF", b"no soundfont at all", chunk(b"RIFF", b"WAVE")):
        (tmp_path / "x.sf2").write_bytes(data)
        with pytest.raises(BadInput, match="SoundFont"):
            read_soundfont(tmp_path / "x.sf2")
    with pytest.raises(BadInput, match="cannot be read"):
        read_soundfont(tmp_path / "gone.sf2")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_one_clear_line_or_some_sound(tmp_path: Path, data) -> None:
    font = bytearray(build([[(sf.KEYS, 0 | 100 << 8), *LOOPED], [(sf.PAN, 200), (sf.MODES, 3)]]))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(font) - 1), st.integers(0, 255)), max_size=6)):
        font[place] = value
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(font))))
    (tmp_path / "x.sf2").write_bytes(font[:cut])
    try:
        samples = sf.play_notes(read_soundfont(tmp_path / "x.sf2"), [note(60, 0.05), note(72, 0.05)], RATE)
    except BadInput as error:
        said = str(error)
        samples = np.zeros((2, 1))
    else:
        said = ""
    assert "\n" not in said
    assert np.isfinite(samples).all()
