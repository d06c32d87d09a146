"""Cursors of sweeps that do not reach every item in one pass: one item per sweep."""

from __future__ import annotations

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table

TURNS = "TURNS"


class SweepCursor:
    """The cursors in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, name: str) -> str:
        """The last item of the sweep `name`; empty when it reached all of them."""
        item = self._table.get(TURNS, name)
        return str(item.attributes["last"]) if item else ""

    def keep(self, name: str, last: str) -> None:
        """The next sweep resumes after `last` (empty: at the beginning)."""
        if last:
            self._table.put(Item(TURNS, name, attributes={"last": last}))
        else:
            self._table.delete(TURNS, name)
