"""Owning a stage: the claim at the start, and the question whether it still holds."""

from __future__ import annotations

from typing import Protocol

from porewatch.domain.base import Moment, now
from porewatch.domain.phases import StageKey, StageRecord
from porewatch.domain.stages import ENDED
from porewatch_worker.order import Assignment


class Ledger(Protocol):
    """What a worker needs of the ledger of stages."""

    def claim(self, key: StageKey, epoch: int, instance_id: str, at: Moment) -> StageRecord: ...

    def find(self, key: StageKey) -> StageRecord | None: ...


class Claim:
    """One assignment's hold on its stage."""

    def __init__(self, ledger: Ledger, assignment: Assignment) -> None:
        self._ledger, self._who = ledger, assignment
        self._key = StageKey(assignment.run_id, assignment.revision, assignment.stage)

    def take(self) -> StageRecord:
        """Own the stage. StaleEpoch when a later epoch or another machine does, or it has ended."""
        return self._ledger.claim(self._key, self._who.epoch, self._who.instance_id, now())

    def holds(self) -> bool:
        """False once the ledger says that somebody else owns the stage or that it has ended."""
        record = self._ledger.find(self._key)
        return (
            record is not None
            and record.epoch == self._who.epoch
            and record.instance_id in (None, self._who.instance_id)
            and record.state not in ENDED
        )
