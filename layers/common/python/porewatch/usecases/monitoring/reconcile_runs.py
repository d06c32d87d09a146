"""Every few minutes, compare all running runs with their executions.

It does what a lost event, or a crash between the ledger and the next step, left undone: starts
executions, closes runs whose execution has ended, and finishes runs that were cancelled or failed.
A run that fails does not block the others; when time does not suffice for all, a random order gives
each a chance.
"""

from __future__ import annotations

import logging
import random
import time

from porewatch.domain.errors import PorewatchError
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_lifecycle
from porewatch.domain.rules.reconciling import (
    Step,
    ending,
    overdue,
    step,
)
from porewatch.domain.rules.run_states import counted
from porewatch.domain.runs import RunState
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.usecases.intake.start_run import ExecutionInput
from porewatch.usecases.stages.close_run import close_run
from porewatch.usecases.stages.end_run import (
    Brakes,
    end_run,
)

ENDS_S = 40.0
_log = logging.getLogger(__name__)


def handle_execution_status(ended: ExecutionEnded | None, brakes: Brakes) -> None:
    """Close the run of an execution that has ended; without one, as the schedule asks, compare all
    runs."""
    if ended is None:
        return reconcile_runs(brakes)
    return close_run(ended, brakes)


def reconcile_runs(brakes: Brakes) -> None:
    """Check every run that is running or not completely ended, while time lasts."""
    until = time.monotonic() + ENDS_S
    try:
        there = list(brakes.runs.open())
    except PorewatchError as error:
        _log.warning("cannot list the open runs: %s", error)
        return
    random.shuffle(there)
    for done, record in enumerate(there):
        if time.monotonic() > until:
            _log.warning("out of time after %d of %d runs", done, len(there))
            return
        try:
            _reconcile(record, brakes)
        except PorewatchError as error:
            _log.warning(
                "could not reconcile run %s, retrying in the next sweep: %s", record.run_id, error
            )


def _reconcile(record: RunRecord, brakes: Brakes) -> None:
    if counted(record) is not None:
        brakes.runs.apply(record.run_id, counted)
    arn = record.execution_arn if record.state is RunState.RUNNING else None
    seen = brakes.executions.look(arn) if arn is not None else None
    match step(record, seen, brakes.at):
        case Step.START:
            _start(record, brakes)
        case Step.START_ANOTHER:
            digest = record.manifest_digest or ""
            following = brakes.executions.arn(record.run_id, digest, record.restarts + 1)
            moved = brakes.runs.apply(
                record.run_id, run_lifecycle.start_another, record, following, brakes.at
            )
            if moved.execution_arn == following:
                _start(moved, brakes)
        case Step.CLOSE if seen is not None:
            _log.warning("run %s: its execution is %s", record.run_id, seen.status)
            close_run(ending(record, seen), brakes)
    for left in overdue(record, brakes.at):
        _log.warning("run %s is not completely ended: %s", record.run_id, left.problem)
        end_run(record.run_id, left, brakes)


def _start(record: RunRecord, brakes: Brakes) -> None:
    digest = record.manifest_digest or ""
    order = ExecutionInput.of(record, digest)
    if brakes.executions.start(record.run_id, digest, order, record.restarts):
        _log.warning("run %s: its execution is started", record.run_id)
