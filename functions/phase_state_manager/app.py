"""Stages: planned, opened and awaited by the state machine, moved on by what workers say."""

from porewatch.adapters import (
    alerts,
    callbacks,
    manifests,
    message_keys,
    metrics,
    objects,
    runs,
    stages,
    table,
    worker_queue,
)
from porewatch.compute import carbon, price, profiles
from porewatch.domain import base, errors, messages, tasks
from porewatch.edge.queue import Letter, on_queue
from porewatch.edge.task import by_door, on_task
from porewatch.settings import settings
from porewatch.usecases.desk import Desk
from porewatch.usecases.hear_worker import hear_worker
from porewatch.usecases.prove_message import prove_message
from porewatch.usecases.serve_stage_task import serve_stage_task
from porewatch.usecases.set_aside import set_aside


def desk() -> Desk:
    told, ledger = settings(), table.Table(settings().ledger_table)
    results, raw = objects.Objects(told.results_bucket), objects.Objects(told.raw_bucket)
    kept, tokens = runs.RunLedger(ledger), callbacks.Callbacks()
    books = kept, manifests.Manifests(kept, raw), stages.StageLedger(ledger)
    secrets = message_keys.EpochSecrets(told.message_key_arn, told.stack_name)
    rates = price.price_list(told.aws_region), carbon.carbon_factors(told.aws_region)
    known = *books, alerts.AlertLedger(ledger), results, tokens, secrets, base.now()
    return Desk(*known, *rates)


def prove(message: messages.WorkerMessage, letter: Letter) -> None:
    at = desk()
    prove_message(message, letter.body, letter.mac, stages=at.stages, secrets=at.secrets)


def refuse(letter: Letter, error: errors.Refused) -> None:
    letters = worker_queue.DeadLetters(settings().worker_dead_letters_url)
    counted = metrics.Metrics(settings().stack_name)
    set_aside(letter.body, letter.mac, error, letters=letters, metrics=counted, at=base.now())


@on_queue(messages.WORKER_MESSAGE, proof=prove, aside=refuse)
def hear(message: messages.WorkerMessage) -> None:
    hear_worker(message, desk())


@on_task(tasks.STAGE_TASK)
def serve(task: tasks.StageTask) -> tasks.Planned | tasks.Opened | None:
    return serve_stage_task(task, desk(), profiles.profile, settings())


lambda_handler = by_door(queue=hear, task=serve)
