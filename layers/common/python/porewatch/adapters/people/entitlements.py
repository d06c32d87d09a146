"""What users paid for, and what an admin lets them do, in the people table: apart from their
accounts, so that who judges runs reads no address.

ENTITLEMENT#user   ENTITLEMENT
CAP#user           CAP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Item, Write
from porewatch.adapters.people.keys import cap_key, entitlement_key
from porewatch.adapters.table import Change, Table
from porewatch.domain.tiers.caps import KeptCap, UserCap
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName

ENTITLEMENT, CAP = "ENTITLEMENT", "CAP"
NONE = UserCap()


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


class UserCaps:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, user_id: str) -> UserCap:
        """Without limits for a user of whom none was ever set."""
        item = self._table.get(cap_key(user_id), CAP)
        return item.model(KeptCap).cap if item else NONE

    def of_many(self, user_ids: Sequence[str]) -> dict[str, UserCap]:
        """Those that there are, by user."""
        found = get_many(self._table, [(cap_key(one), CAP) for one in user_ids])
        return {k.user_id: k.cap for k in (item.model(KeptCap) for item in found.values())}

    def keep(self, kept: KeptCap, beside: Callable[[], Sequence[Write]] = tuple) -> UserCap:
        """In place of the one before, which is answered; with other writes (of each attempt) or not
        at all."""
        before = NONE

        def step(item: Item | None) -> Change:
            nonlocal before
            before = item.model(KeptCap).cap if item else NONE
            version = item.version if item else 0
            after = Item.of(cap_key(kept.user_id), CAP, kept, version=version)
            return Change(after, beside=beside())

        self._table.change(cap_key(kept.user_id), CAP, step)
        return before
