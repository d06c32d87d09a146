"""Incomplete multipart uploads: they are billed like objects, and no listing of objects shows them.

Uploads of runs are below `runs/`. One is orphaned when it was begun long ago (the caller says how
long) and no part of it arrived for a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.errors import NotFound
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.rules.orphans import Orphan, What

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUNS = "runs/"
STILL = timedelta(days=1)

NEVER = because(Code.NO_PART)


class Uploads:
    """The unfinished uploads of `buckets`, all of stack `stack`."""

    def __init__(
        self, stack: str, buckets: tuple[str, ...], client: S3Client | None = None
    ) -> None:
        self._stack, self._buckets = stack, buckets
        self._client = client or clients.s3()

    def left(self, at: datetime) -> Iterator[Orphan]:
        """Uploads of runs without a new part for a day."""
        pages = self._client.get_paginator("list_multipart_uploads")
        for bucket in self._buckets:
            with translated(f"look at the uploads of {bucket}"):
                for page in pages.paginate(Bucket=bucket, Prefix=RUNS):
                    for raw in page.get("Uploads", []):
                        key, number, begun = raw["Key"], raw["UploadId"], raw["Initiated"]
                        last = self._last_part(bucket, key, number) if at - begun > STILL else at
                        if at - max(begun, last or begun) > STILL:
                            yield self._orphan(bucket, key, number, begun, last)

    def end(self, orphan: Orphan) -> None:
        """Abort it. Idempotent."""
        where, number = orphan.name.rsplit("?uploadId=", 1)
        bucket, key = where.split("/", 1)
        try:
            with translated(f"abort the upload of {where}", {"NoSuchUpload": NotFound}):
                self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=number)
        except NotFound:
            return

    def _last_part(self, bucket: str, key: str, number: str) -> datetime | None:
        pages = self._client.get_paginator("list_parts")
        listed = pages.paginate(Bucket=bucket, Key=key, UploadId=number)
        parts = [part["LastModified"] for page in listed for part in page.get("Parts", [])]
        return max(parts, default=None)

    def _orphan(
        self, bucket: str, key: str, number: str, begun: datetime, last: datetime | None
    ) -> Orphan:
        came = because(Code.LAST_PART, at=f"{last:%Y-%m-%d %H:%M}Z") if last else NEVER
        return Orphan(
            what=What.UPLOAD,
            name=f"{bucket}/{key}?uploadId={number}",
            stack=self._stack,
            since=begun,
            unused=came,
        )
