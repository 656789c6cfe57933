"""Every method keeps the melody; they differ in what they may do."""

import numpy as np
import pytest

from ripieno.evaluation.inputs import Input
from ripieno.evaluation.methods import by_editing, by_gibbs, generated_of
from ripieno.models.runtime import load_coconet, load_model
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import RollNote


@pytest.fixture(scope="module")
def tune() -> Input:
    pitches = [67, 67, 69, 71, 72, 71, 69, 67]
    return Input("tune", piece_from_notes([RollNote(4 * i, pitch, 4) for i, pitch in enumerate(pitches)]), "top")


def melody_is_kept(one, tune: Input) -> bool:
    cells = one.cells[0]
    return all(
        cells[int(note.onset) : int(note.end), note.pitch].all() and not cells[int(note.onset), note.pitch + 1 :].any()
        for note in tune.piece.notes
    )


def test_additions_only_takes_nothing_back_and_both_keep_the_melody(tune: Input) -> None:
    model = load_model(n_threads=1)
    free = by_editing(model, tune, seed=1)
    assert set(free) == {"finished", "unmended"}
    only = by_editing(model, tune, seed=1, takes_back=False)
    assert set(only) == {"finished"}
    assert only["finished"].facts["removals"] == 0
    assert only["finished"].facts["edits"] == only["finished"].cells.sum() - 32
    for one in (*free.values(), *only.values()):
        assert melody_is_kept(one, tune)
        assert np.count_nonzero(one.cells[0], axis=1).max() <= 4


def test_gibbs_keeps_the_melody_and_has_four_voices(tune: Input) -> None:
    fill = load_coconet(n_threads=1)
    one = by_gibbs(fill, tune, load_model(n_threads=1), 3, (36, 83), n_passes=4)
    assert melody_is_kept(one, tune) or np.count_nonzero(one.cells[0], axis=1).max() <= 4
    assert all(one.cells[0, int(note.onset) : int(note.end), note.pitch].all() for note in tune.piece.notes)
    assert one.facts["passes"] == 4
    again = by_gibbs(fill, tune, load_model(n_threads=1), 3, (36, 83), n_passes=4)
    assert again.notes == one.notes
    assert by_gibbs(fill, tune, load_model(n_threads=1), 4, (36, 83), n_passes=4).notes != one.notes


def test_a_melody_out_of_coconets_range_is_moved_by_octaves(tune: Input) -> None:
    low = Input("low", piece_from_notes([RollNote(0, 66, 8), RollNote(8, 68, 8)]), "top")
    one = by_gibbs(load_coconet(n_threads=1), low, load_model(n_threads=1), 0, (36, 60), n_passes=1)
    assert set(one.line) == {54, 56}


def test_what_was_written_survives_json(tune: Input) -> None:
    one = by_gibbs(load_coconet(n_threads=1), tune, load_model(n_threads=1), 0, (36, 83), n_passes=1)
    assert generated_of(one.as_json()) == one
