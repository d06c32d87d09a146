"""SQS: queues with visibility, receive counts and dead letters. Order is not kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from simulator.faults import refusal


@dataclass
class Message:
    name: str
    body: str
    visible_at: float
    attributes: dict[str, Any] = field(default_factory=dict)
    receives: int = 0
    receipt: str = ""


@dataclass
class Queue:
    """`visibility` in seconds; after `tries` receipts a message goes to the `dead` ones."""

    name: str
    visibility: float = 30.0
    tries: int = 5
    dead: Queue | None = None
    messages: dict[str, Message] = field(default_factory=dict)


class Sqs:
    """`arrived` gets a queue that has (or will have, in so many seconds) something to read."""

    def __init__(
        self,
        now: Callable[[], float] = lambda: 0.0,
        arrived: Callable[[str, float], None] = lambda *_: None,
        lost: Callable[[str, str], bool] = lambda *_: False,
    ) -> None:
        self._now, self._arrived, self._lost = now, arrived, lost
        self._numbers = count(1)
        self.queues: dict[str, Queue] = {}

    def make(self, name: str, *, visibility: float, tries: int = 5) -> Queue:
        dead = Queue(f"{name}-dead")
        queue = Queue(name, visibility, tries, dead)
        self.queues[name], self.queues[dead.name] = queue, dead
        return queue

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        name = f"m{next(self._numbers)}"
        if not self._lost(QueueUrl, MessageBody):
            message = Message(name, MessageBody, self._now(), MessageAttributes or {})
            self._need(QueueUrl).messages[name] = message
            self._arrived(QueueUrl, 0.0)
        return {"MessageId": name}

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        """By the receipt, which is one message's: all functions have one setting of the queue here,
        and two of them receive."""
        for queue in self.queues.values():
            for message in queue.messages.values():
                if message.receipt == ReceiptHandle:
                    message.visible_at = self._now() + VisibilityTimeout
                    self._arrived(queue.name, VisibilityTimeout)
        return {}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        there = self._need(QueueUrl).messages.values()
        hidden = sum(message.visible_at > self._now() for message in there)
        counts = {
            "ApproximateNumberOfMessages": str(len(there) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        return {"Attributes": {name: counts[name] for name in AttributeNames}}

    def receive(self, name: str, most: int) -> list[Message]:
        """What a reader gets now; messages that were read too often go to the dead letters."""
        queue, found = self._need(name), []
        for message in list(queue.messages.values()):
            if message.visible_at > self._now() or len(found) == most:
                continue
            if queue.dead is not None and message.receives >= queue.tries:
                del queue.messages[message.name]
                message.receives, message.visible_at = 0, self._now()
                queue.dead.messages[message.name] = message
                continue
            message.receives += 1
            message.receipt = f"{message.name}-{message.receives}"
            message.visible_at = self._now() + queue.visibility
            found.append(message)
        if found:
            self._arrived(name, queue.visibility)
        return found

    def delete(self, name: str, messages: list[str]) -> None:
        for message in messages:
            self._need(name).messages.pop(message, None)

    def redrive(self, name: str) -> int:
        """Send all dead letters of a queue back; returns how many."""
        queue = self._need(name)
        assert queue.dead is not None
        moved = list(queue.dead.messages.values())
        queue.dead.messages.clear()
        for message in moved:
            attributes = message.attributes
            self.send_message(QueueUrl=name, MessageBody=message.body, MessageAttributes=attributes)
        return len(moved)

    def _need(self, name: str) -> Queue:
        if name not in self.queues:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue", name)
        return self.queues[name]
