"""The same request is the same music at every door: command line, Python, a folder of many, and the studio's socket.

A request is a file and options, and is made with three seeds. A model of whole numbers composes them, a few the
bundled one.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ripieno
from ripieno import cli
from ripieno.batch import DONE, harmonize_files
from ripieno.files.midi import write_midi
from ripieno.files.musicxml.write import write_musicxml
from ripieno.models.runtime import Model, load_model
from ripieno.music.chords import parse_chart, place_chart
from ripieno.music.piece import Key, Part, Piece, Revision, piece_from_notes
from ripieno.music.roll import RollNote
from ripieno.options import Options, abouts, flag_of
from ripieno.studio.server import Studio
from ripieno.studio.store import Store
from tests.sampling.fakes import consonant, model_of
from tests.studio.conftest import Served, serving

TUNE = [(67, 2), (71, 2), (74, 4), (72, 2), (71, 2), (69, 4), (67, 2), (69, 2), (71, 2), (66, 2), (67, 8)]
BASS = (43, 48, 50, 43)  # a bar each
N_STEPS, A_BAR, METER = 32, 8, (2, 4)


def tune(lower: int = 0) -> list[RollNote]:
    notes, at = [], 0
    for pitch, length in TUNE:
        notes.append(RollNote(at, pitch - lower, length))
        at += length
    return notes


def a_piece(what: str) -> Piece:
    """A tune of four bars: alone, its first half, repeated notes in it, high, low, or over a bass as high as said."""
    piece = piece_from_notes(tune({"low": 12, "high": -24}.get(what, 0)), meter=METER, bpm=100, name="Tune")
    if what == "half":
        piece = replace(piece, notes=tuple(note for note in piece.notes if note.onset < N_STEPS // 2))
    if what == "repeated":
        piece = piece_from_notes(
            [RollNote(one.onset + at, one.pitch, 2) for one in tune() for at in range(0, one.duration, 2)], meter=METER
        )
    if what.startswith("bass"):
        lift = int(what.removeprefix("bass"))
        under = [RollNote(at, pitch + lift, A_BAR) for at, pitch in zip(range(0, N_STEPS, A_BAR), BASS, strict=True)]
        bass = piece_from_notes(under, meter=METER).notes
        own = [replace(note, id=len(piece.notes) + note.id, part=1) for note in bass]
        parts = (replace(piece.parts[0], name="Melody"), Part(name="Bass", channel=1, track=1))
        piece = replace(piece, notes=(*piece.notes, *own), parts=parts)
    if what == "chords":
        spans = [(Fraction(bar), Fraction(bar + A_BAR), Fraction(4)) for bar in range(0, N_STEPS, A_BAR)]
        chords = tuple(place_chart(parse_chart("C | Em | Am | C"), spans))
        key = Key(step=Fraction(0), tonic=0, mode="major", n_sharps=0)
        piece = replace(piece, chords=chords, keys=(key,))
    return piece


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "top": ("tune", {}),
    "bass": ("low", {"melody": "bass"}),
    "inner": ("tune", {"melody": "inner"}),
    "track": ("bass0", {"melody": "Melody"}),
    "repeated notes": ("repeated", {}),
    "repeated notes, inner": ("repeated", {"melody": "inner"}),
    "moved for the model": ("high", {}),
    "another octave as a bass": ("tune", {"melody": "bass"}),
    "a given bass": ("bass0", {}),
    "a given bass, lifted by a fifth": ("bass7", {}),
    "a given bass, lifted by an octave": ("bass12", {}),
    "chord symbols": ("chords", {}),
    "chord symbols not followed": ("chords", {"chords": "none"}),
    "chart": ("tune", {"chords": "G | C D7 | Em C/E | G"}),
    "locks": ("tune", {"lock": ((2, 2), (4, 4))}),
    "selection": ("tune", {"bars": (2, 3)}),
    "range": ("tune", {"pitches": (48, 64)}),
    "open range": ("tune", {"pitches": (50, None)}),
    "additions": ("tune", {"max_additions": 6}),
    "removals": ("tune", {"max_removals": 2}),
    "a share of removals": ("bass0", {"max_removals": 0.25}),
    "two voices": ("tune", {"n_voices": 2}),
    "three voices": ("tune", {"n_voices": 3}),
    "exact": ("half", {"quality": "exact"}),
    "fast": ("tune", {"quality": "fast"}),
    "lossless": ("half", {"quality": "lossless"}),
    "iterations": ("tune", {"iterations": 20}),
    "key, parallels": ("tune", {"key": "G minor", "mend": "parallels"}),
    "meter, pickup": ("tune", {"meter": "3/4", "pickup": 1.0}),
    "temperature": ("tune", {"temperature": 1.2, "mend": "nothing"}),
    "ensemble, parts": ("tune", {"ensemble": "strings", "n_parts": 2, "bpm": 72.0}),
}
SEEDS = (0, 1, 2)
Notes = set[tuple[Fraction, int, Fraction]]
Door = Callable[[Path, dict[str, Any], Model, Path], Notes]


def written(what: str, folder: Path) -> Path:
    """The request's file: a score where it names chords, which MIDI cannot hold."""
    piece = a_piece(what)
    path = folder / ("tune.musicxml" if piece.chords else "tune.mid")
    if piece.chords:
        write_musicxml(piece, path, Revision(), [])
    else:
        write_midi(piece, path, Revision(), [])
    return path


def heard(path: Path) -> Notes:
    """All notes of a file, each place and pitch with its longest note: voices may share one."""
    longest: dict[tuple[Fraction, int], Fraction] = {}
    for note in ripieno.read(path).notes:
        here = note.onset, note.pitch
        longest[here] = max(longest.get(here, Fraction(0)), note.duration)
    return {(onset, pitch, length) for (onset, pitch), length in longest.items()}


def by_python(path: Path, options: dict[str, Any], model: Model, folder: Path) -> Notes:
    session = ripieno.harmonize(path, model=model, **options)
    session.save(folder / f"python{path.suffix}")
    return heard(folder / f"python{path.suffix}")


def by_command_line(path: Path, options: dict[str, Any], model: Model, folder: Path) -> Notes:
    def said(name: str, value: Any) -> list[str]:
        if name == "lock":
            return [word for first, last in value for word in ("--lock", f"{first}-{last}")]
        if name == "bars":
            return ["--bars", f"{value[0]}-{value[1]}"]
        if name == "pitches":
            names = {48: "C3", 50: "D3", 64: "E4", None: ""}
            return ["--range", f"{names[value[0]]}-{names[value[1]]}"]
        if isinstance(value, float) and name == "max_removals":
            return ["--max-removals", f"{100 * value:g}%"]
        return [flag_of(name), str(value)]

    target = folder / f"line{path.suffix}"
    words = [word for name, value in options.items() for word in said(name, value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["ripieno", "harmonize", str(path), "-o", str(target), *words])
        patch.setattr("ripieno.models.runtime.load_model", lambda *_, **__: model)
        with contextlib.suppress(SystemExit):
            cli.main()
    return heard(target)


def by_batch(path: Path, options: dict[str, Any], model: Model, folder: Path) -> Notes:
    steps = list(harmonize_files([path], folder / "many", model, Options(**options)))
    assert steps[-1].outcome == DONE, steps[-1].said
    return heard(folder / "many" / path.name)


def by_socket(path: Path, options: dict[str, Any], model: Model, folder: Path) -> Notes:
    with studio_of(model) as served:
        return through(served, path, options, folder)


@contextlib.contextmanager
def studio_of(model: Model) -> Iterator[Served]:
    store = Store(":memory:")
    with serving(Studio(store, lambda: model)) as served:
        yield served
    store.close()


def through(served: Served, path: Path, options: dict[str, Any], folder: Path) -> Notes:
    """What the studio makes of a request, by its socket."""
    piece = served.post(f"/api/pieces/import?name={path.name}", path.read_bytes())["piece"]["id"]
    with served.window(piece) as window:
        rules = {name: value for name, value in options.items() if abouts()[name].by == "rules"}
        if rules:
            assert window.ask("rules", changes=rules)["type"] == "done"
        for first, last in options.get("lock", ()):
            assert window.ask("lock", locked=True, bars=list(range(first, last + 1)))["type"] == "done"
        if "bpm" in options:
            assert window.ask("tempo", bpm=options["bpm"])["type"] == "done"
        run = {name: options[name] for name in ("bars", "iterations") if name in options}
        assert window.ask("run", **run)["type"] == "done"
        window.find(lambda one: one["type"] == "running" and one["run"]["state"] in ("finished", "nothing"))
    form = path.suffix.removeprefix(".")
    (folder / f"studio.{form}").write_bytes(served.download(f"/api/pieces/{piece}/export/{form}"))
    return heard(folder / f"studio.{form}")


DOORS: dict[str, Door] = {"command line": by_command_line, "batch": by_batch, "socket": by_socket}


@pytest.fixture(scope="module")
def whole_numbers() -> Model:
    return model_of(consonant)


@pytest.fixture(scope="module")
def studio(whole_numbers: Model) -> Iterator[Served]:
    with studio_of(whole_numbers) as served:
        yield served


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_every_door_gives_the_same_music(
    request_: str, seed: int, whole_numbers: Model, studio: Served, tmp_path: Path
) -> None:
    what, options = REQUESTS[request_]
    options = {**options, "seed": seed}
    path = written(what, tmp_path)
    wanted = by_python(path, options, whole_numbers, tmp_path)
    assert len(wanted) > len(ripieno.read(path).notes)
    assert by_command_line(path, options, whole_numbers, tmp_path) == wanted
    assert by_batch(path, options, whole_numbers, tmp_path) == wanted
    assert through(studio, path, options, tmp_path) == wanted


@pytest.mark.parametrize(
    "request_", ["top", "a given bass, lifted by an octave", "chord symbols", "another octave as a bass"]
)
def test_the_bundled_model_writes_the_same_at_every_door(request_: str, tmp_path: Path) -> None:
    what, options = REQUESTS[request_]
    path, model = written(what, tmp_path), load_model()
    wanted = by_python(path, options, model, tmp_path)
    for name, door in DOORS.items():
        assert door(path, options, model, tmp_path) == wanted, name


@pytest.mark.parametrize("lift", [7, 12])
def test_nothing_lies_under_a_given_bass_in_the_studio_either(lift: int, whole_numbers: Model, tmp_path: Path) -> None:
    path = written(f"bass{lift}", tmp_path)
    lowest = np.repeat(np.array(BASS) + lift, A_BAR)
    own = {(note.onset, note.pitch) for note in ripieno.read(path).notes}
    new = [one for one in by_socket(path, {}, whole_numbers, tmp_path) if one[:2] not in own]
    assert new
    assert all(pitch > lowest[int(onset)] for onset, pitch, _ in new)
