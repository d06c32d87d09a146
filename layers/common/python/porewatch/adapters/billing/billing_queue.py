"""The queue of customers whose subscriptions are to be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.billing.billing_event import BillingEvent
from porewatch.domain.webhooks.deliveries import wait_after

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class BillingQueue:
    """Queue `url`."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def send(self, event: BillingEvent) -> None:
        """Raises Throttled or Unavailable."""
        with translated("queue a customer"):
            self._client.send_message(QueueUrl=self._url, MessageBody=event.canonical_json())

    def again(self, receipt: str, receives: int) -> None:
        """The message is received again after a while that grows (`queue.Again`)."""
        with translated("put a customer off"):
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt,
                VisibilityTimeout=wait_after(receives),
            )
