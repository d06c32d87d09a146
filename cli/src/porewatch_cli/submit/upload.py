"""Resumable upload: what already arrived is never sent twice, and every part is checksummed.

Order: an object that is already there with the same SHA-256 is skipped; a file up to one part is
put at once; a larger one goes up in parts, and an unfinished upload of the same content to the
same key is continued. The server is the memory (its list of parts), so a killed upload resumes
from any machine. S3 verifies a CRC32 of every part, and the whole file's SHA-256 travels as
metadata for the validator to compare.
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
"""Small files wait for answers rather than for bandwidth, so several go at once."""

Advance = Callable[[int], None]
"""Told how many bytes have just arrived (or were found to be there already)."""


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
    uploads: Sequence[Upload], there: Container[str], *, s3: S3Client, advance: Advance
) -> int:
    """Send many files, several at a time; how many were not there already.

    `there`: the keys that are in the bucket, from one listing; nothing is asked about the others.
    The first failure stops what has not begun and is raised; what arrived stays, and is not sent
    again next time.
    """
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        jobs = [
            pool.submit(send, upload, s3=s3, advance=advance, ask=upload.key in there)
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
    ask: bool = True,
) -> bool:
    """Send one file; False when the same content was already there (looked up if `ask`)."""
    if ask and _is_there(upload, s3):
        advance(upload.size)
        return False
    part_bytes = max(part_bytes, -(-upload.size // MOST_PARTS))
    if upload.size <= part_bytes:
        _put_whole(upload, s3)
        advance(upload.size)
    else:
        _put_parts(upload, s3, advance, part_bytes)
    return True


def _is_there(upload: Upload, s3: S3Client) -> bool:
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
    there = _parts_there(upload, s3, upload_id, part_bytes)

    def put(number: int) -> CompletedPartTypeDef:
        offset = (number - 1) * part_bytes
        length = min(part_bytes, upload.size - offset)
        if number not in there:
            with upload.source.open("rb") as file:
                file.seek(offset)
                answer = s3.upload_part(
                    Bucket=upload.bucket,
                    Key=upload.key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=file.read(length),
                    ChecksumAlgorithm="CRC32",
                )
            there[number] = {"ETag": answer["ETag"], "PartNumber": number}
            if crc := answer.get("ChecksumCRC32"):
                there[number]["ChecksumCRC32"] = crc
        advance(length)
        return there[number]

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
    """The newest unfinished upload of this key, if there is one."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=upload.bucket, Prefix=upload.key
    )
    found = [u for page in pages for u in page.get("Uploads", []) if u["Key"] == upload.key]
    newest = max(found, key=lambda u: u["Initiated"], default=None)
    return newest["UploadId"] if newest else None


def _parts_there(
    upload: Upload, s3: S3Client, upload_id: str, part_bytes: int
) -> dict[int, CompletedPartTypeDef]:
    """Parts that arrived whole and hold what this file holds there now (by MD5 = part ETag)."""
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
