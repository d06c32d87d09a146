"""Writes docs/tables.md from the tables themselves: `python -m porewatch_worker.tables.page`."""

from __future__ import annotations

import sys
from pathlib import Path

from porewatch_worker.tables.shapes import Column, Table, tables

DEFAULT = Path("docs/tables.md")
_HEAD = """# The numbers of a report, as tables

Each report comes with `tables.zip`: tab-separated text, UTF-8, a header line, blank for nothing,
and `datapackage.json` (Frictionless Tabular Data Package), which holds the same as this page. Every
number of `report.json` is in one of them once. Keys are in bold: they identify rows, and join
tables. [Recompute it](science/recompute.md) takes four numbers from them. A text that begins with
`=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe before it: no spreadsheet runs a
file name or a read header as a formula.

This page is written by `python -m porewatch_worker.tables.page`.
"""


def page() -> str:
    """The page's text."""
    return _HEAD + "".join(_section(table) for table in tables())


def _section(table: Table) -> str:
    rows = "".join(_line(column) for column in table.columns)
    return f"\n## {table.name}\n\n{table.about}\n\n| column | type | |\n|---|---|---|\n{rows}"


def _line(column: Column) -> str:
    name = f"**{column.name}**" if column.key else column.name
    return f"| {name} | {column.type} | {column.about.replace('|', '&#124;')} |\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    target.write_text(page(), encoding="utf-8")
    print(target)
