"""The registry's database behind the Data API: transactions whole or not at all, rows by key.

It knows the statements that the product sends, not SQL: whose row an upsert is, what a deletion
takes, what is counted. What the columns become is PostgreSQL's (tests/functional/test_registry.py).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from itertools import count
from typing import Any

from simulator.faults import refusal

INSERT = re.compile(
    r"INSERT INTO (\w+)(?: AS \w+)?\s*\(([^)]*)\).*?ON CONFLICT(?: \(([^)]*)\))? DO (\w+)", re.S
)
DELETE = re.compile(r"DELETE FROM (\w+) WHERE run_id = :run_id")
COUNT = re.compile(r"SELECT count\(\*\) AS n FROM (\w+) WHERE run_id = :run_id")
NO_ROWS = ("SELECT 1 FROM pg_advisory", "SELECT 1 AS held", "CREATE ", "ALTER ", "UPDATE ")
Rows = dict[tuple[Any, ...], dict[str, Any]]
Tables = dict[str, Rows]


class RdsData:
    """`tables` is what was committed."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self._numbers = count(1)
        self._open: dict[str, tuple[Tables, list[Callable[[Tables], Any]]]] = {}

    def begin_transaction(self, **_: Any) -> dict[str, str]:
        name = f"t{next(self._numbers)}"
        self._open[name] = (copy.deepcopy(self.tables), [])
        return {"transactionId": name}

    def commit_transaction(self, *, transactionId: str, **_: Any) -> dict[str, str]:
        _, done = self._of(transactionId)
        del self._open[transactionId]
        for act in done:
            act(self.tables)
        return {"transactionStatus": "Transaction Committed"}

    def rollback_transaction(self, *, transactionId: str, **_: Any) -> dict[str, str]:
        self._of(transactionId)
        del self._open[transactionId]
        return {"transactionStatus": "Rollback Complete"}

    def execute_statement(
        self, *, sql: str, parameters: list[Any], transactionId: str | None = None, **_: Any
    ) -> dict[str, Any]:
        values = {p["name"]: next(iter(p["value"].values())) for p in parameters}
        act = _meant(sql.strip(), values)
        if transactionId is None:
            return act(self.tables)
        seen, done = self._of(transactionId)
        done.append(act)
        return act(seen)

    def _of(self, name: str) -> tuple[Tables, list[Callable[[Tables], Any]]]:
        if name not in self._open:
            raise refusal("BadRequestException", f"Transaction {name} is not found")
        return self._open[name]


def _meant(sql: str, values: dict[str, Any]) -> Callable[[Tables], dict[str, Any]]:
    if found := INSERT.match(sql):
        key = tuple(part.strip() for part in (found[3] or found[2]).split(","))
        return lambda tables: _upsert(tables, found[1], key, values, found[4] == "NOTHING")
    if found := DELETE.match(sql):
        return lambda tables: _delete(tables, found[1], values["run_id"])
    if found := COUNT.match(sql):
        return lambda tables: _answer("n", [len(_of_run(tables, found[1], values["run_id"]))])
    if sql.startswith("SELECT 1 AS deleted FROM deleted_runs"):
        return lambda tables: _answer(
            "deleted", [1] * len(_of_run(tables, "deleted_runs", values["run_id"]))
        )
    assert sql.startswith(NO_ROWS), f"nobody knows this statement: {sql[:80]}"
    return lambda _: {"numberOfRecordsUpdated": 0}


def _upsert(
    tables: Tables, table: str, key: tuple[str, ...], values: dict[str, Any], stays: bool
) -> dict[str, Any]:
    rows = tables.setdefault(table, {})
    place = tuple(values[name] for name in key)
    is_new = place not in rows
    if is_new or not stays:
        known = {name: value for name, value in values.items() if value is not True}
        rows[place] = {**rows.get(place, {}), **known}
    return _answer("name", [values.get("name", "")] * is_new)


def _delete(tables: Tables, table: str, run_id: str) -> dict[str, Any]:
    gone = [key for key, row in tables.get(table, {}).items() if row.get("run_id") == run_id]
    for key in gone:
        del tables[table][key]
    return {"numberOfRecordsUpdated": len(gone)}


def _of_run(tables: Tables, table: str, run_id: str) -> list[dict[str, Any]]:
    return [row for row in tables.get(table, {}).values() if row.get("run_id") == run_id]


def _answer(column: str, values: list[Any]) -> dict[str, Any]:
    kind = "longValue" if column != "name" else "stringValue"
    return {
        "columnMetadata": [{"name": column}],
        "records": [[{kind: value}] for value in values],
    }
