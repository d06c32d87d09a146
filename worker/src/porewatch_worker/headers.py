"""What the first read of a file says of the run: enough to name the model that called it."""

from __future__ import annotations

from pathlib import Path

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.bam import opened_bam
from porewatch.reads.fastq import sound_blocks
from porewatch.reads.header_limits import header_of
from porewatch.reads.headers import ReadHeader
from porewatch.reads.raw import RawBytes


def first_header(path: Path, file: InputFile) -> ReadHeader | None:
    """The header of the first read, or None when there is none to be read (the phases will say)."""
    try:
        with path.open("rb") as stream:
            raw = RawBytes(stream)
            return (
                _of_bam(raw, file.path) if file.kind is ReadKind.BAM else _of_fastq(raw, file.path)
            )
    except (OSError, InputRefused):
        return None


def _of_fastq(raw: RawBytes, name: str) -> ReadHeader | None:
    block = next(sound_blocks(raw, name=name), None)
    return header_of(block.heads[0]) if block else None


def _of_bam(raw: RawBytes, name: str) -> ReadHeader | None:
    with opened_bam(raw, name=name) as reads:
        read = next(reads, None)
    return read.header if read else None
