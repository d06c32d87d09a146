"""What a run has cost so far stands on its record; people are warned near its budget and at it.

The cost is a sum over the bill and not an addition, so hearing of a machine twice costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.budget_warning import threshold_of, warning, warning_id
from porewatch.domain.events import BudgetReached, Fact, InstanceTerminated

if TYPE_CHECKING:
    from porewatch.adapters.inbox import Inbox
    from porewatch.adapters.notices import Topic
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger


@dataclass(frozen=True)
class CostTracking:
    """What keeping the cost needs. `budget_usd`: of one revision of a run; 0: no budget, and no
    warning."""

    runs: RunLedger
    stages: StageLedger
    inbox: Inbox
    alerts: Topic
    budget_usd: float
    at: datetime


def track_cost(fact: Fact, costs: CostTracking) -> None:
    """Sum the bill up again when a machine has ended; warn when a threshold is crossed.

    Raises AlreadyDone when people were warned at this threshold before.
    """
    if not isinstance(fact, InstanceTerminated):
        return
    lines = costs.runs.cost_lines(fact.run_id)
    costs.runs.set_cost(fact.run_id, round(sum(line.usd for line in lines), 6), costs.at)
    spent = round(sum(line.usd for line in costs.runs.cost_lines(fact.run_id, fact.revision)), 6)
    threshold = threshold_of(spent, costs.budget_usd)
    if threshold is None:
        return
    reached = _reached(fact, spent, threshold, costs)
    with costs.inbox.once(reached.fact_id):
        costs.stages.record([reached])
        costs.alerts.publish(warning(reached))


def _reached(
    fact: InstanceTerminated, spent: float, threshold: int, costs: CostTracking
) -> BudgetReached:
    return BudgetReached(
        fact_id=warning_id(fact.run_id, fact.revision, costs.budget_usd, threshold),
        run_id=fact.run_id,
        revision=fact.revision,
        at=costs.at,
        cost_usd=spent,
        budget_usd=costs.budget_usd,
        threshold=threshold,
    )
