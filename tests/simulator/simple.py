"""SNS and CloudWatch: they only listen."""

from __future__ import annotations

from typing import Any


class Heard:
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
