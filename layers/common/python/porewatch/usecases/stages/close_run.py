"""An execution ended without success: close its run.

The last task of the state machine does this itself. This covers the cases in which that task failed
or was never reached: a timeout of the whole execution, or a stopped execution.
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
    """Finishes a run that has ended already; a run that is at another revision or execution, or
    completed, stays as it is."""
    run = brakes.runs.find(ended.run_id)
    if run is None:
        return
    left = unended(run, ended.revision)
    runs_now = run.state is RunState.RUNNING and run.revision == ended.revision
    arn = left.execution_arn if left else run.execution_arn
    if left is None and not runs_now:
        return
    if ended.execution_arn and ended.execution_arn != arn:
        _log.info("run %s continues in %s", ended.run_id, arn)
        return
    task = FailRun(
        action="fail_run",
        run_id=ended.run_id,
        revision=ended.revision,
        error=ended.error or "WorkerFailed",
        cause=ended.problem,
    )
    fail_run(task, brakes)
