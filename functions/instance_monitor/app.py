"""Every minute and on every EC2 event: finds lost workers and forgotten instances."""

from porewatch.adapters import objects
from porewatch.adapters.ledger import (
    budget,
    stages,
    sweep_cursor,
    terminations,
    worker_notes,
)
from porewatch.adapters.messages import (
    callbacks,
    worker_queue,
)
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.stage.cloud_events import InstanceEvent
from porewatch.edge.event import on_event
from porewatch.edge.parsers import instance_events
from porewatch.settings import settings
from porewatch.usecases.monitoring.monitor_instances import (
    MonitorContext,
    handle_instance_event,
)


@on_event(instance_events)
def lambda_handler(event: InstanceEvent) -> None:
    config, table = settings(), Table(settings().ledger_table)
    caps = {"run_usd": config.run_budget_usd, "account_usd": config.account_budget_usd}
    context = MonitorContext(
        stack=config.stack_name,
        stages=stages.StageLedger(table),
        results=objects.Objects(settings().results_bucket),
        callbacks=callbacks.Callbacks(),
        executor=executors(settings()),
        queue=worker_queue.WorkerQueue(settings().worker_queue_url),
        kills=terminations.Kills(table),
        cursor=sweep_cursor.SweepCursor(table),
        notes=worker_notes.WorkerNotes(table),
        worker_role_id=config.worker_role_id,
        at=now(),
        budget=budget.Budget(table, **caps),
    )
    handle_instance_event(event, context)
