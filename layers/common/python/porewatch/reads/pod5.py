"""POD5: whole by its signatures at both ends; counted by the pod5 library, or else by its footers.

The container ends in: footer, its length (8 bytes), section marker (16 bytes), signature
(pod5-file-format documentation, "POD5 format specification").
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from porewatch.domain.bounds import LONGEST_VALUE
from porewatch.domain.errors import InputRefused, NoReadsInside
from porewatch.domain.runs import Sequencing
from porewatch.reads.boxed import of_file
from porewatch.reads.pod5_count import Part, count_reads
from porewatch.reads.raw import RawBytes

SIGNATURE = b"\x8bPOD\r\n\x1a\n"
_MARKER = 16
_COPY_AGAIN = "copy the file again from its source and compare the checksums."


def scan_pod5(raw: RawBytes, *, name: str) -> None:
    """Read to the end and compare both ends. Raises InputRefused when cut short or not POD5."""
    head = raw.peek(len(SIGNATURE))
    if head != SIGNATURE:
        problem = "The file is empty." if not head else "This is not POD5, by its first bytes."
        raise InputRefused(problem, file=name, remedy="send the file that was meant.")
    raw.drain()
    if not _whole(raw):
        raise InputRefused(
            "The POD5 data ends early: the file is cut short.", file=name, remedy=_COPY_AGAIN
        )


def _whole(raw: RawBytes) -> bool:
    end = raw.tail[-(8 + _MARKER + len(SIGNATURE)) :]
    if not end.endswith(SIGNATURE) or len(end) < 8 + _MARKER + len(SIGNATURE):
        return False
    footer: int = struct.unpack("<q", end[:8])[0]
    return 0 < footer < raw.size


def library_present() -> bool:
    """Whether reads can be counted here."""
    try:
        import pod5  # noqa: F401, PLC0415  (large, with pyarrow; only signal needs it)
    except ImportError:
        return False
    return True


SIGNAL = f"{__name__}:told"


def signal_of(path: Path, *, name: str) -> tuple[int, Sequencing]:
    """`read_pod5` of a local file, in a box."""
    asked = {"kind": "pod5", "name": name, "path": str(path)}
    [answer] = of_file(path, SIGNAL, asked)
    told = json.loads(bytes(answer))
    return int(told["reads"]), Sequencing.model_validate(told["sequencing"])


def told(asked: dict[str, Any], _raw: RawBytes) -> Iterator[bytes]:
    """In the child: what the library says of the file at `path`."""
    reads, sequencing = read_pod5(Path(asked["path"]), name=asked["name"])
    yield json.dumps({"reads": reads, "sequencing": sequencing.model_dump(mode="json")}).encode()


def read_pod5(path: Path, *, name: str) -> tuple[int, Sequencing]:
    """(reads, run metadata) by the pod5 library. Raises InputRefused when it cannot open it."""
    import pod5  # noqa: PLC0415

    try:
        with pod5.Reader(path) as reader:
            reads = int(reader.num_reads)
            info = next((r.run_info for r in reader.reads()), None)
            sequencing = None if info is None else _sequencing(info)
    except Exception as e:  # whatever the libraries below raise, it was the file that made them
        problem = f"POD5 cannot be read: {str(e)[:LONGEST_VALUE]}."
        raise InputRefused(problem, file=name, remedy=_COPY_AGAIN) from e
    if sequencing is None:
        raise _no_reads(name)
    return reads, sequencing


def counted_by_footer(part: Part, size: int, *, name: str) -> int | None:
    """Reads of a POD5 of `size` bytes, without the library; None when its footers do not say it.

    Raises InputRefused for a file without reads, as `read_pod5` does.
    """
    reads = count_reads(part, size)
    if reads == 0:
        raise _no_reads(name)
    return reads


def _no_reads(name: str) -> NoReadsInside:
    return NoReadsInside(
        "The file is empty: it holds no reads.",
        file=name,
        remedy="leave it out of the run, or send the file that was meant.",
    )


def _sequencing(info: Any) -> Sequencing:
    return Sequencing(
        instrument=_text(info.sequencer_position),
        flow_cell=_text(info.flow_cell_id),
        kit=_text(info.sequencing_kit),
        started_at=info.acquisition_start_time,
        acquisition_id=_text(info.acquisition_id),
    )


def _text(value: str | None) -> str | None:
    if value and len(value) > LONGEST_VALUE:
        raise ValueError(f"its run information holds {len(value):,} characters in one field")
    return value or None
