"""docs/sample-sheet.md lists the columns that the parser reads, those and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from porewatch.domain.inputs.sheet.columns import (
    BY_FIELD,
    COLUMNS,
    HIGHEST_BARCODE,
    IGNORED,
)
from porewatch.domain.inputs.sheet.example import (
    Layout,
    example,
)
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sample-sheet.md").read_text()
TABLE = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in PAGE.split("## Columns")[1].split("\n\n## ")[0].splitlines()
    if line.startswith("| `")
]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_page_lists_exactly_the_columns_of_the_parser() -> None:
    assert [codes(row[0])[0] for row in TABLE] == list(BY_FIELD)
    listed = {name: codes(row[0])[0] for row in TABLE for name in codes(row[0]) + codes(row[1])}
    assert listed == COLUMNS


def test_every_column_has_meaning_values_default_and_example() -> None:
    assert all(len(row) == 6 and row[2] and row[3] and row[4] and row[5] for row in TABLE)


def test_the_page_lists_exactly_what_is_passed_over() -> None:
    passed_over = PAGE.split("Read as well, and put nowhere:")[1].split("Of these,")[0]
    assert set(codes(passed_over)) == IGNORED


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_every_example_on_the_page_is_read(row: list[str]) -> None:
    column, value = codes(row[0])[0], codes(row[5])[0]
    given = {"name": "a", "role": "positive_control"} | {column: value}
    parse_sample_sheet(f"{','.join(given)}\n{','.join(given.values())}\n", file="page")


def test_the_highest_barcode_of_the_page_is_that_of_the_parser() -> None:
    assert f"`barcode{HIGHEST_BARCODE}`" in PAGE


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("samples", [1, 90])
def test_an_example_passes_the_parser(layout: Layout, positive: bool, samples: int) -> None:
    rows = example(layout, samples=samples, positive=positive)
    text = "\n".join(",".join(row) for row in rows)
    assert len(parse_sample_sheet(text, file="example")) == samples + 1 + positive


def test_the_full_example_fills_every_column() -> None:
    header, *rows = example(Layout.FULL, samples=2, positive=True)
    assert header == [*BY_FIELD, "notes"]
    assert all(any(row[at] for row in rows) for at in range(len(header)))
