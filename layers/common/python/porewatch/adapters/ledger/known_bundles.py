"""Which reference bundles a stack is known to have: one item each, written by whoever saw one; and
which of them is its default: one item for each choice, so that the record of choices stays whole.

`porewatch references build`, `register` and `default` write here. The lists can only grow: a bundle
that was taken away is noticed by the worker that misses it.
"""

from __future__ import annotations

from contextlib import suppress

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.choices import DefaultChoice, KnownBundle, default_bundle
from porewatch.domain.errors import AlreadyDone, Conflict

SHELF = "SHELF"
BUNDLE, CHOICE = "BUNDLE#", "DEFAULT#"


class Shelf:
    """The bundles in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def known(self) -> tuple[KnownBundle, ...]:
        """Every bundle somebody saw, by name and version."""
        return tuple(item.model(KnownBundle) for item in self._table.query(SHELF, BUNDLE))

    def record(self, bundle: KnownBundle) -> None:
        """Somebody saw this bundle. Who saw it first stays."""
        with suppress(AlreadyDone):
            self._table.put_new(Item.of(SHELF, f"{BUNDLE}{bundle.ref}", bundle))

    def choices(self) -> tuple[DefaultChoice, ...]:
        """Every choice of the default bundle, oldest first."""
        return tuple(item.model(DefaultChoice) for item in self._table.query(SHELF, CHOICE))

    def default(self, deployed: str) -> str:
        """What runs get that name no bundle. `deployed`: the one that the deployment names."""
        return default_bundle(deployed, self.choices())

    def choose(self, choice: DefaultChoice, *, after: int) -> None:
        """It counts from now on. Choices are numbered, so that no clock decides which is the last.
        `after`: how many there were when this one was thought of.

        Raises Conflict when somebody else has chosen since.
        """
        self._table.put_new(Item.of(SHELF, f"{CHOICE}{after:06d}", choice), Conflict)
