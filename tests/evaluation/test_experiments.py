"""What the results of each experiment come to, of pieces of which it is known."""

from typing import Any

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.evaluation import report
from ripieno.evaluation.inputs import Input, soprano_of
from ripieno.evaluation.jobs import EvaluationSettings, Experiment, Job, Material
from ripieno.evaluation.methods import Generated
from ripieno.evaluation.mistakes import KINDS
from ripieno.evaluation.repair import MARGINS, THRESHOLDS
from ripieno.evaluation.stabilisation import _looks
from ripieno.evaluation.statistics import average_precision
from ripieno.evaluation.suite import EXPERIMENTS
from ripieno.files.corpus import Item
from ripieno.music.part_writing import judge
from ripieno.music.roll import notes_of, roll_of_voices, silence
from ripieno.music.voices import split
from ripieno.sampling.passes import Change

CADENCE = [[72, 67, 64, 48], [74, 69, 62, 53], [74, 67, 59, 55], [72, 67, 64, 48]]
PARALLEL = [[72, 67, 64, 48], [74, 69, 65, 50], [76, 71, 67, 52], [72, 67, 64, 48]]  # fifths and octaves


def a_score(chords: list[list[int]], number: int = 0) -> np.ndarray:
    return np.repeat(np.array(chords * 4), 4, axis=0) + number % 3


def written(voices: np.ndarray) -> dict[str, Any]:
    notes = tuple((note.onset, note.pitch, note.duration) for note in notes_of(roll_of_voices(voices)))
    line = tuple(int(pitch) for pitch in voices[:, 0])
    return Generated(notes, len(voices), line, 0, {"edits": 10.0, "removals": 1.0}).as_json()


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    tmp_path = tmp_path_factory.mktemp("evaluation")
    settings = EvaluationSettings(data=tmp_path, output=tmp_path, nade=tmp_path / "nade.onnx")
    items = [
        Item(f"{split_} {n}", split_, roll_of_voices(a_score(CADENCE, n)), voices=a_score(CADENCE, n))
        for split_ in ("train", "test")
        for n in range(3)
    ]
    inputs = [
        Input(item.name, soprano_of(item.voices), "top", item.voices, is_known=n == 0)
        for n, item in enumerate(items[3:])
        if item.voices is not None
    ]
    return Material(settings, items, inputs, inputs, {"es-net": "a", "coconet": "b", "nade": "c"})


def an(experiment: str) -> Experiment:
    return next(one for one in EXPERIMENTS if one.name == experiment)


def told(part: str, found: dict[str, Any], material: Material) -> str:
    about = {"models": material.digests, "split": "test", "every": 1, "seeds": 1, "commit": "1"}
    return report.section(an(part), about | found)


def results_for(jobs: list[Job], ours: list[list[int]], theirs: list[list[int]]) -> list[dict[str, Any]]:
    numbers = [int(job.name.split()[1]) for job in jobs]
    return [
        {"finished": written(a_score(ours, n)), "unmended": written(a_score(PARALLEL, n))}
        if job.what == "es-net"
        else {"finished": written(a_score(theirs, n))}
        for job, n in zip(jobs, numbers, strict=True)
    ]


@pytest.fixture(scope="module")
def chorales(material: Material) -> dict[str, Any]:
    """What it comes to when our method writes what Bach wrote, and the others, like ours unmended, parallels."""
    jobs = an("chorales").jobs_of(material)
    assert [job.what for job in jobs[::3]] == ["es-net", "additions-only", "nade", "gibbs"]
    return an("chorales").summary(material, jobs, results_for(jobs, CADENCE, PARALLEL))


def test_a_method_that_writes_what_bach_wrote_has_bachs_figures(material: Material, chorales: dict[str, Any]) -> None:
    found = chorales
    for name, figures in found["figures"].items():
        np.testing.assert_equal(figures["es-net"], figures["bach"], err_msg=name)
    assert found["figures"]["parallel octaves"]["gibbs"][0] > 0 == found["figures"]["parallel octaves"]["es-net"][0]
    assert found["figures"]["parallel octaves"]["unmended"] == found["figures"]["parallel octaves"]["gibbs"]
    ratio, low, _ = found["parallels"]["ratio"]
    assert ratio > 3
    assert low > 3
    assert found["ends on the tonic"]["es-net"] == 1.0
    assert found["n_known"] == 1
    text = told("chorales", found, material)
    assert "3 sopranos." in text
    assert "1 tunes that occur in the training split" in text


def test_figures_count_the_voices_that_the_split_gives(chorales: dict[str, Any]) -> None:
    voices = [a_score(PARALLEL, n) for n in range(3)]
    n = sum(judge(split(roll_of_voices(v), 4, v[:, 0]))["parallel octaves"].n for v in voices)
    for what in ("unmended", "nade", "gibbs"):
        assert chorales["figures"]["parallel octaves"][what][3] == n > 0


def test_tables_two_and_three_compare_with_the_training_split(material: Material) -> None:
    jobs = an("tables").jobs_of(material)
    found = an("tables").summary(material, jobs, results_for(jobs, CADENCE, PARALLEL))
    rows = found["rows"]
    assert rows["es-net"]["bhattacharyya"] == pytest.approx(0, abs=1e-12)
    assert rows["es-net"]["published"] == rows["training data"]["published"]
    assert rows["gibbs"]["bhattacharyya"] > 0.01
    assert rows["gibbs"]["ks_corrected"] > 0.05
    assert rows["training data"]["corrected"]["n_bars"] == 12
    assert "ES-Net, as published" in told("tables", found, material)


def test_repair_pools_kinds_and_compares_the_same_damage(material: Material) -> None:
    jobs = an("repair").jobs_of(material)
    wrong = [1, 0, 0, 1, 0, 0, 0, 0]

    def result(good: bool) -> list[dict[str, Any]]:
        scores = [0.9, 0.1, 0.2, 0.8, 0.1, 0.1, 0.3, 0.1] if good else [0.1, 0.9, 0.2, 0.3, 0.8, 0.1, 0.3, 0.1]
        verdicts = [[2, 2 if good else 1, 100, 1, 0]] * max(len(THRESHOLDS), len(MARGINS))
        return [{"kind": kind, "scores": scores, "wrong": wrong, "verdicts": verdicts} for kind in KINDS]

    found = an("repair").summary(material, jobs, [result(job.what == "es-net") for job in jobs])
    assert found["rows"]["es-net"]["pooled"]["precision"] == [1.0, 1.0, 1.0]
    other = average_precision(np.array(result(False)[0]["scores"]), np.array(wrong, dtype=bool))
    assert found["rows"]["coconet"]["kinds"]["tone"]["precision"] == pytest.approx(other)
    for what in ("coconet", "coconet-split"):
        assert found[f"es-net minus {what}"]["precision"][1] > 0
        assert found[f"es-net minus {what}"]["restored"] == pytest.approx([0.5] * 3)
    assert found["rows"]["es-net"]["pooled"]["restored"][0] == 1.0
    assert found["rows"]["coconet"]["pooled"]["spoiled"][0] == pytest.approx(0.01)
    assert found["rows"]["es-net"]["kinds"]["missing"]["precision"] is None  # what is missing does not sound
    assert "**ES-Net, all kinds**" in told("repair", found, material)
    earlier = {name: value for name, value in found.items() if not name.startswith("es-net minus")}
    assert "**ES-Net, all kinds**" in told("repair", {**earlier, "es-net minus coconet": [0.1, 0.0, 0.2]}, material)


def test_repair_that_hears_other_keys_is_done_anew(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [job.key for job in an("repair").jobs_of(material)]
    assert before == [job.key for job in an("repair").jobs_of(material)]
    monkeypatch.setattr("ripieno.evaluation.repair.TRANSPOSITIONS", (0,))
    for key, job in zip(before, an("repair").jobs_of(material), strict=True):
        assert (key == job.key) is (job.what != "es-net")


def test_the_likelihood_of_both_models_is_compared_window_by_window(material: Material) -> None:
    items = [Item(f"test {n}", "test", silence(256)) for n in range(3)]
    long = Material(material.settings, items, [], [], material.digests)
    jobs = an("likelihood").jobs_of(long)
    assert [job.what for job in jobs] == ["es-net", "nade"] * 3
    results = [
        [[[-0.2, -0.19, -0.1], [-0.1, -0.1, 0.0]]] * 2 if job.what == "es-net" else [[[-0.5, -0.4, -0.3]] * 2] * 2
        for job in jobs
    ]
    found = an("likelihood").summary(long, jobs, results)
    assert found["n_windows"] == 6
    assert found["rows"]["es-net"][0]["interval"][0] == pytest.approx(-0.15)
    assert found["rows"]["nade"][1]["median"] == pytest.approx(-0.4)
    assert found["es-net minus nade"]["0"][0] == pytest.approx(0.35)
    assert found["es-net minus nade"]["0, source given"][0] == pytest.approx(0.25)
    assert "ES-Net minus NADE" in told("likelihood", found, long)


def test_the_share_of_removals_is_counted_as_they_are_made() -> None:
    """On, off, on, off, on: two of five, although the cell sounds at the end."""
    log = EditLog(silence(16))
    changes = []
    for n in range(10):
        log = log.record([Edit(0, 0, 60)], "model")
        changes.append(Change(log, Edit(0, 0, 60), added=n % 2 == 0, probability=1.0, n_left=1.0))
    looks, _ = _looks(iter(changes), EditLog(silence(16)), {"iterations": 15, "every": 5})
    assert [look["removals"] for look in looks] == [0.4, 0.6, 0.0]
    assert [look["touched"] for look in looks] == [1, 1, 0]


def test_stabilisation_tells_what_changed_between_the_stop_and_the_end(material: Material) -> None:
    jobs = an("stabilisation").jobs_of(material)
    looks = [
        {"iteration": n, "edits": 310, "cells": 4.0, "four": 0.9, "touched": 5.0, "removals": 0.5}
        for n in range(250, 10_001, 250)
    ]
    results = [
        {
            "stopped": 300,
            "every": looks,
            "settling": looks,
            "voices": {
                "stop": a_score(CADENCE, n),
                "end": a_score(CADENCE, n),
                "edited on": a_score(PARALLEL, n),
            },
        }
        for n in range(3)
    ]
    found = an("stabilisation").summary(material, jobs, results)
    assert found["figures"]["parallel octaves"]["stop"] == 0
    assert found["figures"]["parallel octaves"]["end"] == 0
    assert found["figures"]["parallel octaves"]["edited on"] > 0
    text = told("stabilisation", found, material)
    assert "after 300 to 300 edits; without it they settle after 310 to 310." in text
    results[0]["settling"] = [look | {"edits": look["iteration"]} for look in looks]  # one goes on and on
    found = an("stabilisation").summary(material, jobs, results)
    assert "they settle after 310 to 310; 1 of them not at all." in told("stabilisation", found, material)
    assert "| cells a step | 4.00 | 4.00 | 4.00 | 4.00 |" in text
    report.write_results(
        {"stabilisation": {"models": {}, "split": "test", "every": 1, "seeds": 1, "commit": "1", **found}},
        material.settings.output,
    )
    assert (material.settings.output / "stabilisation.png").stat().st_size > 1000
