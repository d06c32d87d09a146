"""Guards taken out one by one: the schedules must notice each of them, or they prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from porewatch.adapters.ledger import stages as stage_ledger
from porewatch.compute import ec2_fleet
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.rules import (
    fencing,
    liveness,
)
from porewatch.domain.stage.instances import LaunchIntent
from simulator.crashes import launches_that_come_to_nothing, zombies
from simulator.schedules import Outcome, played
from simulator.weather import Weather

Patch = pytest.MonkeyPatch
LAUNCHES = Weather(dies=0.01, lost_answers=0.02, twice=0.05, broken=0.03, shows_late_s=60.0)
MESSAGES = Weather(lost=0.1, late_s=60.0, double=0.3, troubled=0.9, dies=0.005)
SEEDS = range(60)


def in_weather(weather: Weather) -> Iterator[Outcome]:
    return (played(seed, weather) for seed in SEEDS)


def first_caught(schedules: Iterable[Outcome], sign: str) -> str | None:
    """The first sentence with this sign in it that any of the schedules gives."""
    said = (sentence for outcome in schedules for sentence in outcome.broken)
    return next((sentence for sentence in said if sign in sentence), None)


def without_client_token(patch: Patch) -> None:
    request = ec2_fleet.fleet_request

    def tokenless(spec: Any) -> Any:
        asked = request(spec)
        del asked["ClientToken"]
        return asked

    patch.setattr(ec2_fleet, "fleet_request", tokenless)


def without_stored_intent(patch: Patch) -> None:
    def kept(self: object, intent: LaunchIntent) -> LaunchIntent:
        return intent

    patch.setattr(stage_ledger.StageLedger, "record_launch_intent", kept)


def without_epochs(patch: Patch) -> None:
    patch.setattr(fencing, "current", lambda record, epoch: record)
    patch.setattr(fencing, "mine", lambda record, epoch, instance_id: record)


def unknown_is_dead(patch: Patch) -> None:
    why = because(RunCode.MACHINE_UNKNOWN, name="i-0")
    dead = liveness.LivenessVerdict(life=liveness.Life.DEAD, error="WorkerLost", why=why)
    patch.setattr(liveness, "UNKNOWN", dead)


def money_is_kept(patch: Patch) -> None:
    patch.setattr(stage_ledger.StageLedger, "release_money", lambda self, owner, at: None)


def slow_boots() -> Iterator[Outcome]:
    """Every machine claims its stage a minute after its boot deadline: one sweep or two find it
    overdue, which is no verdict yet."""
    yield played(1, Weather(boot_s=(660.0, 665.0)))


def launches() -> Iterator[Outcome]:
    return in_weather(LAUNCHES)


def messages() -> Iterator[Outcome]:
    return in_weather(MESSAGES)


Schedules = Callable[[], Iterator[Outcome]]
PLANTS: dict[str, tuple[Callable[[Patch], None], Schedules, str]] = {
    "the client token": (without_client_token, launches, "two machines live"),
    "the intent before the launch": (without_stored_intent, launches, "two machines live"),
    "the epoch of a message": (without_epochs, messages, "was healthy and is killed"),
    "the third verdict": (unknown_is_dead, slow_boots, "was healthy and is killed"),
    "giving money back": (
        money_is_kept,
        launches_that_come_to_nothing,
        "money is still held",
    ),
}


@pytest.mark.parametrize("guard", PLANTS)
def test_without_this_guard_a_schedule_breaks(guard: str, monkeypatch: Patch) -> None:
    plant, schedules, sign = PLANTS[guard]
    plant(monkeypatch)

    assert first_caught(schedules(), sign) is not None


def test_with_the_third_verdict_a_machine_that_boots_slowly_is_left_alone() -> None:
    (outcome,) = slow_boots()

    assert (outcome.state, outcome.machines, outcome.broken) == ("completed", 2, ())


def test_a_zombie_that_wakes_up_later_changes_nothing() -> None:
    outcomes = list(zombies())

    assert [outcome.describe() for outcome in outcomes if outcome.broken] == []
    assert {outcome.state for outcome in outcomes} == {"completed"}
    assert max(outcome.machines for outcome in outcomes) > 2  # some had a successor


@pytest.mark.parametrize("weather", [LAUNCHES, MESSAGES], ids=["launches", "messages"])
def test_with_all_guards_the_same_schedules_hold(weather: Weather) -> None:
    broken = {
        seed: outcome.broken for seed in range(8) if (outcome := played(seed, weather)).broken
    }

    assert broken == {}
