"""An alert from the moment it is raised: settled by the final result, closed by a person. Pure.

Every rule takes the alert as it stands and answers it as it should stand with the facts that
report it, or None when nothing is to be done. Events that come twice, late or out of order change
nothing: one verdict a revision, and an older revision never overrules a newer one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.panel import Severity
from porewatch.domain.facts.alert_facts import (
    AlertAcknowledged,
    AlertEscalated,
    PathogenSuspected,
    SuspicionConfirmed,
    SuspicionUnconfirmed,
    SuspicionWithdrawn,
)
from porewatch.domain.facts.fact import Fact
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.domain.reasons.reason import Reasons
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.runs import RunId

MOST_WORDS = 2_000
"""Characters of a word or note that is read at all; what is too long is refused further on."""
LONGEST_NAME, LONGEST_NOTE = 320, 1000
"""Characters of who acknowledges an alert (names of accounts have no more), and of what was
decided."""
MOST_ESCALATIONS = 3
"""Number of escalations of an alert that is not acknowledged."""


class AlertVerdict(StrEnum):
    PENDING = "pending"  # the run goes on
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    UNCONFIRMED = "unconfirmed"  # the run ended without a report


class AlertState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"  # by the report; not acknowledged yet
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"


class Alert(Model):
    """One alert: what met the rule, what the final result says, who has seen it."""

    run_id: RunId
    project: ProjectId = DEFAULT_PROJECT
    revision: int
    sample: str
    code: str
    name: str
    severity: str
    level: Level
    reads: int
    starts: int | None = None
    breadth: float | None = None
    identity: float | None = None
    rule: str = ""
    raised_at: Moment
    verdict: AlertVerdict = AlertVerdict.PENDING
    call: str = ""
    final_rule: str = ""
    outcome: str = ""
    settled_by: int | None = None
    settled_at: Moment | None = None
    acknowledged_by: str = ""
    note: str = ""
    acknowledged_at: Moment | None = None
    escalations: int = 0
    escalated_at: Moment | None = None

    @property
    def state(self) -> AlertState:
        if self.verdict is AlertVerdict.WITHDRAWN:
            return AlertState.WITHDRAWN
        if self.acknowledged_at is not None:
            return AlertState.ACKNOWLEDGED
        return AlertState.CONFIRMED if self.verdict is AlertVerdict.CONFIRMED else AlertState.OPEN

    @property
    def waits(self) -> bool:
        """A person has to look at it."""
        return self.state in (AlertState.OPEN, AlertState.CONFIRMED)


class AlertView(Model):
    """An alert with the state that follows from it."""

    state: AlertState
    alert: Alert

    @classmethod
    def of(cls, alert: Alert) -> AlertView:
        return cls(state=alert.state, alert=alert)


class Acknowledge(Model):
    """Who looked at which alert, and what was decided. `revision`: None for the latest
    with such an alert."""

    run_id: RunId
    sample: Annotated[str, Field(max_length=MOST_WORDS)]
    code: Annotated[str, Field(max_length=MOST_WORDS)]
    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    note: Annotated[
        str, Field(max_length=MOST_WORDS, json_schema_extra={"maxLength": LONGEST_NOTE})
    ] = ""
    revision: int | None = None


Move = tuple[Alert, tuple[Fact, ...]] | None


class Final(Model):
    """What the final result says of one sample and code. `stands`: it is a detection or alarm."""

    stands: bool
    call: str
    rule: str
    outcome: str
    why: Reasons = ()


def final_of(results: RunResults, sample: str, code: str) -> Final | None:
    """None when the result says nothing of it: no such sample, or the code was not screened for."""
    outcome = next((o.outcome.value for o in results.outcomes if o.sample == sample), "")
    found = next((f for f in results.findings if (f.sample, f.code) == (sample, code)), None)
    alarm = next((a for a in results.alarms if (a.sample, a.code) == (sample, code)), None)
    if alarm is not None:
        return Final(
            stands=True,
            call=Call.DETECTED.value,
            rule=alarm.rule,
            outcome=outcome,
            why=alarm.why,
        )
    if found is None or found.call is Call.NOT_SCREENED:
        return None
    return Final(
        stands=found.call is Call.DETECTED,
        call=found.call.value,
        rule=found.rule,
        outcome=outcome,
        why=found.why,
    )


def raised(fact: PathogenSuspected) -> Alert:
    """The alert that a suspicion opens. A final one needs no further verdict."""
    fields = {n: getattr(fact, n) for n in Alert.model_fields if n in type(fact).model_fields}
    alert = Alert(**fields, raised_at=fact.at)
    if fact.level is Level.PROVISIONAL:
        return alert
    return _with(
        alert, verdict=AlertVerdict.CONFIRMED, call=Call.DETECTED.value, final_rule=fact.rule,
        settled_by=fact.revision, settled_at=fact.at,
    )  # fmt: skip


def settle(alert: Alert, final: Final | None, revision: int, at: datetime) -> Move:
    """The report of `revision` is there: does it hold the alert?"""
    if alert.verdict is AlertVerdict.WITHDRAWN or (alert.settled_by or 0) > revision:
        return None
    own = alert.revision == revision
    if final is None:
        return unconfirmed(alert, "the result says nothing of it.", at) if own else None
    if alert.verdict is AlertVerdict.CONFIRMED and (final.stands or alert.settled_by == revision):
        return None
    kind = SuspicionConfirmed if final.stands else SuspicionWithdrawn
    fact = kind(
        **_about(kind, alert, at, revision),
        by_revision=revision,
        alerted_reads=alert.reads,
        call=final.call,
        rule=final.rule,
        outcome=final.outcome,
        why=final.why,
    )
    verdict = AlertVerdict.CONFIRMED if final.stands else AlertVerdict.WITHDRAWN
    after = _with(
        alert, verdict=verdict, call=final.call, final_rule=final.rule, outcome=final.outcome,
        settled_by=revision, settled_at=at,
    )  # fmt: skip
    return after, (fact,)


def unconfirmed(alert: Alert, problem: str, at: datetime) -> Move:
    """Its run ended without a report: the suspicion stands as it is."""
    if alert.verdict is not AlertVerdict.PENDING:
        return None
    fact = SuspicionUnconfirmed(
        **_about(SuspicionUnconfirmed, alert, at), alerted_reads=alert.reads, problem=problem
    )
    return _with(alert, verdict=AlertVerdict.UNCONFIRMED, settled_at=at), (fact,)


def acknowledge(alert: Alert, name: str, note: str, at: datetime) -> Move:
    """A person has seen it. The first acknowledgement stands."""
    if alert.acknowledged_at is not None:
        return None
    fact = AlertAcknowledged(**_about(AlertAcknowledged, alert, at), by=name, note=note)
    return _with(alert, acknowledged_by=name, note=note, acknowledged_at=at), (fact,)


def escalate(alert: Alert, after: timedelta, at: datetime) -> Move:
    """A critical alert that is not acknowledged for so long is escalated."""
    due = (alert.escalated_at or alert.raised_at) + after
    critical = alert.severity == Severity.CRITICAL.value
    if not (alert.waits and critical and at >= due and alert.escalations < MOST_ESCALATIONS):
        return None
    number = alert.escalations + 1
    fact = AlertEscalated(
        **_about(AlertEscalated, alert, at, number),
        number=number,
        raised_at=alert.raised_at,
        verdict=alert.verdict.value,
        alerted_reads=alert.reads,
    )
    return _with(alert, escalations=number, escalated_at=at), (fact,)


def _about(kind: type[Fact], alert: Alert, at: datetime, *rest: object) -> dict[str, Any]:
    parts = (alert.run_id, alert.revision, alert.sample, alert.code, *rest)
    return {
        "fact_id": kind.id_of(*parts),
        "run_id": alert.run_id,
        "revision": alert.revision,
        "at": at,
        "sample": alert.sample,
        "code": alert.code,
        "name": alert.name,
        "severity": alert.severity,
    }


def _with(alert: Alert, **changes: Any) -> Alert:
    return alert.model_copy(update=changes)
