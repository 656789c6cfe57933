"""Files that misbehave end in a result or in one clear line, in bounded time and memory; `make fuzz` tries more."""

import subprocess
import sys
from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.music.understanding import MOST_AT_ONCE, MOST_NOTES, understand
from tests import fuzzing

ROOT = Path(__file__).parent.parent


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("kind", fuzzing.KINDS)
def test_five_hundred_of_each_format_end_well(kind: str) -> None:
    words = [sys.executable, "-m", "tests.fuzzing", "--n", "500", "--jobs", "1", "--kind", kind]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith(kind)
    assert " 0 FAULT" in line
    assert " 0 read" not in line  # else nothing but the door was tried
    assert " 0 refused" not in line


def test_a_case_is_a_function_of_its_kind_and_number() -> None:
    for kind in fuzzing.KINDS:
        assert fuzzing.data_of(kind, 3) == fuzzing.data_of(kind, 3)
        assert len({fuzzing.data_of(kind, n) for n in range(10)}) > 5


def test_a_fault_would_be_seen(monkeypatch) -> None:
    kind = "MIDI, bytes"

    def faulty(data, name):
        raise ZeroDivisionError

    monkeypatch.setitem(fuzzing.KINDS, kind, (fuzzing.KINDS[kind][0], faulty))
    assert "ZeroDivisionError" in fuzzing.outcome(kind, fuzzing.midi_seeds()[0])


@on_linux
def test_a_case_without_end_is_a_fault(monkeypatch) -> None:
    kind = "MIDI, bytes"

    def endless(data, name):
        while True:
            pass

    monkeypatch.setitem(fuzzing.KINDS, kind, (fuzzing.KINDS[kind][0], endless))
    monkeypatch.setattr(fuzzing, "LOOPS", 5)
    ((_, _, said, n_loops),) = fuzzing.run((kind, [0]))
    assert "TimeoutError" in said
    assert n_loops > 4


def test_too_many_notes_are_refused() -> None:
    crowd = [RollNote(0, pitch, length) for pitch in range(100) for length in (1, 2, 3)]
    with pytest.raises(BadInput, match=f"more than {MOST_AT_ONCE} notes at once"):
        understand(piece_from_notes(crowd), name="x")
    many = [RollNote(i, 60, 1) for i in range(MOST_NOTES + 1)]
    with pytest.raises(BadInput, match="50,001 notes"):
        understand(piece_from_notes(many), name="x")
