"""The event that says that all results of a user are hot again. It is no fact of a run: consumers
match on its detail-type, `ResultsThawed`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.facts.outbox import OutboxRecord
from porewatch.domain.people.roles import UserId


class ResultsThawed(Model):
    """One for each thaw; may come twice: `asked_at` tells one thaw of a user from the next."""

    user_id: UserId
    asked_at: Annotated[Moment, Field(description="when the thaw began")]
    at: Annotated[Moment, Field(description="when the last artefact was back")]

    def record(self) -> OutboxRecord:
        """As the bus takes it."""
        name = type(self).__name__
        return OutboxRecord(
            sequence="",
            fact_id=f"{name}:{self.user_id}:{self.asked_at.isoformat()}",
            detail_type=name,
            at=self.at.isoformat(),
            detail=self.canonical_json(),
        )
