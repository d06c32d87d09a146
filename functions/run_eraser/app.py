"""Deletes a run (`porewatch delete`), and every hour finishes deletions that were interrupted."""

from datetime import timedelta

from porewatch.adapters.ledger import (
    alerts,
    budget,
    retention,
)
from porewatch.adapters.registry import (
    database,
)
from porewatch.adapters.registry import (
    erasure as registry_erasure,
)
from porewatch.adapters.s3 import versions
from porewatch.domain.base import now
from porewatch.domain.retention.orders import (
    Deleted,
    DeleteRun,
)
from porewatch.edge import wiring
from porewatch.edge.event import clock, on_event
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.retention.delete_run import (
    SLICE_SECONDS,
    Eraser,
    delete_run,
    sweep_deletions,
)
from porewatch.usecases.retention.find_versions import Shelves


def eraser(seconds: int) -> Eraser:
    config, table = settings(), wiring.table()
    rows = database.Registry(config.db_cluster_arn, config.db_secret_arn, config.db_name)
    rows.migrate()
    ends, alarms, money = retention.Endings(table), alerts.AlertLedger(table), budget.Budget(table)
    buckets = (config.raw_bucket, config.results_bucket, config.reports_bucket)
    shelves = Shelves(*(versions.Versions(name) for name in buckets), ends)
    erasure, until = registry_erasure.RegistryErasure(rows), now() + timedelta(seconds=seconds)
    known = wiring.runs()
    return Eraser(known, ends, alarms, money, shelves, rows, erasure, now, until)


def serve(order: DeleteRun) -> Deleted:
    return delete_run(order, eraser(SLICE_SECONDS))


@on_event(clock)
def sweep(_: object) -> None:
    known = wiring.runs()
    sweep_deletions(known, now(), lambda: eraser(840))


lambda_handler = by_trigger(task=on_task(DeleteRun)(serve), eventbridge=sweep)
