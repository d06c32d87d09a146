"""POD5: whole by its signatures at both ends; counted by the pod5 library, or else by its footers.

The container ends in: footer, its length (8 bytes), section marker (16 bytes), signature
(pod5-file-format documentation, "POD5 format specification").
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from porewatch.domain.bounds import LONGEST_VALUE
from porewatch.domain.errors import InputRefused, NoReadsInside
from porewatch.domain.runs import Sequencing
from porewatch.reads.pod5_count import Part, count_reads
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.run import of_file

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
    """Whether the pod5 library is available to count reads."""
    try:
        import pod5  # noqa: F401, PLC0415  (large, with pyarrow; only signal needs it)
    except ImportError:
        return False
    return True


SIGNAL = f"{__name__}:signal_job"


class Signal(NamedTuple):
    """What a POD5 says of itself: how many reads, the run's metadata and the sampling rate (Hz) of
    its first read."""

    reads: int
    sequencing: Sequencing
    sample_rate: int


def signal_of(path: Path, *, name: str) -> Signal:
    """`read_pod5` of a local file, in the sandbox."""
    request = {"kind": "pod5", "name": name, "path": str(path)}
    [answer] = of_file(path, SIGNAL, request)
    fields = json.loads(bytes(answer))
    sequencing = Sequencing.model_validate(fields["sequencing"])
    return Signal(int(fields["reads"]), sequencing, int(fields["sample_rate"]))


def signal_job(request: dict[str, Any], _raw: RawBytes) -> Iterator[bytes]:
    """In the child process: `read_pod5` of the file at `path`."""
    signal = read_pod5(Path(request["path"]), name=request["name"])
    yield json.dumps(
        {**signal._asdict(), "sequencing": signal.sequencing.model_dump(mode="json")}
    ).encode()


def read_pod5(path: Path, *, name: str) -> Signal:
    """By the pod5 library. Raises InputRefused when it cannot read it."""
    import pod5  # noqa: PLC0415

    try:
        with pod5.Reader(path) as reader:
            reads = int(reader.num_reads)
            info = _first_info(reader)
            signal = None if info is None else Signal(reads, _sequencing(info), int(info[_RATE]))
    except Exception as e:  # whatever the libraries below raise, it was the file that made them
        problem = f"POD5 cannot be read: {str(e)[:LONGEST_VALUE]}."
        raise InputRefused(problem, file=name, remedy=_COPY_AGAIN) from e
    if signal is None:
        raise _no_reads(name)
    return signal


_RATE = "sample_rate"
_FIELDS = (
    "acquisition_id",
    "acquisition_start_time",
    "flow_cell_id",
    "sequencer_position",
    "sequencing_kit",
    _RATE,
)


def _first_info(reader: Any) -> dict[str, Any] | None:
    """The fields of `_FIELDS` of the first read's run; None without reads. Arrow trusts lengths and
    offsets until it is asked to validate them, so every batch is looked through before a value is
    taken, and only what is needed is taken."""
    read = next((batch for batch in _batches(reader.read_table) if batch.num_rows), None)
    if read is None:
        return None
    run_info_id = read.column("run_info")[0].as_py()
    for batch in _batches(reader.run_info_table):
        for row, name in enumerate(batch.column("acquisition_id").to_pylist()):
            if name == run_info_id:
                return {field: batch.column(field)[row].as_py() for field in _FIELDS}
    raise ValueError("it does not say of which run its reads are")


def _batches(table: Any) -> Iterator[Any]:
    for number in range(table.num_record_batches):
        batch = table.get_batch(number)
        batch.validate(full=True)
        yield batch


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


def _sequencing(info: dict[str, Any]) -> Sequencing:
    return Sequencing(
        instrument=_text(info["sequencer_position"]),
        flow_cell=_text(info["flow_cell_id"]),
        kit=_text(info["sequencing_kit"]),
        started_at=info["acquisition_start_time"],
        acquisition_id=_text(info["acquisition_id"]),
    )


def _text(value: str | None) -> str | None:
    if value and len(value) > LONGEST_VALUE:
        raise ValueError(f"its run information holds {len(value):,} characters in one field")
    return value or None
