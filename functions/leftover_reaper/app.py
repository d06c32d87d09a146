"""Cleans up orphaned resources: every five minutes, at the expiry of an instance, and on
request."""

from porewatch.adapters import orphans
from porewatch.adapters.ledger import (
    stages,
    terminations,
)
from porewatch.adapters.messages import metrics
from porewatch.adapters.s3 import uploads
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.rules.orphan_cleanup import (
    Reap,
    Reaped,
)
from porewatch.edge.event import on_event
from porewatch.edge.parsers import reap_order
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.monitoring.clean_up_orphan import CleanupContext
from porewatch.usecases.monitoring.clean_up_orphans import (
    OrphanSweep,
    serve_reap,
)


def serve(task: Reap) -> Reaped:
    config, table = settings(), Table(settings().ledger_table)
    stack, ledger = config.stack_name, stages.StageLedger(table)
    dry = task.dry or config.reaper_dry_run
    context = CleanupContext(
        stack, ledger, executors(config), terminations.Kills(table), now(), dry
    )
    orphaned = orphans.Leftovers(stack, config.launch_template_id)
    sent = uploads.Uploads(stack, (config.raw_bucket, config.results_bucket, config.reports_bucket))
    return serve_reap(task, OrphanSweep(context, orphaned, sent, metrics.Metrics(stack)))


lambda_handler = by_trigger(task=on_task(Reap)(serve), eventbridge=on_event(reap_order)(serve))
