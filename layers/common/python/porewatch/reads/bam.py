"""BAM, aligned or not, streamed through pysam by a pipe: no copy on disk, any source.

Counted are primary records with sequence and quality; secondary and supplementary records repeat
reads and are passed over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from porewatch.domain.errors import InputRefused, NoReadsInside, Unavailable
from porewatch.reads.headers import from_tags
from porewatch.reads.raw import RawBytes
from porewatch.reads.summary import Tally

END_MARK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty BGZF block that closes every BAM file (SAM specification, section 4.1.2)."""

NOT_PRIMARY = 0x100 | 0x800
_COPY_AGAIN = "copy the file again from its source and compare the checksums."
_CHUNK = 1 << 20


def scan_bam(raw: RawBytes, *, name: str) -> Tally:
    """Check every record and count the primary ones. Raises InputRefused with the record."""
    _refuse_other_content(raw, name)
    tally = Tally()
    with _records(raw, name) as records:
        _count(records, tally, name)
    raw.drain()
    if not raw.tail.endswith(END_MARK):
        raise _cut_short(name, tally.reads + 1)
    if not tally.reads:
        raise NoReadsInside(
            "The file is empty: it holds no primary reads.",
            file=name,
            remedy="leave it out of the run, or send the file that was meant.",
        )
    return tally


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


def _count(records: Iterator[Any], tally: Tally, name: str) -> None:
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            if not record.flag & NOT_PRIMARY:
                _add(record, number, tally, name)
    except (OSError, ValueError) as e:
        raise _cut_short(name, number + 1) from e


def _add(record: Any, number: int, tally: Tally, name: str) -> None:
    quals = record.query_qualities
    if not record.query_length or quals is None:
        what = "sequence" if not record.query_length else "quality values"
        raise InputRefused(
            f"Read {record.query_name} has no {what}.",
            file=name,
            record=number,
            remedy="write the BAM again with the basecaller, keeping sequence and quality.",
        )
    header = from_tags(record.query_name, dict(record.get_tags()))
    tally.first = tally.first or header
    tally.lengths.append(record.query_length)
    tally.qualities += np.bincount(np.frombuffer(quals, dtype=np.uint8), minlength=256)
    if header.barcode:
        tally.count_barcode(header.barcode)


def _cut_short(name: str, record: int) -> InputRefused:
    return InputRefused(
        "The BAM data ends early or is damaged.", file=name, record=record, remedy=_COPY_AGAIN
    )


@contextmanager
def _records(raw: RawBytes, name: str) -> Iterator[Iterator[Any]]:
    """pysam's records, fed through a pipe by a thread (htslib wants a file descriptor)."""
    try:
        import pysam  # noqa: PLC0415  (only BAM needs it)
    except ImportError as e:
        raise Unavailable(
            "BAM cannot be checked here: pysam is not installed.",
            file=name,
            remedy="install pysam where the check runs.",
        ) from e
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
