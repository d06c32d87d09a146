"""Stages: planned, opened and awaited by the state machine, moved on by what workers say."""

from porewatch.adapters import alerts, callbacks, manifests, objects, runs, stages, table
from porewatch.compute import carbon, price, profiles
from porewatch.domain import base, messages, tasks
from porewatch.edge.queue import on_queue
from porewatch.edge.task import by_door, on_task
from porewatch.settings import settings
from porewatch.usecases.desk import Desk
from porewatch.usecases.hear_worker import hear_worker
from porewatch.usecases.serve_stage_task import serve_stage_task


def desk() -> Desk:
    ledger, tokens = table.Table(settings().ledger_table), callbacks.Callbacks()
    results = objects.Objects(settings().results_bucket)
    kept, region = runs.RunLedger(ledger), settings().aws_region
    sealed = manifests.Manifests(kept, objects.Objects(settings().raw_bucket))
    prices, factors = price.price_list(region), carbon.carbon_factors(region)
    books = kept, sealed, stages.StageLedger(ledger), alerts.AlertLedger(ledger)
    return Desk(*books, results, tokens, base.now(), prices, factors)


@on_queue(messages.WORKER_MESSAGE)
def hear(message: messages.WorkerMessage) -> None:
    hear_worker(message, desk())


@on_task(tasks.STAGE_TASK)
def serve(task: tasks.StageTask) -> tasks.Planned | tasks.Opened | None:
    return serve_stage_task(task, desk(), profiles.profile, settings())


lambda_handler = by_door(queue=hear, task=serve)
