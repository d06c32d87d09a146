"""The event that says that the bulky results of a run will be archived soon. It is no fact of a
run, because nothing of the run has changed: consumers match on its detail-type,
`ResultsExpiring`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.facts.outbox import OutboxRecord, record_of
from porewatch.domain.people.roles import UserId
from porewatch.domain.runs import RunId


class ResultsExpiring(Model):
    """Bulky results of a run will be archived at `until`, as things stand. One for each run, end
    and notice; may come twice, late, and after the end has moved: who acts on it reads the
    entitlement first."""

    user_id: Annotated[UserId, Field(description="who registered the run")]
    run_id: RunId
    until: Annotated[Moment, Field(description="bulky results are readable until then")]
    days: Annotated[Count, Field(description="which notice: so many calendar days (UTC) before")]
    at: Annotated[Moment, Field(description="when it was noticed")]

    def record(self) -> OutboxRecord:
        """As the bus takes it."""
        about = (self.run_id, self.until.isoformat(), str(self.days))
        return record_of(self, ":".join((type(self).__name__, *about)), self.at)
