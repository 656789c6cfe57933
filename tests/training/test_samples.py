"""Batches are pure functions of a configuration and a number."""

from dataclasses import replace

import numpy as np
import pytest

from ripieno.files.corpus import Item, write_prepared
from ripieno.models.context import INSIDE
from ripieno.models.unet import UNetConfig
from ripieno.music.roll import RollNote, roll_of
from ripieno.training.config import DamageConfig, TrainConfig
from ripieno.training.samples import Prepared, load_prepared, training_batch, validation_set

SMALL = TrainConfig(
    network=UNetConfig(n_features=7, n_filters=(4, 4), lowest_pitch=40, n_pitches=32),
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
    return Prepared([roll_of(notes, 48), roll_of(notes[:6], 24)], [0, 2], ["long", "short"])


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


def test_a_prepared_corpus_reads_back_as_it_was(tmp_path, corpus: Prepared) -> None:
    items = [
        Item(name, split, roll, phase)
        for name, split, roll, phase in zip(corpus.names, ("train", "valid"), corpus.rolls, [0, 2], strict=True)
    ]
    write_prepared(items, tmp_path / "corpus.npz")
    read = load_prepared(tmp_path / "corpus.npz", "valid")
    assert read.names == ["short"]
    assert read.beat_phases == [2]
    np.testing.assert_array_equal(read.rolls[0], corpus.rolls[1])
    with pytest.raises(ValueError, match="no split 'test'"):
        load_prepared(tmp_path / "corpus.npz", "test")
