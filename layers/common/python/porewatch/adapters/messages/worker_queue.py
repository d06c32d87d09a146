"""The queue of worker messages to the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.stage.message_proofs import (
    MAC,
    proof,
)
from porewatch.domain.stage.worker_messages import (
    WORKER_MESSAGE,
    WorkerMessage,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef


REASON = "reason"
"""Attribute of a dead-letter message with its reason."""
LONGEST_REASON = 1000


def text_attribute(text: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": text}


class DeadLetters:
    """The dead-letter queue of worker messages: refused ones are moved there at once, with the
    reason."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def put(self, body: str, mac: str, reason: str) -> None:
        """Store a message unchanged. Raises Throttled or Unavailable."""
        texts = {REASON: reason[:LONGEST_REASON], MAC: mac}
        attributes = {name: text_attribute(text) for name, text in texts.items() if text}
        with translated("set a message aside"):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageAttributes=attributes
            )


class WorkerQueue:
    """Sends `WorkerMessage`s. Not ordered, at-least-once delivery."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def send(self, message: WorkerMessage, secret: str) -> None:
        """Send it with its proof by the secret of the epoch. Raises Throttled or Unavailable when
        the queue cannot be reached."""
        body = WORKER_MESSAGE.dump_json(message).decode()
        proved = {MAC: text_attribute(proof(secret, body))}
        with translated(f"send {message.kind} of {message.run_id}"):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageAttributes=proved
            )

    def is_empty(self) -> bool:
        """True when no message waits or is in flight: then silence means silence."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with translated("look at the worker queue"):
            reply = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return not any(int(count) for count in reply["Attributes"].values())
