"""What a worker writes into the ledger itself, where nobody else can: its own partition."""

from __future__ import annotations

from porewatch.domain.base import Model, Moment
from porewatch.domain.runs import RunId
from porewatch.domain.stage.record import Progress, StageRecord


class WorkerNote(Model):
    """A machine says whose epoch it works on since when, and, where its messages do not arrive, how
    far it is. Its own word: what it may move is its own epoch's clocks."""

    run_id: RunId
    revision: int
    stage: str
    epoch: int
    instance_id: str
    claimed_at: Moment
    at: Moment
    progress: Progress | None = None

    def is_about(self, record: StageRecord) -> bool:
        """Whether it is of the epoch that owns the stage, by the machine that was launched."""
        of = (self.run_id, self.revision, self.stage), self.epoch, self.instance_id
        return of == (record.key, record.epoch, record.instance_id)
