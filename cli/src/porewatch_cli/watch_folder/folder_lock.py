"""One agent a folder, by a lock that dies with its process.

A record lock of POSIX: the kernel lets it go when the process ends, however it ends, and the
children that read files do not inherit it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from porewatch.domain.errors import Conflict


@contextmanager
def alone(folder: Path, lock: Path) -> Iterator[None]:
    """Hold the lock of `folder`. Raises Conflict when another process has it."""
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock.open("a") as held:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                "another process watches this folder.",
                file=str(folder),
                remedy="let it go on, or stop it first.",
            ) from None
        yield
