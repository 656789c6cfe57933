"""A process that engraves scores, beside which the model and the windows go on.

Engraving holds Python's lock from beginning to end, for seconds where a piece is long, so that a thread would not do.
The process loads the engraver and little else, works below everybody else's priority, and ends when its input does,
whatever has become of the server.
"""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from ripieno.errors import BadInput

PATIENCE = 30.0  # seconds


class Engraver:
    """A process that engraves, started when it is first needed and again when it has died."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def engrave(self, musicxml: str) -> str:
        """A score as SVG: one system, as long as need be.

        Raises:
            BadInput: it cannot be engraved, or takes too long.
        """
        with self._lock:
            if self._closing.is_set():
                raise BadInput("the studio is being closed")
            if self._process is not None and not self._process.is_alive():
                self._end()
            process, pipe = self._process, self._pipe
            if process is None or pipe is None:
                process, pipe = self._start()
            timer = threading.Timer(PATIENCE, process.kill)
            timer.start()
            try:
                pipe.send(musicxml)
                answer = pipe.recv()
            except (EOFError, OSError):
                self._end()
                raise BadInput(
                    "the piece could not be engraved, or not within "
                    f"{PATIENCE:.0f} seconds; save it as MusicXML and see what a notation program says"
                ) from None
            finally:
                timer.cancel()
        if isinstance(answer, BadInput):
            raise answer
        return str(answer)

    def close(self) -> None:
        """End the process."""
        self._closing.set()
        process = self._process
        if process is not None:
            process.kill()  # also if it is at work for somebody, who is told so
        with self._lock:
            self._end()

    def _start(self) -> tuple[SpawnProcess, Connection]:
        context = get_context("spawn")
        pipe, other = context.Pipe()
        process = context.Process(target=engrave_all, args=(other,), daemon=True)
        process.start()
        other.close()  # it is the process's now
        self._process, self._pipe = process, pipe
        if self._closing.is_set():  # meanwhile, when there was nothing to kill yet
            self._end()
            raise BadInput("the studio is being closed")
        return process, pipe

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def engrave_all(pipe: Connection) -> None:
    """Engrave what comes in, until no more does: an answer is a picture, or why there is none."""
    from ripieno.files.picture.score import engraved

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which then closes the pipe
    if hasattr(os, "nice"):
        os.nice(5)  # the model first
    while True:
        try:
            score = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(engraved(score, is_strip=True)[0])
        except BadInput as error:
            pipe.send(error)
