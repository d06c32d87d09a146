"""S3: objects with etags, conditional writes, pages of listings."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.faults import refusal
from simulator.scheduler import START

PAGE = 1000


@dataclass(frozen=True)
class Stored:
    content: bytes
    etag: str
    modified: datetime


class Body(io.BytesIO):
    """As much of botocore's StreamingBody as we read."""

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while piece := self.read(size):
            yield piece


class S3:
    """`wrote` gets (bucket, key, stored, replaced) of every write."""

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: START,
        wrote: Callable[[str, str, Stored, bool], None] = lambda *_: None,
    ) -> None:
        self._clock, self._wrote = clock, wrote
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.locking: set[str] = set()
        self.held: set[tuple[str, str]] = set()
        """(bucket, key) of what is under S3's own legal hold."""

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any,
        ContentType: str = "",
        IfNoneMatch: str | None = None,
        IfMatch: str | None = None,
    ) -> dict[str, Any]:
        there = self.buckets.setdefault(Bucket, {}).get(Key)
        if IfNoneMatch == "*" and there is not None:
            raise refusal("PreconditionFailed", status=412)
        if IfMatch is not None and there is None:
            raise refusal("NoSuchKey", status=404)
        if IfMatch is not None and there is not None and there.etag != IfMatch.strip('"'):
            raise refusal("PreconditionFailed", status=412)
        content = Body if isinstance(Body, bytes) else Body.read()
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        stored = Stored(content, etag, self._clock())
        self.buckets[Bucket][Key] = stored
        self._wrote(Bucket, Key, stored, there is not None)
        return {"ETag": f'"{etag}"'}

    def upload_fileobj(
        self, Fileobj: Any, Bucket: str, Key: str, ExtraArgs: dict[str, str] | None = None
    ) -> None:
        Fileobj.seek(0)  # the SDK does so before it tries again
        self.put_object(Bucket=Bucket, Key=Key, Body=Fileobj.read())

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        stored = self._need(Bucket, Key, "NoSuchKey")
        return {"Body": Body(stored.content), **_about(stored)}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return _about(self._need(Bucket, Key, "404"))

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.buckets.get(Bucket, {}).pop(Key, None)
        return {}

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str = "", Delimiter: str = "", ContinuationToken: str = ""
    ) -> dict[str, Any]:
        there = self.buckets.get(Bucket, {})
        keys = sorted(k for k in there if k.startswith(Prefix))
        if Delimiter:
            inner = [k.removeprefix(Prefix) for k in keys if Delimiter in k.removeprefix(Prefix)]
            names = sorted({k.split(Delimiter)[0] for k in inner})
            folders = [{"Prefix": f"{Prefix}{name}{Delimiter}"} for name in names]
            keys = [k for k in keys if Delimiter not in k.removeprefix(Prefix)]
        else:
            folders = []
        rest = [k for k in keys if k > ContinuationToken]
        page = rest[:PAGE]
        found = [_listed(k, there[k]) for k in page]
        answer: dict[str, Any] = {"IsTruncated": len(rest) > PAGE, "KeyCount": len(page)}
        if found:
            answer["Contents"] = found
        if folders:
            answer["CommonPrefixes"] = folders
        if len(rest) > PAGE:
            answer["NextContinuationToken"] = page[-1]
        return answer

    def copy(self, CopySource: dict[str, str], Bucket: str, Key: str, Config: Any = None) -> None:
        stored = self._need(CopySource["Bucket"], CopySource["Key"], "404")
        self.put_object(Bucket=Bucket, Key=Key, Body=stored.content)

    def list_object_versions(
        self, *, Bucket: str, Prefix: str = "", Delimiter: str = "", KeyMarker: str = ""
    ) -> dict[str, Any]:
        """Of each object its only version; a page holds all of them."""
        listed = self.list_objects_v2(Bucket=Bucket, Prefix=Prefix, Delimiter=Delimiter)
        there = [one for one in listed.get("Contents", []) if one["Key"] > KeyMarker]
        versions = [{**one, "VersionId": "null"} for one in there]
        return {"Versions": versions, "CommonPrefixes": listed.get("CommonPrefixes", [])}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        held = [one for one in Delete["Objects"] if (Bucket, one["Key"]) in self.held]
        for one in Delete["Objects"]:
            if one not in held:
                self.delete_object(Bucket=Bucket, Key=one["Key"])
        return {"Errors": [{**one, "Code": "AccessDenied"} for one in held]}

    def get_object_lock_configuration(self, *, Bucket: str) -> dict[str, Any]:
        if Bucket not in self.locking:
            raise refusal("ObjectLockConfigurationNotFoundError", status=404)
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}

    def put_object_lock_configuration(
        self, *, Bucket: str, ObjectLockConfiguration: Any
    ) -> dict[str, Any]:
        self.locking.add(Bucket)
        return {}

    def put_object_legal_hold(
        self, *, Bucket: str, Key: str, VersionId: str, LegalHold: dict[str, str]
    ) -> dict[str, Any]:
        self._need(Bucket, Key, "NoSuchKey")
        change = self.held.add if LegalHold["Status"] == "ON" else self.held.discard
        change((Bucket, Key))
        return {}

    def list_multipart_uploads(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:
        return {}  # every upload here is done at once

    def _need(self, bucket: str, key: str, code: str) -> Stored:
        stored = self.buckets.get(bucket, {}).get(key)
        if stored is None:
            raise refusal(code, "Not Found", status=404)
        return stored


def _listed(key: str, stored: Stored) -> dict[str, Any]:
    about = _about(stored)
    return {"Key": key, "Size": about.pop("ContentLength"), **about}


def _about(stored: Stored) -> dict[str, Any]:
    return {
        "ContentLength": len(stored.content),
        "ETag": f'"{stored.etag}"',
        "LastModified": stored.modified,
    }
