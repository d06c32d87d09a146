"""Every tar of a stranger ends unpacked, or in quarantine with a reason that names the fault."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.runs import RunState
from tests.functional.doors import keys, put, send
from tests.functional.test_bundle_unpacker import GOOD, KEY, a_tar

END = b"\0" * 1024
FEW = b"@r\nA\n+\nI\n"


def header(
    name: bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    **more: bytes,
) -> bytes:
    head = bytearray(512)
    head[0 : len(name[:100])] = name[:100]
    head[100:124] = b"0000644\x000000000\x000000000\x00"
    head[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    head[136:148] = more.get("mtime", b"00000000000\0")
    head[156:157], head[257:265] = kind, magic
    if "sparse" in more:
        head[482:483] = more["sparse"]
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def member(name: bytes, content: bytes, kind: bytes = b"0", **more: Any) -> bytes:
    padded = content + b"\0" * (-len(content) % 512)
    return header(name, len(content), kind, **more) + padded


def pax(**values: bytes) -> bytes:
    return member(b"PaxHeader/x", b"".join(record(k.encode(), v) for k, v in values.items()), b"x")


def record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(str(size)) + len(body) != size:
        size = len(str(size)) + len(body)
    return str(size).encode() + body


SOUND = member(b"fastq/a.fastq.gz", GOOD)
GNU = b"ustar  \0"
TARS: dict[str, tuple[bytes, str]] = {
    "17 pax headers in a row": (pax(comment=b"x") * 17 + SOUND + END, "extended header"),
    "1,200 pax headers in a row": (pax(comment=b"x") * 1200 + SOUND + END, "extended header"),
    "long names in a row": (member(b"L", b"a\0", b"L", magic=GNU) * 40 + SOUND, "extended header"),
    "global headers in a row": (member(b"g", record(b"a", b"b"), b"g") * 40, "extended header"),
    "a pax header of 65 kB": (pax(comment=b"x" * 65_536) + SOUND + END, "extended header"),
    "a long name of 65 kB": (member(b"L", b"a" * 65_537, b"L", magic=GNU) + SOUND, "extended"),
    "a long name that claims 8 GB": (header(b"L", 8 << 30, b"L", magic=GNU) + SOUND, "extended"),
    "Latin-1": (member("fastq/pr\xfcfung.fastq".encode("latin-1"), FEW) + END, r"pr\\xfcfung"),
    "Shift-JIS": (member("fastq/ブタ.fastq".encode("shift_jis"), FEW) + END, "not UTF-8"),
    "UTF-16": (member("fastq/a.fastq".encode("utf-16-le"), FEW) + END, ""),
    "run.json below Latin-1": (member(b"\xff/run.json", b"{}") + SOUND + END, "not UTF-8"),
    "a lone surrogate": (
        pax(path="fastq/\ud800.fastq".encode("utf-8", "surrogatepass")) + member(b"x", GOOD) + END,
        "not UTF-8",
    ),
    "a name of binary charset": (
        pax(hdrcharset=b"BINARY", path=b"fastq/\xfc.fastq") + member(b"x", GOOD) + END,
        "not UTF-8",
    ),
    "an old sparse file": (member(b"fastq/s.fastq", FEW, b"S", magic=GNU) + END, "sparse"),
    "a sparse map cut short": (header(b"fastq/s.fastq", 512, b"S", GNU, sparse=b"\1"), "sparse"),
    "sparse by pax 0.0": (
        member(b"PaxHeader/x", record(b"GNU.sparse.size", b"9") + record(b"GNU.sparse.offset", b"0")
               + record(b"GNU.sparse.numbytes", b"9"), b"x") + SOUND + END, "sparse"),
    "sparse by pax 0.1": (
        member(b"PaxHeader/x", record(b"GNU.sparse.map", b"0,9"), b"x") + SOUND + END, "sparse"),
    "sparse by pax 1.0": (
        member(b"PaxHeader/x", record(b"GNU.sparse.major", b"1")
               + record(b"GNU.sparse.minor", b"0"), b"x") + SOUND + END, "sparse"),
    "a pax record without end": (member(b"PaxHeader/x", b"99 path=a\n", b"x") + SOUND, ""),
    "a pax record of no length": (member(b"PaxHeader/x", b"0 a=b\n", b"x") + SOUND, ""),
    "a pax size of 5,000 digits": (pax(size=b"9" * 5000) + SOUND + END, ""),
    "a pax size below nothing": (pax(size=b"-512") + SOUND + END, ""),
    "a pax time of not-a-number": (pax(mtime=b"nan") + SOUND[:512], ""),
    "a size below nothing": (header(b"fastq/a.fastq", size=b"\xff" * 12) + END, ""),
    "a size of 2^90": (header(b"fastq/a.fastq", size=b"\x80" + b"\xff" * 11) + END, ""),
    "a size of no number": (header(b"fastq/a.fastq", size=b"zzzzzzzzzzz\0") + END, ""),
    "a size of 2^64 behind a global size": (
        member(b"g", record(b"size", b"0"), b"g") + SOUND
        + header(b"fastq/b.fastq", size=b"\x80" + bytes(3) + b"\xff" * 8) + END, "one size"),
    "a global size": (member(b"g", record(b"size", b"0"), b"g") + SOUND + END, "one size"),
    "a folder of 2^64 bytes": (
        header(b"fastq/", size=b"\x80" + bytes(3) + b"\xff" * 8, kind=b"5") + SOUND, "declares"),
    "a pax size of more than there is": (pax(size=b"9" * 18) + SOUND + END, "declares"),
    "the longest time": (member(b"fastq/a.fastq", FEW, mtime=b"\x80" + b"\xff" * 11)[:600], ""),
    "a file of an unknown kind": (member(b"fastq/a.fastq", FEW, b"Z") + END, ""),
    "a device": (header(b"fastq/a.fastq", kind=b"3") + END, "ordinary file"),
    "a fifo": (header(b"fastq/a.fastq", kind=b"6") + END, "ordinary file"),
    "gzip": (GOOD, "plain tar"),
    "nothing": (b"", ""),
    "zeros": (END, ""),
    "noise": (random.Random(1).randbytes(5000), "plain tar"),
    "year 1": (
        member(b"run.json", b'{"run_id":"run-1","created_at":"0001-01-01T00:00:00+10:00","files":'
               b'[{"path":"fastq/a.fastq.gz","kind":"fastq","size":%d}],"samples":[{"name":"s"}]}'
               % len(GOOD)) + SOUND + END, "created_at"),
    "run.json nested 100,000 deep": (member(b"run.json", b"[" * 100_000) + SOUND + END, "run.json"),
    "run.json of 33 MB": (header(b"run.json", 33 << 20), ""),
    "a sheet of 6 MB": (member(b"sample_sheet.csv", b"a" * (6 << 20)) + SOUND + END, "6,291,456"),
    "a composed and a decomposed name": (
        a_tar(("fastq/\u00e9.fastq", FEW), ("fastq/e\u0301.fastq", FEW)), "twice"),
}  # fmt: skip


@pytest.mark.parametrize("what", TARS)
def test_a_hostile_tar_is_quarantined_with_its_reason(
    cloud: Table, runs: RunLedger, what: str
) -> None:
    content, expected = TARS[what]
    assert send("bundle_unpacker", put(KEY, content)) == []
    assert keys("runs/") == keys("inbox/") == []
    s3 = boto3.client("s3")
    reason = s3.get_object(Bucket="raw", Key=f"quarantine/{KEY}.reason.txt")["Body"].read().decode()
    assert expected in reason.replace("\\\\", "\\") or expected.replace("\\\\", "\\") in reason, (
        reason
    )
    assert len(reason) < 2000
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert record.problem


TAKEN: dict[str, Callable[[], bytes]] = {
    "a long name, by GNU": lambda: _by_tar(f"fastq/{'a' * 150}.fastq.gz", tarfile.GNU_FORMAT),
    "a long name, by pax": lambda: _by_tar(f"fastq/{'a' * 150}.fastq.gz", tarfile.PAX_FORMAT),
    "Thai": lambda: _by_tar("fastq/ไทย.fastq.gz", tarfile.PAX_FORMAT),
    "a decomposed name": lambda: _by_tar("fastq/e\u0301.fastq.gz", tarfile.PAX_FORMAT),
    "sixteen pax headers": lambda: pax(comment=b"x") * 16 + SOUND + END,
}


def _by_tar(name: str, shape: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=shape) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(GOOD)
        tar.addfile(info, io.BytesIO(GOOD))
    return made.getvalue()


@pytest.mark.parametrize("what", TAKEN)
def test_what_tools_write_is_unpacked(cloud: Table, what: str) -> None:
    assert send("bundle_unpacker", put(KEY, TAKEN[what]())) == []
    assert "runs/run-1/run.json" in keys("runs/")
    assert not [key for key in keys("runs/") if "\u0301" in key], "names are kept composed"
