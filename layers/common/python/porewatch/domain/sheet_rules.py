"""What only all rows of a sample sheet together show. `samples`: line of the sheet -> its sample.

Each raises SampleSheetRefused with file, line and remedy.
"""

from __future__ import annotations

from collections.abc import Mapping

from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.sample_names import as_seen


def refuse_duplicates(samples: Mapping[int, Sample], file: str) -> None:
    """Names and barcodes are given once, and barcodes to all where there are several samples."""
    for what in ("name", "barcode"):
        first: dict[str, int] = {}
        for line, sample in samples.items():
            value = getattr(sample, what)
            if value is None and what == "barcode" and len(samples) > 1:
                raise SampleSheetRefused(
                    f"sample {sample.name!r} has no barcode.",
                    file=file,
                    line=line,
                    remedy="with more than one sample, every sample needs a barcode.",
                )
            if value is not None and value in first:
                raise SampleSheetRefused(
                    f"{what} {value!r} was already given in line {first[value]}.",
                    file=file,
                    line=line,
                    remedy=f"give every sample a {what} of its own.",
                )
            if value is not None:
                first[value] = line


def refuse_lookalikes(samples: Mapping[int, Sample], file: str) -> None:
    """Two names that print alike would be one animal to whoever reads the report."""
    first: dict[str, int] = {}
    for line, sample in samples.items():
        before = first.setdefault(as_seen(sample.name), line)
        if before != line:
            raise SampleSheetRefused(
                f"name {sample.name!r} looks like {samples[before].name!r} in line {before}: they "
                "differ only in wide and narrow letters, or in letters of another alphabet.",
                file=file,
                line=line,
                remedy="give it a name that a reader can tell from the other.",
            )


def refuse_lonely_controls(samples: Mapping[int, Sample], file: str) -> None:
    """A batch that only controls name is a misspelt one: they would speak for nobody."""
    named = {s.batch for s in samples.values() if s.role is SampleRole.SAMPLE}
    for line, sample in samples.items():
        if named and sample.batch is not None and sample.batch not in named:
            there = ", ".join(sorted(b for b in named if b)) or "none"
            raise SampleSheetRefused(
                f"batch {sample.batch!r} has controls and no sample.",
                file=file,
                line=line,
                remedy=f"use a batch of the samples ({there}), or leave the cell empty: "
                "then the control is for the whole run.",
            )


Rows = list[tuple[int, list[str]]]


def of_flow_cell(rows: Rows, flow_cell: str | None, file: str) -> Rows:
    """The header and the rows that are for `flow_cell`, or for any. Raises SampleSheetRefused when
    every row names another: the barcodes of one flow cell may be other samples on the next."""
    names = [name.lower().replace(" ", "_") for name in rows[0][1]]
    if flow_cell is None or "flow_cell_id" not in names:
        return rows
    at = names.index("flow_cell_id")
    told = {line: cells[at].upper() if at < len(cells) else "" for line, cells in rows[1:]}
    kept = [(n, cells) for n, cells in rows[1:] if told[n] in ("", flow_cell.upper())]
    if rows[1:] and not kept:
        raise SampleSheetRefused(
            f"it is for flow cell {', '.join(sorted(set(told.values())))}, "
            f"and the reads are of {flow_cell}.",
            file=file,
            line=rows[1][0],
            remedy="give the sheet of this run, or correct its flow_cell_id.",
        )
    return [rows[0], *kept]
