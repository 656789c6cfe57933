"""Jobs run anywhere, once; their results hang on all that they depend on."""

import json
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ripieno.errors import BadInput
from ripieno.evaluation.framewise import FRAMEWISE
from ripieno.evaluation.inputs import Input
from ripieno.evaluation.jobs import EvaluationProgress, EvaluationSettings, Job, Material, run
from ripieno.evaluation.kept import Kept
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote
from tests.evaluation.pieces import an_item


class Here(Executor):
    """Runs jobs where it stands, and no one else's."""

    def submit(self, work, /, *args, **kwargs):
        future: Future[Any] = Future()
        future.set_result(work(*args, **kwargs))
        return future


@pytest.fixture(params=[Here, ThreadPoolExecutor])
def executor(request: pytest.FixtureRequest) -> Executor:
    return request.param()


@pytest.fixture
def material(tmp_path: Path) -> Material:
    settings = EvaluationSettings(data=tmp_path, output=tmp_path / "out", parts=("framewise",), jobs=1)
    return Material(settings, [an_item(0), an_item(1)], [], [], {"es-net": "a", "coconet": "b"})


def jobs_for(material: Material) -> list[Job]:
    options = {"orders": 1, "every": 8}
    return [Job("framewise", "coconet", item.name, 0, None, "b", options, item) for item in material.pieces]


def test_what_was_computed_is_not_computed_again(material: Material, executor: Executor) -> None:
    jobs = jobs_for(material)
    kept = Kept(material.settings.output / "kept")
    *_, first = run(jobs, FRAMEWISE.work, kept, executor, 2)
    files = sorted((material.settings.output / "kept" / "framewise").iterdir())
    assert len(files) == 2
    times = [file.stat().st_mtime_ns for file in files]
    files[0].unlink()
    *steps, again = run(jobs, FRAMEWISE.work, kept, executor, 2)
    assert again == first
    assert isinstance(again, list)
    assert [step.done for step in steps if isinstance(step, EvaluationProgress)] == [1, 2]  # one was there
    assert files[1].stat().st_mtime_ns == times[1]
    summary = FRAMEWISE.summary(material, jobs, again)
    assert summary["n_pieces"] == 2
    assert summary["low"] <= summary["nats"] <= summary["high"]


def test_another_model_or_option_is_another_result(material: Material) -> None:
    job = jobs_for(material)[0]
    keys = [job.key, replace(job, digest="c").key, replace(job, seed=1).key, replace(job, options={}).key]
    keys.append(replace(job, payload=an_item(1)).key)
    assert len({json.dumps(key, sort_keys=True) for key in keys}) == 5


def test_other_code_finds_nothing_that_was_kept(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, kept = jobs_for(material), Kept(material.settings.output / "kept")
    n_done = []

    def work(job: Job) -> str:
        n_done.append(job)
        return job.name

    for code, n in (("a", 2), ("a", 2), ("b", 4)):
        monkeypatch.setattr("ripieno.evaluation.jobs.code_digest", lambda function, code=code: code)
        *_, results = run(jobs, work, kept, Here(), 2)
        assert results == [job.name for job in jobs]
        assert len(n_done) == n


def test_what_an_earlier_version_kept_is_left_alone(material: Material) -> None:
    jobs, kept = jobs_for(material), Kept(material.settings.output / "kept")
    for job in jobs:
        kept.put("framewise", {"generation": 1, **job.key}, "old")
    *_, results = run(jobs, FRAMEWISE.work, kept, Here(), 2)
    assert isinstance(results, list)
    assert "old" not in results
    assert len(list((kept.folder / "framewise").iterdir())) == 4


def test_whoever_stops_leaves_what_is_done(material: Material) -> None:
    jobs, kept = jobs_for(material), Kept(material.settings.output / "kept")
    steps = run(jobs, FRAMEWISE.work, kept, Here(), 1)
    next(steps)
    next(steps)
    steps.close()
    assert len(list((kept.folder / "framewise").iterdir())) == 1


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"jobs": 0}, {"every": 0}])
def test_settings_that_cannot_be_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        EvaluationSettings(**({"data": tmp_path, "output": tmp_path} | wrong))


def test_a_result_hangs_on_the_music_and_not_on_where_models_lie() -> None:
    def key(pitch: int, *paths: str) -> Any:
        piece = piece_from_notes([RollNote(0, pitch, 4)], meter=(4, 4))
        return Job("chorales", "gibbs", "a", payload=(Input("a", piece, "top"), *paths)).key["input"]

    assert key(60, "here", "there") == key(60, "elsewhere", "") != key(61, "here", "there")
