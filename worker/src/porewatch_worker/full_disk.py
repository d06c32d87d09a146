"""A full disk is named as such, whoever ran into it: the control plane then takes a larger one."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from porewatch.domain.errors import DiskFull, Refused

CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
LAST_BYTES = 16 << 20
"""With less than this left, the disk is the likelier reason of a failure than what failed says."""
REMEDY = "give the stage a larger disk (disk_gib of its profile)."


def _is_full(error: BaseException) -> bool:
    """Whether the system said so to it, or to what it came from."""
    return any(isinstance(one, OSError) and one.errno in CODES for one in _chain(error))


def full_disk(error: Exception, folder: Path) -> DiskFull | None:
    """The failure by its real name; None when the disk of `folder` has nothing to do with it.

    A child process or a library of another language only says that it failed: then what is left of
    the disk decides. A refusal stays one unless the system itself spoke of the disk.
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
    """Bytes left on the disk of the folder or, while that is not made, of what it is to lie in."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free
