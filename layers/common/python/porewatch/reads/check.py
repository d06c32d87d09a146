"""One door for every kind of file: check it whole, and say what is in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads import pod5 as signal
from porewatch.reads.bam import scan_bam
from porewatch.reads.fastq import scan_fastq
from porewatch.reads.naming import kind_of
from porewatch.reads.pod5_count import Part
from porewatch.reads.raw import ByteStream, RawBytes
from porewatch.reads.summary import ReadsSummary


def check_stream(
    stream: ByteStream,
    *,
    kind: ReadKind,
    name: str,
    size: int | None = None,
    part: Part | None = None,
) -> ReadsSummary:
    """Read `stream` to its end, once, and check every byte.

    `name` is how messages call the file; its suffix says whether gzip is expected. `size` is the
    size the store announced: fewer bytes mean a broken transfer (Unavailable), not a bad file.
    `part` fetches a piece of the same file: signal is counted by it where its library is missing.
    Raises InputRefused naming the file, record, line and remedy.
    """
    raw = RawBytes(stream)
    try:
        summary = _scan(raw, kind, name, part)
    except InputRefused:
        raw.drain()
        _refuse_short_transfer(raw, name, size)
        raise
    _refuse_short_transfer(raw, name, size)
    return summary


def check_file(path: Path | str) -> ReadsSummary:
    """`check_stream` on a local file; the kind comes from its name, messages give its whole path
    (every barcode's folder may hold a file of the same name)."""
    path = Path(path)
    kind = kind_of(path.name)
    try:
        with path.open("rb") as stream:
            return check_stream(stream, kind=kind, name=str(path), size=path.stat().st_size)
    except FileNotFoundError as e:
        raise InputRefused(
            "There is no such file.", file=str(path), remedy="check the name."
        ) from e


def _scan(raw: RawBytes, kind: ReadKind, name: str, part: Part | None) -> ReadsSummary:
    if kind is ReadKind.POD5:
        return _scan_signal(raw, name, part)
    tally = scan_fastq(raw, name=name) if kind is ReadKind.FASTQ else scan_bam(raw, name=name)
    raw.drain()
    return tally.summary(name=name, kind=kind, size=raw.size, sha256=raw.sha256())


def _scan_signal(raw: RawBytes, name: str, part: Part | None) -> ReadsSummary:
    """POD5. Its library needs a file, so a copy is kept only where the library can use it; without
    it the footers are asked for the number of reads."""
    if not signal.library_present():
        signal.scan_pod5(raw, name=name)
        reads = signal.counted_by_footer(part, raw.size, name=name) if part else None
        return ReadsSummary(
            name=name,
            kind=ReadKind.POD5,
            size=raw.size,
            sha256=raw.sha256(),
            counted=reads is not None,
            reads=reads or 0,
        )
    with tempfile.NamedTemporaryFile(suffix=".pod5") as copy:
        kept = RawBytes(_Copying(raw, copy))
        signal.scan_pod5(kept, name=name)
        copy.flush()
        reads, sequencing = signal.read_pod5(Path(copy.name), name=name)
    return ReadsSummary(
        name=name,
        kind=ReadKind.POD5,
        size=raw.size,
        sha256=raw.sha256(),
        reads=reads,
        sequencing=sequencing,
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


def _refuse_short_transfer(raw: RawBytes, name: str, size: int | None) -> None:
    if size is not None and raw.size < size:
        raise Unavailable(
            f"Only {raw.size} of {size} bytes arrived.", file=name, remedy="read the file again."
        )
