"""Read the header of a file's first read, for the model that called it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.bam import opened_bam
from porewatch.reads.fastq import sound_blocks
from porewatch.reads.header_limits import header_of
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.run import of_file

FIRST = f"{__name__}:first"


def basecall_model_of(path: Path, file: InputFile) -> str | None:
    """The model that called the first read, by its header; None when it cannot be read (the phases
    report that)."""
    try:
        [model] = of_file(path, FIRST, {"kind": file.kind.value, "name": file.path})
    except (OSError, InputRefused):
        return None
    return bytes(model).decode() or None


def first(request: dict[str, Any], raw: RawBytes) -> Iterator[bytes]:
    """In the child process: the model's name, in one frame."""
    model = (_of_bam if request["kind"] == ReadKind.BAM else _of_fastq)(raw, request["name"])
    yield (model or "").encode()


def _of_fastq(raw: RawBytes, name: str) -> str | None:
    block = next(sound_blocks(raw, name=name), None)
    return header_of(block.heads[0]).basecall_model if block else None


def _of_bam(raw: RawBytes, name: str) -> str | None:
    with opened_bam(raw, name=name) as reads:
        read = next(reads, None)
    return read.header.basecall_model if read else None
