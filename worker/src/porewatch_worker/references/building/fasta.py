"""Read FASTA strictly: every error names file, record and line, none is repaired silently.

Two changes are made: lower case becomes upper case, and U becomes T. Gzip is decompressed in a
sandbox (`reads/sandbox/parent.py`), as it is for reads.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isal import igzip, igzip_lib

from porewatch.domain.errors import BundleRefused, InputRefused
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox.run import of_file

TEXT = f"{__name__}:unzipped"
SUFFIXES = (".fa", ".fasta", ".fna", ".fa.gz", ".fasta.gz", ".fna.gz")
_IUPAC = b"ACGTRYSWKMBDHVN"
_TO_UPPER_DNA = bytes.maketrans(b"acgturyswkmbdhvnU", b"ACGTTRYSWKMBDHVNT")
_HEADER = re.compile(r"^(\S*)\s*(.*)$")
_PROTEIN_ONLY = b"EFILPQZJOXefilpqzjox*"


@dataclass(frozen=True)
class FastaRecord:
    """One sequence. `record` and `line` (of its header) count from 1."""

    name: str
    description: str
    sequence: bytes
    file: str
    record: int
    line: int


def read_fasta(path: Path) -> Iterator[FastaRecord]:
    """The records of a FASTA file (.gz too), in order, one in memory at a time.

    Raises BundleRefused for an empty file, a missing or nameless header, an empty sequence,
    protein, any other letter outside the IUPAC nucleotide code, and a damaged gzip stream.
    """
    try:
        if path.name.endswith(".gz"):
            yield from _records(_lines(of_file(path, TEXT, {"kind": "fasta"})), str(path))
        else:
            with path.open("rb") as handle:
                yield from _records(handle, str(path))
    except (OSError, InputRefused) as error:
        problem = error.problem if isinstance(error, InputRefused) else error
        raise BundleRefused(
            f"the file is damaged or truncated: it cannot be read to its end ({problem}).",
            file=str(path),
            remedy="copy or download the file again.",
        ) from error


def unzipped(_request: dict[str, Any], raw: RawBytes) -> Iterator[bytes]:
    """In the child process: the text of a gzip, a megabyte a frame."""
    try:
        with igzip.open(raw, "rb") as text:  # type: ignore[no-untyped-call]
            while block := text.read(1 << 20):
                yield block
    except (EOFError, OSError, zlib.error, igzip_lib.IsalError) as error:  # type: ignore[misc]
        raise InputRefused(str(error)) from error


def _lines(blocks: Iterable[memoryview]) -> Iterator[bytes]:
    waiting: list[bytes] = []  # a line that has not ended, in pieces
    for block in blocks:
        first, *more = bytes(block).split(b"\n")
        waiting.append(first)
        if more:
            yield b"".join(waiting)
            yield from more[:-1]
            waiting = [more[-1]]
    if last := b"".join(waiting):
        yield last


def _records(handle: Iterable[bytes], file: str) -> Iterator[FastaRecord]:
    header: tuple[str, str] | None = None
    parts: list[bytes] = []
    record = header_line = 0
    for number, raw in enumerate(handle, 1):
        line = raw.rstrip()
        if line.startswith(b">"):
            if header is not None:
                yield _finished(header, parts, file, record, header_line)
            record, header_line, parts = record + 1, number, []
            header = _header(line, file, record, number)
        elif line:
            if header is None:
                raise BundleRefused(
                    "is not FASTA: text comes before the first '>' header.",
                    file=file,
                    line=number,
                    remedy="give a nucleotide FASTA file.",
                )
            parts.append(_bases(line, file, record, number))
    if header is None:
        raise BundleRefused("the FASTA file is empty.", file=file, remedy="fill or remove it.")
    yield _finished(header, parts, file, record, header_line)


def _header(line: bytes, file: str, record: int, number: int) -> tuple[str, str]:
    name, description = _HEADER.findall(line[1:].decode("utf-8", errors="replace"))[0]
    if not name:
        raise BundleRefused(
            "a header has no name.",
            file=file,
            record=record,
            line=number,
            remedy="write a unique name right after '>'.",
        )
    return name, description


def _bases(line: bytes, file: str, record: int, number: int) -> bytes:
    bases = line.translate(_TO_UPPER_DNA)
    odd = bases.translate(None, _IUPAC)
    if not odd:
        return bases
    letter = chr(odd[0])
    if any(byte in _PROTEIN_ONLY for byte in odd):
        problem = f"looks like protein ({letter!r} is not a nucleotide)."
        remedy = "give the nucleotide sequence."
    else:
        problem = f"{letter!r} is not in the IUPAC nucleotide code."
        remedy = "remove gaps and other signs, or replace unknown bases by N."
    raise BundleRefused(problem, file=file, record=record, line=number, remedy=remedy)


def _finished(
    header: tuple[str, str], parts: list[bytes], file: str, record: int, line: int
) -> FastaRecord:
    sequence = b"".join(parts)
    if not sequence:
        raise BundleRefused(
            f"{header[0]!r} has no sequence.",
            file=file,
            record=record,
            line=line,
            remedy="add the sequence or remove the header.",
        )
    return FastaRecord(*header, sequence=sequence, file=file, record=record, line=line)
