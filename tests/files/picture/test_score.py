"""A score is engraved whole, as what its name says, and new notes are told apart with colour and without."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ripieno import Session, read
from ripieno.errors import BadInput
from ripieno.files.picture import score as scorepicture
from ripieno.files.picture.score import NEW_COLOUR, draw_score, engraved
from ripieno.models.runtime import load_model
from tests.files.scores import attributes, note, score

ROOT = Path(__file__).parents[3]
BAR = "".join(note(name, 1, "quarter") for name in ("C5", "D5", "E5", "F5"))


def tune(n_bars: int = 2) -> str:
    return score([attributes() + BAR, *[BAR] * (n_bars - 1)])


def test_every_note_is_on_the_page() -> None:
    (page,) = engraved(tune(40))
    assert len(re.findall(r'class="note"', page)) == 160
    assert len(engraved(tune(200), is_paged=True)) > 1
    assert engraved(tune()) == engraved(tune())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_file_is_what_its_name_says(suffix: str, tmp_path: Path) -> None:
    draw_score(tune(), tmp_path / f"x{suffix}")
    data = (tmp_path / f"x{suffix}").read_bytes()
    assert data.startswith({".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[suffix])
    if suffix == ".png":
        picture = Image.open(io.BytesIO(data)).convert("L")
        dark = sum(picture.histogram()[:128])
        assert 0.002 < dark / (picture.width * picture.height) < 0.2  # notes and lines on white


def test_what_cannot_be_engraved_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be engraved"):
        engraved("no score")
    with pytest.raises(BadInput, match=r"x\.jpg"):
        draw_score(tune(), tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []


def test_new_notes_are_blue_and_their_parts_are_called_new(tmp_path: Path) -> None:
    session = Session(read(ROOT / "examples" / "ode-to-joy.mid"), model=load_model(n_threads=1), bars=(1, 1))
    for _ in session.run(iterations=12):
        pass
    session.save(tmp_path / "x.svg", as_score=True)
    page = (tmp_path / "x.svg").read_text()
    assert NEW_COLOUR.lower() in page.lower()
    assert "(new)" in page


def ink(svg_text: str) -> int:
    """Dark pixels of some SVG as a PNG, on a page of its own."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60" width="200" height="60">{svg_text}</svg>'
    return int((np.asarray(Image.open(io.BytesIO(scorepicture._png(svg, 1.0))).convert("L")) < 128).sum())


def test_words_are_printed_whether_or_not_the_machine_has_the_font_that_verovio_asks_for() -> None:
    assert ink('<text x="5" y="40" font-size="30px" font-family="Times, serif">Amen</text>') > 100


@pytest.mark.parametrize("sign", ["\uea64", "\uea66", "\ue260"])
def test_a_chord_symbols_accidental_is_printed(sign: str) -> None:
    """B flat without its flat is another chord."""
    name = '<text x="5" y="40" font-family="Times, serif"><tspan font-size="30px">B</tspan>{}</text>'
    flat = f'<tspan font-family="Leipzig" font-size="53px">{sign}</tspan>'
    assert ink(name.format(flat)) > ink(name.format("")) + 12


@pytest.mark.parametrize("sign", ["\ueca5", "\ueca3", "\ueca7", "\uecb7"])
def test_the_note_of_a_metronome_mark_is_printed(sign: str) -> None:
    mark = '<text x="5" y="40" font-size="0px" font-weight="bold"><tspan font-size="53px">{}</tspan></text>'
    assert ink(mark.format(f'<tspan font-family="Leipzig">{sign}</tspan>')) > 10


def test_a_dot_stands_close_to_the_note_of_a_metronome_mark() -> None:
    def width(signs: str) -> int:
        svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60" width="200" height="60">
        <text x="5" y="40" font-family="Leipzig" font-size="80px">{signs}</text></svg>"""
        dark = np.asarray(Image.open(io.BytesIO(scorepicture._png(svg, 1.0))).convert("L")) < 128
        return int(np.ptp(np.flatnonzero(dark.any(axis=0))))

    assert width("\ueca5") < width("\ueca5 \uecb7") < width("\ueca5") + 22  # with the space of another font 30


def headed(title: str, more: str = "", credits_: str = "") -> str:
    told = f"<work><work-title>{title}</work-title></work><identification>{more}</identification>{credits_}"
    return tune(8).replace("<part-list>", f"{told}<part-list>", 1)


def heading(musicxml: str, path: Path) -> np.ndarray:
    """Where the first line of a picture is dark."""
    draw_score(musicxml, path)
    dark = np.array(Image.open(path).convert("L"), dtype=int) < 128
    rows = np.count_nonzero(dark, axis=1) > 0
    first = int(np.flatnonzero(rows)[0])
    return dark[first : first + int(np.flatnonzero(~rows[first:])[0])]


def test_a_title_stands_above_the_middle_of_the_page_in_pictures_too(tmp_path: Path) -> None:
    line = heading(headed("Amen"), tmp_path / "x.png")
    columns = np.flatnonzero(line.any(axis=0))
    assert abs(columns.mean() - line.shape[1] / 2) < line.shape[1] / 50
    assert np.ptp(columns) < line.shape[1] / 4
    assert "Amen" not in engraved(headed("Amen"), is_strip=True)[0]  # the studio has it in its head


@pytest.mark.parametrize("composer", ["", "Johann Sebastian Bach &amp; Sons, arranged by N. N."])
def test_a_long_title_is_not_cut(composer: str, tmp_path: Path) -> None:
    title = "Wachet auf, ruft uns die Stimme: a melody of Philipp Nicolai, for four voices &amp; organ, " * 2
    line = heading(headed(title, f'<creator type="composer">{composer}</creator>'), tmp_path / "x.png")
    columns = np.flatnonzero(line.any(axis=0))
    assert line.shape[1] / 50 < columns[0] < columns[-1] < line.shape[1] * 0.98
    spaces = np.diff(columns)
    assert bool(spaces.max() > 40) is bool(composer)  # between the title and whoever wrote it


def test_a_composer_is_named_and_what_an_editor_has_put_on_its_own_page_is_not(tmp_path: Path) -> None:
    credit = '<credit page="1"><credit-words default-x="600" default-y="53">All rights reserved</credit-words></credit>'
    told = headed("Amen", '<creator type="composer"> J. S. Bach </creator>', credit)
    first, *others = engraved(told, is_paged=True)
    assert ">J. S. Bach<" in first
    assert "rights" not in first
    assert not any("Bach" in page for page in others)
    right = heading(told, tmp_path / "x.png")[:, 1200:].any(axis=0)
    assert right.any()
    assert not heading(headed("Amen"), tmp_path / "y.png")[:, 1200:].any()


def test_a_score_without_a_title_is_as_it_was() -> None:
    named = tune().replace(
        "<part-list>", '<identification><creator type="composer">N. N.</creator></identification><part-list>', 1
    )
    assert engraved(named) == engraved(tune())
