"""Reads from FASTQ and BAM, streamed: dnaio with isal for FASTQ, pysam for BAM.

`read_units` cuts all files, in order, into numbered units of consecutive reads; where files are
small, a unit spans up to a hundred of them, so that their number makes few units and checkpoints.
Finished units are read and passed over: what they hold decides which later reads came before
(`seen_reads.py`). Sequences are DNA in capitals from here on: small letters and U are made so once,
when a read is made. A file that cannot be parsed is explained by the full check.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import dnaio
import numpy as np
import pysam
from isal import igzip, igzip_lib

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.check import check_stream
from porewatch.reads.headers import from_tags, parse_header
from porewatch.reads.naming import is_gzip_name
from porewatch_worker.science.seen_reads import SeenReads

MOST_FILES = 100
"""Files that share a unit, at most: a unit that must be given up takes no more of them with it."""

MOST_NAMED = 3
"""Files of a unit that a sentence names."""
NOT_PRIMARY = 0x100 | 0x800
_TO_ASCII = bytes(range(128)) + b"?" * 128


class Read(NamedTuple):
    """One read as sequenced, in capitals, T for U. `qualities` in ASCII as in FASTQ (Phred + 33),
    one byte a base. `alias`: the sample's name, where the header tells it; `again`: it came before.
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


class Part(NamedTuple):
    """Consecutive reads of one file, the first of them by number. `consumed`: how many bytes of the
    file were read for them (buffers included, so it is exact only over a whole file). `last`: the
    file ends with them."""

    file: InputFile
    reads: list[Read]
    first: int = 1
    consumed: int = 0
    last: bool = True


class Unit(NamedTuple):
    """Reads of one file or, where files are small, of several that follow each other."""

    parts: tuple[Part, ...]

    @property
    def consumed(self) -> int:
        """Bytes of its files that were read for it."""
        return sum(part.consumed for part in self.parts)

    @property
    def number_of_reads(self) -> int:
        return sum(len(part.reads) for part in self.parts)

    def stretches(self) -> tuple[str, ...]:
        """Which reads of which files, a text for each file."""
        return tuple(
            f"{part.file.path}, reads {part.first:,} to {part.first + len(part.reads) - 1:,}"
            for part in self.parts
        )

    def sentence(self) -> str:
        """The same in one line; of many files the first few."""
        told, more = self.stretches()[:MOST_NAMED], len(self.parts) - MOST_NAMED
        return "; ".join([*told, *([f"and {more:,} more files"] if more > 0 else [])])


def read_units(
    files: tuple[InputFile, ...],
    path: Callable[[str], Path],
    size: int,
    done: frozenset[int],
) -> Iterator[tuple[int, Unit]]:
    """(number from 1, unit of up to `size` reads) for units not in `done`, files in order.

    `path` gives the local place of a file. Raises InputRefused naming file, record and line.
    """
    number, unit = 0, _Growing(size)
    for part in _parts(files, path, unit):
        unit.add(part)
        if unit.room and len(unit.parts) < MOST_FILES:
            continue
        number += 1
        if number not in done:
            yield number, unit.whole()
        unit.clear()
    if unit.parts and number + 1 not in done:
        yield number + 1, unit.whole()


class _Growing:
    """A unit that has `room` for so many more reads, whatever it holds of files."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        self.room = self._size
        self.parts: list[Part] = []

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.room -= len(part.reads)

    def whole(self) -> Unit:
        return Unit(tuple(self.parts))


def _parts(
    files: tuple[InputFile, ...], path: Callable[[str], Path], unit: _Growing
) -> Iterator[Part]:
    """As many reads of a file at a time as the unit has room for."""
    seen = SeenReads()
    for place_of_file, file in enumerate(files):
        place = _Place()
        records = _Records(_records(path(file.path), file, place))
        first, begun = 1, 0
        while records.more:
            reads = [make() for make in records.take(unit.room)]
            reads = seen.marked(reads, place_of_file, file.barcode)
            at = place.until(records.more, file)
            yield Part(file, reads, first, at - begun, not records.more)
            first, begun = first + len(reads), at


class _Records:
    """Records of a file, looked one ahead to know where it ends."""

    def __init__(self, records: Iterator[Callable[[], Read]]) -> None:
        self._rest = records
        self._next = next(records, None)

    @property
    def more(self) -> bool:
        return self._next is not None

    def take(self, number: int) -> Iterator[Callable[[], Read]]:
        """Up to so many."""
        for _ in range(number):
            record = self._next
            if record is None:
                return
            # Made before the next one is looked at: a BAM reader fills the same record again.
            yield record
            self._next = next(self._rest, None)


class _Place:
    """How far a file is read, in bytes of the file."""

    def __init__(self) -> None:
        self.at: Callable[[], int] = int

    def until(self, more: bool, file: InputFile) -> int:
        """At its end, when there is no more, the whole of it (it is closed then)."""
        return self.at() if more else file.size


def _records(path: Path, file: InputFile, place: _Place) -> Iterator[Callable[[], Read]]:
    """Each record as a call that makes its Read, so that passing over one costs little."""
    opened = _fastq(path, place) if file.kind is ReadKind.FASTQ else _bam(path, place)
    try:
        yield from opened
    except (dnaio.FileFormatError, EOFError, OSError, ValueError, igzip_lib.IsalError) as e:  # type: ignore[misc]
        _explain(path, file)
        raise InputRefused(f"Reads cannot be parsed: {e}", file=file.path) from e


def _explain(path: Path, file: InputFile) -> None:
    with path.open("rb") as stream:
        check_stream(stream, kind=file.kind, name=file.path)


def _fastq(path: Path, place: _Place) -> Iterator[Callable[[], Read]]:
    with path.open("rb") as raw:
        place.at = raw.tell
        text: Any = igzip.open(raw, "rb") if is_gzip_name(path.name) else raw  # type: ignore[no-untyped-call]
        for record in dnaio.FastqReader(cast("BinaryIO", OnlyAscii(text))):
            yield lambda record=record: _from_fastq(record)  # type: ignore[misc]


class OnlyAscii(io.RawIOBase):
    """A stream of text in which every byte beyond ASCII reads `?`. The check takes headers in any
    encoding (sequence and quality lines are ASCII by then), and so must the reader."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer)).translate(_TO_ASCII)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def in_capitals(sequence: str) -> str:
    """DNA in capitals: `acgu` -> `ACGT`."""
    if not sequence.isupper():
        sequence = sequence.upper()
    return sequence.replace("U", "T") if "U" in sequence else sequence


def _from_fastq(record: Any) -> Read:
    header = parse_header(record.name)
    return Read(
        id=header.id,
        sequence=in_capitals(record.sequence),
        qualities=record.qualities_as_bytes(),
        barcode=header.barcode,
        start_time=header.start_time,
        channel=header.channel,
        duplex=header.duplex,
        alias=header.alias,
    )


def _bam(path: Path, place: _Place) -> Iterator[Callable[[], Read]]:
    with pysam.AlignmentFile(str(path), "rb", check_sq=False) as bam:
        place.at = lambda: bam.tell() >> 16  # of a virtual offset, the block's place in the file
        for record in bam.fetch(until_eof=True):
            if not record.flag & NOT_PRIMARY:
                yield lambda record=record: _from_bam(record)  # type: ignore[misc]


def _from_bam(record: Any) -> Read:
    quals = record.get_forward_qualities()
    if not record.query_length or quals is None:
        raise ValueError(f"read {record.query_name} has no sequence or no quality")
    header = from_tags(record.query_name, dict(record.get_tags()))
    return Read(
        id=header.id,
        sequence=in_capitals(record.get_forward_sequence()),
        qualities=(np.frombuffer(quals, dtype=np.uint8) + 33).tobytes(),
        barcode=header.barcode,
        start_time=header.start_time,
        channel=header.channel,
        duplex=header.duplex,
        alias=header.alias,
    )
