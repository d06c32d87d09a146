"""Notices about legal holds and deletions."""

from __future__ import annotations

from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import HoldReleased, RunDeleted, RunHeld
from porewatch.domain.notices.notice import (
    Notice,
    notice_about,
)
from porewatch.domain.retention.stays import STAYS


def notice_of_ending(fact: Fact) -> tuple[str, Notice] | None:
    """As `domain.notices.run_notices.notice_of`; None for facts about something else."""
    match fact:
        case RunHeld():
            return fact.fact_id, _held(fact)
        case HoldReleased():
            return fact.fact_id, _released(fact)
        case RunDeleted():
            return fact.fact_id, _deleted(fact)
    return None


def _held(fact: RunHeld) -> Notice:
    body = (
        f"Run {fact.run_id} is under legal hold: nothing of it is deleted, by a person or by its "
        f"age.\n\nBy: {fact.by}\nReason: {fact.reason}\n\n"
        f"To end it: porewatch hold {fact.run_id} --release --reason ...\n"
    )
    return notice_about(fact, f"Run {fact.run_id} is under legal hold", body)


def _released(fact: HoldReleased) -> Notice:
    body = (
        f"The legal hold of run {fact.run_id} has ended. What is older than it is usually kept "
        f"goes within days.\n\nBy: {fact.by}\nReason: {fact.reason}\n"
        f"It was held since {fact.held_since:%Y-%m-%d} (by {fact.held_by}).\n"
    )
    return notice_about(fact, f"Run {fact.run_id} is no longer under legal hold", body)


def _deleted(fact: RunDeleted) -> Notice:
    counts, stays = fact.counts, "\n".join(f"- {what}" for what in STAYS)
    body = (
        f"Run {fact.run_id} was deleted, in all its revisions; it was {fact.was.value}.\n\n"
        f"By: {fact.by}\nReason: {fact.reason or 'not given'}\n\n"
        f"Gone: {counts.versions} versions of objects ({counts.bytes} bytes), {counts.items} items "
        f"of the ledger, {counts.rows} rows of the registry.\n\nWhat stays:\n{stays}\n"
    )
    return notice_about(fact, f"Run {fact.run_id} deleted", body)
