"""Decides whether a failed stage is retried; ends failed runs, also when their execution ended
without reporting it. Every two minutes it compares all runs with their executions."""

from porewatch.adapters import executions
from porewatch.adapters.ledger import (
    runs,
    stages,
)
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.state_machine_tasks import (
    ERROR_TASK,
    Decided,
    ErrorTask,
    RunEnded,
)
from porewatch.edge.event import on_event
from porewatch.edge.parsers import execution_ended
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.monitoring.reconcile_runs import reconcile_runs
from porewatch.usecases.stages.close_run import close_run
from porewatch.usecases.stages.end_run import Brakes
from porewatch.usecases.stages.handle_error import handle_error


def brakes() -> Brakes:
    config, table = settings(), Table(settings().ledger_table)
    ledger, prices = stages.StageLedger(table), price_list(config.aws_region).services
    steps = executions.Executions(config.state_machine_arn)
    run_ledger, machines = runs.RunLedger(table), executors(config)
    return Brakes(config.stack_name, run_ledger, ledger, steps, machines, prices, now())


@on_task(ERROR_TASK)
def decide(task: ErrorTask) -> Decided | RunEnded:
    return handle_error(task, brakes())


@on_event(execution_ended)
def on_execution_status(ended: ExecutionEnded | None) -> None:
    if ended is None:
        return reconcile_runs(brakes())
    close_run(ended, brakes())


lambda_handler = by_trigger(task=decide, eventbridge=on_execution_status)
