"""Any file of music, read by what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ripieno.files.door import MIDI, MUSICXML
from ripieno.music.piece import Piece


def opened(piece: Piece | str | Path, name: str | None) -> tuple[Piece, str]:
    """A piece, or the one in a file, and what errors call it: the file's name, unless a name is given.

    Raises:
        BadInput: the file cannot be read.
    """
    if isinstance(piece, Piece):
        return piece, name or (piece.path.name if piece.path else "the piece")
    return read(piece), name or Path(piece).name


def read(path: str | Path) -> Piece:
    """Read a piece from a MIDI or MusicXML file; where the suffix does not say which, its first bytes do.

    Raises:
        BadInput: missing, damaged, neither of the two, or nothing in it.
    """
    path = Path(path)
    if is_musicxml(path):
        from ripieno.files.musicxml.read import read_musicxml

        return replace(read_musicxml(path), path=path)
    from ripieno.files.midi import read_midi

    return replace(read_midi(path), path=path)


def is_musicxml(path: Path) -> bool:
    """Whether a file is to be read as MusicXML: its suffix says so, or, where that says nothing, its first bytes."""
    if path.suffix.lower() in (*MUSICXML, *MIDI) or not path.is_file():
        return path.suffix.lower() in MUSICXML
    try:
        with path.open("rb") as file:
            begin = file.read(200)
    except OSError:
        return False
    from ripieno.files.musicxml.compressed import is_compressed

    return is_compressed(begin) or begin.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
