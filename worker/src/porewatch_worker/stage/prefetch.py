"""Work beside the main thread: read one item ahead, compute while the main thread watches for a
stop.

All threads are daemons: a worker that has to exit must not wait for a result that is not needed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """One call in a thread of its own."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._answer: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer.append(self._call())
        except BaseException as e:
            self._error = e

    def wait(self, seconds: float) -> bool:
        """True when the call has ended, at the latest after `seconds`."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> T:
        """What the call returned; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answer[0]


_END = object()


class Prefetcher(Generic[T]):
    """Iterates over `items` with one item read ahead in a thread; `close` ends the thread."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ready: queue.Queue[object] = queue.Queue(maxsize=1)
        self._closed = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as e:
            self._error = e
        self._put(_END)

    def _put(self, item: object) -> bool:
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def next(self, seconds: float) -> T | None:
        """The next item; None when there is none yet after `seconds`. StopIteration at the end."""
        try:
            item = self._ready.get(timeout=seconds)
        except queue.Empty:
            return None
        if item is not _END:
            return item  # type: ignore[return-value]
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        self._closed.set()
