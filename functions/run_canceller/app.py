"""Cancels a run: POST /runs/{run_id}/cancel, or `porewatch cancel`."""

from porewatch.domain.rules.cancelling import Cancel, Cancelled
from porewatch.edge.brakes import brakes
from porewatch.edge.http import on_http, request_body, routes
from porewatch.edge.task import by_trigger, on_task
from porewatch.usecases.stages.cancel_run import cancel_run

api = routes()


def serve(order: Cancel) -> Cancelled:
    return cancel_run(order, brakes())


@api.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> dict[str, object]:
    return serve(request_body(api, Cancel, run_id=run_id)).model_dump(mode="json")


lambda_handler = by_trigger(task=on_task(Cancel)(serve), http=on_http(api))
