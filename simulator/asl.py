"""Interprets the state machine as it is deployed: the file itself, JSONata and all.

What is not in that file (Map, Parallel, JSONPath) is not here. Sources: the Amazon States Language
specification and the Step Functions developer guide on JSONata, Retry, Catch and task tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

from simulator.scheduler import Scheduler, Thread, getcurrent
from simulator.stepfunctions import Execution, StepFunctions

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "statemachine" / "screen_run.asl.json"
FUNCTION = re.compile(r"^\$\{(\w+)\}$")
TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")
Value = Any


class Failed(Exception):
    """A state failed with this error name and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


@dataclass(frozen=True)
class Reply:
    """How a Lambda invocation ended: an answer, or an error with its cause."""

    answer: Value = None
    error: str = ""
    cause: str = ""


@cache
def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text())
    return loaded


@cache
def compiled(text: str) -> Jsonata:
    return Jsonata(text)


def with_nulls(value: Value) -> Value:
    """JSON's null as JSONata wants it (None is "undefined" there)."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {k: with_nulls(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [with_nulls(v) for v in value]
    return value


def plain(value: Value) -> Value:
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def evaluated(template: Value, bindings: dict[str, Value]) -> Value:
    """A template with its `{% ... %}` filled in. States.QueryEvaluationError for "undefined"."""
    if isinstance(template, dict):
        return {k: evaluated(v, bindings) for k, v in template.items()}
    if isinstance(template, list):
        return [evaluated(v, bindings) for v in template]
    if not (isinstance(template, str) and template.startswith("{%")):
        return template
    text = template.removeprefix("{%").removesuffix("%}").strip()
    expression = compiled(text)
    expression.set_output_convert_nulls(False)
    try:
        found = expression.evaluate(None, bindings)
    except Exception as error:
        raise Failed("States.QueryEvaluationError", f"{text}: {error}") from error
    if found is None:
        raise Failed("States.QueryEvaluationError", f"{text} is undefined")
    return plain(found)


Invoke = Callable[[str, dict[str, Any], Callable[[Reply], None]], None]


class Machine:
    """Runs executions. `invoke` calls a function by its logical name and answers later."""

    def __init__(
        self,
        scheduler: Scheduler,
        api: StepFunctions,
        invoke: Invoke,
        log: Callable[[str], None],
        away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._scheduler, self._api, self._invoke, self._log = scheduler, api, invoke, log
        self._away = away
        self.states: dict[str, Any] = definition()["States"]

    def run(self, execution: Execution) -> None:
        """To its end; the thread that calls is the execution's own."""
        execution.events += 2
        try:
            execution.output = self._walk(execution)
            execution.status = "SUCCEEDED"
        except Failed as failed:
            execution.status = "FAILED"
            execution.error, execution.cause = failed.error, failed.cause

    def _walk(self, execution: Execution) -> Value:
        name, given, variables = definition()["StartAt"], json.loads(execution.input), {}
        while True:
            while self._away():
                self._scheduler.sleep(10.0)
            state = self.states[name]
            execution.transitions += 1
            execution.events += 2
            self._log(f"{execution.name} -> {name}")
            following, given = getattr(self, f"_{state['Type'].lower()}")(
                execution, state, given, variables
            )
            if following is None:
                return given
            name = following

    def _bind(self, given: Value, variables: dict[str, Value], **states: Value) -> dict[str, Value]:
        return with_nulls({**variables, "states": {"input": given, **states}})

    def _leave(
        self,
        clause: dict[str, Any],
        bindings: dict[str, Value],
        variables: dict[str, Value],
        otherwise: Value,
    ) -> Value:
        """Assign and Output of a state, a choice or a catcher: both see the old variables."""
        assigned = evaluated(clause.get("Assign", {}), bindings)
        output = evaluated(clause["Output"], bindings) if "Output" in clause else otherwise
        variables.update(assigned)
        return output

    def _pass(self, _: Execution, state: Value, given: Value, variables: Value) -> Value:
        output = self._leave(state, self._bind(given, variables), variables, given)
        return state.get("Next"), output

    def _wait(self, _: Execution, state: Value, given: Value, variables: Value) -> Value:
        seconds = evaluated(state["Seconds"], self._bind(given, variables))
        self._scheduler.sleep(float(seconds))
        return state.get("Next"), given

    def _choice(self, _: Execution, state: Value, given: Value, variables: Value) -> Value:
        bindings = self._bind(given, variables)
        for rule in state["Choices"]:
            if evaluated(rule["Condition"], bindings) is True:
                return rule["Next"], self._leave(rule, bindings, variables, given)
        return state["Default"], given

    def _fail(self, _: Execution, state: Value, given: Value, variables: Value) -> Value:
        bindings = self._bind(given, variables)
        raise Failed(*(evaluated(state.get(k, ""), bindings) for k in ("Error", "Cause")))

    def _succeed(self, _: Execution, state: Value, given: Value, variables: Value) -> Value:
        return None, given

    def _task(self, execution: Execution, state: Value, given: Value, variables: Value) -> Value:
        tries = [0] * len(state.get("Retry", []))
        while True:
            try:
                result = self._once(execution, state, given, variables)
                bindings = self._bind(given, variables, result=result)
                output = self._leave(state, bindings, variables, result)
                return (None if state.get("End") else state["Next"]), output
            except Failed as failed:
                self._log(f"{execution.name} !! {failed.error}: {failed.cause[:120]}")
                if self._retried(state, failed, tries):
                    execution.transitions += 1
                    continue
                return self._caught(state, failed, given, variables)

    def _retried(self, state: Value, failed: Failed, tries: list[int]) -> bool:
        for number, rule in enumerate(state.get("Retry", [])):
            if not _named(failed.error, rule["ErrorEquals"]):
                continue
            if tries[number] >= rule.get("MaxAttempts", 3):
                return False
            pause = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2) ** tries[number]
            pause = min(pause, rule.get("MaxDelaySeconds", pause))
            if rule.get("JitterStrategy") == "FULL":
                pause *= self._scheduler.rng.random()
            tries[number] += 1
            self._scheduler.sleep(pause)
            return True
        return False

    def _caught(self, state: Value, failed: Failed, given: Value, variables: Value) -> Value:
        for rule in state.get("Catch", []):
            if _named(failed.error, rule["ErrorEquals"]):
                error = {"Error": failed.error, "Cause": failed.cause}
                bindings = self._bind(given, variables, errorOutput=error)
                return rule["Next"], self._leave(rule, bindings, variables, error)
        raise failed

    def _once(self, execution: Execution, state: Value, given: Value, variables: Value) -> Value:
        me = getcurrent()
        assert isinstance(me, Thread)
        execution.events += 3
        waits = state["Resource"].endswith(".waitForTaskToken")
        token = self._api.token(me) if waits else ""
        context = {"Task": {"Token": token}, "Execution": {"Name": execution.name}}
        bindings = self._bind(given, variables, context=context)
        arguments = evaluated(state["Arguments"], bindings)
        timeout = float(evaluated(state["TimeoutSeconds"], bindings))
        beat = (
            evaluated(state["HeartbeatSeconds"], bindings) if "HeartbeatSeconds" in state else None
        )
        replies: list[Reply] = []

        def replied(reply: Reply) -> None:
            replies.append(reply)
            self._scheduler.wake(me)

        function = FUNCTION.match(arguments["FunctionName"])
        assert function is not None, arguments["FunctionName"]
        self._invoke(function[1], arguments["Payload"], replied)
        if waits:
            return self._answered(token, replies, timeout, float(beat) if beat else None)
        return self._replied(replies, timeout)

    def _replied(self, replies: list[Reply], timeout: float) -> Value:
        end = self._scheduler.now + timeout
        while not replies:
            if self._scheduler.now >= end:
                raise Failed("States.Timeout", "")
            self._scheduler.pause(end - self._scheduler.now)
        if replies[0].error:
            raise Failed(replies[0].error, replies[0].cause)
        return {"Payload": replies[0].answer, "StatusCode": 200}

    def _answered(
        self, token: str, replies: list[Reply], timeout: float, beat: float | None
    ) -> Value:
        waiting = self._api.tokens[token]
        end = self._scheduler.now + timeout
        while waiting.answer is None:
            if replies and replies[0].error:
                waiting.closed = True
                raise Failed(replies[0].error, replies[0].cause)
            late = end if beat is None else min(end, waiting.beat_at + beat)
            if self._scheduler.now >= late:
                waiting.closed = True
                raise Failed(TIMEOUTS[late < end], "")
            self._scheduler.pause(late - self._scheduler.now)
        succeeded, answer = waiting.answer
        if not succeeded:
            raise Failed(*answer)
        return answer


def _named(error: str, names: list[str]) -> bool:
    return (
        error in names
        or "States.ALL" in names
        or ("States.TaskFailed" in names and error not in TIMEOUTS)
    )
