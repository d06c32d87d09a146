"""Stages: planned, opened and awaited by the state machine, moved on by worker messages."""

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.messages.callbacks import Callbacks
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.messages.worker_queue import DeadLetters
from porewatch.compute.carbon import carbon_factors
from porewatch.compute.layouts import profile
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.errors import Refused
from porewatch.domain.stage.state_machine_tasks import (
    STAGE_TASK,
    Await,
    Open,
    Opened,
    Plan,
    Planned,
    StageTask,
)
from porewatch.domain.stage.worker_messages import WORKER_MESSAGE, WorkerMessage
from porewatch.edge import wiring
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.edge.task import by_trigger, on_task
from porewatch.settings import settings
from porewatch.usecases.instances.authenticate import authenticate
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.stages.answer_stage import await_stage
from porewatch.usecases.stages.handle_worker_message import handle_worker_message
from porewatch.usecases.stages.open_stage import open_stage
from porewatch.usecases.stages.plan_stages import plan_stages
from porewatch.usecases.stages.set_message_aside import set_message_aside


def context() -> StageContext:
    config = settings()
    return StageContext(
        runs=wiring.runs(),
        manifests=wiring.manifests(),
        stages=wiring.stages(),
        alerts=AlertLedger(wiring.table()),
        results=wiring.results(),
        callbacks=Callbacks(),
        secrets=EpochSecrets(config.message_key_arn, config.stack_name),
        at=now(),
        prices=price_list(config.aws_region),
        factors=carbon_factors(config.aws_region),
    )


def prove(message: WorkerMessage, raw: QueueMessage) -> None:
    stage = context()
    authenticate(message, raw.body, raw.mac, stages=stage.stages, secrets=stage.secrets)


def refuse(raw: QueueMessage, error: Refused) -> None:
    dead_letters = DeadLetters(settings().worker_dead_letters_url)
    metrics = Metrics(settings().stack_name)
    set_message_aside(
        raw.body, raw.mac, error, dead_letters=dead_letters, metrics=metrics, at=now()
    )


@on_queue(WORKER_MESSAGE, proof=prove, aside=refuse)
def on_worker_message(message: WorkerMessage) -> None:
    handle_worker_message(message, context())


@on_task(STAGE_TASK)
def serve(task: StageTask) -> Planned | Opened | None:
    match task:
        case Plan():
            return plan_stages(task, context(), profile=profile, basecalling=settings().basecalling)
        case Open():
            return open_stage(task, context(), default_bundle=settings().default_bundle)
        case Await():
            await_stage(task, context())
            return None


lambda_handler = by_trigger(queue=on_worker_message, task=serve)
