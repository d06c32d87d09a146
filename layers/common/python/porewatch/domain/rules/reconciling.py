"""A run that is running, against what Step Functions knows of its execution. Pure.

    runs                                     nothing is to be done
    never began, or is not known (any more)  start it: by its name, which can begin once
    ended, and the service that ran it was   start another one, which goes on from what the
    restarted under it                       ledger and the bucket hold
    ended otherwise                          the run is over as well: close it

What a revision that came to nothing left behind is ended (`end_run`), whatever came after it.

Step Functions delivers the event of an end at best effort; it has `EVENT_GRACE` to arrive first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from porewatch.domain.base import Model, Moment
from porewatch.domain.records.run_record import RunRecord, Unended
from porewatch.domain.runs import RunState
from porewatch.domain.stage.cloud_events import ExecutionEnded

EVENT_GRACE = timedelta(minutes=2)
"""Grace period for the event of an end, or for whoever moves the run and starts it."""
RESTARTED = frozenset({"States.ServiceRestart"})
"""Errors of an execution that ended because what ran it was restarted: the embedded AWS does this
to what was under way at `make down`."""
MOST_RESTARTS = 9
"""Executions of one revision after its first; the name has room for one digit."""


class SeenExecution(Model):
    """An execution as Step Functions describes it. `status` as it is called there."""

    status: str
    error: str = ""
    cause: str = ""
    ended_at: Moment | None = None


class Step(StrEnum):
    NOTHING = "nothing"
    START = "start"
    START_ANOTHER = "start another"
    CLOSE = "close"


def is_open(record: RunRecord) -> bool:
    """Whether anything may still be done for it. One that never had an execution has nothing."""
    runs = record.state is RunState.RUNNING and record.execution_arn is not None
    return runs or bool(record.unended)


def overdue(record: RunRecord, at: datetime) -> tuple[Unended, ...]:
    """What should be completely ended by now: the process that began it has `EVENT_GRACE` for
    it."""
    return tuple(left for left in record.unended if at - left.at >= EVENT_GRACE)


def step(record: RunRecord, seen: SeenExecution | None, at: datetime) -> Step:
    """What brings the run on. `seen`: None when there is no such execution."""
    if record.state is not RunState.RUNNING or record.execution_arn is None:
        return Step.NOTHING
    if seen is None:
        return Step.START if at - record.updated_at >= EVENT_GRACE else Step.NOTHING
    if seen.status in ("RUNNING", "PENDING_REDRIVE"):
        return Step.NOTHING
    if seen.ended_at is not None and at - seen.ended_at < EVENT_GRACE:
        return Step.NOTHING
    if seen.error in RESTARTED and record.restarts < MOST_RESTARTS:
        return Step.START_ANOTHER
    return Step.CLOSE


def ending(record: RunRecord, seen: SeenExecution) -> ExecutionEnded:
    """The event of this end, as Step Functions would have sent it."""
    failed = seen.status not in ("TIMED_OUT", "ABORTED")
    return ExecutionEnded.model_validate(
        {
            "run_id": record.run_id,
            "revision": record.revision,
            "status": "FAILED" if failed else seen.status,
            "error": seen.error,
            "cause": seen.cause,
            "execution_arn": record.execution_arn or "",
        }
    )
