"""Failures that come from a full disk are named so: the control plane then takes a larger disk."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from porewatch.domain.errors import DiskFull, Refused

CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
LAST_BYTES = 16 << 20
"""With less than this left, a full disk is the likelier cause than the error's own text."""
REMEDY = "give the stage a larger disk (disk_gib of its profile)."


def _is_full(error: BaseException) -> bool:
    """Whether the error, or one of its causes, has such an error code."""
    return any(isinstance(one, OSError) and one.errno in CODES for one in _chain(error))


def full_disk(error: Exception, folder: Path) -> DiskFull | None:
    """The failure as DiskFull; None when the disk of `folder` is not its cause.

    A child process or a native library only reports a failure: then the free space decides. A
    refusal stays one unless the error code itself names the disk.
    """
    if isinstance(error, DiskFull):
        return error
    if _is_full(error) or (not isinstance(error, Refused) and _left(folder) < LAST_BYTES):
        return DiskFull(f"the disk is full: {type(error).__name__}: {error}", remedy=REMEDY)
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _left(folder: Path) -> int:
    """Free bytes on the disk of the folder or, while that does not exist, of its parent."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free
