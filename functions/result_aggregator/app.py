"""Joins the stages' manifests into the result of the run."""

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain.stage.state_machine_tasks import Aggregated, Finish
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.results.aggregate_results import aggregate_results


@on_task(Finish)
def lambda_handler(task: Finish) -> Aggregated:
    runs = RunLedger(Table(settings().ledger_table))
    return aggregate_results(task, results=Objects(settings().results_bucket), runs=runs)
