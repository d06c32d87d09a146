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
from ministack.services import lambda_svc

MOST = max(4, 2 * (os.cpu_count() or 1))
"""Processes of one function that work at once."""
PATIENCE = 20.0
"""Seconds that a call waits for one of them."""

_places: dict[Any, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(MOST))
_held = threading.local()
"""The places of this thread: it takes and gives back its processes itself, one within another."""


def apply() -> None:
    acquire, release = lambda_runtime.acquire_worker, lambda_runtime.release_worker

    def acquire_in_turn(
        func_name: str, config: Any, code_zip: bytes, qualifier: str = "$LATEST", **more: Any
    ) -> Any:
        places = _places[lambda_runtime._worker_key(func_name, config, qualifier)]
        taken = places.acquire(timeout=PATIENCE)
        try:
            found = acquire(func_name, config, code_zip, qualifier=qualifier, **more)
        except BaseException:
            if taken:
                places.release()
            raise
        if found[0] is None:
            if taken:
                places.release()
        else:
            _stack().append(places if taken else None)
        return found

    def release_in_turn(worker: Any) -> None:
        release(worker)
        stack = _stack()
        places = stack.pop() if stack else None
        if places is not None:
            places.release()

    for module in (lambda_runtime, lambda_svc):
        module.acquire_worker = acquire_in_turn
        module.release_worker = release_in_turn


def _stack() -> list[threading.Semaphore | None]:
    """Of this thread, the newest last."""
    found: list[threading.Semaphore | None] = _held.__dict__.setdefault("places", [])
    return found
