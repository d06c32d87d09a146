"""SQS: each message alone. A message that fails never fails its batch.

Errors: Conflict (somebody else was first) is success; Unavailable is retried; Refused is retried
too, until the receive count of the queue makes it a dead-letter message, with its reason logged
each time. So nothing is lost, and no refusal is hidden. The visibility timeout decides when a
message is retried, unless the function shortens it (`again`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from porewatch.domain.errors import (
    Conflict,
    MessageRefused,
    OutOfTime,
    PorewatchError,
    Refused,
    Unavailable,
)
from porewatch.domain.stage.message_proofs import MAC
from porewatch.edge import log
from porewatch.edge.envelopes import Shape, opened_text, parser_of

T = TypeVar("T")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
_log = logging.getLogger(__name__)


Again = Callable[[str, int], None]
"""(receipt handle, receive count) -> its visibility timeout is changed."""


@dataclass(frozen=True)
class QueueMessage:
    """A message as it was sent. `mac`: its proof, empty without one."""

    body: str
    mac: str = ""

    @staticmethod
    def of(record: dict[str, Any]) -> QueueMessage:
        attribute = record.get("messageAttributes", {}).get(MAC, {})
        return QueueMessage(record["body"], str(attribute.get("stringValue", "")))


@dataclass(frozen=True)
class Ways:
    """Options of a queue consumer. See `on_queue`."""

    again: Again | None = None
    last: Callable[[Any, Exception], object] | None = None
    proof: Callable[[Any, QueueMessage], object] | None = None
    aside: Callable[[QueueMessage, Refused], object] | None = None


LAST_RECEIVE = 5
"""The template's `maxReceiveCount`: after this delivery it is a dead-letter message."""


def on_queue(
    shape: Shape[T],
    *,
    again: Again | None = None,
    last: Callable[[T, Exception], object] | None = None,
    proof: Callable[[T, QueueMessage], object] | None = None,
    aside: Callable[[QueueMessage, Refused], object] | None = None,
    bad_key: Callable[[T, MessageRefused], object] | None = None,
) -> Callable[[Callable[[T], object]], Handler]:
    """Decorate a handler of one message. The event source mapping needs ReportBatchItemFailures.

    `last` gets a message that failed on every delivery, before it becomes a dead-letter message,
    with the error of its last delivery: it records a verdict, so that nothing waits for the
    message. It is not called for an outage (Unavailable): then the dead-letter message can be
    redriven. `proof` authenticates a message before it is handled, or refuses it. `aside` moves a
    refused message away at once, with its reason: it is not retried. `bad_key` gets a message whose
    object key names no run, on every delivery: no record of a run can hold the reason.
    """
    parse = parser_of(shape)
    ways = Ways(again, last, proof, aside)

    def decorate(work: Callable[[T], object]) -> Handler:
        working = _notifying(work, bad_key)

        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.invocation(context):
                failed = [
                    record["messageId"]
                    for record in event["Records"]
                    if not _done(record, lambda body: parse(opened_text(body)), working, ways)
                ]
            return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

        return handler

    return decorate


def _notifying(
    work: Callable[[T], object], bad_key: Callable[[T, MessageRefused], object] | None
) -> Callable[[T], object]:
    if bad_key is None:
        return work

    def working(message: T) -> object:
        try:
            return work(message)
        except MessageRefused as refusal:
            bad_key(message, refusal)
            raise

    return working


def _done(
    record: dict[str, Any],
    parse: Callable[[str], T],
    work: Callable[[T], object],
    ways: Ways,
) -> bool:
    """Handle one message; True when it can be deleted from the queue."""
    fields: dict[str, Any] = {"message_id": record["messageId"], "receives": _receives(record)}
    with log.one_message() as bind:
        message: T | None = None
        try:
            message = parse(record["body"])
            bind(message)
            if ways.proof is not None:
                ways.proof(message, QueueMessage.of(record))
            work(message)
        except Conflict as error:
            _log.info("nothing to do: %s", error, extra={**fields, "error": type(error).__name__})
        except Unavailable as error:
            _log.warning("will retry: %s", error, extra={**fields, "error": type(error).__name__})
            _put_off(record, ways.again)
            if isinstance(error, OutOfTime):
                _give_up(record, message, error, ways.last)
            return False
        except Refused as error:
            _log.error("refused: %s", error, extra={**fields, "error": type(error).__name__})
            if _set_aside(record, error, ways):
                return True
            _give_up(record, message, error, ways.last)
            return False
        except (
            Exception
        ) as error:  # a bug: the batch goes on, the dead-letter queue keeps the message
            _log.exception("could not handle a message", extra=fields)
            _put_off(record, ways.again)
            _give_up(record, message, error, ways.last)
            return False
    return True


def _set_aside(record: dict[str, Any], error: Refused, ways: Ways) -> bool:
    """Whether it was moved away. If that fails, it is retried like every refused message."""
    if ways.aside is None:
        return False
    try:
        ways.aside(QueueMessage.of(record), error)
    except PorewatchError as problem:
        _log.warning("could not move a refused message away: %s", problem)
        return False
    return True


def _give_up(
    record: dict[str, Any],
    message: T | None,
    error: Exception,
    last: Callable[[T, Exception], object] | None,
) -> None:
    if last is None or message is None or _receives(record) < LAST_RECEIVE:
        return
    try:
        last(message, error)
    except Conflict as reason:
        _log.info("its verdict is recorded already: %s", reason)
    except Exception:
        _log.exception("could not record the verdict", extra={"receives": _receives(record)})


def _put_off(record: dict[str, Any], again: Again | None) -> None:
    if again is None:
        return
    try:
        again(record["receiptHandle"], _receives(record))
    except PorewatchError as error:
        _log.warning("could not change visibility; default timeout applies: %s", error)


def _receives(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
