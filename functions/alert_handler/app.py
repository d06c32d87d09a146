"""Settles alerts when a run has ended, sends each message once; every minute: what is overdue?"""

from datetime import timedelta

from porewatch.adapters import alerts, inbox, notices, objects, runs
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.events import Fact
from porewatch.edge.envelopes import fact
from porewatch.edge.event import clock, on_event
from porewatch.edge.queue import on_queue
from porewatch.edge.task import by_door
from porewatch.settings import settings
from porewatch.usecases import alert_desk


def desk() -> alert_desk.AlertDesk:
    told, table = settings(), Table(settings().ledger_table)
    after, link = timedelta(minutes=told.escalate_minutes), objects.Objects(told.reports_bucket)
    return alert_desk.AlertDesk(
        alerts=alerts.AlertLedger(table),
        runs=runs.RunLedger(table),
        results=objects.Objects(told.results_bucket),
        inbox=inbox.Inbox(table),
        topics=alert_desk.Topics(*map(notices.Topic, told.topics)),
        link=lambda key: link.link(key, told.link_seconds),
        escalate_after=after,
        at=now(),
    )


@on_queue(fact)
def hear(told: Fact) -> None:
    alert_desk.hear(told, desk())


@on_event(clock)
def sweep(_tick: None) -> None:
    alert_desk.sweep(desk())


lambda_handler = by_door(queue=hear, news=sweep)
