"""SNS and CloudWatch: they only record."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from simulator.scheduler import process


class Recorder:
    """`notices` (topic, subject) and `metrics` (name, value), in order."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str]] = []
        self.metrics: list[tuple[str, float]] = []

    def publish(self, *, TopicArn: str, Subject: str, **_: Any) -> dict[str, Any]:
        self.notices.append((TopicArn, Subject))
        return {"MessageId": str(len(self.notices))}

    def put_metric_data(self, *, MetricData: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        self.metrics.extend((datum["MetricName"], datum["Value"]) for datum in MetricData)
        return {}


class Kms:
    """One key that derives."""

    def generate_mac(self, *, KeyId: str, Message: bytes, MacAlgorithm: str) -> dict[str, bytes]:
        assert MacAlgorithm == "HMAC_SHA_256"
        return {"Mac": hmac.new(KeyId.encode(), Message, hashlib.sha256).digest()}


class Sts:
    """Who calls: the session of a machine's credentials is named by it."""

    def get_caller_identity(self) -> dict[str, str]:
        caller = process()
        assert caller is not None
        return {"UserId": user_id_of(caller.box.instance.name)}  # type: ignore[attr-defined]


def user_id_of(machine: str) -> str:
    """`aws:userid` of the credentials of a machine."""
    return f"AROAWORKER:{machine}"
