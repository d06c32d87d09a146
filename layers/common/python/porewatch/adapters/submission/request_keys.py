"""Keys of requests (`Idempotency-Key`): a request that is sent twice has one effect.

A key is bound to its user, what was asked of, and the body's digest; its item keeps the id that the
first request was given, so that the next one goes on from there, however far the first one came.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.base import Model
from porewatch.domain.errors import AlreadyDone, KeyReused, MessageRefused

KEPT = timedelta(days=30)
LONGEST = 200


class RequestKeys:
    """The keys in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def answer_of(
        self, request: tuple[str, str, str], body: Model, fresh: str, *, at: datetime
    ) -> str:
        """The id that belongs to the key: `fresh`, or the one of the first request. `request`:
        user, what was asked of, key. Raises KeyReused when the key came with another body;
        MessageRefused for no usable key."""
        key = request[2]
        if not (key.isprintable() and 1 <= len(key) <= LONGEST):
            raise MessageRefused(f"an Idempotency-Key has 1 to {LONGEST} printable characters.")
        name = hashlib.sha256(json.dumps(request).encode()).hexdigest()
        item = Item(
            f"INBOX#request:{name}",
            "REQUEST",
            attributes={"asked": body.digest(), "answer": fresh},
            ttl=int((at + KEPT).timestamp()),
        )
        try:
            self._table.put_new(item)
        except AlreadyDone:
            return self._known(item, body)
        return fresh

    def _known(self, item: Item, body: Model) -> str:
        known = self._table.need(item.pk, item.sk)
        if known.attributes["asked"] != body.digest():
            raise KeyReused(
                "this Idempotency-Key came with another body before.",
                remedy="give each request a key of its own.",
            )
        return str(known.attributes["answer"])
