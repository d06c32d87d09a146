"""`dynamodb:LeadingKeys` is known for every read and write of an item, query and transaction.

Why: our policies give each role the partitions of the ledger that it uses. Without the key, a
condition `ForAllValues` on it is always met, and nobody would see a role that has too little. In a
transaction each item is authorized by its own key, as on AWS; a query of an index has none here,
and no policy of ours puts a condition on one.
Delete when: the engine fills the key by itself.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.services import dynamodb

from ..rewriting import PatchRefused, rewrite

KEY = "dynamodb:LeadingKeys"


class OfItem(str):
    """The ARN of a table, and the leading key of the requested item."""

    leading: dict[str, list[str]]


def _partition_key(table: str) -> str:
    """The name of the table's partition key; empty for a table that does not exist."""
    described = dynamodb._tables.get(table) or {}
    schema = described.get("KeySchema", [])
    return next((k["AttributeName"] for k in schema if k["KeyType"] == "HASH"), "")


def _value(typed: Any) -> str | None:
    return str(next(iter(typed.values()))) if isinstance(typed, dict) and typed else None


def _queried(request: dict[str, Any], key: str) -> str | None:
    """The value that a query's key condition wants the partition key to have."""
    names = request.get("ExpressionAttributeNames") or {}
    for term in str(request.get("KeyConditionExpression", "")).split(" AND "):
        left, _, right = (part.strip() for part in term.strip("() ").partition("="))
        if names.get(left, left) == key:
            return _value((request.get("ExpressionAttributeValues") or {}).get(right))
    return None


def _leading(request: Any) -> dict[str, list[str]]:
    if not isinstance(request, dict) or "IndexName" in request:
        return {}
    key = _partition_key(str(request.get("TableName", "")))
    if not key:
        return {}
    item = request.get("Key") or request.get("Item")
    found = _value(item.get(key)) if isinstance(item, dict) else _queried(request, key)
    return {KEY: [found]} if found is not None else {}


def of_item(arn: str, request: Any) -> str:
    """The ARN with the leading key of the item beside it."""
    known = OfItem(arn)
    known.leading = _leading(request)
    return known


def leading_of(arn: str) -> dict[str, list[str]]:
    """What `of_item` put beside an ARN."""
    return getattr(arn, "leading", {})


def apply() -> None:
    if not hasattr(dynamodb, "_tables"):
        raise PatchRefused("services.dynamodb._tables is gone")
    rewrite(
        iam_actions,
        "dynamodb_service_context",
        ("context = {}", "context = dict(leading_of_request(data))"),
        leading_of_request=_leading,
    )
    rewrite(
        iam_actions,
        "dynamodb_transaction_checks",
        (
            "(action, _dynamodb_table_arn(table, region, account_id))",
            "(action, of_item(_dynamodb_table_arn(table, region, account_id), detail))",
        ),
        of_item=of_item,
    )
    rewrite(
        app,
        "_dispatch_service_request",
        (
            "resource_arn=item_arn, service_context=item_context,",
            "resource_arn=str(item_arn), service_context={**item_context, **leading_of(item_arn)},",
        ),
        leading_of=leading_of,
    )
