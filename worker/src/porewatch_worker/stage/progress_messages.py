"""Progress of a local run, sent to a callback in this process."""

from __future__ import annotations

from collections.abc import Callable

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress


class CallbackOutbox:
    """Feeds a progress callback and nothing else."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._progress = progress

    def beat(self, progress: Progress) -> None:
        self._progress(progress)

    def suspected(self, alarm: Alarm) -> None:
        """The report will say it."""

    def phase_done(self, record: PhaseRecord) -> None:
        """The report will say it."""

    def published(self, manifest_key: str) -> None:
        """The caller sees it."""

    def interrupted(self, last_checkpoint: int | None) -> None:
        """The caller sees it."""

    def broken(self, error: str, problem: str) -> None:
        """The caller gets the exception."""
