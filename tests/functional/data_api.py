"""The RDS Data API's four calls on a real PostgreSQL: only the wire is ours, the SQL really runs.

Parameters go through PREPARE-style placeholders of psycopg, as typed values; errors come back as
the ClientError that AWS would send.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import psycopg
from botocore.exceptions import ClientError

NAMED = re.compile(r"(?<!:):([a-z_]+)")


class DataApi:
    """Stands where boto3's `rds-data` client stands."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._open: dict[str, psycopg.Connection[Any]] = {}
        self._numbers = count(1)
        self.calls = 0

    def execute_statement(self, **request: Any) -> dict[str, Any]:
        self.calls += 1
        sql = NAMED.sub(r"%(\1)s", request["sql"].replace("%", "%%"))
        values = {p["name"]: _plain(p["value"]) for p in request.get("parameters", [])}
        if "transactionId" in request:
            return self._run(self._open[request["transactionId"]], sql, values)
        with psycopg.connect(self._dsn) as connection:
            return self._run(connection, sql, values)

    def begin_transaction(self, **_: Any) -> dict[str, str]:
        name = f"t{next(self._numbers)}"
        self._open[name] = psycopg.connect(self._dsn)
        return {"transactionId": name}

    def commit_transaction(self, **request: Any) -> dict[str, str]:
        with self._open.pop(request["transactionId"]) as connection:
            connection.commit()
        return {"transactionStatus": "Transaction Committed"}

    def rollback_transaction(self, **request: Any) -> dict[str, str]:
        connection = self._open.pop(request["transactionId"])
        connection.rollback()
        connection.close()
        return {"transactionStatus": "Rollback Complete"}

    def _run(
        self, connection: psycopg.Connection[Any], sql: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            cursor = connection.execute(sql, values or None)  # type: ignore[call-overload]
        except psycopg.Error as error:
            raise ClientError(
                {
                    "Error": {"Code": "BadRequestException", "Message": str(error)},
                    "ResponseMetadata": {"HTTPStatusCode": 400},  # type: ignore[typeddict-item]
                },
                "ExecuteStatement",
            ) from error
        if cursor.description is None:
            return {"numberOfRecordsUpdated": cursor.rowcount}
        return {
            "columnMetadata": [{"name": column.name} for column in cursor.description],
            "records": [[_field(value) for value in row] for row in cursor.fetchall()],
        }


def _plain(value: dict[str, Any]) -> Any:
    return None if value.get("isNull") else next(iter(value.values()))


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
    return {"stringValue": value if isinstance(value, str) else str(value)}
