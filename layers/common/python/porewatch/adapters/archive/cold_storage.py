"""Storage classes of the objects of one bucket: looked at, copied, asked back.

Objects stay where they are, under their key. A copy onto itself makes a new version in a versioned
bucket; the version before it goes by the bucket's rule for old versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.archive.part_copies import PART, PARTS_AT_ONCE, PartCopies
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import Known, translated
from porewatch.adapters.objects import ABSENT
from porewatch.domain.archive.away import Restore, Stored
from porewatch.domain.archive.retrieval import Speed
from porewatch.domain.errors import (
    AlreadyDone,
    CapacityUnavailable,
    NotFound,
    Throttled,
    Unavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COLD = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Classes whose objects must be restored before they can be read."""
ARCHIVE_CLASS, HOT_CLASS = "GLACIER", "STANDARD"
"""GLACIER: Flexible Retrieval, by the name that the API has kept."""
READABLE_DAYS = 3
"""How long S3 keeps the readable copy: it is copied back at once, or when a lost event is noticed.
"""
AT_ONCE = 1000
NO_CAPACITY = "GlacierExpeditedRetrievalNotAvailable"
_DESCRIBED = ("ContentDisposition", "ContentEncoding", "CacheControl", "ContentLanguage")
_FULL_SUMS = ("ChecksumCRC64NVME", "ChecksumSHA256", "ChecksumCRC32C", "ChecksumCRC32")


@dataclass(frozen=True)
class Found:
    """An object of a list. `cold` as in `Stored`."""

    key: str
    size: int
    cold: bool


class ColdStorage:
    """The objects of `bucket`."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self.bucket = bucket
        self._client = client or clients.s3()
        self._parts = PartCopies(bucket, self._client)

    def below(self, prefix: str) -> Iterator[Found]:
        """Every object below `prefix`."""
        pages = self._client.get_paginator("list_objects_v2")
        with translated(f"list s3://{self.bucket}/{prefix}"):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for one in page.get("Contents", []):
                    yield Found(one["Key"], one["Size"], one.get("StorageClass") in COLD)

    def look(self, key: str) -> Stored | None:
        """The object as it is now; None: there is none."""
        head = self._head(key)
        return None if head is None else _stored(head)

    def archive(self, key: str) -> None:
        """Copy the object onto itself into the archive class. Raises NotFound when it is gone. Who
        calls compares what is there afterwards (`domain.archive.steps`)."""
        self._copy(key, ARCHIVE_CLASS)

    def rehydrate(self, key: str) -> None:
        """Copy the restored object onto itself into the standard class; raises as `archive`."""
        self._copy(key, HOT_CLASS)

    def begin_copy(self, key: str, *, into_archive: bool) -> str:
        """Begin a copy that takes more than one call; its id. Raises as `archive`."""
        head = self._need(key)
        return self._parts.begin(
            key, _described(head, ARCHIVE_CLASS if into_archive else HOT_CLASS)
        )

    def copy_on(self, key: str, upload: str, time_left: Callable[[], bool]) -> bool:
        """Copy more of it while there is time; whether the copy has ended. Raises NotFound when the
        object or that copy is gone."""
        head = self._need(key)
        return self._parts.go_on(key, upload, head["ContentLength"], head["ETag"], time_left)

    def give_up(self, key: str, upload: str) -> None:
        """End a copy without a result; one that has ended stays. Idempotent."""
        self._parts.give_up(key, upload)

    def ask_back(self, key: str, speed: Speed) -> Speed:
        """Have S3 make a readable copy; the speed it takes. Expedited gives way to Standard while
        S3 has no capacity for it. Asked before: the same."""
        if speed is Speed.EXPEDITED:
            try:
                return self._restore(key, speed)
            except CapacityUnavailable:
                speed = Speed.STANDARD
        return self._restore(key, speed)

    def remove(self, keys: list[str]) -> None:
        """Put a delete marker on each: what lies below goes by the rule for old versions."""
        for some in batches(keys, AT_ONCE):
            objects: Any = [{"Key": key} for key in some]
            with translated(f"remove {len(some)} objects of {self.bucket}"):
                reply = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
                )
            if refused := reply.get("Errors", []):
                raise Unavailable(f"{len(refused)} objects of {self.bucket} were not removed.")

    def _restore(self, key: str, speed: Speed) -> Speed:
        known: Known = {
            "RestoreAlreadyInProgress": AlreadyDone,
            NO_CAPACITY: CapacityUnavailable,
            "ServiceUnavailable": Throttled,
        }
        request: Any = {"Days": READABLE_DAYS, "GlacierJobParameters": {"Tier": speed.value}}
        try:
            with translated(f"restore s3://{self.bucket}/{key}", known):
                self._client.restore_object(Bucket=self.bucket, Key=key, RestoreRequest=request)
        except AlreadyDone:
            pass
        return speed

    def _copy(self, key: str, storage_class: str) -> None:
        head = self._need(key)
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415  (few functions copy)

        how = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=PARTS_AT_ONCE
        )
        extra = {
            **_described(head, storage_class),
            "MetadataDirective": "REPLACE",  # so that a copy in parts has it, too
            "CopySourceIfMatch": head["ETag"],
        }
        source: Any = {"Bucket": self.bucket, "Key": key}
        with translated(f"copy s3://{self.bucket}/{key} to class {storage_class}"):
            self._client.copy(source, self.bucket, key, ExtraArgs=extra, Config=how)

    def _need(self, key: str) -> Any:
        head = self._head(key)
        if head is None:
            raise NotFound("is gone.", file=key)
        return head

    def _head(self, key: str) -> Any:
        gone: Known = dict.fromkeys(ABSENT, NotFound)
        try:
            with translated(f"look at s3://{self.bucket}/{key}", gone):
                return self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except NotFound:
            return None


def _described(head: Any, storage_class: str) -> dict[str, Any]:
    """What a copy says of itself."""
    return {
        "StorageClass": storage_class,
        "Metadata": head.get("Metadata", {}),
        "ContentType": head.get("ContentType", "binary/octet-stream"),
        **{name: head[name] for name in _DESCRIBED if name in head},
    }


def _stored(head: Any) -> Stored:
    restore = str(head.get("Restore", ""))
    ready = 'ongoing-request="false"' in restore
    full = head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    sums = [f"{name}:{head[name]}" for name in _FULL_SUMS if full and name in head]
    return Stored(
        size=head["ContentLength"],
        etag=head["ETag"].strip('"'),
        checksum=sums[0] if sums else "",
        cold=head.get("StorageClass") in COLD,
        restore=(Restore.READY if ready else Restore.ONGOING) if restore else Restore.NONE,
    )
