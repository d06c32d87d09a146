"""The two triggers of alert_handler: a fact on its queue, and the schedule every minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.facts.fact import Fact
from porewatch.domain.notices.run_notices import Link
from porewatch.usecases.alerts.send_alert import (
    Topics,
    send_alert,
)
from porewatch.usecases.alerts.settle_alerts import settle_by_fact
from porewatch.usecases.alerts.sweep_alerts import sweep_alerts

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects


@dataclass(frozen=True)
class AlertContext:
    """What handling alerts needs. `link` makes a presigned link to a report; `escalate_after`: how
    long an alert may stay unacknowledged."""

    alerts: AlertLedger
    runs: RunLedger
    results: Objects
    inbox: Inbox
    topics: Topics
    link: Link
    escalate_after: timedelta
    at: datetime


def handle_fact(fact: Fact, context: AlertContext) -> None:
    """Settle the alerts that the fact ends, then notify. AlreadyDone when its notice was sent
    before."""
    settle_by_fact(fact, alerts=context.alerts, results=context.results, at=context.at)
    send_alert(fact, inbox=context.inbox, topics=context.topics, link=context.link)


def sweep(context: AlertContext) -> None:
    """See `sweep_alerts`."""
    sweep_alerts(
        alerts=context.alerts,
        runs=context.runs,
        results=context.results,
        after=context.escalate_after,
        at=context.at,
    )


__all__ = ["AlertContext", "Topics", "handle_fact", "sweep"]
