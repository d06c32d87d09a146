"""Every function runs from its built artefact with every event it has, without docker.

The cloud is real and empty, so a task about a run is answered with "there is no such run": the
function was loaded from its layers, read its settings, read the ledger, and proved it by the class
name that Step Functions would see.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from porewatch_local.built_functions import (
    built_functions,
    foreign_binaries,
)
from porewatch_local.invoke import (
    Answer,
    built_for_here,
    invoke,
    running,
    send_event,
    variables_for,
)
from porewatch_local.paths import LocalProblem
from porewatch_local.stack_template.template import folder_of
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

EVENTS = Path(__file__).parents[2] / "events/functions"
NOTHING = {"batchItemFailures": []}
NOT_FOUND = "NotFound"

EXPECTED: dict[str, Any] = {
    # answers in full
    "alert_handler": NOTHING,
    "api": 200,
    "api.run": 404,
    "api.report": 404,
    "bundle_unpacker": NOTHING,
    "fact_publisher": NOTHING,
    "fastq_validator": NOTHING,
    "metric_calculator": NOTHING,
    "status_updater": NOTHING,
    "instance_monitor": None,
    "instance_monitor.interruption": None,
    "instance_monitor.rebalance": None,
    "instance_monitor.state": None,
    "instance_terminator": {"instance_ids": []},
    "leftover_reaper": None,
    "leftover_reaper.asked": {"dry": True},
    "leftover_reaper.expired": None,
    "error_handler.execution": None,
    "error_handler.fail_run": {
        "error": "WorkerLost",
        "problem": "the worker has been silent for 600 s.",
    },
    # the run of the example does not exist here
    "error_handler": NOT_FOUND,
    "run_canceller": NOT_FOUND,
    "run_canceller.http": 404,
    "alert_handler.http": 404,
    "run_keeper": NOT_FOUND,
    "run_keeper.clock": None,
    "report_generator.clock": None,
    "run_eraser": NOT_FOUND,
    "run_eraser.clock": None,
    "instance_launcher": NOT_FOUND,
    "phase_state_manager": NOT_FOUND,
    "phase_state_manager.plan": NOT_FOUND,
    "report_generator": NOT_FOUND,
    "result_aggregator": NOT_FOUND,
    "phase_state_manager.await": "AlreadyDone",  # its token is of an execution that is gone
    "authorizer": "Unauthorized",  # a token that nobody has
    "accounts": 200,
    "web": 303,  # to the sign-in
    "signatures": 401,  # nobody asks
    "signed_printer": "MessageRefused",  # no such signature here
    "webhooks": 401,  # nobody asks
    "archiver": NOTHING,  # a run that is not here
    "archiver.clock": None,
    "webhook_dispatcher": NOTHING,
    "webhook_sender": NOTHING,
    "early_screener": NOTHING,  # a run that is not here
    "mailer": NOTHING,
    "mailer.bounce": NOTHING,
    "billing": {"statusCode": 400},  # not signed by the stand-in
    "entitlement_keeper": 0,  # refused and set aside at once
    "uploads": 403,  # the API's key registers no runs
    "credential_broker": "MessageRefused",
    "credential_broker.boot_log": "MessageRefused",
    # messages that are refused one by one, and would go to the dead letters
    "cost_tracker": 1,
    "phase_state_manager.worker": 0,  # without a proof: set aside at once, with the reason
    "pipeline_orchestrator": 1,
}


RUN_ANYWAY = {
    "alert_handler",
    "bundle_unpacker",
    "cost_tracker",
    "fact_publisher",
    "fastq_validator",
    "instance_launcher",
    "instance_terminator",
    "metric_calculator",
    "phase_state_manager",
    "report_generator",
    "result_aggregator",
    "status_updater",
}
"""Functions that the session's runs invoke many times, built and deployed: here they are slow."""
FOLDERS = sorted({example.split(".")[0] for example in EXPECTED})


@pytest.fixture(scope="module")
def built(stack: Cloud) -> Path:
    return built_for_here(stack.home)


def test_every_example_has_an_expected_outcome() -> None:
    assert set(EXPECTED) == {path.stem for path in EVENTS.glob("*.json")}


def as_expected(answer: Answer, wanted: Any) -> bool:
    match wanted:
        case str(name):
            return answer.error == name
        case 200 | 303 | 401 | 403 | 404 as status:
            return bool(answer.payload["statusCode"] == status)
        case int(refused):
            return len(answer.payload["batchItemFailures"]) == refused
        case dict(fields):
            return all(answer.payload[name] == value for name, value in fields.items())
    return bool(answer.payload == wanted)


@pytest.mark.parametrize(
    "folder",
    [pytest.param(f, marks=pytest.mark.slow) if f in RUN_ANYWAY else f for f in FOLDERS],
)
def test_a_built_function_runs_with_its_examples(stack: Cloud, built: Path, folder: str) -> None:
    artefact = next(a for n, a in built_functions(built).items() if folder_of(n) == folder)
    with running(artefact, stack.home, variables_for(artefact, stack.home)) as port:
        for example in (name for name in EXPECTED if name.split(".")[0] == folder):
            event = json.loads((EVENTS / f"{example}.json").read_text())
            answer = send_event(port, event, artefact.timeout_s)
            assert as_expected(answer, EXPECTED[example]), (example, answer)


def test_a_layer_that_lacks_something_is_noticed(stack: Cloud, built: Path, tmp_path: Path) -> None:
    """The environment of the tests has porewatch installed; the function must not see it."""
    bare = tmp_path / "build"
    bare.mkdir()
    text = (built / "template.yaml").read_text()
    (bare / "template.yaml").write_text(text.replace("ContentUri: CommonLayer", "ContentUri: Gone"))
    (bare / "Api").symlink_to(built / "Api")
    answer = invoke("Api", {}, stack.home, bare)
    assert answer.error == "Runtime.ImportModuleError"
    assert "No module named" in answer.payload["errorMessage"]


def test_a_build_for_another_kind_of_machine_is_refused(
    stack: Cloud, built: Path, tmp_path: Path
) -> None:
    artefact = built_functions(built)["Api"]
    assert not list(foreign_binaries(artefact))
    other = tmp_path / "build"
    package = other / "CommonLayer/python/pydantic_core"
    package.mkdir(parents=True)
    (package / "_pydantic_core.cpython-313-aarch64-linux-gnu.so").touch()
    (package / "_pydantic_core.cpython-313-x86_64-linux-gnu.so").touch()
    (other / "template.yaml").write_text((built / "template.yaml").read_text())
    with pytest.raises(LocalProblem, match="another kind of machine"):
        invoke("Api", {}, stack.home, other)


def test_nothing_of_a_function_is_left_running(stack: Cloud, built: Path) -> None:
    import psutil

    with running(built_functions(built)["Api"], stack.home, {}) as port:
        assert port
    left = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert not [line for line in left if f":{port}" in line]
