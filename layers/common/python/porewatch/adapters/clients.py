"""boto3 clients, created on first use and cached for the life of the process.

The endpoint is configured by boto3 (AWS_ENDPOINT_URL); this module sets only timeouts and retries.
Tests that change the environment call `forget()`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore
from botocore.config import Config

from porewatch.domain.errors import ConfigurationRefused

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_rds_data import RDSDataServiceClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

CONNECT_SECONDS = 3
READ_SECONDS = 20
ATTEMPTS = 4
ADDRESSED: Any = {"addressing_style": "virtual"}
"""Links name the bucket's region. Without this, boto3 makes them for the global address, which
redirects (the link is dead) for hours after a bucket was made, and always in some regions. At an
endpoint that is an IP address (the embedded AWS) the bucket stays in the path."""


OLDEST_BOTOCORE = (1, 37, 2)
"""CreateFleet takes disks since then; functions use what their runtime brings."""


def refuse_old(version: str) -> None:
    """Raises ConfigurationRefused for a botocore that is too old."""
    found = tuple(int(part) for part in version.split(".")[:3])
    if found < OLDEST_BOTOCORE:
        needed = ".".join(map(str, OLDEST_BOTOCORE))
        raise ConfigurationRefused(
            f"botocore is {version}; {needed} is the oldest that supports our EC2 requests.",
            remedy="take the function's runtime to its latest version (Lambda).",
        )


@cache
def client(service: str, attempts: int = ATTEMPTS) -> Any:
    """The client of one service, with our timeouts. Raises ConfigurationRefused (`refuse_old`)."""
    refuse_old(botocore.__version__)
    patience = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # Without this, boto3 signs links to objects by version 2, which newer regions do not know.
        signature_version="s3v4" if service == "s3" else None,
        s3=ADDRESSED if service == "s3" else None,
    )
    make = _chosen[-1].client if _chosen else boto3.client
    return make(service, config=patience)  # type: ignore[call-overload]


_chosen: list[boto3.Session] = []


def use(session: boto3.Session) -> None:
    """From now on clients are made of this session, with its credentials."""
    _chosen[:] = [session]
    client.cache_clear()


def forget() -> None:
    """Drop all clients, and the session (for tests)."""
    _chosen.clear()
    client.cache_clear()


def dynamodb() -> DynamoDBClient:
    return client("dynamodb")  # type: ignore[no-any-return]


def s3() -> S3Client:
    return client("s3")  # type: ignore[no-any-return]


def sqs() -> SQSClient:
    return client("sqs")  # type: ignore[no-any-return]


def sns() -> SNSClient:
    return client("sns")  # type: ignore[no-any-return]


def stepfunctions() -> SFNClient:
    return client("stepfunctions")  # type: ignore[no-any-return]


def events() -> EventBridgeClient:
    return client("events")  # type: ignore[no-any-return]


def ec2() -> EC2Client:
    return client("ec2")  # type: ignore[no-any-return]


def sts() -> STSClient:
    return client("sts")  # type: ignore[no-any-return]


def kms() -> Any:
    return client("kms")


def cloudwatch() -> CloudWatchClient:
    return client("cloudwatch")  # type: ignore[no-any-return]


def rds_data() -> RDSDataServiceClient:
    return client("rds-data")  # type: ignore[no-any-return]


def batch(attempts: int = ATTEMPTS) -> Any:
    """One attempt for submissions: Batch cannot tell a retry from a new job."""
    return client("batch", attempts)


def secretsmanager() -> SecretsManagerClient:
    return client("secretsmanager")  # type: ignore[no-any-return]
