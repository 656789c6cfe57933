"""A digest of code changes with what the code may do, and with nothing else."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ripieno.evaluation import sources
from ripieno.evaluation.suite import EXPERIMENTS

WORK = """
\"\"\"What it is.\"\"\"
from __future__ import annotations
from made.helping import help_out
from made import printing
import numpy as np
LIMIT: int = 3
def work(job: Job) -> int:
    return step(job) + LIMIT
def step(job):
    from made.late import later
    return help_out(job) + later()
def table(found):
    return printing.show(found)
"""
FILES = {
    "__init__": "",
    "working": WORK,
    "helping": "from made.deep import N\ndef help_out(job): return N\n",
    "deep": "N = 1\n",
    "late": "def later(): return 1\n",
    "printing": "def show(found): return str(found)\n",
}


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The digest of `work` in a package in which some files are written otherwise."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def digest(**changed: str) -> str:
        (tmp_path / "made").mkdir(exist_ok=True)
        for name, text in (FILES | changed).items():
            (tmp_path / "made" / f"{name}.py").write_text(text)
        for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        sources._tree.cache_clear()
        return sources.code_digest(importlib.import_module("made.working").work)

    return digest


@pytest.mark.parametrize(
    "changed",
    [
        {"working": WORK.replace("+ LIMIT", "- LIMIT")},
        {"working": WORK.replace("LIMIT: int = 3", "LIMIT: int = 4")},
        {"working": WORK.replace("+ later()", "- later()")},
        {"working": WORK + "LIMIT += 1\n"},
        {"helping": FILES["helping"].replace("return N", "return 2 * N")},
        {"deep": "N = 2\n"},
        {"late": "def later(): return 2\n"},
    ],
    ids=["itself", "a constant", "a function that it calls", "a statement", "a module", "a module's", "imported late"],
)
def test_other_code_has_another_digest(digest, changed: dict[str, str]) -> None:
    before = digest()
    assert digest() == before
    assert digest(**changed) != before


@pytest.mark.parametrize(
    "changed",
    [
        {"working": WORK.replace("What it is.", "What it was.")},
        {"working": WORK.replace("    return step", "    # why\n\n    return step")},
        {"working": WORK.replace("job: Job", "job: Task")},
        {"working": WORK.replace("show(found)", "show(found, 3)")},
        {"printing": "def show(found): return repr(found)\n"},
        {"unused": "N = 1\n"},
    ],
    ids=["docstring", "comment and layout", "annotation", "how it is printed", "who prints it", "another file"],
)
def test_what_has_no_say_leaves_the_digest_as_it_is(digest, changed: dict[str, str]) -> None:
    assert digest(**changed) == digest()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_every_experiments_work_is_found_with_what_it_runs(experiment) -> None:
    assert len(sources.code_digest(experiment.work)) == 16
    program = sources._Program({"ripieno": Path(sources.__file__).parent.parent.parent})
    _, modules = sources._needed(program.tree(experiment.work.__module__), experiment.work.__name__, program)
    assert "ripieno.evaluation.models" in modules
    assert "ripieno.evaluation.markdown" not in modules
    assert "ripieno.evaluation.jobs" not in modules
