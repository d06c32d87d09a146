"""Cleans up orphaned resources: every five minutes, at the expiry of an instance, and on
request."""

from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.orphans import Leftovers
from porewatch.adapters.s3.uploads import Uploads
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.rules.orphan_cleanup import Reap, Reaped
from porewatch.edge import wiring
from porewatch.edge.event import on_event
from porewatch.edge.parsers import reap_order
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.monitoring.clean_up_orphan import CleanupContext
from porewatch.usecases.monitoring.clean_up_orphans import OrphanSweep, serve_reap


def serve(task: Reap) -> Reaped:
    config = settings()
    stack, buckets = config.stack_name, (config.raw_bucket, config.results_bucket)
    sweep = OrphanSweep(
        context=CleanupContext(
            stack,
            wiring.stages(),
            executors(config),
            Kills(wiring.table()),
            now(),
            dry=config.reaper_dry_run,
        ),
        leftovers=Leftovers(stack, config.launch_template_id),
        uploads=Uploads(stack, (*buckets, config.reports_bucket)),
        metrics=Metrics(stack),
    )
    return serve_reap(task, sweep)


lambda_handler = by_trigger(task=on_task(Reap)(serve), eventbridge=on_event(reap_order)(serve))
