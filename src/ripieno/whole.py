"""A file is written whole or not at all: the one place where a result takes its name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ripieno.errors import BadInput


def check_place(path: Path, *own: Path | None) -> None:
    """Refuse a place where no file can be written, before the work that would be lost.

    Args:
        path: where to write.
        own: files of the user's that stay as they are.

    Raises:
        BadInput: the name is a folder's, the file is write-protected or one of the user's own, or the folder is missing
            or read-only.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give a file name in it")
    if path.exists() and not os.access(path, os.W_OK):  # to take its name would not need leave
        raise BadInput(f"{path} is write-protected; choose another name, or allow it to be written")
    if not path.parent.is_dir():
        raise BadInput(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise BadInput(f"{path} cannot be written: the folder {path.parent} is read-only; choose another place")
    if path.exists() and any(one is not None and one.exists() and path.samefile(one) for one in own):
        raise BadInput(f"{path} is your own file and would be overwritten; choose another name")


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A name to write a file under, which takes the name `path` once the block is left without a failure.

    Until then, and after any failure, what had that name is untouched and nothing is left beside it. The name that is
    given is hidden, lies in the same folder and has the same suffix, as some writers choose a format by it.

    Raises:
        BadInput: as `check_place`, or the disk is full.
    """
    check_place(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")  # a rename never crosses disks
    try:
        try:
            yield beside
            beside.replace(path)
        except BaseException:  # Ctrl-C too
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; it takes its name only once everything is in it.

    Raises:
        BadInput: as `whole_path`.
    """
    with whole_path(path) as beside, beside.open("wb") as file:
        yield file
