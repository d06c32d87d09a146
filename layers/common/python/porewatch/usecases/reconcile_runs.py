"""Every few minutes, all runs that are running are compared with their executions.

What a lost event, or a death between the ledger and StartExecution, would leave undone is done
here: executions are started, and runs whose execution is over are closed. One run's trouble keeps
no other from it; when there are too many for one go, chance gives everybody a turn.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.reconciling import Step, ending, step
from porewatch.domain.runs import RunRecord, RunState
from porewatch.usecases.close_run import close_run
from porewatch.usecases.start_run import ExecutionInput

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger
    from porewatch.domain.prices import ServicePrices

REACH = timedelta(days=14)
"""How far back runs are looked at, from the day they became known: twice the life of an execution.
"""
ENDS_S = 40.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Books:
    """What it takes; `at`: now."""

    runs: RunLedger
    stages: StageLedger
    executions: Executions
    prices: ServicePrices
    at: datetime


def reconcile_runs(books: Books) -> None:
    """Look at every run that is running, as far as time allows."""
    until = time.monotonic() + ENDS_S
    try:
        there = list(_running(books))
    except PorewatchError as error:
        _log.warning("nobody knows what runs: %s", error)
        return
    random.shuffle(there)
    for done, record in enumerate(there):
        if time.monotonic() > until:
            _log.warning("%d of %d runs were looked at", done, len(there))
            return
        try:
            _reconcile(record, books)
        except PorewatchError as error:
            _log.warning("run %s is looked at next time: %s", record.run_id, error)


def _running(books: Books) -> Iterator[RunRecord]:
    for record in books.runs.list():
        if books.at - record.created_at > REACH:
            return
        if record.state is RunState.RUNNING:
            yield record


def _reconcile(record: RunRecord, books: Books) -> None:
    arn = record.execution_arn
    seen = books.executions.look(arn) if arn is not None else None
    match step(record, seen, books.at):
        case Step.START:
            _start(record, books)
        case Step.START_ANOTHER:
            digest = record.manifest_digest or ""
            following = books.executions.arn(record.run_id, digest, record.restarts + 1)
            moved = books.runs.start_another(record, following, books.at)
            if moved.execution_arn == following:
                _start(moved, books)
        case Step.CLOSE if seen is not None:
            _log.warning("run %s: its execution is %s", record.run_id, seen.status)
            close_run(
                ending(record, seen),
                runs=books.runs,
                stages=books.stages,
                prices=books.prices,
                at=books.at,
            )


def _start(record: RunRecord, books: Books) -> None:
    digest = record.manifest_digest or ""
    order = ExecutionInput.of(record, digest)
    if books.executions.start(record.run_id, digest, order, record.restarts):
        _log.warning("run %s: its execution is started", record.run_id)
