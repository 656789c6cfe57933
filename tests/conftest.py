"""What all tests share: shape checks, the folder of corpora, and how Hypothesis goes about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.checked import install

install()  # what is imported before it is not checked

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has one core: where several threads of each wait for one another, they do so by spinning.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is slow, not wrong, and a suite says the same today and tomorrow. Who looks for what nobody has thought
# of asks for other examples each time: pytest --hypothesis-profile exploring.
settings.register_profile("ripieno", deadline=None, max_examples=50, print_blob=True, derandomize=True)
settings.register_profile("exploring", deadline=None, max_examples=500, print_blob=True)
settings.load_profile("ripieno")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the corpora are."""
    parser.addoption(
        "--data",
        metavar="FOLDER",
        default=os.environ.get("RIPIENO_DATA") or None,
        help="folder of corpora (jsb, infinite-bach, melodies); unless given, RIPIENO_DATA says where",
    )
    parser.addoption(
        "--all-scores", action="store_true", help="also judge on every score where the suite takes a sample (minutes)"
    )


@pytest.fixture
def all_scores(request: pytest.FixtureRequest) -> None:
    """Skips a test that goes through hundreds of scores, unless asked for."""
    if not request.config.getoption("--all-scores"):
        pytest.skip("goes through every score: ask for it by --all-scores")


@pytest.fixture(scope="session")
def data_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of corpora; without one, the test is skipped."""
    named = request.config.getoption("--data")
    if named is None:
        pytest.skip("no corpora: name their folder by --data or RIPIENO_DATA")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"--data or RIPIENO_DATA names {folder}, which is no folder")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What people install."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=Path(__file__).parent.parent, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built
