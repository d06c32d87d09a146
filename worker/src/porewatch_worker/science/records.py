"""The reads of one file, made from records that the check of files has judged sound.

Whatever the check refuses is refused here with the same words: both walk through the same records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.bam import Called, opened_bam
from porewatch.reads.fastq import sound_blocks
from porewatch.reads.header_limits import header_of
from porewatch.reads.headers import ReadHeader
from porewatch.reads.raw import RawBytes


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


Make = Callable[[], Read]


class Place:
    """How far a file is read, in bytes of the file."""

    def __init__(self) -> None:
        self.at: Callable[[], int] = int

    def until(self, more: bool, file: InputFile) -> int:
        """At its end, when there is no more, the whole of it (it is closed then)."""
        return self.at() if more else file.size


def records_of(path: Path, file: InputFile, place: Place) -> Iterator[Make]:
    """Each record as a call that makes its Read, so that passing over one costs little.

    Raises InputRefused naming file, record and line, as the check does.
    """
    with path.open("rb") as stream:
        raw = RawBytes(stream)
        place.at = lambda: raw.size
        yield from (_fastq if file.kind is ReadKind.FASTQ else _bam)(raw, file.path)


def _fastq(raw: RawBytes, name: str) -> Iterator[Make]:
    for block in sound_blocks(raw, name=name):
        for head, bases, quals in zip(block.heads, block.bases, block.quals, strict=True):
            yield lambda h=head, b=bases, q=quals: _read(header_of(h), b.decode("ascii"), q)  # type: ignore[misc]


def _bam(raw: RawBytes, name: str) -> Iterator[Make]:
    with opened_bam(raw, name=name) as reads:
        for read in reads:
            yield lambda read=read: _from_bam(read)  # type: ignore[misc]


def _from_bam(read: Called) -> Read:
    sequence = read.record.get_forward_sequence()
    values = read.qualities[::-1] if read.record.is_reverse else read.qualities
    return _read(read.header, sequence, (values + 33).tobytes())


def _read(header: ReadHeader, sequence: str, qualities: bytes) -> Read:
    return Read(
        id=header.id,
        sequence=in_capitals(sequence),
        qualities=qualities,
        barcode=header.barcode,
        start_time=header.start_time,
        channel=header.channel,
        duplex=header.duplex,
        alias=header.alias,
    )


def in_capitals(sequence: str) -> str:
    """DNA in capitals: `acgu` -> `ACGT`."""
    if not sequence.isupper():
        sequence = sequence.upper()
    return sequence.replace("U", "T") if "U" in sequence else sequence
