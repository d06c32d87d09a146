"""Multipart uploads whose parts somebody else sends, by presigned links.

S3 keeps the parts, so an upload goes on from any machine. Nothing is visible before `complete`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from porewatch.adapters import clients
from porewatch.adapters.faults import Known, translated
from porewatch.domain.errors import NotFound
from porewatch.domain.submission.part_plan import SentPart, checksum_header

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_SECONDS = 15 * 60
"""Life of a link to a part."""


class MultipartUploads:
    """Of `bucket`. Every method raises NotFound for an upload that is not known (any more)."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self.bucket = bucket
        self._client = client or clients.s3()

    def begin(self, key: str, *, sha256: str | None, part_checksums: bool) -> str:
        """S3's id of a new upload. `sha256`: of the whole, in hex; the check compares it."""
        more: dict[str, Any] = {"Metadata": {"sha256": sha256}} if sha256 else {}
        if part_checksums:
            more["ChecksumAlgorithm"] = "SHA256"
        with self._translated("begin the upload of", key):
            reply = self._client.create_multipart_upload(Bucket=self.bucket, Key=key, **more)
        return reply["UploadId"]

    def parts(self, key: str, upload: str) -> list[SentPart]:
        """What has arrived, in order."""
        pages = self._client.get_paginator("list_parts")
        with self._translated("list the parts of", key):
            return [
                SentPart(
                    part["PartNumber"],
                    part["Size"],
                    part["ETag"].strip('"'),
                    part.get("ChecksumSHA256"),
                )
                for page in pages.paginate(Bucket=self.bucket, Key=key, UploadId=upload)
                for part in page.get("Parts", [])
            ]

    def link(
        self, key: str, upload: str, number: int, length: int, sha256: str | None = None
    ) -> str:
        """Where to PUT a part of exactly `length` bytes; with `sha256` (hex), of this content. Both
        are signed: S3 refuses any other."""
        params: dict[str, Any] = {
            "Bucket": self.bucket,
            "Key": key,
            "UploadId": upload,
            "PartNumber": number,
            "ContentLength": length,
        }
        if sha256:
            params["ChecksumSHA256"] = checksum_header(sha256)
        return self._client.generate_presigned_url(
            "upload_part", Params=params, ExpiresIn=PART_SECONDS
        )

    def origin(self) -> str:
        """Scheme, host and port of every link: what a page must be allowed to connect to."""
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.link("runs/r/a", "u", 1, 1)))

    def complete(self, key: str, upload: str, parts: list[SentPart]) -> None:
        """Make the object out of these parts."""
        named: Any = [
            {"PartNumber": part.number, "ETag": f'"{part.etag}"'}
            | ({"ChecksumSHA256": part.sha256} if part.sha256 else {})
            for part in parts
        ]
        with self._translated("complete the upload of", key):
            self._client.complete_multipart_upload(
                Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": named}
            )

    def abort(self, key: str, upload: str) -> None:
        """Forget its parts. Idempotent."""
        try:
            with self._translated("abort the upload of", key):
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
        except NotFound:
            return

    def _translated(self, doing: str, key: str) -> Any:
        known: Known = {
            "NoSuchUpload": lambda _: NotFound("its upload is not known any more.", file=key)
        }
        return translated(f"{doing} s3://{self.bucket}/{key}", known)
