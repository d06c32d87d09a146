"""Cancels a run: POST /runs/{run_id}/cancel, or `porewatch cancel`."""

from porewatch.domain.people.roles import Action
from porewatch.domain.rules.cancelling import Cancel, Cancelled
from porewatch.edge import wiring
from porewatch.edge.asker import asker, signed_as
from porewatch.edge.brakes import brakes
from porewatch.edge.http import on_http, request_body, routes
from porewatch.edge.task import by_trigger, on_task
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.stages.cancel_run import cancel_run

api = routes()


def serve(order: Cancel) -> Cancelled:
    return cancel_run(order, brakes())


@api.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> dict[str, object]:
    who = asker(api)
    reach_run(run_id, who, Action.CANCEL, runs=wiring.runs())
    order = request_body(api, Cancel, run_id=run_id)
    return serve(order.model_copy(update={"by": signed_as(who, order.by)})).model_dump(mode="json")


lambda_handler = by_trigger(task=on_task(Cancel)(serve), http=on_http(api))
