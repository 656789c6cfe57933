"""Corpora: where training and evaluation get their music.  (Paper 6.1)

A prepared corpus is one `.npz`:

cells        uint8 (step, plane, 16), the rolls end to end, eight pitches to a byte
cells_shape  int (3,), (step, plane, 128)
n_steps      int (piece,)
beat_phase   int (piece,), which sixteenth of its beat a piece begins on
split        str (piece,)
name         str (piece,)
voices       int16 (step, voice), who sings what, -1 a rest; only where it is known of some piece
onsets       bool (step, voice), where a voice strikes; only with the voices
n_voices     int (piece,), how many of the voices are a piece's own; 0 where it is not known who sings what
tells_onsets bool (piece,), whether the onsets are the piece's own; where not, repeated notes are joined
outline      int16 (step, 6), the fields of `music.outline.Outline`
tune_key     int16 (piece, 2), tonic and 1 for minor, as one would guess them of its top line alone
style        str (piece,), one of `music.styles.STYLES`, or empty
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.files.door import MIDI
from ripieno.files.metres import lines_by_number
from ripieno.files.midi import parse_midi
from ripieno.files.scores import Scores, key_of_tune, outline_of_piece
from ripieno.music.outline import Outline, unknown_outline
from ripieno.music.piece import Piece, bar_starts, n_steps, roll_of_piece
from ripieno.music.roll import STEPS_PER_BEAT, Cells, Voices, roll_of_voices, top_line
from ripieno.shapes import Bool
from ripieno.whole import whole_file

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Item:
    """One piece of a corpus.

    voices: int (step, voice), -1 silent, where the corpus knows them.
    onsets: where each of them strikes, where that is known; elsewhere repeated notes are joined.
    outline: what is known of its bars, phrases and key.
    style: one of `music.styles.STYLES`; empty where nobody said.
    """

    name: str
    split: str
    cells: Cells
    beat_phase: int = 0
    voices: Voices | None = None
    onsets: Bool[np.ndarray, "step voice"] | None = None
    outline: Outline | None = None
    style: str = ""


def read_corpus(
    path: Path, seed: int = 0, style: str = "", metres: Path | None = None, scores: Path | None = None
) -> tuple[list[Item], list[str]]:
    """Read whatever corpus lies at `path`: the JSB Chorales' JSON, or a folder or zip file of MIDI files.

    Args:
        path: a `.json` file is taken to be the JSB Chorales.
        seed: of the splits of a folder.
        style, metres: of a folder; see `read_midi_folder`.
        scores: a folder of scores of the chorales; see `files.scores`.

    Returns:
        The pieces, and remarks that the user should hear, one line each.

    Raises:
        BadInput: nothing usable is there.
    """
    if path.suffix.lower() == ".json":
        items = read_jsb(path)
        return (items if scores is None else with_scores(items, Scores(scores))), []
    return read_midi_folder(path, seed=seed, style=style, metres=metres)


def read_jsb(path: Path) -> list[Item]:
    """The JSB Chorales on a sixteenth grid, as Coconet's authors published them (`Jsb16thSeparated.json`).

    Raises:
        BadInput: missing, or something else.
    """
    where = "it lies on GitHub in czhuang/JSB-Chorales-dataset"
    try:
        data = json.loads(path.read_text())
        return [
            Item(f"jsb-{split}-{i}", split, roll_of_voices(voices), voices=voices, style="chorale")
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
    style: str = "",
    metres: Path | None = None,
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
        style: who writes so, one of `music.styles.STYLES`; empty for nobody that is known.
        metres: an ABC file that says where the lines of these hymns end; each file's name begins with its number.

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
    lines = {} if metres is None else lines_by_number(metres)
    return [_item_of(name, splits[name], piece, style, lines) for name, piece in pieces.items()], unusable


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


def _item_of(name: str, split: str, piece: Piece, style: str, lines: Mapping[int, list[int]]) -> Item:
    first = min(note.steps.start for note in piece.notes if not piece.parts[note.part].is_drums)
    # A pickup may be a short bar of its own, so the beat is where most bars begin, not where the file does.
    beat, _ = Counter(round(start) % STEPS_PER_BEAT for start in bar_starts(piece)).most_common(1)[0]
    length = n_steps(piece) - first
    voices, onsets = _voices_of(piece, first, length)
    number = PurePosixPath(name).name.partition("-")[0]
    return Item(
        name,
        split,
        roll_of_piece(piece, first, length),
        beat_phase=int(first - beat) % STEPS_PER_BEAT,
        voices=voices,
        onsets=onsets,
        outline=outline_of_piece(piece, first, length, lines.get(int(number)) if number.isdecimal() else None),
        style=style,
    )


def _voices_of(piece: Piece, first: int, length: int) -> tuple[Voices | None, Bool[np.ndarray, "step voice"] | None]:
    """Who sings what, and where each voice strikes, of a piece in four parts; of a chord in one part its top note."""
    parts = sorted({note.part for note in piece.notes if not piece.parts[note.part].is_drums})
    if len(parts) != 4:
        return None, None
    voices, onsets = np.full((length, 4), -1), np.zeros((length, 4), dtype=bool)
    for note in sorted(piece.notes, key=lambda note: note.pitch):
        if note.part in parts:
            steps = slice(max(note.steps.start - first, 0), note.steps.stop - first)
            voices[steps, parts.index(note.part)] = note.pitch
            onsets[steps.start, parts.index(note.part)] = True
    return voices, onsets


def with_scores(items: Sequence[Item], scores: Scores) -> list[Item]:
    """The items of a corpus of pitches, with what their scores say of them, where there are any."""
    told = []
    for item in items:
        placed = None if item.voices is None else scores.find(item.voices)
        told.append(item if placed is None else replace(item, onsets=placed.onsets, outline=placed.outline))
    return told


def without_repeats(items: Sequence[Item], share: float = 0.5) -> tuple[list[Item], list[str]]:
    """Leave out of the training split what largely repeats a piece of another, in whatever transposition.

    Args:
        items: of all splits.
        share: of the bars of either piece that the other has too, from which on it is left out.

    Returns:
        The items that stay, and a line that names those that do not.
    """
    bars = [_bars_of(item.cells) for item in items]
    judged = [(item, held) for item, held in zip(items, bars, strict=True) if item.split != "train" and held]
    kept: list[Item] = []
    left: list[Item] = []
    for item, held in zip(items, bars, strict=True):
        alike = [
            other.name
            for other, others in judged
            if item.split == "train" and held and len(held & others) > share * min(len(held), len(others))
        ]
        (left if alike else kept).append(item)
    names = ", ".join(item.name for item in left)
    return kept, [f"left out of training, since they largely repeat a piece kept apart: {names}"] if left else []


def _bars_of(cells: Cells) -> set[bytes]:
    """What sounds in every four quarters from a quarter on, above the lowest pitch of them; unisons are no bars."""
    found = set()
    sounding = cells[0]
    for first in range(0, sounding.shape[0] - 15, STEPS_PER_BEAT):
        bar = sounding[first : first + 16]
        pitches = np.flatnonzero(bar.any(axis=0))
        if len(pitches) > 4:
            found.add(np.packbits(bar[:, pitches[0] : pitches[-1] + 1]).tobytes())
    return found


def write_prepared(items: list[Item], path: Path) -> None:
    """Write a corpus for the trainer, which reads it with NumPy alone.

    Raises:
        BadInput: the file cannot be written there.
    """
    cells = np.concatenate([item.cells.transpose(1, 0, 2) for item in items])
    counts = [0 if item.voices is None else item.voices.shape[1] for item in items]
    known: dict[str, Any] = {}
    if max(counts):
        shape = cells.shape[0], max(counts)
        voices, onsets = np.full(shape, -1, dtype=np.int16), np.zeros(shape, dtype=bool)
        bounds = np.concatenate([[0], np.cumsum([item.cells.shape[1] for item in items])])
        for item, first, end, count in zip(items, bounds, bounds[1:], counts, strict=False):
            if item.voices is not None:
                voices[first:end, :count] = item.voices
                onsets[first:end, :count] = False if item.onsets is None else item.onsets
        known = {"voices": voices, "onsets": onsets, "n_voices": np.array(counts)}
    outlines = [item.outline or unknown_outline(item.cells.shape[1]) for item in items]
    keys = [key_of_tune(top_line(item.cells)) for item in items]
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            cells=np.packbits(cells, axis=-1),
            cells_shape=np.array(cells.shape),
            n_steps=np.array([item.cells.shape[1] for item in items]),
            beat_phase=np.array([item.beat_phase for item in items]),
            split=np.array([item.split for item in items]),
            name=np.array([item.name for item in items]),
            tells_onsets=np.array([item.onsets is not None for item in items]),
            outline=np.concatenate([np.stack(astuple(outline), axis=1) for outline in outlines]).astype(np.int16),
            tune_key=np.array([(key.tonic, key.mode == "minor") if key else (-1, -1) for key in keys], dtype=np.int16),
            style=np.array([item.style for item in items]),
            **known,
        )
