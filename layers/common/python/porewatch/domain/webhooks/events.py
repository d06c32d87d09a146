"""Events that webhooks are sent of, and the facts that they are made from."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, PlainSerializer

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import code_of
from porewatch.domain.facts.alert_facts import AlertAcknowledged, PathogenSuspected
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    ReportSigned,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunStarted,
)
from porewatch.domain.runs import RunId

OLDEST = timedelta(days=14)
"""An event that is older when it comes is not sent: it comes from a replay. A dead-letter message
is at most as old."""


class EventKind(StrEnum):
    """What a webhook can be sent of."""

    RUN_STARTED = "run.started"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_REFUSED = "run.refused"
    RUN_CANCELLED = "run.cancelled"
    ALERT_RAISED = "alert.raised"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    REPORT_SIGNED = "report.signed"
    TEST = "test"


CHOICES = tuple(kind for kind in EventKind if kind is not EventKind.TEST)
"""What a user chooses from."""
KindSet = Annotated[frozenset[EventKind], PlainSerializer(sorted, when_used="json")]
KIND_OF: dict[type[Fact], EventKind] = {
    RunStarted: EventKind.RUN_STARTED,
    RunCompleted: EventKind.RUN_COMPLETED,
    RunFailed: EventKind.RUN_FAILED,
    RunRefused: EventKind.RUN_REFUSED,
    RunCancelled: EventKind.RUN_CANCELLED,
    PathogenSuspected: EventKind.ALERT_RAISED,
    AlertAcknowledged: EventKind.ALERT_ACKNOWLEDGED,
    ReportSigned: EventKind.REPORT_SIGNED,
}
"""Fact on the bus -> event. The template's rule lets these facts through; a test compares."""


class Event(Model):
    """What happened, without any result but the outcome's code: who steals a secret or an address
    learns no finding, sample or animal. The run's name and project are read when it is sent."""

    kind: EventKind
    at: Moment
    run_id: RunId | None = None
    revision: int = 0
    outcome: Annotated[
        str,
        Field(
            description="completed: of the report; failed: code of the error; signed: what the "
            "signature means; else empty"
        ),
    ] = ""


def event_of(fact: Fact) -> Event | None:
    """None for a fact that webhooks are not sent of."""
    kind = KIND_OF.get(type(fact))
    if kind is None:
        return None
    return Event(
        kind=kind, at=fact.at, run_id=fact.run_id, revision=fact.revision, outcome=_outcome(fact)
    )


def _outcome(fact: Fact) -> str:
    if isinstance(fact, RunCompleted) and fact.verdict is not None:
        return fact.verdict.outcome.value
    if isinstance(fact, ReportSigned):
        return fact.meaning
    return code_of(fact.error) if isinstance(fact, RunFailed) else ""
