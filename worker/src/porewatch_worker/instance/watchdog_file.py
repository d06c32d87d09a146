"""The file that an instance's own watchdog checks.

The user-data of an instance shuts it down when the file has not been touched for half an hour,
whatever the control plane has recorded. So the file is touched only while the work progresses: a
worker that hangs counts as dead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)


class SignOfLife:
    """Touches `file` (None: there is no watchdog) as long as the value of `moving` has changed
    within `stalled_s` seconds. Which value that is depends on the step of the work: the owner sets
    it."""

    def __init__(
        self, file: Path | None, stalled_s: float, moving: Callable[[], object] = str
    ) -> None:
        self._file, self._stalled_s, self.moving = file, stalled_s, moving
        self._seen: object = None
        self._moved_at = time.monotonic()

    def __call__(self) -> None:
        if self._file is None:
            return
        now, there = time.monotonic(), self.moving()
        if there != self._seen:
            self._seen, self._moved_at = there, now
        still_s = now - self._moved_at
        if still_s >= self._stalled_s:
            log.error("nothing has moved for %.0f s: no sign of life", still_s)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch()
