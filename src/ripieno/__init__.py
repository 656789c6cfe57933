"""Ripieno fills music in around yours, one note at a time, in any order, and takes notes back when they were wrong.

import ripieno

piece = ripieno.read("melody.mid")
session = ripieno.harmonize(piece)
session.save("four-parts.mid")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ripieno.edits.edit import Edit
    from ripieno.edits.log import EditLog
    from ripieno.edits.policy import Policy
    from ripieno.errors import BadInput, NothingAllowed
    from ripieno.files.reader import read
    from ripieno.models.runtime import Model, Prediction, load_model
    from ripieno.music.piece import Note, Piece, piece_from_notes
    from ripieno.music.roll import RollNote
    from ripieno.session import Session, harmonize

_HOME = {
    "BadInput": "errors",
    "Edit": "edits.edit",
    "EditLog": "edits.log",
    "Model": "models.runtime",
    "Note": "music.piece",
    "NothingAllowed": "errors",
    "Piece": "music.piece",
    "Policy": "edits.policy",
    "Prediction": "models.runtime",
    "RollNote": "music.roll",
    "Session": "session",
    "harmonize": "session",
    "load_model": "models.runtime",
    "piece_from_notes": "music.piece",
    "read": "files.reader",
}
__all__ = [
    "BadInput",
    "Edit",
    "EditLog",
    "Model",
    "Note",
    "NothingAllowed",
    "Piece",
    "Policy",
    "Prediction",
    "RollNote",
    "Session",
    "harmonize",
    "load_model",
    "piece_from_notes",
    "read",
]


def __getattr__(name: str) -> Any:
    # names are found when they are used, so that `ripieno --help` need not load NumPy
    if name not in _HOME:
        raise AttributeError(f"module 'ripieno' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"ripieno.{_HOME[name]}"), name)
