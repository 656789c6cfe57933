"""Repair is judged by what was there before."""

import numpy as np
import pytest
from numpy.random import Generator, Philox

from ripieno.evaluation.mistakes import KINDS, Damaged, damage
from ripieno.evaluation.repair import (
    RepairResult,
    Verdict,
    figure_interval,
    pooled_scores,
    pooled_verdict,
    repair,
    verdict,
)
from ripieno.evaluation.repairers import Repairer, coconet_repairer, es_net_repairer
from ripieno.evaluation.statistics import average_precision
from ripieno.files.corpus import Item
from ripieno.music.roll import VoiceNote, notes_of_voices, roll_of_voices
from tests.sampling.fakes import chorale, expecting, wanting, wanting_in_any_key


def rng(number: int = 0) -> Generator:
    return Generator(Philox(key=[7, number]))


@pytest.mark.parametrize("kind", KINDS)
def test_models_that_know_the_piece_restore_everything_and_spoil_nothing(kind) -> None:
    piece = Item("toy", "valid", roll_of_voices(chorale()), voices=chorale())
    (by_roll,) = repair(es_net_repairer(wanting_in_any_key(piece.cells), [0.5]), [piece], [kind])
    (by_voice,) = repair(coconet_repairer(expecting(chorale()), [1.0], by_cell=True, n_rounds=4), [piece], [kind])
    for result in (by_roll, by_voice):
        (outcome,) = result.verdicts
        assert outcome.restored == 1
        assert outcome.n_spoiled == outcome.n_invented == 0


def a_mistake() -> Damaged:
    """A quarter note C5 that has become a C#5, over a half note that is good."""
    truth = np.stack([np.repeat([74, 72], 4), np.full(8, 55)], axis=1)
    now = truth.copy()
    now[4:, 0] = 73
    notes = tuple(notes_of_voices(now))
    one = damage(truth, "wrong pitch", 0.01, rng())
    mistake = type(one.mistakes[0])(
        VoiceNote(0, 4, 8, 73), VoiceNote(0, 4, 8, 72), tuple((t, p) for t in range(4, 8) for p in (72, 73))
    )
    return Damaged("wrong pitch", now, truth, (mistake,), notes, np.array([note.pitch == 73 for note in notes]))


def with_changes(damaged: Damaged, *cells: tuple[int, int]) -> np.ndarray:
    roll = roll_of_voices(damaged.voices)
    for step, pitch in cells:
        roll[0, step, pitch] ^= True
    return roll


def test_a_mistake_is_restored_when_all_of_it_is() -> None:
    one = a_mistake()
    assert verdict(one, roll_of_voices(one.truth)) == Verdict(1, 1, 2, 0, 0)
    assert verdict(one, roll_of_voices(one.voices)) == Verdict(1, 0, 2, 0, 0)
    removed = [(t, 73) for t in range(4, 8)]
    assert verdict(one, with_changes(one, *removed)).n_restored == 0
    assert verdict(one, with_changes(one, *[(t, 72) for t in range(4, 8)])).n_restored == 0
    assert verdict(one, with_changes(one, *removed, *[(t, 72) for t in range(4, 7)])).n_restored == 0


def test_a_good_note_is_spoiled_by_a_hole_and_by_a_cell_too_many_but_not_by_its_neighbour_come_back() -> None:
    one = a_mistake()
    assert verdict(one, with_changes(one, (7, 55))).n_spoiled == 1
    longer = verdict(one, with_changes(one, (4, 74)))
    assert (longer.n_spoiled, longer.n_invented) == (1, 1)
    apart = verdict(one, with_changes(one, (4, 60), (5, 60), (6, 62)))
    assert (apart.n_spoiled, apart.n_invented) == (0, 2)


# --- piece by piece


def pieces() -> list[Item]:
    return [Item(f"toy-{i}", "valid", roll_of_voices(chorale() + i), voices=chorale() + i) for i in range(3)]


def test_damage_hangs_on_seed_piece_and_kind_and_on_nothing_else() -> None:
    def seen(kinds, seed=0):
        met = {}

        def find(damaged):
            met.setdefault(damaged.kind, []).append(damaged.voices)
            return np.zeros(len(damaged.notes))

        list(repair(Repairer(find, lambda _: []), pieces(), kinds, seed=seed))
        return met

    everything, alone, otherwise = seen(KINDS), seen(["off beat"]), seen(["off beat"], seed=1)
    np.testing.assert_array_equal(everything["off beat"], alone["off beat"])
    assert (np.array(alone["off beat"]) != np.array(otherwise["off beat"])).any()


def test_pieces_without_voices_are_refused() -> None:
    with pytest.raises(ValueError, match="toy has no voices"):
        next(
            repair(
                es_net_repairer(wanting(roll_of_voices(chorale())), []),
                [Item("toy", "valid", roll_of_voices(chorale()))],
            )
        )


def test_what_is_missing_counts_in_repairing_but_not_in_finding() -> None:
    results = list(repair(es_net_repairer(wanting_in_any_key(roll_of_voices(chorale())), [0.5]), pieces()[:1]))
    scores, wrong = pooled_scores(results)
    assert len(scores) == len(wrong) == sum(len(one.wrong) for one in results if one.kind != "missing")
    n_missing = sum(one.verdicts[0].n_mistakes for one in results if one.kind == "missing")
    assert pooled_verdict(results).n_mistakes == wrong.sum() + n_missing
    assert average_precision(scores, wrong) == 1.0
    assert np.isnan(average_precision(*pooled_scores([])))


def test_the_interval_draws_whole_pieces() -> None:
    def one(piece, n_restored):
        return RepairResult(piece, "tone", np.zeros(1), np.ones(1, dtype=bool), (Verdict(4, n_restored, 10, 0, 0),))

    def restored(some):
        return pooled_verdict(some).restored

    apart = [one(str(i), 4 * (i % 2)) for i in range(20)]
    low, high = figure_interval(apart, restored)
    assert low < 0.5 < high
    assert high - low > 0.2
    # a good and a bad result of the same piece always come together
    assert figure_interval([one(str(i // 2), 4 * (i % 2)) for i in range(20)], restored) == (0.5, 0.5)
