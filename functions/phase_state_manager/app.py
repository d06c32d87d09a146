"""Stages: planned, opened and awaited by the state machine, moved on by worker messages."""

from porewatch.adapters import (
    objects,
    table,
)
from porewatch.adapters.ledger import (
    alerts,
    runs,
    stages,
)
from porewatch.adapters.messages import (
    callbacks,
    message_keys,
    metrics,
    worker_queue,
)
from porewatch.adapters.s3 import manifests
from porewatch.compute import (
    carbon,
    layouts,
    price_table,
)
from porewatch.domain import (
    base,
    errors,
)
from porewatch.domain.stage import (
    state_machine_tasks,
    worker_messages,
)
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.instances.authenticate_message import authenticate_message
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.stages.handle_worker_message import handle_worker_message
from porewatch.usecases.stages.serve_stage_task import serve_stage_task
from porewatch.usecases.stages.set_message_aside import set_message_aside


def context() -> StageContext:
    config, ledger = settings(), table.Table(settings().ledger_table)
    results, raw = objects.Objects(config.results_bucket), objects.Objects(config.raw_bucket)
    kept, tokens = runs.RunLedger(ledger), callbacks.Callbacks()
    books = kept, manifests.Manifests(kept, raw), stages.StageLedger(ledger)
    secrets = message_keys.EpochSecrets(config.message_key_arn, config.stack_name)
    rates = price_table.price_list(config.aws_region), carbon.carbon_factors(config.aws_region)
    known = *books, alerts.AlertLedger(ledger), results, tokens, secrets, base.now()
    return StageContext(*known, *rates)


def prove(message: worker_messages.WorkerMessage, raw: QueueMessage) -> None:
    at = context()
    authenticate_message(message, raw.body, raw.mac, stages=at.stages, secrets=at.secrets)


def refuse(raw: QueueMessage, error: errors.Refused) -> None:
    dead_letters = worker_queue.DeadLetters(settings().worker_dead_letters_url)
    counted = metrics.Metrics(settings().stack_name)
    set_message_aside(
        raw.body, raw.mac, error, dead_letters=dead_letters, metrics=counted, at=base.now()
    )


@on_queue(worker_messages.WORKER_MESSAGE, proof=prove, aside=refuse)
def on_worker_message(message: worker_messages.WorkerMessage) -> None:
    handle_worker_message(message, context())


@on_task(state_machine_tasks.STAGE_TASK)
def serve(
    task: state_machine_tasks.StageTask,
) -> state_machine_tasks.Planned | state_machine_tasks.Opened | None:
    return serve_stage_task(task, context(), layouts.profile, settings())


lambda_handler = by_trigger(queue=on_worker_message, task=serve)
