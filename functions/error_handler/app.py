"""A stage failed: try again or not. A run failed, or its execution ended unheard: say so. Every two
minutes all runs are compared with their executions."""

from porewatch.adapters.executions import Executions
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.compute.price import price_list
from porewatch.domain.base import now
from porewatch.domain.execution_news import ExecutionEnded
from porewatch.domain.prices import ServicePrices
from porewatch.domain.tasks import ERROR_TASK, Decided, ErrorTask, RunEnded
from porewatch.edge.event import on_event
from porewatch.edge.execution_news import execution_ended
from porewatch.edge.task import by_door, on_task
from porewatch.settings import settings
from porewatch.usecases.close_run import close_run
from porewatch.usecases.handle_error import handle_error
from porewatch.usecases.reconcile_runs import Books, reconcile_runs


def books() -> tuple[RunLedger, StageLedger, ServicePrices]:
    table = Table(settings().ledger_table)
    prices = price_list(settings().aws_region).services
    return RunLedger(table), StageLedger(table), prices


@on_task(ERROR_TASK)
def decide(task: ErrorTask) -> Decided | RunEnded:
    runs, stages, prices = books()
    return handle_error(task, runs=runs, stages=stages, prices=prices, at=now())


@on_event(execution_ended)
def hear(ended: ExecutionEnded | None) -> None:
    runs, stages, prices = books()
    if ended is None:
        executions = Executions(settings().state_machine_arn)
        return reconcile_runs(Books(runs, stages, executions, prices, now()))
    close_run(ended, runs=runs, stages=stages, prices=prices, at=now())


lambda_handler = by_door(task=decide, news=hear)
