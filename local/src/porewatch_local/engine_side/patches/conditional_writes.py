"""Policies see whether a write is conditional: `s3:if-none-match`, `s3:if-match` and
`s3:ObjectCreationOperation`.

Why: the results bucket lets a worker write its results once and its checkpoints only on the version
it saw. The engine obeys the headers, but no policy can demand them. The last of the three is false
for requests that begin an upload in parts or send one, which carry no such headers.
Source: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
Delete when: the engine fills these keys by itself.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ..rewriting import rewrite


def conditions_of(query: dict[str, Any], headers: dict[str, str]) -> dict[str, str]:
    """The three keys of a request of `s3:PutObject`, where it has them."""
    found = {
        f"s3:{name}": headers[name] for name in ("if-none-match", "if-match") if name in headers
    }
    creates = "partNumber" not in query and "uploads" not in query
    return {**found, "s3:ObjectCreationOperation": str(creates).lower()}


def apply() -> None:
    rewrite(
        iam_actions,
        "_s3_object_context",
        (
            '    if iam_action == "s3:PutObject":\n',
            '    if iam_action == "s3:PutObject":\n'
            "        context.update(_porewatch_conditions(query_params, headers))\n",
        ),
        _porewatch_conditions=conditions_of,
    )
