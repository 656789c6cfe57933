"""The proof-reader finds what a teacher would mark, says what to do, and lets Bach pass."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ripieno.checking import (
    COLOURS,
    WRONG_NOTE,
    Remark,
    check,
    check_score_target,
    write_proof,
)
from ripieno.errors import BadInput
from ripieno.files.corpus import read_jsb
from ripieno.files.reader import read as read_file
from ripieno.models.runtime import load_coconet, load_model
from ripieno.music.part_writing import LEVELS
from ripieno.music.piece import Piece
from tests.files.scores import attributes, note, score
from tests.music.test_singers import piece_of

# I - V7 - I in C major, four quarters of each voice
CADENCE = {
    "Soprano": [(72, 0, 4), (71, 4, 4), (72, 8, 8)],
    "Alto": [(67, 0, 4), (65, 4, 4), (64, 8, 8)],
    "Tenor": [(64, 0, 4), (62, 4, 4), (60, 8, 8)],
    "Bass": [(48, 0, 4), (55, 4, 4), (48, 8, 8)],
}


@pytest.fixture(scope="module")
def models():
    return {"model": load_model(n_threads=1), "fill": load_coconet(n_threads=1)}


def rules_of(piece: Piece, level="warning", **options) -> list[str]:
    return [remark.rule for remark in check(piece, rules_only=True, key="C", **options).of_level(level)]


def with_voice(name: str, *notes: tuple[int, int, int]) -> Piece:
    return piece_of({**CADENCE, name: list(notes)})


def test_a_plain_cadence_is_faultless() -> None:
    assert rules_of(piece_of(CADENCE)) == []


def test_parallels_are_errors_that_name_bar_beat_and_voices() -> None:
    piece = with_voice("Tenor", (55, 0, 4), (62, 4, 4), (55, 8, 8))
    (remark,) = [r for r in check(piece, rules_only=True, key="C").of_level("error") if r.rule == "parallel fifths"][:1]
    assert (remark.bar, remark.beat, remark.voices) == (1, 2, ("Tenor", "Bass"))
    assert "Tenor and bass move in parallel fifths" in remark.text
    assert [piece.notes[i].pitch for i in remark.notes] == [62, 55]
    assert remark.line().startswith("bar 1, beat 2: error: ")


def test_a_seventh_that_rises_is_an_error_even_where_the_third_is_lost_by_it() -> None:
    assert "unresolved seventh" in rules_of(with_voice("Alto", (67, 0, 4), (65, 4, 4), (67, 8, 8)), "error")


def test_a_leading_note_that_falls_is_an_error_even_where_the_tonic_is_lost_by_it() -> None:
    piece = piece_of(
        {
            **CADENCE,
            "Soprano": [(72, 0, 4), (71, 4, 4), (67, 8, 8)],
            "Bass": [(48, 0, 4), (55, 4, 4), (52, 8, 8)],
            "Tenor": [(64, 0, 4), (62, 4, 4), (64, 8, 8)],
        }
    )
    assert "unresolved leading note" in rules_of(piece, "error")


@pytest.mark.parametrize(("pitch", "level"), [(80, "warning"), (81, "warning"), (82, "error"), (90, "error")])
def test_a_note_far_out_of_its_range_is_worse_than_one_just_outside(pitch: int, level: str) -> None:
    piece = with_voice("Soprano", (72, 0, 4), (pitch, 4, 4), (72, 8, 8))
    assert [r.level for r in check(piece, rules_only=True, key="C").remarks if r.rule == "range"] == [level]


def test_a_melody_alone_is_not_measured_as_a_soprano() -> None:
    assert "range" not in rules_of(piece_of({"Flute": [(90, 0, 4), (91, 4, 4)]}), "style")


def test_the_model_hears_a_wrong_note_and_says_what_to_write(models) -> None:
    notes = [
        (72, 0, 4),
        (71, 4, 4),
        (72, 8, 4),
        (74, 12, 4),
        (76, 16, 4),
        (74, 20, 4),
        (73, 24, 2),
        (71, 26, 2),
        (72, 28, 4),
    ]
    piece = piece_of(
        {
            "Soprano": notes,
            "Alto": [(67, 0, 8), (64, 8, 4), (67, 12, 12), (65, 24, 4), (64, 28, 4)],
            "Tenor": [(64, 0, 4), (62, 4, 4), (60, 8, 4), (59, 12, 4), (60, 16, 4), (62, 20, 8), (60, 28, 4)],
            "Bass": [
                (48, 0, 4),
                (55, 4, 4),
                (57, 8, 4),
                (55, 12, 4),
                (48, 16, 4),
                (47, 20, 4),
                (43, 24, 4),
                (48, 28, 4),
            ],
        }
    )
    remarks = [r for r in check(piece, key="C", **models).remarks if r.rule == WRONG_NOTE]
    (remark,) = [r for r in remarks if piece.notes[r.notes[0]].pitch == 73]
    assert remark.voices == ("Soprano",)
    assert remark.sure is not None
    assert remark.sure > 0.5
    assert remark.instead in {f"{name} in the soprano" for name in ("B4", "C5", "D5")}


def test_a_remedy_makes_less_wrong(models) -> None:
    piece = with_voice("Tenor", (55, 0, 4), (62, 4, 4), (55, 8, 8))
    remarks = [r for r in check(piece, key="C", **models).of_level("error") if r.rule == "parallel fifths"]
    assert remarks
    assert any(remark.instead for remark in remarks)


def test_levels_hold_what_is_graver_too_and_the_summary_says_what_is_left() -> None:
    proof = check(with_voice("Soprano", (60, 0, 4), (71, 4, 4), (82, 8, 8)), rules_only=True, key="C")
    n = [len(proof.of_level(level)) for level in LEVELS]
    assert n == sorted(n)
    assert n[0] < n[2]
    assert sum(proof.counts().values()) == n[2]
    assert f"{n[2] - n[0]} more with --level warnings" in proof.summary("error")
    assert "more" not in proof.summary("style")


def test_a_report_for_programs_is_plain_json() -> None:
    proof = check(with_voice("Tenor", (55, 0, 4), (62, 4, 4), (55, 8, 8)), rules_only=True, key="C")
    report = json.loads(json.dumps(proof.to_json("error")))
    assert report["voices"] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert report["counts"]["error"] == len(report["remarks"]) > 0
    assert {"level", "rule", "bar", "beat", "voices", "text", "remedy", "sure", "instead", "notes"} == set(
        report["remarks"][0]
    )


def four_parts(*, fermata: bool = False) -> str:
    """G over C to A over D in fifths, between soprano and bass, with a fermata on the first chord or not."""
    pause = "<notations><fermata/></notations>" if fermata else ""
    lines = (("G5", "A5"), ("C5", "D5"), ("E4", "F4"), ("C3", "D3"))
    parts = [[attributes() + note(a, 2, "half", pause) + note(b, 2, "half")] for a, b in lines]
    return score(*parts, names=("Soprano", "Alto", "Tenor", "Bass"))


def read(text: str, tmp_path: Path) -> Piece:
    from ripieno.files.reader import read as read_file

    (tmp_path / "x.musicxml").write_text(text)
    return read_file(tmp_path / "x.musicxml")


def test_a_fermata_excuses_what_crosses_it(tmp_path: Path) -> None:
    assert "parallel fifths" in rules_of(read(four_parts(), tmp_path), "error")
    assert "parallel fifths" not in rules_of(read(four_parts(fermata=True), tmp_path), "warning")
    excused = check(read(four_parts(fermata=True), tmp_path), rules_only=True, key="C").of_level("style")
    assert any("excused: phrase end" in remark.text for remark in excused)


def test_a_phrase_that_is_said_to_end_excuses_like_a_fermata_and_none_undoes_one(tmp_path: Path) -> None:
    plain, marked = (read(four_parts(fermata=fermata), tmp_path) for fermata in (False, True))
    said = check(plain, rules_only=True, key="C", phrases="1:1")
    assert "parallel fifths" not in {remark.rule for remark in said.of_level("warning")}
    assert "parallel fifths" in {
        remark.rule for remark in check(marked, rules_only=True, key="C", phrases="none").of_level("error")
    }


@pytest.mark.parametrize(
    ("voices", "instead", "label"),
    [
        (("Tenor", "Bass"), "G2 in the bass on bar 1, beat 2", "parallel fifths, tenor and bass (bass: G2?)"),
        (("Tenor", "Bass"), None, "parallel fifths, tenor and bass"),
        (("Alto",), "F#4 in the alto", "parallel fifths (F#4?)"),
        (("Alto",), "C3 in the bass", "parallel fifths (bass: C3?)"),
        ((), None, "parallel fifths"),
    ],
)
def test_a_mark_says_between_which_voices_and_whose_note_is_another(voices, instead, label) -> None:
    remark = Remark("error", "parallel fifths", 1, 1.0, voices, "", "", None, instead, (), 0)
    assert remark.label() == label


def test_a_marked_copy_is_the_students_own_score_with_colours_and_words(tmp_path: Path) -> None:
    piece = read(four_parts(), tmp_path)
    proof = check(piece, rules_only=True, key="C")
    write_proof(proof, tmp_path / "marked.musicxml", "error")
    marked = (tmp_path / "marked.musicxml").read_text()
    assert COLOURS["error"] in marked
    assert "parallel fifths" in marked
    plain = re.sub(r"<direction placement=.*?</direction>\s*", "", marked, flags=re.DOTALL)
    assert re.sub(r' color="#\w+"', "", plain).split() == four_parts().split()
    again = check(read(marked, tmp_path), rules_only=True, key="C")
    assert [r.line() for r in again.remarks] == [r.line() for r in proof.remarks]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_marked_copy_can_be_printed(encoding: str, tmp_path: Path) -> None:
    text = re.sub(r"^\s*<\?xml.*?\?>", "", four_parts())
    (tmp_path / "own.musicxml").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(encoding))
    proof = check(read_file(tmp_path / "own.musicxml"), rules_only=True, key="C")
    write_proof(proof, tmp_path / "marked.svg", "error")
    page = (tmp_path / "marked.svg").read_text()
    assert COLOURS["error"].lower() in page.lower()
    assert "parallel fifths" in page
    write_proof(proof, tmp_path / "marked.pdf", "error")
    assert (tmp_path / "marked.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(BadInput, match=r"marked\.mid: a marked copy is a score"):
        check_score_target(tmp_path / "marked.mid")


def test_a_midi_exercise_is_marked_as_a_score(tmp_path: Path) -> None:
    proof = check(with_voice("Tenor", (55, 0, 4), (62, 4, 4), (55, 8, 8)), rules_only=True, as_score=True, key="C")
    write_proof(proof, tmp_path / "marked.mxl", "error")
    assert len(read_file(tmp_path / "marked.mxl").notes) == 12


@pytest.mark.corpus
def test_bach_draws_few_remarks(data_folder: Path, models) -> None:
    """The bars of issue 6 on a few chorales; `python -m benchmarks.check` has them all."""
    from benchmarks.corpora import score_of

    found = [item for item in read_jsb(data_folder / "jsb" / "Jsb16thSeparated.json") if item.split == "valid"][::19]
    items = [(item.name, item.voices) for item in found if item.voices is not None]
    counts = [check(score_of(voices, name), **models).counts() for name, voices in items]
    assert np.mean([one["error"] for one in counts]) < 1.5
    assert np.mean([one["warning"] for one in counts]) < 5
