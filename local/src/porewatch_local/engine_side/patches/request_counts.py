"""`GET /_ministack/request-counts`: how many requests of each kind the engine got since it started;
`/_ministack/request-counts/callers`: the same for each caller, by ARN.

Why: that a run of ten thousand files costs each file what it costs in a run of a hundred is proved
by counts, not by a clock: requests by IAM action, keys that S3 listed, items that DynamoDB read.
The engine keeps no such counts.
Delete when: it does.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

from ministack import app
from ministack.core import iam_evaluator

from ..rewriting import rewrite

PATH, CALLERS = "/_ministack/request-counts", "/_ministack/request-counts/callers"
_READ = {
    "s3:ListBucket": ("keys", re.compile(rb"<Contents>")),
    "s3:ListBucketVersions": ("keys", re.compile(rb"<Version>")),
    "dynamodb:Query": ("items", re.compile(rb'"sk"')),
    "dynamodb:Scan": ("items", re.compile(rb'"sk"')),
    "dynamodb:GetItem": ("items", re.compile(rb'"sk"')),
}
"""What an answer holds, and the mark of each of it (every item of the ledger has one `sk`)."""

_by_caller: dict[str, Counter[str]] = defaultdict(Counter)


def count(action: str | None, answer: Any) -> None:
    """One request that was let through. Only the event loop calls this."""
    if action is None:
        return
    counts = _by_caller[iam_evaluator.caller_arn()]
    counts[action] += 1
    if action in _READ and isinstance(answer, (bytes, str)):
        what, mark = _READ[action]
        text = answer if isinstance(answer, bytes) else answer.encode()
        counts[what] += len(mark.findall(text))


def count_throttled(caller: str) -> None:
    """A request that was refused for the sake of it (`throttled_callers`)."""
    _by_caller[caller]["throttled"] += 1


def counted(path: str) -> tuple[int, dict[str, str], bytes]:
    found = _by_caller if path == CALLERS else sum(_by_caller.values(), Counter[str]())
    return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()


def apply() -> None:
    handled = "        status, resp_headers, resp_body = await handler("
    rest = "method, path, headers, body, query_params)\n"
    rewrite(
        app,
        "_dispatch_service_request",
        (
            handled + rest,
            handled + rest + "        count_request(locals().get('iam_action'), resp_body)\n",
        ),
        count_request=count,
    )
    rewrite(
        app,
        "_handle_health_request",
        (
            "    if path not in _HEALTH_PATHS:\n",
            f"    if path in {(PATH, CALLERS)!r}:\n        return counted_requests(path)\n"
            "    if path not in _HEALTH_PATHS:\n",
        ),
        counted_requests=counted,
    )
