"""Parse a file in the sandbox: a local file, or a stream that is piped to it."""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from porewatch.domain.errors import NotJudged, OutOfTime, PorewatchError, ReaderCrashed, Unavailable
from porewatch.reads.raw import ByteStream
from porewatch.reads.sandbox.child import (
    CPU_S,
    MEMORY_BYTES,
    OUT_OF_MEMORY,
    USUAL_MEMORY_BYTES,
)
from porewatch.reads.sandbox.parent import (
    SILENCE_S,
    Died,
    idle,
)

CHUNK = 1 << 20
_LEAVE_OUT = "leave it out, or write it again with the basecaller; keep this file for a bug report."


def of_file(path: Path, job: str, request: dict[str, Any]) -> Iterator[memoryview]:
    """The frames that `job` makes of a local file. Raises its refusal; ReaderCrashed when a fresh
    child dies of it."""
    given = 0
    for last in (False, True):
        box = idle.take(fresh=last)
        untouched, done = box.used == 0, False
        try:
            with path.open("rb") as source:
                box.ask(job, request, source.fileno())
            for number, frame in enumerate(box.answers()):
                if number >= given:
                    given += 1
                    yield frame
            done = True
        except Died as e:
            if last or untouched:
                raise _verdict(str(e), request) from e
            continue
        except PorewatchError:
            done = True
            raise
        finally:
            if done:
                idle.give_back(box)
            else:
                box.close()
        return


def of_stream(
    stream: ByteStream, job: str, request: dict[str, Any], *, seconds: float | None = None
) -> list[memoryview]:
    """The frames that `job` makes of a stream, which can be read only once: so it always gets a
    fresh child. Raises OutOfTime when the stream has not ended after `seconds`."""
    until = None if seconds is None else time.monotonic() + seconds
    box = idle.take(fresh=True)
    try:
        reading, writing = os.pipe()
        with suppress(OSError, AttributeError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, CHUNK)
        try:
            box.ask(job, request, reading)
        finally:
            os.close(reading)
        _pump(stream, writing, until)
        return list(box.answers())
    except Died as e:
        raise _verdict(str(e), request) from e
    finally:
        box.close()


def _pump(stream: ByteStream, writing: int, until: float | None) -> None:
    """Everything, until the child stops reading or time runs out."""
    os.set_blocking(writing, False)
    there = select.poll()
    there.register(writing, select.POLLOUT)
    try:
        while chunk := stream.read(CHUNK):
            if until is not None and time.monotonic() > until:
                raise OutOfTime("reading the file takes longer than a function may work.")
            view = memoryview(chunk)
            while view:
                if not there.poll(SILENCE_S * 1000):
                    raise Died(
                        "standing still"
                    )  # closing the pipe would look like the end of the file
                view = view[_written(writing, view) :]
    except BrokenPipeError:
        return
    finally:
        os.close(writing)


def _written(writing: int, view: memoryview) -> int:
    try:
        return os.write(writing, view)
    except BlockingIOError:
        return 0


def _verdict(how: str, request: dict[str, Any]) -> PorewatchError:
    name = request.get("name")
    if how == "SIGKILL":
        return Unavailable("the reader was killed from outside.", file=name)
    if how == f"exit {OUT_OF_MEMORY}":
        most = MEMORY_BYTES.get(str(request.get("kind")), USUAL_MEMORY_BYTES) >> 20
        problem = f"The file makes the reader ask for more than {most:,} MB of memory."
        return ReaderCrashed(problem, file=name, remedy=_LEAVE_OUT)
    if how in ("SIGPROF", "standing still"):
        problem = f"The file makes the reader work for {CPU_S:.0f} s on a megabyte, or stand still."
        return NotJudged(problem, file=name, remedy=_LEAVE_OUT)
    return ReaderCrashed(f"The file makes the reader crash: {how}.", file=name, remedy=_LEAVE_OUT)
