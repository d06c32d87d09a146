"""The published tables: complete, described, equal for equal reports."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from porewatch_worker.report.assemble import assemble
from porewatch_worker.tables.inputs import publish
from porewatch_worker.tables.page import DEFAULT, page
from porewatch_worker.tables.shapes import ALIKE, Table, tables
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


Path_ = tuple[str, ...]


def numbers(value: Any, path: Path_ = ("report",)) -> Iterator[tuple[Path_, float]]:
    """Every number of a JSON value with the names that lead to it, but what it holds twice."""
    if ".".join(path) in ALIKE:
        return
    if isinstance(value, dict):
        for name, held in value.items():
            yield from numbers(held, (*path, name))
    elif isinstance(value, list):
        for held in value:
            yield from numbers(held, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def cell_of(path: Path_) -> tuple[str, str]:
    """Table and column in which a number of the report must stand."""
    places = [(len(t.steps), t, rest) for t in tables() if (rest := _after(t, path)) is not None]
    _, table, rest = max(places, key=lambda place: place[0])
    how = table.steps[-1].how
    if how == "bins":
        return table.name, {"counts": "reads"}.get(rest[0], rest[0])
    if how == "pairs" or not rest:
        return table.name, "value"
    return table.name, "_".join(rest)


def _after(table: Table, path: Path_) -> Path_ | None:
    """What is left of `path` when the steps of `table` are taken; None when it leads elsewhere."""
    for step in table.steps:
        if not path or path[0] != step.field:
            return None
        path = path[2 if step.how == "items" else 1 :]
    return path


@pytest.mark.parametrize("run", ["rich", "quantified", "clean", "empty"])
def test_every_number_of_the_report_is_in_its_column_as_often_as_in_the_report(
    run: str, tmp_path: Path
) -> None:
    inputs = getattr(made_up, run)()
    if run == "rich":
        perv = (made_up.perv_result("pig-01", alarms=(made_up.ALARM,)),)
        counted = inputs.quantification.model_copy(update={"perv": perv})
        inputs = replace(inputs, quantification=counted)
    report = assemble(inputs)
    path = write_tables(publish(report, inputs.bundle), tmp_path / "tables.zip")
    expected: dict[tuple[str, str], Counter[float]] = defaultdict(Counter)
    for place, number in numbers(json.loads(report.model_dump_json())):
        # Edges stand twice among the bins, as low and high; numbers of reasons in their texts.
        if place[-1] != "edges" and "values" not in place:
            expected[cell_of(place)][number] += 1
    assert len(expected) > 20
    found = written(path)
    for (table, column), counted in expected.items():
        cells = Counter(float(row[column]) for row in found[table] if row[column] != "")
        assert cells >= counted, f"{table}.{column}"


def test_equal_reports_give_equal_bytes(tmp_path: Path) -> None:
    inputs = made_up.rich()
    one, other = (
        write_tables(publish(assemble(inputs), inputs.bundle), tmp_path / name).read_bytes()
        for name in ("one.zip", "other.zip")
    )
    assert one == other


def test_the_description_names_the_columns_of_every_file_and_its_keys_distinguish_rows(
    tmp_path: Path,
) -> None:
    inputs = made_up.rich()
    path = write_tables(publish(assemble(inputs), inputs.bundle), tmp_path / "tables.zip")
    with zipfile.ZipFile(path) as archive:
        description = json.loads(archive.read(DESCRIPTION))
    found = written(path)
    assert {r["name"] for r in description["resources"]} == set(found)
    for resource in description["resources"]:
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
    assert not bare, f"describe these in data/tables.json: {', '.join(bare)}"
    names = [table.name for table in tables()]
    assert len(names) == len(set(names))
    for table in tables():
        columns = [column.name for column in table.columns]
        assert len(columns) == len(set(columns)), table.name


def test_the_page_is_as_the_tables_are() -> None:
    assert (REPO / DEFAULT).read_text("utf-8") == page(), (
        "run python -m porewatch_worker.tables.page"
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_no_text_of_a_stranger_is_a_formula(sign: str, tmp_path: Path) -> None:
    text = f"{sign}cmd|'/c calc'!A1"
    report = assemble(made_up.clean())
    hostile = report.model_copy(
        update={
            "sequencing": report.sequencing.model_copy(update={"flow_cell": text}),
            "remarks": (text,),
        }
    )
    tables_ = written(write_tables(publish(hostile, made_up.bundle()), tmp_path / "t.zip"))
    assert tables_["sequencing"][0]["flow_cell"] == f"'{text}"
    starts = {
        cell[:1]
        for rows in tables_.values()
        for row in rows
        for cell in row.values()
        if not _is_number(cell)
    }
    assert not starts & set("=+-@\t\r＝")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
