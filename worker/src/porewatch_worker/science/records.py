"""The reads of one file, from records that passed the check of files.

What the check refuses is refused here with the same message: both use the same records.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.bam import Called, opened_bam, require_library
from porewatch.reads.fastq import sound_blocks
from porewatch.reads.header_limits import header_of
from porewatch.reads.headers import ReadHeader
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.run import of_file


class Read(NamedTuple):
    """One read as sequenced, in capitals, T for U. `qualities` in ASCII as in FASTQ (Phred + 33),
    one byte a base. `alias`: the sample's name, if in the header; `again`: a repeat of an earlier
    read.
    """

    id: str
    sequence: str
    qualities: bytes
    barcode: str | None = None
    start_time: datetime | None = None
    channel: int | None = None
    duplex: int | None = None  # as ReadHeader has it
    alias: str | None = None
    again: bool = False


Make = Callable[[], Read]
READS = f"{__name__}:served"
HEAD = struct.Struct("<I")
FRAME_BASES, FRAME_READS = 1_000_000, 500
"""Bases and reads of one answer of the child, about."""


CAPITALS = bytes.maketrans(b"acgtnuU", b"ACGTNTT")
"""Every base that the check lets through, as DNA in capitals."""


class Place:
    """How far a file is read, in bytes of the file. The child process reads ahead: between its
    frames the position is interpolated from the bases handed out."""

    def __init__(self) -> None:
        self.at = 0

    def until(self, more: bool, file: InputFile) -> int:
        """At its end, when there is no more, the whole of it (it is closed then)."""
        return self.at if more else file.size


def records_of(path: Path, file: InputFile, place: Place) -> Iterator[Make]:
    """Each record as a call that gives its Read. The file is read in a box
    (`reads/sandbox/parent.py`).

    Raises InputRefused naming file, record and line, as the check does.
    """
    if file.kind is ReadKind.BAM:
        require_library(file.path)
    begin = 0
    for frame in of_file(path, READS, {"kind": file.kind.value, "name": file.path}):
        end, bases, reads = unpacked(frame)
        done = 0
        for read in reads:
            done += len(read.sequence)
            place.at = begin + (end - begin) * done // max(bases, 1)
            yield lambda read=read: read  # type: ignore[misc]
        begin = end


def served(request: dict[str, Any], raw: RawBytes) -> Iterator[bytes]:
    """In the child process: the reads of the file, some thousand a frame."""
    opened = _fastq if request["kind"] == ReadKind.FASTQ else _bam
    reads: list[Read] = []
    bases = 0
    for make in opened(raw, request["name"]):
        reads.append(make())
        bases += len(reads[-1].sequence)
        if bases >= FRAME_BASES or len(reads) >= FRAME_READS:
            yield packed(raw.size, reads)
            reads, bases = [], 0
    if reads:
        yield packed(raw.size, reads)


def packed(at: int, reads: list[Read]) -> bytes:
    """Reads as one frame: a line of JSON about each, all sequences, all qualities."""
    fields = [
        [r.id, len(r.sequence), r.barcode, _moment(r), r.channel, r.duplex, r.alias] for r in reads
    ]
    head = json.dumps((at, fields)).encode()
    sequences = "".join(r.sequence for r in reads).encode("ascii")
    return b"".join((HEAD.pack(len(head)), head, sequences, *(r.qualities for r in reads)))


def _moment(read: Read) -> str | None:
    return read.start_time.isoformat() if read.start_time else None


def unpacked(frame: memoryview) -> tuple[int, int, Iterator[Read]]:
    """(how far the file was read, bases of its next reads, those reads)."""
    size = HEAD.unpack_from(frame)[0]
    at, fields = json.loads(bytes(frame[HEAD.size : HEAD.size + size]))
    rest = frame[HEAD.size + size :]
    return int(at), len(rest) // 2, _reads_of(fields, rest)


def _reads_of(fields: list[Any], rest: memoryview) -> Iterator[Read]:
    half = len(rest) // 2
    sequences, first = str(rest[:half], "ascii"), 0
    for name, length, barcode, start, channel, duplex, alias in fields:
        last = first + length
        yield Read(
            id=name,
            sequence=sequences[first:last],
            qualities=bytes(rest[half + first : half + last]),
            barcode=barcode,
            start_time=datetime.fromisoformat(start) if start else None,
            channel=channel,
            duplex=duplex,
            alias=alias,
        )
        first = last


def _fastq(raw: RawBytes, name: str) -> Iterator[Make]:
    for block in sound_blocks(raw, name=name):
        for head, bases, quals in zip(block.heads, block.bases, block.quals, strict=True):
            yield lambda h=head, b=bases, q=quals: _read(header_of(h), in_capitals(b), q)  # type: ignore[misc]


def _bam(raw: RawBytes, name: str) -> Iterator[Make]:
    with opened_bam(raw, name=name) as reads:
        for read in reads:
            yield lambda read=read: _from_bam(read)  # type: ignore[misc]


def _from_bam(read: Called) -> Read:
    sequence = read.record.get_forward_sequence()  # BAM has capitals only, and no U
    values = read.qualities[::-1] if read.record.is_reverse else read.qualities
    return _read(read.header, sequence, (values + 33).tobytes())


def _read(header: ReadHeader, sequence: str, qualities: bytes) -> Read:
    return Read(
        id=header.id,
        sequence=sequence,
        qualities=qualities,
        barcode=header.barcode,
        start_time=header.start_time,
        channel=header.channel,
        duplex=header.duplex,
        alias=header.alias,
    )


def in_capitals(sequence: bytes) -> str:
    """DNA in capitals: `acgu` -> `ACGT`."""
    return sequence.translate(CAPITALS).decode("ascii")
