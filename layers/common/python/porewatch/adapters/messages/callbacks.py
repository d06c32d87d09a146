"""Answers to a state machine that waits on a task token.

A token can be answered once. When it was answered before, timed out, or belongs to an execution
that is over, the answer is AlreadyDone, which callers usually treat as success.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import Known, translated
from porewatch.domain.errors import AlreadyDone

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

OVER: Known = {
    code: AlreadyDone
    for code in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken", "InvalidTokenException")
}
CAUSE_LIMIT = 2000


class Callbacks:
    """Success, failure and heartbeat, by token."""

    def __init__(self, client: SFNClient | None = None) -> None:
        self._client = client or clients.stepfunctions()

    def succeed(self, token: str, output: dict[str, str]) -> None:
        """The task is done with this output. AlreadyDone when the token is over."""
        with translated("answer the state machine", OVER):
            self._client.send_task_success(taskToken=token, output=json.dumps(output))

    def fail(self, token: str, error: str, problem: str) -> None:
        """The task failed. `error` is a class name; the cause has the shape of Lambda's causes."""
        cause = json.dumps({"errorType": error, "errorMessage": problem[:CAUSE_LIMIT]})
        with translated("answer the state machine", OVER):
            self._client.send_task_failure(taskToken=token, error=error, cause=cause)

    def beat(self, token: str) -> None:
        """The task is alive. AlreadyDone when nothing waits for it."""
        with translated("tell the state machine of a beat", OVER):
            self._client.send_task_heartbeat(taskToken=token)
