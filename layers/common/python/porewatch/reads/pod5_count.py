"""How many reads a POD5 holds, from its footer alone: a few small pieces of the file, no library.

The container's footer (a flatbuffer) says where the reads table lies; that is an Arrow file, whose
own footer lists its record batches, and each batch's message says how many rows it has. Sources:
pod5-file-format documentation ("POD5 format specification", Footer.fbs) and the Arrow columnar
format ("IPC file format", Schema.fbs, File.fbs, Message.fbs).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

Part = Callable[[int, int], bytes]
"""(offset, bytes) -> that part of the file."""

TAIL = 8 + 16 + 8  # length of the footer, section marker, signature
MOST_FOOTER = 16 * 2**20
MOST_BATCHES = 4_000
"""Each batch is one more piece to fetch; a file with more of them is left uncounted."""
MOST_META = 2**20
READS_TABLE = 0  # ContentType.ReadsTable
ARROW_TAIL = 4 + 6  # length of the footer, "ARROW1"
RECORD_BATCH = 3  # MessageHeader.RecordBatch
BLOCK = struct.Struct("<qi4xq")  # offset, length of the metadata, length of the body


def count_reads(part: Part, size: int) -> int | None:
    """Rows of the reads table; None when the footers do not say it in the way we know."""
    try:
        return _count(part, size)
    except (struct.error, IndexError, ValueError):
        return None


def _count(part: Part, size: int) -> int:
    (length,) = struct.unpack_from("<q", part(size - TAIL, 8))
    _within(length, MOST_FOOTER, size - TAIL)
    start, extent = _reads_table(_Table.root(part(size - TAIL - length, length)))
    _within(start + extent, size, size)
    (meta,) = struct.unpack_from("<i", part(start + extent - ARROW_TAIL, 4))
    _within(meta, MOST_FOOTER, extent)
    footer = _Table.root(part(start + extent - ARROW_TAIL - meta, meta))
    blocks = list(footer.structs(3, BLOCK))
    _within(len(blocks), MOST_BATCHES, MOST_BATCHES)
    return sum(_rows(part, start + offset, length) for offset, length, _ in blocks)


def _within(value: int, most: int, there: int) -> None:
    if not 0 <= value <= min(most, there):
        raise ValueError("a footer points outside of the file")


def _reads_table(footer: _Table) -> tuple[int, int]:
    """(offset, length) of the embedded reads table."""
    for file in footer.tables(3):
        if file.number(3, "<h") == READS_TABLE:
            return file.number(0, "<q"), file.number(1, "<q")
    raise ValueError("no reads table")


def _rows(part: Part, at: int, length: int) -> int:
    """Rows of the record batch whose message begins at `at`."""
    _within(length, MOST_META, MOST_META)
    content = part(at, length)
    skip = (
        8 if content.startswith(b"\xff\xff\xff\xff") else 4
    )  # before Arrow 0.15 there was no mark
    message = _Table.root(content[skip:])
    if message.number(1, "<B") != RECORD_BATCH:
        raise ValueError("not a record batch")
    rows: int = message.table(2).number(0, "<q")
    if rows < 0:
        raise ValueError("a batch of fewer than no rows")
    return rows


class _Table:
    """A table of a flatbuffer: fields by their number in the schema; absent ones are 0."""

    def __init__(self, buffer: bytes, at: int) -> None:
        self._buffer = buffer
        self._at = at
        self._fields = at - self._read("<i", at)

    @classmethod
    def root(cls, buffer: bytes) -> _Table:
        return cls(buffer, struct.unpack_from("<I", buffer)[0])

    def _read(self, shape: str, at: int) -> int:
        if at < 0:
            raise ValueError("a field lies before its buffer")
        value: int = struct.unpack_from(shape, self._buffer, at)[0]
        return value

    def _field(self, number: int) -> int | None:
        """Where a field lies in the buffer."""
        place = 4 + 2 * number
        if place >= self._read("<H", self._fields):
            return None
        offset = self._read("<H", self._fields + place)
        return self._at + offset if offset else None

    def number(self, field: int, shape: str) -> int:
        at = self._field(field)
        return 0 if at is None else self._read(shape, at)

    def table(self, field: int) -> _Table:
        at = self._field(field)
        if at is None:
            raise ValueError("a table that is needed is absent")
        return _Table(self._buffer, at + self._read("<I", at))

    def _vector(self, field: int) -> tuple[int, int]:
        """(where its first element lies, how many there are)."""
        at = self._field(field)
        if at is None:
            return 0, 0
        at += self._read("<I", at)
        return at + 4, self._read("<I", at)

    def tables(self, field: int) -> Iterator[_Table]:
        first, count = self._vector(field)
        for at in range(first, first + 4 * count, 4):
            yield _Table(self._buffer, at + self._read("<I", at))

    def structs(self, field: int, shape: struct.Struct) -> Iterator[tuple[int, ...]]:
        first, count = self._vector(field)
        _within(count * shape.size, len(self._buffer), len(self._buffer))
        for at in range(first, first + count * shape.size, shape.size):
            yield shape.unpack_from(self._buffer, at)
