"""Runs against their executions: what no event told is found, and ends or goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.executions import Executions
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.execution_news import PROBLEMS
from porewatch.domain.reconciling import MOST_RESTARTS, SeenExecution, Step, step
from porewatch.domain.runs import RunRecord, RunState
from porewatch.usecases.start_run import ExecutionInput
from tests.functional.conftest import MACHINE
from tests.functional.test_cancelling import ORDER, running, runs  # noqa: F401 - a fixture
from tests.functional.test_control_plane import RUN, answers, call, record, seal  # noqa: F401
from tests.mocked import facts_in

CLOCK = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock's word, some minutes later."""

    def after(minutes: float = 3) -> None:
        later = timedelta(minutes=minutes)
        with monkeypatch.context() as patched:
            patched.setattr(base, "clock", lambda: base.wall() + later)
            call("error_handler", CLOCK)

    return after


def names() -> list[str]:
    steps = boto3.client("stepfunctions")
    return sorted(e["name"] for e in steps.list_executions(stateMachineArn=MACHINE)["executions"])


def restarted(_: Executions, arn: str) -> SeenExecution | None:
    """The embedded AWS of everything that ran before its restart."""
    if arn.endswith("-1"):
        return SeenExecution(status="RUNNING")
    return SeenExecution(status="FAILED", error="States.ServiceRestart")


def test_a_run_at_work_is_left_alone(running: str, sweep: Any) -> None:  # noqa: F811
    for minutes in (0, 3, 600):
        sweep(minutes)
    assert (runs().get(RUN).state, len(names())) == (RunState.RUNNING, 1)


def test_a_run_whose_end_nobody_told_is_closed_once(running: str, sweep: Any) -> None:  # noqa: F811
    arn = runs().get(RUN).execution_arn
    boto3.client("stepfunctions").stop_execution(executionArn=arn)
    sweep(1)
    assert runs().get(RUN).state is RunState.RUNNING, "the event may be on its way"
    sweep()
    assert (runs().get(RUN).state, runs().get(RUN).problem) == (
        RunState.FAILED,
        PROBLEMS["ABORTED"],
    )
    assert record().state.value == "failed"
    sweep(10)
    assert facts_in(Table("ledger"), RUN).count("RunFailed") == 1


def test_an_execution_that_nobody_knows_is_started_by_its_name(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []

    def start(_: Executions, run_id: str, digest: str, order: ExecutionInput, n: int = 0) -> bool:
        asked.append((f"{order.run_id} {order.manifest_digest == digest}", n))
        return True

    monkeypatch.setattr(Executions, "look", lambda *_: None)
    monkeypatch.setattr(Executions, "start", start)
    sweep(1)
    assert asked == []
    sweep()
    assert asked == [(f"{RUN} True", 0)]
    assert runs().get(RUN).state is RunState.RUNNING


def test_what_ran_while_the_cloud_was_restarted_goes_on_in_another_execution(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = runs().get(RUN).execution_arn
    monkeypatch.setattr(Executions, "look", restarted)
    sweep()
    run = runs().get(RUN)
    assert (run.state, run.restarts) == (RunState.RUNNING, 1)
    assert run.execution_arn != first
    assert len(names()) == 2
    sweep(6)
    assert len(names()) == 2
    ended = {"run_id": RUN, "revision": 0, "status": "FAILED", "execution_arn": first}
    event = {
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "detail": {
            "executionArn": first,
            "input": f'{{"run_id": "{RUN}", "revision": 0}}',
            "status": ended["status"],
        },
    }
    call("error_handler", event)
    assert runs().get(RUN).state is RunState.RUNNING, "the first one's end is not the run's"
    call("run_canceller", ORDER)
    (stopped,) = (
        e["name"]
        for e in boto3.client("stepfunctions").list_executions(stateMachineArn=MACHINE)[
            "executions"
        ]
        if e["status"] == "ABORTED"
    )
    assert stopped.endswith("-1")


def test_a_name_has_room_for_the_longest_run_id_and_the_last_restart() -> None:
    executions = Executions("arn:aws:states:x:1:stateMachine:m", client=object())  # type: ignore[arg-type]
    name = executions.name("r" * 63, "d" * 64, MOST_RESTARTS)
    assert (len(name), len(executions.name("r" * 63, "d" * 64))) == (80, 80)


def test_it_is_not_restarted_for_ever() -> None:
    seen = SeenExecution(status="FAILED", error="States.ServiceRestart")
    at = base.now()
    made = RunRecord(
        run_id=RUN,
        state=RunState.RUNNING,
        execution_arn="arn",
        restarts=MOST_RESTARTS,
        created_at=at,
        updated_at=at,
    )
    assert step(made, seen, at) is Step.CLOSE
    assert step(made.model_copy(update={"restarts": 0}), seen, at) is Step.START_ANOTHER
