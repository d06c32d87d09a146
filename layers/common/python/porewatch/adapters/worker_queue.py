"""The queue on which workers speak to the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.messages import WORKER_MESSAGE, WorkerMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class WorkerQueue:
    """Sends `WorkerMessage`s. Order is not kept and a message may arrive twice."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def send(self, message: WorkerMessage) -> None:
        """Raises Throttled or Unavailable when the queue cannot be reached."""
        body = WORKER_MESSAGE.dump_json(message).decode()
        with translated(f"send {message.kind} of {message.run_id}"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def is_empty(self) -> bool:
        """True when nothing waits and nothing is being worked on: then silence is silence."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with translated("look at the worker queue"):
            reply = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return not any(int(count) for count in reply["Attributes"].values())
