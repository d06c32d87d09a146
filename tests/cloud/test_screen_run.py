"""`screen_run` itself, as it is deployed, with its functions replaced by a script.

What is proved here is order, time, retry and what is passed on; the functions have tests of their
own. docs/state-machine.md is the contract.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.conftest import Cloud
from tests.cloud.making import allow, finished, function, named, role

REPOSITORY = Path(__file__).parents[2]
ROLES = {
    "PhaseStateManager": "manager",
    "ErrorHandler": "errors",
    "InstanceLauncher": "launcher",
    "InstanceTerminator": "terminator",
    "ResultAggregator": "aggregator",
    "ReportGenerator": "report",
}
Screen = Callable[[str], tuple[dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def calls_table(cloud: Cloud) -> str:
    name = named("calls")
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "run", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "run", "KeyType": "HASH"}],
    )
    return name


@pytest.fixture(scope="module")
def machine(cloud: Cloud, calls_table: str) -> str:
    definition = (REPOSITORY / "statemachine/screen_run.asl.json").read_text()
    script = (Path(__file__).parent / "scripted_tasks.py").read_text()
    for placeholder, part in ROLES.items():
        made = function(
            cloud,
            script,
            allow("dynamodb:UpdateItem"),
            allow("states:SendTaskSuccess", "states:SendTaskFailure"),
            name=named("scripted") + f"-{part}",
            Environment={"Variables": {"CALLS": calls_table}},
        )
        definition = definition.replace("${" + placeholder + "}", made)
    assert not re.search(r"\$\{", definition)
    made = cloud.client("stepfunctions").create_state_machine(
        name=named("screen-run"),
        definition=definition,
        roleArn=role(cloud, "states.amazonaws.com", allow("lambda:InvokeFunction")),
    )
    return str(made["stateMachineArn"])


@pytest.fixture
def screen(cloud: Cloud, machine: str, calls_table: str) -> Screen:
    """Runs one scenario to its end: the execution, and the calls its tasks got."""

    def run(scenario: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        run_id = f"{scenario}-{uuid.uuid4().hex[:8]}"
        given = {"run_id": run_id, "revision": 1, "manifest_digest": "d" * 64, "profile": "default"}
        started = cloud.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=run_id, input=json.dumps(given)
        )
        done = finished(cloud, started["executionArn"], 60)
        item = cloud.client("dynamodb").get_item(
            TableName=calls_table, Key={"run": {"S": run_id}}, ConsistentRead=True
        )["Item"]
        return done, [json.loads(call["S"]) for call in item["calls"]["L"]]

    return run


def names(calls: list[dict[str, Any]]) -> list[str]:
    return [call["task"] for call in calls]


ONE_STAGE = ["open", "launcher", "await", "terminator"]


def test_a_run_without_trouble_visits_every_stage_once(screen: Screen) -> None:
    done, calls = screen("plain")
    assert done["status"] == "SUCCEEDED"
    assert names(calls) == ["plan", *ONE_STAGE * 3, "aggregator", "report"]
    assert json.loads(done["output"]) == {"report_keys": {"report.json": "k"}}


def test_later_stages_and_the_report_get_the_manifests_of_earlier_ones(screen: Screen) -> None:
    _, calls = screen("plain")
    manifests = [call["previous"] for call in calls if call["task"] == "open"]
    keys = [f"{stage}/e1/manifest.json" for stage in ("basecalling", "screen", "report")]
    assert manifests == [[], keys[:1], keys[:2]]
    assert calls[-1]["manifests"] == calls[-2]["manifests"] == keys


def test_tasks_get_exactly_what_the_contract_says(screen: Screen) -> None:
    _, calls = screen("plain")
    run = {"task", "run_id", "revision"}
    fields = {call["task"]: set(call) - run for call in calls}
    assert fields == {
        "plan": {"action", "manifest_digest", "profile"},
        "open": {"action", "spec", "previous"},
        "launcher": {"epoch", "spec"},
        "await": {"action", "stage", "epoch", "task_token"},
        "terminator": {"stage", "epoch", "reason"},
        "aggregator": {"manifests"},
        "report": {"manifests"},
    }


def test_an_interrupted_stage_is_opened_again_under_a_new_epoch(screen: Screen) -> None:
    done, calls = screen("interrupted")
    assert done["status"] == "SUCCEEDED"
    assert names(calls) == ["plan", *ONE_STAGE * 3, "aggregator", "report"]
    ends = [(call["epoch"], call["reason"]) for call in calls if call["task"] == "terminator"]
    assert ends == [(1, "interrupted"), (2, "interrupted"), (3, "published")]


def test_after_twenty_interruptions_a_stage_is_an_error(screen: Screen) -> None:
    done, calls = screen("unlucky")
    assert names(calls).count("launcher") == 21
    decision = next(call for call in calls if call["task"] == "decide")
    assert (decision["epoch"], decision["error"]) == (21, "SpotInterrupted")
    assert (done["status"], done["error"]) == ("FAILED", "SpotInterrupted")


def test_an_error_is_tried_again_when_the_error_handler_says_so(screen: Screen) -> None:
    done, calls = screen("recovers")
    assert done["status"] == "SUCCEEDED"
    assert names(calls) == ["plan", *ONE_STAGE, "decide", *ONE_STAGE, "aggregator", "report"]
    decision = calls[5]
    assert decision["error"] == "WorkerFailed"
    assert decision["cause"] == "x" * 2000


def test_an_error_that_stays_ends_the_run_after_its_machine(screen: Screen) -> None:
    done, calls = screen("broken")
    assert names(calls)[-3:] == ["terminator", "decide", "fail_run"]
    assert names(calls).count("launcher") == 3
    assert done["status"] == "FAILED"
    assert done["error"] == "WorkerFailed"
    assert done["cause"] == "could not: scripted"


def test_a_silent_worker_is_a_lost_worker(screen: Screen) -> None:
    done, calls = screen("silent")
    decision = next(call for call in calls if call["task"] == "decide")
    assert decision["error"] == "WorkerLost"
    assert names(calls)[-3] == "terminator"
    assert (done["status"], done["error"]) == ("FAILED", "WorkerLost")


def test_a_token_that_cannot_be_kept_fails_the_stage_at_once(screen: Screen) -> None:
    done, calls = screen("deaf")
    assert names(calls) == ["plan", *ONE_STAGE, "decide", "fail_run"]
    assert done["error"] == "MessageRefused"


def test_what_a_failed_launch_may_have_left_is_terminated(screen: Screen) -> None:
    done, calls = screen("nocapacity")
    assert names(calls) == ["plan", "open", "launcher", "terminator", "decide", "fail_run"]
    assert calls[3]["reason"] == "failed"
    assert json.loads(calls[4]["cause"])["errorType"] == "CapacityUnavailable"
    assert done["error"] == "CapacityUnavailable"


def test_a_stage_that_is_already_published_launches_nothing(screen: Screen) -> None:
    done, calls = screen("done")
    assert done["status"] == "SUCCEEDED"
    assert names(calls) == ["plan", "open", "aggregator", "report"]
    assert calls[-1]["manifests"] == ["done.json"]


def test_a_run_that_cannot_be_planned_is_failed_with_its_reason(screen: Screen) -> None:
    done, calls = screen("refused")
    assert names(calls) == ["plan", "fail_run"]
    assert calls[1]["stage"] is None
    assert calls[1]["epoch"] is None
    assert done["error"] == "BasecallerMissing"


def test_a_terminator_that_fails_does_not_hold_the_run(screen: Screen) -> None:
    done, _ = screen("stuck")
    assert done["status"] == "SUCCEEDED"


def test_a_report_that_cannot_be_published_fails_the_run(screen: Screen) -> None:
    done, calls = screen("unwritable")
    assert names(calls)[-1] == "fail_run"
    assert done["error"] == "NotFound"
