"""One bucket: read, write once, write if unchanged, list, stream, move, and presign links.

Results become visible by a conditional PUT (`put_new`): of two writers exactly one wins.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import ValidationError

from porewatch.adapters import clients
from porewatch.adapters.faults import Known, translated
from porewatch.adapters.hidden_objects import missing_from, missing_or_forbidden
from porewatch.domain.base import Model
from porewatch.domain.errors import (
    AlreadyDone,
    Conflict,
    MessageRefused,
    NotFound,
    PorewatchError,
    Throttled,
    Unavailable,
)

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from mypy_boto3_s3 import S3Client

M = TypeVar("M", bound=Model)
JSON, BYTES = "application/json", "application/octet-stream"
RACE_PAUSES = (0.1, 0.3, 0.9)
PART, LARGE_PART = 16 << 20, 64 << 20
"""Bytes of a part of a long object; S3 takes 10,000 of them. Small where a function has little
memory (160 GB in all), large where a machine writes (640 GB)."""
PARTS_AT_ONCE = 4
_SUMS = ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256")

ABSENT = ("NoSuchKey", "404", "NoSuchVersion")
Extra = Literal["ignore", "forbid"]


@dataclass(frozen=True)
class Head:
    """Metadata of an object. `etag` without quotes, `size` in bytes."""

    key: str
    size: int
    etag: str
    modified: datetime
    version: str | None = None


def _refuse_altered(key: str, found: str, meant: str | None) -> None:
    if meant is not None and found != meant:
        raise Unavailable(f"what was to be written has sha256 {found}, not {meant}.", file=key)


def _in_few_parts(head: Head | None) -> TransferConfig:
    """S3 copies server-side: small parts would only be more requests. A multipart object is copied
    in parts, because its checksum is one of parts."""
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415  (functions that move nothing)

    came_in_parts = head is not None and "-" in head.etag
    threshold = 8 * 2**20 if came_in_parts else 256 * 2**20
    return TransferConfig(multipart_threshold=threshold, multipart_chunksize=256 * 2**20)


def _taken(key: str) -> Known:
    return {
        "PreconditionFailed": lambda _: AlreadyDone("exists already.", file=key),
        "ConditionalRequestConflict": lambda _: Throttled("is being written.", file=key),
    }


class Objects:
    """The objects of `bucket`."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self.bucket = bucket
        self._client = client or clients.s3()

    def head(self, key: str) -> Head | None:
        """Size, etag and time of an object, or None when there is none."""
        try:
            with self._reading("look at", key):
                reply = self._client.head_object(Bucket=self.bucket, Key=key)
        except NotFound:
            return None
        return Head(
            key=key,
            size=reply["ContentLength"],
            etag=reply["ETag"].strip('"'),
            modified=reply["LastModified"],
            version=reply.get("VersionId"),
        )

    def get(self, key: str) -> bytes:
        """The whole object. NotFound when there is none. For small objects only."""
        return self.stream(key).read()

    def stream(self, key: str, version: str | None = None) -> IO[bytes]:
        """The object, or one version of it, as a readable stream. NotFound when there is none."""
        with self._reading("read", key):
            body: Any = self._client.get_object(**self._one(key, version))["Body"]
        return body  # type: ignore[no-any-return]

    def part(self, key: str, offset: int, length: int, version: str | None = None) -> bytes:
        """`length` bytes of the object from `offset` on. NotFound when there is no object."""
        if length <= 0:
            return b""
        byte_range = f"bytes={offset}-{offset + length - 1}"
        with self._reading("read a part of", key):
            reply = self._client.get_object(**self._one(key, version), Range=byte_range)
            return reply["Body"].read()

    def get_json(self, key: str, cls: type[M], *, extra: Extra = "ignore") -> M:
        """The object as a model. NotFound, or MessageRefused naming the invalid field; with
        `extra="forbid"` unknown fields are invalid."""
        text = self.get(key)
        try:
            return cls.model_validate_json(text, extra=extra)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the top level"
            raise MessageRefused(
                f"is not a {cls.__name__}: {first['msg']} at {where}.", file=key
            ) from error

    def put(self, key: str, content: bytes, content_type: str = BYTES) -> str:
        """Write unconditionally. Returns the etag."""
        return self._put("write", key, content, content_type)

    def put_json(self, key: str, model: Model) -> str:
        """Write a model as canonical JSON, unconditionally. Returns the etag."""
        return self.put(key, model.canonical_json().encode(), JSON)

    def put_new(self, key: str, content: bytes, content_type: str = JSON) -> str:
        """Write a new object; AlreadyDone when it exists. Returns the etag."""
        known = _taken(key)
        for pause in RACE_PAUSES:  # S3 asks both of two concurrent writers to retry
            try:
                return self._put("publish", key, content, content_type, known, IfNoneMatch="*")
            except Throttled:
                time.sleep(pause)
        return self._put("publish", key, content, content_type, known, IfNoneMatch="*")

    def put_if_match(self, key: str, content: bytes, etag: str, content_type: str = JSON) -> str:
        """Write if the object still has `etag`; Conflict when not. Returns the new etag."""
        known: Known = {
            "PreconditionFailed": lambda _: Conflict("was changed by another writer.", file=key),
            "ConditionalRequestConflict": lambda _: Conflict("is being written.", file=key),
            "NoSuchKey": lambda _: Conflict("is gone.", file=key),
        }
        return self._put("replace", key, content, content_type, known, IfMatch=f'"{etag}"')

    def upload(self, key: str, content: IO[bytes], content_type: str = BYTES) -> None:
        """Write a stream of any length, multipart when it is long."""
        with self._translated("upload", key):
            self._client.upload_fileobj(
                content, self.bucket, key, ExtraArgs={"ContentType": content_type}
            )

    def upload_new(self, key: str, file: Path, content_type: str = BYTES) -> None:
        """Write a new object from a file of any length; AlreadyDone when it exists."""
        with file.open("rb") as content:
            self.stream_new(key, content, content_type=content_type, part_bytes=LARGE_PART)

    def sha256(self, key: str) -> str:
        """Hex digest of an object, read in pieces. NotFound when there is none."""
        digest, body = hashlib.sha256(), self.stream(key)
        while piece := body.read(2**20):
            digest.update(piece)
        return digest.hexdigest()

    def stream_new(
        self,
        key: str,
        content: IO[bytes],
        *,
        sha256: str | None = None,
        content_type: str = BYTES,
        part_bytes: int = PART,
    ) -> None:
        """Write a new object from a stream of any length; AlreadyDone when it exists. Multipart
        when it is long: then the last request decides. Nothing becomes visible unless it has this
        checksum, where one is given: Unavailable, so that it is retried."""
        digest, first = hashlib.sha256(), content.read(part_bytes)
        digest.update(first)
        if len(first) < part_bytes:
            _refuse_altered(key, digest.hexdigest(), sha256)
            self.put_new(key, first, content_type)
            return
        named: Any = {"Bucket": self.bucket, "Key": key}
        with self._translated("begin to upload", key):
            begun = self._client.create_multipart_upload(**named, ContentType=content_type)
        named["UploadId"] = begun["UploadId"]
        try:
            parts = self._parts(named, first, content, digest)
            _refuse_altered(key, digest.hexdigest(), sha256)
            with self._translated("publish", key, _taken(key)):
                self._client.complete_multipart_upload(
                    **named, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
        except BaseException:
            with suppress(PorewatchError), self._translated("end the upload of", key):
                self._client.abort_multipart_upload(**named)
            raise

    def _parts(self, named: Any, first: bytes, content: IO[bytes], digest: Any) -> list[Any]:
        """Send the stream in parts, a few at once; what S3 wants to hear of them in the end."""

        def send(number: int, part: bytes) -> Any:
            with self._translated("upload a part of", named["Key"]):
                reply = self._client.upload_part(**named, PartNumber=number, Body=part)
            sums = {name: reply[name] for name in _SUMS if name in reply}  # type: ignore[literal-required]
            return {"PartNumber": number, "ETag": reply["ETag"], **sums}

        with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            under_way: deque[Any] = deque()
            done: list[Any] = []
            part, number = first, 1
            while part:
                under_way.append(pool.submit(send, number, part))
                if len(under_way) == PARTS_AT_ONCE:
                    done.append(under_way.popleft().result())
                part, number = content.read(len(first)), number + 1
                digest.update(part)
            return done + [one.result() for one in under_way]

    def keys(self, prefix: str) -> Iterator[Head]:
        """Every object below `prefix`, in order of key."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._translated("list", prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    etag = found["ETag"].strip('"')
                    yield Head(found["Key"], found["Size"], etag, found["LastModified"])

    def move(self, key: str, to: str) -> None:
        """Copy to `to` (same bucket, any size), then delete `key`. Idempotent."""
        how = _in_few_parts(self.head(key))
        try:
            with self._translated("move", key):
                self._client.copy({"Bucket": self.bucket, "Key": key}, self.bucket, to, Config=how)
        except NotFound:
            if self.head(to) is None:
                raise
        self.remove(key)

    def remove(self, key: str) -> None:
        """Delete the object. Idempotent."""
        with self._translated("remove", key):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def link(self, key: str, seconds: int, download_as: str | None = None) -> str:
        """A presigned link for `seconds`, optionally as a download of that name."""
        params: dict[str, Any] = {"Bucket": self.bucket, "Key": key}
        if download_as:
            params["ResponseContentDisposition"] = f'attachment; filename="{download_as}"'
        return self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)

    def _one(self, key: str, version: str | None) -> Any:
        """How a call names an object, or one version of it."""
        named = {"Bucket": self.bucket, "Key": key}
        return {**named, "VersionId": version} if version else named

    def _put(
        self,
        doing: str,
        key: str,
        content: bytes,
        content_type: str,
        known: Known | None = None,
        **conditions: Any,
    ) -> str:
        with self._translated(doing, key, known):
            reply = self._client.put_object(
                Bucket=self.bucket, Key=key, Body=content, ContentType=content_type, **conditions
            )
        return reply["ETag"].strip('"')

    def _reading(self, doing: str, key: str) -> Any:
        place = self._client, self.bucket, key
        hidden = dict.fromkeys(("AccessDenied", "403"), partial(missing_or_forbidden, *place))
        return self._translated(doing, key, hidden)

    def _translated(self, doing: str, key: str, known: Known | None = None) -> Any:
        absent: Known = dict.fromkeys(ABSENT, lambda _: missing_from(self.bucket, key))
        return translated(f"{doing} s3://{self.bucket}/{key}", {**absent, **(known or {})})
