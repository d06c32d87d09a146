"""What Step Functions wrote down about one run: how many states were entered, how many events."""

from __future__ import annotations

from typing import Any, NamedTuple

from porewatch.domain.errors import NotFound
from porewatch_cli.stack import Stack


class History(NamedTuple):
    """`transitions` are what Step Functions bills: states entered. `events` of at most 25,000."""

    transitions: int
    events: int


def history_of(stack: Stack, run_id: str) -> History:
    """Counted in the real execution's history. Raises NotFound when none was started."""
    execution = stack.runs.get(run_id).execution_arn
    if execution is None:
        raise NotFound(f"no execution was started for run {run_id}.")
    steps = stack.session.client("stepfunctions", endpoint_url=stack.endpoint)
    pages = steps.get_paginator("get_execution_history").paginate(executionArn=execution)
    return counted([event for page in pages for event in page["events"]])


def counted(events: list[Any]) -> History:
    entered = [event for event in events if event["type"].endswith("StateEntered")]
    return History(len(entered), len(events))
