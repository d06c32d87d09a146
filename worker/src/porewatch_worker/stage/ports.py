"""Ports of the stage loop: where it sends messages, and where it publishes its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from porewatch.domain.base import Moment
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.stage.manifest import PhaseRecord, StageManifest
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.record import Progress
from porewatch_worker.stage_work import StageResult


class Outbox(Protocol):
    """Messages of the loop. None of them may raise for a transient error."""

    def beat(self, progress: Progress) -> None: ...
    def suspected(self, alarm: Alarm) -> None: ...
    def phase_done(self, record: PhaseRecord) -> None: ...
    def published(self, manifest_key: str) -> None: ...
    def interrupted(self, last_checkpoint: int | None) -> None: ...
    def broken(self, error: str, problem: str) -> None: ...


@dataclass(frozen=True)
class Finished:
    """A finished stage, before it is published."""

    fingerprint: str
    result: StageResult
    started_at: Moment
    units: int
    units_resumed: int
    units_redone: int
    remarks: tuple[str, ...]
    quarantined: tuple[QuarantinedUnit, ...] = ()


class Publisher(Protocol):
    """Makes a finished stage visible, once. The first manifest wins."""

    def publish(self, finished: Finished) -> tuple[str, StageManifest]:
        """Key and content of the visible manifest, this worker's or another's."""
