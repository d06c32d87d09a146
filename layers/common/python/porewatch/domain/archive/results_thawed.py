"""The event that says that all results of a user are hot again. It is no fact of a run: consumers
match on its detail-type, `ResultsThawed`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.facts.outbox import OutboxRecord, record_of
from porewatch.domain.people.roles import UserId


class ResultsThawed(Model):
    """All results of a user that were archived can be read again. One for each thaw; may come
    twice: `asked_at` tells one thaw of a user from the next. In events of earlier versions `runs`
    and `files` are 0."""

    user_id: UserId
    asked_at: Annotated[Moment, Field(description="when the thaw began")]
    at: Annotated[Moment, Field(description="when the last artefact was back")]
    runs: Annotated[Count, Field(description="of which something came back in this thaw")] = 0
    files: Annotated[Count, Field(description="artefacts that came back in this thaw")] = 0

    def record(self) -> OutboxRecord:
        """As the bus takes it."""
        about = (self.user_id, self.asked_at.isoformat())
        return record_of(self, ":".join((type(self).__name__, *about)), self.at)
