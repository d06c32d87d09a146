"""EventBridge or a schedule: one event, no answer. Errors are raised: Lambda retries, then the
failure destination of the function keeps the event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from porewatch.domain.errors import Conflict, MessageRefused
from porewatch.edge import log
from porewatch.edge.envelopes import Envelope, Shape, opened, parser_of

T = TypeVar("T")
_log = logging.getLogger(__name__)


def clock(envelope: Envelope) -> None:
    """The parser of a schedule, whose event has no content. Raises MessageRefused for every other
    event."""
    if envelope.detail_type != "Scheduled Event":
        raise MessageRefused(f"{envelope.detail_type!r} is not an event of a schedule.")


def on_event(
    shape: Shape[T],
) -> Callable[[Callable[[T], object]], Callable[[dict[str, Any], Any], None]]:
    """Decorate a function of one event."""
    parse = parser_of(shape)

    def decorate(work: Callable[[T], object]) -> Callable[[dict[str, Any], Any], None]:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> None:
            with log.invocation(context), log.one_message() as bind:
                message = parse(opened(event))
                bind(message)
                try:
                    work(message)
                except Conflict as error:
                    _log.info("nothing to do: %s", error)

        return handler

    return decorate
