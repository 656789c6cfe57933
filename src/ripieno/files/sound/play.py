"""A sound on its way out: to a file, or to this computer's loudspeakers.

play("piece.mid")
play(piece, Path("piece.flac"), bpm=60)
write_sound(render(sounding_notes(piece)), Path("piece.wav"))
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ripieno.errors import BadInput
from ripieno.files.door import SOUNDS
from ripieno.files.reader import read
from ripieno.files.sound.notes import sounding_notes
from ripieno.files.sound.render import render
from ripieno.files.sound.room import RATE, Samples
from ripieno.music.piece import Piece, Revision
from ripieno.whole import check_place, whole_file


def play(
    piece: Piece | str | Path,
    path: str | Path | None = None,
    *,
    bpm: float | None = None,
    soundfont: str | Path | None = None,
    ready: Callable[[float], None] | None = None,
) -> float:
    """Play a piece on this computer and come back when it is over, or write its sound to a file.

    Args:
        piece: itself, or a MIDI or MusicXML file.
        path: a .wav or .flac file to write instead.
        bpm: quarter notes a minute, in place of the piece's own tempos.
        soundfont: an .sf2 or .sf3 file to play it on; a small organ unless given.
        ready: called with the length in seconds once the sound is made, before it is heard or written.

    Returns:
        How many seconds it lasts.

    Raises:
        BadInput: the piece cannot be read, nothing is to be heard, the SoundFont cannot be used, the file cannot be
            written, or the computer has nothing to play it with.
    """
    target = None if path is None else Path(path)
    if target is not None:
        if target.suffix.lower() not in SOUNDS:
            raise BadInput(f"{target.name}: a sound is a .wav or .flac file; name it {target.stem}.wav")
        check_place(target, piece.path if isinstance(piece, Piece) else Path(piece))
    notes = sounding_notes(piece if isinstance(piece, Piece) else read(piece), Revision(bpm=bpm))
    samples = render(notes, None if soundfont is None else Path(soundfont))
    seconds: float = samples.shape[1] / RATE
    if ready is not None:
        ready(seconds)
    if target is not None:
        write_sound(samples, target)
    else:
        play_samples(samples)
    return seconds


def write_sound(samples: Samples, path: Path) -> None:
    """Write a sound of 24 bits a sample; the suffix of `path` says whether as WAV or as FLAC.

    Raises:
        BadInput: another suffix, or the file cannot be written.
    """
    import soundfile

    suffix = path.suffix.lower()
    if suffix not in SOUNDS:
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


def play_samples(samples: Samples) -> None:
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
