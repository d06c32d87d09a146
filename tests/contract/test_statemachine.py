"""`screen_run` as a graph: bounded, caught, counted, and speaking the language of our errors.

That it does the right thing when run is proved in tests/cloud/test_screen_run.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from porewatch.domain import errors
from porewatch.domain.stage import state_machine_tasks

REPOSITORY = Path(__file__).parents[2]
MACHINE: dict[str, Any] = json.loads((REPOSITORY / "statemachine/screen_run.asl.json").read_text())
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
MOST_TRANSITIONS = 50
TRANSIENTS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
DIED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"}
"""What AWS calls a function whose process is gone, of older and of newer runtimes."""
VERBS = {
    *("Plan", "Pick", "Open", "Skip", "Launch", "Await", "Terminate", "Choose", "Handle", "Obey"),
    *("Wait", "Close", "Aggregate", "Publish", "Fail", "Stop"),
}


def named_errors() -> Iterator[tuple[str, str]]:
    for name, state in TASKS.items():
        for clause in (*state.get("Retry", []), *state.get("Catch", [])):
            yield from ((name, error) for error in clause["ErrorEquals"])


def after_success(state: dict[str, Any]) -> list[str]:
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    following = (state.get("Next"), state.get("Default"), *choices)
    return [name for name in following if name]


def after_anything(state: dict[str, Any]) -> list[str]:
    return [*after_success(state), *(catch["Next"] for catch in state.get("Catch", []))]


def transitions(stages: int) -> int:
    """States entered by a run of so many stages in which nothing goes wrong."""
    usual = {
        "PickStage": "OpenStage",
        "SkipPublishedStage": "LaunchInstance",
        "ChooseNextStep": "CloseStage",
    }
    round_trip = ["PickStage"]
    while (name := usual.get(round_trip[-1]) or STATES[round_trip[-1]]["Next"]) != "PickStage":
        round_trip.append(name)
    assert after_success(STATES["PlanRun"]) == ["PickStage"]
    assert STATES["PickStage"]["Default"] == "AggregateResults"
    assert after_success(STATES["AggregateResults"]) == ["PublishReport"]
    assert STATES["PublishReport"]["End"]
    start_and_end = ["PlanRun", "PickStage", "AggregateResults", "PublishReport"]
    return stages * len(round_trip) + len(start_and_end)


def test_every_error_it_names_is_a_class_of_ours_or_of_aws() -> None:
    for state, error in named_errors():
        if error.startswith(("States.", "Lambda.")) or error in DIED:
            continue
        known = getattr(errors, error, None)
        assert isinstance(known, type), f"{state} waits for {error}, which nobody raises"
        assert issubclass(known, errors.PorewatchError)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_ends_in_time_is_repeated_and_is_caught(name: str) -> None:
    state = TASKS[name]
    assert state["TimeoutSeconds"]
    assert {e for retry in state["Retry"] for e in retry["ErrorEquals"]} >= TRANSIENTS | DIED
    assert all(retry["MaxAttempts"] >= 1 for retry in state["Retry"])
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_silence_alone_is_no_reason_to_end_a_machine() -> None:
    again = [
        r for r in TASKS["AwaitWorker"]["Retry"] if "States.HeartbeatTimeout" in r["ErrorEquals"]
    ]

    assert again[0]["MaxAttempts"] >= 12


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize(
    "error", ["Unavailable", "Throttled", "Lambda.TooManyRequestsException", "Sandbox.Timedout"]
)
def test_an_hour_without_a_service_is_waited_for(name: str, error: str) -> None:
    """Each wait is drawn between nothing and its length: the mean of all, less five deviations."""
    (rule,) = (r for r in TASKS[name]["Retry"] if error in r["ErrorEquals"])
    first, most = rule["IntervalSeconds"], rule["MaxDelaySeconds"]
    waits = [min(first * rule["BackoffRate"] ** n, most) for n in range(rule["MaxAttempts"])]
    spread = math.sqrt(sum(wait**2 for wait in waits) / 12)

    assert sum(waits) / 2 - 5 * spread > 3600


def test_the_machine_itself_ends_in_time() -> None:
    assert 0 < MACHINE["TimeoutSeconds"] <= 7 * 24 * 3600


def test_a_run_takes_few_transitions_whatever_its_length() -> None:
    assert transitions(stages=3) <= MOST_TRANSITIONS
    page = (REPOSITORY / "docs/state-machine.md").read_text()
    counted = re.search(r"Three stages without a fault take .*= (\d+) transitions", page)
    assert counted
    assert int(counted[1]) == transitions(stages=3)


def test_nothing_goes_round_without_a_new_epoch() -> None:
    """So that the length of a run takes no transitions: only stages and attempts do."""
    onward = {name: set(after_anything(state)) - {"OpenStage"} for name, state in STATES.items()}
    order = TopologicalSorter(onward)
    order.prepare()  # raises CycleError, with the way round
    with pytest.raises(CycleError):
        TopologicalSorter({name: after_anything(s) for name, s in STATES.items()}).prepare()


def test_no_machine_outlives_its_stage() -> None:
    """From a launch on, every way on leads through TerminateInstance."""
    seen, ahead = set(), ["LaunchInstance"]
    while ahead:
        name = ahead.pop()
        if name in seen or name == "TerminateInstance":
            continue
        seen.add(name)
        ahead += after_anything(STATES[name])
    assert seen == {"LaunchInstance", "AwaitWorker"}


def test_a_failure_is_recorded_before_the_end() -> None:
    ways_to_the_end = {n for n, s in STATES.items() if "StopAsFailed" in after_anything(s)}
    assert ways_to_the_end == {"FailRun"}
    assert STATES["StopAsFailed"]["Type"] == "Fail"


def test_a_silent_worker_and_a_late_one_are_both_caught_as_lost() -> None:
    catch = next(c for c in STATES["AwaitWorker"]["Catch"] if "WorkerLost" in c["ErrorEquals"])
    assert {"States.Timeout", "States.HeartbeatTimeout"} <= set(catch["ErrorEquals"])
    assert catch["Assign"]["error"] == "WorkerLost"


def test_an_interruption_is_distinguished_from_other_errors_first() -> None:
    first = STATES["AwaitWorker"]["Catch"][0]
    assert first["ErrorEquals"] == ["SpotInterrupted"]
    assert first["Assign"]["outcome"] == "interrupted"


SPEC = {"name": "screen", "phases": ["quality_control"], "instance_types": ["m7i.large"]}
VALUES: dict[str, Any] = {
    **{"run_id": "run-1", "revision": 1, "manifest_digest": "d" * 64, "profile": "default"},
    **{"spec": SPEC, "stage": "screen", "epoch": 1, "error": "WorkerLost", "cause": "silence"},
    **{"previous": [], "manifests": [], "task_token": "t", "reason": "published"},
}


@pytest.mark.parametrize(
    ("state", "model"),
    [
        ("PlanRun", state_machine_tasks.STAGE_TASK),
        ("OpenStage", state_machine_tasks.STAGE_TASK),
        ("AwaitWorker", state_machine_tasks.STAGE_TASK),
        ("LaunchInstance", TypeAdapter(state_machine_tasks.Launch)),
        ("TerminateInstance", TypeAdapter(state_machine_tasks.Terminate)),
        ("HandleError", state_machine_tasks.ERROR_TASK),
        ("FailRun", state_machine_tasks.ERROR_TASK),
    ],
)
def test_a_function_takes_what_the_machine_sends(state: str, model: TypeAdapter[BaseModel]) -> None:
    payload = STATES[state]["Arguments"]["Payload"]
    sent = {f: VALUES.get(f, v) if str(v).startswith("{%") else v for f, v in payload.items()}
    assert not [value for value in sent.values() if str(value).startswith("{%")]
    model.validate_python(sent)


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("PlanRun", state_machine_tasks.Planned),
        ("OpenStage", state_machine_tasks.Opened),
        ("HandleError", state_machine_tasks.Decided),
        ("FailRun", state_machine_tasks.RunEnded),
    ],
)
def test_what_the_machine_keeps_is_in_the_answer(state: str, answer: type[BaseModel]) -> None:
    kept = " ".join(str(value) for value in STATES[state]["Assign"].values())
    fields = set(re.findall(r"\$states\.result\.Payload\.(\w+)", kept))
    assert fields
    assert fields <= set(answer.model_fields)


def test_a_run_that_is_given_up_ends_with_the_reason_that_the_error_handler_gave() -> None:
    assert STATES["HandleError"]["Assign"]["cause"] == "{% $states.result.Payload.reason %}"
    assert STATES["ObeyDecision"]["Default"] == "FailRun"
    assert STATES["FailRun"]["Arguments"]["Payload"]["cause"] == "{% $cause %}"


def test_states_are_named_by_what_they_do() -> None:
    for name in STATES:
        assert re.match(r"[A-Z][a-z]+", name)[0] in VERBS, name  # type: ignore[index]


def test_it_says_what_it_is_for_in_one_sentence() -> None:
    comment = MACHINE["Comment"]
    assert comment.endswith(".")
    assert comment.count(".") == 1


def test_every_state_says_what_it_is_for() -> None:
    silent = {name for name, state in MACHINE["States"].items() if not state.get("Comment")}
    assert silent == set()
