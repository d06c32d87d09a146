"""A checkpoint store in a local folder, with the same conditional writes as S3 has.

Creation is a hard link (fails when the name exists); replacement compares and swaps under a file
lock that the operating system releases when its holder dies. A frozen holder keeps it, so nothing
slow is done under it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderStore:
    """`CheckpointStore` below `folder`. A tag is the sha256 of the content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        return str(self.folder)

    def read(self, name: str) -> tuple[bytes, str] | None:
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return content, hashlib.sha256(content).hexdigest()

    def create(self, name: str, content: bytes) -> str | None:
        with self._written(name, content) as (draft, path):
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                return None
        return hashlib.sha256(content).hexdigest()

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        with self._written(name, content) as (draft, path), self._lock():
            there = self.read(name)
            if there is None or there[1] != tag:
                return None
            draft.replace(path)
        return hashlib.sha256(content).hexdigest()

    def siblings(self) -> tuple[str, ...]:
        if not self.folder.parent.is_dir():
            return ()
        there = (p.name for p in self.folder.parent.iterdir() if p != self.folder)
        return tuple(
            sorted(n for n in there if (self.folder.parent / n / "checkpoint.json").exists())
        )

    @contextmanager
    def _written(self, name: str, content: bytes) -> Iterator[tuple[Path, Path]]:
        """The content in a temporary file in the target folder; it is removed afterwards."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            with draft.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            yield draft, path
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
