"""Handle the messages of workers. They are delivered at least once, late and out of order.

The ledger moves first (epoch fencing, with its fact); then the state machine is answered. After a
crash in between, the message is delivered again, finds the stage moved, and answers the state
machine.

One message counts from any epoch: a suspicion, because the unit it was found in is finished and no
later epoch will find it again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, MessageRefused, StaleEpoch, Unavailable
from porewatch.domain.facts.stage_facts import PhaseCompleted
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.rules.fencing import (
    mine,
)
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.worker_messages import (
    Beat,
    Claimed,
    Interrupted,
    PhaseDone,
    Published,
    StageBroken,
    Suspected,
    WorkerMessage,
)
from porewatch.usecases.alerts.raise_alert import raise_alert
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.stages.answer_stage import answer_stage
from porewatch.usecases.stages.publish_stage import (
    publish_stage,
    visible_manifest,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.messages.callbacks import Callbacks

_log = logging.getLogger(__name__)


def handle_worker_message(message: WorkerMessage, context: StageContext) -> None:
    """Handle one message. StaleEpoch: the sender no longer owns the stage; the message is
    dropped."""
    key = StageKey(message.run_id, message.revision, message.stage)
    # A clock that is ahead must not keep a dead worker alive.
    message = message.model_copy(update={"at": min(message.at, context.at)})
    match message:
        case Claimed():
            _alive(_claimed(key, message, context), context.callbacks)
        case Beat():
            record = context.stages.apply(
                key,
                stage_lifecycle.beat,
                message.epoch,
                message.instance_id,
                message.progress,
                message.at,
                heard=context.at,
            )
            _alive(record, context.callbacks)
        case PhaseDone():
            _phase_done(context.stages.get(key), message, context.stages)
        case Suspected():
            raise_alert(
                message,
                alerts=context.alerts,
                runs=context.runs,
                results=context.results,
                at=context.at,
            )
        case Published() | Interrupted() | StageBroken():
            record = _ended(key, message, context)
            answer_stage(record, stages=context.stages, callbacks=context.callbacks, at=context.at)


def _alive(record: StageRecord, callbacks: Callbacks) -> None:
    if record.task_token is None:
        return
    try:
        callbacks.beat(record.task_token)
    except AlreadyDone as error:
        _log.info("the state machine no longer waits: %s", error)


def _phase_done(record: StageRecord, message: PhaseDone, stages: StageLedger) -> None:
    if message.epoch != record.epoch:
        raise StaleEpoch(f"{message.record.phase.value} was done under epoch {message.epoch}.")
    fact = PhaseCompleted(
        fact_id=PhaseCompleted.id_of(*record.key, record.epoch, message.record.phase.value),
        run_id=message.run_id,
        revision=message.revision,
        at=message.at,
        stage=message.stage,
        epoch=message.epoch,
        record=message.record,
    )
    stages.record([fact])


def _ended(
    key: StageKey, message: Published | Interrupted | StageBroken, context: StageContext
) -> StageRecord:
    match message:
        case Published():
            return _published(key, message, context)
        case Interrupted():
            return context.stages.apply(
                key,
                stage_endings.interrupt,
                message.epoch,
                message.instance_id,
                message.last_checkpoint,
                message.at,
            )
        case StageBroken(error="SpotInterrupted"):
            return context.stages.apply(
                key, stage_endings.interrupt, message.epoch, message.instance_id, None, message.at
            )
        case StageBroken():
            return context.stages.apply(
                key,
                stage_endings.fail,
                message.epoch,
                message.error,
                message.problem,
                message.at,
                instance_id=message.instance_id,
            )


def _claimed(key: StageKey, message: Claimed | Published, context: StageContext) -> StageRecord:
    user_id = message.user_id or None
    return context.stages.apply(
        key, stage_lifecycle.claim, message.epoch, message.instance_id, message.at, user_id
    )


def _published(key: StageKey, message: Published, context: StageContext) -> StageRecord:
    """Only the epoch's own instance can make its manifest visible."""
    visible = visible_manifest(context.results, key)
    if visible is not None:
        return context.stages.apply(
            key, stage_endings.publish, visible, s3_keys.manifest_key(*key), context.at
        )
    record = mine(context.stages.get(key), message.epoch, message.instance_id)
    if record.user_id is None:  # the claim was reordered, or lost
        record = _claimed(key, message, context)
    if record.attempt is None or message.manifest_key != s3_keys.draft_key(record.attempt):
        raise MessageRefused("is not the manifest key of this worker.", file=message.manifest_key)
    published = publish_stage(record, stages=context.stages, results=context.results, at=context.at)
    return published or _missing(message)


def _missing(message: Published) -> StageRecord:
    raise Unavailable(
        f"{message.instance_id} says it wrote {message.manifest_key}, but it is not there."
    )
