"""A piano roll as a picture, PNG, SVG or PDF, that tells your notes from the new ones in black and white too.

Yours are solid, new ones are pale with an outline, and where one of yours was taken away a dashed frame is left. Each
voice has a colour of its own; two voices on one pitch show as a stripe within a note. Eight bars make a system, and
systems stand under each other as in a score.

Import this module where you draw: it brings matplotlib, which takes a third of a second to load.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.path import Path as Outline

from ripieno.errors import BadInput
from ripieno.files.door import PICTURES
from ripieno.music.harmony import key_of, note_name, scale
from ripieno.music.piece import Key
from ripieno.whole import whole_file

Kind = Literal["yours", "new", "removed"]
KINDS: tuple[Kind, ...] = ("yours", "new", "removed")
WORDS: dict[Kind, str] = {"yours": "yours", "new": "new", "removed": "taken away"}

BARS_PER_SYSTEM = 8

# Lengths are inches on the page, counted from its upper left corner.
PAGE_WIDTH = 11.0
MARGIN = 0.35
NAMES_WIDTH = 0.36  # pitch names and the keyboard, left of a system
KEYBOARD_WIDTH = 0.24
WIDEST_STEP = 0.2
SYSTEM_GAP = 0.42  # room for bar numbers
DOTS_PER_INCH = 160
MOST_DOTS = 10_000_000  # a picture of some 40 MB in memory; a longer piece is drawn coarser
MOST_DOTS_HIGH = 60_000  # what the drawing library can do

INK = "#26303d"
FAINT_INK = "#6d7683"
BLACK_KEY_ROW = "#f1f3f6"
BEAT_LINE = "#e3e6eb"
OCTAVE_LINE = "#c9ced6"
BAR_LINE = "#98a1ad"
NEW_WITHOUT_VOICE = "#c0522d"
# from the highest voice to the lowest; told apart by the colour-blind as well
VOICE_COLOURS = ("#1f4f8f", "#c0522d", "#2b7f62", "#7d4a9a", "#a87a10", "#3a7f8c", "#8f2d56", "#5a6472")

# What a user's own matplotlib settings must not change.
SETTINGS: Any = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib
    "font.serif": ["DejaVu Serif"],
    "svg.fonttype": "none",  # text stays text: it can be searched, and edited in a drawing program
    "svg.hashsalt": "ripieno",  # the same drawing gives the same file
    "text.usetex": False,
    "text.parse_math": False,  # a title may hold a dollar sign
}


@dataclass(frozen=True, kw_only=True)
class DrawnNote:
    """One note of a picture: a user's, a new one, or one of the user's that was taken away."""

    pitch: int
    onset: float  # steps
    duration: float  # steps
    kind: Kind = "yours"
    voice: str | None = None

    @property
    def end(self) -> float:
        """Where it stops, in steps."""
        return self.onset + self.duration


@dataclass(frozen=True, kw_only=True)
class RollDrawing:
    """What a picture shows."""

    notes: tuple[DrawnNote, ...]
    bar_starts: tuple[float, ...]  # steps, ascending; at least one
    end: float  # the last bar line, in steps
    beat: float = 4  # steps from one beat to the next
    first_bar: int = 1  # number of the first bar; 0 for a pickup
    key: Key | None = None  # spells the pitch names
    title: str = ""


def draw_roll(drawing: RollDrawing, path: Path) -> None:
    """Draw a piano roll; the suffix of `path` says whether as PNG, SVG or PDF.

    Raises:
        BadInput: another suffix, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in PICTURES:
        raise BadInput(f"{path.name} does not say which kind of picture to draw: end its name in .png, .svg or .pdf")
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        # a title may be in a script that the font lacks; the reader sees that without being told
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = _figure(drawing)
        title = _shortened(drawing.title, 200)
        every: dict[str, dict[str, str | None]] = {  # no date, so that the same drawing gives the same file
            ".png": {"Software": None},
            ".svg": {"Date": None, "Title": title},
            ".pdf": {"CreationDate": None, "Title": title},
        }
        with whole_file(path) as file:
            figure.savefig(file, format=suffix[1:], dpi=figure.dpi, metadata=every[suffix])


# The page


@dataclass(frozen=True)
class _System:
    """Some bars side by side: `lines` are their bar lines, in steps; `top` is where the system's highest row begins."""

    lines: tuple[float, ...]
    first_bar: int
    top: float
    is_last: bool

    @property
    def start(self) -> float:
        return self.lines[0]

    @property
    def end(self) -> float:
        return self.lines[-1]


@dataclass(frozen=True)
class _Page:
    width: float
    height: float
    step_width: float
    row_height: float
    lowest: int
    highest: int
    legend_columns: int
    systems: tuple[_System, ...]

    @property
    def system_height(self) -> float:
        return (self.highest - self.lowest + 1) * self.row_height

    def x(self, system: _System, step: float) -> float:
        return MARGIN + NAMES_WIDTH + (step - system.start) * self.step_width

    def y(self, system: _System, pitch: float) -> float:
        """The upper edge of a pitch's row."""
        return system.top + (self.highest - pitch) * self.row_height


def systems_of(bar_lines: Sequence[float], has_pickup: bool = False) -> list[tuple[float, ...]]:
    """Break a piece into systems of about eight bars, as even as can be; a pickup is not counted.

    Args:
        bar_lines: where each bar begins, and where the last one ends, in steps.
        has_pickup: the first bar is a pickup, and stands before the first system's eight.

    Returns:
        the bar lines of each system; the last one of a system is the first one of the next.
    """
    pickup = 1 if has_pickup and len(bar_lines) > 2 else 0
    n_bars = len(bar_lines) - 1 - pickup
    n_systems = max(1, math.ceil(n_bars / BARS_PER_SYSTEM))
    # rounded up, so that the last system is the shortest
    breaks = [pickup + math.ceil(i * n_bars / n_systems) for i in range(n_systems + 1)]
    breaks[0] = 0
    return [tuple(bar_lines[first : last + 1]) for first, last in pairwise(breaks)]


def _page(drawing: RollDrawing, legend: Sequence[str]) -> _Page:
    pitches = [note.pitch for note in drawing.notes] or [60]
    lowest, highest = max(min(pitches) - 2, 0), min(max(pitches) + 2, 127)
    spare = max(12 - (highest - lowest), 0)  # a drone still gets an octave around it
    lowest, highest = max(lowest - spare // 2, 0), min(highest + spare - spare // 2, 127)

    lines = systems_of([*drawing.bar_starts, drawing.end], has_pickup=drawing.first_bar == 0)
    row_height = 0.1 if len(lines) == 1 else 0.085
    system_height = (highest - lowest + 1) * row_height
    longest = max(system[-1] - system[0] for system in lines)
    step_width = min((PAGE_WIDTH - 2 * MARGIN - NAMES_WIDTH) / longest, WIDEST_STEP)
    width = max(2 * MARGIN + NAMES_WIDTH + longest * step_width, 6.0)

    widest_entry = 0.6 + 0.075 * max((len(label) for label in legend), default=0)
    legend_columns = max(int((width - 2 * MARGIN) / widest_entry), 1)
    legend_height = 0.2 * math.ceil(len(legend) / legend_columns)
    top = MARGIN + (0.34 if drawing.title else 0) + legend_height + 0.3
    systems: list[_System] = []
    bar = drawing.first_bar
    for number, system in enumerate(lines):
        is_last = number == len(lines) - 1
        systems.append(_System(system, bar, top + number * (system_height + SYSTEM_GAP), is_last))
        bar += len(system) - 1
    height = systems[-1].top + system_height + MARGIN
    return _Page(width, height, step_width, row_height, lowest, highest, legend_columns, tuple(systems))


# The drawing


def _figure(drawing: RollDrawing) -> Figure:
    voices = _voices(drawing.notes)
    legend = _legend(drawing.notes, voices)
    page = _page(drawing, [str(entry.get_label()) for entry in legend])
    dpi = min(DOTS_PER_INCH, math.sqrt(MOST_DOTS / (page.width * page.height)), MOST_DOTS_HIGH / page.height)
    figure = Figure(figsize=(page.width, page.height), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, page.width), ylim=(page.height, 0))
    axes.set_axis_off()
    if drawing.title:
        title = _shortened(drawing.title, int((page.width - 2 * MARGIN) * 7.5))
        axes.text(MARGIN, MARGIN, title, fontsize=15, color=INK, va="top", family="serif")
    if legend:
        figure.legend(
            handles=legend,
            loc="upper left",
            bbox_to_anchor=(MARGIN / page.width, 1 - (MARGIN + (0.32 if drawing.title else 0)) / page.height),
            ncols=page.legend_columns,
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.9,
            handleheight=0.8,
            handletextpad=0.6,
            columnspacing=2.0,
        )
    for system in page.systems:
        _draw_grid(axes, page, system, drawing)
        _draw_keyboard(axes, page, system, drawing.key)
        _draw_notes(axes, page, system, drawing.notes, voices)
    return figure


def _draw_grid(axes: Axes, page: _Page, system: _System, drawing: RollDrawing) -> None:
    left, right = page.x(system, system.start), page.x(system, system.end)
    top, bottom = system.top, system.top + page.system_height
    rows = [
        _rectangle(left, page.y(system, pitch), right, page.y(system, pitch - 1))
        for pitch in range(page.lowest, page.highest + 1)
        if _is_black(pitch)
    ]
    _draw_shapes(axes, rows, facecolor=BLACK_KEY_ROW, linewidth=0)

    octaves = [page.y(system, pitch - 1) for pitch in range(page.lowest, page.highest + 1) if pitch % 12 == 0]
    _draw_lines(axes, [((left, y), (right, y)) for y in octaves], OCTAVE_LINE, 0.6)
    beats = [page.x(system, step) for step in _beats(system, drawing)]
    _draw_lines(axes, [((x, top), (x, bottom)) for x in beats], BEAT_LINE, 0.7)
    bars = [page.x(system, line) for line in system.lines]
    _draw_lines(axes, [((x, top), (x, bottom)) for x in bars], BAR_LINE, 0.9)
    _draw_lines(axes, [((left, y), (right, y)) for y in (top, bottom)], OCTAVE_LINE, 0.6)
    if system.is_last:
        _draw_shapes(axes, [_rectangle(right + 0.03, top, right + 0.07, bottom)], facecolor=BAR_LINE, linewidth=0)
    for number, x in enumerate(bars[:-1], start=system.first_bar):
        if number > 0:
            axes.text(x, top - 0.05, str(number), fontsize=7, color=FAINT_INK, ha="left", va="bottom")


def _beats(system: _System, drawing: RollDrawing) -> list[float]:
    beats = []
    for number, (start, end) in enumerate(pairwise(system.lines), start=system.first_bar):
        # a pickup's beats lead up to the bar line
        first = start if number > 0 else end - math.floor((end - start) / drawing.beat) * drawing.beat
        n_beats = math.ceil((end - first) / drawing.beat)
        beats += [first + i * drawing.beat for i in range(n_beats) if first + i * drawing.beat > start]
    return beats


def _draw_keyboard(axes: Axes, page: _Page, system: _System, key: Key | None) -> None:
    right = MARGIN + NAMES_WIDTH - 0.03
    left = right - KEYBOARD_WIDTH
    top, bottom = system.top, system.top + page.system_height
    pitches = range(page.lowest, page.highest + 1)
    black = [
        _rectangle(left, page.y(system, pitch), left + 0.62 * KEYBOARD_WIDTH, page.y(system, pitch - 1))
        for pitch in pitches
        if _is_black(pitch)
    ]
    # white keys meet in the middle of the black one between them
    seams = [
        page.y(system, pitch - 1) if not _is_black(pitch - 1) else (page.y(system, pitch - 1) + page.row_height / 2)
        for pitch in pitches
        if not _is_black(pitch) and pitch > page.lowest
    ]
    _draw_shapes(axes, [_rectangle(left, top, right, bottom)], facecolor="white", edgecolor=BAR_LINE, linewidth=0.6)
    _draw_lines(axes, [((left, y), (right, y)) for y in seams if top < y < bottom], BAR_LINE, 0.6)
    _draw_shapes(axes, black, zorder=3, facecolor=INK, linewidth=0)
    key = key or key_of(0, "major")
    for pitch in pitches:
        if pitch % 12 in scale(key):
            is_tonic = pitch % 12 == key.tonic
            name = note_name(pitch, key, short=True).replace("b", "♭").replace("#", "♯")
            axes.text(
                left - 0.05,
                page.y(system, pitch) + page.row_height / 2,
                name if is_tonic else name.rstrip("-0123456789"),
                fontsize=page.row_height * 62,
                color=INK if is_tonic else FAINT_INK,
                weight="bold" if is_tonic else "normal",
                ha="right",
                va="center_baseline",
            )


def _draw_notes(axes: Axes, page: _Page, system: _System, notes: Sequence[DrawnNote], voices: Sequence[str]) -> None:
    here = [note for note in notes if note.onset < system.end and note.end > system.start]
    under: dict[int, list[DrawnNote]] = {}  # by pitch, what is drawn already
    shapes: dict[tuple[Kind, str], list[Outline]] = {}
    # yours first, and then from the top voice down, so that each next one is the narrower stripe
    for note in sorted(here, key=lambda note: (KINDS.index(note.kind), _rank(note, voices), note.onset)):
        left = page.x(system, max(note.onset, system.start))
        right = page.x(system, min(note.end, system.end))
        # what goes on in the next system runs over the edge; else a gap keeps repeated notes apart
        left += -0.06 if note.onset < system.start else 0.008
        right += 0.06 if note.end > system.end else -0.012
        right = max(right, left + 0.02)
        height = page.row_height
        if note.kind != "removed":
            others = under.setdefault(note.pitch, [])
            n_under = sum(other.onset < note.end and other.end > note.onset for other in others)
            height *= 0.86 * 0.5**n_under
            others.append(note)
        middle = page.y(system, note.pitch) + page.row_height / 2
        shape = _rounded(left, middle - height / 2, right, middle + height / 2)
        shapes.setdefault((note.kind, _colour(note, voices)), []).append(shape)
    for order, ((kind, colour), outlines) in enumerate(shapes.items()):
        _draw_shapes(axes, outlines, zorder=3 + order, **_look(kind, colour))


def _draw_lines(axes: Axes, lines: Sequence[Sequence[tuple[float, float]]], colour: str, width: float) -> None:
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=2), autolim=False)


def _draw_shapes(axes: Axes, shapes: Sequence[Outline], zorder: float = 1, **look: Any) -> None:
    axes.add_collection(PathCollection(shapes, zorder=zorder, **look), autolim=False)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Outline:
    return Outline([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], closed=True)


def _rounded(left: float, top: float, right: float, bottom: float) -> Outline:
    r = min(0.03, (right - left) / 2, (bottom - top) / 2)
    corners = [
        ((left, top + r), (left, top), (left + r, top)),
        ((right - r, top), (right, top), (right, top + r)),
        ((right, bottom - r), (right, bottom), (right - r, bottom)),
        ((left + r, bottom), (left, bottom), (left, bottom - r)),
    ]
    points = [point for corner in corners for point in corner]
    codes = [Outline.LINETO, Outline.CURVE3, Outline.CURVE3] * 4
    codes[0] = Outline.MOVETO
    return Outline([*points, points[0]], [*codes, Outline.CLOSEPOLY])


# What means what


def _voices(notes: Sequence[DrawnNote]) -> list[str]:
    """The voices from the highest to the lowest, by where their notes lie in the middle."""
    pitches: dict[str, list[int]] = {}
    for note in notes:
        if note.voice is not None and note.kind != "removed":
            pitches.setdefault(note.voice, []).append(note.pitch)
    return sorted(pitches, key=lambda voice: -sum(pitches[voice]) / len(pitches[voice]))


def _rank(note: DrawnNote, voices: Sequence[str]) -> int:
    return voices.index(note.voice) if note.voice in voices else -1


def _colour(note: DrawnNote, voices: Sequence[str]) -> str:
    if note.kind == "removed":
        return INK
    if note.voice is None:
        return INK if note.kind == "yours" else NEW_WITHOUT_VOICE
    return VOICE_COLOURS[voices.index(note.voice) % len(VOICE_COLOURS)]


def _look(kind: Kind, colour: str) -> dict[str, Any]:
    if kind == "yours":
        return {"facecolor": colour, "edgecolor": colour, "linewidth": 0.9}
    if kind == "new":
        return {"facecolor": _paler(colour), "edgecolor": colour, "linewidth": 0.9}
    return {"facecolor": "none", "edgecolor": colour, "linewidth": 0.9, "linestyle": (0, (2.2, 1.6))}


def _paler(colour: str) -> tuple[float, float, float]:
    red, green, blue = to_rgb(colour)
    return 1 - 0.25 * (1 - red), 1 - 0.25 * (1 - green), 1 - 0.25 * (1 - blue)


def _legend(notes: Sequence[DrawnNote], voices: Sequence[str]) -> list[Patch]:
    """One entry for each look that occurs, from the top voice down, what was taken away last."""
    looks = {(note.kind == "removed", _rank(note, voices), note.kind): note for note in notes}
    entries: list[Patch] = []
    for (_, rank, kind), note in sorted(looks.items(), key=lambda item: (*item[0][:2], KINDS.index(item[0][2]))):
        label = f"{_shortened(voices[rank], 24)} ({WORDS[kind]})" if rank >= 0 and kind != "removed" else WORDS[kind]
        label = label.lstrip("_")  # matplotlib leaves out what begins with one
        if all(entry.get_label() != label for entry in entries):
            entries.append(Patch(label=label, **_look(kind, _colour(note, voices))))
    return entries


def _is_black(pitch: int) -> bool:
    return pitch % 12 in (1, 3, 6, 8, 10)


def _shortened(text: str, n_letters: int) -> str:
    # names come from files, with whatever is in them; an SVG holds no control characters
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= n_letters else text[: n_letters - 1].rstrip() + "…"
