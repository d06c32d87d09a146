"""Cancelling a run: the order, and its result."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import Reason, RunCode, because, original
from porewatch.domain.runs import RunId, RunState

OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class Cancel(Model):
    """Stop this run. `by`: who says so, `reason`: why; both go into the record and the notice."""

    run_id: RunId
    by: OptionalText = ""
    reason: OptionalText = ""

    @property
    def sentence(self) -> str:
        """`why` in English."""
        return self.why.text()

    @property
    def why(self) -> Reason:
        """Who stopped it, and why."""
        why = original(self.reason) or (because(RunCode.NO_REASON_GIVEN),)
        if self.by:
            return because(RunCode.CANCELLED_BY, by=self.by, why=why)
        return because(RunCode.CANCELLED, why=why)


class Cancelled(Model):
    """The run as it stands now. `machines`: those that were ended by this order; `cost_usd`: what
    it has cost in all. What its stages had saved stays where it is."""

    run_id: RunId
    revision: int
    state: RunState
    problem: str
    machines: Annotated[tuple[str, ...], Field(description="ids of EC2 or of Batch")] = ()
    cost_usd: float = 0.0
