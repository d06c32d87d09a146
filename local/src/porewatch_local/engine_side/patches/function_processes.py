"""A call of a function waits while enough processes of it work, instead of starting one more.

Why: the engine starts a process for each call that comes while others are under way. A burst of
files, or many people at the pages, start hundreds of them; each imports everything first, and on a
few cores none gets anywhere. Who waits too long starts one after all: a function that calls itself
would else wait for itself.
Delete when: the engine queues calls.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import Any

from ministack.core import lambda_runtime

from ..rewriting import rewrite

MOST = max(4, 2 * (os.cpu_count() or 1))
"""Processes of one function that work at once."""
PATIENCE = 20.0
"""Seconds that a call waits for one of them."""

_places: dict[Any, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(MOST))
_mine = threading.local()
"""The places of this thread: it takes and gives back its processes itself, one within another."""


def take(function: Any) -> None:
    """Wait for a place. `function`: key of its processes."""
    places = _places[function]
    _held().append(places if places.acquire(timeout=PATIENCE) else None)


def give_back() -> None:
    """The place that this thread took last, if it got one."""
    places = _held().pop()
    if places is not None:
        places.release()


def _held() -> list[threading.Semaphore | None]:
    found: list[threading.Semaphore | None] = _mine.__dict__.setdefault("places", [])
    return found


def apply() -> None:
    key = "    key = _worker_key(func_name, config, qualifier)\n"
    rewrite(
        lambda_runtime,
        "acquire_worker",
        (key, f"{key}    _porewatch_take(key)\n"),
        _porewatch_take=take,
    )
    rewrite(
        lambda_runtime,
        "release_worker",
        ("    if worker is None:\n", "    _porewatch_give_back()\n    if worker is None:\n"),
        _porewatch_give_back=give_back,
    )
