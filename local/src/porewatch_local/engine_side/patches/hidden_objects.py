"""Of an object that is missing, S3 says 403 to who may not list its bucket.

Why: a role without `s3:ListBucket`, or with it for one prefix alone, gets another answer on AWS
than here, and code that expects 404 would take what is missing for forbidden. A request for an
object has no `s3:prefix`: a condition on that is not met.
Source: Amazon S3 API Reference, GetObject and HeadObject, "Permissions".
Delete when: the engine asks for `s3:ListBucket` by itself.
"""

from __future__ import annotations

from typing import Any

from ministack import app

from ..rewriting import rewrite


def refusal(
    method: str, path: str, headers: dict[str, str], query: dict[str, Any], request_id: str
) -> Any:
    """S3's answer to who may not know that the object is missing; None for who may."""
    bucket, _, key = path.lstrip("/").partition("/")
    if method not in ("GET", "HEAD") or not key:
        return None
    bucket_arn = f"arn:aws:s3:::{bucket}"
    denied = app._enforce_data_plane(
        "s3", "s3:ListBucket", headers, query, request_id, resource_arn=bucket_arn
    )
    if denied and method == "HEAD":
        return denied[0], denied[1], b""
    return denied


def apply() -> None:
    rewrite(
        app,
        "_dispatch_service_request",
        (
            "    fix_error_content_type(service, status, resp_headers)\n"
            "    fix_success_content_type(service, status, resp_headers)\n",
            '    if service == "s3" and status == 404:\n'
            "        hidden = _porewatch_hidden(method, path, headers, query_params, request_id)\n"
            "        if hidden:\n            return hidden\n"
            "    fix_error_content_type(service, status, resp_headers)\n"
            "    fix_success_content_type(service, status, resp_headers)\n",
        ),
        _porewatch_hidden=refusal,
    )
