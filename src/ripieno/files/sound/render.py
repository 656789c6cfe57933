"""Notes to samples: an instrument, a room, and one loudness for the whole. The same notes give the same samples."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.organ import play_organ
from ripieno.files.sound.room import RATE, ROOM_LEVEL, Samples, in_a_room, normalised
from ripieno.files.sound.soundfont import play_notes, read_soundfont

LONGEST_MINUTES = 30  # a longer sound would not fit into memory everywhere


def render(notes: Iterable[SoundingNote], soundfont: Path | None = None) -> Samples:
    """Play some notes: stereo at `RATE`, at `LOUDNESS`, with the room's tail and then silence at the end.

    Args:
        notes: in any order. The organ leaves drums out.
        soundfont: an .sf2 or .sf3 file to play them on; the built-in organ unless given.

    Raises:
        BadInput: nothing is to be heard, it lasts longer than `LONGEST_MINUTES`, or the SoundFont cannot be used.
    """
    heard = sorted(note for note in notes if soundfont is not None or not note.is_drums)
    if not heard:
        raise BadInput("there is nothing to be heard: a sound needs at least one note that is no drum")
    last = max(note.onset_seconds + note.duration_seconds for note in heard)
    if last > LONGEST_MINUTES * 60:
        raise BadInput(
            f"the piece lasts {last / 60:.0f} minutes and a sound may last {LONGEST_MINUTES}: "
            "see whether its tempo is right, or cut it"
        )
    if soundfont is None:
        dry, level = play_organ(heard), ROOM_LEVEL
    else:
        dry, level = play_notes(read_soundfont(soundfont), heard, RATE), ROOM_LEVEL / 2
    return normalised(in_a_room(dry, level))
