"""A sample sheet (CSV or TSV) -> samples.

Order: decode -> find the columns under any of their names -> one `Sample` a row -> look for
duplicates. Our own columns and MinKNOW's (`alias`, `barcode`, `type`) are both understood; a
column that neither of us knows is refused, because a misspelt `volume_ml` must not vanish.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable
from typing import Any

from porewatch.domain.bounds import number
from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.sample_names import RULE, sample_name
from porewatch.domain.sheet_rules import (
    of_flow_cell,
    refuse_duplicates,
    refuse_lonely_controls,
    refuse_lookalikes,
)

COLUMNS = {
    "name": "name",
    "sample": "name",
    "sample_name": "name",
    "alias": "name",
    "barcode": "barcode",
    "role": "role",
    "type": "role",
    "batch": "batch",
    "extraction_batch": "batch",
    "material": "material",
    "volume_ml": "volume_ml",
    "spike_copies": "spike_copies",
    "extraction_efficiency": "extraction_efficiency",
    "spike_cv": "spike_cv",
    "extraction_cv": "extraction_cv",
    "nucleic_acid_ng_per_ml": "nucleic_acid_ng_per_ml",
    "nucleic_acid_cv": "nucleic_acid_cv",
    "expected_codes": "expected_codes",
    "min_read_length": "min_read_length",
    "min_block": "min_block",
}
"""Column in the file -> field of `Sample`."""

IGNORED = frozenset(
    {"protocol_run_id", "position_id", "flow_cell_id", "sample_id", "experiment_id"}
    | {"flow_cell_product_code", "kit", "internal_barcode", "external_barcode", "rapid_barcode"}
    | {"comment", "remark", "notes"}
)
"""Columns that MinKNOW writes, or people keep for themselves."""

ROLES = {
    "": SampleRole.SAMPLE,
    "sample": SampleRole.SAMPLE,
    "test_sample": SampleRole.SAMPLE,
    "no_template_control": SampleRole.NO_TEMPLATE_CONTROL,
    "negative_control": SampleRole.NO_TEMPLATE_CONTROL,
    "ntc": SampleRole.NO_TEMPLATE_CONTROL,
    "positive_control": SampleRole.POSITIVE_CONTROL,
}

MATERIALS = {"dna": "dna", "rna": "rna", "cfdna": "dna", "cfrna": "rna"}
"""What may stand in the sheet -> what was sequenced. Cell-free nucleic acid is short."""

READ_LIMITS = {"min_read_length": (40, 100_000), "min_block": (40, 10_000)}
"""Columns of whole bases, with their bounds."""

HIGHEST_BARCODE = 96
LIMITS = {
    "volume_ml": None,
    "spike_copies": None,
    "extraction_efficiency": 1.0,
    "spike_cv": 2.0,
    "extraction_cv": 2.0,
    "nucleic_acid_ng_per_ml": None,
    "nucleic_acid_cv": 2.0,
}
"""Number columns and their upper bound; all must be greater than 0."""


def parse_sample_sheet(
    content: bytes | str, *, file: str, flow_cell: str | None = None
) -> tuple[Sample, ...]:
    """The samples of a sheet, in its order; of a sheet for several flow cells, those of
    `flow_cell`, when that is known.

    `file` is the name that error messages use. Raises SampleSheetRefused, naming file, line,
    column and value.
    """
    rows = of_flow_cell(_rows(_text(content, file), file), flow_cell, file)
    columns, width = _columns(rows[0][1], file), len(rows[0][1])
    samples: dict[int, Sample] = {}
    for line, cells in rows[1:]:
        row = _named(_without_tail(cells, width), columns, width, line, file)
        samples[line] = _sample(row, line, file)
    if not samples:
        raise SampleSheetRefused(
            "the sheet has a header but no sample.", file=file, remedy="add one row per sample."
        )
    refuse_duplicates(samples, file)
    refuse_lookalikes(samples, file)
    refuse_lonely_controls(samples, file)
    return tuple(samples.values())


def parse_barcode(value: str) -> str:
    """`barcode07` in any case -> `barcode07`. Raises ValueError with the remedy."""
    number = re.fullmatch(r"barcode(\d{2})", value.strip().lower())
    if number and 1 <= int(number[1]) <= HIGHEST_BARCODE:
        return number[0]
    digits = re.fullmatch(r"(?:[a-z]{2}|barcode)?[-_ ]?0?(\d{1,2})", value.strip().lower())
    meant = int(digits[1]) if digits else 0
    hint = f"write barcode{meant:02d}" if 0 < meant <= HIGHEST_BARCODE else "write it"
    raise ValueError(f"{hint} as MinKNOW does, barcode01 to barcode{HIGHEST_BARCODE}.")


def _text(content: bytes | str, file: str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise SampleSheetRefused(
            "the sheet is not UTF-8 text.",
            file=file,
            line=content[: e.start].count(b"\n") + 1,
            remedy="save it as CSV (UTF-8), not as a spreadsheet.",
        ) from e


def _rows(text: str, file: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of every line that says something; the header first."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((d for d in "\t;" if d in header), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as e:
        raise SampleSheetRefused(
            f"this line is not CSV ({e}).",
            file=file,
            line=reader.line_num,
            remedy="close every quotation mark, or save the sheet as CSV again.",
        ) from e
    if not rows:
        raise SampleSheetRefused(
            "the sheet is empty.", file=file, remedy="a header with name and barcode, then rows."
        )
    return rows


def _columns(header: list[str], file: str) -> dict[int, str]:
    """Position -> field of `Sample`."""
    names = [cell.lower().replace(" ", "_") for cell in header]
    found: dict[int, str] = {}
    for position, name in enumerate(names):
        field = COLUMNS.get(name)
        if field is None and name not in IGNORED and name:
            raise _unknown_column(header[position], file)
        if field in found.values():
            raise SampleSheetRefused(
                f"two columns give the {field}.", file=file, line=1, remedy="keep one of them."
            )
        if field:
            found[position] = field
    if "name" not in found.values() and "sample_id" in names:
        found[names.index("sample_id")] = "name"  # MinKNOW's sheet of a run without barcodes
    if "name" not in found.values():
        raise SampleSheetRefused(
            f"there is no column name (found: {', '.join(header)}).",
            file=file,
            line=1,
            remedy="name one column name, sample or alias.",
        )
    return found


def _unknown_column(name: str, file: str) -> SampleSheetRefused:
    near = difflib.get_close_matches(name.lower(), COLUMNS, n=1)
    known = ", ".join(dict.fromkeys(COLUMNS.values()))
    return SampleSheetRefused(
        f"column {name!r} is not known.",
        file=file,
        line=1,
        remedy=f"did you mean {near[0]}?" if near else f"use {known}; or call it notes.",
    )


def _without_tail(cells: list[str], width: int) -> list[str]:
    """Without the empty cells that spreadsheets add behind the last column."""
    tail = cells[width:]
    return cells[:width] if not any(tail) else cells


def _named(
    cells: list[str], columns: dict[int, str], width: int, line: int, file: str
) -> dict[str, str]:
    if not max(columns) < len(cells) <= width:
        raise SampleSheetRefused(
            f"this row has {len(cells)} cells, the header has {width}.",
            file=file,
            line=line,
            remedy="give every row as many cells as the header, empty ones too; 0.5, not 0,5.",
        )
    return {field: cells[position] for position, field in columns.items()}


def _sample(row: dict[str, str], line: int, file: str) -> Sample:  # noqa: C901 - one branch a column
    def refuse(column: str, remedy: str) -> SampleSheetRefused:
        problem = f"{column} {row[column]!r} cannot be used."
        return SampleSheetRefused(problem, file=file, line=line, remedy=remedy)

    def name_in(column: str) -> str:
        try:
            return sample_name(row[column])
        except ValueError as e:
            raise refuse(column, f"{e} Use {RULE}") from e

    fields: dict[str, Any] = {"name": name_in("name")}
    if row.get("barcode"):
        try:
            fields["barcode"] = parse_barcode(row["barcode"])
        except ValueError as e:
            raise refuse("barcode", str(e)) from e
    role = row.get("role", "").lower().replace(" ", "_")
    if role not in ROLES:
        raise refuse("role", "use sample, no_template_control or positive_control.")
    fields["role"] = ROLES[role]
    if row.get("batch"):
        fields["batch"] = name_in("batch")
    material = row.get("material", "").lower() or "dna"
    if material not in MATERIALS:
        raise refuse("material", "use dna or rna, or cfdna or cfrna for what plasma holds.")
    fields["material"] = MATERIALS[material]
    if material != MATERIALS[material] and not row.get("tissue"):
        fields["tissue"] = material
    fields |= _limits(row, refuse)
    for column, limit in LIMITS.items():
        if row.get(column):
            number = _number(row[column], limit)
            if number is None:
                bound = f", at most {limit:g}" if limit else ""
                raise refuse(column, f"a number greater than 0{bound}, like 0.5 (with a point).")
            fields[column] = number
    fields["expected_codes"] = _codes(row)
    if fields["expected_codes"] and fields["role"] is not SampleRole.POSITIVE_CONTROL:
        raise refuse("expected_codes", "only a positive control has them; leave the cell empty.")
    return Sample(**fields)


def _limits(row: dict[str, str], refuse: Callable[[str, str], Exception]) -> dict[str, int]:
    """The row's own least read length and least block."""
    found = {}
    for column, (least, most) in READ_LIMITS.items():
        if text := row.get(column, ""):
            if (given := number(text)) is None or not least <= given <= most:
                raise refuse(column, f"a whole number of bases from {least} to {most}.")
            found[column] = given
    return found


def _codes(row: dict[str, str]) -> tuple[str, ...]:
    """Codes of one cell, between blanks, `|` or `+` (a comma or semicolon may end the cell)."""
    return tuple(re.findall(r"[^\s|+;,]+", row.get("expected_codes", "")))


def _number(text: str, limit: float | None) -> float | None:
    if not re.fullmatch(r"\d*\.?\d+(?:[eE][+-]?\d{1,2})?|\d+\.", text):
        return None
    number = float(text)
    return number if 0 < number <= (limit or 1e18) else None
