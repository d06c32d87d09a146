"""What the first bytes of a file say: that it holds nothing, or is something else than its name."""

from __future__ import annotations

import re
import struct
import zlib

from porewatch.domain.inputs.file_kinds import (
    find_kind,
    is_gzip_name,
)
from porewatch.domain.runs import ReadKind

_FLOW_CELL = re.compile(rb"\sflow_cell_id=([A-Za-z0-9_-]+)")
ENOUGH = 64 * 1024
"""Bytes of a file that are looked at; one that holds no reads has fewer."""


def holds_nothing(name: str, head: bytes, size: int) -> bool:
    """Whether a file of reads is sound and has none: of 0 bytes, gzip of nothing, BAM with a header
    alone. `head` is the whole file, when it has at most ENOUGH bytes. A demultiplexer writes such
    files for blanks."""
    if size == 0:
        return True
    if size > ENOUGH or len(head) < size:
        return False
    kind = find_kind(name)
    if kind is ReadKind.FASTQ and not is_gzip_name(name):
        return not head
    if kind is None or kind is ReadKind.POD5:
        return False
    text = _unpacked(head)
    if text is None:
        return False
    return not text if kind is ReadKind.FASTQ else _no_records(text)


def flow_cell_in(name: str, head: bytes) -> str | None:
    """The flow cell in the header of the first read (FASTQ by Guppy and MinKNOW)."""
    text = head
    if is_gzip_name(name):
        try:
            text = zlib.decompressobj(31).decompress(head, ENOUGH)
        except zlib.error:
            return None
    found = _FLOW_CELL.search(text.split(b"\n", 1)[0])
    return found[1].decode().upper() if found else None


def _unpacked(packed: bytes) -> bytes | None:
    """All members of a gzip that is small and whole, else None."""
    text = b""
    while packed.strip(b"\0"):
        member = zlib.decompressobj(31)
        try:
            text += member.decompress(packed, ENOUGH * 4)
        except zlib.error:
            return None
        if not member.eof or len(text) > ENOUGH:
            return None
        packed = member.unused_data
    return text


def _no_records(bam: bytes) -> bool:
    """Whether a BAM ends with its header (SAM specification, section 4.2)."""
    try:
        if bam[:4] != b"BAM\1":
            return False
        (length,) = struct.unpack_from("<i", bam, 4)
        at = 8 + length
        (contigs,) = struct.unpack_from("<i", bam, at)
        at += 4
        for _ in range(contigs):
            (name,) = struct.unpack_from("<i", bam, at)
            at += 8 + name
    except struct.error:
        return False
    return bool(at == len(bam))
