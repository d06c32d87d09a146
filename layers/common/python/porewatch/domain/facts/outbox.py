"""A fact on its way from the ledger to the bus."""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.base import Model

FACT_PREFIX = "FACT#"
"""Sort keys of facts begin with it; the fact's id follows, so a fact lies there only once."""


class OutboxRecord(Model):
    """One new fact, as the ledger's stream shows it: `sequence` is its place in the stream,
    `detail_type` its class, `detail` its JSON, `at` its time as ISO text."""

    sequence: str
    fact_id: str
    detail_type: str
    at: str
    detail: str


def record_of(event: Model, event_id: str, at: datetime) -> OutboxRecord:
    """An event about a user, as the bus takes it: it is in no stream."""
    return OutboxRecord(
        sequence="",
        fact_id=event_id,
        detail_type=type(event).__name__,
        at=at.isoformat(),
        detail=event.canonical_json(),
    )
