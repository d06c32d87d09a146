"""Entitlements of users in the people table.

ENTITLEMENT#user   ENTITLEMENT
"""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Item
from porewatch.adapters.people.keys import entitlement_key
from porewatch.adapters.table import Change, Table
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName

ENTITLEMENT = "ENTITLEMENT"


class Entitlements:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, user_id: str) -> Entitlement | None:
        """None: he never had a subscription."""
        item = self._table.get(entitlement_key(user_id), ENTITLEMENT)
        return item.model(Entitlement) if item else None

    def of_many(self, user_ids: Sequence[str]) -> dict[str, Entitlement]:
        """Those that there are, by user."""
        found = get_many(self._table, [(entitlement_key(one), ENTITLEMENT) for one in user_ids])
        return {e.user_id: e for e in (item.model(Entitlement) for item in found.values())}

    def keep(self, entitlement: Entitlement) -> None:
        """As it was just read from the payment provider; whoever read later wins."""

        def step(item: Item | None) -> Change | None:
            before = item.model(Entitlement) if item else None
            if before is not None and before.read_at >= entitlement.read_at:
                return None
            announced = before.announced if before else entitlement.announced
            after = entitlement.model_copy(update={"announced": announced})
            return Change(Item.of(entitlement_key(entitlement.user_id), ENTITLEMENT, after))

        self._table.change(entitlement_key(entitlement.user_id), ENTITLEMENT, step)

    def note_announced(self, user_id: str, tier: TierName) -> None:
        """The event that this is his tier was published."""

        def step(item: Item | None) -> Change | None:
            before = item.model(Entitlement) if item else None
            if before is None or before.announced is tier:
                return None
            after = before.model_copy(update={"announced": tier})
            return Change(Item.of(entitlement_key(user_id), ENTITLEMENT, after))

        self._table.change(entitlement_key(user_id), ENTITLEMENT, step)
