"""The guess where phrases end: what it hears, and that its sums are those of all ways to cut a tune."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from ripieno.music.segmentation import NAMES, WEIGHTS, Lattice, Tune, guess_ends, with_bars_moved


def tune(pitches: Sequence[int], beats: Sequence[float], pickup: int = 0, **more: object) -> Tune:
    """Notes of so many quarters each in 4/4; a pickup of so many steps."""
    ends = np.cumsum(4 * np.array(beats)).astype(int)
    onsets = np.append(0, ends[:-1])
    places = (np.append(onsets, ends[-1]) - pickup) % 16
    plain = Tune(onsets=onsets, ends=ends, pitches=np.array(pitches), places=places, bar=16, beat=4, tonic=0)
    return replace(plain, **more)  # type: ignore[arg-type]


TWINKLE = tune([60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60], [1, 1, 1, 1, 1, 1, 2] * 2)
# eight quarters a line, from an upbeat, not a note longer than another
OLD_HUNDREDTH = tune(
    [
        *[67, 67, 66, 64, 62, 67, 69, 71, 71, 71, 71, 69, 67, 72, 71, 69],
        *[67, 69, 71, 69, 67, 64, 66, 67, 62, 71, 67, 69, 72, 71, 69, 67],
    ],
    [1] * 32,
    pickup=4,
    tonic=7,
)
EVEN = tune([60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 60], [1] * 16)
SHORT = tune([60, 62, 64, 65, 67, 65, 64, 62, 60], [1, 1, 1.5, 0.5, 1, 1, 1, 1, 2])


def last_notes(tune: Tune, metre: Sequence[int] = ()) -> tuple[int, ...]:
    guess = guess_ends(tune, metre)
    assert guess is not None
    return guess.last


def test_a_long_note_ends_a_phrase() -> None:
    assert last_notes(TWINKLE) == (6, 13)


def test_lines_of_one_length_are_heard_where_no_note_is_long() -> None:
    assert last_notes(OLD_HUNDREDTH) == (7, 15, 23, 31)


def test_a_rest_ends_a_phrase_and_is_said_to() -> None:
    rested = replace(EVEN, ends=EVEN.ends - np.array([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]))
    guess = guess_ends(rested)
    assert guess is not None
    assert (guess.last, guess.source) == ((7, 15), "rests")


def test_the_words_tell_and_no_phrase_ends_within_one() -> None:
    words = ["Praise", "God", "from", "whom", "all", "bles-", "sings", "flow;"]
    words += ["praise", "him", "all", "crea-", "tures", "here", "be-", "low."]
    sung = replace(EVEN, syllables=tuple(words))
    guess = guess_ends(sung)
    assert guess is not None
    assert (guess.last, guess.source) == ((7, 15), "words")
    hyphened = replace(sung, syllables=(*words[:7], "flow-", *words[8:]))
    assert 7 not in last_notes(hyphened)


def test_an_end_that_is_known_is_kept() -> None:
    guess = guess_ends(replace(TWINKLE, sure=frozenset({3})))
    assert guess is not None
    assert 3 in guess.last
    assert guess.chances[guess.last.index(3)] == 1
    assert all(chance < 1 for i, chance in zip(guess.last, guess.chances, strict=True) if i != 3)


def test_a_metre_says_how_many_notes_a_line_has() -> None:
    assert last_notes(EVEN, (8, 8)) == (7, 15)
    assert last_notes(EVEN, (6, 10)) == (5, 15)
    assert last_notes(EVEN, (4,)) == (3, 7, 11, 15), "several times over"
    assert guess_ends(EVEN, (100, 100)) is None


def test_a_tune_without_bars_is_heard_with_each() -> None:
    unknown = replace(OLD_HUNDREDTH, places=(OLD_HUNDREDTH.places + 4) % 16, is_bar_known=False)
    assert len(with_bars_moved(unknown)) == 4
    assert last_notes(unknown) == last_notes(OLD_HUNDREDTH)


@pytest.mark.parametrize("tune", [SHORT, replace(SHORT, sure=frozenset({4}))])
def test_the_sums_are_those_of_all_ways(tune: Tune) -> None:
    weights = np.array([WEIGHTS[name] for name in NAMES])
    lattice = Lattice(tune)
    inner = [int(bound) - 1 for bound in lattice.bounds[1:-1]]
    n = len(tune.onsets) - 1
    ways = [
        ((*chosen, n), float(weights @ features))
        for size in range(len(inner) + 1)
        for chosen in combinations(inner, size)
        if (features := lattice.features_of((*chosen, n))) is not None
    ]
    scores = np.array([score for _, score in ways])
    log_sum, chances, _ = lattice.posterior(weights)
    assert log_sum == pytest.approx(np.logaddexp.reduce(scores))
    shares = np.exp(scores - log_sum)
    for note in inner:
        assert chances[note] == pytest.approx(sum(shares[i] for i, (last, _) in enumerate(ways) if note in last))
    best, score = lattice.best(weights)
    assert score == pytest.approx(scores.max())
    assert best == ways[int(scores.argmax())][0]


def test_the_slope_of_the_sum_is_what_is_expected() -> None:
    lattice, weights = Lattice(EVEN), np.array([WEIGHTS[name] for name in NAMES])
    _, _, expected = lattice.posterior(weights)
    for i in range(0, len(NAMES), 7):
        nudge = np.zeros(len(NAMES))
        nudge[i] = 1e-5
        change = lattice.posterior(weights + nudge)[0] - lattice.posterior(weights - nudge)[0]
        assert change / 2e-5 == pytest.approx(expected[i], abs=1e-5)
