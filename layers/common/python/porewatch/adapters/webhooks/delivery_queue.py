"""The queue of deliveries: one message for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.webhooks.deliveries import DeliveryOrder, wait_after

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeliveryQueue:
    """Queue `url`. Messages of one webhook are a group, so that SQS serves other groups first
    when one has many of them under way (fair queues)."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def send(self, order: DeliveryOrder) -> None:
        """Raises Throttled or Unavailable."""
        with translated("queue a delivery"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=order.canonical_json(),
                MessageGroupId=order.webhook_id,
            )

    def again(self, receipt: str, receives: int) -> None:
        """The message is received again after a while that grows (`queue.Again`)."""
        with translated("put a delivery off"):
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt,
                VisibilityTimeout=wait_after(receives),
            )
