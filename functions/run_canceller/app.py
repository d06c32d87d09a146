"""Cancels a run: POST /runs/{run_id}/cancel, or `porewatch cancel`."""

from porewatch.adapters import executions
from porewatch.adapters.ledger import (
    runs,
    stages,
)
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.rules.cancelling import (
    Cancel,
    Cancelled,
)
from porewatch.edge.http import on_http, request_body, routes
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.stages.cancel_run import cancel_run
from porewatch.usecases.stages.end_run import Brakes

api = routes()


def serve(order: Cancel) -> Cancelled:
    config, table = settings(), Table(settings().ledger_table)
    ledger, prices = stages.StageLedger(table), price_list(config.aws_region).services
    steps = executions.Executions(config.state_machine_arn)
    run_ledger, machines = runs.RunLedger(table), executors(config)
    brakes = Brakes(config.stack_name, run_ledger, ledger, steps, machines, prices, now())
    return cancel_run(order, brakes)


@api.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> dict[str, object]:
    return serve(request_body(api, Cancel, run_id=run_id)).model_dump(mode="json")


lambda_handler = by_trigger(task=on_task(Cancel)(serve), http=on_http(api))
