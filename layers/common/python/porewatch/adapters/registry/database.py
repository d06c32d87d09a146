"""The registry: PostgreSQL through the RDS Data API, without a connection or a driver.

Order: `Registry` (execute, transaction), values in and out, `migrate`.

A paused database takes a while to resume: that is Unavailable, and the queue retries the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.faults import Known, translated
from porewatch.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_rds_data import RDSDataServiceClient

Value = str | int | float | bool | datetime | Mapping[str, object] | Sequence[object] | None
Row = dict[str, Any]

MIGRATION_LOCK = 7_204_611
"""Any number, the same for everyone who migrates."""

_LATER: Known = {
    code: lambda why: Unavailable(why, remedy="it will be tried again.")
    for code in (
        "DatabaseResumingException",
        "DatabaseNotFoundException",
        "StatementTimeoutException",
    )
}


class Registry:
    """One database of one cluster."""

    def __init__(
        self,
        cluster_arn: str,
        secret_arn: str,
        database: str,
        client: RDSDataServiceClient | None = None,
    ) -> None:
        self._where = {"resourceArn": cluster_arn, "secretArn": secret_arn, "database": database}
        self._client = client or clients.rds_data()
        self._transaction: str | None = None

    def execute(self, sql: str, **values: Value) -> list[Row]:
        """Run one statement with `:named` values. Returns its rows by column name."""
        request: dict[str, Any] = {
            **self._address(),
            "sql": sql,
            "parameters": [_parameter(name, value) for name, value in values.items()],
            "includeResultMetadata": True,
        }
        with translated(f"run {sql.split(maxsplit=3)[:3]} in the registry", _LATER):
            reply = self._client.execute_statement(**request)
        names = [column.get("name", "") for column in reply.get("columnMetadata", [])]
        return [
            dict(zip(names, map(_value, record), strict=True))
            for record in reply.get("records", [])
        ]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block, or none of them."""
        with translated("begin a transaction", _LATER):
            self._transaction = self._client.begin_transaction(**self._where)["transactionId"]
        try:
            yield
        except BaseException:
            self._end(commit=False)
            raise
        self._end(commit=True)

    def _end(self, *, commit: bool) -> None:
        transaction, self._transaction = self._transaction, None
        ids: dict[str, Any] = {
            "resourceArn": self._where["resourceArn"],
            "secretArn": self._where["secretArn"],
            "transactionId": transaction,
        }
        with translated("end a transaction", _LATER):
            if commit:
                self._client.commit_transaction(**ids)
            else:
                self._client.rollback_transaction(**ids)

    def _address(self) -> dict[str, str]:
        if self._transaction is None:
            return self._where
        return {**self._where, "transactionId": self._transaction}

    def migrate(self) -> list[str]:
        """Bring the schema up to date; the names of what was applied.

        One at a time, by an advisory lock, each migration whole or not at all.
        """
        applied = []
        for name, sql in migrations():
            with self.transaction():
                if self._is_new(name):
                    for statement in statements(sql):
                        self.execute(statement)
                    applied.append(name)
        return applied

    def _is_new(self, name: str) -> bool:
        """Take the lock, and note the name; False when it was noted before."""
        self.execute("SELECT 1 FROM pg_advisory_xact_lock(:lock)", lock=MIGRATION_LOCK)
        self.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        noted = self.execute(
            "INSERT INTO schema_migrations (name) VALUES (:name) "
            "ON CONFLICT DO NOTHING RETURNING name",
            name=name,
        )
        return bool(noted)


def migrations() -> list[tuple[str, str]]:
    """(name, SQL) of every migration, in order."""
    folder = resources.files("porewatch.adapters.registry") / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [(e.name, e.read_text("utf-8")) for e in sorted(found, key=lambda e: e.name)]


def statements(sql: str) -> list[str]:
    """The statements of a migration, without comments: the Data API takes one at a time."""
    lines = [line for line in sql.splitlines() if line.strip() and not line.startswith("--")]
    return [text.strip() for text in "\n".join(lines).split(";\n") if text.strip(" ;\n")]


def _parameter(name: str, value: Value) -> dict[str, Any]:
    return {"name": name, "value": _field(value)}


def _field(value: Value) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    for kind, name in _FIELDS:
        if isinstance(value, kind):
            return {name: value}
    text = value.isoformat() if isinstance(value, datetime) else json.dumps(value, sort_keys=True)
    return {"stringValue": text}


_FIELDS: tuple[tuple[type, str], ...] = (
    (bool, "booleanValue"),  # before int: True is one
    (int, "longValue"),
    (float, "doubleValue"),
    (str, "stringValue"),
)


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
