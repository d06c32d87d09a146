"""Settles alerts, sends each notice once, closes acknowledged alerts, escalates overdue ones."""

from datetime import timedelta

from porewatch.adapters import objects
from porewatch.adapters.ledger import (
    alerts,
    idempotency,
    runs,
)
from porewatch.adapters.messages import notices
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.facts.alerts import (
    Acknowledge,
    AlertView,
)
from porewatch.domain.facts.fact import Fact
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.event import clock, on_event
from porewatch.edge.http import on_http, request_body, routes
from porewatch.edge.queue import on_queue
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.alerts import handle_alert
from porewatch.usecases.views.show_alerts import acknowledge

api = routes()


def context() -> handle_alert.AlertContext:
    config, table = settings(), Table(settings().ledger_table)
    after, link = timedelta(minutes=config.escalate_minutes), objects.Objects(config.reports_bucket)
    return handle_alert.AlertContext(
        alerts=alerts.AlertLedger(table),
        runs=runs.RunLedger(table),
        results=objects.Objects(config.results_bucket),
        inbox=idempotency.Inbox(table),
        topics=handle_alert.Topics(*map(notices.Topic, config.topics)),
        link=lambda key: link.link(key, config.link_seconds),
        escalate_after=after,
        at=now(),
    )


@on_queue(parse_fact)
def on_fact(fact: Fact) -> None:
    handle_alert.handle_fact(fact, context())


def close(order: Acknowledge) -> AlertView:
    return acknowledge(order, alerts=context().alerts, at=now())


@api.post("/alerts/<run_id>/<sample>/<code>/ack")
def acknowledged(run_id: str, sample: str, code: str) -> dict[str, object]:
    order = request_body(api, Acknowledge, run_id=run_id, sample=sample, code=code)
    return close(order).model_dump(mode="json")


@on_event(clock)
def sweep(_tick: None) -> None:
    handle_alert.sweep(context())


lambda_handler = by_trigger(
    queue=on_fact, eventbridge=sweep, task=on_task(Acknowledge)(close), http=on_http(api)
)
