"""The process dies after every call of AWS, one call at a time; and everything at once, by seeds.

More seeds, and the trace of one: `python -m simulator --help`.
"""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from simulator.crashes import crashes, every_call
from simulator.schedules import played
from simulator.weather import Weather
from simulator.work import Plan
from simulator.world import World

SCHEDULES = int(os.environ.get("POREWATCH_SCHEDULES", "24"))
PARTS = 4


FEW = 3
"""Crashes of one kind of process that `make test` tries, evenly spread; `make test-all`: each."""


@pytest.mark.parametrize("most", [FEW, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in every_call()}))
def test_a_process_may_die_at_any_call(kind: str, most: int | None) -> None:
    crashes_of_it = [crash for crash in every_call() if crash[0] == kind]
    step = max(1, len(crashes_of_it) // most) if most else 1
    for planned in crashes_of_it[::step]:
        struck, outcome = crashes(planned)

        assert not struck.startswith("nothing"), struck
        assert outcome.broken == (), f"{struck}\n{outcome.describe()}"
        assert outcome.state == "completed", f"{struck}\n{outcome.describe()}"


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_goes_wrong_at_once_every_rule_holds(part: int) -> None:
    states = set()
    for seed in range(part, SCHEDULES, PARTS):
        outcome = played(seed)
        states.add(outcome.state)

        assert outcome.broken == (), outcome.describe()
    assert "completed" in states


def test_functions_that_cannot_be_called_for_long_cost_no_healthy_machine() -> None:
    """Ten and more minutes without any function: every beat waits in the queue, and the state
    machine hears nothing. It used to end all machines then, on silence alone."""
    for seed in range(2):
        start = 100.0 + seed * 30
        weather = Weather(outages=((start, start + 660 + seed * 100),))
        outcome = played(seed, weather, plan=Plan(units=30))

        assert outcome.broken == (), outcome.describe()
        assert (outcome.state, outcome.machines) == ("completed", 2), outcome.describe()


def test_two_environments_of_one_function_share_nothing() -> None:
    """At this seed, two of them once wrote in one transaction, and a row was lost: in the
    simulator alone, for Lambda gives each environment one invocation at a time."""
    outcome = played(4766)

    assert outcome.broken == (), outcome.describe()


@pytest.mark.parametrize(("began", "breaks"), [(70.0, True), (60.0, False)])
def test_a_worker_that_begins_after_the_claim_of_another_and_works_breaks_a_rule(
    began: float, breaks: bool
) -> None:
    """Before the claim reaches the ledger two duplicates of a job may both work (seed 18884)."""
    world = World(0)
    owner = ("run-1", "0", "report", "1")
    world._claims[owner] = 65.0
    first, second = (
        SimpleNamespace(instance=SimpleNamespace(name=name, owner=owner), worked=False, began=at)
        for name, at in (("job-0001", 50.0), ("job-0002", began))
    )
    world.machines.boxes = {"job-0001": first, "job-0002": second}  # type: ignore[dict-item]

    for box in (first, second):
        world._works(SimpleNamespace(box=box))  # type: ignore[arg-type]

    assert bool(world.violations) is breaks
