"""Sevenths and leading notes that go astray, where the next chord loses a note by it."""

import numpy as np

from ripieno.music.part_writing import thin_resolutions


def test_thin_chords_are_left_to_the_rules_where_nothing_is_lost() -> None:
    voices = np.repeat([[72, 67, 64, 48], [71, 65, 62, 55], [72, 64, 60, 48]], 4, axis=0)
    onsets = np.zeros(voices.shape, dtype=bool)
    onsets[[0, 4, 8]] = True
    assert thin_resolutions(voices, onsets) == []
    voices[8:, 1] = 67
    assert [fault.rule for fault in thin_resolutions(voices, onsets)] == ["unresolved seventh"]
    voices[8:, 3] = 65 - 12  # another chord: nothing is known of it
    assert thin_resolutions(voices, onsets) == []
