"""boto3 clients of the embedded AWS, for our own use and for tests."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from porewatch_local.paths import (
    Credentials,
    LocalStack,
)


def client(stack: LocalStack, service: str, credentials: Credentials | None = None) -> Any:
    """A client under the operator's key, or under `credentials`."""
    key = credentials or stack.credentials
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=stack.endpoint,
        region_name=stack.region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"max_attempts": 2}, max_pool_connections=32, read_timeout=70),
    )


def environment(stack: LocalStack) -> dict[str, str]:
    """Variables that point any AWS tool at the embedded AWS, under the operator's key."""
    return {
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_REGION": stack.region,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": stack.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.credentials.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
