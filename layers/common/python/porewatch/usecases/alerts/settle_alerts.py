"""Settle the alerts of a run that has ended: confirmed, withdrawn, or left unconfirmed.

It depends on the alerts in the ledger and on the final result alone, so it can run at any time and
is idempotent. It runs at the end of the run, when an alert arrives after that, and in the sweep.
(An alert is written before the state of its run is read, and the state of a run is written before
the fact of its end: one of the two always sees the other.)
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import final_of
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import RunCancelled, RunCompleted, RunFailed, RunRefused
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.rules.revisions import (
    held_in,
    last_number,
)
from porewatch.domain.runs import FINAL_STATES, RunState

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects

GONE = "there is no result of this revision, or it is no longer kept."
OVERTAKEN = "the run was sealed again before it had a report."


def settle_by_fact(fact: Fact, *, alerts: AlertLedger, results: Objects, at: datetime) -> None:
    """Settle by the fact of the end of a run; other facts settle nothing."""
    match fact:
        case RunCompleted():
            _completed(fact.run_id, fact.revision, alerts, results, at)
        case RunFailed() | RunRefused() | RunCancelled():
            _without_report(fact.run_id, fact.revision, fact.problem, alerts, at)


def settle_by_run(
    run_id: str, revision: int, *, runs: RunLedger, alerts: AlertLedger, results: Objects,
    at: datetime,
) -> None:  # fmt: skip
    """The same from the run's record, for alerts of `revision`; nothing while the run goes on."""
    run = runs.find(run_id)
    if run is None or not _over(run, revision):
        return
    meant = held_in(run, revision)
    if meant is not None and meant.state is not RunState.COMPLETED:
        _without_report(run_id, revision, meant.problem or "it failed.", alerts, at)
    else:
        _completed(run_id, revision, alerts, results, at)


def suspicion_id(run_id: str, revision: int, sample: str, code: str) -> str:
    """One fact per pathogen and sample of a revision."""
    return PathogenSuspected.id_of(run_id, revision, sample, code)


def _over(run: RunRecord, revision: int) -> bool:
    meant = held_in(run, revision)
    over = meant is not None and meant.state in FINAL_STATES
    return over or (meant is None and last_number(run) > revision)


def _completed(
    run_id: str, revision: int, alerts: AlertLedger, results: Objects, at: datetime
) -> None:
    try:
        found = results.get_json(s3_keys.results_key(run_id, revision), RunResults)
    except NotFound:
        return _without_report(run_id, revision, GONE, alerts, at)
    _raise_the_rest(found, alerts, at)
    for alert in alerts.of_run(run_id):
        if alert.revision <= revision:
            alerts.settle(alert, final_of(found, alert.sample, alert.code), revision, at)


def _raise_the_rest(found: RunResults, alerts: AlertLedger, at: datetime) -> None:
    """Raise the alarms of the final result that were not raised during the run."""
    there = {(a.revision, a.sample, a.code) for a in alerts.of_run(found.run_id)}
    for alarm in found.alarms:
        if (found.revision, alarm.sample, alarm.code) not in there:
            fact = PathogenSuspected(
                fact_id=suspicion_id(found.run_id, found.revision, alarm.sample, alarm.code),
                run_id=found.run_id,
                revision=found.revision,
                at=at,
                level=Level.FINAL,
                **alarm.model_dump(mode="json"),
            )
            alerts.raise_alert(fact)


def _without_report(
    run_id: str, revision: int, problem: str, alerts: AlertLedger, at: datetime
) -> None:
    for alert in alerts.of_run(run_id):
        if alert.revision == revision:
            alerts.leave_unconfirmed(alert, problem, at)
