"""All object versions of a bucket, with delete markers: listed, deleted, locked.

Order: listing, deleting (versions, and incomplete uploads), S3 legal holds.

A legal hold of S3 prevents every deletion of a version: by this product, by its lifecycle rules
(they may still add a delete marker), and by people with every permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import Known, translated
from porewatch.domain.errors import NotFound, Unavailable, UnderHold

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE = 1000
"""Versions that S3 deletes in one request."""
THREADS = 16
_GONE: Known = {code: NotFound for code in ("NoSuchUpload", "NoSuchKey", "NoSuchVersion")}


@dataclass(frozen=True)
class Version:
    """One version of an object; `marker`: a delete marker."""

    key: str
    number: str
    size: int
    modified: datetime
    marker: bool = False


class Versions:
    """The versions in `bucket`."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self.bucket = bucket
        self._client = client or clients.s3()

    def of(self, prefix: str, after: str = "") -> Iterator[Version]:
        """Every version below `prefix`, by pages in order of key; `after`: only those of later
        objects."""
        pages = self._client.get_paginator("list_object_versions")
        request: Any = {"Bucket": self.bucket, "Prefix": prefix}
        request |= {"KeyMarker": after} if after else {}
        with translated(f"list the versions of s3://{self.bucket}/{prefix}"):
            for page in pages.paginate(**request):
                yield from (v for v in _versions(page) if v.key > after)

    def folders(self, prefix: str = "") -> tuple[list[str], list[Version]]:
        """(folders right below `prefix`, versions outside of them)."""
        folders: list[str] = []
        loose: list[Version] = []
        pages = self._client.get_paginator("list_object_versions")
        with translated(f"list the folders of s3://{self.bucket}/{prefix}"):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/"):
                folders += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
                loose += _versions(page)
        return folders, loose

    def delete(self, versions: Sequence[Version]) -> None:
        """Permanently. UnderHold when S3 holds one of them; the others are deleted."""
        refused: list[Any] = []
        for some in batches(versions, AT_ONCE):
            objects: Any = [{"Key": v.key, "VersionId": v.number} for v in some]
            with translated(f"delete {len(some)} versions in {self.bucket}"):
                reply = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
                )
            refused += reply.get("Errors", [])
        if refused:
            raise self._why_not(refused)

    def _why_not(self, refused: list[Any]) -> Exception:
        first = refused[0]
        problem = (
            f"{len(refused)} versions in bucket {self.bucket} could not be deleted, the first "
        )
        problem += f"{first['Key']}: {first['Code']}: {first.get('Message', '')}"
        if first["Code"] == "AccessDenied":
            return UnderHold(
                problem,
                remedy="S3 itself holds them (Object Lock), or the role may not delete them; end "
                "that, and give the same order again.",
            )
        return Unavailable(problem, remedy="give the same order again.")

    def end_uploads(self, prefix: str) -> None:
        """Abort every incomplete multipart upload."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with translated(f"look at the uploads below s3://{self.bucket}/{prefix}"):
            found = [
                (upload["Key"], upload["UploadId"])
                for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
                for upload in page.get("Uploads", [])
            ]
        for key, number in found:
            try:
                with translated(f"abort the upload of {key}", _GONE):
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=key, UploadId=number
                    )
            except NotFound:
                continue

    def allows_holds(self) -> bool:
        """Whether S3 Object Lock is on: without it no version can be locked."""
        unknown: Known = {"ObjectLockConfigurationNotFoundError": NotFound}
        try:
            with translated(f"ask bucket {self.bucket} for its Object Lock", unknown):
                self._client.get_object_lock_configuration(Bucket=self.bucket)
        except NotFound:
            return False
        return True

    def allow_holds(self) -> None:
        """Turn S3 Object Lock on, without default retention. It cannot be turned off, and changes
        nothing for objects without a lock. Needs a versioned bucket."""
        if not self.allows_holds():
            with translated(f"turn Object Lock on in bucket {self.bucket}"):
                self._client.put_object_lock_configuration(
                    Bucket=self.bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
                )

    def hold(self, versions: Iterable[Version], *, on: bool) -> int:
        """Lock or unlock these versions (markers hold no data and are skipped); returns how
        many."""

        def one(version: Version) -> bool:
            try:
                with translated(f"lock {version.key} in {self.bucket}", _GONE):
                    self._client.put_object_legal_hold(
                        Bucket=self.bucket,
                        Key=version.key,
                        VersionId=version.number,
                        LegalHold={"Status": "ON" if on else "OFF"},
                    )
            except NotFound:
                return False
            return True

        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(one, (v for v in versions if not v.marker)))


def _versions(page: Any) -> Iterator[Version]:
    """Versions and markers of a page, together in order of key."""
    found = [
        Version(one["Key"], one["VersionId"], one["Size"], one["LastModified"])
        for one in page.get("Versions", [])
    ]
    found += [
        Version(mark["Key"], mark["VersionId"], 0, mark["LastModified"], marker=True)
        for mark in page.get("DeleteMarkers", [])
    ]
    yield from sorted(found, key=lambda version: version.key)
