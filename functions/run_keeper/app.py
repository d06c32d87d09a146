"""Puts a run under legal hold or releases it (`porewatch hold`); every hour it locks new objects of
held runs."""

from datetime import timedelta

from porewatch.adapters.ledger import (
    retention,
)
from porewatch.adapters.s3 import versions
from porewatch.domain.base import now
from porewatch.domain.retention.orders import (
    Held,
    HoldRun,
)
from porewatch.edge import wiring
from porewatch.edge.event import clock, on_event
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.retention.find_versions import Shelves
from porewatch.usecases.retention.hold_run import (
    SLICE_SECONDS,
    Keeper,
    hold_run,
    sweep_holds,
)


def keeper(seconds: int) -> Keeper:
    config, table = settings(), wiring.table()
    endings = retention.Endings(table)
    buckets = (config.raw_bucket, config.results_bucket, config.reports_bucket)
    shelves = Shelves(*(versions.Versions(name) for name in buckets), endings)
    until = now() + timedelta(seconds=seconds)
    return Keeper(wiring.runs(), endings, shelves, now, until)


def serve(order: HoldRun) -> Held:
    return hold_run(order, keeper(SLICE_SECONDS))


sweep = on_event(clock)(lambda _: sweep_holds(keeper(840)))
lambda_handler = by_trigger(task=on_task(HoldRun)(serve), eventbridge=sweep)
