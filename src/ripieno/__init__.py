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
    from ripieno.checking import check as check
    from ripieno.document import Document as Document
    from ripieno.edits.edit import Edit as Edit
    from ripieno.edits.log import EditLog as EditLog
    from ripieno.edits.policy import Policy as Policy
    from ripieno.errors import BadInput as BadInput
    from ripieno.errors import NothingAllowed as NothingAllowed
    from ripieno.files.reader import read as read
    from ripieno.files.sound.play import play as play
    from ripieno.fixing import fix as fix
    from ripieno.models.runtime import Model as Model
    from ripieno.models.runtime import Prediction as Prediction
    from ripieno.models.runtime import load_model as load_model
    from ripieno.music.piece import Note as Note
    from ripieno.music.piece import Piece as Piece
    from ripieno.music.piece import piece_from_notes as piece_from_notes
    from ripieno.music.roll import RollNote as RollNote
    from ripieno.options import Options as Options
    from ripieno.session import Session as Session
    from ripieno.session import harmonize as harmonize

_HOME = {
    "BadInput": "errors",
    "Document": "document",
    "Edit": "edits.edit",
    "EditLog": "edits.log",
    "Model": "models.runtime",
    "Note": "music.piece",
    "NothingAllowed": "errors",
    "Options": "options",
    "Piece": "music.piece",
    "Policy": "edits.policy",
    "Prediction": "models.runtime",
    "RollNote": "music.roll",
    "Session": "session",
    "check": "checking",
    "fix": "fixing",
    "harmonize": "session",
    "load_model": "models.runtime",
    "piece_from_notes": "music.piece",
    "play": "files.sound.play",
    "read": "files.reader",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    # names are found when they are used, so that `ripieno --help` need not load NumPy
    if name not in _HOME:
        raise AttributeError(f"module 'ripieno' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"ripieno.{_HOME[name]}"), name)
