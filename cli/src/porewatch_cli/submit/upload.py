"""Resumable upload: data that arrived is never sent twice, and every part has a checksum.

Order: skip an object that exists with the same SHA-256; put a file of up to one part whole;
upload a larger one in parts, and continue an unfinished multipart upload of the same content to
the same key. S3 keeps the state (its list of parts), so a killed upload resumes from any
computer. S3 verifies a CRC32 of every part; the SHA-256 of the whole file is metadata, which the
validator compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 * 1024 * 1024
MOST_PARTS = 10_000  # an S3 limit
PARALLEL_PARTS = 4
PARALLEL_FILES = 8
"""Small files wait for responses rather than for bandwidth, so several are sent in parallel."""

Advance = Callable[[int], None]
"""Called with the number of bytes that just arrived (or existed already)."""


@dataclass(frozen=True)
class Upload:
    """One file to send."""

    source: Path
    bucket: str
    key: str
    sha256: str

    @property
    def size(self) -> int:
        return self.source.stat().st_size


def send_all(
    uploads: Sequence[Upload], existing: Container[str], *, s3: S3Client, advance: Advance
) -> int:
    """Upload many files in parallel; returns how many did not exist yet.

    `existing`: the keys in the bucket, from one listing; other keys are not looked up. The first
    failure cancels uploads that have not begun and is raised; objects that arrived stay, and a
    retry skips them.
    """
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        jobs = [
            pool.submit(send, upload, s3=s3, advance=advance, look_up=upload.key in existing)
            for upload in uploads
        ]
        try:
            return sum(job.result() for job in as_completed(jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def send(
    upload: Upload,
    *,
    s3: S3Client,
    advance: Advance,
    part_bytes: int = PART_BYTES,
    look_up: bool = True,
) -> bool:
    """Upload one file; False when the same content exists already (checked if `look_up`)."""
    if look_up and _exists(upload, s3):
        advance(upload.size)
        return False
    part_bytes = max(part_bytes, -(-upload.size // MOST_PARTS))
    if upload.size <= part_bytes:
        _put_whole(upload, s3)
        advance(upload.size)
    else:
        _put_parts(upload, s3, advance, part_bytes)
    return True


def _exists(upload: Upload, s3: S3Client) -> bool:
    try:
        head = s3.head_object(Bucket=upload.bucket, Key=upload.key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return head["ContentLength"] == upload.size and head["Metadata"].get("sha256") == upload.sha256


def _put_whole(upload: Upload, s3: S3Client) -> None:
    with upload.source.open("rb") as body:
        s3.put_object(
            Bucket=upload.bucket,
            Key=upload.key,
            Body=body,
            Metadata={"sha256": upload.sha256},
            ChecksumAlgorithm="CRC32",
        )


def _put_parts(upload: Upload, s3: S3Client, advance: Advance, part_bytes: int) -> None:
    upload_id = _unfinished(upload, s3) or _begin(upload, s3)
    arrived = _arrived_parts(upload, s3, upload_id, part_bytes)

    def put(number: int) -> CompletedPartTypeDef:
        offset = (number - 1) * part_bytes
        length = min(part_bytes, upload.size - offset)
        if number not in arrived:
            with upload.source.open("rb") as file:
                file.seek(offset)
                response = s3.upload_part(
                    Bucket=upload.bucket,
                    Key=upload.key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=file.read(length),
                    ChecksumAlgorithm="CRC32",
                )
            arrived[number] = {"ETag": response["ETag"], "PartNumber": number}
            if crc := response.get("ChecksumCRC32"):
                arrived[number]["ChecksumCRC32"] = crc
        advance(length)
        return arrived[number]

    count = -(-upload.size // part_bytes)
    with ThreadPoolExecutor(PARALLEL_PARTS) as pool:
        parts = list(pool.map(put, range(1, count + 1)))
    s3.complete_multipart_upload(
        Bucket=upload.bucket,
        Key=upload.key,
        UploadId=upload_id,
        MultipartUpload={"Parts": parts},
    )


def _begin(upload: Upload, s3: S3Client) -> str:
    return s3.create_multipart_upload(
        Bucket=upload.bucket,
        Key=upload.key,
        Metadata={"sha256": upload.sha256},
        ChecksumAlgorithm="CRC32",
    )["UploadId"]


def _unfinished(upload: Upload, s3: S3Client) -> str | None:
    """The newest unfinished multipart upload of this key, if any."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=upload.bucket, Prefix=upload.key
    )
    found = [u for page in pages for u in page.get("Uploads", []) if u["Key"] == upload.key]
    newest = max(found, key=lambda u: u["Initiated"], default=None)
    return newest["UploadId"] if newest else None


def _arrived_parts(
    upload: Upload, s3: S3Client, upload_id: str, part_bytes: int
) -> dict[int, CompletedPartTypeDef]:
    """Complete parts whose content equals this file's at that offset (by MD5 = part ETag)."""
    kept: dict[int, CompletedPartTypeDef] = {}
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=upload.bucket, Key=upload.key, UploadId=upload_id
    )
    for page in pages:
        for part in page.get("Parts", []):
            number = part["PartNumber"]
            if part["ETag"].strip('"') == _md5(upload.source, number, part_bytes):
                kept[number] = {"ETag": part["ETag"], "PartNumber": number}
                if crc := part.get("ChecksumCRC32"):
                    kept[number]["ChecksumCRC32"] = crc
    return kept


def _md5(source: Path, number: int, part_bytes: int) -> str:
    with source.open("rb") as file:
        file.seek((number - 1) * part_bytes)
        return hashlib.md5(file.read(part_bytes), usedforsecurity=False).hexdigest()
