"""Five hundred stages at once, and calls so slow that no sweep reaches them all: each has its turn
all the same, and so have the machines that nobody needs. Time is virtual."""

from __future__ import annotations

from datetime import timedelta

from porewatch.adapters.items import stored
from porewatch.adapters.ledger import stages
from porewatch.domain.rules.liveness import SHOWS_LATE
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.monitoring.monitor_instances import ENDS_S
from simulator.deployed import timeouts
from simulator.ec2 import Instance
from simulator.scheduler import START
from simulator.world import World

STAGES = 500
CALL_S = 0.05
"""Three calls for each stage: 75 s for all of them, of which the monitor has 50."""


def record(number: int) -> StageRecord:
    return StageRecord(
        run_id=f"run-{number:03d}",
        revision=0,
        stage="screen",
        epoch=1,
        state=StageState.LAUNCHED,
        phases=(Phase.QUALITY_CONTROL,),
        instance_id=f"i-{number:03d}",
        instance_type="m6i.2xlarge",
        purchase="on-demand",
        launched_at=START,
        boot_deadline_s=24 * 3600,
        updated_at=START,
    )


def instance(record: StageRecord, name: str, epoch: int = 1) -> Instance:
    told = {"run_id": record.run_id, "revision": 0, "stage": record.stage, "epoch": epoch}
    return Instance(
        name=name,
        type="m6i.2xlarge",
        zone="eu-central-1a",
        spot=False,
        tags=Owner.model_validate({"stack": "porewatch", **told}).tags(),
        launched_at=START - timedelta(hours=1),
        shows_at=0.0,
        history=[(0.0, "running", "")],
    )


def crowd() -> World:
    """Machines that boot for long. The last stage's has died, and an older one of it lives."""
    world = World(seed=1)
    world._wire._latency = lambda _: CALL_S
    for number in range(STAGES):
        there = record(number)
        world.ledger.put_item(TableName="ledger", Item=stored(stages._item(there)))
        if number < STAGES - 1:
            world.ec2.instances[f"i-{number:03d}"] = instance(there, f"i-{number:03d}")
    world.ec2.instances["i-zzz"] = instance(record(STAGES - 1), "i-zzz", epoch=0)
    world.machines.healthy = lambda _: False  # type: ignore[method-assign]
    world.machines.end = lambda ended, why, **_: world.log(f"{ended.name} is ended")  # type: ignore[method-assign,assignment]
    return world


def test_a_sweep_stops_well_before_its_function_is_stopped() -> None:
    assert max(ENDS_S.values()) + 5 < timeouts()["instance_monitor"]


def test_among_five_hundred_stages_the_last_is_looked_after_and_the_last_machine_too() -> None:
    world = crowd()
    with world.under_way():
        world.advance(SHOWS_LATE.total_seconds() + 300.0)
        ledger = world.ledger.items[f"RUN#run-{STAGES - 1:03d}"]
        state = ledger["STAGE#0000#screen"]["state"]["S"]
        world.advance(30 * 60.0)
    assert state == "failed"
    assert [line for line in world.trace if "takes too long" in line] == []
    assert [line for line in world.trace if "i-zzz is ended" in line]
