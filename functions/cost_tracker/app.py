"""What a run has cost so far; warnings at 80 and 100 % of its budget and of the account's."""

from porewatch.adapters.budget import Budget
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.notices import Topic
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.events import Fact
from porewatch.edge.envelopes import fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.track_cost import CostTracking, track_cost


@on_queue(fact)
def lambda_handler(told: Fact) -> None:
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
    track_cost(told, costs)
