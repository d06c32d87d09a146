"""Notices about alerts: raised, confirmed, withdrawn, left unconfirmed, escalated."""

from __future__ import annotations

from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.facts.alert_facts import (
    AlertEscalated,
    PathogenSuspected,
    SuspicionConfirmed,
    SuspicionUnconfirmed,
    SuspicionWithdrawn,
)
from porewatch.domain.facts.fact import Fact
from porewatch.domain.inputs.sample_keys import in_subject
from porewatch.domain.notices.notice import (
    Notice,
    notice_about,
)

CALLS = {
    "detected": "detected",
    "indeterminate": "indeterminate",
    "not_detected": "not detected",
    "not_screened": "not screened",
    "endogenous": "endogenous, as expected",
}


def notice_of_alert(fact: Fact) -> tuple[str, Notice] | None:
    """(idempotency key, notice), or None for facts without a mail."""
    match fact:
        case PathogenSuspected():
            return f"{fact.run_id}:{fact.revision}:{fact.sample}:{fact.code}", _suspected(fact)
        case SuspicionConfirmed():
            return fact.fact_id, _confirmed(fact)
        case SuspicionWithdrawn():
            return fact.fact_id, _withdrawn(fact)
        case SuspicionUnconfirmed():
            return fact.fact_id, _unconfirmed(fact)
        case AlertEscalated():
            return fact.fact_id, _escalated(fact)
    return None


def goes_to_alerts(fact: Fact) -> bool:
    """Whether the notice of a fact belongs on the alert topic."""
    return isinstance(
        fact, PathogenSuspected | SuspicionConfirmed | SuspicionWithdrawn | SuspicionUnconfirmed
    )


def _suspected(fact: PathogenSuspected) -> Notice:
    what = f"{fact.name} ({fact.code}, severity {fact.severity})"
    if fact.level is Level.FINAL:
        status, so_far = "DETECTED", "This is the call of the report."
        head = f"{what} is detected in sample {fact.sample} of run {fact.run_id}."
    else:
        status = "SUSPECTED"
        head = f"{what} is suspected in sample {fact.sample} of run {fact.run_id}."
        so_far = (
            "The rule of a detection is met by the reads looked at so far, while the run goes on. "
            "The report confirms or withdraws it, and you get a message either way."
        )
    body = (
        f"{head}\n\nReads so far: {fact.reads}{_evidence(fact)}.\n{_rule(fact.rule)}{so_far}\n\n"
        f"What to do: hold the sample. {_how_to_close(fact)}\n"
    )
    return notice_about(
        fact,
        _subject(status, fact),
        body,
        fact.severity,
    )


AboutSample = (
    PathogenSuspected
    | SuspicionConfirmed
    | SuspicionWithdrawn
    | SuspicionUnconfirmed
    | AlertEscalated
)


def _subject(status: str, fact: AboutSample) -> str:
    return f"{status} {fact.code} in {in_subject(fact.sample)}, run {fact.run_id}"


def _evidence(fact: PathogenSuspected) -> str:
    parts = []
    if fact.starts is not None:
        parts.append(f"distinct starts: {fact.starts}")
    if fact.breadth is not None:
        parts.append(f"breadth: {fact.breadth:.1%}")
    if fact.identity is not None:
        parts.append(f"identity: {fact.identity:.1%}")
    return "".join(f", {part}" for part in parts)


def _rule(rule: str) -> str:
    return f"Rule met: {rule}.\n" if rule else ""


def _how_to_close(fact: PathogenSuspected | AlertEscalated) -> str:
    return (
        f"Acknowledge with: porewatch ack {fact.run_id} {_quoted(fact.sample)} {fact.code} "
        '--name NAME --note "what was decided".'
    )


def _quoted(sample: str) -> str:
    return f'"{sample}"' if " " in sample else sample


def _confirmed(fact: SuspicionConfirmed) -> Notice:
    caution = (
        "The results of this sample are NOT REPORTABLE (the report says why); the finding stands "
        "as an alarm all the same.\n"
        if fact.outcome in ("not_reportable", "invalid")
        else ""
    )
    body = (
        f"The report confirms {fact.name} ({fact.code}) in sample {fact.sample} of run "
        f"{fact.run_id}.\n\nFinal call: {_call(fact.call)}. {_rule(fact.rule)}{caution}\n"
        f"What to do: follow the actions in the report (porewatch report {fact.run_id}).\n"
    )
    return notice_about(
        fact,
        _subject("CONFIRMED", fact),
        body,
        fact.severity,
    )


def _withdrawn(fact: SuspicionWithdrawn) -> Notice:
    later = (
        f" (revision {fact.by_revision}; the alert was of revision {fact.revision})"
        if fact.by_revision != fact.revision
        else ""
    )
    body = (
        f"The suspicion of {fact.name} ({fact.code}) in sample {fact.sample} of run {fact.run_id} "
        f"is withdrawn: the report{later} does not hold it.\n\n"
        f"What changed: the alert rested on {fact.alerted_reads} reads; the final call is "
        f"{_call(fact.call)}.\nRule: {fact.rule or 'none'}.\n\n"
        "What to do: the alert is closed. Go by the report for what holds the sample otherwise.\n"
    )
    return notice_about(
        fact,
        _subject("WITHDRAWN", fact),
        body,
        fact.severity,
    )


def _unconfirmed(fact: SuspicionUnconfirmed) -> Notice:
    body = (
        f"Run {fact.run_id} ended without a report; the suspicion of {fact.name} ({fact.code}) in "
        f"sample {fact.sample} stands unconfirmed ({fact.alerted_reads} reads).\n\n"
        f"Why there is no report: {fact.problem}\n\n"
        "What to do: keep holding the sample, and send the run again or test it otherwise.\n"
    )
    return notice_about(
        fact,
        _subject("UNCONFIRMED", fact),
        body,
        fact.severity,
    )


def _escalated(fact: AlertEscalated) -> Notice:
    waited = (fact.at - fact.raised_at).total_seconds() / 60
    body = (
        f"Nobody has acknowledged the alert on {fact.name} ({fact.code}) in sample {fact.sample} "
        f"of run {fact.run_id} for {waited:.0f} minutes (message {fact.number}).\n\n"
        f"Its state: {fact.verdict}; it rests on {fact.alerted_reads} reads.\n\n"
        f"What to do: hold the sample. {_how_to_close(fact)}\n"
    )
    return notice_about(
        fact,
        _subject("NOT ACKNOWLEDGED:", fact),
        body,
        fact.severity,
    )


def _call(call: str) -> str:
    return CALLS.get(call, call)
