"""Owning a stage: the claim at the start, the question whether it still holds, and a second way to
be heard. Beats go through a queue and a function; when none of them has reached the ledger for a
while, the worker writes there itself that it is alive, well before anybody believes its silence.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Protocol

from porewatch.domain.base import Moment, now
from porewatch.domain.errors import PorewatchError, StaleEpoch
from porewatch.domain.events import LaunchRefused
from porewatch.domain.phases import Progress, StageKey, StageRecord, TimelineEntry
from porewatch.domain.stages import ENDED
from porewatch.domain.timeline import timeline
from porewatch_worker.order import Assignment

UNHEARD_BEATS = 2.5
"""So many times the pause between beats without one in the ledger: they do not arrive."""
log = logging.getLogger(__name__)


class Ledger(Protocol):
    """What a worker needs of the ledger of stages."""

    def claim(
        self, key: StageKey, epoch: int, instance_id: str, at: Moment, user_id: str | None = None
    ) -> StageRecord: ...

    def find(self, key: StageKey) -> StageRecord | None: ...

    def refusals(self, key: StageKey, epoch: int) -> tuple[LaunchRefused, ...]: ...

    def beat(
        self, key: StageKey, epoch: int, instance_id: str, progress: Progress, at: Moment
    ) -> StageRecord: ...


class Claim:
    """One assignment's hold on its stage. `beat_s`: seconds between the worker's beats."""

    def __init__(self, ledger: Ledger, assignment: Assignment, beat_s: float) -> None:
        self._ledger, self._who = ledger, assignment
        self._patience = timedelta(seconds=UNHEARD_BEATS * beat_s)
        self._key = StageKey(assignment.run_id, assignment.revision, assignment.stage)

    def take(self) -> StageRecord:
        """Own the stage. StaleEpoch when a later epoch or another machine does, or it has ended."""
        who = self._who
        return self._ledger.claim(self._key, who.epoch, who.instance_id, now(), who.user_id)

    def refused_before(self) -> tuple[TimelineEntry, ...]:
        """What was asked for in vain before this machine was got: the order is older. Not knowing
        it stops no work."""
        try:
            return timeline(self._ledger.refusals(self._key, self._who.epoch))
        except PorewatchError as error:
            log.warning("who gave no machine is not known: %s", error)
            return ()

    def holds(self, said: Progress | None = None) -> bool:
        """False once the ledger says that somebody else owns the stage or that it has ended.
        `said`: what the last beat told; it is written down when beats do not arrive."""
        record = self._ledger.find(self._key)
        if record is None or not self._is_mine(record):
            return False
        heard = record.last_beat or record.claimed_at
        if said is not None and heard is not None and now() - heard > self._patience:
            log.warning("no beat has reached the ledger since %s: written by the worker", heard)
            who = self._who
            self._ledger.beat(self._key, who.epoch, who.instance_id, said, now())
        return True

    def refuse_lost(self) -> None:
        """StaleEpoch once the stage is somebody else's, or has ended."""
        if not self.holds():
            raise StaleEpoch(f"epoch {self._who.epoch} does not own {self._who.stage} any more.")

    def _is_mine(self, record: StageRecord) -> bool:
        return (
            record.epoch == self._who.epoch
            and record.instance_id in (None, self._who.instance_id)
            and record.state not in ENDED
        )
