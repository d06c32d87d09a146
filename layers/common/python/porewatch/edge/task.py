"""Step Functions: a typed task in, a typed answer out. Errors are raised unchanged, because Retry
and Catch of the state machine match their class names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from pydantic import BaseModel

from porewatch.domain.errors import MessageRefused, PorewatchError
from porewatch.edge import log
from porewatch.edge.envelopes import Envelope, Shape, parser_of

T = TypeVar("T")
Task = Callable[[dict[str, Any], Any], Any]
_log = logging.getLogger(__name__)


def on_task(shape: Shape[T]) -> Callable[[Callable[[T], BaseModel | None]], Task]:
    """Decorate a handler of one task; its model is returned as plain JSON."""
    parse = parser_of(shape)

    def decorate(work: Callable[[T], BaseModel | None]) -> Task:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> Any:
            with log.invocation(context), log.one_message() as bind:
                try:
                    task = parse(Envelope(detail=event))
                    bind(task)
                    answer = work(task)
                except PorewatchError as error:
                    _log.warning("%s: %s", type(error).__name__, error)
                    raise
            return answer.model_dump(mode="json") if answer is not None else None

        return handler

    return decorate


def by_trigger(
    *,
    task: Task | None = None,
    queue: Task | None = None,
    eventbridge: Task | None = None,
    http: Task | None = None,
) -> Task:
    """One function with several triggers: SQS batches go to `queue`, EventBridge events to
    `eventbridge`, API Gateway requests to `http`, everything else to `task`. Raises MessageRefused
    for a trigger without a handler."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        if queue is not None and "Records" in event:
            return queue(event, context)
        if eventbridge is not None and "detail-type" in event:
            return eventbridge(event, context)
        if http is not None and "httpMethod" in event:
            return http(event, context)
        if task is None:
            raise MessageRefused("this function takes no tasks.")
        return task(event, context)

    return handler
