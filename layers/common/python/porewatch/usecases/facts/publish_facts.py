"""Publish facts from the ledger's stream on the event bus. No other code publishes facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from porewatch.domain.facts.outbox import OutboxRecord

if TYPE_CHECKING:
    from porewatch.adapters.messages.bus import Bus


def publish_facts(records: Sequence[OutboxRecord], *, bus: Bus) -> list[str]:
    """Returns the stream positions of the facts that could not be published."""
    return [record.sequence for record in bus.publish(records)]
