"""The embedded AWS for a while: what was down before is down again afterwards.

Whatever ends the block, Ctrl-C and SIGTERM (a time limit, a CI that is cancelled) too: otherwise an
engine, a database and a host would stay behind that nobody knows of.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from porewatch_local.embedded.down import down
from porewatch_local.embedded.up import (
    Progress,
    running,
    up,
)
from porewatch_local.paths import (
    Home,
    find_home,
)

ENDED_BY_SIGTERM = 143


@contextmanager
def session(
    home: Path | None = None,
    *,
    progress: Progress = lambda line: None,
    stays_up: bool = False,
    **host_settings: object,
) -> Iterator[Home]:
    """Its home, with the stack deployed. One that is up already stays up, and stays as it is set;
    with `stays_up`, so does one that was not, unless the block fails.

    Raises LocalProblem as `up` does; SystemExit in the block when the process gets SIGTERM.
    """
    place = find_home(home)
    was_up = bool(running(place))
    with _sigterm_ends_the_block():
        try:
            up(place.root, progress=progress, **host_settings)  # type: ignore[arg-type]
            yield place
            was_up = was_up or stays_up
        finally:
            if not was_up:
                down(place.root)


@contextmanager
def _sigterm_ends_the_block() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set a signal handler
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(ENDED_BY_SIGTERM)
