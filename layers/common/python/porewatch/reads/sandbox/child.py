"""The child process: limits, then one file after the other until the parent closes the socket."""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import resource
import signal
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from porewatch.domain.errors import NotJudged, PorewatchError
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.parent import (
    ALIVE,
    DATA,
    END,
    FAULT,
    FRAME,
)

MEMORY_BYTES = {"pod5": 3 * 2**30, "called": 12 * 2**30}
"""Memory that a reader may take beside what it was forked with. Arrow takes hold of more than it
uses; all reads that were called of one file (`called`) are held to be put in order."""
USUAL_MEMORY_BYTES = 2**30
CPU_S = 15.0
"""Seconds of the processor between two reads of a megabyte from the file."""
ALIVE_EVERY = 32 * 2**20
LARGEST_COPY = 32 * 2**30
"""Bytes of a file that the child may write: the copy that POD5's library needs."""
_STANDARD = (0, 1, 2)


def serve(line: socket.socket) -> None:
    """Answer until the parent closes its end. Never returns."""
    _let_go_of_everything_but(line.fileno())
    while True:
        head, sources, _, _ = socket.recv_fds(line, 4, 1)
        if not head or not sources:
            os._exit(0)
        head += _exactly(line, 4 - len(head))
        request = json.loads(_exactly(line, struct.unpack("<I", head)[0]))
        _answer(line, request["job"], request["request"], sources[0])


def _let_go_of_everything_but(line: int) -> None:
    """Ignore signals of the parent, and drop its files and connections (their descriptors stay
    taken, so that objects of the parent that close them here close nothing of ours)."""
    gc.disable()
    signal.set_wakeup_fd(-1)
    for left_to_the_parent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(left_to_the_parent, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in _open_numbers():
        if number not in (line, nothing):
            with suppress(OSError):
                os.dup2(nothing, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_COPY, LARGEST_COPY))
    gc.freeze()
    gc.enable()


def _open_numbers() -> list[int]:
    with suppress(OSError):
        return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return list(_STANDARD)


def _answer(line: socket.socket, job: str, request: dict[str, Any], source: int) -> None:
    module, _, name = job.partition(":")
    try:
        _limit_memory(MEMORY_BYTES.get(str(request.get("kind")), USUAL_MEMORY_BYTES))
        work = getattr(importlib.import_module(module), name)
        with io.BufferedReader(io.FileIO(source), 1 << 20) as opened:
            for frame in work(request, RawBytes(_Watched(opened, line))):
                _send(line, DATA, frame)
        _send(line, END, b"")
    except (BrokenPipeError, ConnectionError):
        os._exit(0)  # the parent stopped reading
    except PorewatchError as e:
        _send(line, FAULT, _packed(e))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as e:
        reason = f"{type(e).__name__}: {e}"[:300]
        _send(line, FAULT, _packed(NotJudged(f"The file could not be judged ({reason}).")))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


OUT_OF_MEMORY = 77
"""Exit code of a child that may have no more memory."""


class _Watched:
    """The file; each read is a sign of life and restarts the timer."""

    def __init__(self, source: io.BufferedReader[io.FileIO], line: socket.socket) -> None:
        self._source, self._line = source, line
        self._since = 0

    def read(self, size: int, /) -> bytes:
        signal.setitimer(signal.ITIMER_PROF, 0)
        chunk = self._source.read(size)
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        self._since += len(chunk)
        if self._since >= ALIVE_EVERY:
            self._since = 0
            _say_alive(self._line)
        return chunk


def _limit_memory(more: int) -> None:
    """Private memory, without mapped files."""
    with suppress(OSError, ValueError):
        status = Path("/proc/self/status").read_text("ascii").splitlines()
        held = next(line for line in status if line.startswith("VmData:"))
        limit = int(held.split()[1]) * 1024 + more
        resource.setrlimit(
            resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1])
        )


def _packed(error: PorewatchError) -> bytes:
    fault = {"class": type(error).__name__, "problem": error.problem, "file": error.file}
    where = {"record": error.record, "line": error.line, "remedy": error.remedy}
    return json.dumps(fault | where).encode()


_one_speaks = threading.Lock()
"""htslib reads the file in a thread of its own, beside the one that answers."""


def _send(line: socket.socket, tag: bytes, payload: bytes) -> None:
    with _one_speaks:
        line.sendall(FRAME.pack(tag, len(payload)) + payload)


def _say_alive(line: socket.socket) -> None:
    """Never waits: while the parent still sends the file, it does not listen, and whoever is in
    the middle of an answer is alive."""
    if _one_speaks.acquire(blocking=False):
        try:
            with suppress(BlockingIOError):
                line.send(FRAME.pack(ALIVE, 0), socket.MSG_DONTWAIT)
        finally:
            _one_speaks.release()


def _exactly(line: socket.socket, size: int) -> bytes:
    payload = b""
    while len(payload) < size:
        part = line.recv(size - len(payload))
        if not part:
            os._exit(0)
        payload += part
    return payload
