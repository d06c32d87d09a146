"""Keeps the cost of a run so far; warns at 80 and 100 % of its budget and of the account's."""

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.facts.fact import Fact
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.money.track_cost import (
    CostTracking,
    track_cost,
)


@on_queue(parse_fact)
def lambda_handler(fact: Fact) -> None:
    table = Table(settings().ledger_table)
    costs = CostTracking(
        runs=RunLedger(table),
        stages=StageLedger(table),
        inbox=Inbox(table),
        alerts=Topic(settings().alert_topic_arn),
        budget=Budget(table),
        run_usd=settings().run_budget_usd,
        account_usd=settings().account_budget_usd,
        at=now(),
    )
    track_cost(fact, costs)
