"""Batches are pure functions of a configuration and a number."""

from dataclasses import replace

import numpy as np
import pytest

from ripieno.files.corpus import Item, write_prepared
from ripieno.models.context import INSIDE
from ripieno.models.unet import UNetConfig
from ripieno.music.roll import RollNote, roll_of, silence
from ripieno.training.config import DamageConfig, TrainConfig, configuration
from ripieno.training.samples import Prepared, blanks_batch, load_prepared, piece_of, training_batch, validation_set

SHAPE = UNetConfig(n_features=7, n_filters=(4, 4), lowest_pitch=40, n_pitches=32)
SMALL = TrainConfig(
    network=SHAPE,
    damage=DamageConfig(note_share=0.4, line_share=0.3, light_share=0.3, clean_share=0.3),
    n_steps=32,
    start_multiple=4,
    overhang=8,
    transpose_down=3,
    transpose_up=3,
    batch_size=16,
)


@pytest.fixture
def corpus() -> Prepared:
    notes = [RollNote(onset, 50 + onset % 12, 4) for onset in range(0, 48, 4)]
    return Prepared([piece_of("long", roll_of(notes, 48)), piece_of("short", roll_of(notes[:6], 24), 2)])


def test_the_same_number_gives_the_same_batch_and_another_number_another(corpus: Prepared) -> None:
    first, again, other = (training_batch(corpus, SMALL, number) for number in (7, 7, 8))
    np.testing.assert_array_equal(first.source, again.source)
    np.testing.assert_array_equal(first.target, again.target)
    assert (first.source != other.source).any()


def test_another_seed_gives_another_batch(corpus: Prepared) -> None:
    first = training_batch(corpus, SMALL, 0)
    other = training_batch(corpus, replace(SMALL, seed=1), 0)
    assert (first.source != other.source).any()


def test_nothing_sounds_outside_the_piece(corpus: Prepared) -> None:
    for number in range(5):
        batch = training_batch(corpus, SMALL, number)
        outside = batch.context[:, INSIDE] == 0
        assert outside.any()
        for rolls in (batch.target, batch.source):
            assert not np.moveaxis(rolls, 2, 1)[outside].any()


def test_samples_begin_on_the_beat(corpus: Prepared) -> None:
    batch = training_batch(corpus, SMALL, 3)
    assert (batch.context[:, 0, ::4] == 1).all()


def test_the_validation_set_has_the_papers_damage_whatever_the_run_trains_on(corpus: Prepared) -> None:
    ours = validation_set(corpus, SMALL, n_samples=6)
    papers = validation_set(corpus, replace(SMALL, damage=DamageConfig(), seed=5), n_samples=6)
    np.testing.assert_array_equal(ours.source, papers.source)


def test_a_model_that_never_takes_back_is_not_asked_to(corpus: Prepared) -> None:
    batch = validation_set(corpus, replace(SMALL, damage=DamageConfig(noise_max=0.0)), n_samples=12)
    assert not (batch.source & ~batch.target).any()
    assert (batch.target & ~batch.source).any()


def test_a_prepared_corpus_reads_back_as_it_was(tmp_path, corpus: Prepared) -> None:
    items = [
        Item(piece.name, split, piece.cells, piece.beat_phase)
        for piece, split in zip(corpus.pieces, ("train", "valid"), strict=True)
    ]
    write_prepared(items, tmp_path / "corpus.npz")
    read = load_prepared(tmp_path / "corpus.npz", "valid")
    assert [piece.name for piece in read.pieces] == ["short"]
    assert [piece.beat_phase for piece in read.pieces] == [2]
    np.testing.assert_array_equal(read.pieces[0].cells, corpus.pieces[1].cells)
    with pytest.raises(ValueError, match="no split 'test'"):
        load_prepared(tmp_path / "corpus.npz", "test")


COCONET = replace(configuration("coconet"), n_steps=16, batch_size=64)


@pytest.fixture
def voices() -> Prepared:
    score = np.repeat(np.array([[72, 67, 60, 48], [74, -1, 59, 43]]), 8, axis=0)
    return Prepared([piece_of("two chords", silence(16), voices=score)])


def test_blanks_lie_in_whole_steps_but_one_or_anywhere(voices: Prepared) -> None:
    by_step = blanks_batch(voices, replace(COCONET, frame_share=1.0), 0).known
    mixed = (by_step.any(axis=2) & ~by_step.all(axis=2)).sum(axis=1)
    assert mixed.max() == 1
    anywhere = blanks_batch(voices, replace(COCONET, frame_share=0.0), 0).known
    assert (anywhere.any(axis=2) & ~anywhere.all(axis=2)).sum(axis=1).max() > 5
    n_known = anywhere.sum(axis=(1, 2))
    assert n_known.min() < 10  # any number of them may be known
    assert n_known.max() > 50
    assert not anywhere.all(axis=(1, 2)).any()  # but something is blank


def test_scores_are_transposed_as_a_whole_and_rests_stay_rests(voices: Prepared) -> None:
    score = voices.voices[0]
    batch = blanks_batch(voices, COCONET, 1)
    for sung in batch.sung:
        apart = (sung + 36 - score)[score >= 0]
        assert (apart == apart[0]).all()
        assert -5 <= apart[0] <= 6
        assert (sung[score < 0] == -1).all()
    assert len(np.unique(batch.sung[:, 0, 0])) > 6


def test_a_corpus_keeps_who_sings_what_if_it_knows(tmp_path, voices: Prepared, corpus: Prepared) -> None:
    known = Item("known", "train", silence(16), 0, voices.voices[0])
    write_prepared([known], tmp_path / "voices.npz")
    read = load_prepared(tmp_path / "voices.npz", "train")
    np.testing.assert_array_equal(read.voices, voices.voices)
    write_prepared([known, Item("unknown", "train", corpus.pieces[1].cells)], tmp_path / "rolls.npz")
    one, nobody = load_prepared(tmp_path / "rolls.npz", "train").pieces
    np.testing.assert_array_equal(one.voices, known.voices)
    assert nobody.voices is None
