"""The published tables: complete, described, equal for equal reports."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from porewatch_worker.report.assemble import assemble
from porewatch_worker.tables.inputs import publish
from porewatch_worker.tables.page import DEFAULT, page
from porewatch_worker.tables.shapes import ALIKE, tables
from porewatch_worker.tables.write import DESCRIPTION, write_tables
from tests.web import made_up

REPO = Path(__file__).parents[2]


def written(path: Path) -> dict[str, list[dict[str, str]]]:
    """Every table of the archive, by name."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".tsv"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode()), delimiter="\t")
            )
            for name in archive.namelist()
            if name.endswith(".tsv")
        }


def numbers(value: Any, path: str = "report") -> Iterator[tuple[str, float]]:
    """Every number of a JSON value, but what stands elsewhere in it as well."""
    if path in ALIKE:
        return
    if isinstance(value, dict):
        for name, held in value.items():
            yield from numbers(held, f"{path}.{name}")
    elif isinstance(value, list):
        for held in value:
            yield from numbers(held, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def made(tmp_path: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    inputs = made_up.rich()
    report = assemble(inputs)
    path = write_tables(publish(report, inputs.bundle), tmp_path / "tables.zip")
    return json.loads(report.model_dump_json()), written(path)


def test_every_number_of_the_report_is_in_a_table_as_often_as_it_is_in_the_report(
    tmp_path: Path,
) -> None:
    report, found = made(tmp_path)
    apart = {"references", "constants"}
    cells: dict[float, int] = {}
    for name in found.keys() - apart:
        for row in found[name]:
            for cell in row.values():
                for text in _parsed(cell):
                    cells[text] = cells.get(text, 0) + 1
    missing = []
    for path, number in numbers(report):
        if _told_by_bins(path):
            continue
        cells[float(number)] = cells.get(float(number), 0) - 1
        if cells[float(number)] < 0:
            missing.append((path, number))
    assert not missing


def _told_by_bins(path: str) -> bool:
    """Edges of a histogram stand twice among its bins."""
    return path.endswith(".edges")


def _parsed(cell: str) -> Iterator[float]:
    try:
        yield float(cell)
    except ValueError:
        return


def test_equal_reports_give_equal_bytes(tmp_path: Path) -> None:
    inputs = made_up.rich()
    one, other = (
        write_tables(publish(assemble(inputs), inputs.bundle), tmp_path / name).read_bytes()
        for name in ("one.zip", "other.zip")
    )
    assert one == other


def test_the_description_names_the_columns_of_every_file_and_its_keys_tell_rows_apart(
    tmp_path: Path,
) -> None:
    inputs = made_up.rich()
    path = write_tables(publish(assemble(inputs), inputs.bundle), tmp_path / "tables.zip")
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read(DESCRIPTION))
    found = written(path)
    assert {r["name"] for r in told["resources"]} == set(found)
    for resource in told["resources"]:
        rows, fields = found[resource["name"]], resource["schema"]["fields"]
        if rows:
            assert list(rows[0]) == [field["name"] for field in fields]
        key = resource["schema"]["primaryKey"]
        if key and rows and "low" not in rows[0]:
            keys = [tuple(row[name] for name in key) for row in rows]
            assert len(keys) == len(set(keys)), resource["name"]


def test_every_table_and_column_has_a_sentence_and_no_column_stands_twice() -> None:
    bare = [
        f"{table.name}.{column.name}"
        for table in tables()
        for column in table.columns
        if not column.about
    ]
    bare += [table.name for table in tables() if not table.about]
    assert not bare, f"say in data/tables.json what these are: {', '.join(bare)}"
    names = [table.name for table in tables()]
    assert len(names) == len(set(names))
    for table in tables():
        columns = [column.name for column in table.columns]
        assert len(columns) == len(set(columns)), table.name


def test_the_page_is_as_the_tables_are() -> None:
    assert (REPO / DEFAULT).read_text("utf-8") == page(), (
        "run python -m porewatch_worker.tables.page"
    )
