"""Where phrases end: what is said, what the score marks, and how each is taken."""

from fractions import Fraction

import pytest

from ripieno import BadInput
from ripieno.music.phrases import Place, metre_in, parse_phrases, phrases_of, written_ends
from ripieno.music.piece import PhraseMark
from ripieno.music.roll import RollNote

# two bars of quarters, a half note at the end of each
TUNE = [
    RollNote(onset, 60 + i, length) for i, (onset, length) in enumerate([(0, 4), (4, 4), (8, 8), (16, 4), (20, 12)])
]


def fermata(step: int, part: int | None = 0) -> PhraseMark:
    return PhraseMark(step=Fraction(step), kind="fermata", part=part)


def test_a_phrase_goes_from_its_first_note_to_the_end_of_its_last_and_leaves_rests_out() -> None:
    tune = [RollNote(0, 60, 4), RollNote(4, 62, 4), RollNote(12, 64, 4), RollNote(16, 65, 8)]
    assert phrases_of(tune, [1, 3]) == ((0, 4, 8, 1.0), (12, 16, 24, 1.0))


def test_places_are_bars_or_bars_and_beats() -> None:
    assert parse_phrases(" 2:4, 4,6:2.5 ") == (Place(2, 4), Place(4), Place(6, 2.5))
    assert [str(place) for place in (Place(2, 4), Place(4), Place(6, 2.5))] == ["2:4", "4", "6:2.5"]
    assert parse_phrases("4") == (Place(4),)


@pytest.mark.parametrize("text", ["none", "None", " ", ""])
def test_one_may_say_that_there_are_none(text: str) -> None:
    assert parse_phrases(text) == ()


@pytest.mark.parametrize(
    ("text", "metre"),
    [
        ("8.6.8.6", (8, 6, 8, 6)),
        ("8 7 8 7 D", (8, 7, 8, 7) * 2),
        ("87.87", (8, 7, 8, 7)),
        ("10 10 10 10", (10, 10, 10, 10)),
        ("C.M.", (8, 6, 8, 6)),
        ("LM", (8, 8, 8, 8)),
        ("S. M. D", (6, 6, 8, 6) * 2),
    ],
)
def test_a_hymns_metre_is_read_as_hymnals_print_it(text: str, metre: tuple[int, ...]) -> None:
    assert parse_phrases(text) == metre


def test_numbers_in_a_title_are_no_metre() -> None:
    for title in ("Sonata No. 12.3", "12.05.2020", "Op. 27 2", "CMajor tune", "10:30:12"):
        assert metre_in(title, least=3) == ()
    assert metre_in("St. Anne (8.6.8.6)", least=3) == (8, 6, 8, 6)


@pytest.mark.parametrize("text", ["2:4; 4", "two", "2:0", "-3", "2:4:1", "4, ", "123456"])
def test_what_is_no_place_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"phrases cannot end at .*2:4, 4, 6:4, 8") as refused:
        parse_phrases(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["4, 2", "4, 4", "4, 4:2", "2:4, 2:3"])
def test_places_out_of_order_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="in order, each once"):
        parse_phrases(text)


def test_a_fermata_ends_a_phrase_on_the_note_that_sounds_under_it() -> None:
    assert written_ends([fermata(8)], TUNE, 0, 0) == ((2,), "fermatas")
    assert written_ends([fermata(24)], TUNE, 16, 0) == ((2,), "fermatas"), "the region may begin later"


def test_a_fermata_of_another_voice_counts_unless_the_tune_has_its_own_nearby() -> None:
    assert written_ends([fermata(10, part=2)], TUNE, 0, 0).last == (2,)
    assert written_ends([fermata(8), fermata(16, part=1)], TUNE, 0, 0).last == (2,)


def test_a_double_bar_ends_the_phrase_before_it() -> None:
    bar = PhraseMark(step=Fraction(16), kind="double bar")
    assert written_ends([bar], TUNE, 0, 0) == ((2,), "double bars")


def test_marks_over_rests_and_before_the_tune_say_nothing() -> None:
    assert written_ends([fermata(8), fermata(40)], [RollNote(16, 60, 4)], 0, 0).last == ()


def test_a_fermata_at_the_very_end_divides_nothing() -> None:
    assert written_ends([fermata(8)], TUNE, 0, 0).divides(len(TUNE))
    assert not written_ends([fermata(20)], TUNE, 0, 0).divides(len(TUNE))
    assert not written_ends([fermata(8)], TUNE, 0, 0).divides(200), "what is too long for a phrase needs a guess"
