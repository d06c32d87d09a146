"""`porewatch redrive`: show dead-letter messages, or return them to their source queue.

Each message is sent to its source queue and only then deleted from the dead-letter queue: it may
be delivered twice that way (handlers are idempotent), but none is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from porewatch.adapters.messages.worker_queue import REASON
from porewatch.domain.base import Model
from porewatch.domain.errors import NotFound
from porewatch.domain.stage.message_proofs import MAC
from porewatch_cli.responsive_table import stacked
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from porewatch_cli.stack import Stack

SUFFIX = "QueueUrl"
LOOK_SECONDS = 5  # visibility timeout of a message that was only shown
BATCH = 10


class Letters(Model):
    """The dead-letter messages of one queue."""

    queue: str
    waiting: int
    moved: int = 0
    samples: tuple[str, ...] = ()


def redrive(stack: Stack, queue: str | None, *, move: bool, as_json: bool) -> None:
    """Show the dead-letter messages of every queue (or of `queue`); with `move`, return them."""
    sqs: SQSClient = stack.session.client("sqs", endpoint_url=stack.endpoint)
    found = [
        _move(sqs, name, source) if move else _look(sqs, name, source)
        for name, source in _queues(stack, queue)
    ]
    if as_json:
        print_json(found)
        return
    shown = table("dead-letter messages", "queue", "waiting", "moved back", "first messages")
    for one in found:
        shown.add_row(
            one.queue,
            str(one.waiting),
            str(one.moved) if move else "",
            stacked(one.samples),
        )
    console.print(shown)
    if not move and any(one.waiting for one in found):
        console.print("fix the cause first, then: porewatch redrive --move")


def _queues(stack: Stack, wanted: str | None) -> Iterator[tuple[str, str]]:
    named = {
        name.removesuffix(SUFFIX).lower(): url
        for name, url in stack.outputs.items()
        if name.endswith(SUFFIX)
    }
    if wanted is not None and wanted not in named:
        raise NotFound(f"there is no queue {wanted}.", remedy=f"one of: {', '.join(sorted(named))}")
    for name, url in sorted(named.items()):
        if wanted in (None, name):
            yield name, url


def _dead(sqs: SQSClient, source: str) -> tuple[str, int]:
    """(URL of the dead-letter queue, number of its messages)."""
    source_queue = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["RedrivePolicy"])
    policy = json.loads(source_queue["Attributes"]["RedrivePolicy"])
    url = sqs.get_queue_url(QueueName=policy["deadLetterTargetArn"].rsplit(":", 1)[1])["QueueUrl"]
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return url, int(counted["Attributes"]["ApproximateNumberOfMessages"])


def _receive(sqs: SQSClient, url: str, seconds: int) -> list[Any]:
    response = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=seconds,
        MessageAttributeNames=["All"],
    )
    return list(response.get("Messages", []))


def _look(sqs: SQSClient, name: str, source: str) -> Letters:
    url, waiting = _dead(sqs, source)
    messages = _receive(sqs, url, LOOK_SECONDS) if waiting else []
    return Letters(
        queue=name, waiting=waiting, samples=tuple(_summary(message) for message in messages[:3])
    )


def _move(sqs: SQSClient, name: str, source: str) -> Letters:
    url, waiting = _dead(sqs, source)
    moved = 0
    while moved < waiting and (messages := _receive(sqs, url, 60)):
        for message in messages:
            attributes = _kept(message.get("MessageAttributes", {}))
            sqs.send_message(
                QueueUrl=source, MessageBody=message["Body"], MessageAttributes=attributes
            )
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return Letters(queue=name, waiting=waiting - moved, moved=moved)


def _kept(attributes: Any) -> Any:
    """The attributes that a message keeps: its proof, not its dead-letter reason."""
    return {
        name: {"DataType": one["DataType"], "StringValue": one["StringValue"]}
        for name, one in attributes.items()
        if name == MAC
    }


def _summary(message: Any) -> str:
    """What a message is about, and why it failed, if known."""
    reason = message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue", "")
    return f"{_brief(message['Body'])}: {reason}" if reason else _brief(message["Body"])


def _brief(body: str, length: int = 100) -> str:
    """What a message is about: the event's type and object, or its first characters."""
    try:
        event = json.loads(body)
    except ValueError:
        return body[:length]
    if not isinstance(event, dict):
        return body[:length]
    detail = event.get("detail") or {}
    key = (detail.get("object") or {}).get("key") if isinstance(detail, dict) else None
    run = detail.get("run_id") if isinstance(detail, dict) else None
    parts = [str(event.get("detail-type") or event.get("kind") or ""), str(key or run or "")]
    return " ".join(part for part in parts if part)[:length] or body[:length]
