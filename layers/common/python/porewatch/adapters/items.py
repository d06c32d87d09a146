"""Items of the ledger table: one model as JSON, its key, and the attributes that conditions test.

Order: keys, `Item`, the kinds of write, facts as items, DynamoDB's wire format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from porewatch.domain.base import Model
from porewatch.domain.errors import AlreadyDone, Conflict, PorewatchError
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.outbox import FACT_PREFIX

M = TypeVar("M", bound=Model)
Plain = str | int
Otherwise = Callable[[str], PorewatchError]
"""The error of a write whose condition fails, made from a sentence: a class of `domain.errors`."""

LAST = "\U0010ffff"
"""Sorts after every character of a key."""


def run_key(run_id: str) -> str:
    """Partition of everything about one run."""
    return f"RUN#{run_id}"


@dataclass(frozen=True)
class Item:
    """One item. `kind` = (gsi_pk, gsi_sk) puts it into the index of its kind; None keeps it out."""

    pk: str
    sk: str
    body: str = "{}"
    attributes: dict[str, Plain] = field(default_factory=dict)
    kind: tuple[str, str] | None = None
    ttl: int | None = None
    version: int = 0

    @staticmethod
    def of(pk: str, sk: str, model: Model, **rest: Any) -> Item:
        return Item(pk=pk, sk=sk, body=model.canonical_json(), **rest)

    def model(self, cls: type[M]) -> M:
        return cls.model_validate_json(self.body)


@dataclass(frozen=True)
class PutNew:
    """Write `item`, which must not exist yet."""

    item: Item
    otherwise: Otherwise = AlreadyDone


@dataclass(frozen=True)
class PutIf:
    """Write `item` if these attributes of the stored one are equal to `expected`."""

    item: Item
    expected: dict[str, Plain]
    otherwise: Otherwise = Conflict


@dataclass(frozen=True)
class Put:
    """Write `item` whatever is there."""

    item: Item


@dataclass(frozen=True)
class Add:
    """Add `amounts` to numeric attributes of an item (missing: 0), and change nothing else.

    `most` = (name, limit): only if that attribute is at most `limit` before. Counters that many
    writers change concurrently are changed by this and never by `change`.
    """

    item: Item
    amounts: dict[str, int]
    most: tuple[str, int] | None = None
    otherwise: Otherwise = Conflict


@dataclass(frozen=True)
class Remove:
    """Remove the item of this key, with other writes or not at all. Idempotent; with `expected`
    only if these attributes of the stored item are equal to it."""

    item: Item
    expected: dict[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True)
class Unchanged:
    """Write nothing, on condition that the body of the item of `table` is still the one that was
    read; `there` False: that there is still no such item. Beside other writes alone."""

    item: Item
    table: str
    there: bool = True
    otherwise: Otherwise = Conflict


Verb = Literal["Put", "Update", "Delete", "ConditionCheck"]
Write = PutNew | PutIf | Put | Add | Remove | Unchanged


def signatures_key(run_id: str) -> str:
    """Partition of the signatures of a run."""
    return f"SIGNATURES#{run_id}"


def fact_item(fact: Fact, pk: str = "") -> Item:
    """The outbox item of a fact. `pk`: of another partition than its run's: the stream takes facts
    from any."""
    attributes: dict[str, Plain] = {
        "at": fact.at.isoformat(),
        "detail_type": type(fact).__name__,
        "detail": fact.canonical_json(),
    }
    return Item(pk=pk or run_key(fact.run_id), sk=FACT_PREFIX + fact.fact_id, attributes=attributes)


_RESERVED = {"pk", "sk", "body", "gsi_pk", "gsi_sk", "ttl", "version"}


def wire(values: dict[str, Any]) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def stored(item: Item) -> dict[str, Any]:
    plain: dict[str, Any] = {
        **item.attributes,
        "pk": item.pk,
        "sk": item.sk,
        "body": item.body,
        "version": item.version,
    }
    if item.kind is not None:
        plain["gsi_pk"], plain["gsi_sk"] = item.kind
    if item.ttl is not None:
        plain["ttl"] = item.ttl
    return wire(plain)


def loaded(raw: dict[str, Any]) -> Item:
    deserialize = TypeDeserializer().deserialize
    plain = {name: deserialize(value) for name, value in raw.items()}
    rest = {n: v if isinstance(v, str) else int(v) for n, v in plain.items() if n not in _RESERVED}
    return Item(
        pk=plain["pk"],
        sk=plain["sk"],
        body=plain.get("body", "{}"),
        attributes=rest,
        kind=(plain["gsi_pk"], plain["gsi_sk"]) if "gsi_pk" in plain else None,
        ttl=int(plain["ttl"]) if "ttl" in plain else None,
        version=int(plain.get("version", 0)),
    )


def verb(write: Write) -> Verb:
    """Which call writes it."""
    if isinstance(write, Add):
        return "Update"
    if isinstance(write, Unchanged):
        return "ConditionCheck"
    return "Delete" if isinstance(write, Remove) else "Put"


def request(table: str, write: Write) -> dict[str, Any]:
    """The write as DynamoDB takes it, for `verb(write)`."""
    if isinstance(write, Add):
        return {"TableName": table, **_addition(write)}
    if isinstance(write, Unchanged):
        return _as_it_was(write)
    if isinstance(write, Remove):
        key = wire({"pk": write.item.pk, "sk": write.item.sk})
        return {"TableName": table, "Key": key, **_equal(write.expected)}
    request: dict[str, Any] = {"TableName": table, "Item": stored(write.item)}
    if isinstance(write, PutNew):
        request["ConditionExpression"] = "attribute_not_exists(#k)"
        request["ExpressionAttributeNames"] = {"#k": "pk"}
    if isinstance(write, PutIf):
        request |= _equal(write.expected)
    return request


def _equal(expected: dict[str, Plain]) -> dict[str, Any]:
    """The condition that attributes are equal to these; none for none."""
    if not expected:
        return {}
    pairs = list(expected.items())
    return {
        "ConditionExpression": " AND ".join(f"#n{i} = :v{i}" for i in range(len(pairs))),
        "ExpressionAttributeNames": {f"#n{i}": n for i, (n, _) in enumerate(pairs)},
        "ExpressionAttributeValues": wire({f":v{i}": v for i, (_, v) in enumerate(pairs)}),
    }


def lost_of(write: Write) -> PorewatchError:
    """The error of a write whose condition failed."""
    if isinstance(write, Put | Remove):
        return Conflict(f"{write.item.pk} {write.item.sk} could not be written.")
    if isinstance(write, PutNew):
        return write.otherwise(f"{write.item.pk} {write.item.sk} exists already.")
    if isinstance(write, Add):
        name, limit = write.most or ("it", 0)
        return write.otherwise(f"{name} of {write.item.pk} {write.item.sk} is above {limit}.")
    if isinstance(write, Unchanged):
        return write.otherwise(f"{write.item.pk} {write.item.sk} is no longer as it was read.")
    want = ", ".join(f"{name} = {value}" for name, value in write.expected.items())
    return write.otherwise(f"{write.item.pk} {write.item.sk} is no longer at {want}.")


def _as_it_was(write: Unchanged) -> dict[str, Any]:
    key = wire({"pk": write.item.pk, "sk": write.item.sk})
    request: dict[str, Any] = {"TableName": write.table, "Key": key}
    if not write.there:
        names = {"#k": "pk"}
        condition = "attribute_not_exists(#k)"
        return {**request, "ConditionExpression": condition, "ExpressionAttributeNames": names}
    return {
        **request,
        "ConditionExpression": "#b = :b",
        "ExpressionAttributeNames": {"#b": "body"},
        "ExpressionAttributeValues": wire({":b": write.item.body}),
    }


def _addition(write: Add) -> dict[str, Any]:
    pairs = list(write.amounts.items())
    names = {f"#n{i}": name for i, (name, _) in enumerate(pairs)}
    values: dict[str, Any] = {f":v{i}": amount for i, (_, amount) in enumerate(pairs)}
    request: dict[str, Any] = {
        "Key": wire({"pk": write.item.pk, "sk": write.item.sk}),
        "UpdateExpression": "ADD " + ", ".join(f"#n{i} :v{i}" for i in range(len(pairs))),
    }
    if write.most is not None:
        names["#most"], values[":most"] = write.most
        none_yet = "attribute_not_exists(#most) OR " if write.most[1] >= 0 else ""
        request["ConditionExpression"] = f"{none_yet}#most <= :most"
    return {**request, "ExpressionAttributeNames": names, "ExpressionAttributeValues": wire(values)}


def below(key: str) -> str:
    """What sorts right before a key: BETWEEN has its bounds in it."""
    return key[:-1] + chr(ord(key[-1]) - 1) + LAST
