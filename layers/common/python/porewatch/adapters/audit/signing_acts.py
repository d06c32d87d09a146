"""Signatures that were begun, until they are made or forgotten (TTL)."""

from __future__ import annotations

import re

from porewatch.adapters.items import Item
from porewatch.adapters.people.keys import signing_key
from porewatch.adapters.table import Table
from porewatch.domain.signatures.signing_act import ACT_ID, ACT_LIFE, SigningAct, over

ACT = "ACT"


class SigningActs:
    """In the people table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, act: SigningAct) -> None:
        """Keep a new act."""
        self._table.put_new(_item(act))

    def find(self, act_id: str) -> SigningAct | None:
        if not re.fullmatch(ACT_ID, act_id):
            return None
        item = self._table.get(signing_key(act_id), ACT)
        return item.model(SigningAct) if item else None

    def confirm(self, before: SigningAct, after: SigningAct) -> None:
        """Keep what confirms it; SignatureRefused when something has confirmed it already."""
        expected: dict[str, str | int] = {"body": before.canonical_json()}
        self._table.put_if(_item(after), expected, lambda _: over())


def _item(act: SigningAct) -> Item:
    ttl = int((act.made_at + 6 * ACT_LIFE).timestamp())
    return Item.of(signing_key(act.act_id), ACT, act, ttl=ttl)
