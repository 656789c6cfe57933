"""What people install holds the whole page: the wheel in an environment of its own, every file fetched from it."""

import re
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.studio.page.conftest import Studio

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "src" / "ripieno" / "studio" / "static"

NAMED = (
    re.compile(r"""\bfrom "(\./[^"]+)\""""),  # import ... from "./x.js"
    re.compile(r"""\bimport\("(\./[^"]+)"\)"""),
    re.compile(r"""(?:src|href)="([^"#?:]+)[^"]*\""""),
    re.compile(r"""url\("?([^")]+)"?\)"""),
)


@pytest.mark.slow
def test_every_page_and_module_is_served_from_the_wheel(wheel: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it might lead to another Ripieno than the one in the wheel
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = ["-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    # What it depends on is taken from the environment of the tests; Ripieno's own editable install is not found there,
    # because the .pth files in a folder that a .pth file names are not read.
    (site,) = home.rglob("site-packages")
    (site / "depends.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [python, "-c", "import ripieno; print(ripieno.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(home)

    folder = tmp_path / "pieces"
    folder.mkdir()
    studio = Studio(folder, str(home / python.parent.name / "ripieno"))
    try:
        seen: dict[str, bytes] = {}
        waiting = ["./"]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            with urllib.request.urlopen(studio.address + name.removeprefix("./")) as answer:
                seen[name] = answer.read()
                kind = answer.headers["content-type"]
            if name.endswith(".js"):
                assert kind.startswith("text/javascript"), f"{name} is served as {kind}: no browser would run it"
            if name == "./" or name.endswith((".js", ".css")):
                text = re.sub(r"/\*.*?\*/", "", seen[name].decode(), flags=re.DOTALL)
                found = {other for pattern in NAMED for other in pattern.findall(text)}
                waiting += ["./" + other.removeprefix("./") for other in found]
        for path in STATIC.iterdir():
            name = "./" if path.name == "index.html" else f"./{path.name}"
            assert seen[name] == path.read_bytes()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(studio.address + "no-such-module.js")
    finally:
        studio.stop()


def test_the_page_names_nothing_outside_itself() -> None:
    """No address of the network, and nothing inline that a strict Content-Security-Policy would refuse."""
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not addresses, path.name
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
