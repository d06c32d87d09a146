"""Gives an event out to the webhooks that ask for it: one delivery for each."""

from porewatch.domain.base import now
from porewatch.domain.facts.fact import Fact
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.usecases.webhooks.give_out_event import Givers, give_out_event


@on_queue(parse_fact)
def lambda_handler(fact: Fact) -> None:
    givers = Givers(wiring.runs(), wiring.accounts(), wiring.webhooks(), wiring.delivery_queue())
    give_out_event(fact, givers, now())
