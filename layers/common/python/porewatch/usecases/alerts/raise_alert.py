"""A worker reports that its totals met the alarm rule: one alert and one fact.

It counts from any epoch: the reads were screened, whoever owns the stage now. An alert that arrives
after the end of the run is settled at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.stage.worker_messages import Suspected
from porewatch.usecases.alerts.settle_alerts import (
    settle_by_run,
    suspicion_id,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects

EVIDENCE = ("sample", "code", "name", "severity", "reads", "starts", "breadth", "identity", "rule",
            "why")  # fmt: skip


def raise_alert(
    message: Suspected, *, alerts: AlertLedger, runs: RunLedger, results: Objects, at: datetime
) -> None:
    """Open the alert of the message. Idempotent. RunGone for a deleted run."""
    run_id, revision = message.run_id, message.revision
    refuse_gone(runs.find(run_id))
    fact = PathogenSuspected(
        fact_id=suspicion_id(run_id, revision, message.sample, message.code),
        run_id=run_id,
        revision=revision,
        at=message.at,
        **{name: getattr(message, name) for name in EVIDENCE},
    )
    alerts.raise_alert(fact)
    settle_by_run(run_id, revision, runs=runs, alerts=alerts, results=results, at=at)
