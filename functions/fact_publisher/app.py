"""Publishes the ledger's facts on the event bus, from the ledger's stream."""

from collections.abc import Sequence

from porewatch.adapters.messages.bus import Bus
from porewatch.domain.facts.outbox import OutboxRecord
from porewatch.edge.stream import on_stream
from porewatch.settings import settings
from porewatch.usecases.facts.publish_facts import publish_facts


@on_stream()
def lambda_handler(records: Sequence[OutboxRecord]) -> list[str]:
    return publish_facts(records, bus=Bus(settings().bus_name))
