"""Publishes the reports and the settled bill, and completes the run. Every hour it signs the record
of audit heads of a day that is over."""

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.audit.locked_anchors import LockedAnchors
from porewatch.compute.carbon import carbon_factors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.stage.state_machine_tasks import Finish, Published
from porewatch.edge import wiring
from porewatch.edge.event import clock, on_event
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.results.publish_report import publish_report
from porewatch.usecases.results.record_anchors import record_anchors


def anchors() -> Anchors:
    return Anchors(wiring.table(), settings().stack_name, settings().audit_key_arn)


@on_task(Finish)
def publish(task: Finish) -> Published:
    return publish_report(
        task,
        results=wiring.results(),
        reports=wiring.reports(),
        runs=wiring.runs(),
        stages=wiring.stages(),
        anchors=anchors(),
        prices=price_list(settings().aws_region),
        factors=carbon_factors(settings().aws_region),
    )


@on_event(clock)
def record(_: None) -> None:
    bucket = settings().anchors_bucket
    record_anchors(anchors(), now, LockedAnchors(bucket) if bucket else None)


lambda_handler = by_trigger(task=publish, eventbridge=record)
