"""What mail to people is sent about, and the facts that it follows from."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import ReportSigned, RunCompleted, RunFailed, RunRefused
from porewatch.domain.people.roles import UserId
from porewatch.domain.runs import RunId
from porewatch.domain.signatures.signature import Meaning

OLDEST = timedelta(days=14)
"""A fact that is older when it comes gives no mail: it comes from a replay. A dead-letter message
is at most as old."""


class MailKind(StrEnum):
    """What a mail is about; the key of its texts."""

    RUN_COMPLETED = "run_completed"
    RUN_NOT_REPORTABLE = "run_not_reportable"
    RUN_FAILED = "run_failed"
    RUN_REFUSED = "run_refused"
    SUSPICION = "suspicion"
    REPORT_REVIEWED = "report_reviewed"
    REPORT_RELEASED = "report_released"
    REPORT_AMENDED = "report_amended"
    EXPIRING = "expiring"
    THAWED = "thawed"
    TIER_RAISED = "tier_raised"
    TIER_LOWERED = "tier_lowered"
    INVITATION = "invitation"
    CONFIRMATION = "confirmation"


MAILED: tuple[type[Fact], ...] = (
    RunCompleted,
    RunFailed,
    RunRefused,
    PathogenSuspected,
    ReportSigned,
)
"""Facts with a mail. The template's rule lets these through; a test compares."""


SIGNED = {
    Meaning.REVIEWED.value: MailKind.REPORT_REVIEWED,
    Meaning.RELEASED.value: MailKind.REPORT_RELEASED,
    Meaning.AMENDED.value: MailKind.REPORT_AMENDED,
}


class Occasion(Model):
    """One thing that people get one mail about, each. No finding, sample or pathogen is in it: mail
    is read on the way, forwarded and kept by others."""

    kind: MailKind
    run_id: RunId
    revision: int
    at: Moment
    outcome: Annotated[Outcome | None, Field(description="of a completed run")] = None
    number: Annotated[int | None, Field(description="of a signature")] = None
    by: Annotated[UserId | None, Field(description="who signed: he knows it already")] = None

    @property
    def key(self) -> str:
        """The same for each fact that it follows from: a run with ten suspicions gives one mail,
        each signature one of its own."""
        signature = "" if self.number is None else f":{self.number}"
        return f"{self.kind.value}:{self.run_id}:{self.revision}{signature}"


def occasion_of(fact: Fact) -> Occasion | None:
    """None for a fact without a mail."""
    kind, outcome = _kind(fact), None
    if kind is None:
        return None
    if isinstance(fact, RunCompleted) and fact.verdict is not None:
        outcome = fact.verdict.outcome
    signed = fact if isinstance(fact, ReportSigned) else None
    return Occasion(
        kind=kind,
        run_id=fact.run_id,
        revision=fact.revision,
        at=fact.at,
        outcome=outcome,
        number=signed.number if signed else None,
        by=signed.by if signed else None,
    )


def _kind(fact: Fact) -> MailKind | None:
    match fact:
        case RunCompleted():
            verdict = fact.verdict
            withheld = verdict is not None and verdict.outcome is Outcome.NOT_REPORTABLE
            return MailKind.RUN_NOT_REPORTABLE if withheld else MailKind.RUN_COMPLETED
        case RunFailed():
            return MailKind.RUN_FAILED
        case RunRefused():
            return MailKind.RUN_REFUSED
        case PathogenSuspected():
            return MailKind.SUSPICION
        case ReportSigned():
            return SIGNED.get(fact.meaning)
    return None
