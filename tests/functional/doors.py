"""Real handlers, real events: loads a function's app.py and calls it as AWS would."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import boto3

from simulator.handlers import ROOT, door  # noqa: F401 - for the tests that import them here

_numbers = count(1)
KEY_HOLDER = {"means": "api_key"}
"""What the authorizer says of a request with the stack's API key: an operator's program."""


class Context:
    """Lambda's context of an invocation."""

    function_name = "test"
    aws_request_id = "request-1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:test"


def batch(*bodies: dict[str, Any] | str) -> dict[str, Any]:
    """An SQS event with these bodies."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies)
        ]
    }


def send(function: str, *bodies: dict[str, Any] | str) -> list[str]:
    """Deliver one batch; the message ids that failed."""
    answer = door(function)(batch(*bodies), Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def created(key: str, *, bucket: str = "raw", sequencer: str | None = None) -> dict[str, Any]:
    """S3's "Object Created" for an object as it lies there now."""
    head = boto3.client("s3").head_object(Bucket=bucket, Key=key)
    return object_event(
        key, etag=head["ETag"].strip('"'), size=head["ContentLength"], sequencer=sequencer
    )


def object_event(
    key: str, *, etag: str, size: int, bucket: str = "raw", sequencer: str | None = None
) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "version": "0",
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-03-01T12:00:00Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "size": size,
                "etag": etag,
                "sequencer": sequencer or f"0065{number:014X}",
            },
            "request-id": "R",
            "requester": "123456789012",
            "source-ip-address": "192.0.2.1",
            "reason": "PutObject",
        },
    }


def put(key: str, content: bytes, *, bucket: str = "raw") -> dict[str, Any]:
    """Write an object, and the event S3 sends of it."""
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return created(key, bucket=bucket)


def keys(prefix: str = "", *, bucket: str = "raw") -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for found in listed.get("Contents", [])]


def fact_event(detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    """A fact of ours, as the bus brings it."""
    return {
        "version": "0",
        "id": f"00000000-0000-0000-0001-{next(_numbers):012d}",
        "detail-type": detail_type,
        "source": "porewatch",
        "account": "123456789012",
        "time": "2026-03-01T12:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }


told = fact_event  # the name for cases outside of this repository
