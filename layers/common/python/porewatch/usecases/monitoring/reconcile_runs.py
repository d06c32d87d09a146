"""Every few minutes, all runs that are running are compared with their executions.

What a lost event, or a death between the ledger and the next step, would leave undone is done
here: executions are started, runs whose execution is over are closed, and runs that were cancelled
or failed end whole. One run's trouble keeps no other from it; when there are too many for one go,
chance gives everybody a turn.
"""

from __future__ import annotations

import logging
import random
import time

from porewatch.domain.errors import PorewatchError
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.reconciling import (
    Step,
    ending,
    overdue,
    step,
)
from porewatch.domain.runs import RunState
from porewatch.usecases.intake.start_run import ExecutionInput
from porewatch.usecases.stages.close_run import close_run
from porewatch.usecases.stages.end_run import (
    Brakes,
    end_run,
)

ENDS_S = 40.0
_log = logging.getLogger(__name__)


def reconcile_runs(brakes: Brakes) -> None:
    """Look at every run that is running or has not ended whole, as far as time allows."""
    until = time.monotonic() + ENDS_S
    try:
        there = list(brakes.runs.open())
    except PorewatchError as error:
        _log.warning("nobody knows what runs: %s", error)
        return
    random.shuffle(there)
    for done, record in enumerate(there):
        if time.monotonic() > until:
            _log.warning("%d of %d runs were looked at", done, len(there))
            return
        try:
            _reconcile(record, brakes)
        except PorewatchError as error:
            _log.warning("run %s is looked at next time: %s", record.run_id, error)


def _reconcile(record: RunRecord, brakes: Brakes) -> None:
    arn = record.execution_arn if record.state is RunState.RUNNING else None
    seen = brakes.executions.look(arn) if arn is not None else None
    match step(record, seen, brakes.at):
        case Step.START:
            _start(record, brakes)
        case Step.START_ANOTHER:
            digest = record.manifest_digest or ""
            following = brakes.executions.arn(record.run_id, digest, record.restarts + 1)
            moved = brakes.runs.start_another(record, following, brakes.at)
            if moved.execution_arn == following:
                _start(moved, brakes)
        case Step.CLOSE if seen is not None:
            _log.warning("run %s: its execution is %s", record.run_id, seen.status)
            close_run(ending(record, seen), brakes)
    for left in overdue(record, brakes.at):
        _log.warning("run %s has not ended whole: %s", record.run_id, left.problem)
        end_run(record.run_id, left, brakes)


def _start(record: RunRecord, brakes: Brakes) -> None:
    digest = record.manifest_digest or ""
    order = ExecutionInput.of(record, digest)
    if brakes.executions.start(record.run_id, digest, order, record.restarts):
        _log.warning("run %s: its execution is started", record.run_id)
