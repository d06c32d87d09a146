"""FASTQ, checked to the last byte in one streaming pass.

Order: undo gzip (isal) -> blocks of whole records -> quick checks on a whole block at once ->
only when one fails, find the record and line at fault (`explain`). A block is checked by joining
its lines: alphabets by `bytes.translate`, qualities by counting pairs of symbols, which also gives
the mean error. Memory is a few blocks, whatever the file's size.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

import numpy as np
from isal import igzip, igzip_lib

from porewatch.domain.bounds import BOMB_WINDOW, MOST_GZIP_RATIO
from porewatch.domain.errors import InputRefused, NoReadsInside
from porewatch.reads.fastq_faults import BASES, explain, explain_end
from porewatch.reads.header_limits import all_within, header_of
from porewatch.reads.headers import barcode_in
from porewatch.reads.naming import is_gzip_name
from porewatch.reads.raw import RawBytes
from porewatch.reads.summary import Tally

BLOCK = 1 << 20
LONGEST_RECORD = 1 << 26
"""64 MiB: sixteen times the longest nanopore record on record (4.2 Mb, two lines of it)."""

_GZIP = b"\x1f\x8b"
_COPY_AGAIN = "copy the file again from its source and compare the checksums."
_PAIRS = 1 << 16


class Block(NamedTuple):
    """Whole records that are sound, one entry each; `first` = number of the first (from 1).
    `qualities`: how often each Phred value occurs."""

    first: int
    heads: list[bytes]
    bases: list[bytes]
    quals: list[bytes]
    qualities: np.ndarray


def scan_fastq(raw: RawBytes, *, name: str) -> Tally:
    """Check every record and count. Raises InputRefused naming file, record and line."""
    tally = Tally()
    for block in sound_blocks(raw, name=name):
        if tally.first is None:
            tally.first = header_of(block.heads[0])
        tally.take([len(b) for b in block.bases], block.qualities)
        for head in block.heads:
            if barcode := barcode_in(head):
                tally.count_barcode(barcode)
    if not tally.reads:
        raise NoReadsInside(
            "The file is empty: it holds no reads.",
            file=name,
            remedy="leave it out of the run, or send the file that was meant.",
        )
    return tally


def sound_blocks(raw: RawBytes, *, name: str) -> Iterator[Block]:
    """The records of a file, in order, checked: what the check counts and what the screen reads,
    so that both give the same verdict. Raises InputRefused naming file, record and line."""
    at = _Place(name)
    for lines, complete in _records(_plain(raw, at), at):
        if not complete:
            explain_end(lines, at.record, name)
        yield _block(lines, at)
        at.record += len(lines) // 4


@dataclass
class _Place:
    """Where in which file the reading is: the number of the next record."""

    name: str
    record: int = 1

    def refused(self, problem: str, remedy: str) -> InputRefused:
        line = 4 * self.record - 3
        return InputRefused(problem, file=self.name, record=self.record, line=line, remedy=remedy)


def _plain(raw: RawBytes, at: _Place) -> Iterator[bytes]:
    """Blocks of the uncompressed text."""
    packed = raw.peek(2) == _GZIP
    if packed != is_gzip_name(at.name) and raw.peek(1):
        content, suffix = ("gzip data", ".fastq.gz") if packed else ("no gzip data", ".fastq")
        raise InputRefused(
            f"The file holds {content}, and its name says otherwise.",
            file=at.name,
            remedy=f"rename it to end in {suffix}, or send the file that was meant.",
        )
    if not packed:
        while block := raw.read(BLOCK):
            yield block
        return
    yield from _unzipped(raw, at)


def _unzipped(raw: RawBytes, at: _Place) -> Iterator[bytes]:
    unzip: IO[bytes] = igzip.open(raw, "rb")  # type: ignore[no-untyped-call]
    bomb = _Bomb(raw, at)
    while True:
        try:
            block = unzip.read(BLOCK)
        except EOFError as e:
            problem = "The gzip data ends early: the file is cut short."
            raise at.refused(problem, _COPY_AGAIN) from e
        except gzip.BadGzipFile as e:
            follows = "Not a gzipped file" in str(e)  # the first two bytes were right: see _plain
            problem = (
                "Something that is not gzip follows the end of the gzip data."
                if follows
                else "The gzip checksum does not match: the file was damaged on its way."
            )
            raise at.refused(problem, _COPY_AGAIN) from e
        except igzip_lib.IsalError as e:  # type: ignore[misc]  # the stub has an instance
            raise at.refused("The gzip data is damaged.", _COPY_AGAIN) from e
        if not block:
            return
        bomb.grow(len(block))
        yield block


class _Bomb:
    """Little that unpacks to absurdly much, looked for in every stretch of the file."""

    def __init__(self, raw: RawBytes, at: _Place) -> None:
        self._raw, self._at = raw, at
        self._packed = self._text = 0

    def grow(self, text: int) -> None:
        self._text += text
        if self._text < BOMB_WINDOW:
            return
        if self._text > MOST_GZIP_RATIO * (self._raw.size - self._packed):
            raise self._at.refused(
                f"It unpacks to more than {MOST_GZIP_RATIO} times its size here.",
                "send the reads as the basecaller wrote them.",
            )
        self._packed, self._text = self._raw.size, 0


def _records(blocks: Iterator[bytes], at: _Place) -> Iterator[tuple[list[bytes], bool]]:
    """Lines of whole records, and at the very end what is left of a broken one."""
    waiting: list[bytes] = []  # a record that has not ended, in pieces: joined once, not each time
    for block in blocks:
        waiting.append(block)
        if b"\n" in block:
            lines = b"".join(waiting).split(b"\n")
            rest = lines[len(lines) - 1 - (len(lines) - 1) % 4 :]
            waiting = [b"\n".join(rest)]
            if len(lines) > len(rest):
                yield lines[: len(lines) - len(rest)], True
        if sum(map(len, waiting)) > LONGEST_RECORD:
            explain(b"".join(waiting).split(b"\n")[:-1], at.record, at.name, partial=True)
            raise at.refused(
                f"A record is longer than {LONGEST_RECORD} bytes: no sequencer writes that.",
                "check that this is a FASTQ file with one line per sequence.",
            )
    if carry := b"".join(waiting):
        last = carry.split(b"\n")
        yield last, len(last) == 4 and bool(last[3])


def _block(lines: list[bytes], at: _Place) -> Block:
    """Whole records (four lines each), checked."""
    heads, bases, marks, quals = lines[0::4], lines[1::4], lines[2::4], lines[3::4]
    pairs = _quality_pairs(b"".join(quals))
    sound = (
        [len(b) for b in bases] == [len(q) for q in quals]
        and all(h[:1] == b"@" and len(h) > 1 for h in heads)
        and _marks_fit(marks, heads)
        and not b"".join(bases).translate(None, BASES)
        and pairs is not None
        and all_within(heads)
    )
    if not sound or pairs is None:
        explain(lines, at.record, at.name)
        raise AssertionError("the quick check and the slow check of FASTQ disagree")
    return Block(at.record, heads, bases, quals, pairs)


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
