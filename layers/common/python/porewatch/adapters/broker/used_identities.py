"""Signed identities that were used: each is good for one request."""

from __future__ import annotations

from datetime import datetime, timedelta

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.errors import IdentityRefused
from porewatch.domain.machines.signed_identity import FRESH, SignedIdentity

KEPT = 2 * FRESH + timedelta(hours=1)
"""Longer than any of them is fresh."""


class UsedIdentities:
    """In ledger `table`, each in a partition of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def use(self, identity: SignedIdentity, at: datetime) -> None:
        """Note that it was used. IdentityRefused when it was before."""
        ttl = int((at + KEPT).timestamp())
        item = Item(f"IDENTITY#{identity.signature}", "USED", ttl=ttl)
        self._table.put_new(item, lambda _: IdentityRefused("the signed identity was used before."))
