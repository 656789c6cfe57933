"""Notes to samples to a file or a loudspeaker: an instrument, a room, and one loudness for the whole.

Everything but the loudspeaker is a function of its arguments: the same notes give the same samples.

    write_sound(render(sounding_notes(piece)), Path("piece.wav"))
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.files.sound.notes import SoundingNote
from ripieno.files.sound.organ import play_organ
from ripieno.files.sound.room import RATE, ROOM_LEVEL, Samples, in_a_room, normalised
from ripieno.files.sound.soundfont import play_notes, read_soundfont
from ripieno.whole import whole_file

SUFFIXES = (".wav", ".flac")
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


def write_sound(samples: Samples, path: Path) -> None:
    """Write a sound of 24 bits a sample; the suffix of `path` says whether as WAV or as FLAC.

    Raises:
        BadInput: another suffix, or the file cannot be written.
    """
    import soundfile

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path.name} does not say which kind of sound to write: end its name in .wav or .flac")
    with whole_file(path) as file:
        soundfile.write(file, samples.T, RATE, format=suffix[1:].upper(), subtype="PCM_24")


# Programs that play a file and come with an operating system, the first that is there.
_PLAYERS = (
    ("afplay",),  # macOS
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)


def play(samples: Samples) -> None:
    """Play a sound on this computer, and come back when it is over.

    Raises:
        BadInput: no program is there that plays sounds, or it cannot.
    """
    player = next((player for player in _PLAYERS if shutil.which(player[0])), None)
    if player is None and sys.platform != "win32":
        names = ", ".join(player[0] for player in _PLAYERS)
        raise BadInput(f"no program that plays sounds was found ({names}); write the sound to a file: -o piece.wav")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ripieno.wav"
        write_sound(samples, path)
        if player is None:
            _play_on_windows(path)
            return
        done = subprocess.run([*player, str(path)], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
            raise BadInput(f"{player[0]} could not play the sound: {said}; write it to a file: -o piece.wav")


def _play_on_windows(path: Path) -> None:
    if sys.platform == "win32":
        import winsound

        winsound.PlaySound(str(path), winsound.SND_FILENAME)
