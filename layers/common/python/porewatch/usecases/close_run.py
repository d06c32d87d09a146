"""An execution is over without success: nothing of its run may look alive from here on.

The state machine says so itself by its last task. This is for the times when that task could not
speak, or was never reached: a timeout of the whole execution, or somebody who stopped it.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.execution_news import ExecutionEnded
from porewatch.domain.launching import Owner
from porewatch.domain.phases import StageRecord
from porewatch.domain.tasks import FailRun
from porewatch.usecases.handle_error import fail_run

if TYPE_CHECKING:
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger
    from porewatch.domain.prices import ServicePrices

_log = logging.getLogger(__name__)


def close_run(
    ended: ExecutionEnded,
    *,
    runs: RunLedger,
    stages: StageLedger,
    prices: ServicePrices,
    at: datetime,
) -> None:
    """Fence the workers of open stages (the monitor ends their machines), give back what is held
    for machines that never came, then end the run.

    A run that has ended, or has moved on to another revision or execution, stays as it is.
    """
    run = runs.find(ended.run_id)
    if ended.execution_arn and run and run.execution_arn != ended.execution_arn:
        _log.info("run %s goes on in %s", ended.run_id, run.execution_arn)
        return
    for record in stages.of_run(ended.run_id, ended.revision):
        stages.abandon(record, ended.problem, at)
        if record.launched_at is None:
            stages.release_money(_owner(record), at)  # else: with the settling of its machine
    task = FailRun(
        action="fail_run",
        run_id=ended.run_id,
        revision=ended.revision,
        error=ended.error or "WorkerFailed",
        cause=ended.problem,
    )
    fail_run(task, runs=runs, stages=stages, prices=prices, at=at)


def _owner(record: StageRecord) -> Owner:
    return Owner(
        stack="",  # money is held by epoch, whichever stack asked for it
        run_id=record.run_id,
        revision=record.revision,
        stage=record.stage,
        epoch=record.epoch,
    )
