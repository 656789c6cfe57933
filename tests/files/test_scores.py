"""Scores tell what a corpus of pitches does not: fermatas, bars, keys, repeated notes."""

from pathlib import Path

import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.files.musicxml.read import read_musicxml
from ripieno.files.scores import LEAST_ALIKE, Scores, chorale_score, key_of_tune, place, settled_key
from ripieno.music.harmony import key_name, key_of

PART = """<part id="P{i}">
<measure number="0" implicit="yes"><attributes><divisions>1</divisions><key><fifths>0</fifths><mode>major</mode></key>
<time><beats>3</beats><beat-type>4</beat-type></time></attributes>{pickup}</measure>
{bars}</part>"""


def note(step: str, octave: int, fermata: bool) -> str:
    mark = "<notations><fermata/></notations>" if fermata else ""
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>1</duration><voice>1</voice><type>quarter</type>{mark}</note>"


def a_score(path: Path, n_parts: int = 4) -> Path:
    """In A minor, though it says C major: a pickup, then bars of three quarters, the first two notes of each alike."""
    parts = []
    for i in range(n_parts):
        octave = 5 - i
        lines = ["AAB", "CCE", "GGA"]
        bars = ""
        for n, line in enumerate(lines):
            notes = "".join(note(step, octave, k == 2 and n > 0) for k, step in enumerate(line))
            bars += f'<measure number="{n + 1}">{notes}</measure>'
        parts.append(PART.format(i=i, pickup=note("E", octave, False), bars=bars))
    names = "".join(f'<score-part id="P{i}"><part-name>{i}</part-name></score-part>' for i in range(n_parts))
    path.write_text(
        f'<?xml version="1.0"?><score-partwise version="4.0"><part-list>{names}</part-list>{"".join(parts)}'
        "</score-partwise>"
    )
    return path


def test_a_score_says_its_bars_fermatas_key_and_repeated_notes(tmp_path: Path) -> None:
    score = chorale_score(read_musicxml(a_score(tmp_path / "a.musicxml")), "a")
    assert score.voices[::4, 0].tolist() == [76, 81, 81, 83, 72, 72, 76, 79, 79, 81]
    assert np.flatnonzero(score.onsets[:, 0]).tolist() == list(range(0, 40, 4))
    assert score.outline.bar_step[:8].tolist() == [8, 9, 10, 11, 0, 1, 2, 3]
    assert np.flatnonzero(score.outline.rests == 1).tolist() == [*range(24, 28), *range(36, 40)]
    assert (score.outline.tonic[0], score.outline.minor[0]) == (9, 1)


def test_a_chorale_finds_its_score_though_repeats_are_written_out(tmp_path: Path) -> None:
    a_score(tmp_path / "a.musicxml")
    a_score(tmp_path / "trio.musicxml", n_parts=3)
    scores = Scores(tmp_path)
    voices = chorale_score(read_musicxml(tmp_path / "a.musicxml"), "a").voices
    twice = np.concatenate([voices, voices[4:]])
    placed = scores.find(twice)
    assert placed is not None
    assert placed.name == "a.musicxml"
    assert placed.alike == 1.0
    assert placed.outline.bar_step[40:44].tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(placed.onsets[:, 0]).tolist() == list(range(0, 76, 4))
    assert scores.find(twice + 1) is None  # another piece: scores are looked for as they are written
    assert place(twice[:, ::-1], scores._scores[0]).alike < LEAST_ALIKE


def test_a_folder_without_scores_is_refused(tmp_path: Path) -> None:
    a_score(tmp_path / "trio.musicxml", n_parts=3)
    with pytest.raises(BadInput, match="no four-part scores"):
        Scores(tmp_path)


def test_the_key_of_a_signature_is_the_one_that_the_piece_closes_on() -> None:
    bass = np.array([[48], [45]])
    assert key_name(settled_key((key_of(0, "major"),), bass)) == "A minor"
    assert key_name(settled_key((key_of(9, "minor"),), bass[:1])) == "C major"
    assert key_name(settled_key((key_of(0, "major"),), bass[:1] + 2)) == "C major"  # it stays open


def test_a_tunes_key_is_guessed_of_its_notes() -> None:
    scale = np.array([67, 69, 71, 72, 74, 76, 78, 79, -1])
    key = key_of_tune(scale)
    assert key is not None
    assert key_name(key) == "G major"
    assert key_of_tune(np.array([-1, -1])) is None
