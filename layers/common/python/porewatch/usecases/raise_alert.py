"""A worker's totals met the rule: an alert and its fact, once.

It counts from any epoch: the reads were looked at, whoever owns the stage now. One that comes after
the run's end is settled at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.ending.rules import refuse_gone
from porewatch.domain.events import PathogenSuspected
from porewatch.domain.messages import Suspected
from porewatch.usecases.settle_alerts import settle_by_run, suspicion_id

if TYPE_CHECKING:
    from porewatch.adapters.alerts import AlertLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.runs import RunLedger

EVIDENCE = ("sample", "code", "name", "severity", "reads", "starts", "breadth", "identity", "rule")


def raise_alert(
    message: Suspected, *, alerts: AlertLedger, runs: RunLedger, results: Objects, at: datetime
) -> None:
    """Open the alert of the message, however often it is sent. RunGone for a deleted run."""
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
