"""Publishes the reports and the settled bill, and completes the run."""

from porewatch.adapters.anchors import Anchors
from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.compute.carbon import carbon_factors
from porewatch.compute.price import price_list
from porewatch.domain.publishing import Finish, Published
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.publish_report import publish_report


@on_task(Finish)
def lambda_handler(task: Finish) -> Published:
    table = Table(settings().ledger_table)
    return publish_report(
        task,
        results=Objects(settings().results_bucket),
        reports=Objects(settings().reports_bucket),
        runs=RunLedger(table),
        stages=StageLedger(table),
        anchors=Anchors(table, settings().stack_name, settings().audit_key_arn),
        prices=price_list(settings().aws_region),
        factors=carbon_factors(settings().aws_region),
    )
