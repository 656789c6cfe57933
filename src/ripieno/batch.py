"""Many pieces harmonised, one after the other, into a folder; what is done is done once.

The folder keeps a journal (`JOURNAL`), a line for each step of each file. A result is written beside its place, the
journal told what it is, and then moved to its place; so whenever a run is interrupted, the next one sees which
results are whole. A result is made anew only if its source, the options, the model or Ripieno has changed. What lies in
the folder and was not written by us, or was changed since, is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ripieno
from ripieno.assessment import assess
from ripieno.errors import BadInput
from ripieno.export import check_target
from ripieno.files.reader import read
from ripieno.models.runtime import Model
from ripieno.options import Options
from ripieno.sampling.passes import Change
from ripieno.session import Session
from ripieno.whole import whole_path

JOURNAL = ".ripieno-journal.jsonl"
DONE, SKIPPED, FAILED = "done", "done before", "failed"


@dataclass(frozen=True)
class BatchProgress:
    """Something that happened: a change was made in a piece, or, with an `outcome`, the piece is over.

    number: of the file among all, from 1.
    outcome: DONE, SKIPPED or FAILED; "" while it is being composed.
    said: what the user should hear: why a file failed, in one line, and what a reader may notice.
    reading: what the file is taken to be, once it is done.
    doubtful: what is in the setting, by bar.
    """

    source: Path
    number: int
    of: int
    change: Change | None = None
    outcome: str = ""
    said: tuple[str, ...] = ()
    reading: str = ""
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """The last that the journal says of a result."""

    key: str
    digest: str
    is_in_place: bool


def targets_of(sources: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Where the result of each file goes: by its own name.

    Raises:
        BadInput: two files have one name, a result would take its source's place, or the folder cannot be made.
    """
    targets: dict[Path, Path] = {}
    taken: dict[Path, Path] = {}
    for source in sources:
        target = folder / source.name
        if target in taken:
            raise BadInput(
                f"{taken[target]} and {source} have one name, and so would their results; do them in two runs"
            )
        if source.exists() and target.exists() and source.samefile(target):
            raise BadInput(f"{target} is your own file and would be overwritten; choose another folder for -o")
        taken[target] = source
        targets[source] = target
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"the folder {folder} cannot be made: {error.strerror or error}; choose another") from error
    return targets


def harmonize_files(
    sources: Sequence[Path],
    folder: Path,
    model: Model,
    options: Options,
) -> Iterator[BatchProgress]:
    """Harmonise each file into a folder. A file that fails is told of, and the rest go on.

    Leaving the loop, or Ctrl-C, at any time keeps what is done; the same call goes on from there.

    Args:
        sources: MIDI or MusicXML files; a result is of its source's kind.
        folder: made if it is not there.
        model: what composes.
        options: what is asked for.

    Raises:
        BadInput: as `targets_of`.
    """
    targets = targets_of(sources, folder)
    journal = folder / JOURNAL
    entries = _read_journal(journal)
    asked = {"options": options.to_json(), "model": model.digest}
    for number, (source, target) in enumerate(targets.items(), start=1):
        here = BatchProgress(source, number, len(targets))
        try:
            check_target(target, source)
            key = _key(source, asked)
            entry = entries.get(target.name)
            state = _state(target, entry, key)
            if state == "whole":
                yield replace(here, outcome=SKIPPED)
                continue
            if state == "changed":
                said = f"{target} was changed since it was written, and is left as it is"
                yield replace(here, outcome=SKIPPED, said=(said,))
                continue
            if state == "foreign":
                raise BadInput(f"{target} is there and was not written by this; move it, or choose another folder")
            session = Session(read(source), model=model, name=source.name, options=options)
            for change in session.run():
                yield replace(here, change=change)
            with whole_path(target) as beside:
                remarks = session.save(beside)
                digest = hashlib.sha256(beside.read_bytes()).hexdigest()
                _tell(journal, target, key, digest, is_in_place=False)
            _tell(journal, target, key, digest, is_in_place=True)
            told = replace(here, reading=session.reading.sentence(), doubtful=assess(session).doubtful)
            yield replace(told, outcome=DONE, said=(*session.reading.warnings, *remarks))
        except BadInput as error:
            why = " ".join(str(error).split())
            why = why if source.name in why else f"{source.name}: {why}"
            yield replace(here, outcome=FAILED, said=(why,))
        except OSError as error:
            yield replace(here, outcome=FAILED, said=(f"{source.name}: {error.strerror or error}",))
        except Exception as error:  # whatever is wrong with one file, the others are not to suffer
            said = f"{source.name} brought Ripieno to a fault of its own ({error!r}); please report it"
            yield replace(here, outcome=FAILED, said=(said,))


def _key(source: Path, asked: Mapping[str, Any]) -> str:
    """All that a result depends on."""
    try:
        data = source.read_bytes()
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror or error}") from error
    text = json.dumps({**asked, "version": ripieno.__version__}, sort_keys=True, default=str)
    return hashlib.sha256(hashlib.sha256(data).digest() + text.encode()).hexdigest()


def _state(target: Path, entry: _Entry | None, key: str) -> str:
    """What to make of what lies where a result goes: missing, whole, old, changed by somebody, or not ours."""
    if not target.exists():
        return "missing"
    if entry is None:
        return "foreign"
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    if digest == entry.digest:
        return "whole" if entry.key == key else "old"
    # If the journal was told of a result that was never moved to its place, an older one of ours lies there.
    return "changed" if entry.is_in_place else "old"


def _read_journal(path: Path) -> dict[str, _Entry]:
    """The last entry of each result; a line that was cut off is as if it were not there."""
    found: dict[str, _Entry] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                said = json.loads(line)
                found[said["name"]] = _Entry(said["key"], said["sha256"], said["in place"])
            except (ValueError, KeyError, TypeError):
                continue
    return found


def _tell(journal: Path, target: Path, key: str, digest: str, *, is_in_place: bool) -> None:
    line = json.dumps({"name": target.name, "key": key, "sha256": digest, "in place": is_in_place})
    with journal.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
