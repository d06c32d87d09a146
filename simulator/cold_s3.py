"""S3 as far as an archive needs it: versions, storage classes, restores that take their time,
copies that end when nobody waits for them any more, and lifecycle rules.

Exactly the requests that `adapters.archive.cold_storage` makes. `now` is the story's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from porewatch.domain.archive.retrieval import EXPECTED, Speed, retrieval_usd
from porewatch.domain.retention.expiry import expires
from simulator.faults import refusal

Place = tuple[str, str]


class Crash(BaseException):
    """The process is gone. No code of ours catches it."""


@dataclass
class Version:
    """`content` stands for the bytes. `old_since`: when it ceased to be the newest."""

    content: str
    size: int
    cold: bool
    created: datetime
    marker: bool = False
    asked: datetime | None = None
    ready: datetime | None = None
    readable_until: datetime | None = None
    announced: bool = False
    old_since: datetime | None = None
    number: int = 0


@dataclass
class Upload:
    """A copy in parts: etags by number."""

    cold: bool
    parts: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lifecycle:
    """Days of a bucket's rules; None: no such rule."""

    expiration: int | None
    old_versions: int | None


@dataclass
class ColdS3:
    """`restored` gets (bucket, key) when S3 would say so; `removed` the same of each deletion, by
    us or by a rule, of the newest version; `landed` (bucket, key, whether it is archived) of each
    copy that ended. `copy_dies`: of the next copy the process dies, and the
    copy ends so much later (None: never)."""

    now: Callable[[], datetime]
    rules: dict[str, Lifecycle] = field(default_factory=dict)
    restored: Callable[[str, str], None] = lambda *_: None
    removed: Callable[[str, str], None] = lambda *_: None
    landed: Callable[[str, str, bool], None] = lambda *_: None
    versions: dict[Place, list[Version]] = field(default_factory=dict)
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    copy_dies: list[timedelta | None] = field(default_factory=list)
    refusals: int = 0
    no_expedited: bool = False
    retrieval_usd: float = 0.0
    copied: int = 0
    uploads: dict[str, Upload] = field(default_factory=dict)
    parts_copied: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    def put(self, bucket: str, key: str, content: str, size: int) -> None:
        self._write((bucket, key), Version(content, size, cold=False, created=self.now()))

    def newest(self, bucket: str, key: str) -> Version | None:
        versions = self.versions.get((bucket, key), [])
        return versions[-1] if versions and not versions[-1].marker else None

    def readable(self, bucket: str, key: str) -> bool:
        """By GetObject."""
        found = self.newest(bucket, key)
        return found is not None and (not found.cold or self._is_ready(found))

    def time_passed(self) -> None:
        """What is over by now has happened: copies, restores, and the nightly lifecycle rules."""
        due = [one for one in self.late if one[0] <= self.now()]
        self.late = [one for one in self.late if one[0] > self.now()]
        for _, land in due:
            land()
        for (bucket, key), versions in list(self.versions.items()):
            newest = versions[-1] if versions else None
            if newest and newest.ready and newest.ready <= self.now() and not newest.announced:
                newest.announced = True
                self.restored(bucket, key)
            self._age(bucket, key)

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=self.paginate_parts) if name == "list_parts" else self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        self._answers()
        yield {
            "Contents": [
                {"Key": key, "Size": found.size, "StorageClass": _class(found)}
                for (bucket, key) in sorted(self.versions)
                if bucket == Bucket and key.startswith(Prefix)
                for found in [self.newest(bucket, key)]
                if found is not None
            ]
        }

    def head_object(self, *, Bucket: str, Key: str, ChecksumMode: str) -> dict[str, Any]:
        self._answers()
        found = self.newest(Bucket, Key)
        if found is None:
            raise refusal("404", status=404)
        head: dict[str, Any] = {
            "ContentLength": found.size,
            "ETag": f'"{found.content}"',
            "StorageClass": _class(found),
        }
        if self._is_ready(found):
            head["Restore"] = 'ongoing-request="false", expiry-date="Fri, 01 Jan 2027 00:00:00 GMT"'
        elif found.asked is not None and found.ready is not None and found.ready > self.now():
            head["Restore"] = 'ongoing-request="true"'
        return head

    def copy(
        self, source: dict[str, str], bucket: str, key: str, *, ExtraArgs: Any, Config: Any
    ) -> None:
        self._answers()
        found = self._source(bucket, key)
        self._end_copy(bucket, key, found, ExtraArgs["StorageClass"] == "GLACIER")

    def create_multipart_upload(self, *, Bucket: str, Key: str, **described: Any) -> Any:
        self._answers()
        upload = f"upload-{next(self._numbers)}"
        self.uploads[upload] = Upload(described["StorageClass"] == "GLACIER")
        return {"UploadId": upload}

    def upload_part_copy(self, *, Bucket: str, Key: str, **part: Any) -> Any:
        self._answers()
        upload, found = self._upload(part["UploadId"]), self._source(Bucket, Key)
        if part["CopySourceIfMatch"] != f'"{found.content}"':
            raise refusal("PreconditionFailed", status=412)
        etag = f"{found.content}/{part['CopySourceRange']}"
        upload.parts[part["PartNumber"]] = etag
        self.parts_copied += 1
        return {"CopyPartResult": {"ETag": etag}}

    def paginate_parts(self, *, Bucket: str, Key: str, UploadId: str) -> Iterator[dict[str, Any]]:
        self._answers()
        parts = self._upload(UploadId).parts
        yield {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts.items()]}

    def complete_multipart_upload(
        self, *, Bucket: str, Key: str, UploadId: str, MultipartUpload: Any
    ) -> None:
        self._answers()
        upload = self._upload(UploadId)
        sent = {one["PartNumber"]: one["ETag"] for one in MultipartUpload["Parts"]}
        if sent != upload.parts:
            raise refusal("InvalidPart", status=400)
        content = {etag.rpartition("/")[0] for etag in sent.values()}
        size = 1 + max(int(etag.rpartition("-")[2]) for etag in sent.values())
        del self.uploads[UploadId]
        made = Version("+".join(content), size, cold=False, created=self.now())
        self._end_copy(Bucket, Key, made, upload.cold)

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:
        self._answers()
        self._upload(UploadId)
        del self.uploads[UploadId]

    def _upload(self, upload: str) -> Upload:
        if upload not in self.uploads:
            raise refusal("NoSuchUpload", status=404)
        return self.uploads[upload]

    def _source(self, bucket: str, key: str) -> Version:
        found = self.newest(bucket, key)
        if found is None:
            raise refusal("NoSuchKey", status=404)
        if not self.readable(bucket, key):
            raise refusal("InvalidObjectState", status=403)
        return found

    def _end_copy(self, bucket: str, key: str, found: Version, cold: bool) -> None:
        def land() -> None:
            self.copied += 1
            made = Version(found.content, found.size, cold=cold, created=self.now())
            self._write((bucket, key), made)
            self.landed(bucket, key, cold)

        if not self.copy_dies:
            land()
            return
        later = self.copy_dies.pop()
        if later is not None:
            self.late.append((self.now() + later, land))
        raise Crash

    def restore_object(self, *, Bucket: str, Key: str, RestoreRequest: Any) -> None:
        self._answers()
        found, speed = self.newest(Bucket, Key), RestoreRequest["GlacierJobParameters"]["Tier"]
        if found is None:
            raise refusal("NoSuchKey", status=404)
        if not found.cold:
            raise refusal("InvalidObjectState", status=403)
        if speed == Speed.EXPEDITED and self.no_expedited:
            raise refusal("GlacierExpeditedRetrievalNotAvailable", status=503)
        if found.ready is not None and found.ready > self.now():
            raise refusal("RestoreAlreadyInProgress", status=409)
        if self._is_ready(found):
            return
        self.retrieval_usd += retrieval_usd(Speed(speed), [found.size])
        found.asked, found.announced = self.now(), False
        found.ready = self.now() + EXPECTED[Speed(speed)]
        found.readable_until = expires(found.ready, RestoreRequest["Days"])

    def delete_objects(self, *, Bucket: str, Delete: Any) -> dict[str, Any]:
        self._answers()
        for one in Delete["Objects"]:
            if self.newest(Bucket, one["Key"]) is not None:
                self.removed(Bucket, one["Key"])
                marker = Version("", 0, cold=False, created=self.now(), marker=True)
                self._write((Bucket, one["Key"]), marker)
        return {}

    def _answers(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise refusal("SlowDown", status=503)

    def _is_ready(self, found: Version) -> bool:
        if found.ready is None or found.readable_until is None:
            return False
        return found.ready <= self.now() < found.readable_until

    def _write(self, place: Place, made: Version) -> None:
        versions = self.versions.setdefault(place, [])
        if versions:
            versions[-1].old_since = self.now()
        made.number = next(self._numbers)
        versions.append(made)

    def _age(self, bucket: str, key: str) -> None:
        rule, versions = self.rules.get(bucket), self.versions[bucket, key]
        if rule is None:
            return
        newest = self.newest(bucket, key)
        if rule.expiration and newest and expires(newest.created, rule.expiration) <= self.now():
            self.removed(bucket, key)
            marker = Version("", 0, cold=False, created=self.now(), marker=True)
            self._write((bucket, key), marker)
        if rule.old_versions:
            keep = timedelta(days=rule.old_versions)
            versions[:] = [
                v for v in versions if v.old_since is None or v.old_since + keep > self.now()
            ]


def _class(found: Version) -> str:
    return "GLACIER" if found.cold else "STANDARD"
