"""The ledger table. `Table`: read, write one item, change one item, write many with facts.

- `change` updates a model: read, apply a pure function, write on condition that no other writer
  was first (`version`), and retry otherwise. No update is ever lost, and the rules stay pure. What
  is changed by `change` is changed by nothing else.
- Facts are written in the same transaction as their change, each under its own id, so recording a
  fact is idempotent. The stream of the table publishes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import code_of, translated
from porewatch.adapters.items import (
    LAST,
    Item,
    Otherwise,
    Plain,
    Put,
    PutIf,
    PutNew,
    Verb,
    Write,
    below,
    fact_item,
    loaded,
    lost_of,
    request,
    verb,
    wire,
)
from porewatch.adapters.retries import CHANGE_ATTEMPTS, RACE_PAUSE_SECONDS, RETRIES, Retries
from porewatch.domain.errors import AlreadyDone, Conflict, NotFound, PorewatchError, Throttled
from porewatch.domain.facts.fact import Fact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND_INDEX = "by_kind"
FIRST = "\x01"
"""Sorts before every character of a key."""
DELETED_AT_ONCE = 25
"""As many as DynamoDB takes."""


class Change(NamedTuple):
    """What `Table.change` writes in one transaction: an item, its facts, and other writes. `first`:
    those whose refusal counts even when another writer of the item was first, too."""

    item: Item
    facts: Iterable[Fact] = ()
    beside: Sequence[Write] = ()
    first: Sequence[Write] = ()


def _retried(_lost: PorewatchError) -> None:
    """Every lost race is followed by another attempt."""


class Table:
    """The ledger table `name`."""

    def __init__(self, name: str, client: DynamoDBClient | None = None) -> None:
        self.name = name
        self.client = client or clients.dynamodb()

    def get(self, pk: str, sk: str) -> Item | None:
        """The item as it is now (consistent read), or None."""
        with translated(f"read {pk} {sk}"):
            reply = self.client.get_item(
                TableName=self.name, Key=wire({"pk": pk, "sk": sk}), ConsistentRead=True
            )
        return loaded(reply["Item"]) if "Item" in reply else None

    def need(self, pk: str, sk: str) -> Item:
        """The item, or NotFound."""
        item = self.get(pk, sk)
        if item is None:
            raise NotFound(f"{pk} {sk} is not in the ledger.")
        return item

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        newest_first: bool = False,
        past: str = "",
        page: int | None = None,
    ) -> Iterator[Item]:
        """All items of a partition whose sort key starts with `prefix`, consistent, by pages of
        `page` items (None: of 1 MB). `past`: only those after this sort key."""
        names, values = {"#p": "pk"}, {":p": pk}
        condition = "#p = :p"
        more: dict[str, Any] = {"ConsistentRead": True} | ({"Limit": page} if page else {})
        if past:
            names["#s"], values[":first"], values[":last"] = "sk", past + FIRST, prefix + LAST
            condition += " AND #s BETWEEN :first AND :last"
        elif prefix:
            names["#s"], values[":s"] = "sk", prefix
            condition += " AND begins_with(#s, :s)"
        yield from self._pages(condition, names, values, not newest_first, **more)

    def query_but(self, pk: str, prefix: str, but: str) -> Iterator[Item]:
        """As `query`, without the items whose sort keys begin with `prefix` and then `but`: those
        are not read at all."""
        names, values = {"#p": "pk", "#s": "sk"}, {":p": pk}
        for first, last in ((prefix, prefix + but), (prefix + but + LAST, prefix + LAST)):
            within = {**values, ":first": first, ":last": last}
            yield from self._pages(
                "#p = :p AND #s BETWEEN :first AND :last", names, within, True, ConsistentRead=True
            )

    def query_kind(
        self,
        kind: str,
        *,
        newest_first: bool = False,
        past: str = "",
        since: str = "",
        page: int | None = None,
    ) -> Iterator[Item]:
        """All items of a kind, by the index (eventually consistent), in order of gsi_sk or, with
        `newest_first`, in reverse; with `past` only those after it in that order, and none below
        `since` (newest first). `page`: how many are asked for at a time; None: 1 MB."""
        names, values, condition = {"#k": "gsi_pk"}, {":k": kind}, "#k = :k"
        if since or past:
            names["#s"], values[":s"] = "gsi_sk", past
        if since:
            values |= {":since": since, ":s": below(past) if past else LAST}
            condition += " AND #s BETWEEN :since AND :s"
        elif past:
            condition += f" AND #s {'<' if newest_first else '>'} :s"
        more: dict[str, Any] = {"IndexName": KIND_INDEX} | ({"Limit": page} if page else {})
        yield from self._pages(condition, names, values, not newest_first, **more)

    def _pages(
        self,
        condition: str,
        names: dict[str, str],
        values: dict[str, str],
        forward: bool,
        **more: Any,
    ) -> Iterator[Item]:
        while True:
            with translated(f"query {next(iter(values.values()))}"):
                page = self.client.query(
                    TableName=self.name,
                    KeyConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=wire(values),
                    ScanIndexForward=forward,
                    **more,
                )
            yield from (loaded(raw) for raw in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Item) -> None:
        """Write `item` unconditionally."""
        self._one(Put(item))

    def put_new(self, item: Item, otherwise: Otherwise = AlreadyDone) -> None:
        """Write `item`; raises `otherwise` when the key exists."""
        self._one(PutNew(item, otherwise))

    def put_if(
        self, item: Item, expected: dict[str, Plain], otherwise: Otherwise = Conflict
    ) -> None:
        """Write `item` if the stored attributes equal `expected`; raises `otherwise` if not."""
        self._one(PutIf(item, expected, otherwise))

    def delete(self, pk: str, sk: str) -> None:
        """Delete an item. Idempotent."""
        with translated(f"remove {pk} {sk}"):
            self.client.delete_item(TableName=self.name, Key=wire({"pk": pk, "sk": sk}))

    def sort_keys(self, pk: str) -> Iterator[str]:
        """Sort keys of all items of a partition, consistent, without the other attributes."""
        condition, names = "#p = :p", {"#p": "pk"}
        more = {"ProjectionExpression": "pk, sk", "ConsistentRead": True}
        for item in self._pages(condition, names, {":p": pk}, forward=True, **more):
            yield item.sk

    def delete_all(self, pk: str, sort_keys: Sequence[str]) -> int:
        """Delete items of a partition, in batches. Idempotent. Returns the number of requested
        deletions. Throttled when DynamoDB takes no more."""
        for some in batches(sort_keys, DELETED_AT_ONCE):
            keys = [wire({"pk": pk, "sk": sk}) for sk in some]
            requests: Any = {self.name: [{"DeleteRequest": {"Key": key}} for key in keys]}
            for attempt in range(CHANGE_ATTEMPTS):
                time.sleep(attempt * RACE_PAUSE_SECONDS * 4)
                with translated(f"remove {len(some)} items of {pk}"):
                    reply = self.client.batch_write_item(RequestItems=requests)
                requests = reply.get("UnprocessedItems")
                if not requests:
                    break
            else:
                raise Throttled(f"items of {pk} could not all be removed.")
        return len(sort_keys)

    def change(
        self,
        pk: str,
        sk: str,
        step: Callable[[Item | None], Change | None],
        *,
        retries: Retries = RETRIES,
        lost: Callable[[PorewatchError], None] = _retried,
    ) -> Item | None:
        """Change one item by a pure `step`, atomically, with its facts. The only write loop.

        `step` gets the stored item (None when there is none) and returns the change, or None when
        nothing is to be done. It is called again when another writer was first, so it must not have
        effects. `lost` gets the error of each lost race; what it raises ends the attempts. Returns
        the stored item. Errors of `step` are raised; Throttled after the last attempt.
        """
        for attempt in range(retries.attempts):
            time.sleep(retries.pause(attempt))
            before = self.get(pk, sk)
            change = step(before)
            if change is None:
                return before
            write = _follow(before, change.item)
            try:
                self.transact([*change.first, write, *change.beside], change.facts)
            except (Conflict, Throttled) as error:
                lost(error)
            else:
                return write.item
        raise Throttled(f"{pk} {sk} is being changed by too many writers at once.")

    def transact(self, writes: Sequence[Write], facts: Iterable[Fact] = ()) -> None:
        """All `writes` and `facts`, or none of them.

        Existing facts are kept. Raises the `otherwise` of the first write whose condition fails.
        """
        outbox = {fact.fact_id: PutNew(fact_item(fact)) for fact in facts}
        pending: list[Write] = [*writes, *outbox.values()]
        while pending:
            failed = self._failed(pending)
            if not failed:
                return
            if failed[0] < len(writes):
                raise lost_of(writes[failed[0]])
            pending = [write for n, write in enumerate(pending) if n not in failed]

    def record(self, facts: Iterable[Fact]) -> None:
        """Write facts without any other change."""
        for fact in facts:
            self.transact([], [fact])

    def _one(self, write: Write) -> None:
        if self._failed([write]):
            raise lost_of(write)

    def _failed(self, writes: Sequence[Write]) -> list[int]:
        """Write all or none. Returns the positions whose conditions failed; empty when written."""
        with translated(f"write {writes[0].item.pk} {writes[0].item.sk}"):
            try:
                self._send([(verb(write), request(self.name, write)) for write in writes])
            except ClientError as error:
                failed = _failed_positions(error)
                if failed:
                    return failed
                raise
        return []

    def _send(self, requests: list[tuple[Verb, Any]]) -> None:
        if len(requests) > 1:
            items: Any = [{verb: request} for verb, request in requests]
            self.client.transact_write_items(TransactItems=items)
            return
        [(call, request)] = requests
        getattr(self.client, f"{call.lower()}_item")(**request)


def _follow(before: Item | None, after: Item) -> PutNew | PutIf:
    if before is None:
        return PutNew(after, Conflict)
    return PutIf(replace(after, version=before.version + 1), {"version": before.version})


def _failed_positions(error: ClientError) -> list[int]:
    if code_of(error) == "ConditionalCheckFailedException":
        return [0]
    if code_of(error) != "TransactionCanceledException":
        return []
    reasons: list[Any] = error.response.get("CancellationReasons", [])
    return [n for n, why in enumerate(reasons) if why.get("Code") == "ConditionalCheckFailed"]
