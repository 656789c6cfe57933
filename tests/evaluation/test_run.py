"""An evaluation goes on where it was, and says what it cannot use."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.evaluation import report
from ripieno.evaluation.jobs import QUICK, EvaluationProgress, EvaluationSettings, Material
from ripieno.evaluation.run import evaluate, prepare
from ripieno.evaluation.stabilisation import N_SETTLING
from ripieno.evaluation.suite import EXPERIMENTS
from tests.evaluation.pieces import an_item


def test_a_missing_corpus_says_where_it_lies(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no Jsb16thSeparated\.json.*czhuang"):
        prepare(EvaluationSettings(data=tmp_path, output=tmp_path / "out"))


def test_an_unknown_part_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no part table 9; there are: framewise"):
        prepare(EvaluationSettings(data=tmp_path, output=tmp_path, parts=("table 9",)))


def test_another_file_under_that_name_is_refused_by_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "Jsb16thSeparated.json").write_text('{"train": [], "valid": [], "test": []}')
    with pytest.raises(BadInput, match="SHA-256 begins with"):
        prepare(EvaluationSettings(data=tmp_path, output=tmp_path / "out"))


# The program with a part of its work, for it is asked for more than once.
LESS = """
from ripieno.evaluation import framewise

framewise.N_ORDERS = 1
"""

# The same, which all at once is no more when it is about to put its second result in place.
KILLED = f"""{LESS}
import os, signal, sys

folder, n_kept = sys.argv.pop(1), 0

def hear(event, args):
    global n_kept
    if event == "os.rename" and os.path.dirname(args[1]) == folder and str(args[1]).endswith(".json"):
        n_kept += 1
        if n_kept == 2:
            os.killpg(0, signal.SIGKILL)

sys.addaudithook(hear)
from ripieno.cli import main
main()
"""


@pytest.mark.corpus
@pytest.mark.slow
def test_an_evaluation_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(data_folder: Path, tmp_path: Path) -> None:
    words = ["evaluate", str(data_folder), "framewise", "--quick", "--jobs", "1"]
    command = [sys.executable, "-c", f"{LESS}\nfrom ripieno.cli import main\nmain()", *words]
    kept = tmp_path / "killed" / "kept" / "framewise"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(kept), *words, "-o", str(tmp_path / "killed")],
        start_new_session=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    done = {file.name: file.read_bytes() for file in kept.glob("[!.]*.json")}
    assert len(done) == 1  # of two
    for name in ("killed", "whole"):
        subprocess.run([*command, "-o", str(tmp_path / name)], check=True)
    one, other = (report.read_results(tmp_path / name)["framewise"] for name in ("killed", "whole"))
    assert one == other
    assert one["every"] == QUICK  # as the settings have it, whatever the options of a part are called
    assert all((kept / name).read_bytes() == data for name, data in done.items())


@pytest.mark.corpus
def test_every_part_has_jobs_with_keys_of_their_own(data_folder: Path, tmp_path: Path) -> None:
    material = prepare(EvaluationSettings(data=data_folder, output=tmp_path))
    assert len(material.pieces) == 77
    assert sum(bool(of.is_known) for of in material.inputs) == 32
    for experiment in EXPERIMENTS:
        jobs = experiment.jobs_of(material)
        assert len({json.dumps(job.key, sort_keys=True) for job in jobs}) == len(jobs)
        assert len(jobs) >= (N_SETTLING if experiment.name == "stabilisation" else 11)


def test_evaluate_yields_progress_and_writes_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = EvaluationSettings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    material = Material(settings, [an_item(0)], [], [], {"coconet": "b"})
    monkeypatch.setattr("ripieno.evaluation.run.prepare", lambda settings: material)
    assert [(step.done, step.of) for step in evaluate(settings)] == [(0, 1), (1, 1)]
    assert "## Coconet's framewise likelihood" in (tmp_path / "out" / "results.md").read_text()


def test_into_a_file_progress_comes_in_lines_a_tenth_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from ripieno.cli import app

    steps = [EvaluationProgress("repair", done, 40) for done in range(41)]
    monkeypatch.setattr("ripieno.evaluation.run.evaluate", lambda settings: iter(steps))
    said = CliRunner().invoke(app, ["evaluate", str(tmp_path), "repair", "-o", str(tmp_path / "out")]).output
    lines = [line for line in said.splitlines() if line.startswith("repair: ")]
    assert lines == [f"repair: {4 * tenth} of 40, 0 min" for tenth in range(11)]


def test_what_another_evaluation_writes_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = EvaluationSettings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    material = Material(settings, [an_item(0)], [], [], {"coconet": "b"})
    monkeypatch.setattr("ripieno.evaluation.run.prepare", lambda settings: material)
    monkeypatch.setattr(report, "IN_PRINT", ())
    steps = evaluate(settings)
    next(steps)
    report.write_results({"repair": {"n": 1}}, settings.output)
    list(steps)
    assert set(report.read_results(settings.output)) == {"repair", "framewise"}
