"""What the facility asks for, in the people table.

RATES   month   `Rates`
"""

from __future__ import annotations

from porewatch.adapters.items import Item, Put
from porewatch.adapters.table import Table
from porewatch.domain.money.charges import Rates

RATES = "RATES"


class FacilityRates:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def all(self) -> tuple[Rates, ...]:
        """By the month from which they hold."""
        return tuple(item.model(Rates) for item in self._table.query(RATES))

    def keep(self, rates: Rates) -> None:
        """In place of those from the same month."""
        self._table.transact([Put(Item.of(RATES, rates.from_month, rates))])
