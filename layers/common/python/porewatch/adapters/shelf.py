"""Which reference bundles a stack is known to have: one item each, written by whoever saw one.

`porewatch references build` and `porewatch references register` write here. The list can only grow:
a bundle that was taken away is noticed by the worker that misses it.
"""

from __future__ import annotations

from contextlib import suppress

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.choices import KnownBundle
from porewatch.domain.errors import AlreadyDone

SHELF = "SHELF"


class Shelf:
    """The bundles in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def known(self) -> tuple[KnownBundle, ...]:
        """Every bundle somebody saw, by name and version."""
        return tuple(item.model(KnownBundle) for item in self._table.query(SHELF, "BUNDLE#"))

    def record(self, bundle: KnownBundle) -> None:
        """Somebody saw this bundle. Who saw it first stays."""
        with suppress(AlreadyDone):
            self._table.put_new(Item.of(SHELF, f"BUNDLE#{bundle.ref}", bundle))
