"""One call of AWS from inside the simulated world: it takes time, it may fail before or after it
did what it does, it may be sent twice by the SDK, and the process that calls may die of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import SimpleNamespace
from typing import Any

from simulator.faults import lost_answer, refusal
from simulator.scheduler import Killed, Process, Scheduler, process

PAGED = {
    "list_objects_v2": ("ContinuationToken", "NextContinuationToken"),
    "describe_instances": ("NextToken", "NextToken"),
    "list_jobs": ("nextToken", "nextToken"),
    **dict.fromkeys(
        (
            "describe_volumes",
            "describe_network_interfaces",
            "describe_spot_instance_requests",
            "describe_launch_template_versions",
        ),
        ("NextToken", "NextToken"),
    ),
    "list_multipart_uploads": ("KeyMarker", "NextKeyMarker"),
    "list_object_versions": ("KeyMarker", "NextKeyMarker"),
}
THROTTLE = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "ec2": "RequestLimitExceeded",
    "sqs": "RequestThrottled",
}
BROKEN = {"dynamodb": "InternalServerError", "ec2": "InternalError", "s3": "InternalError"}


class Fate(StrEnum):
    """What becomes of one call, after all retries of the SDK."""

    FINE = "fine"
    THROTTLED = "throttled"
    BROKEN = "broken"  # a 5xx, and nothing was done
    DONE_BUT_BROKEN = "done but broken"  # a 5xx, and it was done
    ANSWER_LOST = "answer lost"  # it was done, the answer was lost
    TWICE = "twice"  # it was done, the answer was lost, the SDK sent it again
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    FREEZES = "freezes"  # the machine stands still for a while, then goes on


@dataclass(frozen=True)
class Call:
    """The `number`-th call of its process."""

    process: Process
    number: int
    service: str
    name: str
    at: float

    def __str__(self) -> str:
        return f"{self.process.name} call {self.number} {self.service}.{self.name}"


FROZEN_S = 3000.0
NEVER_TWICE = {"transact_write_items", "submit_job"}
"""boto3 gives the first a token of its own, so that a second try answers as the first one did; the
second is sent by a client that never tries again."""


class Wire:
    """Between a client and its service. `decide` gives the fate of a call."""

    def __init__(
        self,
        scheduler: Scheduler,
        services: dict[str, Any],
        decide: Callable[[Call], Fate],
        latency: Callable[[Call], float],
        log: Callable[[str], None],
    ) -> None:
        self._scheduler, self._services = scheduler, services
        self._decide, self._latency, self._log = decide, latency, log

    def call(self, service: str, name: str, /, *args: Any, **request: Any) -> Any:
        caller = process()
        assert caller is not None, f"{service}.{name} was called from outside of the world"
        if not caller.alive:
            raise Killed
        call = Call(caller, caller.calls, service, name, self._scheduler.now)
        caller.calls += 1
        fate = self._decide(call)
        if fate is Fate.FREEZES:
            self._scheduler.freeze(caller, FROZEN_S * (0.1 + self._scheduler.rng.random()))
        self._scheduler.sleep(self._latency(call))
        if fate is not Fate.FINE:
            self._log(f"{call}: {fate.value}")
        self._before(call, fate)
        act = getattr(self._services[service], name)
        answer = act(*args, **request)
        return self._after(call, fate, answer, partial(act, *args, **request))

    def _before(self, call: Call, fate: Fate) -> None:
        if fate is Fate.DIES_BEFORE:
            self._die(call)
        if fate is Fate.THROTTLED:
            raise refusal(THROTTLE.get(call.service, "ThrottlingException"))
        if fate is Fate.BROKEN:
            raise refusal(BROKEN.get(call.service, "InternalFailure"), status=500)

    def _after(self, call: Call, fate: Fate, answer: Any, again: Callable[[], Any]) -> Any:
        match fate:
            case Fate.DIES_AFTER:
                self._die(call)
            case Fate.DONE_BUT_BROKEN:
                raise refusal(BROKEN.get(call.service, "InternalFailure"), status=500)
            case Fate.ANSWER_LOST:
                raise lost_answer()
            case Fate.TWICE if call.name not in NEVER_TWICE:
                return again()
        return answer

    def _die(self, call: Call) -> None:
        self._scheduler.kill(call.process)
        raise Killed


class Pages:
    """A paginator, page by page over the wire."""

    def __init__(self, call: Callable[..., Any], name: str) -> None:
        self._call = call
        self._token_field, self._next_field = PAGED[name]

    def paginate(self, **request: Any) -> Iterator[Any]:
        while True:
            page = self._call(**request)
            yield page
            if self._next_field not in page:
                return
            request[self._token_field] = page[self._next_field]


class Client:
    """What boto3.client(service) would be."""

    def __init__(self, wire: Wire, service: str) -> None:
        self._wire, self._service = wire, service
        self.meta = SimpleNamespace(region_name="eu-central-1")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        made = partial(self._wire.call, self._service, name)
        setattr(self, name, made)
        return made

    def get_paginator(self, name: str) -> Pages:
        return Pages(getattr(self, name), name)

    def generate_presigned_url(self, operation: str, Params: Any, ExpiresIn: int) -> str:
        return f"https://{Params['Bucket']}.invalid/{Params['Key']}?expires={ExpiresIn}"
