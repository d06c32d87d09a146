"""Addresses that get no mail, in the people table.

MAILBOX#digest   SUPPRESSION

The address itself is not stored: who has it can find the item, and nobody reads it from there.
"""

from __future__ import annotations

import hashlib

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.mail.suppression import Suppression

SUPPRESSION = "SUPPRESSION"


class Suppressions:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, address: str) -> Suppression | None:
        item = self._table.get(_key(address), SUPPRESSION)
        return item.model(Suppression) if item else None

    def add(self, address: str, suppression: Suppression) -> None:
        """Idempotent; the newest reason counts."""
        self._table.put(Item.of(_key(address), SUPPRESSION, suppression))

    def lift(self, address: str) -> None:
        """Idempotent."""
        self._table.delete(_key(address), SUPPRESSION)


def _key(address: str) -> str:
    return f"MAILBOX#{hashlib.sha256(address.strip().lower().encode()).hexdigest()}"
