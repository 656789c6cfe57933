"""A picture tells whose each note is, names bars and pitches, and is written whole or not at all."""

import re
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from ripieno.errors import BadInput
from ripieno.files.door import PICTURES
from ripieno.files.picture import roll
from ripieno.files.picture.roll import DrawnNote, Kind, RollDrawing, draw_roll, systems_of
from ripieno.music.piece import Key

SVG = "{http://www.w3.org/2000/svg}"
F_MINOR = Key(step=Fraction(0), tonic=5, mode="minor", n_sharps=-4)


def one_bar(*notes: DrawnNote, title: str = "", key: Key | None = None) -> RollDrawing:
    return RollDrawing(notes=notes, bar_starts=(0,), end=16, title=title, key=key)


def texts_of(drawing: RollDrawing, folder: Path) -> list[str]:
    draw_roll(drawing, folder / "texts.svg")
    root = ElementTree.parse(folder / "texts.svg")
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def shapes_of(drawing: RollDrawing, folder: Path, style: str) -> int:
    """How many notes a picture shows in this style; its legend does not count."""
    draw_roll(drawing, folder / "shapes.svg")
    collections = [
        group
        for group in ElementTree.parse(folder / "shapes.svg").iter(f"{SVG}g")
        if group.get("id", "").startswith("PathCollection")
    ]
    # an element with an id is only a model for others
    return sum(
        style in element.get("style", "") and not element.get("id") for group in collections for element in group.iter()
    )


def darkness_of(kind: Kind, folder: Path) -> float:
    """Blackness that a note adds to a picture without its legend, in grey."""
    pixels = []
    for name, notes in (("with", (DrawnNote(pitch=65, onset=2, duration=12, kind=kind),)), ("without", ())):
        # a removed note at either end keeps the rows in their places
        frame = [DrawnNote(pitch=pitch, onset=0, duration=1, kind="removed") for pitch in (60, 72)]
        draw_roll(one_bar(*frame, *notes), folder / f"{name}.png")
        pixels.append(imread(folder / f"{name}.png")[..., :3].mean(axis=2))
    return float((pixels[1] - pixels[0])[120:].sum())


def test_your_notes_and_new_ones_differ_in_black_and_white(tmp_path: Path) -> None:
    assert darkness_of("yours", tmp_path) > 2 * darkness_of("new", tmp_path) > 0
    assert darkness_of("new", tmp_path) > 2 * darkness_of("removed", tmp_path) > 0


def test_a_note_that_was_taken_away_leaves_a_dashed_frame(tmp_path: Path) -> None:
    there = DrawnNote(pitch=60, onset=0, duration=4)
    gone = DrawnNote(pitch=64, onset=4, duration=4, kind="removed")
    assert shapes_of(one_bar(there), tmp_path, "stroke-dasharray") == 0
    assert shapes_of(one_bar(there, gone), tmp_path, "stroke-dasharray") == 1


def test_the_legend_names_what_occurs_and_nothing_else(tmp_path: Path) -> None:
    melody = DrawnNote(pitch=72, onset=0, duration=4, voice="Melody")
    bass = DrawnNote(pitch=48, onset=0, duration=4, kind="new", voice="Bass")
    gone = DrawnNote(pitch=71, onset=4, duration=4, kind="removed", voice="Melody")
    assert [text for text in texts_of(one_bar(bass, melody), tmp_path) if "(" in text] == [
        "Melody (yours)",
        "Bass (new)",
    ]
    assert "taken away" in texts_of(one_bar(melody, gone), tmp_path)
    assert {"yours", "new"} <= set(
        texts_of(
            one_bar(DrawnNote(pitch=60, onset=0, duration=1), DrawnNote(pitch=62, onset=0, duration=1, kind="new")),
            tmp_path,
        )
    )


def test_a_voice_keeps_its_colour_whoever_wrote_the_note(tmp_path: Path) -> None:
    high = DrawnNote(pitch=72, onset=0, duration=4, voice="Soprano")
    low = DrawnNote(pitch=48, onset=0, duration=4, kind="new", voice="Bass")
    continued = DrawnNote(pitch=50, onset=4, duration=4, voice="Bass")
    drawing = one_bar(high, low, continued)
    first, second = roll.VOICE_COLOURS[:2]
    assert shapes_of(drawing, tmp_path, f"stroke: {first}") == shapes_of(drawing, tmp_path, f"fill: {first}") == 1
    assert shapes_of(drawing, tmp_path, f"stroke: {second}") == 2
    assert shapes_of(drawing, tmp_path, f"fill: {second}") == 1  # the solid one


def test_pitches_are_spelled_as_the_key_has_them(tmp_path: Path) -> None:
    note = DrawnNote(pitch=65, onset=0, duration=4)
    in_f_minor = texts_of(one_bar(note, key=F_MINOR), tmp_path)
    assert {"F4", "A♭", "B♭", "D♭", "E♭"} <= set(in_f_minor)
    assert not any("♯" in text for text in in_f_minor)
    assert {"C4", "F", "A"} <= set(texts_of(one_bar(note), tmp_path))


def test_bars_are_numbered_and_a_pickup_is_not(tmp_path: Path) -> None:
    notes = (DrawnNote(pitch=60, onset=0, duration=4),)
    drawing = RollDrawing(notes=notes, bar_starts=(0, 4, 20, 36), end=48, first_bar=0)
    assert [text for text in texts_of(drawing, tmp_path) if text.isdigit()] == ["1", "2", "3"]


def test_a_note_goes_on_in_the_next_system(tmp_path: Path) -> None:
    lines = tuple(range(0, 16 * 16, 16))
    for onset, n_shapes in ((8, 1), (120, 2)):
        note = DrawnNote(pitch=60, onset=onset, duration=16, voice="Alto")
        drawing = RollDrawing(notes=(note,), bar_starts=lines, end=256)
        assert shapes_of(drawing, tmp_path, f"fill: {roll.VOICE_COLOURS[0]}") == n_shapes


@given(st.lists(st.integers(1, 24), min_size=1, max_size=70), st.booleans())
def test_systems_hold_every_bar_once_and_are_even(lengths: list[int], has_pickup: bool) -> None:
    lines = [float(line) for line in np.cumsum([0, *lengths])]
    systems = systems_of(lines, has_pickup)
    assert [bar for system in systems for bar in pairwise(system)] == list(pairwise(lines))
    n_bars = [len(system) - 1 for system in systems]
    n_bars[0] -= has_pickup and len(lengths) > 1
    assert max(n_bars) <= roll.BARS_PER_SYSTEM
    assert max(n_bars) - min(n_bars) <= 1


@pytest.mark.parametrize(
    "title", ["Salve <Regina> & co", "$x^2$", "春の海", "a\x07b\x00c", "", "long " * 99, "_hidden"]
)
def test_any_title_and_any_voice_can_be_drawn(title: str, tmp_path: Path) -> None:
    drawing = one_bar(DrawnNote(pitch=60, onset=0.5, duration=1 / 3, voice=title), title=title)
    draw_roll(drawing, tmp_path / "a.png")
    wanted = " ".join(re.sub(r"[\x00-\x1f]", " ", title).split())
    title_shown = texts_of(drawing, tmp_path)[0] if title else ""
    assert title_shown == wanted or (title_shown.endswith("…") and wanted.startswith(title_shown[:-1]))


def test_a_piece_without_notes_can_be_drawn(tmp_path: Path) -> None:
    draw_roll(one_bar(title="Silence"), tmp_path / "silence.png")
    assert imread(tmp_path / "silence.png").ndim == 3


def test_a_long_piece_stays_a_picture_that_can_be_opened(tmp_path: Path) -> None:
    n_bars = 600
    notes = tuple(DrawnNote(pitch=40 + bar % 40, onset=16 * bar, duration=16) for bar in range(n_bars))
    drawing = RollDrawing(notes=notes, bar_starts=tuple(range(0, 16 * n_bars, 16)), end=16 * n_bars)
    draw_roll(drawing, tmp_path / "long.png")
    height, width, _ = imread(tmp_path / "long.png").shape
    assert height * width <= roll.MOST_DOTS * 1.01
    assert height < 2**16


def test_the_same_drawing_gives_the_same_file_whatever_the_users_settings(tmp_path: Path) -> None:
    drawing = one_bar(DrawnNote(pitch=60, onset=0, duration=4, voice="Alto"), title="Again")
    before = dict(matplotlib.rcParams)
    for suffix in PICTURES:
        draw_roll(drawing, tmp_path / f"one{suffix}")
        with matplotlib.rc_context({"font.family": ["monospace"], "svg.fonttype": "path", "text.usetex": True}):
            draw_roll(drawing, tmp_path / f"two{suffix}")
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", ["roll.jpg", "roll", "roll.svg.gz"])
def test_another_suffix_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.png, \.svg or \.pdf"):
        draw_roll(one_bar(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        draw_roll(one_bar(), tmp_path / "missing" / "roll.png")
    assert list(tmp_path.iterdir()) == []


def test_drawing_needs_no_window_and_no_pyplot(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from ripieno.files.picture.roll import RollDrawing, draw_roll
draw_roll(RollDrawing(notes=(), bar_starts=(0,), end=16), Path({str(tmp_path / "a.png")!r}))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_the_same_drawing_gives_the_same_pdf(tmp_path: Path) -> None:
    drawing = RollDrawing(notes=(DrawnNote(pitch=60, onset=0, duration=4),), bar_starts=(0.0,), end=16.0, title="Ode")
    for name in ("a.pdf", "b.pdf"):
        draw_roll(drawing, tmp_path / name)
    first = (tmp_path / "a.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert first == (tmp_path / "b.pdf").read_bytes()
