"""Ownership of a stage: the claim at the start, the check that it still holds, and a second channel
for heartbeats. Claim and heartbeats go through a queue and a function; the claim, and a heartbeat
when none has reached the ledger for a while, are also written into the instance's own partition of
the ledger, which the monitor reads before it counts an instance as silent. A worker writes nowhere
else in the ledger.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Protocol

from porewatch.domain.base import now
from porewatch.domain.errors import PorewatchError, StaleEpoch
from porewatch.domain.facts.stage_facts import LaunchRefused
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.rules.stage_lifecycle import (
    ENDED,
    claim,
)
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch.domain.stage.record import Progress, StageKey, StageRecord
from porewatch.domain.stage.worker_note import WorkerNote
from porewatch_worker.instance.assignment import Assignment

UNHEARD_BEATS = 2.5
"""After so many heartbeat intervals without one in the ledger, heartbeats are not arriving."""
log = logging.getLogger(__name__)


class Ledger(Protocol):
    """What a worker reads in the ledger of stages."""

    def get(self, key: StageKey) -> StageRecord: ...

    def find(self, key: StageKey) -> StageRecord | None: ...

    def refusals(self, key: StageKey, epoch: int) -> tuple[LaunchRefused, ...]: ...


class Notes(Protocol):
    """The instance's own partition of the ledger, the only one that it may write."""

    def write(self, user_id: str, note: WorkerNote) -> None: ...


class Claim:
    """One assignment's claim on its stage. `beat_s`: seconds between heartbeats."""

    def __init__(self, ledger: Ledger, notes: Notes, assignment: Assignment, beat_s: float) -> None:
        self._ledger, self._notes, self._who = ledger, notes, assignment
        self._claimed_at = now()
        self._patience = timedelta(seconds=UNHEARD_BEATS * beat_s)
        self._key = StageKey(assignment.run_id, assignment.revision, assignment.stage)

    def take(self) -> StageRecord:
        """Claim the stage; returns its record. StaleEpoch when a later epoch or another instance
        owns it, or it has ended. The control plane moves the stage when the claim arrives; of two
        instances of one epoch the later one is fenced at its next ownership check."""
        who, record = self._who, self._ledger.get(self._key)
        claim(record, who.epoch, who.instance_id, now(), who.user_id)
        self._claimed_at = now()
        self._note(None)
        return record

    def refused_before(self) -> tuple[TimelineEntry, ...]:
        """Capacity requests that failed before this instance was launched: the order is older. If
        they cannot be read, work continues."""
        try:
            return timeline(self._ledger.refusals(self._key, self._who.epoch))
        except PorewatchError as error:
            log.warning("cannot read failed capacity requests: %s", error)
            return ()

    def holds(self, progress: Progress | None = None) -> bool:
        """False once another instance owns the stage in the ledger, or it has ended. `progress`:
        that of the last heartbeat; it is written to the ledger when heartbeats do not arrive."""
        record = self._ledger.find(self._key)
        if record is None or not self._is_mine(record):
            return False
        last_beat = record.last_beat or record.claimed_at or self._claimed_at
        if progress is not None and now() - last_beat > self._patience:
            log.warning("no heartbeat in the ledger since %s: writing one", last_beat)
            self._note(progress)
        return True

    def _note(self, progress: Progress | None) -> None:
        who, at = self._who, now()
        note = WorkerNote(
            run_id=who.run_id,
            revision=who.revision,
            stage=who.stage,
            epoch=who.epoch,
            instance_id=who.instance_id,
            claimed_at=min(self._claimed_at, at),
            at=at,
            progress=progress,
        )
        self._notes.write(who.user_id, note)

    def refuse_lost(self) -> None:
        """StaleEpoch once another instance owns the stage, or it has ended."""
        if not self.holds():
            raise StaleEpoch(f"epoch {self._who.epoch} does not own {self._who.stage} any more.")

    def _is_mine(self, record: StageRecord) -> bool:
        return (
            record.epoch == self._who.epoch
            and record.instance_id in (None, self._who.instance_id)
            and record.state not in ENDED
        )
