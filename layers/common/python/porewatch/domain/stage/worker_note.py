"""What a worker writes into the ledger itself, in a partition that only it may write."""

from __future__ import annotations

from porewatch.domain.base import Model, Moment
from porewatch.domain.runs import RunId
from porewatch.domain.stage.record import Progress, StageRecord


class WorkerNote(Model):
    """The epoch an instance works on and since when, and its progress where messages do not arrive.
    Claimed by the worker: it may move only the clocks of its own epoch."""

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
