"""What only all rows of a sample sheet together show. `samples`: line of the sheet -> its sample.

Each yields one SampleSheetRefused a fault, with file, line, column and remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from porewatch.domain.errors import Refused, SampleSheetRefused
from porewatch.domain.inputs.sheet.table_text import (
    Row,
    heading,
)
from porewatch.domain.reasons.reason import RefusalCode, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.sample_names import as_seen

FieldsByLine = Mapping[int, Mapping[str, Any]]
"""Line -> field -> value, None for a cell that cannot be used; a field is missing where the cell is
empty. Rows with faults of their own are among them."""


def without_barcode(rows: FieldsByLine, file: str) -> Iterator[Refused]:
    """Of several samples every one has a barcode."""
    for line, fields in rows.items():
        if "barcode" not in fields:
            yield SampleSheetRefused(
                because(RefusalCode.SHEET_NO_BARCODE, sample=fields["name"] or ""),
                file=file,
                line=line,
                column="barcode",
                remedy="with more than one sample, every sample needs a barcode.",
            )


TWICE = {
    "name": RefusalCode.SHEET_NAME_TWICE,
    "barcode": RefusalCode.SHEET_BARCODE_TWICE,
}


def doubled(rows: FieldsByLine, file: str) -> Iterator[Refused]:
    """Names and barcodes are given once."""
    for what, code in TWICE.items():
        first: dict[str, int] = {}
        for line, fields in rows.items():
            value = fields.get(what)
            if value is not None and first.setdefault(value, line) != line:
                yield SampleSheetRefused(
                    because(code, value=value, first=first[value]),
                    file=file,
                    line=line,
                    column=what,
                    remedy=f"give every sample a {what} of its own.",
                )


def lookalikes(rows: FieldsByLine, file: str) -> Iterator[Refused]:
    """Two names that print alike would be one animal to a reader of the report."""
    first: dict[str, tuple[int, str]] = {}
    for line, fields in rows.items():
        if (mine := fields["name"]) is None:
            continue
        before, name = first.setdefault(as_seen(mine), (line, mine))
        if name != mine:
            yield SampleSheetRefused(
                because(RefusalCode.SHEET_NAMES_LOOK_ALIKE, name=mine, other=name, first=before),
                file=file,
                line=line,
                column="name",
                remedy="give it a name that a reader can tell from the other.",
            )


def lonely_controls(samples: Mapping[int, Sample], file: str) -> Iterator[Refused]:
    """A batch that only controls name is a misspelt one: they would control no sample."""
    named = {s.batch for s in samples.values() if s.role is SampleRole.SAMPLE}
    for line, sample in samples.items():
        if named and sample.batch is not None and sample.batch not in named:
            there = ", ".join(sorted(b for b in named if b)) or "none"
            yield SampleSheetRefused(
                because(RefusalCode.SHEET_CONTROLS_WITHOUT_SAMPLE, batch=sample.batch),
                file=file,
                line=line,
                column="batch",
                remedy=f"use a batch of the samples ({there}), or leave the cell empty: "
                "then the control is for the whole run.",
            )


def of_flow_cell(rows: list[Row], flow_cell: str | None, file: str) -> list[Row]:
    """The header and the rows that are for `flow_cell`, or for any. Raises SampleSheetRefused when
    every row names another: the barcodes of one flow cell may be other samples on the next."""
    names = [heading(name) for name in rows[0].cells]
    if flow_cell is None or "flow_cell_id" not in names:
        return rows
    at = names.index("flow_cell_id")
    cells_by_line = {line: cells[at].upper() if at < len(cells) else "" for line, cells in rows[1:]}
    kept = [row for row in rows[1:] if cells_by_line[row.line] in ("", flow_cell.upper())]
    if rows[1:] and not kept:
        raise SampleSheetRefused(
            because(
                RefusalCode.SHEET_OTHER_FLOW_CELL,
                cells=tuple(sorted(set(cells_by_line.values()))),
                cell=flow_cell,
            ),
            file=file,
            line=rows[1].line,
            column="flow_cell_id",
            remedy="give the sheet of this run, or correct its flow_cell_id.",
        )
    return [rows[0], *kept]
