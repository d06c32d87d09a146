"""SQS: every message alone. One bad message never takes its neighbours down.

What becomes of an error: Conflict (somebody was first) is success; Unavailable comes again; Refused
comes again too, until the queue's own count moves it to the dead letters, with its reason logged
each time. So nothing is lost, and nothing refused is hidden. When what is not refused comes again
is the queue's business, unless the function says sooner (`again`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from porewatch.domain.errors import Conflict, OutOfTime, PorewatchError, Refused, Unavailable
from porewatch.edge import log
from porewatch.edge.envelopes import Shape, opened_text, parser_of

T = TypeVar("T")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
_log = logging.getLogger(__name__)


Again = Callable[[str, int], None]
"""(receipt, times received) -> the message is put off."""

LAST_RECEIVE = 5
"""The template's `maxReceiveCount`: after this delivery the message is a dead letter."""


def on_queue(
    shape: Shape[T],
    *,
    again: Again | None = None,
    last: Callable[[T, Exception], object] | None = None,
) -> Callable[[Callable[[T], object]], Handler]:
    """Decorate a function of one message. The queue's mapping needs ReportBatchItemFailures.

    `last` hears of a message that failed each time, before it is a dead letter, with the error of
    its last delivery: what the message is about gets a verdict there, so that nobody waits for it.
    It is not asked when the world was in the way (Unavailable): then the letter can be sent again.
    """
    parse = parser_of(shape)

    def decorate(work: Callable[[T], object]) -> Handler:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.invocation(context):
                failed = [
                    record["messageId"]
                    for record in event["Records"]
                    if not _done(record, lambda body: parse(opened_text(body)), work, again, last)
                ]
            return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

        return handler

    return decorate


def _done(
    record: dict[str, Any],
    parse: Callable[[str], T],
    work: Callable[[T], object],
    again: Again | None,
    last: Callable[[T, Exception], object] | None,
) -> bool:
    """Work on one message; True when the queue may forget it."""
    told: dict[str, Any] = {"message_id": record["messageId"], "receives": _receives(record)}
    with log.one_message() as bind:
        message: T | None = None
        try:
            message = parse(record["body"])
            bind(message)
            work(message)
        except Conflict as error:
            _log.info("nothing to do: %s", error, extra={**told, "error": type(error).__name__})
        except Unavailable as error:
            _log.warning("will try again: %s", error, extra={**told, "error": type(error).__name__})
            _put_off(record, again)
            if isinstance(error, OutOfTime):
                _give_up(record, message, error, last)
            return False
        except Refused as error:
            _log.error("refused: %s", error, extra={**told, "error": type(error).__name__})
            _give_up(record, message, error, last)
            return False
        except Exception as error:  # a bug: its neighbours must not suffer; dead letters keep it
            _log.exception("a message could not be worked on", extra=told)
            _put_off(record, again)
            _give_up(record, message, error, last)
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
