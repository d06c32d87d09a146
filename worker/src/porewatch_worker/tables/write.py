"""`tables.zip`: every table of a report as TSV, and `datapackage.json`, which describes them.

Rows are written as they are walked, in the report's own order; times in the archive are fixed, so
equal reports give equal bytes. The description follows the Tabular Data Package of Frictionless
(specs.frictionlessdata.io): names, types, keys and a sentence for each column.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from porewatch.domain.reasons.reason import Reasons
from porewatch_worker.tables.inputs import Published, bins_of
from porewatch_worker.tables.kinds import fields_of
from porewatch_worker.tables.shapes import Step, Table, tables

DESCRIPTION = "datapackage.json"
FORMULA = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula (the wide ones in Japanese settings)."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write_tables(published: Published, path: Path) -> Path:
    """Write the archive to `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        with archive.open(_member(DESCRIPTION), "w") as out:
            out.write(description_text().encode())
        for table in tables():
            with archive.open(_member(f"{table.name}.tsv"), "w") as out:
                _write(published, table, io.TextIOWrapper(out, "utf-8", newline=""))
    return path


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member


def _write(published: Published, table: Table, out: io.TextIOWrapper) -> None:
    names = [column.name for column in table.columns]
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(names)
    for row in records(published, table):
        writer.writerow([_cell(row.get(name)) for name in names])
    out.flush()
    out.detach()


def records(published: Published, table: Table) -> Iterator[dict[str, Any]]:
    """The rows of one table, as JSON values by column."""
    for keys, value in _walk(published, table.steps, {}):
        yield keys | (_flat(value) if isinstance(value, BaseModel) else {"value": value})


def _walk(
    value: Any, steps: tuple[Step, ...], keys: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], Any]]:
    if not steps:
        yield keys, value
        return
    step, *rest = steps
    for more, item in _below(getattr(value, step.field), step):
        inherited = {column: getattr(item, key) for key, column in step.keys}
        yield from _walk(item, tuple(rest), keys | more | inherited)


def _below(child: Any, step: Step) -> Iterator[tuple[dict[str, Any], Any]]:
    """What hangs on one field, each with the keys it adds."""
    if child is None:
        return
    if step.how == "in":
        yield {}, child
    elif step.how == "bins":
        yield from (({}, one) for one in bins_of(child))
    elif step.how == "pairs":
        for name, info in type(child).model_fields.items():
            if not info.exclude:
                yield {"name": name, "about": info.description or ""}, getattr(child, name)
    elif step.how == "items":
        yield from (({step.label: key}, one) for key, one in sorted(child.items()))
    else:
        yield from (({step.label: number}, one) for number, one in enumerate(child))


def _flat(value: BaseModel) -> dict[str, Any]:
    """What a model holds once, nested models by joined names."""
    row: dict[str, Any] = {}
    for name, field in fields_of(type(value)).items():
        held = getattr(value, name)
        if field.kind == Reasons:
            row[f"{name}_codes"] = " ".join(reason.code.value for reason in held)
        elif isinstance(held, BaseModel):
            row |= {f"{name}_{inner}": cell for inner, cell in _flat(held).items()}
        elif not isinstance(held, (tuple, dict)):
            row[name] = held
    return row


def _cell(value: Any) -> str:
    """Blank for nothing; true and false; times as JSON writes them; shortest exact floats; a text
    that a spreadsheet would run gets an apostrophe before it, as spreadsheets themselves do."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    if isinstance(value, str) and value[:1] in FORMULA:
        return f"'{value}"
    return str(value)


def description() -> dict[str, Any]:
    """The data package: one resource a table."""
    return {
        "profile": "tabular-data-package",
        "name": "porewatch-report",
        "resources": [_resource(table) for table in tables()],
    }


def description_text() -> str:
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


def _resource(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "path": f"{table.name}.tsv",
        "description": table.about,
        "dialect": {"delimiter": "\t"},
        "schema": {
            "fields": [
                {"name": c.name, "type": c.type, "description": c.about} for c in table.columns
            ],
            "primaryKey": [c.name for c in table.columns if c.key],
            "missingValues": [""],
        },
    }
