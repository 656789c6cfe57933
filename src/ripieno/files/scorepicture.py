"""An engraved score as a picture: SVG, PNG or PDF, by verovio.

Whoever hands in MusicXML has said which notes are new, by their colour and by the names of their parts, so that the
difference survives a black and white printer. An SVG or PNG is one long page, a PDF has pages of A4, as pictures of 200
dots to the inch.

Import this module where you draw: it brings verovio.
"""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from ripieno.errors import BadInput
from ripieno.files.whole import whole_file

SUFFIXES = (".svg", ".png", ".pdf")
A4 = (2100, 2970)  # verovio counts in tenths of a millimetre
SCALE = 40  # percent; about the size of a printed hymnal
TALLEST = 60_000  # of one long page
DOTS_PER_INCH = 200
STRIP = {  # one system, for a screen; its fonts and its size are the page's business
    "breaks": "none",
    "pageWidth": 100_000,
    "adjustPageWidth": True,
    "pageMarginTop": 40,
    "pageMarginBottom": 40,
    "scale": 34,
    "mnumInterval": 1,
    "svgViewBox": False,
    "smuflTextFont": "none",
}
_ACCIDENTAL = re.compile(
    r'<tspan font-family="(?:Leipzig|Bravura)" font-size="(?P<size>[\d.]+)px">(?P<signs>[^<]*)</tspan>'
)
# Figured bass accidentals and the common ones, as SMuFL numbers them.
_PLAIN = {"\uea63": "♭♭", "\uea64": "♭", "\uea65": "♮", "\uea66": "♯", "\uea67": "♯♯"}
_PLAIN |= {"\ue260": "♭", "\ue261": "♮", "\ue262": "♯", "\ue263": "♯♯", "\ue264": "♭♭"}
_SMALLER = 0.56  # a letter beside a sign of verovio's font
NEW_COLOUR = "#1F5FA8"  # of notes that were not there before; dark enough to be read in black and white
MOST_PAGES = 200


def draw_score(musicxml: str, path: Path) -> None:
    """Engrave a score; the suffix of `path` says as what.

    Args:
        musicxml: the score, uncompressed.
        path: replaced only once the new file is whole.

    Raises:
        BadInput: another suffix, the score cannot be engraved, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path.name}: a score is drawn as {', '.join(SUFFIXES)}; end its name in one of these")
    pages = engraved(musicxml, is_paged=suffix == ".pdf")
    if suffix == ".svg":
        data = pages[0].encode()
    elif suffix == ".png":
        data = _png(pages[0], 2.0)
    else:
        data = _pdf(pages)
    with whole_file(path) as file:
        file.write(data)


def engraved(musicxml: str, *, is_paged: bool = False, is_strip: bool = False) -> list[str]:
    """The pages of a score as SVG: of A4, or one that is as long as need be, or a strip that is as wide as need be.

    Raises:
        BadInput: verovio cannot read it.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit: Any = verovio.toolkit()
    toolkit.setOptions(
        {
            "pageWidth": A4[0],
            "pageHeight": A4[1] if is_paged else TALLEST,
            "adjustPageHeight": not is_paged,
            "scale": SCALE,
            "header": "none",
            "footer": "none",
            "breaks": "auto",
            "svgViewBox": True,
            "xmlIdSeed": 1,  # the same score gives the same file
        }
        | (STRIP if is_strip else {})
    )
    if not toolkit.loadData(musicxml) or not toolkit.getPageCount():
        raise BadInput("the score cannot be engraved: see whether a notation program reads its MusicXML")
    n_pages = toolkit.getPageCount() if is_paged else 1
    if n_pages > MOST_PAGES:
        raise BadInput(f"the score has {n_pages} pages, more than the {MOST_PAGES} that are drawn; draw it as .svg")
    return [str(toolkit.renderToSVG(page)) for page in range(1, n_pages + 1)]


def _png(svg: str, zoom: float) -> bytes:
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=_ACCIDENTAL.sub(_plain, svg),
            zoom=zoom,
            background="white",
            font_files=_fonts(),
            serif_family="STIXGeneral",
        )
    )


def _plain(found: re.Match[str]) -> str:
    """An accidental of verovio's own font, which lies in the file where only browsers read it, as any font has it."""
    size = round(float(found["size"]) * _SMALLER)
    return f'<tspan font-size="{size}px">{"".join(_PLAIN.get(sign, sign) for sign in found["signs"])}</tspan>'


@cache
def _fonts() -> list[str]:
    """A serif for whoever has no Times, which verovio asks for and measures by; it comes with matplotlib."""
    import matplotlib

    return [str(path) for path in sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("STIXGeneral*.ttf"))]


def _pdf(pages: list[str]) -> bytes:
    from PIL import Image

    width = A4[0] / 254 * DOTS_PER_INCH
    pictures = []
    for page in pages:
        plain = Image.open(io.BytesIO(_png(page, 2.0))).convert("RGB")
        pictures.append(
            plain.resize((round(width), round(width * plain.height / plain.width)), Image.Resampling.LANCZOS)
        )
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PDF", save_all=True, append_images=pictures[1:], resolution=float(DOTS_PER_INCH))
    return buffer.getvalue()
