"""Copies of the records of days in a bucket with Object Lock: nobody changes or deletes one before
its retention ends, whatever his rights on the stack.

A later version of the same key can be written over a copy; the first one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.adapters.objects import Objects
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.results.audit_anchors import AnchorDay
from porewatch.domain.results.publishing import JSON

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "days/"


class LockedAnchors:
    """In bucket `bucket`, whose default retention each copy gets as it is written."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self._objects, self._client = Objects(bucket, client), client or clients.s3()

    def keep(self, record: AnchorDay) -> None:
        """Copy a day's record; one that has a copy keeps it. Unavailable or Throttled."""
        key, content = f"{PREFIX}{record.day.isoformat()}.json", record.canonical_json().encode()
        with suppress(AlreadyDone):
            self._objects.put_new(key, content, JSON)

    def digests(self) -> dict[date, str]:
        """Day -> digest of the record that was copied first; empty for one that is no record."""
        first = dict(
            self._versions()
        )  # S3 lists the versions of a key from the newest to the first
        return {
            date.fromisoformat(key.removeprefix(PREFIX).removesuffix(".json")): self._digest(
                key, version
            )
            for key, version in sorted(first.items())
        }

    def _versions(self) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_object_versions")
        with translated("list the locked records of days"):
            for page in pages.paginate(Bucket=self._objects.bucket, Prefix=PREFIX):
                for one in page.get("Versions", []):
                    yield one["Key"], one["VersionId"]

    def _digest(self, key: str, version: str) -> str:
        with translated(f"read {key}"):
            found = self._client.get_object(Bucket=self._objects.bucket, Key=key, VersionId=version)
            content = found["Body"].read()
        try:
            return AnchorDay.model_validate_json(content).digest()
        except ValueError:
            return ""
