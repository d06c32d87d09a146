"""Keep the cost so far on the record of the run; warn near a budget and at it.

The budgets are the one of the run and the monthly one of the account, as `adapters.ledger.budget`
keeps them.

The cost is the sum of the bill and not an increment, so a repeated fact changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.errors import AlreadyDone
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.stage_facts import BudgetReached, InstanceTerminated
from porewatch.domain.notices.budget_warning import (
    of_account,
    of_run,
    threshold_of,
    warning,
    warning_id,
)
from porewatch.domain.rules import run_endings

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.messages.notices import Topic


@dataclass(frozen=True)
class CostTracking:
    """Dependencies of cost tracking. `run_usd` is the budget of one revision of a run,
    `account_usd` that of all runs in a month; 0: no budget, and no warning."""

    runs: RunLedger
    stages: StageLedger
    inbox: Inbox
    alerts: Topic
    budget: Budget
    run_usd: float
    account_usd: float
    at: datetime


def track_cost(fact: Fact, costs: CostTracking) -> None:
    """Sum up the bill when an instance was terminated; warn, once, when a threshold is crossed."""
    if not isinstance(fact, InstanceTerminated):
        return
    lines = costs.runs.cost_lines(fact.run_id)
    usd = round(sum(line.usd for line in lines), 6)
    costs.runs.apply_to_gone(fact.run_id, run_endings.cost, usd, costs.at)
    for reached in _reached(fact, costs):
        with suppress(AlreadyDone), costs.inbox.once(reached.fact_id):
            costs.stages.record([reached])
            costs.alerts.publish(warning(reached))


def _reached(fact: InstanceTerminated, costs: CostTracking) -> Iterator[BudgetReached]:
    """The budgets of which the cost of this instance crosses a threshold."""
    bill = costs.runs.cost_lines(fact.run_id, fact.revision)
    spent = round(sum(line.usd for line in bill), 6)
    yield from _crossed(fact, costs, spent, costs.run_usd, None)
    if costs.account_usd:
        month = f"{fact.at - timedelta(seconds=fact.seconds):%Y-%m}"  # that of the launch
        spent = costs.budget.account_books(month).spent_usd
        yield from _crossed(fact, costs, spent, costs.account_usd, month)


def _crossed(
    fact: InstanceTerminated, costs: CostTracking, spent: float, usd: float, month: str | None
) -> Iterator[BudgetReached]:
    threshold = threshold_of(spent, usd)
    if threshold is None:
        return
    whose = of_account(month) if month else of_run(fact.run_id, fact.revision)
    yield BudgetReached(
        fact_id=warning_id(whose, usd, threshold),
        run_id=fact.run_id,
        revision=fact.revision,
        at=costs.at,
        cost_usd=spent,
        budget_usd=usd,
        threshold=threshold,
        month=month,
    )
