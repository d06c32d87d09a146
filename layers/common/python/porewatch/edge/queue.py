"""SQS: every message alone. One bad message never takes its neighbours down.

What becomes of an error: Conflict (somebody was first) is success; Unavailable comes again; Refused
comes again too, until the queue's own count moves it to the dead letters, with its reason logged
each time. So nothing is lost, and nothing refused is hidden. When what is not refused comes again
is the queue's business, unless the function says sooner (`again`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from porewatch.domain.errors import Conflict, OutOfTime, PorewatchError, Refused, Unavailable
from porewatch.domain.stage.message_proofs import MAC
from porewatch.edge import log
from porewatch.edge.envelopes import Shape, opened_text, parser_of

T = TypeVar("T")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
_log = logging.getLogger(__name__)


Again = Callable[[str, int], None]
"""(receipt, times received) -> the message is put off."""


@dataclass(frozen=True)
class QueueMessage:
    """A message as it was sent. `mac`: the proof that came with it, empty without one."""

    body: str
    mac: str = ""

    @staticmethod
    def of(record: dict[str, Any]) -> QueueMessage:
        attribute = record.get("messageAttributes", {}).get(MAC, {})
        return QueueMessage(record["body"], str(attribute.get("stringValue", "")))


@dataclass(frozen=True)
class Ways:
    """What a queue's function does beside its work. See `on_queue`."""

    again: Again | None = None
    last: Callable[[Any, Exception], object] | None = None
    proof: Callable[[Any, QueueMessage], object] | None = None
    aside: Callable[[QueueMessage, Refused], object] | None = None


LAST_RECEIVE = 5
"""The template's `maxReceiveCount`: after this delivery the message is a dead letter."""


def on_queue(
    shape: Shape[T],
    *,
    again: Again | None = None,
    last: Callable[[T, Exception], object] | None = None,
    proof: Callable[[T, QueueMessage], object] | None = None,
    aside: Callable[[QueueMessage, Refused], object] | None = None,
) -> Callable[[Callable[[T], object]], Handler]:
    """Decorate a function of one message. The queue's mapping needs ReportBatchItemFailures.

    `last` hears of a message that failed each time, before it is a dead letter, with the error of
    its last delivery: what the message is about gets a verdict there, so that nobody waits for it.
    It is not asked when the world was in the way (Unavailable): then the letter can be sent again.
    `proof` looks at a message before it is worked on, and refuses it. `aside` takes what is refused
    away at once, with its reason: such a message does not come again.
    """
    parse = parser_of(shape)
    ways = Ways(again, last, proof, aside)

    def decorate(work: Callable[[T], object]) -> Handler:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.invocation(context):
                failed = [
                    record["messageId"]
                    for record in event["Records"]
                    if not _done(record, lambda body: parse(opened_text(body)), work, ways)
                ]
            return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

        return handler

    return decorate


def _done(
    record: dict[str, Any],
    parse: Callable[[str], T],
    work: Callable[[T], object],
    ways: Ways,
) -> bool:
    """Work on one message; True when the queue may forget it."""
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
            _log.warning(
                "will try again: %s", error, extra={**fields, "error": type(error).__name__}
            )
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
        except Exception as error:  # a bug: its neighbours must not suffer; dead letters keep it
            _log.exception("a message could not be worked on", extra=fields)
            _put_off(record, ways.again)
            _give_up(record, message, error, ways.last)
            return False
    return True


def _set_aside(record: dict[str, Any], error: Refused, ways: Ways) -> bool:
    """Whether it was taken away. If that cannot be, it comes again like all that is refused."""
    if ways.aside is None:
        return False
    try:
        ways.aside(QueueMessage.of(record), error)
    except PorewatchError as problem:
        _log.warning("could not be set aside: %s", problem)
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
        _log.info("it has its verdict: %s", reason)
    except Exception:
        _log.exception("its verdict could not be recorded", extra={"receives": _receives(record)})


def _put_off(record: dict[str, Any], again: Again | None) -> None:
    if again is None:
        return
    try:
        again(record["receiptHandle"], _receives(record))
    except PorewatchError as error:
        _log.warning("it comes again when the queue thinks fit: %s", error)


def _receives(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
