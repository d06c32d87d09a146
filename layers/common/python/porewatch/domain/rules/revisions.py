"""Revisions of a run are records of their own; the run goes by one of them. Pure.

    under way           goes by the new revision; `standing` = the newest completed one
    came to nothing     goes by the completed one again; `attempt` = what was tried
    no completed one    goes by the newest
    receives files      waits for its seal; `attempt` = what was sent as one and is none

So whatever becomes of a later revision, what an earlier one has found stays visible. Facts cover
every revision: one that the record no longer holds is read from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSealed,
    RunStarted,
)
from porewatch.domain.records.run_record import RunRecord, Unended
from porewatch.domain.runs import RunState

LIFE_FACTS: tuple[type[Fact], ...] = (
    RunSealed,
    RunStarted,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunCancelled,
)
"""Facts of a revision's life, in order."""
_OF_THE_RUN: dict[str, Any] = {
    "standing": None,
    "attempt": None,
    "earlier_digests": (),
    "hold": None,
    "earlier_holds": (),
    "unended": (),
    "cancelled_at": None,
}


def last_number(record: RunRecord) -> int:
    """The highest number that any revision of the run ever had."""
    return max(record.revision, record.last_revision)


def newest(record: RunRecord) -> RunRecord:
    """The latest revision, in any state."""
    attempt = record.attempt
    return attempt if attempt is not None and attempt.revision > record.revision else record


def cancelled(record: RunRecord) -> RunRecord | None:
    """The cancelled revision, if the run's record holds it."""
    there = (record.attempt, record)
    return next((one for one in there if one and one.state is RunState.CANCELLED), None)


def unended(record: RunRecord, revision: int) -> Unended | None:
    """What there may be left of a revision that came to nothing; None when it has ended whole."""
    return next((one for one in record.unended if one.revision == revision), None)


def reported(record: RunRecord) -> RunRecord | None:
    """The newest completed revision; None when no revision has completed."""
    return record if record.state is RunState.COMPLETED else record.standing


def held_in(record: RunRecord, number: int) -> RunRecord | None:
    """A revision by its number, if the run's record holds it."""
    there = (record, record.standing, record.attempt)
    return next((one for one in there if one is not None and one.revision == number), None)


def alone(record: RunRecord) -> RunRecord:
    """What of the record is this revision's, not the whole run's."""
    return record.model_copy(update=_OF_THE_RUN)


def all_digests(record: RunRecord) -> tuple[str, ...]:
    """Of every manifest that was ever the run's: none of them may run again."""
    latest = (record.manifest_digest,) if record.manifest_digest else ()
    return (*record.earlier_digests, *latest)


def without_result(record: RunRecord, ended: RunRecord) -> RunRecord:
    """The run after its revision under way (`record`) came to nothing (`ended`)."""
    standing = record.standing
    if standing is None:
        return ended
    of_run = ("created_at", "hold", "earlier_holds", "cost_usd", "last_revision")
    kept = {name: getattr(record, name) for name in of_run}
    kept |= {"unended": ended.unended, "cancelled_at": ended.cancelled_at}
    digests = tuple(d for d in all_digests(record) if d != standing.manifest_digest)
    return standing.model_copy(
        update={
            **kept,
            "earlier_digests": digests,
            "attempt": alone(ended),
            "updated_at": ended.updated_at,
        }
    )


def from_facts(run: RunRecord, number: int, facts: Iterable[Fact]) -> RunRecord | None:
    """A revision as its facts describe it; None without facts of it."""
    own_facts = sorted((f for f in facts if f.revision == number), key=_in_life)
    if not own_facts:
        return None
    known: dict[str, Any] = {
        "run_id": run.run_id,
        "project": run.project,
        "name": run.name,
        "revision": number,
        "created_at": own_facts[0].at,
    }
    for fact in own_facts:
        known |= {"updated_at": fact.at, **_values(fact)}
    return RunRecord.model_validate(known)


def _in_life(fact: Fact) -> tuple[int, Any]:
    """Clocks differ; that a revision ends after it began does not."""
    kind = type(fact)
    return LIFE_FACTS.index(kind) if kind in LIFE_FACTS else 0, fact.at


def _values(fact: Fact) -> dict[str, Any]:
    match fact:
        case RunSealed():
            return {"state": RunState.SEALED, "manifest_digest": fact.manifest_digest}
        case RunStarted():
            names = ("manifest_digest", "execution_arn", "profile", "bundle")
            return {"state": RunState.RUNNING, **{n: getattr(fact, n) for n in names}}
        case RunCompleted():
            names = ("findings", "verdict", "cost_usd", "report_keys")
            values = {n: getattr(fact, n) for n in names}
            return {"state": RunState.COMPLETED, "completed_at": fact.at, **values}
        case RunFailed() | RunRefused() | RunCancelled():
            state = _STATES[type(fact)]
            return {"state": state, "completed_at": fact.at, "problem": fact.problem}
    return {}


_STATES: dict[type[Fact], RunState] = {
    RunFailed: RunState.FAILED,
    RunRefused: RunState.REFUSED,
    RunCancelled: RunState.CANCELLED,
}
