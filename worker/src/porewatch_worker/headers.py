"""What the first read of a file says of the run: enough to name the model that called it."""

from __future__ import annotations

from pathlib import Path

import pysam
from isal import igzip

from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.headers import ReadHeader, from_tags, parse_header
from porewatch.reads.naming import is_gzip_name


def first_header(path: Path, file: InputFile) -> ReadHeader | None:
    """The header of the first read, or None when there is none to be read (the phases will say)."""
    try:
        return _of_bam(path) if file.kind is ReadKind.BAM else _of_fastq(path, file.path)
    except (OSError, ValueError, EOFError, igzip.BadGzipFile):
        return None


def _of_fastq(path: Path, name: str) -> ReadHeader | None:
    opened = igzip.open(str(path), "rb") if is_gzip_name(name) else path.open("rb")  # type: ignore[no-untyped-call]
    with opened as source:
        line = source.readline(1 << 16)
    return parse_header(line[1:].decode(errors="replace").rstrip()) if line[:1] == b"@" else None


def _of_bam(path: Path) -> ReadHeader | None:
    with pysam.AlignmentFile(str(path), "rb", check_sq=False) as bam:
        read = next(iter(bam.fetch(until_eof=True)), None)
    return from_tags(str(read.query_name), dict(read.get_tags())) if read is not None else None
