"""What only the content of files shows: the same file twice, two flow cells, animals in one file.

Every door knows these facts of a file by the time it seals: submit and screen from their own check,
a tar from hashing its members, the cloud from the validator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.inputs.landing.owners import several_flow_cells
from porewatch.domain.runs import InputFile

UNCLASSIFIED = "unclassified"
LEAST_SHARE = 0.05
"""Share of a run's reads that a barcode must have in the headers to be a sample of its own; below
it may be misread ones."""


@dataclass(frozen=True)
class Headers:
    """What the headers of one file say: the flow cell of its first read, and reads by barcode."""

    flow_cell: str | None = None
    barcodes: Mapping[str, int] | None = None


def once(files: Sequence[InputFile]) -> tuple[list[InputFile], list[str], list[Refused]]:
    """(files, second copies, faults): each content once. The same content under two barcodes is a
    fault: nobody can say whose it is."""
    first: dict[str, InputFile] = {}
    copies: list[str] = []
    faults: list[Refused] = []
    for file in sorted(files, key=lambda f: (len(f.path), f.path)):
        before = first.setdefault(file.sha256 or file.path, file)
        if before is file:
            continue
        copies.append(file.path)
        if before.barcode != file.barcode:
            faults.append(
                InputRefused(
                    f"it holds the same bytes as {before.path}, which is of "
                    f"{before.barcode or 'no barcode'}.",
                    file=file.path,
                    remedy="keep the one that is right.",
                )
            )
    left = set(copies)
    return [file for file in files if file.path not in left], copies, faults


def faults_of(
    headers: Mapping[str, Headers], barcodes: Mapping[str, str | None], *, samples: bool
) -> list[Refused]:
    """What headers show. All by path; `samples`: whether a sheet separates samples."""
    faults: list[Refused] = []
    cells: dict[str, str] = {}
    for path, header in headers.items():
        if header.flow_cell:
            cells.setdefault(header.flow_cell.upper(), path)
    if len(cells) > 1:
        faults.append(several_flow_cells(sorted(cells), cells[max(cells)]))
    if not samples and not any(barcodes.values()):
        faults += _pooled(headers)
    return faults


def _pooled(headers: Mapping[str, Headers]) -> list[Refused]:
    """Reads of several barcodes in files that nothing separates would become one sample."""
    counts: dict[str, int] = {}
    for header in headers.values():
        for barcode, reads in (header.barcodes or {}).items():
            counts[barcode] = counts.get(barcode, 0) + reads
    total = sum(counts.values())
    many = sorted(
        b for b, reads in counts.items() if b != UNCLASSIFIED and reads >= LEAST_SHARE * total
    )
    if len(many) < 2:
        return []
    return [
        InputRefused(
            f"its reads are of {', '.join(many[:4])}, and no sheet says which samples those are.",
            file=next(iter(headers)),
            remedy="give a sample sheet with a barcode for each sample.",
        )
    ]
