"""The visibility timeout of messages that could not be handled.

A queue hides a delivered message for longer than its consumer may run. That is right when the
consumer dies; when it only has to retry later, hours of waiting are wasted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SOONEST_S = 60
LATEST_S = 3600


class Deliveries:
    """Delivered messages of queue `url`."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def again(self, receipt: str, receives: int) -> None:
        """Retry after 1, 4, 16, at most 60 minutes: an hour and a half in five deliveries."""
        wait = min(SOONEST_S * 4 ** (receives - 1), LATEST_S)
        with translated("put a message off"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=wait
            )
