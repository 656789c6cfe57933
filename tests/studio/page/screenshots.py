"""Pictures of each state of the studio, into docs/studio: `make screenshots`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.studio.page.conftest import FLAGS, Studio, chromium
from tests.studio.page.hands import choose_bars, place, press, run_to_end, settled, suggested, until

FOLDER = Path(__file__).parents[3] / "docs" / "studio"
SIZE: ViewportSize = {"width": 1240, "height": 760}


def taken(page: Page, name: str) -> None:
    """One picture, with no more colours than it needs."""
    page.mouse.move(600, 20)
    page.wait_for_timeout(900)  # what glows or fades has come to rest
    page.evaluate("document.querySelector('#notices').replaceChildren()")
    kept(page.screenshot(), name)


def kept(picture: bytes, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    found: list[Any] = sorted(whole.getcolors(whole.width * whole.height) or [], reverse=True)
    palette = Image.new("P", (1, 1))
    palette.putpalette(bytes(part for _, colour in found[:256] for part in colour))  # the edges of letters are near one
    few = whole.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    until(page, "globalThis.ripieno?.desk.state.isModelReady && ripieno.desk.settings")


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        studio = Studio(Path(folder))
        try:
            page = browser.new_page(viewport=SIZE)
            opened(page, f"{studio.address}?piece={studio.begin(name='Untitled', bars=8)}")
            taken(page, "empty")

            opened(page, studio.address)
            press(page, "Escape", "g")
            suggested(page)
            taken(page, "suggestion")

            press(page, "Escape")
            page.select_option("[name=quality]", "exact")  # slow enough to be caught at it
            page.locator("#roll").focus()
            press(page, "f")
            until(page, "/[1-9][0-9] notes so far/.test(ripieno.byId('partner').textContent)")
            picture = page.screenshot()
            run_to_end(page)
            kept(picture, "run")
            taken(page, "piece")

            page.locator("#roll").focus()
            press(page, "v", "Home", *["ArrowRight"] * 14)
            until(page, "ripieno.page.staff.shown === ripieno.desk.state.seq")
            taken(page, "staff")
            press(page, "v", "Home")

            choose_bars(page, 3, 4)
            press(page, "a", "r")
            until(page, "ripieno.desk.state.alternatives")
            taken(page, "ways")

            press(page, "Escape", "Escape", "Escape")
            choose_bars(page, 2, 2)
            press(page, "k")
            settled(page)
            press(page, "Escape", "1")
            page.mouse.move(*place(page, 48.3, 73))
            page.mouse.down()
            page.mouse.move(*place(page, 63, 60), steps=4)
            page.mouse.up()
            taken(page, "chosen")

            press(page, "Escape")
            wrong = [{"onset": 68, "pitch": 61, "duration": 8}, {"onset": 84, "pitch": 63, "duration": 4}]
            page.evaluate("(add) => ripieno.desk.edit({ remove: [], add }, false)", wrong)
            settled(page)
            press(page, "d")
            until(page, "ripieno.desk.state.doubts?.notes.some((one) => one.belongs < 0.5)")
            taken(page, "doubts")
            press(page, "d", "Control+z")
            settled(page)
            page.click("#tab-history")
            page.locator("[aria-expanded=false]").first.click()
            taken(page, "history")
            page.click("#tab-table")
            taken(page, "notes")
            page.locator("#roll").focus()
            press(page, "?")
            taken(page, "help")
            press(page, "Escape")
            page.click("#tab-rules")
            page.emulate_media(color_scheme="dark")
            taken(page, "dark")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 620, "height": 900})
            taken(page, "small")
        finally:
            browser.close()
            studio.stop()


if __name__ == "__main__":
    main()
