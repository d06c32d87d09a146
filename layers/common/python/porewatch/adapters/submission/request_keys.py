"""Keys of requests (`Idempotency-Key`): a request that is sent twice has one effect.

A key is bound to its user, what was asked of, and the body's digest; its item keeps the id that the
first request was given, so that the next one goes on from there, however far the first one came.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta

from porewatch.adapters.items import Item, PutNew
from porewatch.adapters.table import Table
from porewatch.domain.base import Model
from porewatch.domain.errors import AlreadyDone, KeyReused, MessageRefused
from porewatch.domain.submission.run_uploads import LONGEST_REQUEST_KEY, REQUEST_KEY

KEPT = timedelta(days=30)


class RequestKeys:
    """The keys in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def answer_of(
        self, request: tuple[str, str, str], body: Model, fresh: str, *, at: datetime
    ) -> str:
        """The id that belongs to the key: `fresh`, or the one of the first request. `request`:
        user, what was asked of, key. Raises KeyReused when the key came with another body;
        MessageRefused for no usable key."""
        bound = self.bound(request, body, fresh, at=at)
        try:
            self._table.put_new(bound.item)
        except AlreadyDone:
            return self._answer(self._table.need(bound.item.pk, bound.item.sk), body)
        return fresh

    def known(self, request: tuple[str, str, str], body: Model) -> str | None:
        """The id that the first request with this key was given; None: there was none. Raises as
        `answer_of`."""
        item = self._table.get(*_place(request))
        return self._answer(item, body) if item else None

    def bound(
        self, request: tuple[str, str, str], body: Model, fresh: str, *, at: datetime
    ) -> PutNew:
        """The write that gives the key this id, for a transaction; AlreadyDone when it has one.
        Raises MessageRefused for no usable key."""
        item = Item(
            *_place(request),
            attributes={"asked": body.digest(), "answer": fresh},
            ttl=int((at + KEPT).timestamp()),
        )
        return PutNew(item)

    def _answer(self, known: Item, body: Model) -> str:
        if known.attributes["asked"] != body.digest():
            raise KeyReused(
                "this Idempotency-Key came with another body before.",
                remedy="give each request a key of its own.",
            )
        return str(known.attributes["answer"])


def _place(request: tuple[str, str, str]) -> tuple[str, str]:
    key = request[2]
    if not re.fullmatch(REQUEST_KEY, key):
        raise MessageRefused(
            f"an Idempotency-Key has 1 to {LONGEST_REQUEST_KEY} printable ASCII characters."
        )
    name = hashlib.sha256(json.dumps(request).encode()).hexdigest()
    return f"INBOX#request:{name}", "REQUEST"
