"""Structured logs: one JSON line each, with the function, the request and the run they belong to.

Use cases log with the standard library (`logging.getLogger(__name__)`); everything below the name
`porewatch` ends in the one handler that `logger` sets up on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from porewatch.edge.tracing import subsegment

BOUND = ("run_id", "revision", "stage", "epoch")


@cache
def logger() -> Logger:
    """The logger above all `porewatch.*` loggers."""
    return Logger(service="porewatch", level="INFO", utc=True)


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """One invocation: the function name and the request id are on every line."""
    name = str(getattr(context, "function_name", "local"))
    logger().append_keys(function=name, request_id=str(getattr(context, "aws_request_id", "local")))
    with subsegment(name):
        yield


@contextmanager
def one_message() -> Iterator[Callable[[Any], None]]:
    """While one message is handled. The yielded function binds the message as soon as it is parsed:
    from then on every line, including that of its failure, names its run, stage and epoch."""
    keys: dict[str, Any] = {}
    with subsegment("message") as annotate:

        def bind(message: Any) -> None:
            found = {name: _part(message, name) for name in BOUND}
            keys.update({name: value for name, value in found.items() if value is not None})
            logger().append_keys(**keys)
            annotate(**keys)

        try:
            yield bind
        finally:
            logger().remove_keys(list(keys))


def _part(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, dict) else getattr(message, name, None)
