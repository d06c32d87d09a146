"""Runs against their executions: what no event announced is found, and ends or goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.executions import Executions
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.executors import Executors
from porewatch.domain import base
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_endings, stage_endings
from porewatch.domain.rules.reconciling import (
    MOST_RESTARTS,
    SeenExecution,
    Step,
    step,
)
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, RunState, Sample
from porewatch.domain.stage.cloud_events import PROBLEMS
from porewatch.usecases.intake.start_run import ExecutionInput
from tests.functional.conftest import MACHINE
from tests.functional.test_cancelling import ORDER, machine_states, running, runs  # noqa: F401 - a fixture
from tests.functional.test_control_plane import RUN, answers, call, record, seal  # noqa: F401
from tests.mocked import facts_in

FAIL = {"action": "fail_run", "stage": "screen", "epoch": 1, "error": "WorkerLost", "cause": "c."}
CLOCK = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock's event, some minutes later."""

    def after(minutes: float = 3) -> None:
        later = timedelta(minutes=minutes)
        with monkeypatch.context() as patched:
            patched.setattr(base, "clock", lambda: base.wall() + later)
            call("error_handler", CLOCK)

    return after


def executions_there() -> list[Any]:
    steps = boto3.client("stepfunctions")
    return list(steps.list_executions(stateMachineArn=MACHINE)["executions"])


def names() -> list[str]:
    return sorted(e["name"] for e in executions_there())


def ended_event(arn: str | None) -> dict[str, Any]:
    """Step Functions' event of a failed execution."""
    order = f'{{"run_id": "{RUN}", "revision": 0}}'
    return {
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "detail": {"executionArn": arn, "input": order, "status": "FAILED"},
    }


def restarted(_: Executions, arn: str) -> SeenExecution | None:
    """The embedded AWS of everything that ran before its restart."""
    if arn.endswith("-1"):
        return SeenExecution(status="RUNNING")
    return SeenExecution(status="FAILED", error="States.ServiceRestart")


def test_a_run_at_work_is_left_alone(running: str, sweep: Any) -> None:  # noqa: F811
    for minutes in (0, 3, 600):
        sweep(minutes)
    assert (runs().get(RUN).state, len(names())) == (RunState.RUNNING, 1)


def test_a_run_whose_end_was_never_announced_is_closed_once(running: str, sweep: Any) -> None:  # noqa: F811
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


def test_a_run_of_any_age_is_looked_at_while_it_is_open_and_not_after(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=runs().get(RUN).execution_arn)
    assert [run.run_id for run in runs().open()] == [RUN]
    sweep(60 * 24 * 40)
    assert runs().get(RUN).state is RunState.FAILED
    assert list(runs().open()) == []


class Died(BaseException):
    """The function's process goes away."""


def dies(*_: Any, **__: Any) -> None:
    raise Died


DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "cancelled": ("run_canceller", ORDER),
    "failed": ("error_handler", {**FAIL, "run_id": RUN, "revision": 0}),
    "refused": ("error_handler", {**FAIL, "run_id": RUN, "revision": 0, "error": "NoReadsLeft"}),
}
STEPS = {
    "fencing": (stage_endings, "abandon"),
    "its machine": (Executors, "terminate"),
    "its payment": (StageLedger, "settle_cost"),
    "the rest of the bill": (StageLedger, "settle_overhead"),
    "the close of its record": (run_endings, "close"),
}


def refuse_one_beside(number: int = 7) -> None:
    """Somebody sends a seal that is none, while the run is at work or after it."""
    runs().refuse_seal(
        RUN, digest=f"{number:064x}", what=Refusing("it is no JSON.", ()), at=base.now()
    )


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a bad seal"])
@pytest.mark.parametrize("state", DOORS)
@pytest.mark.parametrize("at", STEPS)
def test_what_an_ending_that_died_left_undone_is_finished(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    at: str,
    beside: bool,
) -> None:
    """Whichever door ended it, and wherever it died: one path, so one end."""
    if beside:
        refuse_one_beside()

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(*STEPS[at], dies)
        call(*DOORS[state])
    assert [left.state.value for left in runs().get(RUN).unended] == [state]
    sweep(1)
    assert runs().get(RUN).unended, "whoever began may still be at it"
    sweep()
    assert runs().get(RUN).unended == ()
    run, lines = runs().get(RUN), runs().cost_lines(RUN)
    assert (run.state.value, machine_states(), record().state.value) == (
        *(state, ["terminated"]),
        "failed",
    )
    assert [line.instance_id for line in lines if line.what == "machine"] == [running]
    assert run.cost_usd == pytest.approx(sum(line.usd for line in lines))
    assert {line.what for line in lines} > {"machine"}
    stopped = {e["status"] for e in executions_there()}
    assert stopped == ({"ABORTED"} if state == "cancelled" else {"RUNNING"})
    before = facts_in(Table("ledger"), RUN)
    monkeypatch.setattr(Executors, "find", dies)
    sweep(10)
    assert facts_in(Table("ledger"), RUN) == before, "all is done: nobody looks again"


@pytest.mark.parametrize("state", DOORS)
def test_another_seal_does_not_hide_what_an_earlier_revision_left(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    """An ending dies at its first step, then the person sends the run again."""

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(*(STEPS["fencing"] if state != "cancelled" else (Executions, "stop")), dies)
        call(*DOORS[state])
    runs().seal(sealed_again(), sealed_by="run.json", at=base.now())
    sweep()
    run = runs().get(RUN)
    assert (run.state, run.revision, run.unended) == (RunState.SEALED, 1, ())
    assert (machine_states(), record().state.value) == (["terminated"], "failed")
    if state == "cancelled":
        assert {e["status"] for e in executions_there()} == {"ABORTED"}


def sealed_again() -> RunManifest:
    manifest = RunManifest(
        run_id=RUN,
        created_at=base.now(),
        files=(InputFile(path="fastq/b.fastq.gz", kind=ReadKind.FASTQ, size=2),),
        samples=(Sample(name="s1"),),
    )
    Manifests(runs(), Objects("raw")).keep(manifest)
    return manifest


def test_a_machine_that_the_cloud_has_forgotten_is_paid_until_its_last_message(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An ending that died is finished ten hours later."""

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(*STEPS["its machine"], dies)
        call(*DOORS["failed"])
    monkeypatch.setattr(Ec2Fleet, "_described", lambda *_: iter(()))
    sweep(600)
    (line,) = (one for one in runs().cost_lines(RUN) if one.what == "machine")
    assert line.seconds < 600


FACT_OF_THE_RUN = {
    "cancelled": "RunCancelled",
    "failed": "RunFailed",
    "refused": "RunRefused",
    "its execution's end": "RunFailed",
    "the sweep": "RunFailed",
}


@pytest.mark.parametrize("door", FACT_OF_THE_RUN)
def test_every_way_to_end_a_run_leaves_the_same_behind(
    running: str,  # noqa: F811
    sweep: Any,
    door: str,
) -> None:
    before = set(facts_in(Table("ledger"), RUN))
    if door in DOORS:
        call(*DOORS[door])
    else:
        arn = runs().get(RUN).execution_arn
        boto3.client("stepfunctions").stop_execution(executionArn=arn)
        _ = sweep() if door == "the sweep" else call("error_handler", ended_event(arn))
    facts = set(facts_in(Table("ledger"), RUN)) - before
    assert facts == {FACT_OF_THE_RUN[door], "StageFailed", "InstanceTerminated"}
    assert machine_states() == ["terminated"]
    assert runs().get(RUN).unended == ()
    books = StageLedger(Table("ledger"))._budget.books(RUN, 0)
    assert (books.held_usd, books.balanced) == (0, True)


def test_an_execution_that_nobody_knows_is_started_by_its_name(
    running: str,  # noqa: F811
    sweep: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, int]] = []

    def start(_: Executions, run_id: str, digest: str, order: ExecutionInput, n: int = 0) -> bool:
        started.append((f"{order.run_id} {order.manifest_digest == digest}", n))
        return True

    monkeypatch.setattr(Executions, "look", lambda *_: None)
    monkeypatch.setattr(Executions, "start", start)
    sweep(1)
    assert started == []
    sweep()
    assert started == [(f"{RUN} True", 0)]
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
    call("error_handler", ended_event(first))
    assert runs().get(RUN).state is RunState.RUNNING, "the first one's end is not the run's"
    call("run_canceller", ORDER)
    (stopped,) = (e["name"] for e in executions_there() if e["status"] == "ABORTED")
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
