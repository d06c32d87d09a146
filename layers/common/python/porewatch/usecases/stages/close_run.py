"""An execution is over without success: nothing of its run may look alive from here on.

The state machine says so itself by its last task. This is for the times when that task could not
speak, or was never reached: a timeout of the whole execution, or somebody who stopped it.
"""

from __future__ import annotations

import logging

from porewatch.domain.rules.revisions import unended
from porewatch.domain.runs import RunState
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.state_machine_tasks import FailRun
from porewatch.usecases.stages.end_run import Brakes
from porewatch.usecases.stages.handle_error import fail_run

_log = logging.getLogger(__name__)


def close_run(ended: ExecutionEnded, brakes: Brakes) -> None:
    """A run that has ended already ends whole; one that has moved on to another revision or
    execution, or was completed, stays as it is."""
    run = brakes.runs.find(ended.run_id)
    if run is None:
        return
    left = unended(run, ended.revision)
    runs_now = run.state is RunState.RUNNING and run.revision == ended.revision
    arn = left.execution_arn if left else run.execution_arn
    if left is None and not runs_now:
        return
    if ended.execution_arn and ended.execution_arn != arn:
        _log.info("run %s goes on in %s", ended.run_id, arn)
        return
    task = FailRun(
        action="fail_run",
        run_id=ended.run_id,
        revision=ended.revision,
        error=ended.error or "WorkerFailed",
        cause=ended.problem,
    )
    fail_run(task, brakes)
