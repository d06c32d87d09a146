"""S3 answers 403, not 404, to who may not list the bucket. A worker may list its own run: what is
missing there is not listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters.faults import translated
from porewatch.domain.errors import ConfigurationRefused, NotFound, PorewatchError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def missing_from(bucket: str, key: str) -> NotFound:
    return NotFound(f"does not exist in bucket {bucket}.", file=key)


def missing_or_forbidden(client: S3Client, bucket: str, key: str, why: str) -> PorewatchError:
    """The error of a read that was answered with 403: NotFound when a listing shows no such key,
    ConfigurationRefused (`why`) when it does or is refused, too."""
    try:
        with translated(f"list s3://{bucket}/{key}"):
            listed = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    except PorewatchError:
        return ConfigurationRefused(why)
    if any(found["Key"] == key for found in listed.get("Contents", [])):
        return ConfigurationRefused(why)
    return missing_from(bucket, key)
