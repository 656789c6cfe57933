"""Notes that are a semitone or a sixteenth off are put right; the others are left as they are."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest

from ripieno.errors import BadInput
from ripieno.files.midi import read_midi, write_midi
from ripieno.fixing import (
    SURE,
    Candidate,
    Correction,
    Fixed,
    _class_fits,
    _revision,
    _Tune,
    _weights,
    candidates,
    check_music_target,
    fix,
    rated,
    write_fixed,
)
from ripieno.models.runtime import load_coconet, load_model
from ripieno.music.piece import Piece, Span, piece_from_notes
from ripieno.music.roll import RollNote, VoiceNote
from tests.files.scores import attributes, note, score

# Old Hundredth, in G
TUNE = (67, 67, 66, 64, 62, 67, 69, 71, 71, 71, 71, 69, 67, 72, 71, 69, 67, 69, 71, 69, 67, 64, 66, 67)
LENGTHS = (4,) * 7 + (8,) + (4,) * 7 + (8,) + (4,) * 7 + (8,)


@pytest.fixture(scope="module")
def models():
    return {"model": load_model(n_threads=1), "fill": load_coconet(n_threads=1)}


def tune(changes: dict[int, int] | None = None) -> Piece:
    onset, notes = 0, []
    for i, (pitch, length) in enumerate(zip(TUNE, LENGTHS, strict=True)):
        notes.append(RollNote(onset, pitch + (changes or {}).get(i, 0), length))
        onset += length
    return piece_from_notes(notes, bpm=90, meter=(4, 4))


def late(piece: Piece, number: int, by: int) -> Piece:
    """A note moved, at the cost of the neighbour that it runs into."""
    notes = list(piece.notes)
    moved = replace(notes[number], onset=notes[number].onset + by)
    other = number + by
    if by > 0:
        notes[other] = replace(notes[other], onset=moved.end, duration=notes[other].end - moved.end)
    else:
        notes[other] = replace(notes[other], duration=moved.onset - notes[other].onset)
    notes[number] = moved
    return replace(piece, notes=tuple(notes))


def test_a_melody_without_faults_is_left_alone(models) -> None:
    fixed = fix(tune(), **models)
    assert fixed.corrections == ()
    assert fixed.piece == tune()


@pytest.mark.parametrize(("number", "by"), [(5, 1), (14, -1), (20, 1)])
def test_a_wrong_semitone_is_found_and_mended(number: int, by: int, models) -> None:
    fixed = fix(tune({number: by}), **models)
    assert fixed.piece.notes == tune().notes
    (correction,) = fixed.corrections
    assert (correction.note, correction.kind, correction.by) == (number, "pitch", -by)
    assert correction.place in correction.text
    assert "becomes" in correction.text
    assert f"{correction.sure:.0%} sure" in correction.text


@pytest.mark.parametrize(("number", "by"), [(5, 1), (12, -1)])
def test_a_note_beside_the_beat_is_put_on_it_and_its_neighbour_gets_its_time_back(number: int, by: int, models) -> None:
    fixed = fix(late(tune(), number, by), **models)
    assert [(n.pitch, n.onset) for n in fixed.piece.notes] == [(n.pitch, n.onset) for n in tune().notes]
    assert "a sixteenth" in fixed.corrections[0].text


def test_no_more_is_changed_than_allowed(models) -> None:
    hurt = tune({5: 1, 14: -1, 20: 1})
    assert len(fix(hurt, **models).corrections) == 3
    few = fix(hurt, most=1, **models)
    assert len(few.corrections) == 1
    assert few.n_further >= 1
    assert "higher --max-changes" in few.summary()
    assert fix(hurt, most=0.05, **models).corrections == few.corrections  # 0.05 of 24 is one
    assert fix(hurt, most=0, **models).corrections == ()


def test_only_the_bars_asked_for_are_mended(models) -> None:
    assert [one.note for one in fix(tune({5: 1, 20: 1}), bars=(1, 2), **models).corrections] == [5]


def test_how_sure_it_must_be_is_a_share(models) -> None:
    with pytest.raises(BadInput, match="how sure"):
        fix(tune(), sure=1.5, **models)


def test_a_mended_piece_is_music_and_nothing_else() -> None:
    check_music_target(Path("x.MID"))
    for name in ("x.png", "x.wav", "x"):
        with pytest.raises(BadInput, match="music again"):
            check_music_target(Path(name))


def test_the_help_says_how_sure_it_is_unless_told() -> None:
    from typer.testing import CliRunner

    from ripieno.cli import app

    shown = CliRunner().invoke(app, ["fix", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    assert f"({SURE:.0%})" in shown


def test_a_pitch_that_the_tune_says_elsewhere_is_borne_out() -> None:
    notes = [
        VoiceNote(0, at, at + 4, pitch)
        for at, pitch in zip(range(0, 32, 4), (60, 62, 64, 60, 60, 61, 64, 60), strict=True)
    ]
    heard = _Tune(notes).echoes(5, 62)
    assert heard == {"between": 1.0, "follows": 1.0, "leads": 1.0, "a bar away": 1.0, "repeats as others": 0.0}
    assert set(_Tune(notes).echoes(5, 63).values()) == {0.0}
    assert _Tune(notes).echoes(3, 64)["repeats as others"] == 0.0  # its own repetition is none of the others'
    assert _Tune(notes).echoes(6, 61)["repeats as others"] == 1.0


def test_a_pitch_class_of_the_key_is_likelier_than_one_beside_it() -> None:
    fits = _class_fits(np.array([4, 0, 2, 0, 3, 2, 0, 4, 0, 1, 0, 1.0]), 0)  # C major
    assert np.exp(fits).sum() == pytest.approx(1, abs=0.02)
    assert fits[[0, 2, 4, 5, 7, 9, 11]].min() > fits[[1, 3, 6, 8, 10]].max() + 1


def test_a_probability_is_a_logistic_function_of_the_features() -> None:
    weights = {"pitch": {"bias": -1.0, "in key": 3.0}, "time": {"bias": 0.0}}
    (found,) = rated([Candidate(0, "pitch", 1, {"in key": 1.0})], weights)
    assert found[1] == pytest.approx(0.8808, abs=1e-4)


def test_every_weight_that_ships_belongs_to_a_feature(models) -> None:
    from ripieno.music.singers import singers_of
    from ripieno.music.understanding import understand

    piece = tune()
    reading = understand(piece)
    for one in candidates(piece, reading, singers_of(piece, reading), *models.values()):
        assert set(_weights()[one.kind]) == {"bias", *one.features}


def test_a_midi_file_keeps_everything_but_the_notes_that_are_mended(tmp_path: Path, models) -> None:
    write_midi(late(tune({5: 1}), 12, 1), tmp_path / "hurt.mid")
    file = mido.MidiFile(tmp_path / "hurt.mid")
    file.tracks[1].insert(1, mido.Message("control_change", control=7, value=99, time=0))
    file.tracks[1].insert(2, mido.MetaMessage("lyrics", text="All", time=0))
    file.save(tmp_path / "hurt.mid")
    piece = read_midi(tmp_path / "hurt.mid")
    fixed = fix(piece, **models)
    assert write_fixed(piece, fixed, tmp_path / "mended.mid") == []
    again = read_midi(tmp_path / "mended.mid")
    assert [(n.pitch, n.onset, n.duration) for n in again.notes] == [
        (n.pitch, n.onset, n.duration) for n in fixed.piece.notes
    ]
    assert [(n.pitch, n.onset) for n in again.notes] == [(n.pitch, n.onset) for n in tune().notes]
    kinds = [m.type for m in mido.MidiFile(tmp_path / "mended.mid").tracks[1]]
    assert kinds.count("control_change") == kinds.count("lyrics") == 1


@pytest.mark.parametrize("by", [-1, 1])
def test_a_note_is_moved_to_the_very_tick(by: int, tmp_path: Path) -> None:
    from ripieno.music.piece import Revision

    write_midi(piece_from_notes([RollNote(4, 60, 1), RollNote(8, 62, 4)]), tmp_path / "x.mid")
    piece = read_midi(tmp_path / "x.mid")
    moved = Span(piece.notes[0].onset + by, piece.notes[0].end + by)
    write_midi(piece, tmp_path / "y.mid", Revision(touched={0: (moved,)}, pitches={1: 63}))
    again = read_midi(tmp_path / "y.mid")
    assert [(n.pitch, n.onset, n.duration) for n in again.notes] == [(60, 4 + by, 1), (63, 8, 4)]


def test_a_score_keeps_its_rhythm_and_gets_its_pitches_spelled(tmp_path: Path, models) -> None:
    names = {60: "C4", 62: "D4", 64: "E4", 66: "F#4", 67: "G4", 69: "A4", 71: "B4", 72: "C5", 65: "F4"}
    pitches = [*TUNE[:2], 65, *TUNE[3:8]]
    bars = [attributes(fifths=1) + "".join(note(names[p], 1, "quarter") for p in pitches[:4])]
    bars.append("".join(note(names[p], 1, "quarter") for p in pitches[4:]))
    text = score(bars)
    (tmp_path / "x.musicxml").write_text(text)
    from ripieno import read

    piece = read(tmp_path / "x.musicxml")
    correction = Correction(2, "pitch", 1, 0.9, "bar 1, beat 3", "")
    mended = replace(piece, notes=tuple(replace(n, pitch=n.pitch + (n.id == 2)) for n in piece.notes))
    fixed = Fixed(mended, fix(piece, most=0, **models).reading, (correction,), 0, _revision(piece, mended))
    assert write_fixed(piece, fixed, tmp_path / "y.musicxml") == []
    after = (tmp_path / "y.musicxml").read_text()
    assert after == text.replace(
        "<step>F</step><octave>4</octave>", "<step>F</step><alter>1</alter><octave>4</octave>"
    )  # and no accidental, for the key has it
    back = _revision(mended, piece)
    again = read(tmp_path / "y.musicxml")
    natural = replace(fixed, piece=piece, revision=back)
    write_fixed(again, natural, tmp_path / "z.musicxml")
    assert "<accidental>natural</accidental>" in (tmp_path / "z.musicxml").read_text()


def test_what_is_no_music_is_no_place_for_a_mended_piece(tmp_path: Path, models) -> None:
    piece = tune()
    with pytest.raises(BadInput, match=r"mended|piece\.mid"):
        write_fixed(piece, fix(piece, most=0, **models), tmp_path / "piece.png")


def test_a_triplet_keeps_its_exact_place(models) -> None:
    piece = tune()
    third = replace(piece.notes[3], onset=piece.notes[3].onset + Fraction(1, 3))
    piece = replace(piece, notes=tuple(third if n.id == 3 else n for n in piece.notes))
    fixed = fix(piece, **models)
    assert fixed.piece.notes[3].onset == third.onset
