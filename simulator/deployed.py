"""Functions, queues, rules and schedules, read from template.yaml: nothing of it is copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)


@dataclass(frozen=True)
class Reader:
    """A queue's function: `batch` messages at once, hidden for `visibility_s`, `tries` in all."""

    function: str
    batch: int
    visibility_s: float
    tries: int


@cache
def template() -> Template:
    return Template.load(Path(__file__).resolve().parents[1] / "template.yaml")


@cache
def timeouts() -> dict[str, float]:
    """Seconds that a function may take."""
    return {folder_of(name): own["Timeout"] for name, own in template().functions.items()}


@cache
def readers() -> dict[str, Reader]:
    """Queue -> who reads it. `FilesQueue` is `files` here."""
    queues = template().of_type("AWS::SQS::Queue")
    found = {}
    for function, source in sources("SQS"):
        name = target(source["Queue"])
        own = queues[name]
        found[name.removesuffix("Queue").lower()] = Reader(
            function=function,
            batch=source["BatchSize"],
            visibility_s=own["VisibilityTimeout"],
            tries=own["RedrivePolicy"]["maxReceiveCount"],
        )
    return found


@cache
def schedules() -> dict[str, float]:
    """Function -> every how many seconds its clock calls it."""
    return {function: _seconds(own["Schedule"]) for function, own in sources("Schedule")}


@cache
def tries_of_an_event(function: str) -> int:
    """How often an event is handed over when the function fails at it."""
    (own,) = (f for name, f in template().functions.items() if folder_of(name) == function)
    return int(own.get("EventInvokeConfig", {}).get("MaximumRetryAttempts", 2)) + 1


@cache
def stream_batch() -> int:
    ((_, stream),) = sources("DynamoDB")
    return int(stream["BatchSize"])


def clock_of_the_intake() -> tuple[float, str]:
    """Every how many seconds a rule puts which message on the intake queue."""
    ((rule, to),) = (
        (own, to)
        for own in template().of_type("AWS::Events::Rule").values()
        for to in own["Targets"]
        if "ScheduleExpression" in own and target(to["Arn"]) == "IntakeQueue"
    )
    return _seconds(rule["ScheduleExpression"]), to["Input"]


def sources(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, own in template().functions.items():
        for event in own.get("Events", {}).values():
            if event["Type"] == kind:
                yield folder_of(name), event["Properties"]


def _seconds(rate: str) -> float:
    found = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", rate)
    assert found, rate
    return int(found[1]) * {"minute": 60.0, "hour": 3600.0}[found[2]]
