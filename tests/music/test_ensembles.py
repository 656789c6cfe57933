"""What each player gets, and what a keyboard with all of it sounds."""

import pytest

from ripieno.errors import BadInput
from ripieno.music.ensembles import ENSEMBLES, arranged, check_arrangement, out_of_range, range_of, struck_on
from ripieno.music.piece import NewPart
from ripieno.music.roll import RollNote
from ripieno.music.voices import PROGRAM, RANGES


def voice(name: str, *notes: RollNote) -> NewPart:
    return NewPart(name, PROGRAM, 60, notes)


ALTO = voice("Alto", RollNote(0, 64, 8), RollNote(8, 62, 8))
TENOR = voice("Tenor", RollNote(0, 55, 16))
BASS = voice("Bass", RollNote(0, 48, 4), RollNote(4, 55, 12))
VOICES = [ALTO, TENOR, BASS]


def test_one_part_for_each_voice_unless_asked():
    assert [part.name for part in arranged(VOICES)] == ["Alto", "Tenor", "Bass"]
    assert [part.clef for part in arranged(VOICES)] == ["treble", "treble8", "bass"]
    assert [part.notes for part in arranged(VOICES, n_parts=4)] == [one.notes for one in VOICES]


def test_players_have_names_clefs_sounds_and_transpositions():
    clarinet, horn, bassoon = arranged(VOICES, "winds")
    assert (clarinet.name, clarinet.abbreviation) == ("Clarinet in B flat", "Cl.")
    assert (clarinet.diatonic, clarinet.chromatic) == (-1, -2)
    assert (horn.diatonic, horn.chromatic) == (-4, -7)
    assert (bassoon.clef, bassoon.program, bassoon.chromatic) == ("bass", 70, 0)
    assert [part.clef for part in arranged(VOICES, "strings")] == ["treble", "alto", "bass"]


def test_two_parts_are_upper_and_lower_voices():
    upper, lower = arranged(VOICES, "strings", 2)
    assert (upper.name, lower.name) == ("Violin II", "Viola and Violoncello")
    assert upper.notes == ALTO.notes
    assert lower.staves == ((TENOR.notes, BASS.notes),)
    assert lower.chromatic == 0


def test_an_organ_plays_all_on_two_staves():
    (organ,) = arranged(VOICES, "organ")
    assert (organ.name, organ.program) == ("Organ", 19)
    assert organ.staves == ((ALTO.notes,), (TENOR.notes, BASS.notes))


def test_what_two_voices_sing_in_unison_sounds_once():
    (part,) = arranged(VOICES, n_parts=1)
    assert part.name == "Accompaniment"
    assert sorted(part.notes) == [
        RollNote(0, 48, 4),
        RollNote(0, 55, 4),
        RollNote(0, 64, 8),
        RollNote(4, 55, 12),
        RollNote(8, 62, 8),
    ]


def test_nothing_to_arrange():
    assert arranged([], "organ") == []


def test_syllables_are_sung_by_everybody():
    alto, tenor, bass = struck_on(arranged(VOICES), {0, 4, 10})
    assert tenor.notes == (RollNote(0, 55, 4), RollNote(4, 55, 6), RollNote(10, 55, 6))
    assert alto.notes == (RollNote(0, 64, 4), RollNote(4, 64, 4), RollNote(8, 62, 2), RollNote(10, 62, 6))
    assert bass.notes == (RollNote(0, 48, 4), RollNote(4, 55, 6), RollNote(10, 55, 6))
    (organ,) = struck_on(arranged(VOICES, "organ"), {4})
    assert organ.staves[1][0] == (RollNote(0, 55, 4), RollNote(4, 55, 12))


def test_what_a_player_cannot_play_is_said():
    low = voice("Alto", RollNote(0, 50, 4), RollNote(4, 60, 4))
    assert out_of_range([low, TENOR], "strings") == ["1 of 2 notes of Violin II lie outside G3 to E6"]
    assert out_of_range(VOICES, "choir") == []


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_every_ensemble_plays_most_of_what_bachs_voices_sing(ensemble: str):
    low, high = range_of(ensemble)
    for player, (lowest, highest) in zip(ENSEMBLES[ensemble], RANGES.values(), strict=True):
        assert low <= player.lowest <= player.highest <= high
        inside = min(player.highest, highest) - max(player.lowest, lowest)
        assert inside >= 0.9 * (highest - lowest)


def test_unknown_ensembles_and_numbers_of_parts_are_said():
    with pytest.raises(BadInput, match=r"no ensemble is called kazoo; choose choir"):
        check_arrangement("kazoo", None)
    with pytest.raises(BadInput, match="3 parts cannot be had; choose 1, 2 or 4"):
        check_arrangement(None, 3)
