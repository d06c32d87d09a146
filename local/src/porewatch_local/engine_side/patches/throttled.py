"""EC2's API takes as many requests of an action as AWS takes, then answers RequestLimitExceeded.

Why: what polls or ends machines one by one works here at any size, and stops working on AWS at a
few hundred. Each action has a bucket of its own, for each account and region.
Source: Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API" (bucket sizes and
refill rates by category, and of single actions).
Delete when: the engine throttles.
"""

from __future__ import annotations

import time
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from ..rewriting import rewrite

SINGLE = {
    "RunInstances": (5.0, 2.0),
    "TerminateInstances": (100.0, 5.0),
    "CreateTags": (100.0, 10.0),
}
READING, CHANGING = (100.0, 20.0), (50.0, 5.0)
"""Bucket and refill a second: `Describe*`, `Get*`, `List*`, and everything else."""

_left: dict[tuple[str, str, str], tuple[float, float]] = {}


def rate_of(name: str) -> tuple[float, float]:
    reads = name.startswith(("Describe", "Get", "List"))
    return SINGLE.get(name, READING if reads else CHANGING)


def refused(action: str | None) -> Any:
    """EC2's answer to one request too many; None while there is room. Only the event loop calls."""
    service, _, name = (action or "").partition(":")
    if service != "ec2":
        return None
    bucket, refill = rate_of(name)
    key, now = (get_account_id(), get_region(), name), time.monotonic()
    left, at = _left.get(key, (bucket, now))
    left = min(bucket, left + (now - at) * refill)
    if left < 1:
        _left[key] = left, now
        return ec2._error("RequestLimitExceeded", "Request limit exceeded.", 503)
    _left[key] = left - 1, now
    return None


def apply() -> None:
    rewrite(
        app,
        "_dispatch_service_request",
        (
            "    handler = SERVICE_HANDLERS.get(service)\n",
            "    throttled = _porewatch_throttled(locals().get('iam_action'))\n"
            "    if throttled:\n        return throttled\n"
            "    handler = SERVICE_HANDLERS.get(service)\n",
        ),
        _porewatch_throttled=refused,
    )
