"""FASTQ, checked to the last byte in one streaming pass.

Order: undo gzip (isal) -> blocks of whole records -> quick checks on a whole block at once ->
only when one fails, find the record and line at fault (`explain`). A block is checked by joining
its lines: alphabets by `bytes.translate`, qualities by counting pairs of symbols, which also gives
the mean error. Memory is a few blocks, whatever the file's size.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import IO

import numpy as np
from isal import igzip, igzip_lib

from porewatch.domain.errors import InputRefused, NoReadsInside
from porewatch.reads.fastq_faults import BASES, explain, explain_end
from porewatch.reads.headers import barcode_in, parse_header
from porewatch.reads.naming import is_gzip_name
from porewatch.reads.raw import RawBytes
from porewatch.reads.summary import Tally

BLOCK = 1 << 20
LONGEST_RECORD = 1 << 26
"""64 MiB: sixteen times the longest nanopore record on record (4.2 Mb, two lines of it)."""

_GZIP = b"\x1f\x8b"
_COPY_AGAIN = "copy the file again from its source and compare the checksums."
_PAIRS = 1 << 16


def scan_fastq(raw: RawBytes, *, name: str) -> Tally:
    """Check every record and count. Raises InputRefused naming file, record and line."""
    tally = Tally()
    for lines, complete in _records(_plain(raw, name, tally), name, tally):
        if not complete:
            explain_end(lines, tally.reads + 1, name)
        _take(lines, tally, name)
    if not tally.reads:
        raise NoReadsInside(
            "The file is empty: it holds no reads.",
            file=name,
            remedy="leave it out of the run, or send the file that was meant.",
        )
    return tally


def _plain(raw: RawBytes, name: str, tally: Tally) -> Iterator[bytes]:
    """Blocks of the uncompressed text."""
    packed = raw.peek(2) == _GZIP
    if packed != is_gzip_name(name) and raw.peek(1):
        content, suffix = ("gzip data", ".fastq.gz") if packed else ("no gzip data", ".fastq")
        raise InputRefused(
            f"The file holds {content}, and its name says otherwise.",
            file=name,
            remedy=f"rename it to end in {suffix}, or send the file that was meant.",
        )
    if not packed:
        while block := raw.read(BLOCK):
            yield block
        return
    yield from _unzipped(raw, name, tally)


def _unzipped(raw: RawBytes, name: str, tally: Tally) -> Iterator[bytes]:
    unzip: IO[bytes] = igzip.open(raw, "rb")  # type: ignore[no-untyped-call]
    while True:
        try:
            block = unzip.read(BLOCK)
        except EOFError as e:
            raise _gzip_fault(
                "The gzip data ends early: the file is cut short.", name, tally
            ) from e
        except gzip.BadGzipFile as e:
            follows = "Not a gzipped file" in str(e)  # the first two bytes were right: see _plain
            problem = (
                "Something that is not gzip follows the end of the gzip data."
                if follows
                else "The gzip checksum does not match: the file was damaged on its way."
            )
            raise _gzip_fault(problem, name, tally) from e
        except igzip_lib.IsalError as e:  # type: ignore[misc]  # the stub has an instance
            raise _gzip_fault("The gzip data is damaged.", name, tally) from e
        if not block:
            return
        yield block


def _gzip_fault(problem: str, name: str, tally: Tally) -> InputRefused:
    record = tally.reads + 1
    return InputRefused(problem, file=name, record=record, line=4 * record - 3, remedy=_COPY_AGAIN)


def _records(
    blocks: Iterator[bytes], name: str, tally: Tally
) -> Iterator[tuple[list[bytes], bool]]:
    """Lines of whole records, and at the very end what is left of a broken one."""
    carry = b""
    for block in blocks:
        lines = (carry + block).split(b"\n")
        rest = lines[len(lines) - 1 - (len(lines) - 1) % 4 :]
        carry = b"\n".join(rest)
        if len(carry) > LONGEST_RECORD:
            explain(rest[:-1], tally.reads + len(lines) // 4 + 1, name, partial=True)
            raise InputRefused(
                f"A record is longer than {LONGEST_RECORD} bytes: no sequencer writes that.",
                file=name,
                record=tally.reads + len(lines) // 4 + 1,
                remedy="check that this is a FASTQ file with one line per sequence.",
            )
        if len(lines) > len(rest):
            yield lines[: len(lines) - len(rest)], True
    if carry:
        last = carry.split(b"\n")
        yield last, len(last) == 4 and bool(last[3])


def _take(lines: list[bytes], tally: Tally, name: str) -> None:
    """Check whole records (four lines each) and add them to the tally."""
    heads, bases, marks, quals = lines[0::4], lines[1::4], lines[2::4], lines[3::4]
    lengths = [len(b) for b in bases]
    pairs = _quality_pairs(b"".join(quals))
    sound = (
        lengths == [len(q) for q in quals]
        and all(h[:1] == b"@" and len(h) > 1 for h in heads)
        and _marks_fit(marks, heads)
        and not b"".join(bases).translate(None, BASES)
        and pairs is not None
        and not any(b"\r" in h for h in heads)
    )
    if not sound or pairs is None:
        explain(lines, tally.reads + 1, name)
        raise AssertionError("the quick check and the slow check of FASTQ disagree")
    if tally.first is None:
        tally.first = parse_header(heads[0][1:].decode("utf-8", "replace"))
    tally.lengths.extend(lengths)
    tally.qualities[: pairs.size] += pairs
    for head in heads:
        if barcode := barcode_in(head):
            tally.count_barcode(barcode)


def _marks_fit(marks: list[bytes], heads: list[bytes]) -> bool:
    """Every third line is '+', alone or followed by the header's text."""
    if set(marks) == {b"+"}:
        return True
    return all(
        m == b"+" or (m[:1] == b"+" and m[1:] == h[1:]) for m, h in zip(marks, heads, strict=True)
    )


def _quality_pairs(joined: bytes) -> np.ndarray | None:
    """How often each Phred value occurs; None when a symbol lies outside '!' to '~'.

    Counting pairs of symbols (one table of 65,536) is 1.6 times faster than counting symbols.
    """
    symbols = np.frombuffer(joined, dtype=np.uint8)
    even = symbols.size // 2 * 2
    pairs = np.bincount(symbols[:even].view(np.uint16), minlength=_PAIRS).reshape(256, 256)
    counts = pairs.sum(axis=0) + pairs.sum(axis=1)
    if symbols.size > even:
        counts[symbols[-1]] += 1
    if counts[:33].any() or counts[127:].any():
        return None
    values: np.ndarray = counts[33:127]
    return values
