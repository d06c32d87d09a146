"""The engine writes its state every half minute, not only when it is stopped politely.

Why: after a crash, a reboot or the kernel's out-of-memory killer, every run since the last polite
stop was gone, though its reports lay on disk. Now a crash loses at most `EVERY_S` seconds.
A marker file says whether the last stop was a clean one.
Delete when: the engine saves as it goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from ministack import app as engine
from ministack.core import persistence

from ..rewriting import rewrite

EVERY_S = float(os.environ.get("POREWATCH_SNAPSHOT_S", "30"))
UNCLEAN = "running-since"
"""As `porewatch_local.embedded.after_a_crash.MARKER`, which this process cannot import."""

_log = logging.getLogger("porewatch.snapshot")
_running: set[asyncio.Task[None]] = set()
_one_writer = threading.Lock()
"""Both writers use the same draft files; a cancelled task's thread goes on to its end."""


def begin() -> None:
    """Mark the start, and write the state from now on. Called inside the engine's event loop."""
    marker = Path(persistence.STATE_DIR) / UNCLEAN
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(str(time.time()))
    task = asyncio.get_running_loop().create_task(_write_regularly())
    _running.add(task)


def end() -> None:
    """Write the last state: this stop is a clean one. A write that is under way ends before."""
    for task in _running:
        task.cancel()
    _write()
    (Path(persistence.STATE_DIR) / UNCLEAN).unlink(missing_ok=True)


async def _write_regularly() -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        began = time.monotonic()
        await asyncio.to_thread(_write)
        _log.info("state written in %.2f s", time.monotonic() - began)


def _write() -> None:
    """A store that changes while it is written is left as it was; the next turn writes it."""
    with _one_writer:
        states: dict[str, Any] = engine._build_persistence_save_dict()
        persistence.save_all(states)


def apply() -> None:
    rewrite(
        engine,
        "_handle_lifespan",
        (
            '            await send({"type": "lifespan.startup.complete"})\n',
            "            if PERSIST_STATE:\n"
            "                _porewatch_begin()\n"
            '            await send({"type": "lifespan.startup.complete"})\n',
        ),
        (
            "                save_all(_build_persistence_save_dict())\n",
            "                _porewatch_end()\n",
        ),
        _porewatch_begin=begin,
        _porewatch_end=end,
    )
