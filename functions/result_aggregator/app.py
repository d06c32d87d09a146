"""Joins the stages' manifests into the result of the run."""

from porewatch.domain.stage.state_machine_tasks import Aggregated, Finish
from porewatch.edge import wiring
from porewatch.edge.task import on_task
from porewatch.usecases.results.aggregate_results import aggregate_results


@on_task(Finish)
def lambda_handler(task: Finish) -> Aggregated:
    return aggregate_results(task, results=wiring.results(), runs=wiring.runs())
