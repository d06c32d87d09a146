"""Partitions of the ledger that one worker alone may write, by `dynamodb:LeadingKeys` in its role;
the monitor reads them."""

from __future__ import annotations

import logging
from datetime import timedelta

from pydantic import ValidationError

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.stage.worker_note import WorkerNote

SORT_KEY = "NOTE"
KEPT = timedelta(days=7)
_log = logging.getLogger(__name__)


class WorkerNotes:
    """Notes in ledger `table`, one per instance."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def write(self, user_id: str, note: WorkerNote) -> None:
        """Replace the note of the instance whose credentials have this `aws:userid`."""
        ttl = int((note.at + KEPT).timestamp())
        self._table.put(Item.of(worker_key(user_id), SORT_KEY, note, ttl=ttl))

    def read(self, user_id: str) -> WorkerNote | None:
        """The last note of the instance; None when there is none, or what it wrote is no note: an
        instance that was taken over must not stop the monitor of all others."""
        item = self._table.get(worker_key(user_id), SORT_KEY)
        try:
            return item.model(WorkerNote) if item else None
        except ValidationError:
            _log.warning("what lies at %s is no note of a worker", worker_key(user_id))
            return None


def worker_key(user_id: str) -> str:
    """The partition that only these credentials may write."""
    return f"WORKER#{user_id}"
