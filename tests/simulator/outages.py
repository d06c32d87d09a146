"""One service at a time is away, then two at once: what that costs. `python -m tests.simulator
--outages` prints the table of docs/simulator.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.simulator.schedules import played
from tests.simulator.weather import CLEAR, Weather
from tests.simulator.work import Plan

SERVICES = ("dynamodb", "s3", "sqs", "stepfunctions", "ec2", "batch", "events", "lambda")
MINUTES = (10, 30, 60)
PLAN = Plan(units=24)
"""Half an hour of work a stage: an outage of ten minutes may lie within one."""
FIRST_S, STEP_S = 1.0, 240.0


@dataclass(frozen=True)
class Cost:
    """Of the `schedules` in which the services were away, each beginning at another moment."""

    services: tuple[str, ...]
    minutes: int
    schedules: int
    failed: int
    killed: int
    broken: tuple[str, ...]
    machines: int


def weather(services: tuple[str, ...], minutes: int, start: float) -> Weather:
    """Clear, but for these."""
    end = start + minutes * 60.0
    functions = ((start, end),) if "lambda" in services else ()
    away = tuple((name, start, end) for name in services if name != "lambda")
    executor = "batch" if "batch" in services else "ec2"
    return Weather(**{**CLEAR.__dict__, "away": away, "outages": functions, "executor": executor})


def cost(services: tuple[str, ...], minutes: int, schedules: int) -> Cost:
    """Play the outage at so many moments of a run."""
    failed, killed, machines = 0, 0, 0
    broken: list[str] = []
    for number in range(schedules):
        start = FIRST_S + number * STEP_S
        outcome = played(number, weather(services, minutes, start), plan=PLAN)
        failed += outcome.state != "completed"
        killed += sum("was healthy and is killed" in line for line in outcome.broken)
        machines += outcome.machines
        broken += [f"{number}: {line}" for line in outcome.broken]
    return Cost(services, minutes, schedules, failed, killed, tuple(broken), machines)


def every() -> Iterator[tuple[tuple[str, ...], int]]:
    """Each service for each time; each two of them for ten minutes."""
    for name in SERVICES:
        for minutes in MINUTES:
            yield (name,), minutes
    for two in combinations(SERVICES, 2):
        yield two, 10
