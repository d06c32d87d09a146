"""Tones and names of calls, outcomes and grades that all pages share."""

from __future__ import annotations

from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.runs import SampleRole
from porewatch_worker.report.parts.document import Tone
from porewatch_worker.report.parts.i18n import named

SEVERITY_TONE: dict[str, Tone] = {
    "critical": "bad",
    "high": "bad",
    "medium": "warn",
    "low": "plain",
}
CALL_TONE: dict[Call, Tone] = {
    Call.DETECTED: "bad",
    Call.INDETERMINATE: "warn",
    Call.ENDOGENOUS: "plain",
    Call.NOT_DETECTED: "good",
    Call.NOT_SCREENED: "plain",
}
OUTCOME_TONE: dict[Outcome, Tone] = {
    Outcome.REPORTABLE: "good",
    Outcome.REPORTABLE_WITH_REMARKS: "warn",
    Outcome.NOT_REPORTABLE: "bad",
}


def role_name(role: SampleRole) -> str:
    return named("role", role.value)
