"""Settles alerts, sends each notice once, closes acknowledged alerts, escalates overdue ones."""

from datetime import timedelta

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.messages.notices import Topic
from porewatch.domain.base import now
from porewatch.domain.facts.alerts import Acknowledge, AlertView
from porewatch.domain.facts.fact import Fact
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker, signed_as
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.event import clock, on_event
from porewatch.edge.http import on_http, request_body, routes
from porewatch.edge.queue import on_queue
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.alerts.handle_alert import AlertContext, Topics, handle_fact, sweep
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.views.show_alerts import acknowledge

api = routes()


def context() -> AlertContext:
    config, reports = settings(), wiring.reports()
    return AlertContext(
        alerts=AlertLedger(wiring.table()),
        runs=wiring.runs(),
        results=wiring.results(),
        inbox=wiring.inbox(),
        topics=Topics(*map(Topic, config.topics)),
        link=lambda key: reports.link(key, config.link_seconds),
        escalate_after=timedelta(minutes=config.escalate_minutes),
        at=now(),
    )


@on_queue(parse_fact)
def on_fact(fact: Fact) -> None:
    handle_fact(fact, context())


def close(order: Acknowledge) -> AlertView:
    return acknowledge(order, alerts=AlertLedger(wiring.table()), at=now())


@api.post("/alerts/<run_id>/<sample>/<code>/ack")
def acknowledged(run_id: str, sample: str, code: str) -> dict[str, object]:
    who = asker(api)
    reach_run(run_id, who, Action.ACKNOWLEDGE, runs=wiring.runs())
    order = request_body(api, Acknowledge, run_id=run_id, sample=sample, code=code)
    return close(order.model_copy(update={"name": signed_as(who, order.name)})).model_dump(
        mode="json"
    )


@on_event(clock)
def on_schedule(_: None) -> None:
    sweep(context())


lambda_handler = by_trigger(
    queue=on_fact, eventbridge=on_schedule, task=on_task(Acknowledge)(close), http=on_http(api)
)
