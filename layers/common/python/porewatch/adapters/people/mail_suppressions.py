"""Addresses that get no mail, in the people table.

MAILBOX#digest   SUPPRESSION | CONFIRMATION (a mail was sent to confirm it)

The address itself is not stored: who has it can find the item, and nobody reads it from there.
"""

from __future__ import annotations

import hashlib

from porewatch.adapters.items import Item
from porewatch.adapters.table import Change, Table
from porewatch.domain.mail.confirming import LASTS, Confirmation
from porewatch.domain.mail.suppression import Suppression

SUPPRESSION, CONFIRMATION = "SUPPRESSION", "CONFIRMATION"


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
        """It gets mail again, and no link confirms it a second time. Idempotent."""
        self._table.delete(_key(address), SUPPRESSION)
        self._table.delete(_key(address), CONFIRMATION)

    def asked(self, address: str) -> Confirmation | None:
        """The mail that was sent last to confirm this address."""
        item = self._table.get(_key(address), CONFIRMATION)
        return item.model(Confirmation) if item else None

    def note_asked(self, address: str, asked: Confirmation) -> None:
        """AccountRefused when another was noted within the hour."""

        def step(item: Item | None) -> Change:
            if item is not None:
                item.model(Confirmation).refuse_again(asked.asked_at)
            ttl = int((asked.asked_at + LASTS).timestamp())
            return Change(Item.of(_key(address), CONFIRMATION, asked, ttl=ttl))

        self._table.change(_key(address), CONFIRMATION, step)


def _key(address: str) -> str:
    return f"MAILBOX#{hashlib.sha256(address.strip().lower().encode()).hexdigest()}"
