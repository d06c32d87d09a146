"""EventBridge: our bus with its rules, and events that AWS itself sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import count
from typing import Any

from simulator.installed import SETTINGS
from simulator.scheduler import Scheduler
from simulator.sqs import Sqs
from simulator.stepfunctions import Execution
from simulator.weather import Weather

NOTIFIED = {
    *("PathogenSuspected", "FileQuarantined", "LaunchRefused", "StageStalled"),
    *("SuspicionConfirmed", "SuspicionWithdrawn", "SuspicionUnconfirmed", "AlertEscalated"),
    *("RunRefused", "RunFailed", "RunCancelled", "RunCompleted", "ObjectAnswered"),
    *("RunStands", "RunHeld", "HoldReleased", "RunDeleted"),
}
RULES: dict[str, Callable[[str], bool]] = {
    "metric": lambda _: True,
    "cost": lambda kind: kind == "InstanceTerminated",
    "alert": lambda kind: kind in NOTIFIED,
    "status": lambda _: True,
    "intake": lambda kind: kind in ("FileValidated", "FileQuarantined"),
}
"""Queue -> which facts it gets (as in template.yaml)."""
OBJECTS = {
    "intake": ("runs/*/run.json", "runs/*/final_summary*.txt"),
    "bundles": ("*.tar",),
}
"""Queue -> keys whose events it gets."""
ALL_BUT = {
    "files": ("quarantine/*", "manifests/*", *OBJECTS["intake"], *OBJECTS["bundles"]),
}
"""Queue -> the only keys whose events it does not get."""


def gets_key(queue: str, key: str) -> bool:
    if queue in ALL_BUT:
        return not any(fnmatch(key, pattern) for pattern in ALL_BUT[queue])
    return any(fnmatch(key, pattern) for pattern in OBJECTS[queue])


@dataclass(frozen=True)
class Targets:
    """The queues behind the rules: deliveries come late, or twice."""

    sqs: Sqs
    scheduler: Scheduler
    weather: Callable[[], Weather]
    log: Callable[[str], None]

    def deliver(self, queue: str, event: dict[str, Any]) -> None:
        weather, rng = self.weather(), self.scheduler.rng
        for _ in range(1 + (rng.random() < weather.double)):
            late = weather.delay(rng, 0.05, weather.late_s)
            self.scheduler.after(late, lambda: self._put(queue, event))

    def _put(self, queue: str, event: dict[str, Any]) -> None:
        """Rules try for a day: what cannot go now goes later."""
        weather, now = self.weather(), self.scheduler.now
        if weather.gone("sqs", now) or weather.gone("events", now):
            self.scheduler.after(60.0, lambda: self._put(queue, event))
            return
        self.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))


class Bus:
    """`published` counts each fact that got onto the bus, by its id."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._numbers = count(1)
        self.published: dict[str, int] = {}

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        weather, rng = self._targets.weather(), self._targets.scheduler.rng
        answers: list[dict[str, str]] = []
        for entry in Entries:
            if rng.random() < weather.throttled:
                answers.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
                continue
            self._fact(entry)
            answers.append({"EventId": str(next(self._numbers))})
        return {"FailedEntryCount": sum("ErrorCode" in a for a in answers), "Entries": answers}

    def _fact(self, entry: dict[str, Any]) -> None:
        kind, detail = entry["DetailType"], json.loads(entry["Detail"])
        self.published[detail["fact_id"]] = self.published.get(detail["fact_id"], 0) + 1
        event = self._event("porewatch", kind, detail)
        for queue, wants in RULES.items():
            if wants(kind):
                self._targets.deliver(queue, event)

    def object_created(self, bucket: str, key: str, size: int, etag: str) -> None:
        number = next(self._numbers)
        found = {"key": key, "size": size, "etag": etag, "sequencer": f"0065{number:014X}"}
        event = self._event(
            "aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": found}
        )
        for queue in (*ALL_BUT, *OBJECTS):
            if gets_key(queue, key):
                self._targets.deliver(queue, event)

    def of_ec2(self, detail_type: str, detail: dict[str, str]) -> dict[str, Any]:
        return self._event("aws.ec2", detail_type, detail)

    def clock(self) -> dict[str, Any]:
        return self._event("aws.events", "Scheduled Event", {})

    def execution_ended(self, execution: Execution) -> dict[str, Any]:
        detail = {
            "status": execution.status,
            "executionArn": f"{SETTINGS['STATE_MACHINE_ARN']}:{execution.name}".replace(
                ":stateMachine:", ":execution:"
            ),
            "input": execution.input,
            "error": execution.error,
            "cause": execution.cause,
        }
        return self._event("aws.states", "Step Functions Execution Status Change", detail)

    def _event(self, source: str, detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": f"event-{next(self._numbers)}",
            "detail-type": detail_type,
            "source": source,
            "time": self._targets.scheduler.clock().isoformat(),
            "detail": detail,
        }
