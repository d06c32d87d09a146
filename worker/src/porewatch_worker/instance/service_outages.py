"""Wait for a service that does not answer: the instance keeps what it has read and computed.

Every essential call of S3 and of the ledger goes through here. The wait between retries doubles, up
to a minute. A stop request ends the wait at once, and the error is raised as it is. After
`LONGEST_S` it is raised too, as Unavailable: the control plane then waits for the service, and
launches another instance.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from porewatch.adapters.objects import BYTES, JSON, Head
from porewatch.adapters.s3.checkpoints import S3CheckpointStore
from porewatch.adapters.s3.downloads import Downloads
from porewatch.domain.errors import Throttled, Unavailable
from porewatch_worker.stage.stop import Stop

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_S, MOST_S = 1.0, 60.0
LONGEST_S = 90 * 60.0
"""How long one call is tried. An hour's outage passes, and the first minutes after it, when
everybody comes back at once."""
TICK_S = 5.0
"""How soon a stop request is noticed."""
AWAY = (Unavailable, Throttled)


class Patience:
    """Thread-safe. `waiting` is true while a call waits; `tries` counts the retries."""

    def __init__(self, stop: Stop, longest_s: float = LONGEST_S) -> None:
        self._stop, self._longest_s = stop, longest_s
        self._lock = threading.Lock()
        self._waiting = 0
        self._inside = ContextVar("inside", default=False)  # of the thread that calls
        self.tries = 0

    @property
    def waiting(self) -> bool:
        return self._waiting > 0

    def __call__(self, call: Callable[[], T]) -> T:
        """What `call` returns; it must be safe to repeat. Raises what it raises, for an unavailable
        service only after `longest_s`. StaleEpoch when the stage was lost."""
        if self._inside.get():
            return call()  # a call within a call is the outer one's to try again
        inside = self._inside.set(True)
        try:
            return self._in_time(call)
        finally:
            self._inside.reset(inside)

    def _in_time(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except AWAY as error:
            log.warning("waiting for the service: %s", error)
        self._count(1)
        try:
            return self._later(call)
        finally:
            self._count(-1)

    def _later(self, call: Callable[[], T]) -> T:
        pause, until = FIRST_S, time.monotonic() + self._longest_s
        while True:
            self._pause(pause)
            self.tries += 1
            try:
                return call()
            except AWAY as error:
                self._stop.check_fence()
                if self._stop.requested or time.monotonic() >= until:
                    raise
                log.warning("still waiting for the service: %s", error)
            pause = min(2 * pause, MOST_S)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop.requested and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, TICK_S))

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiting += more


class PatientDownloads(Downloads):
    """A bucket whose reads, conditional writes and uploads wait for S3. `put` does not: the log is
    sent again anyway."""

    patience: Patience

    @classmethod
    def of(cls, bucket: str, patience: Patience) -> PatientDownloads:
        made = cls(bucket)
        made.patience = patience
        return made

    def head(self, key: str) -> Head | None:
        return self.patience(lambda: super(PatientDownloads, self).head(key))

    def get(self, key: str) -> bytes:
        return self.patience(lambda: super(PatientDownloads, self).get(key))

    def part(self, key: str, offset: int, length: int, version: str | None = None) -> bytes:
        return self.patience(
            lambda: super(PatientDownloads, self).part(key, offset, length, version)
        )

    def put_new(self, key: str, content: bytes, content_type: str = JSON) -> str:
        return self.patience(
            lambda: super(PatientDownloads, self).put_new(key, content, content_type)
        )

    def upload_new(self, key: str, file: Path, content_type: str = BYTES) -> None:
        self.patience(lambda: super(PatientDownloads, self).upload_new(key, file, content_type))

    def sha256(self, key: str) -> str:
        return self.patience(lambda: super(PatientDownloads, self).sha256(key))

    def fetch(
        self,
        key: str,
        to: Path,
        on_progress: Callable[[int], None] = lambda _: None,
        version: str | None = None,
    ) -> tuple[int, str]:
        return self.patience(
            lambda: super(PatientDownloads, self).fetch(key, to, on_progress, version)
        )


class PatientCheckpoints(S3CheckpointStore):
    """A checkpoint's folder that is waited for."""

    patience: Patience

    @classmethod
    def below(cls, bucket: str, prefix: str, patience: Patience) -> PatientCheckpoints:
        made = cls(bucket)
        made.prefix, made.patience = prefix, patience
        return made

    def read(self, name: str) -> tuple[bytes, str] | None:
        return self.patience(lambda: super(PatientCheckpoints, self).read(name))

    def create(self, name: str, content: bytes) -> str | None:
        return self.patience(lambda: super(PatientCheckpoints, self).create(name, content))

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        return self.patience(lambda: super(PatientCheckpoints, self).replace(name, content, tag))

    def siblings(self) -> tuple[str, ...]:
        return self.patience(super().siblings)
