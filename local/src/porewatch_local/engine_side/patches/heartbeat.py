"""A task that waits for a callback fails with States.HeartbeatTimeout when the worker goes silent.

Why: the engine reads TimeoutSeconds of a `.waitForTaskToken` task and ignores HeartbeatSeconds,
so a dead worker would hold its run until the (long) timeout. It takes both as plain numbers only,
where AWS evaluates JSONata; and it swallows the failure of the function that was to pass the token
on, where AWS fails the task.
Delete when: the engine raises States.HeartbeatTimeout by itself, and does the other two.

The clock starts when the task begins to wait and again at each SendTaskHeartbeat.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from ministack.services import stepfunctions

from ..rewriting import rewrite

_LOOK_EVERY_S = 0.2


def wait_for_answer(
    answered: threading.Event, timeout: float, token: str, state: dict[str, Any]
) -> bool:
    """True when answered, False on timeout. Raises States.HeartbeatTimeout on silence."""
    limit = state.get("HeartbeatSeconds")
    if limit is None:
        return answered.wait(timeout=timeout)
    return _watch(answered, time.monotonic() + timeout, limit, token)


def _watch(answered: threading.Event, deadline: float, limit: float, token: str) -> bool:
    last_beat, silent_since = None, time.monotonic()
    while not answered.wait(timeout=_LOOK_EVERY_S):
        beat = (stepfunctions._task_tokens.get(token) or {}).get("heartbeat_count")
        now = time.monotonic()
        if beat != last_beat:
            last_beat, silent_since = beat, now
        if now >= deadline:
            return False
        if now - silent_since >= limit:
            stepfunctions._task_tokens.pop(token, None)
            raise stepfunctions._ExecutionError(
                "States.HeartbeatTimeout", f"No heartbeat for {limit} seconds"
            )
    return True


def with_clocks(state: dict[str, Any], given: Any, context: dict[str, Any]) -> dict[str, Any]:
    """The state with its clocks as numbers: expressions are evaluated as those of other fields."""
    if stepfunctions._state_query_language(state, context) != "JSONata":
        return state
    found: dict[str, Any] = {
        clock: stepfunctions._jsonata_state_field(state, clock, "number", given, context)
        for clock in ("TimeoutSeconds", "HeartbeatSeconds")
        if clock in state
    }
    return {**state, **found}


def apply() -> None:
    rewrite(
        stepfunctions,
        "_execute_task",
        (
            'is_callback = ".waitForTaskToken" in resource\n',
            'is_callback = ".waitForTaskToken" in resource\n'
            "    state_def = _porewatch_clocks(state_def, raw_input, ctx)\n",
        ),
        _porewatch_clocks=with_clocks,
    )
    rewrite(
        stepfunctions,
        "_invoke_with_callback",
        (
            "except _ExecutionError:\n            pass\n",
            "except _ExecutionError:\n            _task_tokens.pop(token, None)\n"
            "            raise\n",
        ),
        (
            "if not evt.wait(timeout=timeout):",
            "if not _porewatch_wait(evt, timeout, token, state_def):",
        ),
        _porewatch_wait=wait_for_answer,
    )
    # The engine keeps only the time of the last beat, in whole seconds: count them instead.
    rewrite(
        stepfunctions,
        "_send_task_heartbeat",
        (
            'info["heartbeat"] = now_iso()\n',
            'info["heartbeat"] = now_iso()\n'
            '    info["heartbeat_count"] = info.get("heartbeat_count", 0) + 1\n',
        ),
    )
