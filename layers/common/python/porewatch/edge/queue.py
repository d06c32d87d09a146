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

from porewatch.domain.errors import Conflict, PorewatchError, Refused, Unavailable
from porewatch.edge import log
from porewatch.edge.envelopes import Shape, opened_text, parser_of

T = TypeVar("T")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
_log = logging.getLogger(__name__)


Again = Callable[[str, int], None]
"""(receipt, times received) -> the message is put off."""


def on_queue(
    shape: Shape[T], *, again: Again | None = None
) -> Callable[[Callable[[T], object]], Handler]:
    """Decorate a function of one message. The queue's mapping needs ReportBatchItemFailures."""
    parse = parser_of(shape)

    def decorate(work: Callable[[T], object]) -> Handler:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.invocation(context):
                failed = [
                    record["messageId"]
                    for record in event["Records"]
                    if not _done(record, lambda body: parse(opened_text(body)), work, again)
                ]
            return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

        return handler

    return decorate


def _done(
    record: dict[str, Any],
    parse: Callable[[str], T],
    work: Callable[[T], object],
    again: Again | None,
) -> bool:
    """Work on one message; True when the queue may forget it."""
    told: dict[str, Any] = {"message_id": record["messageId"], "receives": _receives(record)}
    with log.one_message() as bind:
        try:
            message = parse(record["body"])
            bind(message)
            work(message)
        except Conflict as error:
            _log.info("nothing to do: %s", error, extra={**told, "error": type(error).__name__})
        except Unavailable as error:
            _log.warning("will try again: %s", error, extra={**told, "error": type(error).__name__})
            _put_off(record, again)
            return False
        except Refused as error:
            _log.error("refused: %s", error, extra={**told, "error": type(error).__name__})
            return False
        except Exception:  # a bug: its neighbours must not suffer, and the dead letters keep it
            _log.exception("a message could not be worked on", extra=told)
            _put_off(record, again)
            return False
    return True


def _put_off(record: dict[str, Any], again: Again | None) -> None:
    if again is None:
        return
    try:
        again(record["receiptHandle"], _receives(record))
    except PorewatchError as error:
        _log.warning("it comes again when the queue thinks fit: %s", error)


def _receives(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
