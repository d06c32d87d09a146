"""Pools that gave no machine just now, shared by all runs: nobody asks them again for a while.

One item for each pool (`type@zone`), with the time until which it counts; DynamoDB removes expired
items days late, so the time is looked at here. Only a refusal for want of capacity is remembered,
never a quota or a throttle: those say nothing of the pool.
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
        """Pools that gave no machine a moment ago, in order of their names."""
        now = int(at.timestamp())
        return tuple(
            item.sk for item in self._table.query(POOLS, "") if int(item.attributes["until"]) > now
        )

    def note(self, pools: Iterable[str], at: datetime) -> None:
        """These pools have just given none."""
        until = int((at + REMEMBERED).timestamp())
        for pool in sorted(set(pools)):
            item = Item(POOLS, pool, attributes={"until": until}, ttl=until)
            self._table.put(item)
