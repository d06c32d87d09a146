"""Decides whether a failed stage is retried; ends failed runs, also when their execution ended
without reporting it. Every two minutes it compares all runs with their executions."""

from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.state_machine_tasks import ERROR_TASK, Decided, ErrorTask, RunEnded
from porewatch.edge.brakes import brakes
from porewatch.edge.event import on_event
from porewatch.edge.parsers import execution_ended
from porewatch.edge.task import by_trigger, on_task
from porewatch.usecases.monitoring.reconcile_runs import handle_execution_status
from porewatch.usecases.stages.handle_error import handle_error


@on_task(ERROR_TASK)
def decide(task: ErrorTask) -> Decided | RunEnded:
    return handle_error(task, brakes())


@on_event(execution_ended)
def on_execution_status(ended: ExecutionEnded | None) -> None:
    handle_execution_status(ended, brakes())


lambda_handler = by_trigger(task=decide, eventbridge=on_execution_status)
