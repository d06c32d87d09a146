"""`GET /_ministack/request-counts`: how many requests of each kind the engine got since it started.

Why: that a run of ten thousand files costs each file what it costs in a run of a hundred is proved
by counts, not by a clock: requests by IAM action, keys that S3 listed, items that DynamoDB read.
The engine keeps no such counts.
Delete when: it does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from ministack import app

from ..rewriting import rewrite

PATH = "/_ministack/request-counts"
_READ = {
    "s3:ListBucket": ("keys", re.compile(rb"<Contents>")),
    "s3:ListBucketVersions": ("keys", re.compile(rb"<Version>")),
    "dynamodb:Query": ("items", re.compile(rb'"sk"')),
    "dynamodb:Scan": ("items", re.compile(rb'"sk"')),
    "dynamodb:GetItem": ("items", re.compile(rb'"sk"')),
}
"""What an answer holds, and the mark of each of it (every item of the ledger has one `sk`)."""

_counts: Counter[str] = Counter()


def count(action: str | None, answer: Any) -> None:
    """One request that was let through. Only the event loop calls this."""
    if action is None:
        return
    _counts[action] += 1
    if action in _READ and isinstance(answer, (bytes, str)):
        what, mark = _READ[action]
        text = answer if isinstance(answer, bytes) else answer.encode()
        _counts[what] += len(mark.findall(text))


def counted() -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(_counts).encode()


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
            f"    if path == {PATH!r}:\n        return counted_requests()\n"
            "    if path not in _HEALTH_PATHS:\n",
        ),
        counted_requests=counted,
    )
