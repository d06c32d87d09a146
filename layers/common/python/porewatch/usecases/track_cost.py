"""What a run has cost so far stands on its record; reaching the budget is told once.

It is a sum over the bill and not an addition, so hearing of a machine twice costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.events import BudgetReached, Fact, InstanceTerminated
from porewatch.domain.notice import Notice

if TYPE_CHECKING:
    from porewatch.adapters.inbox import Inbox
    from porewatch.adapters.notices import Topic
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger


@dataclass(frozen=True)
class Till:
    """What keeping the cost needs. `alerts` are told once for each `budget_usd` of a revision."""

    runs: RunLedger
    stages: StageLedger
    inbox: Inbox
    alerts: Topic
    budget_usd: float
    at: datetime


def track_cost(fact: Fact, till: Till) -> None:
    """Add the bill up anew when a machine has ended.

    Raises AlreadyDone when the budget was reached and told of before.
    """
    if not isinstance(fact, InstanceTerminated):
        return
    lines = till.runs.cost_lines(fact.run_id)
    till.runs.set_cost(fact.run_id, round(sum(line.usd for line in lines), 6), till.at)
    spent = round(sum(line.usd for line in till.runs.cost_lines(fact.run_id, fact.revision)), 6)
    if spent < till.budget_usd:
        return
    reached = _reached(fact, spent, till)
    with till.inbox.once(reached.fact_id):
        till.stages.record([reached])
        till.alerts.publish(_notice(reached))


def _reached(fact: InstanceTerminated, spent: float, till: Till) -> BudgetReached:
    return BudgetReached(
        fact_id=f"BudgetReached:{fact.run_id}:{fact.revision}:{till.budget_usd:g}",
        run_id=fact.run_id,
        revision=fact.revision,
        at=till.at,
        cost_usd=spent,
        budget_usd=till.budget_usd,
    )


def _notice(fact: BudgetReached) -> Notice:
    return Notice(
        kind="BudgetReached",
        run_id=fact.run_id,
        subject=f"Run {fact.run_id} has used up its budget",
        body=(
            f"Run {fact.run_id} (revision {fact.revision}) has cost {fact.cost_usd:.2f} USD; "
            f"its budget is {fact.budget_usd:.2f} USD.\nMachines that run save and leave; no "
            "further one is launched. To let it go on, raise RunBudgetUsd and seal the run anew."
        ),
    )
