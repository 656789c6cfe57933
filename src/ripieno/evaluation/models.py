"""The models that are judged, each loaded once in a process and run on one core: jobs share out the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ripieno.models.runtime import CoconetModel, Model, load_coconet, load_model


@cache
def editor(path: Path | None) -> Model:
    """An ES-Net or NADE; the bundled ES-Net for None."""
    return load_model(path, n_threads=1)


@cache
def coconet(path: Path | None) -> CoconetModel:
    """A Coconet; the bundled one for None."""
    return load_coconet(path, n_threads=1)
