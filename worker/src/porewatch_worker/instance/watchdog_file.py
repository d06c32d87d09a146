"""The sign of life that a machine's own watchdog looks at.

The user-data of an instance shuts the machine down when the file has not been touched for half an
hour: then nobody works on it, whatever the control plane believes. So the file is touched only
while the work moves: a worker that hangs is as good as none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)


class SignOfLife:
    """Touches `file` (None: there is no watchdog) as long as `moving` has said something new within
    `stalled_s` seconds. What moves depends on how far the work is: the owner sets it."""

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
