"""Sound content made hostile: bytes, words, trees of JSON, headers of tars. By a draw, so that a
number gives the same mutant again."""

from __future__ import annotations

import gzip
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.worker.reads.hostile import block, changed

Mutate = Callable[[bytes, Random], bytes]

WORDS = (
    b"", b"\0", b"\x1b[2J", b"\x9b31m", "\u202e".encode(), b"\xed\xa0\x80", b"run.json",
    b"a" * 2_000, b"\xff\xfe", "ブタ".encode("cp932"), "\u00e9".encode(), "e\u0301".encode(),
    "\u2028".encode(),
    "²".encode(), "٣".encode(), b"9" * 400, b"9" * 5_000, b"-1", b"-0", b"0", b"1e999", b"nan",
    b"Infinity", b"0x10", b"1_000", b"true", b"null", b"0001-01-01T00:00:00+10:00",
    b"9999-12-31T23:59:59-10:00", b"1969-12-31", b"2026-02-30", b"../..", b"/etc/passwd", b"a\\b",
    b".", b"~", b"C:", b"=cmd|' /C calc'!A0", b"@", b"+", b">", b"\n",
    b"\r", b"\r\n", b"\t", b";", b",", b'"', b"'", b"[" * 2_000, b"{", b"}", b"barcode01",
    b"barcode99999", b"unclassified", "\ufeff".encode(), b"#", b"[/x]", "\U0001f416".encode(),
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z0-9_.:+-]+")
_LEAVES: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, float("inf"), float("nan"), "", [], {},
    [[]], {"": None}, {"name": {"name": 1}}, "\ud800", "a" * 70_000, "a/../b", "fastq/\0.fastq",
    "fastq/e\u0301.fastq", "fastq/", "2026-03-01", "0001-01-01T00:00:00+10:00", 1e19, -1e19,
)  # fmt: skip


def by_bytes(content: bytes, draw: Random) -> bytes:
    return changed(content, draw)


def by_words(content: bytes, draw: Random) -> bytes:
    """Some words replaced by words that mean trouble, or by others of the same content."""
    made = content
    for _ in range(draw.choice((1, 1, 2, 4))):
        found = list(_WORD.finditer(made))
        if not found:
            return changed(made, draw)
        one = draw.choice(found)
        word = draw.choice(WORDS) if draw.random() < 0.8 else draw.choice(found)[0]
        keep = one[0] if draw.random() < 0.3 else b""
        made = made[: one.start()] + keep + word + made[one.end() :]
    return made


def by_lines(content: bytes, draw: Random) -> bytes:
    """Lines swapped, left out, doubled, joined."""
    lines = content.split(b"\n")
    for _ in range(draw.choice((1, 1, 3))):
        at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
        match draw.randrange(4):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                lines[at:at] = [lines[other]] * draw.choice((1, 1, 50))
            case _:
                lines[at] += lines[other]
    return b"\n".join(lines)


def by_encoding(content: bytes, draw: Random) -> bytes:
    """The same text as other programs save it."""
    text = content.decode("utf-8", "replace")
    name = draw.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp932", "cp1252", "cp037"))
    made = text.replace("\n", draw.choice(("\n", "\r\n", "\r", "\x85", "\x0b")))
    return made.encode(name, "replace")


def in_gzip(inner: Mutate) -> Mutate:
    """What is packed is changed, and packed whole again, perhaps as two members."""

    def mutate(content: bytes, draw: Random) -> bytes:
        text = inner(gzip.decompress(content), draw)
        at = draw.randrange(len(text) + 1) if draw.random() < 0.3 else 0
        return b"".join(gzip.compress(part, mtime=0) for part in (text[:at], text[at:]) if part)

    return mutate


def in_bgzf(content: bytes, draw: Random) -> bytes:
    """The records of a BAM are changed, and packed into blocks whose checksums are right."""
    text, rest = b"", content
    while rest:
        unzip = zlib.decompressobj(31)
        text += unzip.decompress(rest)
        rest = unzip.unused_data
    text = changed(text, draw)
    at = draw.randrange(len(text) + 1) if draw.random() < 0.5 else len(text)
    end = block(b"") if draw.random() < 0.95 else b""
    return b"".join(block(part) for part in (text[:at], text[at:]) if part) + end


def at_the_end(content: bytes, draw: Random) -> bytes:
    """Only the last kilobytes are changed: footers lie there."""
    cut = max(0, len(content) - draw.choice((64, 512, 4096)))
    return content[:cut] + changed(content[cut:], draw)


def by_tree(content: bytes, draw: Random) -> bytes:
    """JSON with values, keys and list items replaced, left out, doubled or put in."""
    told = json.loads(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        holders = list(_holders(told))
        holder = draw.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        leaf = deepcopy(draw.choice(_LEAVES))
        if not keys or draw.random() < 0.1:
            _put_in(holder, draw.choice(("x", "", "run_id", "at", "\ud800")), leaf)
            continue
        key = draw.choice(keys)
        match draw.randrange(4):
            case 0:
                del holder[key]
            case 1:
                _put_in(holder, "again", deepcopy(holder[key]))
            case _:
                holder[key] = leaf
    return json.dumps(told, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")


def _holders(told: Any) -> list[Any]:
    if not isinstance(told, dict | list):
        return []
    inner = told.values() if isinstance(told, dict) else told
    return [told, *(found for one in inner for found in _holders(one))]


def _put_in(holder: Any, key: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    else:
        holder.append(value)


_FIELDS = ((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155))
_SIZES = (
    b"00000000000\0", b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"-0000000001\0",
    b"zzzzzzzzzzz\0", b"            ", b"\x80" + bytes(3) + b"\xff" * 8, b"00000000001\0",
)  # fmt: skip


def by_header(content: bytes, draw: Random) -> bytes:
    """Headers of a tar with other fields and the right checksum, or extended ones before them."""
    made = bytearray(content)
    for _ in range(draw.choice((1, 1, 2))):
        heads = [at for at in range(0, len(made), 512) if made[at + 257 : at + 262] == b"ustar"]
        if not heads:
            return bytes(made)
        at = draw.choice(heads)
        if draw.random() < 0.3:
            made[at:at] = _extended(draw)
            continue
        begin, size = draw.choice(_FIELDS)
        value = draw.choice(_SIZES) if begin in (124, 136) else draw.choice(WORDS)
        if begin == 156:
            value = draw.choice((b"0", b"\0", b"1", b"2", b"3", b"5", b"6", b"7", b"g", b"x", b"L",
                                 b"K", b"S", b"X", b"V", b"\xff"))  # fmt: skip
        made[at + begin : at + begin + size] = value[:size].ljust(size, b"\0")
        _summed(made, at)
    return bytes(made)


_PAX = (
    b"path", b"size", b"mtime", b"linkpath", b"hdrcharset", b"GNU.sparse.map", b"GNU.sparse.size",
    b"GNU.sparse.major", b"charset", b"uid", b"",
)  # fmt: skip


def _extended(draw: Random) -> bytes:
    key = draw.choice(_PAX)
    value = draw.choice((*WORDS, b"BINARY", b"512", b"1", b"0,9", b"fastq/z.fastq"))
    body = b" " + key + b"=" + value + b"\n"
    text = str(len(body) + draw.choice((1, 2, 2, 2, 3, 4))).encode() + body
    kind = draw.choice((b"x", b"x", b"g", b"L", b"K", b"X"))
    info = tarfile.TarInfo("PaxHeader")
    info.type, info.size = kind, len(text) + draw.choice((0, 0, 0, -1, 1, 700))
    head = bytearray(info.tobuf(tarfile.USTAR_FORMAT) if info.size >= 0 else bytes(512))
    return bytes(head) + text.ljust(-(-len(text) // 512) * 512, b"\0")


def _summed(made: bytearray, at: int) -> None:
    made[at + 148 : at + 156] = b" " * 8
    made[at + 148 : at + 156] = b"%06o\0 " % sum(made[at : at + 512])


def numbers(content: bytes, draw: Random) -> bytes:
    """One stretch of 8 bytes becomes an extreme number: lengths and offsets of flat buffers."""
    at = draw.randrange(max(1, len(content) - 8))
    value = draw.choice((0, 1, -1, 2**31 - 1, 2**31, 2**62, -(2**63), len(content), 2**40))
    return content[:at] + struct.pack("<q", value) + content[at + 8 :]
