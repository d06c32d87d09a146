"""Whether the door may be tried now: after a failure it is left alone, ever longer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from porewatch.domain.errors import Unavailable
from porewatch_cli.watch_folder.lines import FolderEvent, Lines

FIRST_S = 2.0
LONGEST_S = 300.0


def pause_after(failures: int, draw: float) -> float:
    """Seconds after so many failures in a row, at least 1. `draw` from 0 to 1 spreads the machines
    of a laboratory, which lose their network together.

    >>> [pause_after(n, 1.0) for n in (1, 2, 3, 20)]
    [2.0, 4.0, 8.0, 300.0]
    >>> pause_after(20, 0.0)
    150.0
    """
    most = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 30))
    return float(most * (0.5 + draw / 2))


@dataclass
class Doorstep:
    """`now`: monotonic seconds. `draw`: 0 to 1."""

    now: Callable[[], float]
    lines: Lines
    draw: Callable[[], float] = random.random
    failures: int = 0
    shut_until: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.failures == 0 or self.now() >= self.shut_until

    def failed(self, error: Unavailable, waiting: int = 0) -> None:
        """It did not answer."""
        self.failures += 1
        pause = pause_after(self.failures, self.draw())
        self.shut_until = self.now() + pause
        self.lines.folder(FolderEvent.DOOR_SHUT, waiting=waiting, retry_s=pause, error=error)

    def answered(self) -> None:
        """It did."""
        if self.failures:
            self.lines.folder(FolderEvent.DOOR_OPEN)
        self.failures = 0
