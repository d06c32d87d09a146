"""Notices and alerts: one topic, plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.notices.notice import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Topic:
    """One SNS topic."""

    def __init__(self, topic_arn: str, client: SNSClient | None = None) -> None:
        self._arn = topic_arn
        self._client = client or clients.sns()

    def publish(self, notice: Notice) -> None:
        """Send it. `kind` and `run_id` are message attributes, so that subscribers can filter."""
        attributes = {"kind": notice.kind, "run_id": notice.run_id, "severity": notice.severity}
        with translated(f"publish {notice.subject!r}"):
            self._client.publish(
                TopicArn=self._arn,
                Subject=notice.subject,
                Message=notice.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                    if value
                },
            )
