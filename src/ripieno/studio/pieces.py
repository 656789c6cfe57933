"""The pieces of a studio: begun, opened from files, kept, brought back, saved."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ripieno import export
from ripieno.document import Document, Origin
from ripieno.errors import BadInput
from ripieno.files import reader
from ripieno.models.runtime import Model
from ripieno.music.piece import Piece, n_steps, one_tempo
from ripieno.options import Options
from ripieno.studio import messages as wire
from ripieno.studio.composition import MAX_BARS, MAX_NOTES, Composition, Refusal
from ripieno.studio.store import Store, StoredPiece

MAX_OPEN = 32
PROJECT = "ripieno"  # the suffix of a project file
_PROJECT_VERSION = 1

MEDIA_TYPES = {
    "mid": "audio/midi",
    "png": "image/png",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "mxl": "application/vnd.recordare.musicxml",
    PROJECT: "application/json",
}


def formats() -> list[str]:
    """What a piece can be saved as."""
    written = [suffix.removeprefix(".") for suffix in export.SUFFIXES]
    return [name for name in MEDIA_TYPES if name in written or name == PROJECT]


class Pieces:
    """Everything that is open, over everything that is stored. Any thread may call it.

    Args:
        store: where they are kept.
        model: waits for the model, or says why there is none.
        opened: called with each piece that is opened.
        soundfont: what a piece that is saved as sound is played on; a small organ unless given.
    """

    def __init__(
        self,
        store: Store,
        model: Callable[[], Model],
        opened: Callable[[Composition], None],
        soundfont: Path | None = None,
    ) -> None:
        self.store = store
        self._soundfont = soundfont
        self._model = model
        self._opened = opened
        self._open: dict[str, Composition] = {}
        self._lock = threading.Lock()

    def is_open(self, id: str) -> bool:
        """Whether a window looks at a piece."""
        composition = self._open.get(id)
        return composition is not None and composition.n_windows > 0

    def get(self, id: str) -> Composition:
        """A piece, brought back from the store if it is not open.

        Raises:
            Refusal: there is no such piece, or too many are open.
            BadInput: it cannot be read.
        """
        model = self._model()
        with self._lock:
            found = self._open.get(id)
            if found is not None and found.closed_because is None:
                return found
            stored = self.store.piece(id)
            if stored is None:
                raise Refusal("unknown_piece", "there is no such piece; it may have been removed")
            self._open.pop(id, None)
            if len(self._open) >= MAX_OPEN:
                self._let_go_of_one()
            composition = self._brought_back(stored, model)
            self._open[id] = composition
        self._opened(composition)
        return composition

    def _let_go_of_one(self) -> None:
        """Forget an open piece that nobody looks at and that does not run; it stays in the store."""
        idle = (id for id, one in self._open.items() if one.n_windows == 0 and one.run is None)
        oldest = next(idle, None)
        if oldest is None:
            raise Refusal("too_many_pieces", f"{MAX_OPEN} pieces are open; close the window of one first")
        del self._open[oldest]

    def _brought_back(self, stored: StoredPiece, model: Model) -> Composition:
        document = _begun(stored.begun, stored.source, model)
        steps = self.store.steps(stored.id)
        return Composition(stored.id, stored.begun["name"], document, model, self.store, stored.begun, steps)

    def begin(self, asked: wire.NewPiece) -> str:
        """Begin an empty piece; its id.

        Raises:
            BadInput: there is no such meter or key.
        """
        name = " ".join(asked.name.split()) or "Untitled"
        begun = {"name": name, "bars": asked.bars, "meter": asked.meter, "key": asked.key, "bpm": asked.bpm}
        return self._add(begun, None, [])

    def open_file(self, data: bytes, filename: str) -> tuple[str, list[str]]:
        """Store a file's piece; its id, and what the person should hear about it.

        Raises:
            BadInput: it is not music, damaged, or too long.
        """
        filename = _plain_name(filename)
        if _is_project(data, filename):
            return self._open_project(data, filename), []
        digest = hashlib.sha256(data).hexdigest()
        begun = {"name": PurePosixPath(filename).stem[:200] or "Untitled", "filename": filename, "digest": digest}
        document = _begun(begun, data, self._model())
        if document.piece.name.strip():
            begun["name"] = document.piece.name.strip()[:200]
        return self._add(begun, data, []), list(document.reading.warnings)

    def _open_project(self, data: bytes, filename: str) -> str:
        begun, source, steps = _read_project(data, filename)
        return self._add(begun, source, steps)

    def _add(self, begun: dict[str, Any], source: bytes | None, steps: list[dict[str, Any]]) -> str:
        id = secrets.token_urlsafe(9).replace("-", "a").replace("_", "b")
        model = self._model()
        # what cannot be brought back is not stored
        composition = Composition(id, begun["name"], _begun(begun, source, model), model, self.store, begun, steps)
        composition.state()
        self.store.add(id, composition.name, begun, source, steps)
        return id

    def with_file(self, data: bytes) -> str | None:
        """The piece that was opened from a file with these bytes, if there is one: the one changed last."""
        digest = hashlib.sha256(data).hexdigest()
        return next((one.id for one in self.store.recent(1000) if one.begun.get("digest") == digest), None)

    def remove(self, id: str) -> bool:
        """Forget a piece. False: there was none."""
        with self._lock:
            composition = self._open.pop(id, None)
        if composition is not None:
            composition.close("unknown_piece", "the piece was removed")
        return self.store.remove(id)

    def info(self, stored: StoredPiece) -> wire.PieceInfo:
        """A line of the list of recent pieces."""
        return wire.PieceInfo(
            id=stored.id,
            name=stored.name,
            created=stored.created,
            changed=stored.changed,
            n_entries=stored.n_steps,
            is_open=self.is_open(stored.id),
        )

    def save(self, id: str, form: str) -> tuple[bytes, str]:
        """A piece as a file: its bytes and a name for it.

        Raises:
            Refusal: there is no such piece or format.
            BadInput: it cannot be written as that.
        """
        if form not in formats():
            raise Refusal("not_available", f"a piece cannot be saved as {form}; choose {', '.join(formats())}")
        composition = self.get(id)
        with composition.lock:
            document = composition.document  # which nobody changes
            name, begun, seq = composition.name, composition.begun, composition.seq
        filename = f"{_plain_name(name)}.{form}"
        if form == PROJECT:
            stored = self.store.piece(id)
            source = None if stored is None else stored.source
            return _project(begun, source, self.store.steps(id)[:seq]), filename
        with tempfile.TemporaryDirectory(prefix="ripieno-") as folder:
            path = Path(folder) / f"piece.{form}"
            export.save(document, path, soundfont=self._soundfont)
            return path.read_bytes(), filename


def _begun(begun: dict[str, Any], source: bytes | None, model: Model) -> Document:
    """The document that a piece begins from. Its options are asked for later, by rules.

    Raises:
        BadInput: the file is not music, damaged or too long; or there is no such meter or key.
    """
    window = (model.lowest_pitch, model.highest_pitch)
    if source is None:
        piece = Piece(notes=(), parts=(), tempos=one_tempo(begun["bpm"]), name=begun["name"])
        options = Options(meter=begun["meter"], key=begun["key"])
        origin = Origin(piece=piece, options=options, n_bars=begun["bars"], n_planes=2, window=window)
    else:
        filename = begun["filename"]
        piece = _read(source, filename)
        _check_size(piece, filename)
        origin = Origin(piece=piece, name=filename, n_planes=2, window=window)
    document = Document.begin(origin)
    length = document.reading.n_steps
    if length > wire.MAX_STEPS or document.reading.n_bars > MAX_BARS:
        raise Refusal(
            "too_many_bars",
            f"{begun['name']} has {document.reading.n_bars} bars and {length:,} sixteenths; the studio takes "
            f"{MAX_BARS} and {wire.MAX_STEPS:,} at the most: cut it first",
        )
    return document


def _read(data: bytes, filename: str) -> Piece:
    """The piece in a file."""
    with tempfile.TemporaryDirectory(prefix="ripieno-") as folder:
        suffix = ".mid" if data[:4] == b"MThd" else ""
        path = Path(folder) / (filename if filename.lower().endswith(suffix) else filename + suffix)
        path.write_bytes(data)
        try:
            return reader.read(path)
        except BadInput as error:
            raise BadInput(str(error).replace(str(path), filename)) from error


def check_file(data: bytes, filename: str) -> None:
    """Look into a file before there is a model to open it with.

    Raises:
        BadInput: it is neither music nor a project, or too long.
    """
    filename = _plain_name(filename)
    if _is_project(data, filename):
        _read_project(data, filename)
    else:
        _check_size(_read(data, filename), filename)


def _check_size(piece: Piece, filename: str) -> None:
    """What can be told of a piece's size before there is a model to open it with.

    Raises:
        Refusal: it has too many notes or is too long.
    """
    if len(piece.notes) > MAX_NOTES:
        raise Refusal(
            "too_many_notes", f"{filename} has {len(piece.notes):,} notes; the studio takes {MAX_NOTES:,} at the most"
        )
    first = min((note.steps.start for note in piece.notes), default=0)
    if n_steps(piece) - first > wire.MAX_STEPS:
        raise Refusal(
            "too_many_bars",
            f"{filename} lasts {n_steps(piece) - first:,} sixteenths; the studio takes {wire.MAX_STEPS:,} at the most: "
            "cut it first",
        )


def _is_project(data: bytes, filename: str) -> bool:
    return data[:1] == b"{" or filename.endswith(f".{PROJECT}")


def _project(begun: dict[str, Any], source: bytes | None, steps: list[dict[str, Any]]) -> bytes:
    held = {
        "format": "ripieno project",
        "version": _PROJECT_VERSION,
        "begun": begun,
        "source": None if source is None else base64.b64encode(source).decode("ascii"),
        "steps": steps,
    }
    return json.dumps(held, ensure_ascii=False, indent=1).encode()


def _read_project(data: bytes, filename: str) -> tuple[dict[str, Any], bytes | None, list[dict[str, Any]]]:
    """What is in a project file.

    Raises:
        BadInput: it is none, damaged, or of a newer version.
    """
    again = "open an earlier copy"
    try:
        held = json.loads(data)
        if not isinstance(held, dict) or held.get("format") != "ripieno project":
            raise BadInput(
                f"{filename} is neither music nor a project of Ripieno; expected MIDI, MusicXML or a project"
            )
        if held.get("version") != _PROJECT_VERSION:
            raise BadInput(f"{filename} has version {held.get('version')!r}, this program reads {_PROJECT_VERSION}")
        source = held.get("source")
        source = None if source is None else base64.b64decode(source, validate=True)
    except (UnicodeDecodeError, ValueError, RecursionError, binascii.Error, TypeError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{filename} is damaged: {str(error)[:80]}; {again}") from error
    begun, steps = held.get("begun"), held.get("steps")
    if not isinstance(begun, dict) or not isinstance(steps, list):
        raise BadInput(f"{filename} is damaged: it lacks its beginning or its history; {again}")
    try:
        if source is None:
            asked = wire.NewPiece.model_validate({key: begun.get(key) for key in wire.NewPiece.model_fields})
            begun = asked.model_dump()
        else:
            asked = wire.NewPiece.model_validate({"name": begun.get("name")})
            begun = {
                "name": asked.name,
                "filename": _plain_name(str(begun.get("filename", ""))),
                "digest": hashlib.sha256(source).hexdigest(),
            }
    except ValueError as error:
        raise BadInput(f"{filename} is damaged: its beginning does not fit; {again}") from error
    return begun, source, steps


def _plain_name(name: str) -> str:
    """A file's name without folders and without anything that a file system dislikes."""
    name = PurePosixPath(PureWindowsPath(name).name).name
    name = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]+', " ", name).strip(" .")
    while len(name.encode("utf-8", "replace")) > 120:
        name = name[:-1]
    return name.encode("utf-8", "ignore").decode() or "piece"
