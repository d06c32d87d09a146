"""A sample sheet (CSV or TSV) -> samples.

Order: decode (`table_text.py`) -> find the columns under any of their names (`columns.py`) -> one
`Sample` a row -> what only all rows together show (`rules.py`). Our own columns and MinKNOW's
(`alias`, `barcode`, `type`) are both understood; a column that neither of us knows is refused,
because a misspelt `volume_ml` must not vanish. All faults are reported at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from porewatch.domain.errors import Refused, SampleSheetRefused, SeveralRefused
from porewatch.domain.inputs.sheet.columns import (
    BY_FIELD,
    COLUMNS,
    IGNORED,
    MATERIALS,
    ROLES,
    parse_barcode,
)
from porewatch.domain.inputs.sheet.rules import (
    doubled,
    lonely_controls,
    lookalikes,
    of_flow_cell,
    without_barcode,
)
from porewatch.domain.inputs.sheet.table_text import (
    Decoded,
    Encoding,
    Row,
    decode,
    heading,
    rows_of,
)
from porewatch.domain.reasons.reason import Reason, RefusalCode, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.validation_text import say

__all__ = ["COLUMNS", "IGNORED", "ROLES", "parse_barcode", "parse_sample_sheet", "read_sheet"]


class Sheet(NamedTuple):
    """What a sheet says: its samples by line, or what is wrong with it. `table`: its cells as they
    are, the header first; empty when it is no table."""

    rows: Mapping[int, Sample]
    faults: tuple[Refused, ...]
    encoding: Encoding | None
    table: Sequence[Row] = ()

    @property
    def samples(self) -> tuple[Sample, ...]:
        """In the order of the sheet; none when anything is wrong."""
        return tuple(self.rows.values())


def parse_sample_sheet(
    content: bytes | str, *, file: str, flow_cell: str | None = None
) -> tuple[Sample, ...]:
    """The samples of a sheet, in its order; of a sheet for several flow cells, those of
    `flow_cell`, when that is known.

    `file` is the name that error messages use. Raises SampleSheetRefused, naming file, line,
    column and value; SeveralRefused, when more than one thing is wrong.
    """
    sheet = read_sheet(content, file=file, flow_cell=flow_cell)
    if len(sheet.faults) > 1:
        raise SeveralRefused(sheet.faults)
    for fault in sheet.faults:
        raise fault
    return sheet.samples


def read_sheet(content: bytes | str, *, file: str, flow_cell: str | None = None) -> Sheet:
    """As `parse_sample_sheet`, with the faults gathered instead of raised."""
    reading = _Reading(file)
    try:
        decoded = (
            Decoded(content, Encoding.UTF8) if isinstance(content, str) else decode(content, file)
        )
        reading.encoding = decoded.encoding
        reading.table = rows_of(decoded.text, file)
        rows = of_flow_cell(reading.table, flow_cell, file)
        reading.take(rows[0], rows[1:])
    except SampleSheetRefused as fault:
        reading.faults.append(fault)
    rows_of_samples = {} if reading.faults else reading.samples
    faults = sorted(reading.faults, key=lambda fault: fault.line or 0)
    return Sheet(rows_of_samples, tuple(faults), reading.encoding, reading.table)


class _Reading:
    """One sheet while it is read. `samples`: by the line of the file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.encoding: Encoding | None = None
        self.table: list[Row] = []
        self.samples: dict[int, Sample] = {}
        self.faults: list[Refused] = []
        self._fields_by_line: dict[int, dict[str, Any]] = {}
        self._columns: dict[int, str] = {}
        self._header = Row(1, [])

    def take(self, header: Row, rows: Sequence[Row]) -> None:
        self._header = header
        self._columns = self._find_columns()
        if "name" not in self._columns.values():
            self._no_name()
            return
        several = len(rows) > 1
        for row in rows:
            self._take_row(row)
        if not rows:
            problem = because(RefusalCode.SHEET_NO_SAMPLE)
            self._refuse(problem, "add one row per sample.")
        whole = len(self.samples) == len(rows)
        self.faults += [
            *(without_barcode(self._fields_by_line, self.file) if several else ()),
            *doubled(self._fields_by_line, self.file),
            *lookalikes(self._fields_by_line, self.file),
            *(lonely_controls(self.samples, self.file) if whole else ()),
        ]

    def _refuse(
        self, problem: str | Reason, remedy: str, line: int | None = None, column: str | None = None
    ) -> None:
        self.faults.append(
            SampleSheetRefused(problem, file=self.file, line=line, column=column, remedy=remedy)
        )

    def _find_columns(self) -> dict[int, str]:
        """Position -> field of `Sample`."""
        names = [heading(cell) for cell in self._header.cells]
        found: dict[int, str] = {}
        for position, name in enumerate(names):
            field, cell = COLUMNS.get(name), self._header.cells[position]
            if field is None and name not in IGNORED and name:
                self._unknown_column(cell)
            elif field is not None and field in found.values():
                problem = because(RefusalCode.SHEET_COLUMN_TWICE, field=field)
                self._refuse(problem, "keep one of them.", self._header.line, cell)
            elif field:
                found[position] = field
        if "name" not in found.values() and "sample_id" in names:
            found[names.index("sample_id")] = "name"  # MinKNOW's sheet of a run without barcodes
        return found

    def _unknown_column(self, name: str) -> None:
        near = difflib.get_close_matches(heading(name), COLUMNS, n=1)
        self._refuse(
            f"column {name!r} is not known.",
            f"did you mean {near[0]}?" if near else f"use {', '.join(BY_FIELD)}; or call it notes.",
            self._header.line,
            name,
        )

    def _no_name(self) -> None:
        self._refuse(
            f"there is no column name (found: {', '.join(self._header.cells)}).",
            "name one column name, sample or alias.",
            self._header.line,
        )

    def _take_row(self, row: Row) -> None:
        width = len(self._header.cells)
        cells = row.cells if any(row.cells[width:]) else row.cells[:width]
        if not max(self._columns) < len(cells) <= width:
            self._refuse(
                f"this row has {len(cells)} cells, the header has {width}.",
                "give every row as many cells as the header, empty ones too; 0.5, not 0,5.",
                row.line,
            )
            return
        values = {field: cells[position] for position, field in self._columns.items()}
        before = len(self.faults)
        fields = self._fields_by_line[row.line] = self._fields(values, row.line)
        if len(self.faults) == before:
            self._keep(fields, row.line)

    def _fields(self, values: Mapping[str, str], line: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field, cell in values.items():
            if cell or field == "name":
                try:
                    fields[field] = BY_FIELD[field].read(cell)
                except ValueError as e:
                    fields[field] = None
                    self._cell(field, cell, str(e), line)
        material = fields.get("material") or "dna"
        fields["material"] = MATERIALS[material]
        if material != MATERIALS[material]:
            fields.setdefault("tissue", material)
        role = fields.setdefault("role", SampleRole.SAMPLE)
        if fields.get("expected_codes") and role not in (SampleRole.POSITIVE_CONTROL, None):
            remedy = "only a positive control has them; leave the cell empty."
            self._cell("expected_codes", values["expected_codes"], remedy, line)
        return fields

    def _cell(self, field: str, value: str, remedy: str, line: int) -> None:
        column = next(self._header.cells[at] for at, f in self._columns.items() if f == field)
        self._refuse(f"{field} {value!r} cannot be used.", remedy, line, column)

    def _keep(self, fields: Mapping[str, Any], line: int) -> None:
        try:
            self.samples[line] = Sample(**fields)
        except ValidationError as e:
            self._refuse(say(e), "correct the row.", line)
