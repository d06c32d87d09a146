"""A task that waits for a callback fails with States.HeartbeatTimeout when the worker goes silent.

Why: the engine reads TimeoutSeconds of a `.waitForTaskToken` task and ignores HeartbeatSeconds,
so a dead worker would hold its run until the (long) timeout.
Delete when: the engine raises States.HeartbeatTimeout by itself.

The clock starts when the task begins to wait and again at each SendTaskHeartbeat. Only plain
numbers are understood: an expression is refused loudly rather than ignored.
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
    if not isinstance(limit, int | float):
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"HeartbeatSeconds {limit!r} is not a number (local engine)."
        )
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


def apply() -> None:
    rewrite(
        stepfunctions,
        "_invoke_with_callback",
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
