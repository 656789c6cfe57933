"""Many files at once: a fault stops nobody, an interrupt loses nothing, nothing is done twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import mido
import pytest

from ripieno import batch, export
from ripieno.batch import DONE, FAILED, JOURNAL, SKIPPED, BatchProgress, harmonize_files
from ripieno.errors import BadInput
from ripieno.files.midi import write_midi
from ripieno.models.runtime import load_model
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.options import Options
from ripieno.session import Session
from tests.pace import PATIENCE

ROOT = Path(__file__).parent.parent


def tune(folder: Path, number: int) -> Path:
    """Half a bar of music, another one for each number."""
    path = folder / f"tune-{number:03}.mid"
    notes = [RollNote(4 * i, 60 + (number * (i + 1)) % 12, 4) for i in range(2)]
    write_midi(piece_from_notes(notes, bpm=90, meter=(4, 4)), path)
    return path


@pytest.fixture(scope="module")
def model():
    return load_model(n_threads=1)


def outcomes(steps) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {DONE: [], SKIPPED: [], FAILED: []}
    for step in steps:
        if step.outcome:
            found[step.outcome].append(step.source.name)
    return found


def test_a_failing_file_is_reported_and_the_rest_go_on(tmp_path: Path, model, monkeypatch) -> None:
    sources = [tune(tmp_path, i) for i in range(4)]
    sources[1].write_bytes(b"no music")
    fault = export.new_parts

    def faulty(document, *rest, **named):
        if document.piece.notes[0].pitch == 62:  # the third
            raise ZeroDivisionError
        return fault(document, *rest, **named)

    monkeypatch.setattr(export, "new_parts", faulty)
    steps = list(harmonize_files([*sources, tmp_path / "gone.mid"], tmp_path / "out", model, Options(iterations=2)))
    assert outcomes(steps) == {
        DONE: [sources[0].name, sources[3].name],
        SKIPPED: [],
        FAILED: [sources[1].name, sources[2].name, "gone.mid"],
    }
    said = {step.source.name: step.said for step in steps if step.outcome == FAILED}
    assert "not a MIDI file" in said[sources[1].name][0]
    assert "please report" in said[sources[2].name][0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [JOURNAL, sources[0].name, sources[3].name]


def test_nothing_is_done_twice_unless_what_was_asked_is_another(tmp_path: Path, model) -> None:
    sources = [tune(tmp_path, i) for i in range(2)]
    out = tmp_path / "out"

    def run(**options) -> dict[str, list[str]]:
        return outcomes(harmonize_files(sources, out, model, Options(iterations=2, **options)))

    names = [source.name for source in sources]
    assert run()[DONE] == names
    assert run()[SKIPPED] == names
    assert run(seed=5)[DONE] == names
    tune(tmp_path, 7).replace(sources[1])
    assert run(seed=5) == {DONE: [names[1]], SKIPPED: [names[0]], FAILED: []}


def test_what_somebody_else_wrote_or_changed_is_left_alone(tmp_path: Path, model) -> None:
    sources = [tune(tmp_path, i) for i in range(2)]
    out = tmp_path / "out"
    out.mkdir()
    theirs = out / sources[0].name
    theirs.write_bytes(b"my own setting")
    steps = list(harmonize_files(sources, out, model, Options(iterations=2)))
    assert outcomes(steps)[FAILED] == [sources[0].name]
    assert theirs.read_bytes() == b"my own setting"
    ours = out / sources[1].name
    ours.write_bytes(ours.read_bytes() + b"a change by hand")
    changed = ours.read_bytes()
    steps = list(harmonize_files(sources, out, model, Options(seed=3, iterations=2)))
    assert outcomes(steps)[SKIPPED] == [sources[1].name]
    assert "was changed since" in next(step.said[0] for step in steps if step.outcome == SKIPPED)
    assert ours.read_bytes() == changed


def test_files_of_one_name_and_the_source_folder_are_refused(tmp_path: Path, model) -> None:
    (tmp_path / "other").mkdir()
    one, other = tune(tmp_path, 1), tune(tmp_path / "other", 1)
    with pytest.raises(BadInput, match="one name"):
        list(harmonize_files([one, other], tmp_path / "out", model, Options()))
    with pytest.raises(BadInput, match="your own file"):
        list(harmonize_files([one], tmp_path, model, Options()))


@pytest.mark.parametrize(("moment", "when"), list(product(["save", "tell", "replace", "run"], ["before", "after"])))
def test_an_interrupt_at_any_step_leaves_whole_results_only(
    moment: str, when: str, tmp_path: Path, model, monkeypatch
) -> None:
    sources = [tune(tmp_path, i) for i in range(4)]
    out = tmp_path / "out"
    whole = tmp_path / "whole"
    assert len(outcomes(harmonize_files(sources, whole, model, Options(iterations=2)))[DONE]) == 4
    count = 0

    def interrupting(function):
        def wrapped(*arguments, **options):
            nonlocal count
            count += 1
            if count == 2 and when == "before":
                raise KeyboardInterrupt
            result = function(*arguments, **options)
            if count == 2:
                raise KeyboardInterrupt
            return result

        return wrapped

    place = {"save": (Session, "save"), "run": (Session, "run"), "tell": (batch, "_tell"), "replace": (Path, "replace")}
    with monkeypatch.context() as patch:
        owner, name = place[moment]
        patch.setattr(owner, name, interrupting(getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            list(harmonize_files(sources, out, model, Options(iterations=2)))
    for path in out.glob("*.mid"):
        assert path.read_bytes() == (whole / path.name).read_bytes()
    there = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mid")}
    again = outcomes(harmonize_files(sources, out, model, Options(iterations=2)))
    assert again[FAILED] == []
    assert set(again[SKIPPED]) == set(there)
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.mid")}.items() >= there.items()
    assert sorted(p.name for p in out.iterdir()) == [JOURNAL, *(source.name for source in sources)]
    for source in sources:
        assert (out / source.name).read_bytes() == (whole / source.name).read_bytes()


def test_a_journal_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, model) -> None:
    sources = [tune(tmp_path, i) for i in range(2)]
    list(harmonize_files(sources, tmp_path / "out", model, Options(iterations=1)))
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_text().splitlines()
    assert [json.loads(line)["in place"] for line in lines] == [False, True, False, True]
    journal.write_text("\n".join([*lines[:3], lines[3][:20]]))
    assert len(outcomes(harmonize_files(sources, tmp_path / "out", model, Options(iterations=1)))[SKIPPED]) == 2


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has another Ctrl-C")
def test_a_hundred_files_survive_ctrl_c_at_any_moment(tmp_path: Path) -> None:
    """The bar of issue 6: the command itself, stopped four times at moments drawn by chance, then let finish."""
    sources = [tune(tmp_path, i) for i in range(100)]
    out = tmp_path / "out"
    words = [sys.executable, "-m", "ripieno.cli", "harmonize", *map(str, sources), "-o", str(out), "--iterations", "4"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    draw = random.Random(6)
    news, codes = (1, 5, 8, 10), []
    for n_new in news:
        n_wanted = len(list(out.glob("*.mid"))) + n_new  # so it is past its start when it is stopped
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        while len(list(out.glob("*.mid"))) < n_wanted and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.random() * 0.1)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=PATIENCE)
        codes.append(process.returncode)
        assert process.returncode in (0, 130), errors
        if process.returncode == 130:
            assert "You stopped it" in said
        for path in out.glob("*.mid"):
            assert len(mido.MidiFile(path).tracks) >= 2
        assert not [path for path in out.iterdir() if ".part" in path.name]
    there = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mid")}
    assert codes[0] == 130
    assert len(there) >= min(sum(news), 100)
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{100 - len(there)} harmonised, {len(there)} done before, 0 failed" in done.stdout
    now = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mid")}
    assert len(now) == 100
    assert now.items() >= there.items()


def test_steps_say_where_they_are(tmp_path: Path, model) -> None:
    sources = [tune(tmp_path, i) for i in range(2)]
    steps: list[BatchProgress] = list(harmonize_files(sources, tmp_path / "out", model, Options(iterations=3)))
    assert [(step.number, step.of) for step in steps if step.outcome] == [(1, 2), (2, 2)]
    assert sum(step.change is not None for step in steps) == 6
