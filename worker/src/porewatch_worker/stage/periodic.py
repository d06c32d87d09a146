"""Something done again and again beside the work, until the block ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def repeating(every_s: float, what: str, act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` at once and every `every_s` seconds, in a daemon thread. Faults are logged."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            try:
                act()
            except Exception:
                log.exception("%s failed; trying again in %g s", what, every_s)
            over.wait(every_s)

    thread = threading.Thread(target=repeat, name=what, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)
