"""Pools that were out of capacity a moment ago, shared by all runs, which skip them for a while.

One item per pool (`type@zone`), with its expiry; DynamoDB deletes expired items days late, so the
time is checked here. Only a lack of capacity is remembered, never a quota or throttling: those say
nothing about the pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table

POOLS = "POOLS"
REMEMBERED = timedelta(minutes=3)
"""As Karpenter does; capacity comes back within minutes."""


class Pools:
    """The unavailable pools in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def unavailable(self, at: datetime) -> tuple[str, ...]:
        """Pools that were out of capacity a moment ago, by name."""
        now = int(at.timestamp())
        return tuple(
            item.sk for item in self._table.query(POOLS, "") if int(item.attributes["until"]) > now
        )

    def note(self, pools: Iterable[str], at: datetime) -> None:
        """These pools are out of capacity now."""
        until = int((at + REMEMBERED).timestamp())
        for pool in sorted(set(pools)):
            item = Item(POOLS, pool, attributes={"until": until}, ttl=until)
            self._table.put(item)
