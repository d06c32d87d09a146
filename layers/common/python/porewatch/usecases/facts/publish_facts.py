"""Facts leave the house: from the ledger's stream onto the bus. The only publisher there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from porewatch.domain.facts.outbox import OutboxRecord

if TYPE_CHECKING:
    from porewatch.adapters.messages.bus import Bus


def publish_facts(records: Sequence[OutboxRecord], *, bus: Bus) -> list[str]:
    """Answers the stream positions of the facts that did not get onto the bus."""
    return [record.sequence for record in bus.publish(records)]
