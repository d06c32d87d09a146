"""The one check for every kind of file: read it whole, and return its summary.

Files are parsed in a sandbox (`reads.sandbox`): whatever a file does to its parser is a verdict on
it.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads import pod5 as signal
from porewatch.reads.bam import require_library, scan_bam
from porewatch.reads.fastq import scan_fastq
from porewatch.reads.naming import kind_of
from porewatch.reads.pod5_count import Part
from porewatch.reads.raw import ByteStream, RawBytes
from porewatch.reads.sandbox.run import (
    of_file,
    of_stream,
)
from porewatch.reads.summary import ReadsSummary

CHECK = f"{__name__}:checked"


def check_stream(
    stream: ByteStream,
    *,
    kind: ReadKind,
    name: str,
    size: int | None = None,
    part: Part | None = None,
    seconds: float | None = None,
) -> ReadsSummary:
    """Read `stream` to its end, once, and check every byte.

    `name` is how messages call the file; its suffix says whether gzip is expected. `size` is the
    size the store announced: fewer bytes mean a broken transfer (Unavailable), not a bad file.
    `part` fetches a piece of the same file: signal is counted by it where its library is missing.
    Raises InputRefused naming the file, record, line and remedy; OutOfTime after `seconds`.
    """
    counted = _Counted(stream)
    until = math.inf if seconds is None else time.monotonic() + seconds
    try:
        [answer] = of_stream(counted, CHECK, _request(kind, name), seconds=seconds)
    except InputRefused:
        if counted.drained(until):
            _refuse_short_transfer(counted.size, name, size)
        raise
    _refuse_short_transfer(counted.size, name, size)
    summary = ReadsSummary.model_validate_json(bytes(answer))
    if summary.counted or part is None:
        return summary
    reads = signal.counted_by_footer(part, summary.size, name=name)
    return summary.model_copy(update={"counted": reads is not None, "reads": reads or 0})


def check_file(path: Path | str) -> ReadsSummary:
    """`check_stream` on a local file; the kind comes from its name, messages give its whole path
    (every barcode's folder may hold a file of the same name)."""
    path = Path(path)
    request = _request(kind_of(path.name), str(path))
    try:
        [answer] = of_file(path, CHECK, request)
    except FileNotFoundError as e:
        raise InputRefused(
            "There is no such file.", file=str(path), remedy="check the name."
        ) from e
    return ReadsSummary.model_validate_json(bytes(answer))


def _request(kind: ReadKind, name: str) -> dict[str, Any]:
    if kind is ReadKind.BAM:
        require_library(name)
    library = kind is ReadKind.POD5 and signal.library_present()
    return {"kind": kind.value, "name": name, "library": library}


def checked(request: dict[str, Any], raw: RawBytes) -> Iterator[bytes]:
    """In the child process: one frame, the summary."""
    yield _scan(request, raw).model_dump_json().encode()


def _scan(request: dict[str, Any], raw: RawBytes) -> ReadsSummary:
    name, kind = request["name"], ReadKind(request["kind"])
    if kind is ReadKind.POD5:
        return _scan_signal(raw, name, library=request["library"])
    tally = scan_fastq(raw, name=name) if kind is ReadKind.FASTQ else scan_bam(raw, name=name)
    raw.drain()
    return tally.summary(name=name, kind=kind, size=raw.size, sha256=raw.sha256())


def _scan_signal(raw: RawBytes, name: str, *, library: bool) -> ReadsSummary:
    """POD5. Its library needs a file, so a copy is kept only where the library can use it."""
    if not library:
        signal.scan_pod5(raw, name=name)
        return ReadsSummary(
            name=name, kind=ReadKind.POD5, size=raw.size, sha256=raw.sha256(), counted=False
        )
    with tempfile.NamedTemporaryFile(suffix=".pod5") as copy:
        kept = RawBytes(_Copying(raw, copy))
        signal.scan_pod5(kept, name=name)
        copy.flush()
        counted = signal.read_pod5(Path(copy.name), name=name)
    return ReadsSummary(
        name=name,
        kind=ReadKind.POD5,
        size=raw.size,
        sha256=raw.sha256(),
        reads=counted.reads,
        sequencing=counted.sequencing,
    )


class _Copying:
    """A stream that writes what it gives to a file as well."""

    def __init__(self, stream: ByteStream, copy: tempfile._TemporaryFileWrapper[bytes]) -> None:
        self._stream = stream
        self._copy = copy

    def read(self, size: int, /) -> bytes:
        chunk = self._stream.read(size)
        self._copy.write(chunk)
        return chunk


class _Counted:
    """A stream and how many bytes it gave."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int, /) -> bytes:
        chunk = self._stream.read(size)
        self.size += len(chunk)
        return chunk

    def drained(self, until: float) -> bool:
        """Whether the end came before that moment; what arrived by then was enough to refuse."""
        while self.read(1 << 20):
            if time.monotonic() > until:
                return False
        return True


def _refuse_short_transfer(arrived: int, name: str, size: int | None) -> None:
    if size is not None and arrived < size:
        raise Unavailable(
            f"Only {arrived} of {size} bytes arrived.", file=name, remedy="read the file again."
        )
