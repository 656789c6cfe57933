"""What a user hands in and takes away: what a file is by its name, and its bytes."""

from __future__ import annotations

from pathlib import Path

from ripieno.errors import BadInput

MIDI = (".mid", ".midi")
MUSICXML = (".musicxml", ".xml", ".mxl")
PICTURES = (".png", ".svg", ".pdf")
SOUNDS = (".wav", ".flac")


def bytes_of(path: Path, kind: str, most: int | None = None) -> bytes:
    """The bytes of a file.

    Args:
        path: of the file.
        kind: of file, as an error calls it: "MIDI".
        most: bytes that are read; any number unless given.

    Raises:
        BadInput: there is no such file, it is something else, too large, or cannot be read.
    """
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a {kind} file in it")
        if not path.exists():
            raise BadInput(f"{path} does not exist; check its name and folder")
        if not path.is_file():
            raise BadInput(f"{path} is not an ordinary file; name a {kind} file")
        if most is not None and path.stat().st_size > most:
            raise BadInput(f"{path} is larger than the {most:,} bytes that are read; cut it")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
