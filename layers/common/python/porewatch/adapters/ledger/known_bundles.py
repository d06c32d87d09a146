"""The reference bundles that a stack is known to have: one item each; and its default: one item per
choice, so that the history of choices is complete.

`porewatch references build`, `register` and `default` write here. The lists only grow: a missing
bundle is noticed by the worker that needs it.
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
        """Every known bundle, by name and version."""
        return tuple(item.model(KnownBundle) for item in self._table.query(SHELF, BUNDLE))

    def record(self, bundle: KnownBundle) -> None:
        """A bundle was seen. The first record stays."""
        with suppress(AlreadyDone):
            self._table.put_new(Item.of(SHELF, f"{BUNDLE}{bundle.ref}", bundle))

    def choices(self) -> tuple[DefaultChoice, ...]:
        """Every choice of the default bundle, oldest first."""
        return tuple(item.model(DefaultChoice) for item in self._table.query(SHELF, CHOICE))

    def default(self, deployed: str) -> str:
        """The bundle of runs that name none. `deployed`: the default of the deployment."""
        return default_bundle(deployed, self.choices())

    def choose(self, choice: DefaultChoice, *, after: int) -> None:
        """Effective from now on. Choices are numbered, so that no clock decides which is the last.
        `after`: how many there were when this one was made.

        Raises Conflict when another one was made since.
        """
        self._table.put_new(Item.of(SHELF, f"{CHOICE}{after:06d}", choice), Conflict)
