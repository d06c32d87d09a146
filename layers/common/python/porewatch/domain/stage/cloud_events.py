"""Events of AWS: about an instance (EC2), and about an ended execution (Step Functions)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from porewatch.domain.base import Model
from porewatch.domain.runs import RunId


class InstanceEventKind(StrEnum):
    SWEEP = "sweep"  # the schedule: check every stage
    RECLAIM = "reclaim"  # spot interruption notice: two minutes are left
    REBALANCE = "rebalance"  # rebalance recommendation; the worker reads it from instance metadata
    STATE = "state"


class InstanceEvent(Model):
    """`state`: the instance's new state in EC2's terms, when `kind` is STATE."""

    kind: InstanceEventKind
    instance_id: str = ""
    state: str = ""


Ending = Literal["FAILED", "TIMED_OUT", "ABORTED"]
PROBLEMS: dict[Ending, str] = {
    "FAILED": "its execution failed, and could not say why.",
    "TIMED_OUT": "its execution outlived its longest time.",
    "ABORTED": "its execution was stopped from outside.",
}


class ExecutionEnded(Model):
    """`error` and `cause` as the state machine ended with them; empty when it was ended.
    `execution_arn`: which one; a run goes on in another one when its service was restarted."""

    run_id: RunId
    revision: int
    status: Ending
    error: str = ""
    cause: str = ""
    execution_arn: str = ""

    @property
    def problem(self) -> str:
        """One sentence for a person."""
        return self.cause.strip() or PROBLEMS[self.status]
