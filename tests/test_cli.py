"""The command line keeps its promises, and says in one line what it cannot do."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import mido
import pytest

from tests.pace import PATIENCE

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
ODE = EXAMPLES / "ode-to-joy.mid"


def ripieno(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ripieno.cli", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
        check=False,
    )


def test_a_melody_becomes_a_four_part_piece(tmp_path: Path) -> None:
    """The one test that uses the bundled weights from end to end."""
    out = tmp_path / "piece.mid"
    pictures = [word for suffix in ("png", "svg", "pdf", "wav") for word in ("-o", tmp_path / f"piece.{suffix}")]
    done = ripieno("harmonize", ODE, "-o", out, *pictures)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Melody: top line of track 1")
    for word in ("notes added", "taken back", "changed of yours", "seconds", "seed", str(out)):
        assert word in done.stdout
    before, after = mido.MidiFile(ODE), mido.MidiFile(out)
    assert [list(track) for track in after.tracks[: len(before.tracks)]] == [list(track) for track in before.tracks]
    assert [track.name for track in after.tracks[len(before.tracks) :]] == ["Alto", "Tenor", "Bass"]
    assert (tmp_path / "piece.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "piece.svg").read_text()
    assert (tmp_path / "piece.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "piece.wav").read_bytes().startswith(b"RIFF")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mid", ".pdf", ".png", ".svg", ".wav"]


def test_that_a_file_holds_no_chords_is_said_where_none_does(tmp_path: Path) -> None:
    options = ("--bars", "1-1", "--iterations", 10, "--write-chords", "symbols", "-o", tmp_path / "a.mid")
    said = "Chords are written into scores only"
    assert said in ripieno("harmonize", ODE, *options).stdout
    assert said not in ripieno("harmonize", ODE, *options, "-o", tmp_path / "a.svg", "--as", "score").stdout


def test_the_same_seed_gives_the_same_file_and_alternatives_differ(tmp_path: Path) -> None:
    options = ("--bars", "1-2", "--iterations", 60)
    ripieno("harmonize", ODE, "-o", tmp_path / "a.mid", *options, "--alternatives", 2)
    ripieno("harmonize", ODE, "-o", tmp_path / "b.mid", *options)
    first, second = ((tmp_path / f"a-{n}.mid").read_bytes() for n in (1, 2))
    assert (tmp_path / "b.mid").read_bytes() in (first, second)
    assert first != second


def test_alternatives_come_ranked_with_a_reason(tmp_path: Path) -> None:
    options = ("--bars", "1-2", "--temperature", 1.5, "--mend", "nothing")
    said = ripieno("harmonize", ODE, "-o", tmp_path / "a.mid", *options, "--alternatives", 2, "--seed", 5).stdout
    assert re.search(r"place +1 of 2: (no fault|\d+ faults?)", said)
    seeds = [int(seed) for seed in re.findall(r"seed +(\d+)", said)]
    assert sorted(seeds) == [5, 6]
    alone = ripieno("harmonize", ODE, "-o", tmp_path / "b.mid", *options, "--seed", seeds[0]).stdout
    assert (tmp_path / "b.mid").read_bytes() == (tmp_path / "a-1.mid").read_bytes()
    assert "place" not in alone


def test_a_folder_tells_what_each_file_is_taken_to_be_and_one_line_for_what_failed(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"no music")
    done = ripieno("harmonize", ODE, tmp_path / "bad.mid", "-o", tmp_path / "out", "--bars", "1-2", "--iterations", 40)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"{ODE.name}: Melody: " in said
    assert len([line for line in said.splitlines() if "bad.mid" in line and line.startswith("Failed")]) == 1


def test_of_a_piece_that_is_full_already_it_says_what_to_do(tmp_path: Path) -> None:
    ripieno("harmonize", ODE, "-o", tmp_path / "full.mid")
    again = ripieno("harmonize", tmp_path / "full.mid", "-o", tmp_path / "more.mid")
    assert re.search(r"notes added +0", again.stdout)
    assert "take notes out first" in again.stdout
    assert "take notes out first" not in ripieno("harmonize", ODE, "-o", tmp_path / "a.mid", "--bars", "1-2").stdout


def test_verbose_tells_every_change(tmp_path: Path) -> None:
    done = ripieno("harmonize", ODE, "-o", tmp_path / "a.mid", "--iterations", 5, "--verbose", "--bars", "2-2")
    assert done.stderr.count("bar 2, beat") == 5


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "words.mid").write_text("no music here")
    (tmp_path / "cut.mid").write_bytes(ODE.read_bytes()[:90])
    silent = mido.MidiFile()
    silent.tracks.append(mido.MidiTrack())
    silent.save(tmp_path / "silent.mid")
    data = bytearray(ODE.read_bytes())
    data[8:10] = b"\x00\x02"
    (tmp_path / "format2.mid").write_bytes(data)
    data = bytearray(ODE.read_bytes())
    data[12:14] = b"\xe7\x28"
    (tmp_path / "smpte.mid").write_bytes(data)
    (tmp_path / "ode.mid").write_bytes(ODE.read_bytes())
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gone.mid", "-o", "x.mid"), "gone.mid"),
        (("empty.mid", "-o", "x.mid"), "empty.mid"),
        (("words.mid", "-o", "x.mid"), "words.mid"),
        (("cut.mid", "-o", "x.mid"), "cut.mid"),
        (("silent.mid", "-o", "x.mid"), "notes"),
        (("format2.mid", "-o", "x.mid"), "format 2"),
        (("smpte.mid", "-o", "x.mid"), "SMPTE"),
        (("ode.mid", "-o", "x.ogg"), ".ogg"),
        (("ode.mid", "-o", "x.wav", "--soundfont", "gone.sf2"), "gone.sf2"),
        (("ode.mid", "-o", "x.wav", "--soundfont", "bad.onnx"), "SoundFont"),
        (("ode.mid", "-o", "nowhere/x.mid"), "nowhere"),
        (("ode.mid", "-o", "ode.mid"), "your own file"),
        ((".", "-o", "x.mid"), "is a folder; name the files in it"),
        (("ode.mid", "silent.mid", "-o", "x.mid"), "several files go into a folder"),
        (("ode.mid", "-o", "x.mid", "-o", "x.mid"), "twice"),
        (("ode.mid", "-o", "x.mid", "--melody", "7"), "7"),
        (("ode.mid", "-o", "x.mid", "--melody", "tuba"), "tuba"),
        (("ode.mid", "-o", "x.mid", "--bars", "90-99"), "90-99"),
        (("ode.mid", "-o", "x.mid", "--bars", "two"), "two"),
        (("ode.mid", "-o", "x.mid", "--bars", "2-3", "--lock", "1-4"), "locked"),
        (("ode.mid", "-o", "x.mid", "--range", "G5-C3"), "range"),
        (("ode.mid", "-o", "x.mid", "--range", "H2-C3"), "H2"),
        (("ode.mid", "-o", "x.mid", "--key", "H"), "H"),
        (("ode.mid", "-o", "x.mid", "--temperature", "0"), "temperature"),
        (("ode.mid", "-o", "x.mid", "--max-removals", "many"), "many"),
        (("ode.mid", "-o", "x.mid", "--max-additions", "-1"), "-1"),
        (("ode.mid", "-o", "x.mid", "--voices", "0"), "voices"),
        (("ode.mid", "-o", "x.mid", "--alternatives", "0"), "--alternatives"),
        (("ode.mid", "-o", "x.mid", "--iterations", "0"), "--iterations"),
        (("ode.mid", "-o", "x.mid", "--model", "bad.onnx"), "bad.onnx"),
        (("ode.mid", "-o", "x.mid", "--model", "gone.onnx"), "gone.onnx"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_clear_line(words: tuple[str, ...], expected: str, inputs: Path, monkeypatch, capsys) -> None:
    from ripieno.cli import main

    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "argv", ["ripieno", "harmonize", *words])
    before = sorted(inputs.iterdir())
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("ripieno: ")
    assert expected in said
    assert said.count("\n") == 1
    assert sorted(inputs.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o500)
    done = ripieno("harmonize", ODE, "-o", folder / "x.mid")
    assert done.returncode == 2
    assert "read-only" in done.stderr


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch, capsys) -> None:
    import errno

    class Full:
        def __init__(self, real):
            self.real = real

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.real.close()

        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real_open = Path.open

    def full_for_writing(self, mode="r", *arguments, **options):
        file = real_open(self, mode, *arguments, **options)
        return Full(file) if "w" in mode else file

    monkeypatch.setattr(Path, "open", full_for_writing)
    from ripieno.cli import main

    monkeypatch.setattr(
        sys, "argv", ["ripieno", "harmonize", str(ODE), "-o", str(tmp_path / "x.mid"), "--iterations", "2"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "No space left" in capsys.readouterr().err
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_interrupting_keeps_what_is_done_and_says_so(tmp_path: Path, monkeypatch, capsys) -> None:
    from ripieno.cli import main
    from ripieno.session import Session

    run = Session.run

    def interrupted(self, *arguments, **options):
        for number, change in enumerate(run(self, *arguments, **options)):
            if number == 12:
                raise KeyboardInterrupt
            yield change

    monkeypatch.setattr(Session, "run", interrupted)
    monkeypatch.setattr(sys, "argv", ["ripieno", "harmonize", str(ODE), "-o", str(tmp_path / "x.mid")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "You stopped it" in capsys.readouterr().out
    assert len(mido.MidiFile(tmp_path / "x.mid").tracks) > len(mido.MidiFile(ODE).tracks)


def test_a_piece_is_played_into_a_file(tmp_path: Path) -> None:
    done = ripieno("play", ODE, "-o", tmp_path / "ode.wav", "--tempo", 240)
    assert done.returncode == 0, done.stderr
    assert "seconds" in done.stdout
    import soundfile

    slow = ripieno("play", ODE, "-o", tmp_path / "slow.flac", "--tempo", 120)
    assert slow.returncode == 0, slow.stderr
    fast, half = (soundfile.info(tmp_path / name).duration for name in ("ode.wav", "slow.flac"))
    assert 1.7 * (fast - 2.6) < half - 2.6 < 2.3 * (fast - 2.6)  # 2.6 seconds of room and silence


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gone.mid",), "gone.mid"),
        (("ode.mid", "-o", "x.mid"), "x.wav"),
        (("ode.mid", "-o", "x.wav", "--tempo", "0"), "--tempo 0"),
        (("ode.mid", "-o", "nowhere/x.wav"), "nowhere"),
        (("ode.mid", "--soundfont", "bad.onnx"), "SoundFont"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_played_is_one_clear_line(words, expected: str, inputs: Path, monkeypatch, capsys) -> None:
    from ripieno.cli import main

    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "argv", ["ripieno", "play", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert expected in said
    assert said.count("\n") == 1


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    """Two voices in parallel fifths."""
    from ripieno.files.midi import write_midi
    from tests.music.test_singers import piece_of

    lines = {"Soprano": [(67, 0, 4), (69, 4, 4), (71, 8, 8)], "Bass": [(48, 0, 4), (50, 4, 4), (43, 8, 8)]}
    write_midi(piece_of(lines), tmp_path / "exercise.mid")
    return tmp_path / "exercise.mid"


def test_check_says_what_is_wrong_marks_it_and_exits_with_1(exercise: Path) -> None:
    out = exercise.with_name("marked.musicxml")
    page = exercise.with_name("marked.svg")
    done = ripieno("check", exercise, "-o", out, "-o", page, "--level", "errors", "--key", "C")
    assert page.read_text().startswith("<svg")
    assert done.returncode == 1, done.stderr
    assert "bar 1, beat 2: error: Soprano and bass move in parallel fifths" in done.stdout
    assert "parallel fifths" in out.read_text()
    told = ripieno("check", exercise, "--format", "json", "--level", "errors", "--rules-only")
    import json

    assert json.loads(told.stdout)["remarks"][0]["rule"] == "parallel fifths"
    assert told.returncode == 1


def test_check_exits_with_0_where_there_is_nothing_to_say() -> None:
    assert ripieno("check", ODE, "--level", "errors", "--rules-only").returncode == 0


def test_fix_says_what_it_would_change_and_changes_it(tmp_path: Path) -> None:
    from ripieno.files.midi import read_midi, write_midi
    from tests.test_fixing import tune

    write_midi(tune({5: 1}), tmp_path / "tune.mid")
    told = ripieno("fix", tmp_path / "tune.mid", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "becomes G4" in told.stdout
    assert "1 note of 24 would be changed" in told.stdout
    done = ripieno("fix", tmp_path / "tune.mid", "-o", tmp_path / "mended.mid")
    assert done.returncode == 0, done.stderr
    assert [n.pitch for n in read_midi(tmp_path / "mended.mid").notes] == [n.pitch for n in tune().notes]


def test_many_files_go_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_text("no music")
    out = tmp_path / "out"
    words = ("harmonize", ODE, tmp_path / "bad.mid", EXAMPLES / "greensleeves.mid", "-o", out, "--iterations", 3)
    done = ripieno(*words)
    assert done.returncode == 1
    assert "Failed: bad.mid" in done.stderr
    assert "2 harmonised, 0 done before, 1 failed" in done.stdout
    assert sorted(path.name for path in out.glob("*.mid")) == ["greensleeves.mid", "ode-to-joy.mid"]
    assert "0 harmonised, 2 done before, 1 failed" in ripieno(*words).stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("check", "gone.mid"), "gone.mid"),
        (("check", "ode.mid", "--level", "all"), "--level all"),
        (("check", "ode.mid", "--format", "xml"), "--format xml"),
        (("check", "ode.mid", "-o", "x.mid"), "x.musicxml"),
        (("fix", "ode.mid"), "--dry-run"),
        (("fix", "ode.mid", "--dry-run", "--sure", "very"), "--sure very"),
        (("fix", "ode.mid", "--dry-run", "--max-changes", "all"), "--max-changes all"),
        (("fix", "ode.mid", "-o", "ode.mid"), "your own file"),
        (("harmonize", "ode.mid", "gone.mid", "-o", "words.mid"), "name a folder"),
        (("harmonize", "ode.mid", "gone.mid", "-o", "a", "-o", "b"), "one -o"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_these_cannot_do_is_one_clear_line(words, expected: str, inputs: Path, monkeypatch, capsys) -> None:
    from ripieno.cli import main

    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "argv", ["ripieno", *words])
    before = sorted(inputs.iterdir())
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert expected in said
    assert said.count("\n") == 1
    assert sorted(inputs.iterdir()) == before


def test_models_tells_what_the_bundled_model_is() -> None:
    told = ripieno("models").stdout
    assert "chorale" in told
    assert "validation" in told


def test_a_folder_of_midi_files_is_prepared_and_trained_on(tmp_path: Path) -> None:
    prepared = ripieno("data", EXAMPLES, "-o", tmp_path / "corpus.npz")
    assert prepared.returncode == 0, prepared.stderr
    assert "6 pieces" in prepared.stdout
    run = (
        "train",
        tmp_path / "corpus.npz",
        "-o",
        tmp_path / "run",
        "--n-samples",
        4,
        "--batch-size",
        2,
        "--n-steps",
        32,
    )
    trained = ripieno(*run)
    assert trained.returncode == 0, trained.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "best.safetensors",
        "config.json",
        "corpus.sha256",
        "last.safetensors",
        "log.csv",
        "model.onnx",
        "resume.pt",
    ]
    used = ripieno(
        "harmonize", ODE, "-o", tmp_path / "x.mid", "--model", tmp_path / "run" / "model.onnx", "--iterations", 3
    )
    assert used.returncode == 0, used.stderr


@pytest.mark.parametrize("command", ["harmonize", "check", "fix", "play", "train", "data", "models"])
def test_each_commands_help_has_examples_and_stands_in_the_docs(command: str) -> None:
    told = ripieno(command, "--help").stdout
    assert f"ripieno {command}" in told
    assert "Examples" in told
    docs = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert f"ripieno {command}" in docs


def test_help_says_plainly_what_the_model_is() -> None:
    assert "hymn-like" in ripieno("harmonize", "--help").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["missing.mid"], "missing.mid cannot be read: No such file or directory; check its name and folder"),
        (["text.mid"], "text.mid is not a MIDI file"),
        (["broken.ripieno"], "broken.ripieno is damaged"),
        (["--model", "missing.onnx"], "missing.onnx cannot be read: No such file or directory"),
        (["--soundfont", "text.mid"], "text.mid is no SoundFont; give an .sf2 or .sf3 file"),
        (["--port", "70000"], "--port 70000: give a number from 1024 to 65535"),
        (["--folder", "text.mid/pieces"], "text.mid/pieces/studio.sqlite cannot be opened"),
    ],
)
def test_a_studio_that_cannot_open_says_so_in_one_line(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "text.mid").write_text("this is no music")
    (tmp_path / "broken.ripieno").write_text("{")
    done = ripieno("studio", "--no-browser", "--port", 0, "--folder", tmp_path / "pieces", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_studio_whose_port_is_in_use_offers_another_one_that_is_free(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = ripieno("studio", "--no-browser", "--port", port, "--folder", tmp_path)
    assert done.returncode == 2
    found = re.fullmatch(rf"ripieno: port {port} is in use, by another studio perhaps; try --port (\d+)\n", done.stderr)
    assert found is not None, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", int(found[1])))


def test_a_studio_says_its_address_and_serves_the_file_that_it_was_given(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ripieno.cli", "studio", str(ODE), "--no-browser", "--port", "0"]
    with subprocess.Popen([*command, "--folder", str(tmp_path)], stdout=subprocess.PIPE, text=True) as studio:
        try:
            assert studio.stdout is not None
            said = re.fullmatch(
                r"The studio is open: (http://127\.0\.0\.1:\d+/)   \(Ctrl\+C closes it\)\n", studio.stdout.readline()
            )
            assert said is not None
            with urllib.request.urlopen(f"{said[1]}api/pieces", timeout=PATIENCE) as answer:
                pieces = json.load(answer)
            assert [piece["id"] for piece in pieces["pieces"]] == [pieces["current"]]
            studio.send_signal(signal.SIGINT)
            assert studio.wait(PATIENCE) == 130
        finally:
            studio.kill()
