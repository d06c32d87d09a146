"""A person stops a run, by the API and by the command line: nothing goes on, and all is paid."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.executions import Executions
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import RunOver, StaleEpoch
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.run_facts import RunCancelled
from porewatch.domain.notices.run_notices import notice_of
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.stage.record import StageState
from porewatch.usecases.intake.start_run import ExecutionInput
from porewatch_cli.main import app
from porewatch_cli.stack import Stack
from tests.functional.conftest import ACCOUNT, MACHINE, WAITS
from tests.functional.doors import Context, door
from tests.functional.test_control_plane import (
    RUN,
    Answers,
    answers,  # noqa: F401 - a fixture
    call,
    example,
    record,
    seal,
)
from tests.mocked import facts_in

ORDER = {"run_id": RUN, "by": "M. Sato", "reason": "wrong flow cell"}


@pytest.fixture
def running(answers: Answers) -> str:  # noqa: F811
    """A run at work on one machine, under a real execution; the machine's id."""
    steps = boto3.client("stepfunctions")
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    steps.create_state_machine(name="screen-run", definition=WAITS, roleArn=role)
    with patch("tests.functional.test_control_plane.RunLedger.start", started):
        manifest = seal()
    digest = manifest.digest()
    order = ExecutionInput(run_id=RUN, revision=0, manifest_digest=digest, profile="default")
    Executions(MACHINE).start(RUN, digest, order)
    call("phase_state_manager", example("phase_state_manager"))
    return str(call("instance_launcher", example("instance_launcher"))["instance_id"])


_start = RunLedger.start


def started(self: RunLedger, manifest: Any, *, execution_arn: str, bundle: str, at: Any) -> Any:
    arn = Executions(MACHINE).arn(manifest.run_id, manifest.digest())
    return _start(self, manifest, execution_arn=arn, bundle=bundle, at=at)


def posted(run_id: str, body: str | None) -> tuple[int, dict[str, Any]]:
    """(status, body) of POST /runs/{run_id}/cancel."""
    event = example("run_canceller.http", body=body)
    event["path"] = f"/runs/{run_id}/cancel"
    event["pathParameters"] = {"run_id": run_id}
    reply = door("run_canceller")(event, Context())
    return reply["statusCode"], json.loads(reply["body"])


def runs() -> RunLedger:
    return RunLedger(Table("ledger"))


def sealed() -> RunManifest:
    found = runs().manifest_in_ledger(RUN, 0) or Manifests(runs(), Objects("raw")).of(RUN, 0)
    assert isinstance(found, RunManifest)
    return found


def machine_states() -> list[str]:
    found = boto3.client("ec2").describe_instances()["Reservations"]
    return [i["State"]["Name"] for r in found for i in r["Instances"]]


def test_a_running_run_is_stopped_and_paid_once_however_often_it_is_requested(running: str) -> None:
    status, answer = posted(RUN, json.dumps({"by": "M. Sato", "reason": "wrong flow cell"}))
    assert (status, answer["state"], answer["machines"]) == (200, "cancelled", [running])
    assert answer["problem"] == "it was cancelled by M. Sato: wrong flow cell."
    assert machine_states() == ["terminated"]
    assert record().state is StageState.FAILED
    (execution,) = boto3.client("stepfunctions").list_executions(stateMachineArn=MACHINE)[
        "executions"
    ]
    assert execution["status"] == "ABORTED"
    lines = runs().cost_lines(RUN)
    assert [line.instance_id for line in lines if line.what == "machine"] == [running]
    assert answer["cost_usd"] == pytest.approx(sum(line.usd for line in lines))
    assert StageLedger(Table("ledger"))._budget.books(RUN, 0).held_usd == 0
    before = facts_in(Table("ledger"), RUN)
    assert before.count("RunCancelled") == 1
    again = call("run_canceller", ORDER)
    assert again["state"] == "cancelled"
    assert facts_in(Table("ledger"), RUN) == before
    assert runs().cost_lines(RUN) == lines


def test_the_end_of_the_execution_leaves_a_cancelled_run_as_it_is(running: str) -> None:
    call("run_canceller", ORDER)
    ended = json.loads((door_example("error_handler.execution")).read())
    ended["detail"]["input"] = json.dumps({"run_id": RUN, "revision": 0})
    ended["detail"]["status"] = "ABORTED"
    call("error_handler", ended)
    run = runs().get(RUN)
    assert (run.state, run.problem) == (
        RunState.CANCELLED,
        "it was cancelled by M. Sato: wrong flow cell.",
    )
    assert "RunFailed" not in facts_in(Table("ledger"), RUN)


def door_example(name: str) -> io.StringIO:
    return io.StringIO(json.dumps(example(name)))


def test_a_cancelled_run_opens_no_stage_and_publishes_nothing(running: str) -> None:
    call("run_canceller", ORDER)
    with pytest.raises(StaleEpoch, match="is cancelled"):
        call("phase_state_manager", example("phase_state_manager"))
    planned = example("phase_state_manager.plan", manifest_digest=runs().get(RUN).manifest_digest)
    with pytest.raises(StaleEpoch, match="is cancelled"):
        call("phase_state_manager", planned)
    with pytest.raises(StaleEpoch):
        runs().apply(RUN, run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())
    assert record().epoch == 1


def test_of_completing_and_cancelling_one_wins(running: str) -> None:
    runs().apply(RUN, run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())
    with pytest.raises(RunOver, match="is completed"):
        call("run_canceller", ORDER)
    assert posted(RUN, None)[0] == 409
    assert machine_states() == ["running"], "its machines end as of every completed run"
    assert runs().get(RUN).state is RunState.COMPLETED


def test_what_is_no_order_is_refused(running: str) -> None:
    assert posted("no-such-run", None)[0] == 404
    assert posted("../x", None)[0] in (400, 404)
    for body in ("no json", "[]", '{"reason": 7}', json.dumps({"reason": "x" * 301})):
        assert posted(RUN, body)[0] == 400, body
    assert runs().get(RUN).state is RunState.RUNNING


def test_a_body_cannot_name_another_run(running: str) -> None:
    _, answer = posted(RUN, json.dumps({"run_id": "another"}))
    assert answer["run_id"] == RUN


def test_a_cancelled_run_is_sealed_again_by_another_manifest_only(running: str) -> None:
    call("run_canceller", ORDER)
    manifest = sealed()
    assert runs().seal(manifest, sealed_by="run.json", at=now()).state is RunState.CANCELLED
    later = manifest.model_copy(update={"created_at": now()})
    run = runs().seal(later, sealed_by="run.json", at=now())
    assert (run.state, run.revision, run.problem) == (RunState.SEALED, 1, None)


def test_people_are_notified_with_name_and_reason(running: str) -> None:
    call("run_canceller", ORDER)
    (fact,) = [
        fact
        for fact in StageLedger(Table("ledger")).facts(RUN, 0)
        if isinstance(fact, RunCancelled)
    ]
    assert FACTS["RunCancelled"] is RunCancelled
    notice = notice_of(fact, lambda key: key)
    assert notice is not None
    assert "M. Sato" in notice[1].body and "wrong flow cell" in notice[1].body
    assert "nothing is known about its samples" in notice[1].body


class Functions:
    """Lambda's client, with the real handler behind it."""

    def invoke(self, **request: Any) -> dict[str, Any]:
        function = request["FunctionName"].removeprefix("s-").replace("-", "_")
        try:
            answer = call(function, json.loads(request["Payload"]))
        except Exception as error:
            details = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.StringIO(json.dumps(details))}
        return {"Payload": io.StringIO(json.dumps(answer))}


def test_the_command_stops_it_and_says_what_ended(
    running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SimpleNamespace(client=lambda *_, **__: Functions())
    stack = Stack("s", session, {"LedgerTable": "ledger"})  # type: ignore[arg-type]
    stack.__dict__["table"] = Table("ledger")
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: stack)
    result = CliRunner().invoke(app, ["cancel", RUN, "--reason", "spilt", "--by", "M. Sato"])
    assert result.exit_code == 0, result.output
    assert running in result.output and "is cancelled" in result.output
    assert CliRunner().invoke(app, ["cancel", "no-such-run"]).exit_code != 0
    runs().seal(
        sealed().model_copy(update={"created_at": now()}),
        sealed_by="run.json",
        at=now(),
    )
    runs().refuse(RUN, digest="e" * 64, what=Refusing("p", ()), at=now())
    again = runs().apply(RUN, run_endings.cancel, Cancel(run_id=RUN), now())
    assert again.state is RunState.CANCELLED
