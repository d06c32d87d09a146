"""One run in clear weather: the whole product on virtual time."""

from __future__ import annotations

import pytest

from simulator.invariants import broken
from simulator.world import World


@pytest.fixture(scope="module")
def clean() -> World:
    world = World(seed=1)
    world.submit("run-1")
    world.play()
    return world


def test_a_run_nothing_happens_to_is_completed(clean: World) -> None:
    assert clean.state("run-1") == "completed"
    assert broken(clean) == []


def test_it_takes_one_machine_a_stage(clean: World) -> None:
    stages = [instance.owner[2:] for instance in clean.ec2.instances.values()]

    assert stages == [("screen", "1"), ("report", "1")]


def test_it_stays_within_fifty_transitions_and_three_hundred_events(clean: World) -> None:
    (execution,) = clean.stepfunctions.executions.values()

    assert execution.transitions <= 50
    assert execution.events <= 300


def test_the_same_seed_gives_the_same_world() -> None:
    def traced() -> list[str]:
        world = World(seed=7)
        world.submit("run-1")
        world.play()
        return world.trace

    assert traced() == traced()


def test_ten_runs_at_once_do_not_get_into_each_others_way() -> None:
    world = World(seed=2)
    for number in range(10):
        world.submit(f"run-{number}")
    world.play()

    assert {world.state(run) for run in world.runs} == {"completed"}
    assert broken(world) == []
