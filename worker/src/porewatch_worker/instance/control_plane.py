"""Messages to the control plane, on the worker queue.

Heartbeats are periodic, so a failed send is only logged. Claims, suspicions and final messages
(published, interrupted, broken) are retried: without them the control plane learns of the event
only from its sweep, or never.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Protocol

from porewatch.domain.base import now
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.errors import PorewatchError
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.worker_messages import (
    Beat,
    Claimed,
    Interrupted,
    PhaseDone,
    Published,
    StageBroken,
    Suspected,
    WorkerMessage,
)
from porewatch_worker.instance.assignment import Assignment

log = logging.getLogger(__name__)
LONGEST_PROBLEM = 4000
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0)


class Queue(Protocol):
    def send(self, message: WorkerMessage, secret: str) -> None: ...


class QueueOutbox:
    """Sends the messages of one assignment's worker. Thread-safe."""

    def __init__(self, queue: Queue, assignment: Assignment, least_pause_s: float = 1.0) -> None:
        self._queue, self._who, self._least_pause_s = queue, assignment, least_pause_s
        self._lock = threading.Lock()
        self._beat_at = float("-inf")
        self.last_progress: Progress | None = None

    def claimed(self) -> None:
        self._send_with_retries(self._make(Claimed))

    def beat(self, progress: Progress) -> None:
        """At most one a second: units may be quick. `last_progress` keeps the newest progress."""
        self.last_progress = progress
        with self._lock:
            if time.monotonic() - self._beat_at < self._least_pause_s:
                return
            self._beat_at = time.monotonic()
        self._send(self._make(Beat, progress=progress))

    def suspected(self, alarm: Alarm) -> None:
        self._send_with_retries(self._make(Suspected, **alarm.model_dump(mode="json")))

    def phase_done(self, record: PhaseRecord) -> None:
        self._send(self._make(PhaseDone, record=record))

    def published(self, manifest_key: str) -> None:
        self._send_with_retries(self._make(Published, manifest_key=manifest_key))

    def interrupted(self, last_checkpoint: int | None) -> None:
        self._send_with_retries(self._make(Interrupted, last_checkpoint=last_checkpoint))

    def broken(self, error: str, problem: str) -> None:
        self._send_with_retries(
            self._make(StageBroken, error=error, problem=problem[-LONGEST_PROBLEM:])
        )

    def _make(self, kind: type[WorkerMessage], **fields: Any) -> WorkerMessage:
        return kind(**self._who.model_dump(), at=now(), **fields)

    def _send(self, message: WorkerMessage) -> bool:
        try:
            self._queue.send(message, self._who.secret)
        except PorewatchError as e:
            log.warning("could not send %s: %s", message.kind, e)
            return False
        return True

    def _send_with_retries(self, message: WorkerMessage) -> None:
        for pause in PAUSES_S:
            time.sleep(pause)
            if self._send(message):
                return
        log.error("gave up sending %s", message.kind)
