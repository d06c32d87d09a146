"""Locate a stage's bundle on this instance: in its folder, or fetched from the stack's bucket.

    the folder holds this very bundle -> the folder    (in the image)
    else                              -> fetched into the cache, many pieces at once, and verified

An order names the digest, so that a bundle that is pushed or rebuilt changes no run in progress.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.calls.stored_bundles import bundle_prefix
from porewatch.domain.errors import BundleRefused, DiskFull, NotFound, Unavailable
from porewatch_worker.full_disk import REMEDY
from porewatch_worker.references.installed import (
    MANIFEST,
    SEAL,
    bundle_folder,
)
from porewatch_worker.references.verify import manifest_sha256, verify_bundle

PIECE = 16 << 20
AT_ONCE = 16
"""Connections. One gives 80 to 100 MB a second, an instance's network ten times as much."""
SPARE_BYTES = 1 << 30
"""Of the disk, for everything else."""


class Bucket(Protocol):
    """Reads of the bucket of bundles."""

    def get(self, key: str) -> bytes:
        """A whole small object. Raises NotFound."""

    def part(self, key: str, offset: int, length: int) -> bytes:
        """So many bytes of an object."""


class Fetching:
    """Progress of a bundle's download, for display and for the watchdog file. Thread-safe."""

    def __init__(self, stopped: Callable[[], bool] = lambda: False) -> None:
        self.stopped, self.there, self.size = stopped, 0, 0
        self._lock = threading.Lock()

    def more(self, count: int) -> None:
        with self._lock:
            self.there += count

    def __str__(self) -> str:
        return f"fetching references: {self.there / self.size:.0%}" if self.size else ""


def placed(
    ref: str,
    digest: str | None,
    *,
    root: Path,
    cache: Path,
    bucket: Bucket | None,
    progress: Fetching,
) -> Path:
    """The folder of bundles that holds `ref` with the order's digest: `root`, or `cache`.

    Without a digest (the bundle was not pushed) that is `root`, unchecked. Raises BundleRefused
    when exactly this bundle is not found, DiskFull, and Unavailable when it arrived damaged.
    """
    if digest is None or _holds(root, ref, digest):
        return root
    if not _holds(cache, ref, digest):
        if bucket is None:
            raise BundleRefused(
                f"bundle {ref} has changed since the run began.",
                remedy="restore it, or seal the run again.",
            )
        _fetch(cache, bucket, ref, digest, progress)
    return cache


def _holds(root: Path, ref: str, digest: str) -> bool:
    return (bundle_folder(root, ref) / MANIFEST).is_file() and manifest_sha256(root, ref) == digest


def _fetch(cache: Path, bucket: Bucket, ref: str, digest: str, progress: Fetching) -> None:
    prefix = bundle_prefix(ref, digest)
    whole = bundle_folder(cache, ref)
    draft = bundle_folder(cache / "coming", ref)
    for old in (draft, whole):
        shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        manifest = _manifest(bucket, prefix, digest, draft)
        _fetch_files(bucket, prefix, manifest, draft, progress)
        verify_bundle(cache / "coming", ref)
    except BundleRefused as error:
        raise Unavailable(f"bundle {ref} arrived damaged: {error}") from error
    whole.parent.mkdir(parents=True, exist_ok=True)
    draft.rename(whole)


def _manifest(bucket: Bucket, prefix: str, digest: str, draft: Path) -> BundleManifest:
    try:
        text = bucket.get(prefix + MANIFEST)
    except NotFound as error:
        raise BundleRefused(
            "is not in the stack's bucket any more.",
            file=prefix,
            remedy="push it again (porewatch references push).",
        ) from error
    if sha256(text).hexdigest() != digest:
        raise BundleRefused("is not the one that was pushed.", file=prefix + MANIFEST)
    (draft / MANIFEST).write_bytes(text)
    (draft / SEAL).write_text(digest)
    return BundleManifest.model_validate_json(text)


def _fetch_files(
    bucket: Bucket, prefix: str, manifest: BundleManifest, draft: Path, progress: Fetching
) -> None:
    progress.size = sum(file.size for file in manifest.every_file)
    free = shutil.disk_usage(draft).free
    if free < progress.size + SPARE_BYTES:
        raise DiskFull(
            f"the disk has {free} bytes left, the bundle needs {progress.size}.",
            remedy=REMEDY,
        )

    def take(piece: tuple[Path, int, int]) -> None:
        path, offset, length = piece
        if progress.stopped():
            raise Unavailable("the worker is stopping.")
        content = bucket.part(prefix + path.name, offset, length)
        with path.open("r+b") as out:
            os.pwrite(out.fileno(), content, offset)
        progress.more(len(content))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for _ in pool.map(take, list(_pieces(manifest, draft))):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _pieces(manifest: BundleManifest, draft: Path) -> Iterator[tuple[Path, int, int]]:
    """(file, place, bytes), of files that are made here in their whole length."""
    for file in manifest.every_file:
        path = draft / file.path
        with path.open("wb") as out:
            out.truncate(file.size)
        for offset in range(0, file.size, PIECE):
            yield path, offset, min(PIECE, file.size - offset)
