"""Corpora: where training and evaluation get their music.  (Paper 6.1)

A prepared corpus is one `.npz`:

cells        uint8 (step, plane, 16), the rolls end to end, eight pitches to a byte
cells_shape  int (3,), (step, plane, 128)
n_steps      int (piece,)
beat_phase   int (piece,), which sixteenth of its beat a piece begins on
split        str (piece,)
name         str (piece,)
voices       int16 (step, voice), who sings what, -1 a rest; only where it is known of every piece
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.door import MIDI
from ripieno.files.midi import parse_midi
from ripieno.music.piece import Piece, bar_starts, n_steps, roll_of_piece
from ripieno.music.roll import STEPS_PER_BEAT, Cells, Voices, roll_of_voices
from ripieno.whole import whole_file

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Item:
    """One piece of a corpus. `voices` int (step, voice), -1 silent, where the corpus knows them."""

    name: str
    split: str
    cells: Cells
    beat_phase: int = 0
    voices: Voices | None = None


# Chorales of JSB's train split that largely repeat one of its valid split (58 and 74).
JSB_LEAKS = ("jsb-train-142", "jsb-train-224")


def read_corpus(path: Path, seed: int = 0) -> tuple[list[Item], list[str]]:
    """Read whatever corpus lies at `path`: the JSB Chorales' JSON, or a folder or zip file of MIDI files.

    Args:
        path: a `.json` file is taken to be the JSB Chorales.
        seed: of the splits of a folder.

    Returns:
        The pieces, and remarks that the user should hear, one line each.

    Raises:
        BadInput: nothing usable is there.
    """
    if path.suffix.lower() == ".json":
        items = [item for item in read_jsb(path) if item.name not in JSB_LEAKS]
        return items, ["train chorales 142 and 224 are left out: they largely repeat two of the valid split"]
    return read_midi_folder(path, seed=seed)


def read_jsb(path: Path) -> list[Item]:
    """The JSB Chorales on a sixteenth grid, as Coconet's authors published them (`Jsb16thSeparated.json`).

    Raises:
        BadInput: missing, or something else.
    """
    where = "it lies on GitHub in czhuang/JSB-Chorales-dataset"
    try:
        data = json.loads(path.read_text())
        return [
            Item(f"jsb-{split}-{i}", split, roll_of_voices(voices), voices=voices)
            for split in SPLITS
            for i, chorale in enumerate(data[split])
            for voices in [np.array(chorale, dtype=int)]
        ]
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); {where}") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadInput(f"{path} does not hold the JSB Chorales as Jsb16thSeparated.json does; {where}") from error


def read_midi_folder(
    path: Path,
    exclude: Collection[str] = (),
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> tuple[list[Item], list[str]]:
    """Any folder of MIDI files, or a zip file of one; Infinite Bach comes as the latter.

    A file somewhere under a folder `train`, `valid` or `test` belongs to that split. The others are shared out by a
    hash of their names, so that the same files make the same splits anywhere.

    Args:
        path: searched through all its folders.
        exclude: file names to leave out, such as those of pieces that another corpus keeps for its test. Infinite Bach
            holds settings that the JSB Chorales have under other names: match them by their notes.
        shares: of train, valid and test. From three files on, each share above 0 gets at least one.
        seed: another one gives other splits.

    Returns:
        The pieces in the order of their names, each from its first note on, and one line for each file that could not
        be used.

    Raises:
        BadInput: neither a folder nor a zip file, no usable MIDI file in it, or shares that do not add up to 1.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise BadInput(f"shares {shares} of train, valid and test: none may be negative, and together they must be 1")
    pieces: dict[str, Piece] = {}
    unusable: list[str] = []
    for name, data in _midi_files(path):
        if PurePosixPath(name).name not in exclude:
            try:
                pieces[name] = parse_midi(data, name)
            except BadInput as reason:
                unusable.append(str(reason))
    if not pieces:
        first = f"; the first: {unusable[0]}" if unusable else ""
        raise BadInput(f"{path} has no MIDI file that can be used{first}")
    splits = _splits(list(pieces), shares, seed)
    return [_item_of(name, splits[name], piece) for name, piece in pieces.items()], unusable


def _midi_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names within a folder or zip file, and contents, in the order of the names."""
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if _is_midi(file.name) and file.is_file():
                    yield file.relative_to(path).as_posix(), file.read_bytes()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    if _is_midi(PurePosixPath(name).name):
                        yield name, archive.read(name)
        else:
            raise BadInput(f"{path} is neither a folder nor a zip file; name one that holds MIDI files")
    # A zip file may be damaged, locked by a password, or packed in a way that Python cannot read.
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _is_midi(name: str) -> bool:
    return name.lower().endswith(MIDI) and not name.startswith(".")  # macOS packs a "._x.mid" beside "x.mid"


def _splits(names: Sequence[str], shares: tuple[float, float, float], seed: int) -> dict[str, str]:
    found = {}
    for name in names:
        folders = [folder for folder in PurePosixPath(name).parts[:-1] if folder in SPLITS]
        if folders:
            found[name] = folders[0]
    rest = sorted((name for name in names if name not in found), key=lambda name: _hash(name, seed))
    least = 1 if len(rest) >= len(SPLITS) else 0
    n_valid, n_test = (max(round(share * len(rest)), least if share else 0) for share in shares[1:])
    for i, name in enumerate(rest):
        found[name] = "valid" if i < n_valid else "test" if i < n_valid + n_test else "train"
    return found


def _hash(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()


def _item_of(name: str, split: str, piece: Piece) -> Item:
    first = min(note.steps.start for note in piece.notes if not piece.parts[note.part].is_drums)
    # A pickup may be a short bar of its own, so the beat is where most bars begin, not where the file does.
    beat, _ = Counter(start % STEPS_PER_BEAT for start in bar_starts(piece)).most_common(1)[0]
    return Item(
        name,
        split,
        roll_of_piece(piece, first, n_steps(piece) - first),
        beat_phase=int(first - beat) % STEPS_PER_BEAT,
    )


def write_prepared(items: list[Item], path: Path) -> None:
    """Write a corpus for the trainer, which reads it with NumPy alone.

    Raises:
        BadInput: the file cannot be written there.
    """
    cells = np.concatenate([item.cells.transpose(1, 0, 2) for item in items])
    voices = [item.voices for item in items if item.voices is not None]
    known: dict[str, Any] = {"voices": np.concatenate(voices).astype(np.int16)} if len(voices) == len(items) else {}
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            cells=np.packbits(cells, axis=-1),
            cells_shape=np.array(cells.shape),
            n_steps=np.array([item.cells.shape[1] for item in items]),
            beat_phase=np.array([item.beat_phase for item in items]),
            split=np.array([item.split for item in items]),
            name=np.array([item.name for item in items]),
            **known,
        )
