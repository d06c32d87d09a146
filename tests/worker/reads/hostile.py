"""Malformed files of reads, by name, made from a few sound ones: the corpus that the suite runs."""

from __future__ import annotations

import gzip
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from porewatch.reads.bam import END_MARK

Content = bytes | Callable[[], bytes]
"""Long ones are made when they are needed."""
Hostile = tuple[str, Content]
"""(name of the file, its content)"""

READ = b"@r%d runid=a ch=%d start_time=2026-03-01T12:00:00Z flow_cell_id=FAB1\nACGTN\n+\nIIII!\n"
PLAIN = b"".join(READ % (n, n) for n in range(3))


def corpus() -> dict[str, Hostile]:
    """Every hostile file by the name of what is wrong with it."""
    made = {f"fastq: {what}": ("a.fastq", content) for what, content in _fastq()}
    made |= {f"gzip: {what}": ("a.fastq.gz", content) for what, content in _gzip()}
    made |= {f"bam: {what}": ("a.bam", content) for what, content in _bam()}
    made |= {f"pod5: {what}": ("a.pod5", content) for what, content in _pod5()}
    return made


def mutated(content: bytes, seed: int) -> bytes:
    """`changed` by the seed."""
    return changed(content, random.Random(seed))


def changed(content: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled or put in."""
    made = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at, size = draw.randrange(len(made) + 1), draw.choice((1, 1, 2, 4, 8, 64))
        match draw.randrange(6):
            case 0:
                made[at : at + size] = draw.randbytes(size)
            case 1:
                del made[at : at + size]
            case 2:
                made[at:at] = made[at : at + size]
            case 3:
                made[at:at] = draw.randbytes(size)
            case 4 if at < len(made):
                made[at] ^= 1 << draw.randrange(8)
            case _:
                made[at : at + 4] = draw.choice(_NUMBERS)
    return bytes(made)


_NUMBERS = [struct.pack("<i", n) for n in (0, -1, 1, 2**31 - 1, -(2**31), 255, 65_535, 65_536)]


def _record(
    head: bytes = b"@r", bases: bytes = b"ACGT", mark: bytes = b"+", quals: bytes = b"IIII"
) -> bytes:
    return b"\n".join((head, bases, mark, quals, b""))


HEADS: dict[str, bytes] = {
    "no name": b"@",
    "a blank line": b"",
    "no @": b"r1",
    "fasta": b">r1",
    "a zero byte": b"@r\0",
    "an escape": b"@r\x1b[2J",
    "delete": b"@r\x7f",
    "a vertical tab": b"@r\x0bx",
    "a carriage return inside": b"@r\rx",
    "a carriage return at the end": b"@r\r",
    "UTF-16": "@r ch=1".encode("utf-16"),
    "an invalid tag type": b"@r\tch:Q:1",
    "a tag without value": b"@r\tch:i",
    "a tag of superscript": "@r\tch:i:²".encode(),
    "a channel of superscript": "@r ch=²".encode(),
    "a channel of 5,000 digits": b"@r ch=" + b"9" * 5_000,
    "a channel below nothing": b"@r ch=-5",
    "a channel of Arabic digits": "@r ch=٣".encode(),
    "year 0": b"@r start_time=0000-01-01T00:00:00Z",
    "year 1": b"@r start_time=0001-01-01T00:00:00+10:00",
    "year 1 by tag": b"@r\tst:Z:0001-01-01T00:00:00+10:00",
    "year 1969": b"@r start_time=1969-12-31T23:59:59Z",
    "year 9999": b"@r start_time=9999-12-31T23:59:59-10:00",
    "month 13": b"@r start_time=2026-13-01T00:00:00Z",
    "a week date": b"@r start_time=2026-W53-7",
    "a zone of 99 hours": b"@r start_time=2026-03-01T00:00:00+99:00",
    "a time of letters": b"@r start_time=" + b"x" * 900,
    "a name of 2,000": b"@" + b"r" * 2_000,
    "a flow cell of 2,000": b"@r flow_cell_id=" + b"F" * 2_000,
    "a run id of 2,000": b"@r runid=" + b"F" * 2_000,
    "a model of 2,000": b"@r model_version_id=" + b"F" * 2_000,
    "an alias of 2,000": b"@r barcode_alias=" + b"F" * 2_000,
    "a group of 2,000": b"@r\tRG:Z:" + b"F" * 2_000,
    "2,000 fields": b"@r" + b" a=b" * 2_000,
    "2,000 tabs": b"@r" + b"\t" * 2_000,
    "half a letter": b"@r sample_id=\xc3",
    "a surrogate": b"@r sample_id=\xed\xa0\x80",
    "a duplex of 2": b"@r dx=2",
    "barcode 99999": b"@r barcode=barcode99999",
    "a right-to-left override": "@r flow_cell_id=\u202eFAB".encode(),
}


def _fastq() -> Iterator[Hostile]:
    for what, head in HEADS.items():
        yield f"a header with {what}", _record(head)
        yield f"a second header with {what}", PLAIN + _record(head)
    yield "a header of 17 MB", lambda: _record(b"@r MM=" + b"x" * (17 << 20))
    yield from {
        "nothing": b"",
        "one line end": b"\n",
        "only line ends": b"\n" * 5_000,
        "zero bytes": bytes(5_000),
        "noise": random.Random(1).randbytes(5_000),
        "noise of letters": bytes(random.Random(2).choices(b"ACGT@+I\n", k=5_000)),
        "a byte order mark": b"\xef\xbb\xbf" + PLAIN,
        "UTF-16": PLAIN.decode().encode("utf-16"),
        "Windows line ends": PLAIN.replace(b"\n", b"\r\n"),
        "old Mac line ends": PLAIN.replace(b"\n", b"\r"),
        "one line of 70 MB": lambda: b"@" + b"A" * (70 << 20),
        "no quality": b"@r\nACGT\n+\n",
        "no mark": b"@r\nACGT\n",
        "only a header": b"@r",
        "a shorter quality": _record(quals=b"III"),
        "a longer quality": _record(quals=b"IIIII"),
        "a quality below '!'": _record(quals=b"II I"),
        "a quality beyond '~'": _record(quals=b"II\x7fI"),
        "a quality of high bytes": _record(quals=b"\xff\xff\xff\xff"),
        "a base of another alphabet": _record(bases=b"ACGE"),
        "an IUPAC base": _record(bases=b"ACGR"),
        "a base of high bytes": _record(bases=b"\xff\xfe\xfd\xfc"),
        "a blank among bases": _record(bases=b"AC T"),
        "another name after +": _record(mark=b"+other"),
        "no + but -": _record(mark=b"-"),
        "two sequences lines": b"@r\nAC\nGT\n+\nIIII\n",
        "blank lines between": PLAIN + b"\n\n" + PLAIN,
        "a blank line at the end": PLAIN + b"\n",
        "no line end at the end": PLAIN[:-1],
        "a read without bases": _record(bases=b"", quals=b""),
        "100,000 reads without bases": lambda: _record(bases=b"", quals=b"") * 100_000,
        "HTML": b"<!DOCTYPE html><html><body>Sign in</body></html>\n",
        "a zip": b"PK\x03\x04" + bytes(100),
        "gzip under a plain name": gzip.compress(PLAIN),
        "BAM under a plain name": whole_bam(a_read()),
        "cut inside a header": PLAIN + b"@r9 ch",
        "cut inside the bases": PLAIN + b"@r9\nAC",
    }.items()


def _gzip() -> Iterator[Hostile]:
    packed = gzip.compress(PLAIN, mtime=0)
    yield from {
        "nothing": b"",
        "the magic alone": packed[:2],
        "a header alone": packed[:10],
        "plain text": PLAIN,
        "cut in half": packed[: len(packed) // 2],
        "without its sum": packed[:-8],
        "a wrong sum": packed[:-8] + b"\1\2\3\4" + packed[-4:],
        "a wrong length": packed[:-4] + b"\1\2\3\4",
        "rubbish behind": packed + b"rubbish",
        "zero bytes behind": packed + bytes(100),
        "half a member behind": packed + packed[:12],
        "a member of nothing behind": packed + gzip.compress(b""),
        "10,000 members of nothing": lambda: gzip.compress(b"", mtime=0) * 10_000,
        "gzip in gzip": gzip.compress(packed),
        "another method": packed[:2] + b"\7" + packed[3:],
        "all flags": packed[:3] + b"\xff" + packed[4:],
        "an extra field without end": packed[:3] + b"\4" + packed[4:10] + b"\xff\xff",
        "a name without end": packed[:3] + b"\x08" + packed[4:10] + b"n" * 70_000,
        "zlib": zlib.compress(PLAIN),
        "a bad block": packed[:10] + b"\x07" + packed[11:],
        "a block of noise": packed[:10] + random.Random(3).randbytes(500),
        "a bomb": lambda: gzip.compress(b"@r\n" + b"A" * (80 << 20), 9),
        "a bomb of reads": lambda: gzip.compress(
            _record(bases=b"A" * 9_000, quals=b"I" * 9_000) * 4_500
        ),
        "year 1 inside": gzip.compress(PLAIN + _record(HEADS["year 1"])),
        "cut text inside": gzip.compress(PLAIN[:-9]),
    }.items()
    for size in range(12, len(packed), 9):
        yield f"cut after {size} bytes", packed[:size]


def block(content: bytes) -> bytes:
    """One BGZF block."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = deflate.compress(content) + deflate.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(content), len(content))


def a_read(
    name: bytes = b"r\0",
    tags: bytes = b"",
    *,
    flag: int = 4,
    bases: int = 4,
    cigar: int = 0,
    contig: int = -1,
    place: int = -1,
    sequence: bytes = b"\x12\x48",
    quality: bytes = b"\x28" * 4,
    size: int | None = None,
) -> bytes:
    """One BAM record of these fields, right or wrong."""
    fixed = struct.pack(
        "<iiBBHHHiiii", contig, place, len(name) & 255, 0, 4680, cigar, flag, bases, -1, -1, 0
    )
    body = fixed + name + sequence + quality + tags
    return struct.pack("<i", len(body) if size is None else size) + body


def whole_bam(*records: bytes, header: bytes = b"BAM\1" + bytes(8), end: bytes = END_MARK) -> bytes:
    return block(header) + b"".join(map(block, records)) + end


def _bam() -> Iterator[Hostile]:
    good = whole_bam(a_read())
    yield from {
        "nothing": b"",
        "an end mark alone": END_MARK,
        "no end mark": good[: -len(END_MARK)],
        "plain gzip": gzip.compress(b"BAM\1" + bytes(8)),
        "another magic": whole_bam(header=b"CRAM" + bytes(8)),
        "a header text of 2 GB": whole_bam(header=b"BAM\1" + struct.pack("<i", 2**31 - 1)),
        "a header text below nothing": whole_bam(
            header=b"BAM\1" + struct.pack("<i", -1) + bytes(4)
        ),
        "2 billion contigs": whole_bam(header=b"BAM\1" + bytes(4) + struct.pack("<i", 2**31 - 1)),
        "contigs below nothing": whole_bam(header=b"BAM\1" + bytes(4) + struct.pack("<i", -1)),
        "a contig name of 2 GB": whole_bam(
            header=b"BAM\1" + bytes(4) + struct.pack("<ii", 1, 2**31 - 1)
        ),
        "a header only": whole_bam(),
        "a size of 2 GB": whole_bam(a_read(size=2**31 - 1)),
        "a size below nothing": whole_bam(a_read(size=-1)),
        "a size of 3": whole_bam(a_read(size=3)),
        "4 billion bases": whole_bam(a_read(bases=-1)),
        "2 billion bases": whole_bam(a_read(bases=2**31 - 1)),
        "no bases": whole_bam(a_read(bases=0, sequence=b"", quality=b"")),
        "no quality": whole_bam(a_read(quality=b"\xff" * 4)),
        "a quality of 94": whole_bam(a_read(quality=b"\x5e" * 4)),
        "65,535 cigar operations": whole_bam(a_read(cigar=65_535)),
        "a contig that is not there": whole_bam(a_read(contig=7, place=9, flag=0)),
        "a contig of -9": whole_bam(a_read(contig=-9)),
        "a name without end": whole_bam(a_read(name=b"rrrr")),
        "no name": whole_bam(a_read(name=b"")),
        "a name of high bytes": whole_bam(a_read(name=b"\xff\xfe\0")),
        "a name with an escape": whole_bam(a_read(name=b"r\x1b[2J\0")),
        "all flags": whole_bam(a_read(flag=65_535)),
        "reverse without place": whole_bam(a_read(flag=20)),
        "secondary only": whole_bam(a_read(flag=0x104)),
        "cut in a block": good[: len(good) // 2],
        "a block of noise": good[:20] + random.Random(4).randbytes(200),
        "rubbish behind the end": good + b"rubbish",
        "half a record": whole_bam(a_read()[:30]),
        "text": b"@HD\tVN:1.6\n",
        "FASTQ": PLAIN,
    }.items()
    for tag in (b"RG", b"BC", b"st", b"ch", b"dx", b"XX"):
        for what, value in _TAG_VALUES.items():
            yield f"tag {tag.decode()} of {what}", whole_bam(a_read(tags=tag + value), a_read())


_TAG_VALUES: dict[str, bytes] = {
    "an unknown type": b"Q\1",
    "text without end": b"Zabc",
    "text that is no UTF-8": b"Z\xff\xfe\0",
    "an escape": b"Z\x1b[2J\0",
    "2,000 letters": b"Z" + b"x" * 2_000 + b"\0",
    "year 1": b"Z0001-01-01T00:00:00+10:00\0",
    "half a number": b"i\1",
    "an array of a gigabyte": b"Bi" + struct.pack("<i", 2**28),
    "an array below nothing": b"Bi" + struct.pack("<i", -1),
    "an array of an unknown type": b"BQ" + struct.pack("<i", 1) + b"\1",
    "hex that is none": b"Hxyz\0",
    "not a number": b"f\0\0\xc0\x7f",
    "no value": b"Z",
}


def _pod5() -> Iterator[Hostile]:
    mark = b"\x8bPOD\r\n\x1a\n"
    footer = struct.pack("<q", 8) + bytes(16) + mark
    yield from {
        "nothing": b"",
        "the signature alone": mark,
        "FAST5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "two signatures": mark + bytes(100) + mark,
        "a footer of nothing": mark + bytes(100) + struct.pack("<q", 0) + bytes(16) + mark,
        "a footer below nothing": mark + bytes(100) + struct.pack("<q", -1) + bytes(16) + mark,
        "a footer longer than the file": mark + struct.pack("<q", 2**62) + bytes(16) + mark,
        "a footer of zero bytes": mark + bytes(100) + footer,
        "a footer of high bytes": mark + b"\xff" * 100 + footer,
        "a footer of noise": mark + random.Random(5).randbytes(500) + footer,
        "ends cut": mark + bytes(100) + footer[:-1],
        "run information of 2 billion entries": lambda: _entries(2**31 - 1),
        "run information of 200 million entries": lambda: _entries(200_000_000),
        "run information of fewer than no entries": lambda: _entries(-(2**24)),
    }.items()


def _entries(number: int) -> bytes:
    """A sound POD5, but for the number of entries that its run's table of context has: Arrow walks
    as many, wherever that leads."""
    from tests.worker.reads.verdicts import signal

    content = bytearray(signal())
    at = _offsets(bytes(content), "context_tags") + 4
    content[at : at + 4] = struct.pack("<i", number)
    return bytes(content)


def _offsets(content: bytes, column: str) -> int:
    """Where the offsets of a column of the run's table lie in a POD5."""
    import pyarrow as pa

    marks = [match.start() for match in re.finditer(rb"ARROW1", content)]
    for start, end in zip(marks[::2], marks[1::2], strict=True):
        table = pa.py_buffer(content[start : end + 6])
        opened = pa.ipc.open_file(table)
        if column in opened.schema.names:
            offsets = opened.get_batch(0).column(column).buffers()[1]
            return int(start + offsets.address - table.address)
    raise AssertionError(f"no table has a column {column}")
