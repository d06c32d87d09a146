"""A stage failed: try again or not. A run failed: say so."""

from porewatch.adapters.runs import RunLedger
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.tasks import ERROR_TASK, Decided, ErrorTask, RunEnded
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.handle_error import handle_error


@on_task(ERROR_TASK)
def lambda_handler(task: ErrorTask) -> Decided | RunEnded:
    table = Table(settings().ledger_table)
    return handle_error(task, runs=RunLedger(table), stages=StageLedger(table), at=now())
