"""moto's tables, asked for one partition at a time.

For each query moto looks at every item of the table, and so takes seconds where there are a hundred
thousand. DynamoDB goes to the partition. Here moto gets the items of that partition to look at;
conditions, order, pages and answers are still moto's.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb import models
from moto.dynamodb.models.table import Table as MotoTable

from porewatch.adapters.items import Item, stored


class _Partitions:
    """Items by partition of the index. Of tables that are read only from now on."""

    def __init__(self, table: MotoTable) -> None:
        self._by_kind: dict[str, list[Any]] = defaultdict(list)
        for item in table.all_items():
            if kind := item.attrs.get("gsi_pk"):
                self._by_kind[kind.value].append(item)
        for items in self._by_kind.values():
            items.sort(key=lambda item: item.attrs["gsi_sk"].value)

    def of(self, kind: str) -> list[Any]:
        return self._by_kind.get(kind, [])


@contextmanager
def indexed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: dict[int, _Partitions] = {}
    query, names = MotoTable.query, signature(MotoTable.query)

    def by_partition(self: MotoTable, *args: Any, **more: Any) -> Any:
        asked = names.bind(self, *args, **more).arguments
        if asked.get("index_name"):
            if id(self) not in made:
                made[id(self)] = _Partitions(self)
            conditions = dict(asked.get("hash_key_conditions") or ())
            kind = (conditions.get("gsi_pk") or asked["hash_key"]).value
            items = made[id(self)].of(kind)
        else:
            items = list(self.items.get(asked["hash_key"], {}).values())
        self.__dict__["all_items"] = lambda: items
        try:
            return query(self, *args, **more)
        finally:
            del self.__dict__["all_items"]

    with monkeypatch.context() as patched:
        patched.setattr(MotoTable, "query", by_partition)
        yield


def written(table: MotoTable, items: Iterator[Item]) -> None:
    """Past the API: by its calls 100,000 items would take a quarter of an hour."""
    for item in items:
        table.put_item(stored(item))


@contextmanager
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For transactions of which none fails: before each, moto copies all items of its tables, to
    put them back if it does."""

    def copied(value: Any) -> Any:
        return value if isinstance(value, MotoTable) else copy.deepcopy(value)

    with monkeypatch.context() as patched:
        patched.setattr(models, "copy", SimpleNamespace(deepcopy=copied, copy=copy.copy))
        yield
