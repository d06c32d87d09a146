"""What the product promises about machines, each promise by itself on virtual time."""

from __future__ import annotations

import json
from datetime import datetime

from simulator.batch import Job
from simulator.calls import Call, Fate
from simulator.invariants import broken, items
from simulator.machine import BROKEN, CLOUD, Box
from simulator.scheduler import START
from simulator.schedules import RUN
from simulator.weather import CLEAR, Weather
from simulator.work import Plan
from simulator.world import World


def played(
    weather: Weather = CLEAR, *, lost: tuple[str, ...] = (), plan: Plan | None = None
) -> World:
    world = World(seed=4, weather=weather, plan=plan or Plan())
    world.always_lost = frozenset(lost)
    world.submit(RUN)
    world.play()
    assert broken(world) == []
    return world


def facts(world: World, kind: str) -> list[dict[str, str]]:
    """The bodies of all facts of a kind, oldest first."""
    there = world.ledger.items[f"RUN#{RUN}"]
    found = [
        json.loads(item["detail"]["S"])
        for item in there.values()
        if item.get("detail_type", {}).get("S") == kind
    ]
    return sorted(found, key=lambda fact: fact["at"])


def seconds(fact: dict[str, str]) -> float:
    return (datetime.fromisoformat(fact["at"]) - START).total_seconds()


def test_refused_spot_it_gets_on_demand_at_once() -> None:
    world = played(Weather(full=("spot",), full_until=1e9))

    assert [instance.spot for instance in world.instances()] == [False, False]
    assert seconds(facts(world, "InstanceLaunched")[0]) < 20
    assert world.state(RUN) == "completed"


def test_refused_by_ec2_altogether_it_goes_to_batch() -> None:
    weather = Weather(full=("spot", "on-demand"), full_until=1e9, executor="ec2-then-batch")
    world = played(weather)

    assert all(isinstance(instance, Job) for instance in world.instances())
    assert world.state(RUN) == "completed"


def test_an_outage_of_batch_is_nothing_to_stages_that_ec2_has_machines_for() -> None:
    def down(call: Call) -> Fate | None:
        return Fate.BROKEN if call.service == "batch" else None

    down.stays = True  # type: ignore[attr-defined]
    world = World(seed=4, weather=Weather(executor="ec2-then-batch"), decide=down)
    world.submit(RUN)
    world.play()

    assert world.state(RUN) == "completed"
    assert len(world.instances()) == 2
    assert facts(world, "StageFailed") == []


def test_every_rung_that_refused_is_told_with_its_reason_and_the_wait_too() -> None:
    full = ("spot", "on-demand")
    world = played(Weather(full=full, full_until=100.0))

    told = [fact for fact in facts(world, "LaunchRefused") if fact["epoch"] == 1]
    assert [fact["asked"] for fact in told][-1] == "on-demand"
    assert [fact["asked"] for fact in told[1:]] == [fact["then"] for fact in told[:-1]]
    assert told[-1]["then"] == "wait, and ask all of them again"
    assert all("InsufficientInstanceCapacity" in fact["problem"] for fact in told)
    (waits, *_) = facts(world, "StageFailed")
    assert "all are asked again in" in waits["then"]
    order = json.loads(world.s3.buckets["results"][f"runs/{RUN}/r0/report/order.json"].content)
    lines = [line["what"] for line in order["timeline"] if "no machine" in line["what"]]
    assert lines[0] == "screen: no machine from EC2, spot"


def test_refused_everywhere_it_waits_and_goes_on_when_there_is_room() -> None:
    full = ("spot", "on-demand", "batch")
    world = played(Weather(full=full, full_until=3000.0, executor="ec2-then-batch"))

    refused = [fact for fact in facts(world, "StageFailed") if "Capacity" in fact["error"]]
    assert refused
    assert all(fact["will_retry"] for fact in refused)
    assert seconds(facts(world, "StageClaimed")[0]) >= 3000
    assert world.state(RUN) == "completed"


def test_a_lost_callback_is_repaired_by_the_sweep_within_six_minutes() -> None:
    world = played(lost=("published",))

    for stage in facts(world, "StageCompleted"):
        key = f"runs/{RUN}/r0/{stage['stage']}/manifest.json"
        written = world.s3.buckets["results"][key].modified
        told = datetime.fromisoformat(stage["at"])
        assert (told - written).total_seconds() <= 360
    assert len(world.instances()) == 2


def test_beats_that_get_lost_cost_a_living_machine_nothing() -> None:
    """Twenty minutes of work, several times as long as silence is borne."""
    world = played(lost=("beat",), plan=Plan(units=20))

    assert len(world.instances()) == 2
    assert world.state(RUN) == "completed"


def test_a_stage_that_takes_all_its_time_does_not_pay_for_its_machines_start() -> None:
    """Two hours less some seconds of work, which the deadline counts from the claim; the state
    machine has waited since the launch."""
    world = played(plan=Plan(units=6, unit_s=1196.0))

    assert facts(world, "StageFailed") == []
    assert len(world.instances()) == 2


def _struck(
    how: str, weather: Weather = CLEAR, *, lost: tuple[str, ...] = ()
) -> tuple[World, float]:
    """A machine is struck at its second unit: the world, and when that was."""
    world = World(seed=6, weather=weather, plan=Plan(units=6))
    world.always_lost = frozenset(lost)
    world.submit(RUN)
    with world.under_way():
        world.advance(180.0)
        (box,) = world.machines.boxes.values()
        at = world.scheduler.now
        _strike(world, box, how)
        world.finish()
    assert broken(world) == []
    assert world.state(RUN) == "completed"
    return world, at


def _strike(world: World, box: Box, how: str) -> None:
    match how:
        case "notice":
            world.machines.notice(box)
        case "death":
            world.machines.end(box.instance, BROKEN, at_once=True)
        case "reclaimed":
            world.machines.end(box.instance, CLOUD, at_once=True)
        case "silence":
            world.scheduler.freeze(box.process, 1e9)


def test_after_a_notice_the_successor_is_asked_for_within_ten_seconds_of_the_last_unit() -> None:
    world, at = _struck("notice")

    assert seconds(facts(world, "SpotInterrupted")[0]) - at <= 70
    assert seconds(facts(world, "InstanceLaunched")[1]) - at <= 80


def test_a_machine_that_died_is_replaced_within_three_minutes_and_a_silent_one_within_ten() -> None:
    for how, most in (("reclaimed", 180), ("death", 180), ("silence", 600)):
        world, at = _struck(how)
        took = seconds(facts(world, "InstanceLaunched")[1]) - at

        assert took <= most, (how, took)


def test_a_clock_that_is_ahead_hides_no_death() -> None:
    """Nobody relays its beats, so that it writes its own times into the ledger. AWS refuses what is
    signed by a clock that is five minutes off."""
    for how, most in (("death", 180), ("silence", 660)):
        world, at = _struck(how, Weather(ahead_s=299.0), lost=("beat",))
        took = seconds(facts(world, "InstanceLaunched")[1]) - at

        assert took <= most, (how, took)


def test_an_interruption_redoes_one_unit_at_most() -> None:
    for how in ("notice", "death", "silence"):
        world, _ = _struck(how)
        manifest = world.s3.buckets["results"][f"runs/{RUN}/r0/screen/manifest.json"].content

        assert json.loads(manifest)["units_redone"] <= 1


def test_the_budget_stops_a_run_before_the_launch_that_would_exceed_it() -> None:
    world = World(seed=4)
    world.submit(RUN)
    with world.under_way(RUN_BUDGET_USD="0.01"):
        world.finish()

    assert broken(world) == []
    assert world.instances() == []
    assert world.state(RUN) == "failed"
    assert [body for _, _, body in items(world, "COST#") if body["what"] == "machine"] == []
