"""The checkpoint folder of a stage in S3: small objects with conditional writes.

A tag is the etag that came with exactly that content, so that a later conditional write refers to
what was read and to nothing newer.
"""

from __future__ import annotations

from porewatch.adapters.objects import Objects
from porewatch.domain.errors import AlreadyDone, Conflict, NotFound


class S3CheckpointStore(Objects):
    """The checkpoint below `prefix` (ends in `/`) of `bucket`. Its parent holds its siblings."""

    prefix: str = ""

    @classmethod
    def at(cls, bucket: str, prefix: str) -> S3CheckpointStore:
        store = cls(bucket)
        store.prefix = prefix
        return store

    @property
    def name(self) -> str:
        return self.prefix

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and tag of an object, or None when there is none."""
        key = self.prefix + name
        try:
            with self._reading("read", key):
                reply = self._client.get_object(Bucket=self.bucket, Key=key)
                return reply["Body"].read(), reply["ETag"].strip('"')
        except NotFound:
            return None

    def create(self, name: str, content: bytes) -> str | None:
        """Write a new object; its tag, or None when there is one."""
        try:
            return self.put_new(self.prefix + name, content, "application/octet-stream")
        except AlreadyDone:
            return None

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        """Overwrite the version `tag`; the new tag, or None when it is not the current one."""
        try:
            return self.put_if_match(self.prefix + name, content, tag)
        except Conflict:
            return None

    def siblings(self) -> tuple[str, ...]:
        """Names of the other checkpoints of this stage."""
        parent, own = self.prefix.rstrip("/").rsplit("/", 1)
        with self._translated("list", parent):
            found = self._client.list_objects_v2(
                Bucket=self.bucket, Prefix=parent + "/", Delimiter="/"
            )
        names = (
            entry["Prefix"].rstrip("/").rsplit("/", 1)[1]
            for entry in found.get("CommonPrefixes", [])
        )
        return tuple(sorted(name for name in names if name != own))
