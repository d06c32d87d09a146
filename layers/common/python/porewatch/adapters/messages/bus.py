"""The event bus."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.domain.errors import Unavailable
from porewatch.domain.facts.fact import SOURCE
from porewatch.domain.facts.outbox import OutboxRecord

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

AT_ONCE = 10
_log = logging.getLogger(__name__)


class Bus:
    """The bus `name`."""

    def __init__(self, name: str, client: EventBridgeClient | None = None) -> None:
        self._name = name
        self._client = client or clients.events()

    def publish(self, records: Sequence[OutboxRecord]) -> list[OutboxRecord]:
        """Publish facts, in order. Returns those that failed."""
        failed: list[OutboxRecord] = []
        for some in batches(records, AT_ONCE):
            failed += self._put(some)
        return failed

    def _put(self, records: Sequence[OutboxRecord]) -> list[OutboxRecord]:
        entries: Any = [self._entry(record) for record in records]
        try:
            with translated(f"put {len(entries)} facts on bus {self._name}"):
                answer = self._client.put_events(Entries=entries)
        except Unavailable as error:
            _log.warning("%s", error)
            return list(records)
        if not answer["FailedEntryCount"]:
            return []
        pairs = zip(records, answer["Entries"], strict=True)
        lost = [(record, entry) for record, entry in pairs if "ErrorCode" in entry]
        for record, entry in lost:
            _log.warning("could not publish %s: %s", record.fact_id, entry["ErrorCode"])
        return [record for record, _ in lost]

    def _entry(self, record: OutboxRecord) -> dict[str, object]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": record.detail_type,
            "Detail": record.detail,
            "Time": datetime.fromisoformat(record.at),
        }
