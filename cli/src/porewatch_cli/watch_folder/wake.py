"""Wait until something changes in the folder, or time is over.

Events only shorten the wait: a look by the clock finds the same, where no event comes (network
disks, a full table of watches).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from watchfiles import watch

TICK_MS = 500
"""How often a wait for events looks at the clock."""
REST_OF_LOOK = 4.0
"""A look is followed by so many times of quiet as it took, at least, so that a slow disk is mostly
left to MinKNOW."""
LEAST_S = 0.5


class Wake(Protocol):
    """How the loop waits. `now` is monotonic, in seconds."""

    def now(self) -> float: ...
    def wait(self, seconds: float, *, looked_for: float) -> bool:
        """Whether events still come."""
        ...


class FolderWake:
    """Wakes at changes in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._events: Generator[Any, None, None] | None = watch(
            folder,
            watch_filter=None,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            raise_interrupt=True,
            ignore_permission_denied=True,
        )

    def __enter__(self) -> FolderWake:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _at: TracebackType | None
    ) -> None:
        if self._events is not None:
            with closing(self._events):
                return

    @staticmethod
    def now() -> float:
        return time.monotonic()

    def wait(self, seconds: float, *, looked_for: float) -> bool:
        until = self.now() + max(seconds, LEAST_S)
        time.sleep(max(LEAST_S, REST_OF_LOOK * looked_for))
        while (left := until - self.now()) > 0:
            if self._events is None:
                time.sleep(left)
            elif self._changed():
                break
        return self._events is not None

    def _changed(self) -> bool:
        try:
            return self._events is not None and bool(next(self._events))
        except (OSError, RuntimeError, StopIteration):
            self._events = None
            return False
