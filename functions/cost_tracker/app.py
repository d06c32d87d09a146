"""Keeps the cost of a run so far; warns at 80 and 100 % of its budget and of the account's."""

from porewatch.adapters.messages.notices import Topic
from porewatch.domain.base import now
from porewatch.domain.facts.fact import Fact
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.money.track_cost import CostTracking, track_cost


@on_queue(parse_fact)
def lambda_handler(fact: Fact) -> None:
    config = settings()
    costs = CostTracking(
        runs=wiring.runs(),
        stages=wiring.stages(),
        inbox=wiring.inbox(),
        alerts=Topic(config.alert_topic_arn),
        budget=wiring.budget(),
        run_usd=config.run_budget_usd,
        account_usd=config.account_budget_usd,
        at=now(),
    )
    track_cost(fact, costs)
