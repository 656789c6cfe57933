"""Any file of music, read by what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ripieno.files.midi import read_midi
from ripieno.files.musicxml.read import is_musicxml, read_musicxml
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
    return replace(read_musicxml(path) if is_musicxml(path) else read_midi(path), path=path)
