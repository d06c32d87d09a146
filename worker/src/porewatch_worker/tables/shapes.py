"""The tables of a report, derived from the models themselves, so that none is forgotten.

A model is a row. Single values become columns (`evidence.reads` -> `evidence_reads`); collections
become tables of their own, whose first columns are the keys of the parent row. Names that a path
would make clumsy are in `NAMES`, keys in `KEYS`, sentences in `words.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from porewatch.domain.calls.evidence import ContigCoverage, Histogram, SampleScreen, TargetResult
from porewatch.domain.calls.findings import Finding, PervResult, PervType, SampleOutcome
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.reasons.reason import Reasons
from porewatch.domain.results.report import VOLATILE, Report
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.tables.inputs import Constants, HistogramBin, Published, Reference
from porewatch_worker.tables.kinds import fields_of, is_model, plain, type_name
from porewatch_worker.tables.words import COLUMNS, NAMES, TABLES

KEYS: dict[type, tuple[str, ...]] = {
    SampleScreen: ("sample",),
    SampleOutcome: ("sample",),
    Sample: ("name",),
    Finding: ("sample", "code"),
    TargetResult: ("target",),
    ContigCoverage: ("contig",),
    PervResult: ("sample",),
    PervType: ("name",),
    PanelEntry: ("code",),
    PhaseRecord: ("phase",),
    InputFile: ("path",),
    Reference: ("contig",),
}
"""Fields that identify rows of one model; rows of other models are numbered from 0."""

PAIRS = (ScreeningParameters, Constants)
"""Models that become a table of names and values."""

ALIKE = {
    "report.findings.evidence.coverage": "the depth is in `coverage`",
    "report.findings.evidence.shared_with": "the ties are in `shared_reads`",
    "report.findings.evidence.explained": "the same counts are in `read_identities`",
    "report.screens.perv": "the same counts are in `perv` and its tables",
}
"""What a report holds twice is published once, by path."""

CODES = "Reasons by code, in order, blanks between them."

APART = {"bill", "carbon", "provenance", "sequencing", "host", "unknowns"}
"""Fields held at most once that are a table of their own all the same."""

How = Literal["in", "each", "items", "bins", "pairs"]


@dataclass(frozen=True)
class Step:
    """From a value to what hangs on it: `field`, and how its rows are had. `label` is the column of
    their number or key, `keys` the fields of a row that the tables below it repeat, as columns."""

    field: str
    how: How
    label: str = ""
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    about: str
    key: bool = False


@dataclass(frozen=True)
class Table:
    """One file. `steps` lead from `Published` to its rows; `volatile` tables hold times and costs
    and differ between two runs of the same reads."""

    name: str
    about: str
    columns: tuple[Column, ...]
    steps: tuple[Step, ...]
    volatile: bool


@cache
def tables() -> tuple[Table, ...]:
    """Every table, in the order of the report's fields."""
    return tuple(t for t in _below(Published, "", (), ()) if t.columns)


def _below(
    model: type[BaseModel], path: str, steps: tuple[Step, ...], keys: tuple[Column, ...]
) -> Iterator[Table]:
    """The table of `model` itself, then those of its collections."""
    name = _name(path)
    own = tuple(_scalars(model, path))
    named = KEYS.get(model, ())
    key_names = {k.name for k in keys}
    rows = tuple(c for c in own if c.name not in key_names)
    if rows:
        yield _table(path, (*keys, *rows), steps)
    inherited = tuple(
        Column(key_column(name, c.name), c.type, c.about, True)
        for c in own
        if c.name in named and c.name not in key_names
    )
    yield from _children(model, path, steps, (*keys, *inherited))


def _children(
    model: type[BaseModel], path: str, steps: tuple[Step, ...], keys: tuple[Column, ...]
) -> Iterator[Table]:
    for field, info in fields_of(model).items():
        there = f"{path}.{field}" if path else field
        kind = info.kind
        if there in ALIKE or kind == Reasons:
            continue
        if is_model(kind) and (kind in PAIRS or kind is Histogram):
            how: How = "pairs" if kind in PAIRS else "bins"
            yield _leaf(there, (*steps, Step(field, how)), keys, kind)
        elif is_model(kind) and _has_table(kind, there):
            yield from _below(kind, there, (*steps, Step(field, "in")), keys)
        elif is_model(kind):
            yield from _children(kind, there, (*steps, Step(field, "in")), keys)
        elif get_origin(kind) in (tuple, dict):
            yield from _many(field, kind, there, steps, keys)


def _many(
    field: str, kind: Any, path: str, steps: tuple[Step, ...], keys: tuple[Column, ...]
) -> Iterator[Table]:
    how: How = "each" if get_origin(kind) is tuple else "items"
    item = plain(get_args(kind)[0 if how == "each" else 1])
    label = f"{field}_number" if how == "each" else _column_name(path)
    natural = KEYS.get(item, ()) if is_model(item) else ()
    number = Column(label, "integer" if how == "each" else "string", _about(label, path), True)
    below = keys if natural else (*keys, number)
    inherited = tuple((key, key_column(_name(path), key)) for key in natural)
    step = Step(field, how, label, inherited)
    if is_model(item):
        yield from _below(item, path, (*steps, step), below)
    else:
        yield _leaf(path, (*steps, step), below, item)


def _leaf(path: str, steps: tuple[Step, ...], keys: tuple[Column, ...], kind: Any) -> Table:
    """A table of plain values, of names and values, or of a histogram's bins."""
    if kind is Histogram:
        columns = tuple(_scalars(HistogramBin, path))
    elif kind in PAIRS:
        columns = (
            Column("name", "string", "Name of the number.", True),
            Column("value", "number", "Its value."),
            Column("about", "string", "What it means, where the name does not say it."),
        )
    else:
        columns = (Column("value", type_name(kind), _about("value", path)),)
    return _table(path, (*keys, *columns), steps)


def _table(path: str, columns: tuple[Column, ...], steps: tuple[Step, ...]) -> Table:
    volatile = path == "report" or any(path.startswith(f"report.{f}") for f in VOLATILE)
    name = _name(path)
    return Table(name, TABLES.get(name) or _description(path), columns, steps, volatile)


def _description(path: str) -> str:
    """The model's description of the field that a table comes from; blank without one."""
    kind: Any = Published
    about = ""
    for field in path.split("."):
        info = fields_of(kind)[field]
        about, kind = info.description, info.kind
        if get_origin(kind) in (tuple, dict):
            kind = plain(get_args(kind)[0 if get_origin(kind) is tuple else 1])
    return about and f"{about[0].upper()}{about[1:]}."


def _scalars(model: type[BaseModel], path: str, prefix: str = "") -> Iterator[Column]:
    """Columns of what `model` holds once, nested models included."""
    for field, info in fields_of(model).items():
        kind = info.kind
        name, there = prefix + field, f"{path}.{field}"
        if is_model(kind):
            apart = kind in PAIRS or kind is Histogram or there in ALIKE or _has_table(kind, field)
            if not apart:
                yield from _scalars(kind, path, f"{name}_")
        elif kind == Reasons:
            yield Column(f"{name}_codes", "string", CODES)
        elif get_origin(kind) not in (tuple, dict):
            about = info.description or _about(name, path)
            key = field in KEYS.get(model, ()) and not prefix
            yield Column(name, type_name(kind), about, key)


def _has_table(kind: type, path: str) -> bool:
    """Optional parts of a report that are a table of their own."""
    return kind is Report or path.rpartition(".")[2] in APART


def _name(path: str) -> str:
    return NAMES.get(path, path.removeprefix("report.").replace(".", "_"))


def key_column(table: str, field: str) -> str:
    """What a key is called in the tables below its own."""
    return f"{table}_{field}" if field in {"name", "path"} else field


def _column_name(path: str) -> str:
    return COLUMNS.get(f"key:{_name(path)}", "name")


def _about(column: str, place: str) -> str:
    """The sentence on a column: by table and column, else by column, else by its last parts."""
    table = _name(place)
    parts = column.split("_")
    candidates = [f"{table}.{column}", *("_".join(parts[i:]) for i in range(len(parts)))]
    if column.endswith("_number"):
        return "Number among those of the same keys, from 0."
    return next((COLUMNS[name] for name in candidates if name in COLUMNS), "")
