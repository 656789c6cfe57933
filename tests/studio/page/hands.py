"""What a person does in the studio, for the tests: by pointer, by key, and looking."""

import time
from typing import Any

from playwright.sync_api import Error, Page

from tests.pace import PATIENCE

Shape = tuple[int, int, int]  # onset, pitch, duration

MELODY: list[Shape] = [
    (0, 67, 4),
    (4, 67, 4),
    (8, 66, 4),
    (12, 64, 4),
    (16, 62, 4),
    (20, 67, 4),
    (24, 69, 4),
    (28, 71, 4),
]


def notes(page: Page) -> list[Shape]:
    """The notes that the page shows."""
    found = page.evaluate("ripieno.desk.notes.map((note) => [note.onset, note.pitch, note.duration])")
    return sorted((onset, pitch, duration) for onset, pitch, duration in found)


def authored(page: Page, author: str) -> list[Shape]:
    found = page.evaluate(
        "(author) => ripieno.desk.notes.filter((note) => note.author === author)"
        ".map((note) => [note.onset, note.pitch, note.duration])",
        author,
    )
    return sorted((onset, pitch, duration) for onset, pitch, duration in found)


def place(page: Page, step: float, pitch: int) -> tuple[float, float]:
    """Where in the window a step and a pitch are, scrolled to if need be."""
    at = page.evaluate(
        """async ([step, pitch]) => {
          const { page } = ripieno;
          const geometry = await import("./geometry.js");
          page.setView(geometry.reveal(page.view, { from: step, to: step + 1, pitch }, page.desk.nSteps));
          const box = ripieno.byId("overlay").getBoundingClientRect();
          const y = geometry.pitchToY(page.view, pitch) + page.view.rowHeight / 2;
          return [box.left + geometry.stepToX(page.view, step), box.top + y];
        }""",
        [step, pitch],
    )
    return at[0], at[1]


def draw(page: Page, shapes: list[Shape]) -> None:
    """Draw notes with the pencil, by dragging from their start to their end."""
    for onset, pitch, duration in shapes:
        x, y = place(page, onset + 0.3, pitch)
        to, _ = place(page, onset + duration - 0.3, pitch)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to, y, steps=2)
        page.mouse.up()
    settled(page)


def choose_bars(page: Page, first: int, last: int) -> None:
    """Drag above the roll."""
    bars = page.evaluate("ripieno.desk.settings.bars")
    start = next(bar["start"] for bar in bars if bar["number"] == first)
    end = next(bar["start"] + bar["n_steps"] for bar in bars if bar["number"] == last)
    y = page.locator("#ruler").bounding_box()["y"] + 15  # type: ignore[index]
    page.mouse.move(place(page, start + 1, 67)[0], y)
    page.mouse.down()
    page.mouse.move(place(page, end - 1, 67)[0], y, steps=4)
    page.mouse.up()


def until(page: Page, what: str, arg: object = None, seconds: float = PATIENCE) -> Any:
    """Wait for an expression, or a function of `arg`, to become true; its value.

    Playwright's own way asks the page to evaluate text, which the studio's Content-Security-Policy forbids.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = page.evaluate(what, arg)
        except Error as error:  # the page is just being left for another one
            if "context was destroyed" not in str(error):
                raise
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        page.wait_for_timeout(15)


def settled(page: Page) -> None:
    """Until the studio has answered everything."""
    until(page, "ripieno.desk.state.pending.length === 0 && ripieno.page.connection.unanswered.size === 0")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def state(page: Page, path: str) -> Any:
    """Something of the desk, by its path: `state.seq`."""
    return page.evaluate(f"ripieno.desk.{path}")


def suggested(page: Page) -> Any:
    """The suggestion that is shown, waited for."""
    until(page, "ripieno.desk.asking.shownSuggestion")
    return state(page, "asking.shownSuggestion")


def run_to_end(page: Page) -> None:
    until(page, "ripieno.desk.state.run && ripieno.desk.state.run.state !== 'running'", seconds=4 * PATIENCE)
    settled(page)
