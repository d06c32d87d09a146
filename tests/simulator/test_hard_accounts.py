"""What a young or unlucky account does to runs, on virtual time: each of them ends right.

On the embedded AWS: tests/cloud/test_hard_accounts.py. A bundle that is not there is refused before
anything runs: tests/functional/test_pipeline_orchestrator.py, tests/cli/test_choices.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from porewatch.adapters.messages import worker_queue
from porewatch.domain.stage.worker_messages import WORKER_MESSAGE
from simulator.invariants import broken
from simulator.schedules import RUN
from simulator.weather import Weather
from simulator.world import World
from tests.simulator.test_promises import facts, played

FOREVER = 1e9
NO_SPOT: dict[str, Any] = {"full": ("spot",), "full_until": FOREVER}
ZONE = "eu-central-1c"


def test_spot_has_no_machine_anywhere() -> None:
    world = played(Weather(**NO_SPOT))

    assert world.state(RUN) == "completed"
    assert {machine.spot for machine in world.instances()} == {False}
    asked = {fact["purchase"] for fact in facts(world, "LaunchRefused")}
    assert asked == {"spot"}


def test_on_demand_has_machines_in_one_zone_only() -> None:
    world = played(Weather(**NO_SPOT, on_demand_in=(ZONE,)))

    assert world.state(RUN) == "completed"
    assert {(machine.spot, machine.zone) for machine in world.instances()} == {(False, ZONE)}
    assert facts(world, "StageFailed") == []


def test_two_machines_that_die_in_boot_cost_the_run_nothing_but_their_time() -> None:
    world = played(Weather(stillborn=2))

    assert [fact["error"] for fact in facts(world, "StageFailed")] == ["WorkerLost"] * 2
    assert len(world.instances()) == 2 + 2
    assert world.state(RUN) == "completed"


def test_when_three_machines_in_a_row_die_in_boot_the_run_ends_and_says_so() -> None:
    """A fourth would die of the same. What `played` asks holds too: no machine is left, each is on
    the bill, no money stays held."""
    world = played(Weather(stillborn=3))

    assert [fact["error"] for fact in facts(world, "StageFailed")] == ["WorkerLost"] * 3
    assert len(world.instances()) == 3
    assert world.state(RUN) == "failed"
    (failed,) = facts(world, "RunFailed")
    assert failed["error"] == "WorkerLost"


def many_runs(runs: int, concurrency: int) -> World:
    world = World(seed=4, weather=Weather(concurrency=concurrency))
    names = [f"run-{number}" for number in range(runs)]
    for name in names:
        world.submit(name)
    world.play()
    assert broken(world) == []
    assert {world.state(name) for name in names} == {"completed"}
    return world


def test_an_account_that_runs_three_functions_at_once() -> None:
    assert sum(many_runs(3, concurrency=3).lambdas.throttled.values()) > 0


@pytest.mark.slow
def test_an_account_that_runs_ten_functions_at_once() -> None:
    """As a new one. Files and seals of sixteen runs alone are more."""
    world = many_runs(16, concurrency=10)
    assert len(world.lambdas.throttled) > 3
    assert len(world.instances()) == 2 * 16


RECORDED = Path(__file__).parents[1] / "contract" / "recorded"
STAYS = {"user_id"}
"""An image that does not say under which name it writes is not believed (docs/adr/0010)."""


def as_recorded(told: Any, known: Any) -> Any:
    """What of a document an image of the recorded version would have written."""
    if not isinstance(told, dict) or not isinstance(known, dict) or not known:
        return told
    return {name: as_recorded(told[name], known[name]) for name in told if name in known}


class OlderWords:
    """How an older image says its messages; what it proves is what it sends."""

    def __init__(self) -> None:
        self.left_out: set[str] = set()

    def dump_json(self, message: Any) -> bytes:
        told = json.loads(WORKER_MESSAGE.dump_json(message))
        path = RECORDED / f"worker_message.{message.kind}.json"
        if path.exists():
            older = as_recorded(told, json.loads(path.read_text()) | dict.fromkeys(STAYS))
            self.left_out |= set(told) - set(older)
            told = older
        return json.dumps(told).encode()


def test_a_stack_one_version_newer_meets_an_older_image() -> None:
    """The image leaves out what its version does not know; the stack's orders hold what no version
    of the image knows."""
    world, words = World(seed=4), OlderWords()
    world.submit(RUN)
    written, newer = world.s3.put_object, []

    def put_object(**request: Any) -> Any:
        if request["Key"].endswith("/order.json"):
            newer.append(request["Key"])
            told = {**json.loads(request["Body"]), "of_a_later_version": {"deep": 1}}
            request["Body"] = json.dumps(told).encode()
        return written(**request)

    with (
        patch.object(world.s3, "put_object", put_object),
        patch.object(worker_queue, "WORKER_MESSAGE", words),
    ):
        world.play()

    assert broken(world) == []
    assert world.state(RUN) == "completed"
    assert words.left_out == {"starts", "breadth", "identity", "rule", "why"}
    assert len(newer) == 2
