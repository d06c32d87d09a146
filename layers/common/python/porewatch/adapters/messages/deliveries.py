"""When a message that could not be worked on comes again.

A queue hides what it has delivered for much longer than its reader may take. That is right when
the reader dies; when it lives and says "not now", hours of waiting are for nothing.
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
    """What queue `url` has delivered."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def again(self, receipt: str, receives: int) -> None:
        """Deliver it again after 1, 4, 16, at most 60 minutes: an hour and a half in five tries."""
        wait = min(SOONEST_S * 4 ** (receives - 1), LATEST_S)
        with translated("put a message off"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=wait
            )
