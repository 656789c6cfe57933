"""An evaluation goes on where it was, and says what it cannot use."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.evaluation import report
from ripieno.evaluation.inputs import Input
from ripieno.evaluation.parts import summary_of
from ripieno.evaluation.suite import PARTS, QUICK, Job, Material, Progress, Settings, evaluate, prepare, run
from ripieno.files.corpus import Item
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote, silence


def an_item(number: int) -> Item:
    lines = np.array([[72, 67, 60, 48], [74, 67, 59, 43], [76, 67, 60, 48], [77, 69, 60, 41]])
    return Item(f"piece {number}", "test", silence(16), voices=np.repeat(np.roll(lines, number, axis=0), 4, axis=0))


@pytest.fixture
def material(tmp_path: Path) -> Material:
    settings = Settings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    return Material(settings, [an_item(0), an_item(1)], [], [], {"es-net": "a", "coconet": "b"})


def jobs_for(material: Material) -> list[Job]:
    options = {"orders": 1, "every": 8}
    return [Job("framewise", "coconet", item.name, 0, None, "b", options, item) for item in material.pieces]


def test_what_was_computed_is_not_computed_again(material: Material) -> None:
    jobs = jobs_for(material)
    *_, first = run(material, jobs)
    files = sorted((material.settings.output / "kept" / "framewise").iterdir())
    assert len(files) == 2
    times = [file.stat().st_mtime_ns for file in files]
    files[0].unlink()
    *steps, again = run(material, jobs)
    assert again == first
    assert isinstance(again, list)
    assert [step.done for step in steps if isinstance(step, Progress)] == [1, 2]  # one was there
    assert files[1].stat().st_mtime_ns == times[1]
    summary = summary_of("framewise", material, jobs, again)
    assert summary["n_pieces"] == 2
    assert summary["low"] <= summary["nats"] <= summary["high"]


def test_another_model_or_option_is_another_result(material: Material) -> None:
    job = jobs_for(material)[0]
    keys = [job.key, replace(job, digest="c").key, replace(job, seed=1).key, replace(job, options={}).key]
    keys.append(replace(job, payload=an_item(1)).key)
    assert len({json.dumps(key, sort_keys=True) for key in keys}) == 5


def test_a_missing_corpus_says_where_it_lies(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no Jsb16thSeparated\.json.*czhuang"):
        prepare(Settings(data=tmp_path, output=tmp_path / "out"))


def test_another_file_under_that_name_is_refused_by_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "Jsb16thSeparated.json").write_text('{"train": [], "valid": [], "test": []}')
    with pytest.raises(BadInput, match="SHA-256 begins with"):
        prepare(Settings(data=tmp_path, output=tmp_path / "out"))


@pytest.mark.parametrize("wrong", [{"parts": ("table 9",)}, {"seeds": 0}, {"jobs": 0}, {"every": 0}])
def test_settings_that_cannot_be_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Settings(**({"data": tmp_path, "output": tmp_path} | wrong))


def test_tables_are_put_where_a_document_has_a_place(tmp_path: Path) -> None:
    told = {
        "framewise": {
            "models": {"coconet": "b"},
            "commit": "1",
            "split": "test",
            "seeds": 1,
            "every": 1,
            "nats": 0.61,
            "low": 0.55,
            "high": 0.68,
            "n_steps": 900,
            "n_pieces": 77,
            "options": {"orders": 5, "every": 8},
        }
    }
    document = tmp_path / "results.md"
    begin, end = report.BEGIN.format("framewise"), report.END.format("framewise")
    document.write_text(f"before\n\n{begin}\nold\n{end}\n\nafter\n")
    assert report.refresh(document, told) == ["framewise"]
    text = document.read_text()
    assert "0.610 (0.550 to 0.680)" in text
    assert "old" not in text
    assert "every 8th step" in text
    assert "not the real figures" not in text  # which is said of every so manyth piece
    assert text.startswith("before")
    assert text.endswith("after\n")
    again = text
    report.refresh(document, told)
    assert document.read_text() == again
    document.write_text("no places")
    assert report.refresh(document, told) == []


def test_damaged_results_are_said(tmp_path: Path) -> None:
    (tmp_path / report.RESULTS).write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        report.read(tmp_path)


@pytest.mark.corpus
@pytest.mark.slow
def test_an_evaluation_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(data_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ripieno.cli", "evaluate", str(data_folder), "framewise", "--quick", "--jobs", "1"]
    began = subprocess.Popen([*command, "-o", str(tmp_path / "killed")], start_new_session=True)
    kept = tmp_path / "killed" / "kept" / "framewise"
    while began.poll() is None and not (kept.is_dir() and any(f.suffix == ".json" for f in kept.iterdir())):
        time.sleep(0.05)
    os.killpg(began.pid, signal.SIGKILL)
    began.wait()
    done = {file.name: file.read_bytes() for file in kept.iterdir() if file.suffix == ".json"}
    assert len(done) == 1  # of two
    for name in ("killed", "whole"):
        subprocess.run([*command, "-o", str(tmp_path / name)], check=True)
    one, other = (report.read(tmp_path / name)["framewise"] for name in ("killed", "whole"))
    assert one == other
    assert one["every"] == QUICK  # as the settings have it, whatever the options of a part are called
    assert all((kept / name).read_bytes() == data for name, data in done.items())


@pytest.mark.corpus
def test_every_part_has_jobs_with_keys_of_their_own(data_folder: Path, tmp_path: Path) -> None:
    from ripieno.evaluation.parts import N_SETTLING, jobs_of

    material = prepare(Settings(data=data_folder, output=tmp_path))
    assert len(material.pieces) == 77
    assert sum(bool(of.is_known) for of in material.inputs) == 32
    for part in PARTS:
        jobs = jobs_of(part, material)
        assert len({json.dumps(job.key, sort_keys=True) for job in jobs}) == len(jobs)
        assert len(jobs) >= (N_SETTLING if part == "stabilisation" else 11)


def test_a_result_hangs_on_the_music_and_not_on_where_models_lie() -> None:
    def key(pitch: int, *paths: str) -> Any:
        piece = piece_from_notes([RollNote(0, pitch, 4)], meter=(4, 4))
        return Job("chorales", "gibbs", "a", payload=(Input("a", piece, "top"), *paths)).key["input"]

    assert key(60, "here", "there") == key(60, "elsewhere", "") != key(61, "here", "there")


def test_evaluate_yields_progress_and_writes_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    material = Material(settings, [an_item(0)], [], [], {"coconet": "b"})
    monkeypatch.setattr("ripieno.evaluation.suite.prepare", lambda settings: material)
    assert [(step.done, step.of) for step in evaluate(settings)] == [(0, 1), (1, 1)]
    assert "## Coconet's framewise likelihood" in (tmp_path / "out" / "results.md").read_text()


def test_into_a_file_progress_comes_in_lines_a_tenth_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from ripieno.cli import app

    steps = [Progress("repair", done, 40) for done in range(41)]
    monkeypatch.setattr("ripieno.evaluation.suite.evaluate", lambda settings: iter(steps))
    said = CliRunner().invoke(app, ["evaluate", str(tmp_path), "repair", "-o", str(tmp_path / "out")]).output
    lines = [line for line in said.splitlines() if line.startswith("repair: ")]
    assert lines == [f"repair: {4 * tenth} of 40, 0 min" for tenth in range(11)]


def test_what_another_evaluation_writes_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    material = Material(settings, [an_item(0)], [], [], {"coconet": "b"})
    monkeypatch.setattr("ripieno.evaluation.suite.prepare", lambda settings: material)
    monkeypatch.setattr(report, "markdown", lambda told: "")
    monkeypatch.setattr(report, "plot", lambda told, folder: None)
    steps = evaluate(settings)
    next(steps)
    report.write({"repair": {"n": 1}}, settings.output)
    list(steps)
    assert set(report.read(settings.output)) == {"repair", "framewise"}
