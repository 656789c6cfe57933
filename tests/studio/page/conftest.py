"""A studio that runs, and a Chromium to look at it with."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.pace import PATIENCE
from tests.studio.page.hands import until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]


expect.set_options(timeout=PATIENCE * 1000)


def chromium() -> str:
    """Where a Chromium is; the tests that need one are skipped without it, but never in CI."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("RIPIENO_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        why = "no Chromium was found; install one, or name it in RIPIENO_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


class Studio:
    """A server process of its own, with a folder of its own."""

    def __init__(self, folder: Path, *command: str, more: Sequence[str] = ()) -> None:
        self.folder = folder
        self.more = more  # options
        self.command = command or (sys.executable, "-c", "from ripieno.cli import main; main()")
        self.port = 0
        self.start()

    def start(self) -> None:
        options = ["studio", "--no-browser", "--port", str(self.port), "--folder", str(self.folder), *self.more]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen([*self.command, *options], stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "http://" in line:
                self.address = line[line.index("http://") :].split()[0]
                self.port = int(self.address.rstrip("/").rsplit(":", 1)[1])
                return
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.kill()

    def ask(self, path: str, body: object = None, data: bytes | None = None) -> Any:
        """What the server answers to GET, or to POST where there is something to send."""
        headers = {"Content-Type": "application/json" if data is None else "application/octet-stream"}
        if body is not None:
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers if data is not None else {})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def begin(self, bars: int = 4, **more: object) -> str:
        """An empty piece; its id."""
        return str(self.ask("api/pieces", {"name": "Evening", "bars": bars, "key": "G", **more})["piece"]["id"])


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    one = Studio(tmp_path_factory.mktemp("studio"))
    yield one
    one.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE * 1000)
        yield one
        one.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open windows; the test fails if one of them says something is wrong."""
    faults: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        # Chromium says by itself that the studio is away, or that it refused a file
        is_its_own = re.search(r"ERR_CONNECTION_(REFUSED|RESET)|responded with a status of 4(00|13)", message.text)
        if message.type in ("error", "warning") and not is_its_own:
            faults.append(message.text)

    def opened(url: str, is_ready: bool = True, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        if is_ready:
            until(page, "globalThis.ripieno?.desk.state.isModelReady && ripieno.desk.settings")
            # what has come is drawn in the next frame, and what that leaves of the roll is known in the one after
            page.evaluate(
                "new Promise((done) => { let n = 3; const next = () => --n ? frame() : done(); "
                "const frame = () => requestAnimationFrame(next); frame(); })"
            )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(studio: Studio, window: Callable[..., Page]) -> Page:
    """A window on an empty piece of four bars in G major."""
    return window(f"{studio.address}?piece={studio.begin()}")
