"""A process that engraves scores, beside which the model and the windows go on.

Engraving holds Python's lock from beginning to end, for seconds where a piece is long, so that a thread would not do.
The process loads the engraver and little else, works below everybody else's priority, and ends when its input does,
whatever has become of the server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from ripieno.errors import BadInput

PATIENCE = 30.0  # seconds


class Engraver:
    """A process that engraves, started when it is first needed and again when it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
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
            if self._process is not None and self._process.poll() is not None:
                self._end(self._process)
            if self._process is None:
                # -P: no module of the folder in which the studio was started takes another's place
                command = [sys.executable, "-P", "-m", __name__]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                if self._closing.is_set():  # meanwhile, when there was nothing to kill yet
                    self._end(self._process)
                    raise BadInput("the studio is being closed")
            process = self._process
            assert process.stdin is not None
            assert process.stdout is not None
            timer = threading.Timer(PATIENCE, process.kill)
            timer.start()
            try:
                _send(process.stdin, b"+", musicxml.encode())
                kind, answer = _receive(process.stdout)
            except (EOFError, OSError):
                self._end(process)
                raise BadInput(
                    "the piece could not be engraved, or not within "
                    f"{PATIENCE:.0f} seconds; save it as MusicXML and see what a notation program says"
                ) from None
            finally:
                timer.cancel()
        if kind == b"-":
            raise BadInput(answer.decode())
        return answer.decode()

    def close(self) -> None:
        """End the process."""
        self._closing.set()
        process = self._process
        if process is not None:
            process.kill()  # also if it is at work for somebody, who is told so
        with self._lock:
            if self._process is not None:
                self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent yet cannot be sent any more
                    pipe.close()
        self._process = None


# Between the two processes: a sign, the length in eight bytes, and so many bytes


def _send(pipe: IO[bytes], kind: bytes, data: bytes) -> None:
    pipe.write(kind + len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    head = pipe.read(9)
    if len(head) < 9:
        raise EOFError
    length = int.from_bytes(head[1:], "big")
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return head[:1], data


def main() -> None:
    """Engrave what comes in, until no more does."""
    from ripieno.files.picture.score import engraved

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which then closes the pipe
    if hasattr(os, "nice"):
        os.nice(5)  # the model first
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            _, score = _receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            _send(out, b"+", engraved(score.decode(), is_strip=True)[0].encode())
        except BadInput as error:
            _send(out, b"-", str(error).encode())


if __name__ == "__main__":
    main()
