"""The staff view shows the notes of the piece, and nobody waits for it who does not look at it."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from ripieno.errors import BadInput
from ripieno.export import score
from ripieno.models.runtime import Model
from ripieno.studio import staves as staves_module
from ripieno.studio.composition import Composition
from ripieno.studio.engraver import Engraver
from ripieno.studio.messages import NoteShape
from ripieno.studio.pieces import Pieces
from ripieno.studio.staves import Staves, named_score
from tests.pace import PATIENCE
from tests.studio.conftest import Served
from tests.studio.test_composition import run
from tests.studio.test_server import ask_http

EXAMPLES = Path(__file__).parents[2] / "examples"
TUNE = (EXAMPLES / "old-hundredth.mid").read_bytes()


@pytest.fixture(scope="module")
def staves() -> Iterator[Staves]:
    staves = Staves()
    yield staves
    staves.close()


def engraved(svg: str) -> set[tuple[int, int, int, str]]:
    """The notes of a picture: step, duration, pitch and author."""
    found = [element.attrib for element in ET.parse(io.StringIO(svg)).iter() if "data-step" in element.attrib]
    return {
        (int(one["data-step"]), int(one["data-duration"]), int(one["data-pitch"]), one["data-author"]) for one in found
    }


def sounding(notes: set[tuple[int, int, int, str]]) -> set[tuple[int, int]]:
    """The cells of the roll that notes fill."""
    return {(at, pitch) for step, duration, pitch, _ in notes for at in range(step, step + duration)}


def of_the_piece(piece: Composition) -> set[tuple[int, int, int, str]]:
    return {(note.onset, note.duration, note.pitch, note.author) for note in piece.state().notes}


def test_every_note_on_the_staves_says_where_it_is_and_whose(piece: Composition, model: Model, staves: Staves) -> None:
    # over a bar line, over a note of its own pitch, and on a sixteenth
    shapes = [(0, 72, 4), (4, 72, 4), (8, 74, 17), (25, 71, 1), (26, 76, 6)]
    piece.edit("1", [], [NoteShape(onset=onset, pitch=pitch, duration=duration) for onset, pitch, duration in shapes])
    run(piece, model)
    assert engraved(staves.picture(piece)) == of_the_piece(piece)
    assert {author for *_, author in of_the_piece(piece)} == {"user", "model"}


@pytest.mark.parametrize("form", ["mid", "musicxml"])
def test_a_file_with_a_pickup_is_told_from_its_first_bar_on(
    pieces: Pieces, model: Model, staves: Staves, form: str
) -> None:
    data = TUNE
    if form == "musicxml":
        begun = pieces.get(pieces.open_file(TUNE, "tune.mid")[0])
        data = score(begun.document).encode()
    piece = pieces.get(pieces.open_file(data, f"tune.{form}")[0])
    first = piece.state().notes[0]
    piece.edit("1", [NoteShape(onset=first.onset, pitch=first.pitch, duration=first.duration)], [])
    run(piece, model)
    picture = staves.picture(piece)
    # two voices may sing one note of the roll, and each is written its own part of it
    assert sounding(engraved(picture)) == sounding(of_the_piece(piece))
    assert {note for note in of_the_piece(piece) if note[3] == "file"} <= engraved(picture)
    assert "<title>F#4, bar 1, beat 2: yours</title>" in picture


def test_the_models_notes_are_in_colour_and_its_parts_called_new(
    piece: Composition, model: Model, staves: Staves
) -> None:
    piece.edit("1", [], [NoteShape(onset=4 * i, pitch=72, duration=4) for i in range(8)])
    run(piece, model)
    picture = staves.picture(piece)
    assert picture.count('color="#1F5FA8"') == picture.count('data-author="model"') >= 6  # three voices, two bars
    assert picture.count('data-author="user"') == 8
    assert picture.count("(new)") == 3
    assert "<style" not in picture  # the page's policy allows none


def test_a_picture_is_made_once_for_each_state_of_the_piece(piece: Composition, staves: Staves) -> None:
    piece.edit("1", [], [NoteShape(onset=0, pitch=72, duration=4)])
    first = staves.picture(piece)
    assert staves.picture(piece) is first
    piece.edit("2", [], [NoteShape(onset=4, pitch=72, duration=4)])
    assert len(engraved(staves.picture(piece))) == 2
    piece.undo("3", None, None)
    assert engraved(staves.picture(piece)) == engraved(first)


def test_a_piece_without_notes_or_with_too_many_is_one_clear_line(
    piece: Composition, staves: Staves, monkeypatch
) -> None:
    with pytest.raises(BadInput, match=r"^nothing is written yet: draw a note, and it is here on staves$"):
        staves.picture(piece)
    monkeypatch.setattr(staves_module, "MOST_NOTES", 3)
    piece.edit("1", [], [NoteShape(onset=4 * i, pitch=72, duration=4) for i in range(4)])
    with pytest.raises(BadInput, match=r"^4 notes are too many for the staff view, which takes 3; save a score$"):
        staves.picture(piece)


def test_what_cannot_be_engraved_is_tried_once_for_each_state_of_the_piece(piece: Composition) -> None:
    tried = []

    class Failing(Engraver):
        def engrave(self, musicxml: str) -> str:
            tried.append(musicxml)
            raise BadInput("it takes too long")

    staves = Staves()
    staves.engraver = Failing()
    for i in range(2):
        piece.edit(str(i), [], [NoteShape(onset=4 * i, pitch=72, duration=4)])
        for _ in range(2):
            with pytest.raises(BadInput, match=r"^it takes too long$"):
                staves.picture(piece)
    assert len(tried) == 2


def test_an_engraver_that_fails_says_so_and_works_again(piece: Composition) -> None:
    engraver = Engraver()
    with pytest.raises(BadInput, match="cannot be engraved"):
        engraver.engrave("<no-score/>")
    piece.edit("1", [], [NoteShape(onset=0, pitch=72, duration=4)])
    score = named_score(piece.document).text
    assert engraver.engrave(score).startswith("<svg")
    assert engraver._process is not None
    engraver._process.kill()
    engraver._process.join()
    assert engraver.engrave(score).startswith("<svg")
    engraver.close()
    with pytest.raises(BadInput, match="being closed"):
        engraver.engrave(score)


def test_an_engraver_that_is_closed_while_it_starts_leaves_no_process(monkeypatch) -> None:
    engraver = Engraver()
    started, start = [], SpawnProcess.start

    def slowly(process: SpawnProcess) -> None:
        closing.start()
        while not engraver._closing.is_set():
            time.sleep(0.01)
        start(process)
        started.append(process)

    closing = threading.Thread(target=engraver.close)
    monkeypatch.setattr(SpawnProcess, "start", slowly)
    with pytest.raises(BadInput, match="being closed"):
        engraver.engrave("<no-score/>")
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert not started[0].is_alive()


def test_the_engraver_ignores_the_folder_it_is_started_in(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "verovio.py").write_text("raise SystemExit")
    (tmp_path / "numpy.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    engraver = Engraver()
    with pytest.raises(BadInput, match="cannot be engraved"):
        engraver.engrave("<no-score/>")
    assert engraver._process is not None
    engraver.close()


def test_the_engraver_ends_when_the_server_does() -> None:
    engraver = Engraver()
    with pytest.raises(BadInput):
        engraver.engrave("<no-score/>")
    process = engraver._process
    assert process is not None
    assert engraver._pipe is not None
    engraver._pipe.close()  # as the system does for whoever is killed
    process.join(PATIENCE)
    assert process.exitcode == 0
    engraver.close()


def test_an_engraver_that_takes_too_long_is_ended(monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.engraver.PATIENCE", 0.0)
    engraver = Engraver()
    with pytest.raises(BadInput, match="could not be engraved"):
        engraver.engrave("<no-score/>")
    engraver.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process for a while")
def test_while_a_score_is_engraved_a_window_is_answered(served: Served) -> None:
    piece = served.new_piece(bars=16)
    with served.window(piece) as window:
        chords = [
            {"onset": onset, "pitch": pitch, "duration": 2} for onset in range(0, 256, 2) for pitch in (74, 67, 62, 50)
        ]
        assert window.ask("edit", add=chords[:1])["type"] == "done"
        assert ask_http(served, f"/api/pieces/{piece}/score.svg")[0] == 200  # the engraver has begun
        assert window.ask("edit", add=chords[1:])["type"] == "done"
        process = served.studio.staves.engraver._process
        assert process is not None
        assert process.pid is not None
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(ask_http(served, f"/api/pieces/{piece}/score.svg")))
        os.kill(process.pid, signal.SIGSTOP)  # so that it takes for ever
        try:
            asking.start()
            for i in range(50):
                assert window.ask("tempo", bpm=90 + i % 2)["type"] == "done"
            assert asking.is_alive()
        finally:
            os.kill(process.pid, signal.SIGCONT)
        asking.join(PATIENCE)
    status, headers, picture = answers[0]
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert len(engraved(picture.decode())) == 512


def test_over_http_the_staff_view_is_a_picture_or_one_clear_line(served: Served) -> None:
    assert served.get("/api/health")["score"] is True
    piece = served.new_piece()
    status, _, body = ask_http(served, f"/api/pieces/{piece}/score.svg")
    assert (status, json.loads(body)["code"]) == (400, "bad_input")
    with served.window(piece) as window:
        window.ask("edit", add=[{"onset": 2, "pitch": 67, "duration": 6}])
    status, _, body = ask_http(served, f"/api/pieces/{piece}/score.svg?seq=1")
    assert engraved(body.decode()) == {(2, 6, 67, "user")}
    assert ask_http(served, "/api/pieces/none/score.svg")[0] == 404
