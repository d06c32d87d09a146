"""The event that says that a user has another tier now. It is no fact of a run: it is published by
who writes entitlements, and consumers match on its detail-type, `TierChanged`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.facts.outbox import OutboxRecord, record_of
from porewatch.domain.people.roles import UserId
from porewatch.domain.tiers.tier import TierName


class TierChanged(Model):
    """A user has another tier now. May come twice, late, and after a newer one: who acts on it
    reads the entitlement first."""

    user_id: UserId
    before: TierName
    after: TierName
    at: Annotated[Moment, Field(description="when it was noticed")]

    def record(self) -> OutboxRecord:
        """As the bus takes it."""
        about = (self.user_id, self.before.value, self.after.value, self.at.isoformat())
        return record_of(self, ":".join((type(self).__name__, *about)), self.at)
