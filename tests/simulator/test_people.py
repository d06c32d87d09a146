"""What people do to a run while everything else goes on, each act by itself on virtual time."""

from __future__ import annotations

import pytest

from simulator.calls import Call, Fate
from simulator.invariants import broken
from simulator.people import LOOKS
from simulator.schedules import RUN
from simulator.weather import CLEAR, Weather
from simulator.world import World


def played(weather: Weather = CLEAR, seed: int = 4) -> World:
    world = World(seed=seed, weather=weather)
    world.submit(RUN)
    world.play()
    assert broken(world) == []
    return world


@pytest.mark.parametrize("at", [0.5, 3.0, 20.0, 60.0, 90.0, 120.0, 180.0])
@pytest.mark.parametrize("heard", [0.0, 1.0])
def test_a_run_that_is_cancelled_at_any_moment_ends_whole(at: float, heard: float) -> None:
    world = played(Weather(people=((at, "cancel"),), lost_endings=1.0 - heard))
    assert world.state(RUN) == "cancelled"
    assert {e.status for e in world.stepfunctions.executions.values()} <= {"ABORTED", "FAILED"}
    ((what, answer),) = world.people.answers
    assert (what, answer["state"]) == ("cancel", "cancelled")


def test_a_run_that_is_over_is_not_cancelled() -> None:
    world = played()
    with world.under_way():
        world.people.act("cancel", RUN)
        world.advance(600.0)
    assert (world.state(RUN), world.people.answers) == ("completed", [("cancel", "RunOver")])


class DiesOnce:
    """The canceller's process is gone before its `number`-th call, and the person gives up."""

    def __init__(self, number: int) -> None:
        self._number, self._left = number, 1

    def __call__(self, call: Call) -> Fate | None:
        if call.process.kind != "run_canceller" or call.number != self._number or not self._left:
            return None
        self._left = 0
        return Fate.DIES_BEFORE


@pytest.mark.parametrize("number", range(2, 22, 3))
def test_a_canceller_that_dies_is_finished_by_the_sweep(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.people.AGAIN_S", 1e6)
    weather = Weather(people=((90.0, "cancel"),), lost_endings=1.0)
    world = World(seed=4, weather=weather, decide=DiesOnce(number))
    world.submit(RUN)
    with world.under_way():
        world.advance(3000.0)
    assert world.state(RUN) == "cancelled"
    assert not world.unfinished(RUN)
    assert all(instance.state == "terminated" for instance in world.instances())


@pytest.mark.parametrize("seed", range(4))
def test_a_tar_becomes_a_run(seed: int) -> None:
    world = played(Weather(by_tar=True, double=0.3), seed)
    assert world.state(RUN) == "completed"
    assert world.lambdas.invocations["bundle_unpacker"] >= 1
    assert f"runs/{RUN}/fastq/a.fastq" in world.s3.buckets["raw"]


def test_the_api_is_asked_at_any_moment() -> None:
    moments = (0.0, 1.0, 10.0, 100.0)
    world = played(Weather(people=tuple((at, "look") for at in moments)))
    with world.under_way():
        world.people.act("look", RUN)
        world.advance(60.0)
    told = dict(world.people.answers)
    assert {path for path, _ in world.people.answers} == {p.format(run_id=RUN) for p in LOOKS}
    assert set(told.values()) == {200}, "in the end each of them has something to show"
    assert dict(world.people.answers[: len(LOOKS)])[f"/runs/{RUN}"] == 404


def test_a_hold_covers_what_comes_later_and_its_release_frees_all() -> None:
    world = played(Weather(people=((60.0, "hold"),)))
    with world.under_way():
        world.advance(2 * 3600.0)
        raw, reports = world.s3.buckets["raw"], world.s3.buckets["reports"]
        there = {("raw", key) for key in raw} | {("reports", key) for key in reports}
        assert world.s3.held >= {(b, k) for b, k in there if k.startswith("runs/")}
        world.people.act("delete", RUN)
        world.advance(600.0)
        assert world.people.answers[-1] == ("delete", "UnderHold")
        world.people.act("release", RUN)
        world.advance(600.0)
    assert world.s3.held == set()


def test_a_deleted_run_is_gone_from_every_place() -> None:
    world = played()
    rows = world.registry.tables
    assert len(rows["workflow_records"]) == len(rows["samples"]) == 1
    with world.under_way():
        world.people.act("delete", RUN)
        world.advance(600.0)
        assert world.people.answers == [("delete", "RunNotOver")], "its alert waits for somebody"
        world.people.act("acknowledge", RUN)
        world.advance(600.0)
        world.people.act("delete", RUN)
        world.advance(3 * 3600.0)
    assert world.state(RUN) == "deleted"
    left = {b: [k for k in keys if RUN in k] for b, keys in world.s3.buckets.items()}
    assert set(map(len, left.values())) == {0}, left
    assert [name for name, there in rows.items() if there] == [
        "schema_migrations",
        "costs",
        "deleted_runs",
    ]
    kept = {sk.split("#")[0] for sk in world.ledger.items[f"RUN#{RUN}"]}
    assert kept == {"RUN", "PROJECT", "FACT"}
