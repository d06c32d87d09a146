"""Every minute and on every EC2 event: finds lost workers and forgotten instances."""

from porewatch.adapters.ledger.sweep_cursor import SweepCursor
from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.ledger.worker_notes import WorkerNotes
from porewatch.adapters.messages.callbacks import Callbacks
from porewatch.adapters.messages.worker_queue import WorkerQueue
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.stage.cloud_events import InstanceEvent
from porewatch.edge import wiring
from porewatch.edge.event import on_event
from porewatch.edge.parsers import instance_events
from porewatch.settings import settings
from porewatch.usecases.monitoring.monitor_instances import MonitorContext, handle_instance_event


@on_event(instance_events)
def lambda_handler(event: InstanceEvent) -> None:
    config, table = settings(), wiring.table()
    context = MonitorContext(
        stack=config.stack_name,
        stages=wiring.stages(),
        results=wiring.results(),
        callbacks=Callbacks(),
        executor=executors(config),
        queue=WorkerQueue(config.worker_queue_url),
        kills=Kills(table),
        cursor=SweepCursor(table),
        notes=WorkerNotes(table),
        worker_role_id=config.worker_role_id,
        at=now(),
        budget=wiring.budget(),
    )
    handle_instance_event(event, context)
