"""DynamoDB: one table, its index by kind (a moment late), conditions, transactions, its stream.

Exactly the requests `adapters.table` makes; anything else is an error here, not a guess.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from simulator.faults import refusal

Raw = dict[str, Any]
Change = dict[str, Any]
TERM = re.compile(r"^(#\w+) (=|<=|<|>=|>) (:\w+)$")
CHECK = "ConditionalCheckFailedException"


class Conditions:
    """Condition expressions of the kind that we use: terms joined by AND, and those by OR."""

    def __init__(self, request: Raw) -> None:
        text = request.get("ConditionExpression", "")
        self._ways = [way.split(" AND ") for way in text.split(" OR ")] if text else [[]]
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})

    def hold(self, there: Raw | None) -> bool:
        return any(all(self._holds(term, there) for term in way) for way in self._ways)

    def _holds(self, term: str, there: Raw | None) -> bool:
        for function, wanted in (("attribute_not_exists", False), ("attribute_exists", True)):
            if term.startswith(function):
                name = self._names[term[len(function) + 1 : -1]]
                return (there is not None and name in there) is wanted
        found = TERM.match(term)
        if found is None:
            raise NotImplementedError(f"condition {term!r}")
        name, sign, value = found.groups()
        left = (there or {}).get(self._names[name])
        return left is not None and _compare(left, sign, self._values[value])


def _compare(left: Raw, sign: str, right: Raw) -> bool:
    (kind, a), (other, b) = next(iter(left.items())), next(iter(right.items()))
    if kind != other:
        return False
    x, y = (float(a), float(b)) if kind == "N" else (a, b)
    return {"=": x == y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[sign]


class DynamoDb:
    """`changed` gets every change, as the stream has it; `lag` is how late the index is."""

    def __init__(
        self,
        now: Callable[[], float] = lambda: 0.0,
        lag: Callable[[], float] = lambda: 0.0,
        changed: Callable[[Change], None] = lambda _: None,
        page: int = 100,
    ) -> None:
        self._now, self._lag, self._changed, self._page = now, lag, changed, page
        self.items: dict[str, dict[str, Raw]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._index: dict[tuple[str, str], tuple[str, str, Raw]] = {}
        self._late: deque[tuple[float, str, str, Raw | None]] = deque()
        self._sequence = count(1)

    def get_item(self, *, TableName: str, Key: Raw, ConsistentRead: bool = False) -> Raw:
        there = self._there(Key["pk"]["S"], Key["sk"]["S"])
        return {"Item": there} if there is not None else {}

    def put_item(self, **request: Any) -> Raw:
        pk, sk = _key(request["Item"])
        if not Conditions(request).hold(self._there(pk, sk)):
            raise refusal(CHECK, "The conditional request failed")
        self._write(request["Item"])
        return {}

    def update_item(self, **request: Any) -> Raw:
        pk, sk = _key(request["Key"])
        if not Conditions(request).hold(self._there(pk, sk)):
            raise refusal(CHECK, "The conditional request failed")
        self._write(_added(self._there(pk, sk), request))
        return {}

    def delete_item(self, **request: Any) -> Raw:
        pk, sk = _key(request["Key"])
        if not Conditions(request).hold(self._there(pk, sk)):
            raise refusal(CHECK, "The conditional request failed")
        self._remove(pk, sk)
        return {}

    def transact_write_items(self, *, TransactItems: list[Raw]) -> Raw:
        if len(TransactItems) > 100:
            raise refusal("ValidationException", "at most 100 items")
        requests = [next(iter(item.items())) for item in TransactItems]
        keys = [_key(request.get("Item") or request["Key"]) for _, request in requests]
        if len(set(keys)) < len(keys):
            raise refusal("ValidationException", "one operation on one item")
        whys = [
            "None" if Conditions(request).hold(self._there(*key)) else "ConditionalCheckFailed"
            for (_, request), key in zip(requests, keys, strict=True)
        ]
        if set(whys) != {"None"}:
            raise refusal(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons [{', '.join(whys)}]",
                CancellationReasons=[{"Code": why} for why in whys],
            )
        for (verb, request), key in zip(requests, keys, strict=True):
            if verb == "Put":
                self._write(request["Item"])
            elif verb == "Update":
                self._write(_added(self._there(*key), request))
            elif verb == "Delete":
                self._remove(*key)
            elif verb != "ConditionCheck":
                raise NotImplementedError(f"{verb} in a transaction")
        return {}

    def batch_get_item(self, *, RequestItems: dict[str, Raw]) -> Raw:
        found = {
            table: [item for key in asked["Keys"] if (item := self._there(*_key(key))) is not None]
            for table, asked in RequestItems.items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def batch_write_item(self, *, RequestItems: dict[str, list[Raw]]) -> Raw:
        for table, requests in RequestItems.items():
            for one in requests:
                self.delete_item(TableName=table, Key=one["DeleteRequest"]["Key"])
        return {"UnprocessedItems": {}}

    def query(self, **request: Any) -> Raw:
        values = request["ExpressionAttributeValues"]
        if "IndexName" in request:
            found = self._by_kind(values[":k"]["S"])
            if ":s" in values:
                found = [item for item in found if _is_past(item, request)]
        elif ":first" in values:
            found = self._between(*(values[name]["S"] for name in (":p", ":first", ":last")))
        else:
            found = self._by_prefix(values[":p"]["S"], values.get(":s", {}).get("S", ""))
        if not request.get("ScanIndexForward", True):
            found.reverse()
        start = request.get("ExclusiveStartKey")
        at = 0
        if start is not None:
            keys = [_key(item) for item in found]
            at = keys.index(_key(start)) + 1 if _key(start) in keys else len(found)
        page = found[at : at + self._page]
        answer: Raw = {"Items": page}
        if at + self._page < len(found):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk")}
        return answer

    def _remove(self, pk: str, sk: str) -> None:
        if self.items.get(pk, {}).pop(sk, None) is not None:
            self._sorted[pk].remove(sk)
            self._late.append((self._now() + self._lag(), pk, sk, None))
            self._stream("REMOVE", pk, sk, None)

    def _there(self, pk: str, sk: str) -> Raw | None:
        return self.items.get(pk, {}).get(sk)

    def _by_prefix(self, pk: str, prefix: str) -> list[Raw]:
        keys, items, found = self._sorted.get(pk, []), self.items.get(pk, {}), []
        for sk in keys[bisect_left(keys, prefix) :]:
            if not sk.startswith(prefix):
                break
            found.append(items[sk])
        return found

    def _between(self, pk: str, first: str, last: str) -> list[Raw]:
        keys, items = self._sorted.get(pk, []), self.items.get(pk, {})
        return [items[sk] for sk in keys[bisect_left(keys, first) : bisect_right(keys, last)]]

    def _by_kind(self, kind: str) -> list[Raw]:
        while self._late and self._late[0][0] <= self._now():
            _, pk, sk, item = self._late.popleft()
            self._index.pop((pk, sk), None)
            if item is not None and "gsi_pk" in item:
                self._index[pk, sk] = (item["gsi_pk"]["S"], item["gsi_sk"]["S"], item)
        there = [(sk, item) for pk, sk, item in self._index.values() if pk == kind]
        return [item for _, item in sorted(there, key=lambda pair: (pair[0], _key(pair[1])))]

    def _write(self, item: Raw) -> None:
        pk, sk = _key(item)
        known = self.items.setdefault(pk, {})
        name = "MODIFY" if sk in known else "INSERT"
        if name == "INSERT":
            insort(self._sorted.setdefault(pk, []), sk)
        known[sk] = item
        self._late.append((self._now() + self._lag(), pk, sk, item))
        self._stream(name, pk, sk, item)

    def _stream(self, name: str, pk: str, sk: str, item: Raw | None) -> None:
        record: Raw = {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}
        if item is not None:
            record["NewImage"] = item
        record["SequenceNumber"] = f"{next(self._sequence):021d}"
        self._changed({"eventName": name, "dynamodb": record})


def _is_past(item: Raw, request: Raw) -> bool:
    """Whether it comes after the place `:s`, in the requested order."""
    place, there = request["ExpressionAttributeValues"][":s"]["S"], item["gsi_sk"]["S"]
    return bool(there > place if request.get("ScanIndexForward", True) else there < place)


def _added(there: Raw | None, request: Raw) -> Raw:
    """The item after `ADD #a :a, #b :b`."""
    after = dict(there or request["Key"])
    verb, _, terms = request["UpdateExpression"].partition(" ")
    if verb != "ADD":
        raise NotImplementedError(f"update {verb!r}")
    for term in terms.split(", "):
        name, value = term.split(" ")
        attribute = request["ExpressionAttributeNames"][name]
        amount = int(request["ExpressionAttributeValues"][value]["N"])
        before = int(after.get(attribute, {"N": "0"})["N"])
        after[attribute] = {"N": str(before + amount)}
    return after


def _key(item: Raw) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
