"""Why and when a worker must stop: a notice, a signal, or a lost epoch. Safe between threads."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from porewatch.domain.errors import StaleEpoch


class Stop:
    """Only the first `request` counts, with its reason. `rebalance` requests only a save."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._save = threading.Event()
        self._requested_at = 0.0
        self.reason = ""
        self.fenced = False

    @property
    def requested(self) -> bool:
        return self._requested.is_set()

    @property
    def requested_for_s(self) -> float:
        """Seconds since the stop was requested; 0 without a request."""
        return time.monotonic() - self._requested_at if self.requested else 0.0

    def request(self, reason: str) -> None:
        """Stop taking units, save, send the final message, exit."""
        if not self.requested:
            self.reason, self._requested_at = reason, time.monotonic()
            self._requested.set()

    def fence(self, reason: str) -> None:
        """Another instance owns the stage: stop at once and send nothing."""
        self.fenced = True
        self.request(reason)

    def rebalance(self) -> None:
        self._save.set()

    def take_rebalance(self) -> bool:
        """True once after each `rebalance`."""
        there = self._save.is_set()
        self._save.clear()
        return there

    def check_fence(self) -> None:
        """Raises StaleEpoch when `fence` was called."""
        if self.fenced:
            raise StaleEpoch(self.reason)

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until a stop request; True when there is one."""
        return self._requested.wait(seconds)


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """SIGTERM and SIGINT request an orderly stop instead of killing. Main thread only."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stop.request(f"signal {signal.Signals(number).name}")

    before: dict[int, Any] = {
        n: signal.signal(n, on_signal) for n in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
