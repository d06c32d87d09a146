"""The BAM that dorado wrote, rewritten with its reads in order of id: in a box
(`reads/sandbox/parent.py`).

dorado makes it of a stranger's signal, so it is read like everything that strangers send.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from porewatch.domain.errors import InputRefused, WorkerFailed
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.run import of_file

ORDERED = f"{__name__}:ordered"
ALIVE_EVERY = 1_000
"""Records between two signs of life."""


class Ordered(NamedTuple):
    """What the BAM holds. `model`: as its header names it, None when it does not."""

    reads: int
    bases: int
    model: str | None


def in_order(raw: Path, to: Path, *, name: str) -> Ordered:
    """Write the records of `raw` to the file `to`, sorted by id: equal results give equal bytes.
    `name` is the signal's. Raises WorkerFailed when dorado's BAM cannot be read."""
    request = {"kind": "called", "name": name, "from": str(raw), "to": str(to)}
    try:
        *_, summary = of_file(raw, ORDERED, request)
    except InputRefused as e:
        problem = f"dorado exits 0, but its BAM cannot be read: {e.problem}"
        raise WorkerFailed(problem, file=name) from e
    return Ordered(**json.loads(bytes(summary)))


def ordered(request: dict[str, Any], _raw: RawBytes) -> Iterator[bytes]:
    """In the child process: empty frames while it works, then the counts as JSON."""
    import pysam  # noqa: PLC0415  (large; only signal needs it here)

    records: list[Any] = []
    try:
        with pysam.AlignmentFile(request["from"], "rb", check_sq=False) as source:
            header = _portable(source.header.to_dict(), request["name"])
            for record in source:
                records.append(record)
                yield from _alive(len(records))
    except (OSError, ValueError) as e:
        raise InputRefused(f"{e}.", file=request["name"]) from e
    records.sort(key=lambda record: str(record.query_name))
    with pysam.AlignmentFile(request["to"], "wb", header=header) as target:
        for number, record in enumerate(records):
            target.write(record)
            yield from _alive(number)
    bases = sum(record.query_length for record in records)
    yield json.dumps(Ordered(len(records), bases, _model(header))._asdict()).encode()


def _alive(number: int) -> Iterator[bytes]:
    if number % ALIVE_EVERY == 0:
        yield b""


def _portable(header: dict[str, Any], name: str) -> dict[str, Any]:
    """Without the command line: it names local folders, which differ between attempts."""
    programs = [{k: v for k, v in p.items() if k != "CL"} for p in header.get("PG", [])]
    return {**header, "PG": programs, "CO": [f"basecalled from {name}"]}


def _model(header: dict[str, Any]) -> str | None:
    for group in header.get("RG", []):
        for field in str(group.get("DS", "")).split():
            key, _, value = field.partition("=")
            if key == "basecall_model":
                return value
    return None
