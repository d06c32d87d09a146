"""Copies of objects that are too large for one call of a function: part by part, in an upload that
S3 keeps, so that whoever comes next goes on where the last one ended.

S3 copies at most 5 GB in one request. What was copied is asked of S3, not remembered. An upload
that nobody ends is ended by the bucket's rule after seven days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from porewatch.adapters.batches import batches
from porewatch.adapters.faults import Known, translated
from porewatch.adapters.objects import ABSENT
from porewatch.domain.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART, PARTS_AT_ONCE, MOST_PARTS = 256 << 20, 10, 10_000
_GONE: Known = dict.fromkeys((*ABSENT, "NoSuchUpload"), NotFound)


class PartCopies:
    """Of objects of `bucket` onto themselves."""

    def __init__(self, bucket: str, client: S3Client) -> None:
        self._bucket, self._client = bucket, client

    def begin(self, key: str, described: dict[str, Any]) -> str:
        """The upload's id. `described`: storage class, metadata, content type."""
        with translated(f"begin to copy s3://{self._bucket}/{key}"):
            reply = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, **described)
        return str(reply["UploadId"])

    def go_on(
        self, key: str, upload: str, size: int, etag: str, time_left: Callable[[], bool]
    ) -> bool:
        """Copy what is left of the object with this etag, while there is time; whether all of it
        was copied, and has taken the object's place. NotFound when there is no such upload any
        more, or no such object."""
        done = dict(self._parts(key, upload))
        ranges = _ranges(size)
        left = [number for number in ranges if number not in done]
        with ThreadPoolExecutor(PARTS_AT_ONCE) as hands:
            for some in batches(left, PARTS_AT_ONCE):
                if not time_left():
                    return False

                def copy(number: int) -> tuple[int, str]:
                    return number, self._copy(key, upload, number, ranges[number], etag)

                done |= dict(hands.map(copy, some))
        parts: Any = [{"PartNumber": number, "ETag": done[number]} for number in sorted(done)]
        with translated(f"end the copy of s3://{self._bucket}/{key}", _GONE):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        return True

    def give_up(self, key: str, upload: str) -> None:
        """Nothing is left of the upload. Idempotent."""
        try:
            with translated(f"give up the copy of s3://{self._bucket}/{key}", _GONE):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        except NotFound:
            pass

    def _parts(self, key: str, upload: str) -> Iterator[tuple[int, str]]:
        pages = self._client.get_paginator("list_parts")
        with translated(f"look at the copy of s3://{self._bucket}/{key}", _GONE):
            for page in pages.paginate(Bucket=self._bucket, Key=key, UploadId=upload):
                for one in page.get("Parts", []):
                    yield one["PartNumber"], one["ETag"]

    def _copy(self, key: str, upload: str, number: int, range_: str, etag: str) -> str:
        with translated(f"copy part {number} of s3://{self._bucket}/{key}", _GONE):
            reply = self._client.upload_part_copy(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": key},
                CopySourceRange=range_,
                CopySourceIfMatch=etag,
            )
        return str(reply["CopyPartResult"]["ETag"])


def _ranges(size: int) -> dict[int, str]:
    """The bytes of each part, by its number."""
    part = max(PART, -(-size // MOST_PARTS))
    begins = range(0, size, part)
    return {
        number: f"bytes={begin}-{min(begin + part, size) - 1}"
        for number, begin in enumerate(begins, 1)
    }
