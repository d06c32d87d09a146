"""Idempotency keys: one for each external effect.

    with inbox.once("alert:run-1:s1:PERV-C"):
        topic.publish(...)

The key is leased while the work is under way and, once it is done, kept longer than the event
archive keeps its events, so that no replay repeats an effect. After an error or a crash the key is
free again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone, Conflict, Unavailable

KEPT = timedelta(days=400)
"""Longer than the archive's 365 days."""

DONE = "done"
UNDER_WAY = "under way"


class Inbox:
    """The keys in ledger `table`. A worker that is silent for `lease` counts as dead."""

    def __init__(
        self,
        table: Table,
        *,
        lease: timedelta = timedelta(seconds=60),
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._table = table
        self._lease = lease
        self._clock = clock

    @contextmanager
    def once(self, key: str) -> Iterator[None]:
        """Run the block unless it was completed before.

        Raises AlreadyDone when it was, Unavailable while it is under way elsewhere.
        """
        mine = self._claim(key)
        try:
            yield
        except BaseException:
            self._table.delete(mine.pk, mine.sk)
            raise
        self._table.put(replace(mine, attributes={"state": DONE}))

    def done(self, key: str) -> bool:
        item = self._table.get(f"INBOX#{key}", "INBOX")
        return item is not None and item.attributes.get("state") == DONE

    def _claim(self, key: str) -> Item:
        at = self._clock()
        until = int((at + self._lease).timestamp())
        ttl = int((at + KEPT).timestamp())
        mine = Item(
            f"INBOX#{key}", "INBOX", attributes={"state": UNDER_WAY, "until": until}, ttl=ttl
        )
        try:
            self._table.put_new(mine)
        except AlreadyDone:
            return self._take_over(mine, at)
        return mine

    def _take_over(self, mine: Item, at: datetime) -> Item:
        theirs = self._table.get(mine.pk, mine.sk)
        busy = Unavailable(f"{mine.pk} is being worked on.", remedy="it will be tried again.")
        if theirs is None:
            raise busy
        if theirs.attributes["state"] == DONE:
            raise AlreadyDone(f"{mine.pk} was done before.")
        if int(theirs.attributes["until"]) > at.timestamp():
            raise busy
        mine = replace(mine, version=theirs.version + 1)
        try:
            self._table.put_if(mine, {"version": theirs.version})
        except Conflict as e:
            raise busy from e
        return mine
