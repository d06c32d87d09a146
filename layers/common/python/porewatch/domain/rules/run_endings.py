"""How a run ends: completed, failed, refused or cancelled, and what may change after. Pure, like
`run_lifecycle`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.errors import RunOver, code_of
from porewatch.domain.facts.run_facts import (
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
)
from porewatch.domain.reasons.reason import PeopleCode, Reasons, because
from porewatch.domain.records.refusal import Refusal
from porewatch.domain.records.run_record import RunRecord, Unended
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.revisions import (
    cancelled,
    without_result,
)
from porewatch.domain.rules.run_states import (
    RETRYABLE_STATES,
    Move,
    ended,
    moved,
    refuse_unless_running,
)
from porewatch.domain.rules.stalled_runs import UNSEALED, never_sealed
from porewatch.domain.runs import RunState


def complete(
    record: RunRecord,
    revision: int,
    *,
    report_keys: dict[str, str],
    findings: int,
    cost_usd: float,
    at: datetime,
    verdict: Verdict | None = None,
    projection_key: str = "",
    bases: int | None = None,
    total_usd: float = 0.0,
) -> Move:
    """RUNNING -> COMPLETED. StaleEpoch when the run has moved on to something else.

    `cost_usd` is the revision's own; the record keeps what the run cost in all its revisions,
    `total_usd`.
    """
    if record.revision == revision and record.state is RunState.COMPLETED:
        return None
    refuse_unless_running(record, revision)
    after = moved(
        record,
        at,
        state=RunState.COMPLETED,
        report_keys=report_keys,
        findings=findings,
        verdict=verdict,
        bases=bases,
        cost_usd=max(record.cost_usd, cost_usd, total_usd),
        completed_at=at,
        standing=None,
    )
    fact = RunCompleted(
        fact_id=RunCompleted.id_of(record.run_id, revision),
        run_id=record.run_id,
        revision=revision,
        at=at,
        findings=findings,
        verdict=verdict,
        cost_usd=cost_usd,
        report_keys=report_keys,
        projection_key=projection_key,
    )
    return after, (fact,)


def fail(
    record: RunRecord,
    revision: int,
    *,
    stage: str | None,
    error: str,
    problem: str,
    why: Reasons = (),
    refused: bool,
    at: datetime,
) -> Move:
    """RUNNING -> FAILED, or REFUSED when the input is to blame."""
    if _came_to_nothing(record, revision):
        return None
    refuse_unless_running(record, revision)
    state = RunState.REFUSED if refused else RunState.FAILED
    kind = RunRefused if refused else RunFailed
    common: dict[str, Any] = {
        "fact_id": kind.id_of(record.run_id, revision, "ended"),
        "run_id": record.run_id,
        "revision": revision,
        "at": at,
        "problem": problem,
        "why": why,
    }
    codes = (Refusal(code=code_of(error)),) if refused else ()
    owner = {name: getattr(record, name) for name in ("project", "name", "submitted_by")}
    more = {"refusals": codes, **owner} if refused else {"stage": stage, "error": error}
    after = moved(_nothing(record, state, problem, at), at, refusals=codes)
    return without_result(record, after), (kind(**common, **more),)


def _came_to_nothing(record: RunRecord, revision: int) -> bool:
    there = (record, record.attempt, *record.unended)
    return any(
        r is not None and r.revision == revision and r.state in RETRYABLE_STATES for r in there
    )


def _nothing(record: RunRecord, state: RunState, problem: str, at: datetime) -> RunRecord:
    """The revision came to nothing; what its execution began is still to be ended and paid."""
    left = record.unended
    if record.execution_arn is not None:
        left += (
            Unended(
                revision=record.revision,
                state=state,
                execution_arn=record.execution_arn,
                problem=problem,
                at=at,
            ),
        )
    return moved(record, at, state=state, problem=problem, completed_at=at, unended=left)


def cancel(record: RunRecord, order: Cancel, at: datetime) -> Move:
    """From any state that is not final. RunOver when it has ended otherwise."""
    if cancelled(record) is not None:
        return None
    if ended(record):
        raise RunOver(
            f"run {record.run_id} is {record.state.value} (revision {record.revision}): there is "
            "nothing to cancel.",
            remedy="`porewatch report` shows a run that is completed, `porewatch logs` any run.",
        )
    after = _nothing(record, RunState.CANCELLED, order.sentence, at)
    after = moved(after, at, cancelled_at=at)
    fact = RunCancelled(
        fact_id=RunCancelled.id_of(record.run_id, record.revision),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        was=record.state,
        by=order.by,
        reason=order.reason,
        problem=order.sentence,
        why=(order.why,),
    )
    return without_result(record, after), (fact,)


def expire(record: RunRecord, at: datetime) -> Move:
    """A registered run that was never sealed is refused: it may be sealed after all."""
    if not never_sealed(record, at):
        return None
    why = because(PeopleCode.NEVER_SEALED, days=UNSEALED.days)
    refusals = (Refusal(code=why.code.value, values=dict(why.values or {})),)
    after = _nothing(record, RunState.REFUSED, why.text(), at)
    fact = RunRefused(
        fact_id=RunRefused.id_of(record.run_id, record.revision, "expired"),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        problem=why.text(),
        why=(why,),
        refusals=refusals,
        project=record.project,
        name=record.name,
        submitted_by=record.submitted_by,
    )
    return moved(after, at, refusals=refusals), (fact,)


def cost(record: RunRecord, usd: float, at: datetime) -> Move:
    """What the run has cost so far. Seconds settle late, so it may move after the end.

    A bill only grows: of two sums that were made at once, the smaller one is the older one.
    """
    if usd <= record.cost_usd:
        return None
    return moved(record, at, cost_usd=usd), ()


def close(record: RunRecord, revision: int, usd: float, at: datetime) -> Move:
    """Nothing goes on any more of a revision that came to nothing; the bill is `usd` (`cost`)."""
    left = tuple(one for one in record.unended if one.revision != revision)
    if left == record.unended:
        return cost(record, usd, at)
    return moved(record, at, cost_usd=max(record.cost_usd, usd), unended=left), ()


MOST_LATE = 200
"""Late files that are named; a run that gets more is being sent again."""


def late(record: RunRecord, path: str, at: datetime) -> Move:
    """A file came after the seal. It is no part of what runs or ran; sealing again takes it in."""
    if record.state is RunState.RECEIVING or path in record.late or len(record.late) >= MOST_LATE:
        return None
    return moved(record, at, late=(*record.late, path)), ()
