"""What the simulator copied from template.yaml by hand is what the template says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from porewatch.domain import intake
from porewatch.domain.events import FACTS
from porewatch_local.template import Template, folder_of, target
from tests.simulator import bus, lambdas, sqs, world

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
FUNCTIONS = {folder_of(name): own for name, own in TEMPLATE.functions.items()}
RULES = TEMPLATE.of_type("AWS::Events::Rule")


def sources(function: str, kind: str) -> list[dict[str, Any]]:
    """What calls a function: its event sources of one kind."""
    there = FUNCTIONS[function].get("Events", {}).values()
    return [event["Properties"] for event in there if event["Type"] == kind]


def patterns_for(queue: str) -> list[dict[str, Any]]:
    return [
        rule["EventPattern"]
        for rule in RULES.values()
        if "EventPattern" in rule  # the clock's word, which nobody simulates, has none
        and f"{queue.capitalize()}Queue" in {target(to["Arn"]) for to in rule["Targets"]}
    ]


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_has_as_long_as_on_aws(function: str) -> None:
    if function in (
        *("api", "status_updater", "bundle_unpacker", "leftover_reaper"),
        *("run_canceller", "run_keeper", "run_eraser"),
    ):
        assert function not in lambdas.TIMEOUTS_S, "not in the simulated world"
        return
    simulated = lambdas.TIMEOUTS_S.get(function, lambdas.TIMEOUT_S)
    assert simulated == FUNCTIONS[function]["Timeout"]


def test_no_time_is_kept_for_a_function_that_is_gone() -> None:
    assert set(lambdas.TIMEOUTS_S) <= set(FUNCTIONS)


@pytest.mark.parametrize("queue", sorted(lambdas.QUEUES))
def test_a_queue_has_its_reader_batch_visibility_and_tries(queue: str) -> None:
    function, most, visibility = lambdas.QUEUES[queue]
    own = TEMPLATE.of_type("AWS::SQS::Queue")[f"{queue.capitalize()}Queue"]
    (source,) = sources(function, "SQS")
    assert target(source["Queue"]) == f"{queue.capitalize()}Queue"
    assert most == source["BatchSize"]
    assert visibility == own["VisibilityTimeout"]
    assert own["RedrivePolicy"]["maxReceiveCount"] == sqs.TRIES


def test_a_look_of_the_intake_is_claimed_longer_than_its_function_runs() -> None:
    """And shorter than its message is hidden: whoever died in it is followed by its own message."""
    claim = intake.CLAIM.total_seconds()
    hidden = TEMPLATE.of_type("AWS::SQS::Queue")["IntakeQueue"]["VisibilityTimeout"]
    assert FUNCTIONS["pipeline_orchestrator"]["Timeout"] < claim < hidden


@pytest.mark.parametrize("function", ["instance_monitor", "error_handler"])
def test_an_event_that_fails_comes_again_as_often_as_on_aws(function: str) -> None:
    again = FUNCTIONS[function]["EventInvokeConfig"]["MaximumRetryAttempts"]
    assert len(lambdas.AGAIN_S) == again


def test_the_stream_hands_over_as_many_facts() -> None:
    (stream,) = sources("fact_publisher", "DynamoDB")
    assert stream["BatchSize"] == lambdas.STREAM_BATCH


def test_the_sweep_comes_as_often() -> None:
    (schedule,) = sources("instance_monitor", "Schedule")
    assert (schedule["Schedule"], world.SWEEP_S) == ("rate(1 minute)", 60.0)


@pytest.mark.parametrize("queue", sorted(bus.RULES))
def test_a_queue_hears_the_same_facts(queue: str) -> None:
    told = [
        p.get("detail-type", list(FACTS))
        for p in patterns_for(queue)
        if "aws.s3" not in p["source"]
    ]
    expected = {name for names in told for name in names}
    assert {name for name in FACTS if bus.RULES[queue](name)} == expected


@pytest.mark.parametrize("queue", sorted({*bus.OBJECTS, *bus.ALL_BUT}))
def test_a_queue_hears_of_the_same_objects(queue: str) -> None:
    keys = [
        key
        for pattern in patterns_for(queue)
        if "aws.s3" in pattern["source"]
        for key in pattern["detail"]["object"]["key"]
    ]
    if queue in bus.ALL_BUT:
        assert keys == [{"anything-but": {"wildcard": list(bus.ALL_BUT[queue])}}]
    else:
        assert tuple(key["wildcard"] for key in keys) == bus.OBJECTS[queue]
