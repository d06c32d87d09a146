"""What a run has cost so far stands on its record, and reaching the budget is told once."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.events import BudgetReached, Fact, InstanceTerminated

if TYPE_CHECKING:
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger

_log = logging.getLogger(__name__)


def track_cost(
    fact: Fact, *, runs: RunLedger, stages: StageLedger, budget_usd: float, at: datetime
) -> float:
    """Add the bill up anew when a machine has ended; answers the sum in USD.

    It is a sum and not an addition, so hearing of a machine twice costs nothing.
    """
    spent = round(sum(line.usd for line in runs.cost_lines(fact.run_id)), 6)
    if not isinstance(fact, InstanceTerminated):
        return spent
    runs.set_cost(fact.run_id, spent, at)
    this_revision = sum(line.usd for line in runs.cost_lines(fact.run_id, fact.revision))
    if this_revision >= budget_usd:
        _log.warning("%s has cost %.2f of %.2f USD", fact.run_id, this_revision, budget_usd)
        stages.record([_reached(fact, this_revision, budget_usd, at)])
    return spent


def _reached(
    fact: InstanceTerminated, spent: float, budget_usd: float, at: datetime
) -> BudgetReached:
    return BudgetReached(
        fact_id=f"BudgetReached:{fact.run_id}:{fact.revision}:{budget_usd:g}",
        run_id=fact.run_id,
        revision=fact.revision,
        at=at,
        cost_usd=round(spent, 6),
        budget_usd=budget_usd,
    )
