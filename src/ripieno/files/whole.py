"""A file is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ripieno.errors import BadInput


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; it takes its name only once everything is in it.

    Until then, and after any failure, what had that name is untouched and nothing is left beside it.

    Raises:
        BadInput: the folder is missing or read-only, the file is write-protected, the disk is full, or the name is a
            folder's.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give a file name in it")
    if path.exists() and not os.access(path, os.W_OK):  # to take its name would not need leave
        raise BadInput(f"{path} is write-protected; choose another name, or allow it to be written")
    if not path.parent.is_dir():
        raise BadInput(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")  # same folder: a rename never crosses disks
    try:
        try:
            with temporary.open("wb") as file:
                yield file
            temporary.replace(path)
        except BaseException:  # Ctrl-C too
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}; choose another place") from error
