"""One service at a time is away, then two at once: what that costs. `python -m simulator
--outages` prints the table of docs/simulator.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations

from simulator.schedules import played
from simulator.weather import CLEAR, Weather
from simulator.work import Plan

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


def one(cell: tuple[tuple[str, ...], int]) -> Cost:
    return cost(*cell, 6 if len(cell[0]) == 1 else 2)


def table(processes: int) -> int:
    """Print the table; how many cells are not as promised."""
    rows: dict[tuple[str, ...], dict[int, Cost]] = defaultdict(dict)
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(one, every()):
            rows[found.services][found.minutes] = found
    bad = [c for row in rows.values() for c in row.values() if c.failed or c.killed or c.broken]
    print("| away | schedules | runs failed | healthy machines ended |")
    print("|---|---|---|---|")
    for services in (names for names in rows if len(names) == 1):
        for minutes, found in rows[services].items():
            label = f"{services[0]} {minutes} min"
            print(f"| {label} | {found.schedules} | {found.failed} | {found.killed} |")
    pairs = [row[10] for names, row in rows.items() if len(names) == 2]
    counts = (sum(getattr(c, name) for c in pairs) for name in ("schedules", "failed", "killed"))
    print(f"| any two, 10 min ({len(pairs)} pairs) | " + " | ".join(map(str, counts)) + " |")
    for found in bad:
        print(found.services, found.minutes, found.broken[:2])
    return len(bad)
