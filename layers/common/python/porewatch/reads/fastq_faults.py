"""Locate the record and line at fault in a FASTQ file. Slow, and only used on a fault."""

from __future__ import annotations

from typing import NoReturn

from porewatch.domain.errors import InputRefused
from porewatch.reads.header_limits import header_fault

BASES = b"ACGTUNacgtun"
"""What basecallers write. Other IUPAC letters belong to consensus sequences, not to reads."""

_CUT = "the file was cut short: copy it again from its source and compare the checksums."
_MEND = "write the file again with the basecaller or with samtools fastq; do not edit it by hand."

Fault = tuple[int, str, str]
"""(line within the record, 0 to 3; problem; remedy)."""


def explain(lines: list[bytes], record: int, name: str, *, partial: bool = False) -> None:
    """Raise InputRefused for the first fault in `lines`; `record` is the first one's number.

    With `partial` the last record may lack lines; what is there is checked all the same.
    """
    for start in range(0, len(lines), 4):
        part = lines[start : start + 4]
        if len(part) < 4 and not partial:
            break
        fault = _fault(part, record)
        if fault:
            raise InputRefused(
                fault[1],
                file=name,
                record=record,
                line=4 * record - 3 + fault[0],
                remedy=fault[2],
            )
        record += 1


def explain_end(lines: list[bytes], record: int, name: str) -> NoReturn:
    """Raise InputRefused for a last record that is not whole (or blank lines after the last)."""
    there = lines[:-1] if lines[-1] == b"" else lines
    explain(there if len(there) < 4 else lines, record, name, partial=True)
    raise InputRefused(
        f"The file ends inside this record, after {len(there)} of its 4 lines.",
        file=name,
        record=record,
        line=4 * record - 4 + max(1, len(there)),
        remedy=_CUT,
    )


def _fault(part: list[bytes], record: int) -> Fault | None:
    for number, line in enumerate(part):
        if line.endswith(b"\r"):
            return (
                number,
                "The line ends in a carriage return (Windows line ends).",
                ("convert the line ends: sed -i 's/\\r$//' FILE (after unpacking it)."),
            )
    checks = (_head_fault, _bases_fault, _mark_fault, _quality_fault)
    for number, check in enumerate(checks[: len(part)]):
        found = check(part, record)
        if found:
            return number, *found
    return None


def _head_fault(part: list[bytes], record: int) -> tuple[str, str] | None:
    head = part[0]
    if head[:1] == b"@":
        if len(head) > 1:
            found = header_fault(head)
            return (found, _MEND) if found else None
        return "The header has no read name.", _MEND
    if not head:
        return "The line is blank where a header ('@…') should stand.", "remove blank lines."
    if head[:1] == b">" and record == 1:
        return "This is FASTA, not FASTQ: it has no quality values.", (
            "send the FASTQ or BAM that the basecaller wrote."
        )
    return f"The header starts with {_show(head[:1])} instead of '@'.", (
        "sequence and quality must be one line each; " + _MEND
    )


def _bases_fault(part: list[bytes], _record: int) -> tuple[str, str] | None:
    wrong = part[1].translate(None, BASES)
    if not wrong:
        return None
    place = part[1].index(wrong[:1]) + 1
    return f"The sequence holds {_show(wrong[:1])} at position {place}.", (
        f"only {BASES[:6].decode()} (either case) can stand there; " + _MEND
    )


def _mark_fault(part: list[bytes], _record: int) -> tuple[str, str] | None:
    mark = part[2]
    if mark[:1] != b"+":
        return f"The line should start with '+', and starts with {_show(mark[:1])}.", _MEND
    if mark != b"+" and mark[1:] != part[0][1:]:
        return "The name after '+' is not the name of the read.", _MEND
    return None


def _quality_fault(part: list[bytes], _record: int) -> tuple[str, str] | None:
    bases, quals = part[1], part[3]
    for place, symbol in enumerate(quals, start=1):
        if not 33 <= symbol <= 126:
            return (
                f"The quality holds {_show(bytes([symbol]))} at position {place}; "
                "only '!' (Phred 0) to '~' (Phred 93) can stand there."
            ), _MEND
    if len(bases) != len(quals):
        return f"The sequence has {len(bases)} bases and the quality {len(quals)} values.", (
            _CUT if len(quals) < len(bases) else _MEND
        )
    return None


def _show(symbol: bytes) -> str:
    if not symbol:
        return "nothing"
    return f"'{symbol.decode()}'" if 32 <= symbol[0] < 127 else f"byte 0x{symbol.hex()}"
