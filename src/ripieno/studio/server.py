"""The studio's server: HTTP and one WebSocket for each window, on this machine only.  (docs/studio-protocol.md)

Requests of a person are carried out at once, on a worker thread; what needs the model goes to the engine. Each window
has a sender of its own that reads the piece's entries from where it is, so that a slow one holds up nobody and a fast
one gets many entries in one message.

It answers to its own name and its own pages only. A page of another origin may not open the socket (a browser sends
`Origin`), and a name that somebody else's DNS leads here is refused (`Host`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.exceptions import HTTPException

import ripieno
from ripieno.errors import BadInput, NothingAllowed
from ripieno.models.runtime import Model, load_model
from ripieno.studio import messages as wire
from ripieno.studio.composition import MAX_BARS, MAX_NOTES, Composition, Refusal, RunningNow
from ripieno.studio.engine import Engine
from ripieno.studio.pieces import MAX_OPEN, MEDIA_TYPES, Pieces, check_file, formats
from ripieno.studio.staves import Staves
from ripieno.studio.store import DiskFull, Store, default_folder

if TYPE_CHECKING:
    from ripieno.studio.instrument import SoundFontTones

PORT = 8440
HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
EXAMPLE = Path(__file__).parent / "example.mid"

MAX_MESSAGE = 256 * 1024
MAX_UPLOAD = 8 * 1024 * 1024
MAX_WINDOWS = 64
PER_SECOND, BURST = 50, 100  # messages of a window
PATIENCE = 200  # messages over the limit in a row, after which a window is shown the door
HELLO_WITHIN = 10.0  # seconds
MODEL_WITHIN = 60.0

log = logging.getLogger("ripieno.studio")

_STATUS: dict[str, int] = {
    "unknown_piece": 404,
    "not_found": 404,
    "not_available": 404,
    "forbidden": 403,
    "too_large": 413,
    "too_many_pieces": 429,
    "not_ready": 503,
    "disk_full": 507,
    "bad_message": 422,
}


class Studio:
    """What the server serves: pieces, the engine, and who looks on.

    Args:
        store: where the pieces are kept.
        load: brings the model.
        current: the piece that the program was started with.
        instrument: what the page and saved sounds are played on; an organ unless given.
    """

    def __init__(
        self,
        store: Store,
        load: Callable[[], Model] = load_model,
        current: str | None = None,
        instrument: SoundFontTones | None = None,
    ) -> None:
        self.store = store
        self.instrument = instrument
        self.current = current
        self.opens: tuple[bytes, str] | None = None  # a file to be opened as soon as there is a model, and its name
        self.engine = Engine(load, self._loaded)
        self.pieces = Pieces(store, self.model, self._opened, None if instrument is None else instrument.path)
        self.staves = Staves()
        self.n_windows = 0
        self._has_model = threading.Event()
        self._is_loaded = threading.Event()

    def model(self) -> Model:
        """The model, as soon as it is loaded.

        Raises:
            Refusal: it could not be loaded.
        """
        self._has_model.wait(MODEL_WITHIN)
        if self.engine.model is None:
            raise Refusal("not_ready", str(self.engine.failure or "the model is still being loaded; try again soon"))
        return self.engine.model

    def current_piece(self) -> str | None:
        """The piece that the program was started with."""
        if self.opens is not None:
            self._is_loaded.wait(MODEL_WITHIN)
        return self.current

    def _loaded(self, failure: BadInput | None) -> None:
        self._has_model.set()
        try:
            if self.opens is not None and failure is None:
                self.current, _ = self.pieces.open_file(*self.opens)
        except BadInput as error:
            log.error("%s", error)
        self._is_loaded.set()

    def _opened(self, composition: Composition) -> None:
        composition.listeners.add(lambda message: self.engine.tell_voices(composition) if message is None else None)
        self.engine.tell_voices(composition)

    def health(self) -> wire.Health:
        """How it is."""
        state: Any = "ready" if self.engine.model else "missing" if self.engine.failure else "loading"
        text = str(
            self.engine.failure or (self.engine.model.name if self.engine.model else "the model is being loaded")
        )
        return wire.Health(
            protocol=wire.PROTOCOL,
            version=ripieno.__version__,
            model=state,
            text=text,
            formats=formats(),
            score=True,
            soundfont=None if self.instrument is None else self.instrument.path.name,
        )

    def limits(self) -> wire.Limits:
        """What it bears."""
        model = self.model()
        return wire.Limits(
            message_bytes=MAX_MESSAGE,
            messages_per_second=PER_SECOND,
            upload_bytes=MAX_UPLOAD,
            windows=MAX_WINDOWS,
            pieces=MAX_OPEN,
            notes=MAX_NOTES,
            bars=MAX_BARS,
            steps=wire.MAX_STEPS,
            lowest=model.lowest_pitch,
            highest=model.highest_pitch,
        )


# One window


@dataclass(eq=False)
class _Allowance:
    """How many messages a window may still send."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)
    n_refused: int = 0

    def takes_one(self) -> bool:
        now = time.monotonic()
        self.left = min(self.left + (now - self.at) * PER_SECOND, BURST)
        self.at = now
        if self.left < 1:
            self.n_refused += 1
            return False
        self.left -= 1
        self.n_refused = 0
        return True


class _Window:
    """One WebSocket."""

    def __init__(self, socket: WebSocket, studio: Studio) -> None:
        self._socket = socket
        self._studio = studio
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[wire.Message] = deque()
        self._wake = asyncio.Event()
        self._seq = 0  # of the last entry that was sent
        self._composition: Composition | None = None
        self._allowance = _Allowance()

    async def serve(self, piece: str) -> None:
        """Talk until one of the two leaves."""
        hello = await self._hello()
        if hello is None:
            return
        if self._studio.n_windows > MAX_WINDOWS:  # this one counted
            said = f"{MAX_WINDOWS} windows are open; close one first"
            await self._send(wire.Error(id=None, code="too_many_windows", text=said))
            await self._socket.close(1013)
            return
        try:
            composition = await asyncio.to_thread(self._studio.pieces.get, piece)
        except BadInput as error:
            code = error.code if isinstance(error, Refusal) else "bad_input"
            await self._send(wire.Error(id=None, code=code, text=str(error)))
            await self._socket.close(4404 if code == "unknown_piece" else 1013)
            return
        self._composition = composition
        await self._send(await asyncio.to_thread(self._join, composition, hello.seen))
        sending = asyncio.create_task(self._send_all(composition))
        receiving = asyncio.create_task(self._receive_all(composition))
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            with composition.lock:
                composition.listeners.discard(self._hear)
                composition.n_windows -= 1
            for task in (sending, receiving):
                task.cancel()
            for result in await asyncio.gather(sending, receiving, return_exceptions=True):
                expected = WebSocketDisconnect | asyncio.CancelledError | RuntimeError
                if isinstance(result, BaseException) and not isinstance(result, expected):
                    log.error("a window failed", exc_info=result)

    async def _hello(self) -> wire.Hello | None:
        """The first message; None if it is no hello, and the window was told so."""
        try:
            text = await asyncio.wait_for(self._receive(), HELLO_WITHIN)
            message = wire.CLIENT.validate_json(text)
        except TimeoutError:
            message = None
        except ValidationError as error:
            await self._send(_bad_message(error))
            message = None
        if not isinstance(message, wire.Hello):
            await self._send(wire.Error(id=None, code="hello_first", text="say hello first"))
        elif message.protocol != wire.PROTOCOL:
            text = f"this server speaks version {wire.PROTOCOL}, not {message.protocol}: load the page again"
            await self._send(wire.Error(id=None, code="wrong_protocol", text=text))
        else:
            return message
        await self._socket.close(1008)
        return None

    def _join(self, composition: Composition, seen: int | None) -> wire.Welcome:
        """Look on from now."""
        with composition.lock:
            if self._hear not in composition.listeners:
                composition.listeners.add(self._hear)
                composition.n_windows += 1
            missed = composition.since(seen)
            self._seq = composition.seq
            return wire.Welcome(
                protocol=wire.PROTOCOL,
                version=ripieno.__version__,
                piece=composition.id,
                seq=composition.seq,
                state=composition.state() if missed is None else None,
                entries=[wire.Entry.model_validate_json(entry) for _, entry in missed or []],
                run=composition.run_state,
                model_ready=True,
                limits=self._studio.limits(),
            )

    # Out

    def _hear(self, message: wire.Message | None) -> None:
        """Called by the piece on whatever thread changes it."""
        with contextlib.suppress(RuntimeError):  # the loop may be gone when the program ends
            self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: wire.Message | None) -> None:
        if isinstance(message, wire.Running | wire.Voices):  # only the newest counts
            for other in [one for one in self._outbox if type(one) is type(message)]:
                self._outbox.remove(other)
        if message is not None:
            self._outbox.append(message)
        self._wake.set()

    async def _send_all(self, composition: Composition) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if composition.closed_because is not None:
                code, why = composition.closed_because
                await self._send(wire.Error(id=None, code=code, text=why))
                await self._socket.close(4404 if code == "unknown_piece" else 1012)
                return
            messages = list(self._outbox)
            self._outbox.clear()
            entries = composition.since(self._seq)
            if entries is None:  # it fell too far behind
                await self._send(await asyncio.to_thread(self._join, composition, None))
            elif entries:
                self._seq = entries[-1][0]
                await self._socket.send_text(wire.entries_text(entry for _, entry in entries))
            for message in messages:
                await self._send(message)

    async def _send(self, message: wire.Message) -> None:
        await self._socket.send_text(message.model_dump_json())

    # In

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        return "" if text is None else text  # what is not text is no message

    async def _receive_all(self, composition: Composition) -> None:
        while True:
            text = await self._receive()
            if not self._allowance.takes_one():
                if self._allowance.n_refused > PATIENCE:
                    await self._socket.close(1008)
                    return
                said = f"more than {PER_SECOND} messages a second; this one was not read: wait a little"
                self._put(wire.Error(id=None, code="too_many_messages", text=said))
                continue
            if len(text) > MAX_MESSAGE:
                said = f"a message of {len(text):,} characters; {MAX_MESSAGE:,} at the most: do it in several"
                self._put(wire.Error(id=None, code="too_large", text=said))
                continue
            try:
                message = wire.CLIENT.validate_json(text)
            except ValidationError as error:
                self._put(_bad_message(error))
                continue
            if isinstance(message, wire.Hello):
                self._put(wire.Error(id=None, code="hello_first", text="hello is said once, and first"))
                continue
            try:
                answer = await asyncio.to_thread(self._carry_out, composition, message)
            except Exception as error:
                answer = _as_error(message.id, error)
            if answer is not None:
                self._put(answer)

    def _carry_out(self, composition: Composition, message: Any) -> wire.Message | None:
        """Do what a message asks; None if the answer comes later, from the engine.

        Raises:
            BadInput: it cannot be done.
        """
        engine = self._studio.engine
        with composition.lock:
            if composition.closed_because is not None:
                raise Refusal(*composition.closed_because)
            text: str | None = None
            match message:
                case wire.Edit():
                    text = composition.edit(message.id, message.remove, message.add)
                case wire.Undo():
                    text = composition.undo(message.id, message.batch, message.run)
                case wire.Redo():
                    text = composition.redo(message.id, message.batch, message.run)
                case wire.Lock():
                    text = composition.set_locks(message)
                case wire.SetRules():
                    text = composition.set_rules(message)
                case wire.SetTempo():
                    text = composition.set_tempo(message.id, message.bpm)
                case wire.Rename():
                    text = composition.rename(message.id, message.name)
                case wire.Lengthen():
                    text = composition.lengthen(message.id, message.bars)
                case wire.Accept():
                    text = composition.accept(message.id, message.suggestion)
                case wire.Refuse():
                    text = composition.refuse(message.id, message.suggestion)
                case wire.Take():
                    text = composition.take(message.id, message.alternative)
                case wire.Stop():
                    composition.stop_run()
                case wire.Run():
                    run = composition.begin_run(message)
                    engine.compose(composition, run, self._run_ended(composition, run))
                case wire.Suggest():
                    engine.ask(composition, composition.suggesting(message), self._answered(message.id))
                    return None
                case wire.Regenerate():
                    engine.ask(composition, composition.regenerating(message), self._answered(message.id))
                    return None
                case wire.AskDoubts():
                    engine.ask(composition, composition.doubting(message), self._answered(message.id))
                    return None
            return wire.Done(id=message.id, seq=composition.seq, text=text)

    def _answered(self, id: str) -> Callable[[Any, BaseException | None], None]:
        def finish(answer: Any, error: BaseException | None) -> None:
            self._hear(answer if error is None else _as_error(id, error))

        return finish

    @staticmethod
    def _run_ended(composition: Composition, run: RunningNow) -> Callable[[Any, BaseException | None], None]:
        def finish(answer: Any, error: BaseException | None) -> None:
            if error is not None:
                with composition.lock:
                    composition.fail_run(run, _as_error(run.id, error))

        return finish


def _bad_message(error: ValidationError) -> wire.Error:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not isinstance(part, str) or part.isidentifier())
    text = f"{where}: {first['msg']}" if where else first["msg"]
    return wire.Error(id=None, code="bad_message", text=" ".join(text.split())[:300])


def _as_error(id: str | None, error: BaseException) -> wire.Error:
    code: wire.ErrorCode = "internal"
    text = str(error)
    if isinstance(error, Refusal):
        code = error.code
    elif isinstance(error, DiskFull):
        code = "disk_full"
    elif isinstance(error, NothingAllowed):
        code = "nothing_allowed"
    elif isinstance(error, BadInput):
        code = "bad_input"
    else:
        log.error("a request failed", exc_info=error)
        text = "a fault of the server's; nothing was changed, and its log says more"
    return wire.Error(id=id, code=code, text=" ".join(text.split()))


# HTTP

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self' {sockets}; font-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Doorkeeper:
    """Lets in who asks for this server by its own name, from its own pages or from no page at all.

    Args:
        app: what is behind the door.
        port: that the server listens on.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], port: int) -> None:
        self._app = app
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        why = self._refusal(scope)
        if why is None:
            host = _headers(scope)["host"][0]
            await self._app(scope, receive, self._with_headers(send, host) if scope["type"] == "http" else send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            problem = wire.Problem(code="forbidden", text=why)
            response = Response(problem.model_dump_json(), 403, media_type="application/json")
            await response(scope, receive, self._with_headers(send, "127.0.0.1"))

    def _refusal(self, scope: Scope) -> str | None:
        headers = _headers(scope)
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "this server answers to 127.0.0.1 and localhost only"
        if len(origins) > 1 or (origins and origins[0].lower() not in {f"http://{host}" for host in self._hosts}):
            return "this server answers to its own pages only"
        site = headers.get("sec-fetch-site", ["none"])[0]
        is_visit = headers.get("sec-fetch-mode", [""])[0] == "navigate" and scope.get("method") == "GET"
        if site in ("cross-site", "same-site") and not (is_visit and scope["path"] == "/"):
            return "this server answers to its own pages only"
        return None

    @staticmethod
    def _with_headers(send: Send, host: str) -> Send:
        policy = POLICY.format(sockets=f"ws://{host}")
        extra = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-cache",
        }

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                has = {name.lower() for name, _ in message.get("headers", [])}
                new = [(name.encode(), text.encode()) for name, text in extra.items() if name.encode() not in has]
                message = {**message, "headers": [*message.get("headers", []), *new]}
            await send(message)

        return sending


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": wire.Problem} for status in (403, 422, *statuses)}


PieceId = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def make_app(studio: Studio) -> FastAPI:
    """The application; `Doorkeeper` goes around it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # a worker may wait for a piece's lock or for the disk, and a stop must not wait behind it
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_WINDOWS, "ripieno-worker"))
        studio.engine.start()
        yield
        await asyncio.to_thread(studio.engine.close)
        await asyncio.to_thread(studio.staves.close)

    app = FastAPI(
        title="Ripieno studio",
        version=ripieno.__version__,
        summary="Pieces over HTTP; everything else goes over a WebSocket (docs/studio-protocol.md).",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    _answer_problems(app)

    @app.get("/api/health", responses=_problems())
    def health() -> wire.Health:
        """Whether the server is up, and its model loaded."""
        return studio.health()

    @app.get("/api/protocol.json", responses=_problems())
    def protocol() -> dict[str, Any]:
        """The JSON Schema of the WebSocket's messages."""
        return wire.schema()

    @app.get("/api/pieces", responses=_problems())
    def recent() -> wire.Pieces:
        """Recent pieces, the newest first."""
        current = studio.current_piece()  # first: the file that the program was started with may still be opened
        return wire.Pieces(pieces=[studio.pieces.info(stored) for stored in studio.store.recent()], current=current)

    @app.post("/api/pieces", status_code=201, responses=_problems(400))
    def begin(asked: wire.NewPiece) -> wire.PieceOpened:
        """Begin an empty piece."""
        return _opened(studio, studio.pieces.begin(asked), [])

    @app.post(
        "/api/pieces/import",
        status_code=201,
        responses=_problems(400, 413),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def open_file(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=300)] = "piece.mid"
    ) -> wire.PieceOpened:
        """Open a file: MIDI, MusicXML, or a project with its history."""
        data = await _body(request)
        id, remarks = await asyncio.to_thread(studio.pieces.open_file, data, name)
        return _opened(studio, id, remarks)

    @app.get("/api/pieces/{piece}", responses=_problems(404))
    def one(piece: PieceId) -> wire.PieceInfo:
        """One piece of the list."""
        stored = studio.store.piece(piece)
        if stored is None:
            raise Refusal("unknown_piece", "there is no such piece; it may have been removed")
        return studio.pieces.info(stored)

    @app.delete("/api/pieces/{piece}", status_code=204, responses=_problems(404))
    def remove(piece: PieceId) -> None:
        """Forget a piece, its history too."""
        if not studio.pieces.remove(piece):
            raise Refusal("unknown_piece", "there is no such piece; it may have been removed already")

    @app.get(
        "/api/pieces/{piece}/export/{form}",
        response_class=Response,
        responses=_problems(400, 404)
        | {200: {"description": "The file.", "content": {kind: {} for kind in sorted(set(MEDIA_TYPES.values()))}}},
    )
    def save(piece: PieceId, form: Annotated[str, InPath(pattern=r"^[a-z]{1,16}$")]) -> Response:
        """Save a piece as a file."""
        data, filename = studio.pieces.save(piece, form)
        disposition = f"attachment; filename=\"piece.{form}\"; filename*=UTF-8''{quote(filename, safe='')}"
        return Response(data, media_type=MEDIA_TYPES[form], headers={"content-disposition": disposition})

    @app.get(
        "/api/pieces/{piece}/score.svg",
        response_class=Response,
        responses=_problems(400, 404) | {200: {"description": "The score.", "content": {"image/svg+xml": {}}}},
    )
    def score(piece: PieceId) -> Response:
        """The staff view, of the piece as it is now."""
        return Response(studio.staves.picture(studio.pieces.get(piece)), media_type="image/svg+xml")

    @app.get(
        "/api/sound/{pitch}",
        response_class=Response,
        responses=_problems(404) | {200: {"description": "A WAV file, mono.", "content": {"audio/wav": {}}}},
    )
    def tone(pitch: Annotated[int, InPath(ge=0, le=127)]) -> Response:
        """One tone of the SoundFont that the studio was started with."""
        if studio.instrument is None:
            raise Refusal("not_available", "no SoundFont was given: start the studio with --soundfont FILE")
        return Response(studio.instrument.tone(pitch), media_type="audio/wav")

    @app.websocket("/api/pieces/{piece}/socket")
    async def window(socket: WebSocket, piece: str) -> None:
        await socket.accept()
        studio.n_windows += 1
        try:
            await _Window(socket, studio).serve(piece)
        except (WebSocketDisconnect, RuntimeError) as error:
            log.debug("a window left: %s", error)
        finally:
            studio.n_windows -= 1

    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    return app


def _opened(studio: Studio, id: str, remarks: list[str]) -> wire.PieceOpened:
    stored = studio.store.piece(id)
    assert stored is not None  # it was stored a moment ago
    return wire.PieceOpened(piece=studio.pieces.info(stored), remarks=remarks)


async def _body(request: Request) -> bytes:
    """The whole body.

    Raises:
        Refusal: it is too large.
    """
    said = f"the file is larger than the {MAX_UPLOAD // 1024 // 1024} MB that the studio takes"
    if int(request.headers.get("content-length") or 0) > MAX_UPLOAD:
        raise Refusal("too_large", said)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_UPLOAD:
            raise Refusal("too_large", said)
    return bytes(data)


def _answer_problems(app: FastAPI) -> None:
    """Whatever goes wrong is answered with a `Problem`."""

    def problem(code: wire.ErrorCode, text: str, status: int) -> JSONResponse:
        return JSONResponse(wire.Problem(code=code, text=" ".join(text.split())).model_dump(), status)

    @app.exception_handler(BadInput)
    def bad_input(request: Request, error: BadInput) -> JSONResponse:
        said = _as_error(None, error)
        return problem(said.code, said.text, _STATUS.get(said.code, 400))

    @app.exception_handler(RequestValidationError)
    def bad_request(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem("bad_message", f"{where}: {first['msg']}", 422)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        code: wire.ErrorCode = "not_found" if error.status_code in (404, 405) else "bad_message"
        answer = problem(code, f"{request.method} {request.url.path}: {error.detail}", error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(sqlite3.Error)
    def broken_store(request: Request, error: sqlite3.Error) -> JSONResponse:
        log.error("the store failed", exc_info=error)
        return problem("disk_full", f"the pieces cannot be read or written now: {error}", 507)


# Started from the command line


def open_studio(
    file: Path | None = None,
    folder: Path | None = None,
    model: Path | None = None,
    soundfont: Path | None = None,
) -> Studio:
    """A studio over the pieces of a folder, with a file opened, or where the person was, or with the example.

    Args:
        file: a piece, or a project; None to go on with the piece changed last.
        folder: where the pieces are kept; this person's own unless given.
        model: a model file; the bundled one unless given.
        soundfont: an .sf2 or .sf3 file to be heard; a small organ unless given.

    Raises:
        BadInput: the file, the folder, the model or the SoundFont cannot be read.
    """
    data = _bytes_of(file or EXAMPLE)
    if file is not None:
        check_file(data, file.name)
    if model is not None:
        _bytes_of(model)  # what is not there is said now, what is damaged once it is loaded
    instrument = None
    if soundfont is not None:
        from ripieno.studio.instrument import SoundFontTones

        instrument = SoundFontTones(soundfont)
    store = Store((folder or default_folder()) / "studio.sqlite")
    studio = Studio(store, lambda: _load_to_stay(model), instrument=instrument)
    recent = store.recent(1)
    known = recent[0].id if file is None and recent else studio.pieces.with_file(data)
    if known is not None:
        studio.current = known
    else:
        studio.opens = data, (file or EXAMPLE).name
    return studio


def _load_to_stay(path: Path | None) -> Model:
    model = load_model(path)
    gc.freeze()  # modules and the model stay: what collects garbage, and stops everything, need not look at them again
    return model


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_UPLOAD and path.suffix != ".onnx":
            raise BadInput(f"{path.name} is larger than the {MAX_UPLOAD // 1024 // 1024} MB that the studio takes")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}; check its name and folder") from error


def listen(port: int) -> socket.socket:
    """Take a port of this machine.

    Raises:
        BadInput: it is in use; the message offers a free one.
    """
    if not 0 <= port < 65536:
        raise BadInput(f"--port {port}: give a number from 1024 to 65535")
    taken = _bind(port)
    if taken is not None:
        return taken
    free = next((other for other in range(port + 1, min(port + 100, 65536)) if _is_free(other)), 0)
    raise BadInput(f"port {port} is in use, by another studio perhaps; try --port {free}")


def _bind(port: int) -> socket.socket | None:
    # with the protocol named, asyncio sends small messages at once (TCP_NODELAY); without it, 40 ms later
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((HOST, port))
        one.listen(128)
    except OSError:
        one.close()
        return None
    return one


def _is_free(port: int) -> bool:
    taken = _bind(port)
    if taken is not None:
        taken.close()
    return taken is not None


def serve(studio: Studio, taken: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until the program is interrupted.

    Args:
        studio: what is served.
        taken: as `listen` gave it.
        ready: called with the address once the page can be loaded.
    """
    port = taken.getsockname()[1]
    app = Doorkeeper(make_app(studio), port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws_max_size=4 * MAX_MESSAGE,  # up to there it is answered, over it the connection ends
        ws_max_queue=32,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = _Server(config, lambda: ready(f"http://{HOST}:{port}/"))
    server.run(sockets=[taken])
    studio.store.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also say when it is done."""
        await super().startup(sockets)
        if self.started:
            self._ready()
