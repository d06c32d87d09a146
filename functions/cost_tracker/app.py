"""What a run has cost so far, and the word when its budget is reached."""

from porewatch.adapters.runs import RunLedger
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.events import Fact
from porewatch.edge.envelopes import fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.track_cost import track_cost


@on_queue(fact)
def lambda_handler(told: Fact) -> None:
    table, budget = Table(settings().ledger_table), settings().run_budget_usd
    stages = StageLedger(table)
    track_cost(told, runs=RunLedger(table), stages=stages, budget_usd=budget, at=now())
