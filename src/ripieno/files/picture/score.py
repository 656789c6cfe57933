"""An engraved score as a picture: SVG, PNG or PDF, by verovio.

Whoever hands in MusicXML has said which notes are new, by their colour and by the names of their parts, so that the
difference survives a black and white printer. An SVG or PNG is one long page, a PDF has pages of A4, as pictures of 200
dots to the inch.

Verovio and what draws are imported by the functions that need them.
"""

from __future__ import annotations

import io
import re
from functools import cache
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from ripieno.errors import BadInput
from ripieno.files.door import PICTURES
from ripieno.whole import whole_file

A4 = (2100, 2970)  # verovio counts in tenths of a millimetre
SCALE = 40  # percent; about the size of a printed hymnal
TALLEST = 60_000  # of one long page
DOTS_PER_INCH = 200
STRIP = {  # one system, for a screen; its fonts and its size are the page's business
    "header": "none",
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
_TOOLTIP = re.compile(r"<title[^>]*>[^<]*</title>")  # at which resvg forgets where a text stands
# Words that an editor has put anywhere on its own page. What they say, the score's title and its author, stands
# elsewhere in it too, and of ours they would take any place.
_CREDIT = re.compile(r"<credit\b.*?</credit>", re.DOTALL)
_COMPOSER = re.compile(r'<creator type="composer">\s*([^<]*?)\s*</creator>')
_HEADING = re.compile(
    r'(?P<begin>class="pgHead[^>/]*>)(?P<placed>.*?x="(?P<middle>\d+)" y="(?P<y>\d+)".*?<tspan font-size=")'
    r'(?P<size>\d+)(?P<px>px">)(?P<title>[^<]*)',
    re.DOTALL,
)
IN_A_LINE = 70  # characters that have room beside each other in the size of a title
COMPOSER_SIZE = 405  # that of other words
MOST_OF_COMPOSER = 25  # characters; a longer name is set smaller
_SIGN = re.compile("[\ue000-\uf8ff]")  # SMuFL's part of Unicode
FACE = "Leipzig"  # verovio's own music font
UNITS_PER_EM = 1000
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
    if suffix not in PICTURES:
        raise BadInput(f"{path.name}: a score is drawn as {', '.join(PICTURES)}; end its name in one of these")
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
            "header": "auto",  # the title
            "footer": "none",
            "breaks": "auto",
            "svgViewBox": True,
            "xmlIdSeed": 1,  # the same score gives the same file
        }
        | (STRIP if is_strip else {})
    )
    if not toolkit.loadData(_CREDIT.sub("", musicxml)) or not toolkit.getPageCount():
        raise BadInput("the score cannot be engraved: see whether a notation program reads its MusicXML")
    n_pages = toolkit.getPageCount() if is_paged else 1
    if n_pages > MOST_PAGES:
        raise BadInput(f"the score has {n_pages} pages, more than the {MOST_PAGES} that are drawn; draw it as .svg")
    first, *others = (str(toolkit.renderToSVG(page)) for page in range(1, n_pages + 1))
    return [_headed(first, musicxml), *others]


def _headed(page: str, musicxml: str) -> str:
    """The page with its title no wider than it has room, and with the composer, whom verovio leaves out."""
    composer = _COMPOSER.search(musicxml)

    def heading(found: re.Match[str]) -> str:
        room, by = float(IN_A_LINE), ""
        size = int(found["size"])
        if composer is not None and composer[1]:
            length = len(unescape(composer[1]))
            own = round(COMPOSER_SIZE * min(1, MOST_OF_COMPOSER / length))
            room -= 2 * length * own / size  # the title is in the middle
            by = (
                f'<text x="{2 * int(found["middle"])}" y="{found["y"]}" text-anchor="end" font-size="0px">'
                f'<tspan font-size="{own}px">{composer[1]}</tspan></text>'
            )
        size = round(size * min(1, room / max(len(unescape(found["title"])), 1)))
        return f"{found['begin']}{by}{found['placed']}{size}{found['px']}{found['title']}"

    return _HEADING.sub(heading, page, count=1)


def _png(svg: str, zoom: float) -> bytes:
    import resvg_py

    signs = "".join(sorted(set(_SIGN.findall(svg))))
    with TemporaryDirectory(prefix="ripieno-") as folder:  # resvg takes fonts as files alone
        fonts = _serif()
        if signs:
            own = Path(folder) / f"{FACE}.otf"
            own.write_bytes(_font_of(signs))
            fonts = [*fonts, str(own)]
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=_TOOLTIP.sub("", svg),
                zoom=zoom,
                background="white",
                font_files=fonts,
                serif_family="STIXGeneral",
            )
        )


@cache
def _serif() -> list[str]:
    """A serif for whoever has no Times, which verovio asks for and measures by; it comes with matplotlib."""
    import matplotlib

    return [str(path) for path in sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("STIXGeneral*.ttf"))]


@cache
def _font_of(signs: str) -> bytes:
    """A font with these signs of music, from verovio's outlines, that anything reads.

    For what stands in a line of text, the note of a metronome mark, the accidentals of a figured bass, verovio puts its
    font into the picture as WOFF2, which only browsers read. What stands on staves are outlines in any case.
    """
    import verovio
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.t2CharStringPen import T2CharStringPen
    from fontTools.svgLib.path import parse_path

    data = Path(verovio.__file__).parent / "data"
    metrics = {glyph.attrib["c"]: glyph for glyph in ElementTree.parse(data / f"{FACE}.xml").getroot().iter("g")}
    glyphs, widths = {}, {}
    for code in (f"{ord(sign):04X}" for sign in f" {signs}"):
        outline = data / FACE / f"{code}.xml"
        if code in metrics and outline.exists():
            widths[code] = round(float(metrics[code].attrib["h-a-x"]))
            pen = T2CharStringPen(widths[code], None)
            for drawn in ElementTree.parse(outline).getroot().iter("path"):
                parse_path(drawn.attrib["d"], pen)
            glyphs[code] = pen.getCharString()
    empty = T2CharStringPen(0, None).getCharString()
    builder = FontBuilder(UNITS_PER_EM, isTTF=False)
    builder.setupGlyphOrder([".notdef", *glyphs])
    builder.setupCharacterMap({int(code, 16): code for code in glyphs})
    builder.setupCFF(FACE, {}, {".notdef": empty} | glyphs, {})
    builder.setupHorizontalMetrics({".notdef": (0, 0)} | {code: (width, 0) for code, width in widths.items()})
    builder.setupHorizontalHeader(ascent=UNITS_PER_EM, descent=-UNITS_PER_EM)
    builder.setupNameTable({"familyName": FACE, "styleName": "Regular", "psName": FACE})
    builder.setupOS2()
    builder.setupPost()
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


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
