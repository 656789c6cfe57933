"""The server keeps what it promises: to a person at a window, to a page of somebody else's, and to a broken one."""

from __future__ import annotations

import http.client
import io
import json
import random
import socket
import string
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ripieno.errors import BadInput
from ripieno.files.midi import write_midi
from ripieno.files.sound.organ import frequency_of
from ripieno.models.runtime import Model
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.studio import messages as wire
from ripieno.studio import server
from ripieno.studio.server import MAX_MESSAGE, MAX_UPLOAD, Studio, listen, open_studio
from ripieno.studio.store import Store
from tests.files.sound.test_render import cents_off
from tests.pace import PATIENCE
from tests.studio.conftest import CHORD, Served, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
TUNE = (EXAMPLES / "old-hundredth.mid").read_bytes()
G4 = {"onset": 0, "pitch": 67, "duration": 4}


def status(served: Served, path: str, method: str = "GET", body: bytes | None = None, **headers: Any) -> int:
    return ask_http(served, path, method, body, **headers)[0]


def ask_http(
    served: Served, path: str, method: str = "GET", body: bytes | None = None, **headers: Any
) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request(method, path, body, named)
    answer = line.getresponse()
    data = answer.read()
    line.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data


# A person at a window


def test_a_note_is_drawn_moved_undone_and_told_to_all_windows(served: Served) -> None:
    piece = served.new_piece()
    with served.window(piece) as one, served.window(piece) as other:
        assert one.ask("edit", add=[G4])["type"] == "done"
        drawn = other.until(lambda message: message["type"] == "entries")["entries"][0]
        assert drawn["new"] == [{**G4, "author": "user", "voice": None, "batch": 0}]
        assert drawn["text"] == "G4 in bar 1, beat 1"
        moved = {**G4, "onset": 4}
        assert one.ask("edit", remove=[G4], add=[moved])["seq"] == 2
        second = other.until(lambda message: message["type"] == "entries")["entries"][0]
        assert [(note["onset"], note["pitch"]) for note in second["gone"]] == [(0, 67)]
        assert other.ask("undo", batch=1)["text"] is None
        third = one.until(lambda message: message["type"] == "entries" and message["entries"][-1]["seq"] == 3)
        assert third["entries"][-1]["new"][0]["onset"] == 0


def test_an_edit_of_a_note_that_is_gone_changes_nothing(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        answer = window.ask("edit", remove=[G4], add=[{**G4, "onset": 8}])
        assert (answer["type"], answer["code"]) == ("error", "conflict")
        assert window.ask("tempo", bpm=100)["seq"] == 1


def test_a_message_that_is_sent_twice_is_carried_out_once(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        for _ in range(2):
            assert window.ask("edit", id="same", add=[G4])["seq"] == 1


def test_a_window_that_was_cut_off_gets_what_it_missed(served: Served) -> None:
    piece = served.new_piece()
    with served.window(piece) as one:
        one.ask("edit", add=[G4])
    with served.window(piece) as one:
        one.ask("tempo", bpm=100)
    with served.window(piece, seen=1) as one:
        assert one.welcome["state"] is None
        assert [entry["seq"] for entry in one.welcome["entries"]] == [2]
    with served.window(piece, seen=77) as one:
        assert one.welcome["state"] is not None


def test_a_suggestion_is_shown_accepted_and_refused(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        shown = window.ask("suggest", n=3)
        first = shown["suggestions"][0]
        assert first["note"]["pitch"] in CHORD
        assert (first["action"], first["sureness"]) == ("add", "sure")
        assert shown["seq"] == 0
        assert window.ask("accept", suggestion=first["token"])["seq"] == 1
        assert window.entries[-1]["author"] == "model"
        assert window.entries[-1]["new"][0]["pitch"] == first["note"]["pitch"]
        assert window.ask("accept", suggestion=first["token"])["code"] == "stale"  # it is there already
        second = window.ask("suggest")["suggestions"][0]
        window.ask("refuse", suggestion=second["token"])
        offered = [one["note"] for one in window.ask("suggest", n=8)["suggestions"]]
        assert second["note"] not in offered


def test_three_alternatives_of_which_one_is_taken(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        melody = [{"onset": step, "pitch": 72, "duration": 8} for step in range(0, 32, 8)]
        window.ask("edit", add=melody)
        found = window.ask("regenerate", bars=[2, 2], voices=["bass"], seed=3)
        assert found["type"] == "alternatives"
        ways = [
            sorted((note["onset"], note["pitch"], note["duration"]) for note in one["add"])
            for one in found["alternatives"]
        ]
        assert len(ways) == 3
        assert ways[0] != ways[1] != ways[2] != ways[0]
        for way in ways:  # one note at a time, from the beginning of the bar to its end
            assert sorted(step for onset, _, n in way for step in range(onset, onset + n)) == list(range(16, 32))
            assert {pitch for _, pitch, _ in way} <= set(CHORD)
        token = found["alternatives"][1]["token"]
        assert window.ask("take", alternative=token)["type"] == "done"
        assert window.entries[-1]["author"] == "model"
        taken = sorted((note["onset"], note["pitch"], note["duration"]) for note in window.entries[-1]["new"])
        assert taken == ways[1]
        assert window.ask("take", alternative=token)["code"] == "stale"


def test_a_run_writes_the_piece_and_ends(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        assert window.ask("run")["type"] == "done"
        window.until(lambda message: message["type"] == "running" and message["run"]["state"] == "finished")
        sounding = {(cell["step"], cell["pitch"]) for entry in window.entries for cell in entry["cells"]}
        assert sounding == {(step, pitch) for step in range(32) for pitch in CHORD}
        assert {entry["run"] for entry in window.entries} == {0}
        window.ask("undo", run=0)
        assert len(window.entries[-1]["gone"]) == len(CHORD)


def test_after_the_answer_to_a_stop_no_change_comes(served: Served) -> None:
    with served.window(served.new_piece(bars=64)) as window:
        window.ask("run")
        window.until(lambda message: message["type"] == "entries")
        seq = window.ask("stop")["seq"]
        time.sleep(0.3)
        assert window.ask("tempo", bpm=90)["seq"] == seq + 1


def test_what_a_person_does_in_a_run_holds(served: Served) -> None:
    with served.window(served.new_piece(bars=8)) as window:
        window.ask("run")
        window.until(lambda message: message["type"] == "entries")
        window.ask("lock", locked=True, pitches=[64])
        at = len(window.entries)
        window.until(lambda message: message["type"] == "running" and message["run"]["state"] != "running")
        later = [cell["pitch"] for entry in window.entries[at:] for cell in entry["cells"]]
        assert later
        assert 64 not in later


def test_doubts_tell_what_is_missing(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        window.ask("edit", add=[G4])
        told = window.ask("doubts")
        assert told["notes"] == [{"note": G4, "belongs": pytest.approx(1.0, abs=0.01)}]
        assert {cell["pitch"] for cell in told["cells"]} == set(CHORD)


def test_who_sings_what_is_told_by_itself(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        window.ask("edit", add=[G4, {"onset": 0, "pitch": 48, "duration": 4}])
        told = window.find(lambda message: message["type"] == "voices" and len(message["notes"]) == 2)
        assert [note["voice"] for note in told["notes"]] == ["bass", "soprano"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "undo", "batch": 3}, "unknown_batch"),
        ({"type": "undo"}, "unknown_batch"),
        ({"type": "redo"}, "unknown_batch"),
        ({"type": "undo", "batch": 0, "run": 0}, "bad_input"),
        ({"type": "stop"}, "not_running"),
        ({"type": "accept", "suggestion": "none"}, "stale"),
        ({"type": "lock", "locked": True, "bars": [9]}, "bad_input"),
        ({"type": "rules", "changes": {"key": "H"}}, "bad_input"),
        ({"type": "rules", "changes": {"pitches": [80, 50]}}, "bad_input"),
        ({"type": "regenerate", "bars": [2, 1]}, "bad_input"),
        ({"type": "run", "bars": [1, 9]}, "bad_input"),
        ({"type": "suggest", "bars": [0, 0]}, "bad_input"),
        ({"type": "edit", "add": [{"onset": 31, "pitch": 60, "duration": 2}]}, "bad_input"),
        ({"type": "lengthen", "bars": 64, "times": 5}, "bad_message"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(served: Served, message: dict[str, Any], code: str) -> None:
    with served.window(served.new_piece()) as window:
        window.say(id="asked", **message)
        answer = window.until(lambda message: message["type"] in ("error", "done"))
        assert (answer["type"], answer["code"]) == ("error", code)
        assert answer["text"].count("\n") == 0
        assert window.ask("tempo", bpm=90)["seq"] == 1


# Saved and opened again


def test_a_piece_is_there_when_the_server_starts_again(store: Store, model: Model) -> None:
    with serving(Studio(store, lambda: model)) as served:
        piece = served.new_piece()
        with served.window(piece) as window:
            window.ask("edit", add=[G4])
            window.ask("lengthen", bars=1)
            window.ask("lock", locked=True, bars=[3])
            window.ask("run")
            window.until(lambda message: message["type"] == "running" and message["run"]["state"] == "finished")
            window.ask("undo", run=0)
            window.ask("rename", name="Kept")
        with served.window(piece) as window:
            before = window.welcome
    with serving(Studio(store, lambda: model)) as served:
        assert served.get("/api/pieces")["pieces"][0]["name"] == "Kept"
        with served.window(piece) as window:
            after = window.welcome
    for state in (before, after):
        for note in state["state"]["notes"]:
            note["voice"] = None  # told apart after the welcome
    assert after["state"] == before["state"]
    assert after["seq"] == before["seq"]


def test_a_project_brings_its_history_back(served: Served) -> None:
    piece = served.post("/api/pieces/import?name=tune.mid", TUNE)["piece"]
    assert piece["name"] == "Old Hundredth"
    with served.window(piece["id"]) as window:
        note = window.ask("suggest", n=1)["suggestions"][0]
        window.ask("accept", suggestion=note["token"])
        state = window.welcome["state"]
    kind, headers, project = ask_http(served, f"/api/pieces/{piece['id']}/export/ripieno")
    assert (kind, headers["content-type"]) == (200, "application/json")
    again = served.post("/api/pieces/import?name=tune.ripieno", project)["piece"]
    assert again["n_entries"] == 1
    with served.window(again["id"]) as window:
        assert len(window.welcome["state"]["notes"]) == len(state["notes"]) + 1
        assert window.ask("undo")["type"] == "done"


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("mxl", b"PK")])
def test_a_piece_is_saved_as(served: Served, form: str, begins: bytes) -> None:
    piece = served.new_piece()
    with served.window(piece) as window:
        window.ask("edit", add=[G4])
    kind, headers, data = ask_http(served, f"/api/pieces/{piece}/export/{form}")
    assert kind == 200
    assert data.startswith(begins)
    assert "attachment" in headers["content-disposition"]


@pytest.mark.parametrize("form", ["mid", "musicxml", "mxl"])
def test_what_is_saved_is_opened_again_note_for_note(served: Served, form: str) -> None:
    line = [{"onset": 4 * i, "pitch": pitch, "duration": 4} for i, pitch in enumerate((67, 67, 69, 71, 72, 72, 74))]
    piece = served.new_piece()
    with served.window(piece) as window:
        window.ask("edit", add=[*line, {"onset": 0, "pitch": 48, "duration": 28}])
    _, _, data = ask_http(served, f"/api/pieces/{piece}/export/{form}")
    again = served.post(f"/api/pieces/import?name=line.{form}", data)
    assert again["remarks"] == []
    with served.window(again["piece"]["id"]) as window:
        notes = window.welcome["state"]["notes"]
    shapes = [{name: note[name] for name in ("onset", "pitch", "duration")} for note in notes]
    assert sorted(shapes, key=str) == sorted([*line, {"onset": 0, "pitch": 48, "duration": 28}], key=str)


def test_a_piece_is_saved_as_the_sound_of_its_notes(served: Served) -> None:
    piece = served.new_piece()
    with served.window(piece) as window:
        window.ask("tempo", bpm=60)
        window.ask("edit", add=[{**G4, "duration": 8}, {"onset": 8, "pitch": 73, "duration": 8}])  # two seconds each
    _, headers, data = ask_http(served, f"/api/pieces/{piece}/export/wav")
    assert headers["content-type"] == "audio/wav"
    samples, rate = soundfile.read(io.BytesIO(data), always_2d=True)
    assert 4 < len(samples) / rate < 10
    assert abs(cents_off(samples[rate // 2 : 3 * rate // 2, 0], frequency_of(67))) < 5
    assert abs(cents_off(samples[5 * rate // 2 : 7 * rate // 2, 0], frequency_of(73))) < 5


def test_a_score_is_opened_with_its_notes_and_saved_as_it_was(served: Served) -> None:
    piece = served.post("/api/pieces/import?name=tune.mid", TUNE)["piece"]["id"]
    _, _, score = ask_http(served, f"/api/pieces/{piece}/export/musicxml")
    opened = served.post("/api/pieces/import?name=tune.musicxml", score)["piece"]
    assert opened["name"] == "Old Hundredth"
    _, _, again = ask_http(served, f"/api/pieces/{opened['id']}/export/musicxml")
    assert again == score  # to the byte


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.mid", "bad_input"),
        (b"no music at all", "text.mid", "bad_input"),
        (b"MThd\0\0\0\6\0\1\0\1", "cut.mid", "bad_input"),
        (TUNE[:60], "cut.mid", "bad_input"),
        (b"{", "broken.ripieno", "bad_input"),
        (b'{"format": "ripieno project", "version": 99}', "newer.ripieno", "bad_input"),
        (b"[" * 100_000, "deep.ripieno", "bad_input"),
        (b"x" * (MAX_UPLOAD + 1), "large.mid", "too_large"),
    ],
)
def test_a_file_that_is_no_music_is_one_clear_line(served: Served, data: bytes, name: str, code: str) -> None:
    kind, _, answer = ask_http(served, f"/api/pieces/import?name={name}", "POST", data)
    said = wire.Problem.model_validate_json(answer)
    assert 400 <= kind < 500
    assert said.code == code
    assert "\n" not in said.text
    assert served.get("/api/pieces")["pieces"] == []


def test_a_piece_that_is_too_long_is_refused(served: Served) -> None:
    project = {"format": "ripieno project", "version": 1, "source": None, "steps": []}
    project["begun"] = {"name": "Long", "bars": 256, "meter": "32/4", "key": "C", "bpm": 90}
    kind, _, answer = ask_http(served, "/api/pieces/import?name=long.ripieno", "POST", json.dumps(project).encode())
    assert (kind, wire.Problem.model_validate_json(answer).code) == (400, "too_many_bars")


def test_a_file_that_is_too_long_is_said_before_the_server_starts(tmp_path: Path) -> None:
    long = piece_from_notes([RollNote(4 * i, 60 + i % 12, 4) for i in range(1100)])
    write_midi(long, tmp_path / "long.mid")
    said = r"^long\.mid lasts 4,400 sixteenths; the studio takes 4,096 at the most: cut it first$"
    with pytest.raises(BadInput, match=said):
        open_studio(tmp_path / "long.mid", tmp_path / "pieces")


def test_a_removed_piece_says_so_to_its_windows(served: Served) -> None:
    piece = served.new_piece()
    with served.window(piece) as window:
        assert status(served, f"/api/pieces/{piece}", "DELETE") == 204
        assert window.until(lambda message: message["type"] == "error")["code"] == "unknown_piece"
        with pytest.raises(ConnectionClosed):
            window.hear()
    assert status(served, f"/api/pieces/{piece}") == 404
    with served.window(piece) as window:
        assert window.welcome["code"] == "unknown_piece"


# Strangers at the door


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:{port}"},
        {"host": "127.0.0.1.evil.example:{port}"},
        {"host": "127.0.0.1"},  # not this port
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:{port}"},
        {"origin": "http://127.0.0.1:1"},  # another program on this computer
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_strangers_get_nothing(served: Served, headers: dict[str, str]) -> None:
    sent: dict[str, Any] = {name: value.format(port=served.port) for name, value in headers.items()}
    for path in ("/api/pieces", "/api/health", "/openapi.json", "/"):
        kind, _, answer = ask_http(served, path, **sent)
        assert kind == 403
        assert wire.Problem.model_validate_json(answer).code == "forbidden"
    assert status(served, "/api/pieces", "POST", b"{}", content_type="text/plain", **sent) == 403
    assert served.get("/api/pieces")["pieces"] == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://"])
def test_a_page_of_another_origin_cannot_open_the_socket(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, served.window(served.new_piece(), origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_name_that_leads_here_by_somebody_elses_dns_is_refused(served: Served) -> None:
    piece = served.new_piece()
    raw = socket.create_connection(("127.0.0.1", served.port))
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://evil.example:{served.port}/api/pieces/{piece}/socket", sock=raw)
    assert refused.value.response.status_code == 403


def test_our_own_page_is_let_in_by_each_of_its_names(served: Served) -> None:
    for name in ("127.0.0.1", "localhost"):
        origin = f"http://{name}:{served.port}"
        assert status(served, "/api/health", host=origin.removeprefix("http://"), origin=origin) == 200
        with served.window(served.new_piece(), origin=origin) as window:
            assert window.welcome["type"] == "welcome"


def test_a_link_from_elsewhere_may_lead_to_the_page_but_not_into_it(served: Served) -> None:
    visit: dict[str, Any] = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert status(served, "/", **visit) != 403
    assert status(served, "/api/pieces", **visit) == 403


def test_every_answer_forbids_what_the_page_does_not_need(served: Served) -> None:
    for path in ("/api/health", "/nothing", "/"):
        _, headers, _ = ask_http(served, path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_the_server_listens_to_this_machine_only(served: Served) -> None:
    taken = listen(0)
    with taken:
        assert taken.getsockname()[0] == "127.0.0.1"


# What is too much


def test_the_first_message_must_be_hello(served: Served) -> None:
    piece = served.new_piece()
    said = {
        "hello_first": {"type": "tempo", "id": "a", "bpm": 90},
        "wrong_protocol": hello(wire.PROTOCOL + 1),
        "bad_message": {},
    }
    for code, message in said.items():
        with connect(f"ws://127.0.0.1:{served.port}/api/pieces/{piece}/socket") as line:
            line.send(json.dumps(message))
            assert json.loads(line.recv(PATIENCE))["code"] == code


def hello(protocol: int) -> dict[str, Any]:
    return {"type": "hello", "protocol": protocol, "seen": None}


def test_hello_is_said_once(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        window.say(**hello(wire.PROTOCOL))
        assert window.until(lambda message: message["type"] == "error")["code"] == "hello_first"


def test_a_message_that_is_too_large_is_answered_and_one_far_too_large_ends_the_connection(served: Served) -> None:
    with served.window(served.new_piece()) as window:
        window.socket.send('"' + "x" * MAX_MESSAGE + '"')
        assert window.until(lambda message: message["type"] == "error")["code"] == "too_large"
        assert window.ask("tempo", bpm=90)["type"] == "done"
        window.socket.send("x" * 2**21)
        with pytest.raises(ConnectionClosed) as closed:
            window.until(lambda message: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_window_that_talks_too_fast_is_told_so_and_in_the_end_shown_out(served: Served, monkeypatch) -> None:
    monkeypatch.setattr(server, "PER_SECOND", 0)  # as if all were said in an instant, also where a machine is slow
    with served.window(served.new_piece()) as window, served.window(served.new_piece()) as other:
        for _ in range(150):
            window.socket.send("{}")
        assert window.until(lambda message: message.get("code") == "too_many_messages")
        assert other.ask("tempo", bpm=90)["type"] == "done"
        with suppress(ConnectionClosed):
            for _ in range(2 * server.PATIENCE):
                window.socket.send("{}")
        with pytest.raises(ConnectionClosed):
            window.until(lambda message: False)


def test_there_are_only_so_many_windows(served: Served, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.server.MAX_WINDOWS", 2)
    piece = served.new_piece()
    with served.window(piece), served.window(piece) as second:
        with served.window(piece) as third:
            assert third.welcome["code"] == "too_many_windows"
        assert second.ask("tempo", bpm=90)["type"] == "done"


def test_there_are_only_so_many_pieces_open(served: Served, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.pieces.MAX_OPEN", 1)
    first, second = served.new_piece(), served.new_piece()
    with served.window(first), served.window(second) as window:
        assert window.welcome["code"] == "too_many_pieces"
    with served.window(second) as window:  # the first one has no window any more
        assert window.welcome["type"] == "welcome"


def test_there_are_only_so_many_notes(served: Served, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.composition.MAX_NOTES", 3)
    with served.window(served.new_piece()) as window:
        many = [{"onset": step, "pitch": 60, "duration": 1} for step in range(4)]
        assert window.ask("edit", add=many)["code"] == "too_many_notes"
        assert window.ask("edit", add=many[:3])["type"] == "done"


def test_there_are_only_so_many_bars(served: Served) -> None:
    with served.window(served.new_piece(bars=200)) as window:
        assert window.ask("lengthen", bars=64)["code"] == "too_many_bars"


BAD = [
    "",
    "null",
    "[" * 5000,
    "{}",
    '{"type": "edit"}',
    '{"type": "undo", "id": "x", "batch": 1e400}',
    '{"type": "lock", "id": "x", "locked": 1}',
    "\ud7ff" * 100,
]


def nonsense(rng: random.Random) -> str | bytes:
    """A bad message: noise, or something nearly right."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(BAD)
    if kind == 1:
        return rng.randbytes(rng.randrange(60))
    if kind == 2:
        return "".join(rng.choices(string.printable, k=rng.randrange(80)))
    types = [member.__name__ for member in (wire.Edit, wire.Undo, wire.Lock, wire.SetRules, wire.Suggest, wire.Take)]
    values: list[Any] = [None, -1, 2**70, 1.5, "x", [], {}, True, [[1]], {"onset": 0}, "\0", "1", [1, 2], 5000]
    message: dict[str, Any] = {"type": rng.choice([*types, "edit", "undo", "redo", "lock", "rules", "run", "take"])}
    for name in ("id", "batch", "run", "remove", "add", "notes", "bars", "changes", "n", "suggestion", "seen", "more"):
        if rng.random() < 0.3:
            message[name] = rng.choice(values)
    message["certainly_wrong"] = 0
    return json.dumps(message)


def test_bad_messages_harm_nobody(served: Served, monkeypatch) -> None:
    monkeypatch.setattr("ripieno.studio.server.PER_SECOND", 10**6)
    monkeypatch.setattr("ripieno.studio.server.BURST", 10**6)
    rng = random.Random(1)
    with served.window(served.new_piece()) as window, served.window(served.new_piece()) as other:
        for _ in range(600):
            window.socket.send(nonsense(rng))
        for _ in range(600):
            assert window.until(lambda message: message["type"] != "voices")["code"] == "bad_message"
        assert window.ask("tempo", bpm=90)["seq"] == 1
        assert other.ask("tempo", bpm=90)["seq"] == 1
        assert [message["type"] for message in other.heard if message["type"] == "error"] == []


def test_a_window_that_vanishes_leaves_nothing_behind(served: Served) -> None:
    piece = served.new_piece()
    for _ in range(5):
        with served.window(piece) as window:
            window.socket.socket.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + PATIENCE
    while served.studio.n_windows and time.monotonic() < deadline:
        time.sleep(0.05)
    assert served.studio.n_windows == 0


# How it is started


def test_a_port_in_use_is_named_and_another_one_offered() -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=rf"port {port} is in use.*try --port \d+"):
            listen(port)


def test_the_studio_begins_with_the_example_then_with_what_was_done_last(tmp_path: Path, monkeypatch) -> None:
    studio = open_studio(None, tmp_path)
    with serving(studio) as served:
        (only,) = served.get("/api/pieces")["pieces"]
        assert served.get("/api/pieces")["current"] == only["id"]
        assert only["name"] == "Old Hundredth"
        begun = served.new_piece()
    studio.store.close()
    again = open_studio(None, tmp_path)
    assert again.current == begun
    again.store.close()
    named = open_studio(EXAMPLES / "old-hundredth.mid", tmp_path)  # opened before: it goes on
    assert named.current == only["id"]
    named.store.close()


@pytest.mark.parametrize("bad", ["missing.mid", "folder", "text.mid"])
def test_a_file_that_cannot_be_opened_is_said_before_the_server_starts(tmp_path: Path, bad: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mid").write_text("no music")
    with pytest.raises(BadInput, match=bad):
        open_studio(tmp_path / bad, tmp_path / "pieces")


def test_a_model_that_cannot_be_loaded_is_said_to_whoever_asks(store: Store) -> None:
    def fails() -> Model:
        raise BadInput("model x.onnx is damaged")

    with serving(Studio(store, fails)) as served:
        health = served.get("/api/health")
        while health["model"] == "loading":
            health = served.get("/api/health")
        assert (health["model"], health["text"]) == ("missing", "model x.onnx is damaged")
        kind, _, answer = ask_http(served, "/api/pieces", "POST", b"{}", content_type="application/json")
        assert (kind, wire.Problem.model_validate_json(answer).code) == (503, "not_ready")


def test_windows_may_talk_at_the_same_time(served: Served) -> None:
    """Many windows draw at once on one piece; each entry has its own number and nothing is lost."""
    piece = served.new_piece(bars=8)
    failures: list[str] = []

    def draw(pitch: int) -> None:
        with served.window(piece) as window:
            for step in range(0, 40, 2):
                answer = window.ask("edit", add=[{"onset": step, "pitch": pitch, "duration": 1}])
                if answer["type"] != "done":
                    failures.append(str(answer))

    threads = [threading.Thread(target=draw, args=(pitch,)) for pitch in range(60, 64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with served.window(piece) as window:
        assert window.welcome["seq"] == 80
        assert len(window.welcome["state"]["notes"]) == 80
