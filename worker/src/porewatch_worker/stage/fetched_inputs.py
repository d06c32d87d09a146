"""Inputs on the local disk: fetched on request, and prefetched where the order is known.

    requested:  present -> return it;  in progress -> wait for it;  else -> fetch it now
    prefetch:   a few threads fetch the next files, within limits of count, bytes and disk

Prefetching never blocks a request: a failed prefetch is dropped, and the file is fetched again, and
its error raised, on request; prefetched files are removed when the disk is short. A stop ends the
threads at the next piece of their downloads.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from porewatch.domain.errors import DiskFull, InputRefused, NotFound
from porewatch_worker.full_disk import REMEDY
from porewatch_worker.stage_inputs import Source
from porewatch_worker.stage_work import Inputs

log = logging.getLogger(__name__)

KEPT_FILES = 6
"""Requested files that stay on disk; older ones are removed, and fetched again if needed.
"""
SPARE_BYTES = 1 << 30
"""Of the disk, for everything else."""

PREFETCH_FILES = 32
"""Most files prefetched, or being prefetched, before they are requested."""

PREFETCH_BYTES = 2 << 30
"""Most bytes of them; one file is prefetched whatever its size."""

AT_ONCE = 8
"""Threads that prefetch. A small object takes some 30 ms from S3, so that ten thousand would take
five minutes one by one."""


class _Closed(Exception):
    """This download is no longer needed."""


class FetchedInputs(Inputs):
    """Fetches inputs, checks them, and keeps only a few. Thread-safe.

    `fetching` describes the file that a request waits for and its progress; empty when none does.
    Once `stopped` is true, nothing is prefetched any more.
    """

    def __init__(
        self, sources: dict[str, Source], folder: Path, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__({})
        self._sources, self._folder, self._stopped = sources, folder, stopped
        self._changed = threading.Condition()
        self._order: tuple[str, ...] = ()
        self._place: dict[str, int] = {}
        self._at = 0  # position in the order of the next file to prefetch
        self._prefetched: dict[str, Path] = {}  # fetched, and not requested yet
        self._coming: dict[str, int] = {}  # on their way, with their sizes
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._awaited, self._there = "", 0

    @property
    def fetching(self) -> str:
        name = self._awaited
        source = self._sources.get(name)
        return f"fetching {name}: {self._there / max(source.size, 1):.0%}" if source else ""

    def expect(self, names: Iterable[str]) -> None:
        """These will be requested, in this order: start to prefetch them. Ended by `close`."""
        with self._changed:
            self._order = tuple(name for name in names if name in self._sources)
            self._place = {name: place for place, name in enumerate(self._order)}
            self._at = 0
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            threads_needed = 0 if self._closed else min(AT_ONCE, len(self._order))
            for _ in range(threads_needed - len(self._threads)):
                thread = threading.Thread(target=self._prefetch, name="prefetch", daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """End downloads and their threads at the next piece. A thread that gets no answer from S3
        is abandoned after `seconds`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def path(self, name: str) -> Path:
        """The file on this disk. NotFound for an unknown name, InputRefused when it is not the file
        that the manifest names, Unavailable when it cannot be fetched, DiskFull."""
        if name not in self._sources:
            raise NotFound(f"this stage has no input {name!r}.")
        with self._changed:
            there = self._taken(name)
            if there is None:
                self._make_room(name)
                self._coming[name] = self._sources[name].size
        if there is None:
            there = self._fetched_now(name)
        with self._changed:
            self.fetched[name] = there  # last in the order of use
            for old in list(self.fetched)[:-KEPT_FILES]:
                self._drop(old)
            self._changed.notify_all()
            return there

    def release(self, name: str) -> None:
        """The file is not needed any more."""
        with self._changed:
            self._drop(name)
            self._changed.notify_all()

    def _taken(self, name: str) -> Path | None:
        """The file if it is present or arrives while we wait; it will not be prefetched again."""
        self._at = max(self._at, self._place.get(name, -1) + 1)
        if name in self._coming:
            self._awaited, self._there = name, 0
        while name in self._coming:
            self._changed.wait()
        self._awaited = ""
        return self.fetched.pop(name, None) or self._prefetched.pop(name, None)

    def _fetched_now(self, name: str) -> Path:
        self._awaited, self._there = name, 0
        try:
            return self._fetch(name, lambda: self._closed)
        finally:
            self._awaited = ""
            self._arrived(name, None)

    def _arrived(self, name: str, path: Path | None) -> None:
        with self._changed:
            del self._coming[name]
            if path is not None:
                self._prefetched[name] = path
            self._changed.notify_all()

    def _drop(self, name: str) -> None:
        path = self.fetched.pop(name, None) or self._prefetched.pop(name, None)
        if path is not None:
            path.unlink(missing_ok=True)

    # beside

    def _over(self) -> bool:
        return self._closed or self._stopped()

    def _prefetch(self) -> None:
        while (name := self._next()) is not None:
            path: Path | None = None
            try:
                path = self._fetch(name, self._over)
            except _Closed:
                pass
            except Exception as e:
                log.info("prefetch of %s failed, it will be fetched on request: %s", name, e)
            self._arrived(name, path)

    def _next(self) -> str | None:
        """What to fetch next, once there is room for it; None when there is nothing more to do."""
        with self._changed:
            while self._at < len(self._order) and not self._over():
                name = self._order[self._at]
                if self._is_there(name):
                    self._at += 1
                elif self._has_room(name):
                    self._at += 1
                    self._coming[name] = self._sources[name].size
                    return name
                else:
                    self._changed.wait()
            return None

    def _is_there(self, name: str) -> bool:
        return name in self.fetched or name in self._prefetched or name in self._coming

    def _has_room(self, name: str) -> bool:
        size, prefetched = self._sources[name].size, (*self._prefetched, *self._coming)
        held = sum(self._sources[other].size for other in prefetched)
        if prefetched and (len(prefetched) >= PREFETCH_FILES or held + size > PREFETCH_BYTES):
            return False
        return self._free() >= size + SPARE_BYTES

    # both

    def _fetch(self, name: str, over: Callable[[], bool]) -> Path:
        source, to = self._sources[name], self._folder / name

        def on_progress(there: int) -> None:
            if over():
                raise _Closed
            if name == self._awaited:
                self._there = there

        try:
            found = source.bucket.fetch(source.key, to, on_progress, source.version)
        except NotFound as e:
            raise InputRefused(
                "The manifest names this file, but the checked version is not in the bucket.",
                file=name,
                remedy="upload it and seal the run again.",
            ) from e
        try:
            _check(name, source, found)
        except InputRefused:
            to.unlink(missing_ok=True)
            raise
        return to

    def _free(self) -> int:
        """Free bytes of the disk, less those of downloads in progress."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free - sum(self._coming.values())

    def _make_room(self, name: str) -> None:
        """Make room for a requested file: used files are removed first, then prefetched ones."""
        size = self._sources[name].size
        while (free := self._free()) < size + SPARE_BYTES:
            if self.fetched:
                self._drop(next(iter(self.fetched)))
            elif self._prefetched:
                self._drop(next(reversed(self._prefetched)))
            elif self._coming and free < size:
                self._changed.wait()
            elif free < size:
                raise DiskFull(
                    f"the disk has {free} bytes left, the next input needs {size}.",
                    remedy=REMEDY,
                )
            else:
                return


def _check(name: str, source: Source, found: tuple[int, str]) -> None:
    size, sha256 = found
    if size != source.size:
        raise InputRefused(
            f"The file has {size} bytes, the manifest says {source.size}.",
            file=name,
            remedy="upload it again and seal the run again.",
        )
    if source.sha256 is not None and sha256 != source.sha256:
        raise InputRefused(
            f"The file's sha256 is {sha256}, the manifest says {source.sha256}.",
            file=name,
            remedy="upload it again and seal the run again.",
        )
