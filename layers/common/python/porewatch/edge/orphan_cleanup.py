"""The schedule, and the expiry of one instance, as `Reap`."""

from __future__ import annotations

from pydantic import TypeAdapter

from porewatch.domain.errors import MessageRefused
from porewatch.domain.rules.orphan_cleanup import Reap
from porewatch.edge.envelopes import Envelope, checked


def reap_order(envelope: Envelope) -> Reap:
    """The parser of the orphan cleanup. Raises MessageRefused for every other event."""
    if envelope.detail_type == "Scheduled Event":
        return Reap()
    if envelope.detail_type == "Machine Expired":
        return checked(TypeAdapter(Reap), envelope.detail, "Machine Expired")
    raise MessageRefused(f"{envelope.detail_type!r} is not an event of the orphan cleanup.")
