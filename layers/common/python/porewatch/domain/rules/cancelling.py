"""Cancelling a run: the order, and its result."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model
from porewatch.domain.runs import RunId, RunState

OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class Cancel(Model):
    """Stop this run. `by`: who says so, `reason`: why; both go into the record and the notice."""

    run_id: RunId
    by: OptionalText = ""
    reason: OptionalText = ""

    @property
    def sentence(self) -> str:
        """One sentence for a person."""
        who = f" by {self.by}" if self.by else ""
        return f"it was cancelled{who}: {self.reason or 'no reason was given'}."


class Cancelled(Model):
    """The run as it stands now. `machines`: those that were ended by this order; `cost_usd`: what
    it has cost in all. What its stages had saved stays where it is."""

    run_id: RunId
    revision: int
    state: RunState
    problem: str
    machines: Annotated[tuple[str, ...], Field(description="ids of EC2 or of Batch")] = ()
    cost_usd: float = 0.0
