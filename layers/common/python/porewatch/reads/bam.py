"""BAM, aligned or not, streamed through pysam by a pipe: no copy on disk, any source.

Counted are primary records with sequence and quality; secondary and supplementary records repeat
reads and are passed over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

from porewatch.domain.bounds import HIGHEST_QUALITY, LONGEST_VALUE
from porewatch.domain.errors import InputRefused, NoReadsInside, Unavailable
from porewatch.reads.headers import TAGS, OutOfBounds, ReadHeader, from_tags
from porewatch.reads.raw import RawBytes
from porewatch.reads.summary import Tally

END_MARK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty BGZF block that closes every BAM file (SAM specification, section 4.1.2)."""

NOT_PRIMARY = 0x100 | 0x800
_WRITE_AGAIN = "write the BAM again with the basecaller."
_COPY_AGAIN = "copy the file again from its source and compare the checksums."
_CHUNK = 1 << 20


def scan_bam(raw: RawBytes, *, name: str) -> Tally:
    """Check every record and count the primary ones. Raises InputRefused with the record."""
    tally = Tally()
    with opened_bam(raw, name=name) as reads:
        for read in reads:
            _count(read, tally)
    if not tally.reads:
        raise NoReadsInside(
            "The file is empty: it holds no primary reads.",
            file=name,
            remedy="leave it out of the run, or send the file that was meant.",
        )
    return tally


@contextmanager
def opened_bam(raw: RawBytes, *, name: str) -> Iterator[Iterator[Called]]:
    """The primary records of a whole BAM, checked; its end is checked after the last of them.
    Raises InputRefused naming file and record."""
    _refuse_other_content(raw, name)
    with _records(raw, name) as records:
        yield _whole(records, raw, name)


def _whole(records: Iterator[Any], raw: RawBytes, name: str) -> Iterator[Called]:
    reads = 0
    for read in primary_reads(records, name=name):
        reads += 1
        yield read
    raw.drain()
    if not raw.tail.endswith(END_MARK):
        raise _cut_short(name, reads + 1)


def _count(read: Called, tally: Tally) -> None:
    tally.first = tally.first or read.header
    tally.take((len(read.qualities),), np.bincount(read.qualities))
    if read.header.barcode:
        tally.count_barcode(read.header.barcode)


def _refuse_other_content(raw: RawBytes, name: str) -> None:
    head = raw.peek(18)
    if not head:
        raise NoReadsInside("The file is empty.", file=name, remedy="send the file that was meant.")
    if head[:4] != END_MARK[:4] or head[12:14] != b"BC":
        raise InputRefused(
            "This is not BAM: it does not start with a BGZF block.",
            file=name,
            remedy="write it with the basecaller or with samtools view -b.",
        )


class Called(NamedTuple):
    """A primary record that is sound. `qualities`: Phred values of the bases as they stand in the
    file; `record` is filled again with the next one."""

    record: Any
    header: ReadHeader
    qualities: np.ndarray


def primary_reads(records: Iterator[Any], *, name: str) -> Iterator[Called]:
    """The primary records, in order, checked: what the check counts and what the screen reads, so
    that both give the same verdict. Raises InputRefused naming file and record."""
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            if not record.flag & NOT_PRIMARY:
                yield _sound(record, number, name)
    except OutOfBounds as e:
        raise InputRefused(str(e), file=name, record=number, remedy=_WRITE_AGAIN) from e
    except (OSError, ValueError, MemoryError) as e:
        raise _cut_short(name, number + 1) from e


def _sound(record: Any, number: int, name: str) -> Called:
    quals = record.query_qualities
    if not record.query_length or quals is None:
        what = "sequence" if not record.query_length else "quality values"
        raise InputRefused(
            f"Read {str(record.query_name)[:LONGEST_VALUE]} has no {what}.",
            file=name,
            record=number,
            remedy="write the BAM again with the basecaller, keeping sequence and quality.",
        )
    values = np.frombuffer(quals, dtype=np.uint8)
    if len(values) != record.query_length or bool((values > HIGHEST_QUALITY).any()):
        raise OutOfBounds(f"The quality holds a value beyond {HIGHEST_QUALITY}.")
    return Called(record, _header(record), values)


def _header(record: Any) -> ReadHeader:
    """Only the tags that are needed, each by its name: the walk over all tags trusts their lengths
    and leaves the record's memory when they lie."""
    name = str(record.query_name)
    if any(c < " " or c == "\x7f" for c in name):
        raise OutOfBounds("The read's name holds a control character.")
    tags: dict[str, object] = {}
    for tag in TAGS:
        with suppress(KeyError):
            tags[tag] = record.get_tag(tag)
    return from_tags(name, tags)


def _cut_short(name: str, record: int) -> InputRefused:
    return InputRefused(
        "The BAM data ends early or is damaged.", file=name, record=record, remedy=_COPY_AGAIN
    )


def require_library(name: str) -> None:
    """Raises Unavailable where BAM cannot be read."""
    try:
        import pysam  # noqa: F401, PLC0415  (loaded once, for all children that are forked later)
    except ImportError as e:
        raise Unavailable(
            "BAM cannot be checked here: pysam is not installed.",
            file=name,
            remedy="install pysam where the check runs.",
        ) from e


@contextmanager
def _records(raw: RawBytes, name: str) -> Iterator[Iterator[Any]]:
    """pysam's records, fed through a pipe by a thread (htslib wants a file descriptor)."""
    import pysam  # noqa: PLC0415  (only BAM needs it)

    quiet = pysam.set_verbosity(0)
    reader, writer = os.pipe()
    feeder = threading.Thread(target=_feed, args=(raw, writer), daemon=True)
    feeder.start()
    source = os.fdopen(reader, "rb", buffering=0)
    try:
        with pysam.AlignmentFile(source, "rb", check_sq=False) as bam:
            yield iter(bam.fetch(until_eof=True))
    except (OSError, ValueError) as e:
        raise _cut_short(name, 1) from e
    finally:
        source.close()
        feeder.join()
        pysam.set_verbosity(quiet)


def _feed(raw: RawBytes, writer: int) -> None:
    try:
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            while chunk := raw.read(_CHUNK):
                view = memoryview(chunk)
                while view:
                    view = view[pipe.write(view) or 0 :]
    except BrokenPipeError:
        return  # the reader has seen enough: it refused the file
