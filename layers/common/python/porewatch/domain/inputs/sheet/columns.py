"""The columns of a sample sheet: what each is called, and how its cell is read.

`docs/sample-sheet.md` lists them, and a test holds that it lists these and no others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from porewatch.domain.bounds import LEAST_AMOUNT, MOST_AMOUNT, number
from porewatch.domain.identity import day
from porewatch.domain.labels import label
from porewatch.domain.runs import SampleRole
from porewatch.domain.sample_names import RULE, sample_name

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

HIGHEST_BARCODE = 9999
"""ONT's own kits end at 96; custom arrangements of dorado number on, and so do folders."""


class Column(NamedTuple):
    """`read` turns a cell that holds something into the field's value; ValueError is the remedy."""

    field: str
    read: Callable[[str], Any]
    also: tuple[str, ...] = ()


def parse_barcode(value: str) -> str:
    """`barcode07` in any case -> `barcode07`. Raises ValueError with the remedy.

    >>> parse_barcode('barcode01')
    'barcode01'
    """
    text = _plain(value).lower()
    number = re.fullmatch(r"barcode(\d{2}|[1-9]\d{2,3})([a-d]?)", text)
    if number and text.isascii() and int(number[1]):
        return text
    digits = re.fullmatch(r"(?:[a-z]{2}|barcode|[a-z0-9-]+_barcode)?[-_ ]?0*(\d{1,4})", text)
    meant = int(digits[1]) if digits and text.isascii() else 0
    hint = f"write barcode{meant:02d}" if meant else "write it"
    raise ValueError(
        f"{hint} as MinKNOW does, barcode01 to barcode96 (beyond in custom arrangements, to "
        f"barcode{HIGHEST_BARCODE}), with the letter of a kit's variant: barcode12a."
    )


def _plain(cell: str) -> str:
    """Wide letters and digits, as Japanese keyboards write them, as plain ones."""
    return unicodedata.normalize("NFKC", cell).strip()


def _name(cell: str) -> str:
    try:
        return sample_name(cell)
    except ValueError as e:
        raise ValueError(f"{e} Use {RULE}") from e


def _role(cell: str) -> SampleRole:
    role = ROLES.get(_plain(cell).lower().replace(" ", "_").replace("-", "_"))
    if role is None:
        raise ValueError("use sample, no_template_control or positive_control.")
    return role


def _material(cell: str) -> str:
    """As it was written; `MATERIALS` says what was sequenced."""
    material = _plain(cell).lower()
    if material not in MATERIALS:
        raise ValueError("use dna or rna, or cfdna or cfrna for what plasma holds.")
    return material


def _number(most: float | None = None) -> Callable[[str], float]:
    def read(cell: str) -> float:
        text = _plain(cell)
        shaped = re.fullmatch(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,2})?|[0-9]+\.", text)
        number = float(text) if shaped else 0.0
        if not LEAST_AMOUNT <= number <= (most or MOST_AMOUNT):
            bound = f", at most {most:g}" if most else ""
            raise ValueError(f"a number greater than 0{bound}, like 0.5 (with a point).")
        return number

    return read


def _bases(least: int, most: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        given = number(_plain(cell))
        if given is None or not least <= given <= most:
            raise ValueError(f"a whole number of bases from {least} to {most}.")
        return given

    return read


def _codes(cell: str) -> tuple[str, ...]:
    """Codes of one cell, between blanks, `|` or `+` (a comma or semicolon may end the cell)."""
    return tuple(re.findall(r"[^\s|+;,]+", _plain(cell)))


def _day(cell: str) -> date:
    """Year first, as ISO 8601 and Excel in Japan write it: month and day cannot be confused."""
    parts = re.fullmatch(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", _plain(cell))
    if parts is None:
        raise ValueError("write the day as 2026-11-28, the year first.")
    try:
        return day(f"{parts[1]}-{int(parts[3]):02d}-{int(parts[4]):02d}")
    except ValueError as e:
        raise ValueError(f"there is no such day ({e}); write it as 2026-11-28.") from e


_ALL = (
    Column("name", _name, ("sample", "sample_name", "alias")),
    Column("barcode", parse_barcode),
    Column("role", _role, ("type",)),
    Column("batch", _name, ("extraction_batch",)),
    Column("material", _material),
    Column("volume_ml", _number()),
    Column("spike_copies", _number()),
    Column("extraction_efficiency", _number(1.0)),
    Column("spike_cv", _number(2.0)),
    Column("extraction_cv", _number(2.0)),
    Column("nucleic_acid_ng_per_ml", _number()),
    Column("nucleic_acid_cv", _number(2.0)),
    Column("expected_codes", _codes),
    Column("min_read_length", _bases(40, 100_000)),
    Column("min_block", _bases(40, 10_000)),
    Column("accession", label, ("accession_number",)),
    Column("animal", label, ("animal_id",)),
    Column("species", label),
    Column("tissue", label, ("specimen",)),
    Column("collected", _day, ("collection_date",)),
    Column("received", _day, ("receipt_date",)),
    Column("requester", label),
    Column("analyst", label),
)
BY_FIELD: Mapping[str, Column] = {column.field: column for column in _ALL}

COLUMNS = {name: column.field for column in _ALL for name in (column.field, *column.also)}
"""Heading in the file -> field of `Sample`."""

IGNORED = frozenset(
    {"protocol_run_id", "position_id", "flow_cell_id", "sample_id", "experiment_id"}
    | {"flow_cell_product_code", "kit", "internal_barcode", "external_barcode", "rapid_barcode"}
    | {"comment", "remark", "notes"}
)
"""Headings that MinKNOW writes, or people keep for themselves. Two of them are looked at: rows of
another `flow_cell_id` are left out, and `sample_id` names the sample of a run without barcodes."""
