"""A hymn's metre, counted along its melody, says where its lines end."""

from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.files.metres import line_ends, lines_by_number, syllables

HYMN = """X: 7
T: Two lines
N: metrical 4 4
K: G
[V: S1V1] "G" G2 (A B) | [Q:1/4=90] c2- | c B | z !fermata!A (3GAB | % a rest is no syllable
[V: S1V2] D D D D | D D | D D D D
X: 8
N: metrical 5
[V: S1V1] G A B
"""


def test_notes_under_a_slur_are_one_syllable_and_tied_notes_one_note() -> None:
    assert syllables("G (A B) c- c | (d e- | e f) g") == [1, 2, 1, 3, 1]
    assert syllables('"Am" !f! {g} [V:x] [CE] ^c\'2 z4') == [1, 1]


def test_lines_end_on_the_notes_that_the_metre_counts() -> None:
    assert line_ends([2, 1], [1, 2, 1]) == [2, 3]
    assert line_ends([2], [1, 1, 1, 1]) == [1, 3]  # twice over
    assert line_ends([2], [1, 1, 1]) == []
    assert line_ends([], [1]) == []


def test_tunes_that_do_not_fit_their_metre_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "hymns.abc").write_text(HYMN)
    assert lines_by_number(tmp_path / "hymns.abc") == {7: [4, 8]}


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        lines_by_number(tmp_path / "none.abc")
