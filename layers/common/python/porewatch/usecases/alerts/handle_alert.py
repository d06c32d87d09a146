"""What alert_handler does at its two doors: a fact was told, and a minute has passed."""

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
    """What is at hand. `link` opens a report for a while; `escalate_after`: an alert may wait so
    long for somebody."""

    alerts: AlertLedger
    runs: RunLedger
    results: Objects
    inbox: Inbox
    topics: Topics
    link: Link
    escalate_after: timedelta
    at: datetime


def handle_fact(fact: Fact, context: AlertContext) -> None:
    """Settle what the fact ends, then tell people. AlreadyDone when they were told before."""
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
