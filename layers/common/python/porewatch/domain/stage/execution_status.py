"""What Step Functions says of an execution that is over and did not succeed."""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Model
from porewatch.domain.runs import RunId

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
