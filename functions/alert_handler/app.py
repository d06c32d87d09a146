"""Settles alerts, sends each message once, closes what is acknowledged; every minute: overdue?"""

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
from porewatch.edge.envelopes import fact
from porewatch.edge.event import clock, on_event
from porewatch.edge.http import asked, on_http, routes
from porewatch.edge.queue import on_queue
from porewatch.edge.task import by_door, on_task
from porewatch.settings import settings
from porewatch.usecases.alerts import handle_alert
from porewatch.usecases.views.show_alerts import acknowledge

api = routes()


def desk() -> handle_alert.AlertDesk:
    told, table = settings(), Table(settings().ledger_table)
    after, link = timedelta(minutes=told.escalate_minutes), objects.Objects(told.reports_bucket)
    return handle_alert.AlertDesk(
        alerts=alerts.AlertLedger(table),
        runs=runs.RunLedger(table),
        results=objects.Objects(told.results_bucket),
        inbox=idempotency.Inbox(table),
        topics=handle_alert.Topics(*map(notices.Topic, told.topics)),
        link=lambda key: link.link(key, told.link_seconds),
        escalate_after=after,
        at=now(),
    )


@on_queue(fact)
def hear(told: Fact) -> None:
    handle_alert.hear(told, desk())


def close(said: Acknowledge) -> AlertView:
    return acknowledge(said, alerts=desk().alerts, at=now())


@api.post("/alerts/<run_id>/<sample>/<code>/ack")
def acknowledged(run_id: str, sample: str, code: str) -> dict[str, object]:
    said = asked(api, Acknowledge, run_id=run_id, sample=sample, code=code)
    return close(said).model_dump(mode="json")


@on_event(clock)
def sweep(_tick: None) -> None:
    handle_alert.sweep(desk())


lambda_handler = by_door(
    queue=hear, news=sweep, task=on_task(Acknowledge)(close), http=on_http(api)
)
