"""A child process that parses untrusted files, with limits on memory, time and output.

The parsers of BAM, POD5 and gzip are C libraries. A file that crashes one of them, makes it loop,
or makes it allocate all memory must not take down a function, a worker or a terminal: it ends the
child, and that is a verdict on the file. This protects against accidents; it is no jail for code
(the child has the rights of our user).

A child is forked once and serves many files: a fork costs some milliseconds, which would add up
over ten thousand small files. A file that kills a child is retried once in a fresh one unless the
child was fresh, so that no file is blamed for what an earlier one left behind. The child gets the
file as a descriptor and answers in frames; there is no shared memory (functions have none) and no
pickle (a broken child must not choose what its parent loads).
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from porewatch.domain.errors import (
    InputRefused,
    NoReadsInside,
    NotJudged,
    PorewatchError,
    ReaderCrashed,
    Unavailable,
)

FRAME = struct.Struct("<cI")
DATA, ALIVE, FAULT, END = b"d", b"a", b"f", b"e"
MOST_FRAME = 256 * 2**20
"""Bytes of one answer."""
SILENCE_S = 300.0
"""A child that reads on reports it every ALIVE_EVERY bytes; one that is silent for this long
hangs."""
FAULTS: dict[str, type[PorewatchError]] = {
    cls.__name__: cls
    for cls in (InputRefused, NoReadsInside, NotJudged, ReaderCrashed, Unavailable)
}


class Died(Exception):
    """The child died; the text says how."""


class Box:
    """One child, one file at a time. `used`: number of earlier files."""

    def __init__(self) -> None:
        mine, theirs = socket.socketpair()
        self.used = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock of ours
            self._child = os.fork()
        if self._child == 0:
            with suppress(BaseException):
                from porewatch.reads.sandbox.child import serve  # noqa: PLC0415  (only the child's)

                serve(theirs)
            os._exit(1)
        theirs.close()
        mine.settimeout(SILENCE_S)
        self._line = mine

    def ask(self, job: str, request: dict[str, Any], source: int) -> None:
        """Begin with a file. `job`: `module:function` of (request, RawBytes) -> frames; `source`: a
        descriptor that the child reads it from. Raises Died."""
        self.used += 1
        payload = json.dumps({"job": job, "request": request}).encode()
        try:
            socket.send_fds(self._line, [struct.pack("<I", len(payload)) + payload], [source])
        except OSError as e:
            raise Died(self.close()) from e

    def answers(self) -> Iterator[memoryview]:
        """The frames of the answer. Raises the child's refusal, or Died."""
        while True:
            tag, size = FRAME.unpack(self._exactly(FRAME.size))
            if size > MOST_FRAME:
                self.close()
                raise Died("an answer too long")
            payload = self._exactly(size)
            if tag == END:
                return
            if tag == FAULT:
                raise _fault(bytes(payload))
            if tag == DATA:
                yield payload

    def close(self) -> str:
        """Terminate the child. Returns how it ended, if it ended by itself."""
        self._line.close()
        ended, status = os.waitpid(self._child, os.WNOHANG) if self._child else (0, 0)
        if self._child and not ended:
            ended, status = _waited(self._child)
        self._child = 0
        code = os.waitstatus_to_exitcode(status)
        return signal.Signals(-code).name if code < 0 else f"exit {code}"

    def _exactly(self, size: int) -> memoryview:
        payload = memoryview(bytearray(size))
        there = 0
        while there < size:
            try:
                more = self._line.recv_into(payload[there:])
            except TimeoutError as e:
                os.kill(self._child, signal.SIGKILL)
                self.close()
                raise Died("standing still") from e
            except OSError:
                more = 0
            if not more:
                raise Died(self.close())
            there += more
        return payload


def _waited(child: int) -> tuple[int, int]:
    """A child whose line is closed leaves, unless it hangs in a library."""
    for _ in range(50):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return ended, status
        threading.Event().wait(0.01)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)


def _fault(payload: bytes) -> PorewatchError:
    fault = json.loads(payload)
    cls = FAULTS.get(fault.pop("class"), NotJudged)
    return cls(fault.pop("problem"), **fault)


class _Idle:
    """Idle children. A process forked from ours has its own."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._boxes: list[Box] = []
        self._lock = threading.Lock()

    def take(self, *, fresh: bool) -> Box:
        with self._lock:
            if self._boxes and not fresh:
                return self._boxes.pop()
            return Box()

    def give_back(self, box: Box) -> None:
        with self._lock:
            self._boxes.append(box)

    def close(self) -> None:
        with self._lock:
            while self._boxes:
                self._boxes.pop().close()


idle = _Idle()
os.register_at_fork(after_in_child=idle.forget)
atexit.register(idle.close)
