"""Every minute: escalate critical alerts without acknowledgement, settle alerts of ended runs."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.facts.alerts import AlertVerdict
from porewatch.usecases.alerts.settle_alerts import settle_by_run

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects

_log = logging.getLogger(__name__)


def sweep_alerts(
    *, alerts: AlertLedger, runs: RunLedger, results: Objects, after: timedelta, at: datetime
) -> None:
    """Escalate what is due, and settle alerts whose end-of-run event was lost. An alert that fails
    does not block the others; the next sweep retries it."""
    waiting = list(alerts.waiting())
    pending = {(a.run_id, a.revision) for a in waiting if a.verdict is AlertVerdict.PENDING}
    for run_id, revision in sorted(pending):
        try:
            settle_by_run(run_id, revision, runs=runs, alerts=alerts, results=results, at=at)
        except PorewatchError as error:
            _log.warning("could not settle the alerts of run %s: %s", run_id, error)
    for alert in waiting:
        try:
            alerts.escalate(alert, after, at)
        except PorewatchError as error:
            _log.warning("could not escalate an alert of run %s: %s", alert.run_id, error)
