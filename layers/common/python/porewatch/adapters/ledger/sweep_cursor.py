"""Whose turn it was last, for rounds that do not reach everybody in one go: one item a round."""

from __future__ import annotations

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table

TURNS = "TURNS"


class SweepCursor:
    """The rounds in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, name: str) -> str:
        """Who came last in the round `name`; empty when it reached everybody."""
        item = self._table.get(TURNS, name)
        return str(item.attributes["last"]) if item else ""

    def keep(self, name: str, last: str) -> None:
        """The next round begins after `last` (empty: at the beginning)."""
        if last:
            self._table.put(Item(TURNS, name, attributes={"last": last}))
        else:
            self._table.delete(TURNS, name)
