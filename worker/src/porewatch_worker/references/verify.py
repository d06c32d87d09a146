"""Verify a bundle before it is used.

`verify_bundle` hashes everything. `check_bundle` does so the first time and after any change of
size, times or inode, and is otherwise quick: a stamp beside the files remembers what was hashed.
The stamp holds the inode's change time as well, which ordinary tools cannot set back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from porewatch.domain.calls.references import (
    BundleFile,
    BundleManifest,
)
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.installed import (
    MANIFEST,
    SEAL,
    bundle_folder,
    read_manifest,
)

STAMP = ".verified.json"
_REMEDY = "restore the file from where the bundle came from, or build the bundle again."

Stamp = dict[str, list[int]]


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def verify_bundle(root: Path, ref: str) -> BundleManifest:
    """Hash every file of the bundle and compare. Returns its manifest.

    Raises BundleRefused naming the first file that is missing, altered or left over.
    """
    folder = bundle_folder(root, ref)
    manifest = read_manifest(root, ref)
    before = _stamp(folder, manifest)
    _check_seal(folder)
    for file in manifest.every_file:
        _check_file(folder, file)
    _write_stamp(folder, before)
    return manifest


def check_bundle(root: Path, ref: str) -> BundleManifest:
    """As `verify_bundle`, but accepts the stamp of an earlier verification while nothing
    changed."""
    folder = bundle_folder(root, ref)
    manifest = read_manifest(root, ref)
    if _read_stamp(folder) == _stamp(folder, manifest):
        return manifest
    return verify_bundle(root, ref)


def manifest_sha256(root: Path, ref: str) -> str:
    """The digest that reports quote for a bundle: of the bytes of its `bundle.json`."""
    return sha256_of(bundle_folder(root, ref) / MANIFEST)


def _check_seal(folder: Path) -> None:
    path, seal = folder / MANIFEST, folder / SEAL
    if not seal.is_file():
        raise BundleRefused("the manifest's seal is missing.", file=str(seal), remedy=_REMEDY)
    if seal.read_text("ascii", errors="replace").strip() != sha256_of(path):
        raise BundleRefused(
            "was altered: it does not have the sha256 of its seal.", file=str(path), remedy=_REMEDY
        )


def _check_file(folder: Path, file: BundleFile) -> None:
    path = folder / file.path
    if path.parent != folder or not path.is_file():
        raise BundleRefused("is missing from the bundle.", file=str(path), remedy=_REMEDY)
    size = path.stat().st_size
    if size != file.size:
        raise BundleRefused(
            f"was altered: {size} bytes instead of {file.size}.", file=str(path), remedy=_REMEDY
        )
    if sha256_of(path) != file.sha256:
        raise BundleRefused(
            "was altered: its sha256 is not the manifest's.", file=str(path), remedy=_REMEDY
        )


def _stamp(folder: Path, manifest: BundleManifest) -> Stamp:
    """Size, times and inode of every file; a missing file has an empty mark."""
    names = [MANIFEST, SEAL, *(file.path for file in manifest.every_file)]
    return {name: _mark(folder / name) for name in names}


def _mark(path: Path) -> list[int]:
    try:
        seen = path.stat()
    except OSError:
        return []
    return [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]


def _read_stamp(folder: Path) -> Stamp | None:
    try:
        stamp: Stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return stamp


def _write_stamp(folder: Path, stamp: Stamp) -> None:
    """Best effort: on a read-only share every first load hashes again, which is only slower."""
    with contextlib.suppress(OSError):
        number, name = tempfile.mkstemp(dir=folder, prefix=STAMP)
        with os.fdopen(number, "w", encoding="utf-8") as handle:
            json.dump(stamp, handle)
        Path(name).chmod(0o644)
        Path(name).replace(folder / STAMP)
