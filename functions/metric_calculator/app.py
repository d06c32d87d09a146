"""Turns facts into CloudWatch metrics."""

from porewatch.adapters.messages.metrics import Metrics
from porewatch.domain.facts.fact import Fact
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.facts.calculate_metrics import calculate_metrics


@on_queue(parse_fact)
def lambda_handler(fact: Fact) -> None:
    metrics = Metrics(settings().stack_name)
    calculate_metrics(fact, inbox=wiring.inbox(), metrics=metrics)
