"""Step Functions' API: executions by name, and task tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from simulator.faults import refusal
from simulator.scheduler import Scheduler, Thread


@dataclass
class Waiting:
    """Somebody waits on a token. `answer` is (succeeded, output or (error, cause))."""

    thread: Thread
    beat_at: float
    execution: str
    closed: bool = False
    answer: tuple[bool, Any] | None = None


@dataclass
class Execution:
    """`status` as AWS calls it; `transitions` and `events` as AWS would count them."""

    name: str
    input: str
    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    output: Any = None
    transitions: int = 0
    events: int = 0
    ended_at: datetime | None = None


class StepFunctions:
    """`began` starts an execution, `stopped` ends one that is under way."""

    def __init__(
        self,
        scheduler: Scheduler,
        began: Callable[[Execution], None],
        stopped: Callable[[Execution], None] = lambda _: None,
    ) -> None:
        self._scheduler, self._began, self._stopped = scheduler, began, stopped
        self._numbers = count(1)
        self.executions: dict[str, Execution] = {}
        self.tokens: dict[str, Waiting] = {}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        there = self.executions.get(name)
        if there is not None and (there.status != "RUNNING" or there.input != input):
            raise refusal("ExecutionAlreadyExists", name)
        if there is None:
            self.executions[name] = Execution(name, input)
            self._began(self.executions[name])
        return {"executionArn": f"{stateMachineArn}:{name}"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        there = self.executions.get(executionArn.rsplit(":", 1)[1])
        if there is None:
            raise refusal("ExecutionDoesNotExist", executionArn)
        description = {"status": there.status, "error": there.error, "cause": there.cause}
        ended = {} if there.ended_at is None else {"stopDate": there.ended_at}
        return {**description, **ended}

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> dict[str, Any]:
        there = self.executions.get(executionArn.rsplit(":", 1)[1])
        if there is None:
            raise refusal("ExecutionDoesNotExist", executionArn)
        if there.status == "RUNNING":
            there.status, there.error, there.cause = "ABORTED", error, cause
            for waiting in self.tokens.values():
                waiting.closed |= waiting.execution == there.name
            self._stopped(there)
        return {}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:
        self._close(taskToken, (True, json.loads(output)))
        return {}

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> dict[str, Any]:
        self._close(taskToken, (False, (error, cause)))
        return {}

    def send_task_heartbeat(self, *, taskToken: str) -> dict[str, Any]:
        self._open(taskToken).beat_at = self._scheduler.now
        return {}

    def token(self, thread: Thread) -> str:
        """A new one, on which this thread of an execution will wait."""
        name = f"token-{next(self._numbers)}"
        self.tokens[name] = Waiting(thread, self._scheduler.now, thread.process.name)
        return name

    def _open(self, token: str) -> Waiting:
        waiting = self.tokens.get(token)
        if waiting is None:
            raise refusal("InvalidToken", token)
        if waiting.closed:
            raise refusal("TaskTimedOut", "Task Timed Out: Provided task does not exist anymore")
        return waiting

    def _close(self, token: str, answer: tuple[bool, Any]) -> None:
        waiting = self._open(token)
        waiting.closed, waiting.answer = True, answer
        self._scheduler.wake(waiting.thread)
