"""What the simulator copied from template.yaml by hand is what the template says, and every
function takes part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import SOURCE
from porewatch.domain.uploads import intake
from porewatch_local.stack_template.event_patterns import matches
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)
from simulator import bus, deployed, lambdas

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
FUNCTIONS = {folder_of(name): own for name, own in TEMPLATE.functions.items()}
RULES = TEMPLATE.of_type("AWS::Events::Rule")


def patterns_for(queue: str) -> list[dict[str, Any]]:
    return [
        rule["EventPattern"]
        for rule in RULES.values()
        if "EventPattern" in rule  # the clock's message, which nobody simulates, has none
        and f"{queue.capitalize()}Queue" in {target(to["Arn"]) for to in rule["Targets"]}
    ]


NOT_SIMULATED = {
    "credential_broker": "machines call it, and nothing in the simulator would refuse one",
    "signed_printer": "a signature calls it, and the simulated people sign nothing",
    "authorizer": "API Gateway calls it, and the simulated people are operators",
}


def test_every_function_runs_in_the_simulated_world() -> None:
    """Called by the state machine, a queue, a clock, the stream, an event or a person."""
    tasks = {
        folder_of(state["Arguments"]["FunctionName"].strip("${}"))
        for machine in TEMPLATE.state_machines.values()
        for state in machine["States"].values()
        if state["Type"] == "Task"
    }
    called = tasks | {reader.function for reader in deployed.readers().values()}
    called |= {*deployed.schedules(), "fact_publisher", "instance_monitor", "error_handler"}
    called |= {function for function, _ in deployed.sources("Api")}  # people.py
    assert called == set(FUNCTIONS) - set(NOT_SIMULATED)


def test_a_look_of_the_intake_is_claimed_longer_than_its_function_runs() -> None:
    """And shorter than its message is hidden: whoever died in it is followed by its own message."""
    claim = intake.CLAIM.total_seconds()
    hidden = TEMPLATE.of_type("AWS::SQS::Queue")["IntakeQueue"]["VisibilityTimeout"]
    assert FUNCTIONS["pipeline_orchestrator"]["Timeout"] < claim < hidden


def test_an_event_that_fails_comes_again_as_often_as_on_aws() -> None:
    for function in ("instance_monitor", "error_handler", "leftover_reaper", "report_generator"):
        assert deployed.tries_of_an_event(function) <= len(lambdas.AGAIN_S) + 1


@pytest.mark.parametrize("queue", sorted(bus.RULES))
def test_a_queue_gets_the_same_facts(queue: str) -> None:
    patterns = [p for p in patterns_for(queue) if "aws.s3" not in p["source"]]
    expected = {
        name
        for name in FACTS
        if any(matches(p, {"source": SOURCE, "detail-type": name}, {}) for p in patterns)
    }
    assert expected
    assert {name for name in FACTS if bus.RULES[queue](name)} == expected


@pytest.mark.parametrize("queue", sorted({*bus.OBJECTS, *bus.ALL_BUT}))
def test_a_queue_gets_the_same_objects(queue: str) -> None:
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
