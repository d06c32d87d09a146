"""The state machine waits on a stage; it is told as soon as the stage has ended.

Said twice, or after the state machine stopped waiting, it changes nothing: so every path that
learns of an end may call this, and the sweep calls it where such a path died on the way.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, PorewatchError
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.state_machine_tasks import Await
from porewatch.usecases.instances.stage_context import StageContext

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.messages.callbacks import Callbacks

WAITING_IS_REPEATED_ON = frozenset({"Unavailable", "Throttled"})
"""Errors on which the state machine waits again with the next token. Right when only the waiting
failed; an epoch that has ended must be told by another name, or it would be waited for again."""

_log = logging.getLogger(__name__)


def answer_stage(
    record: StageRecord, *, stages: StageLedger, callbacks: Callbacks, at: datetime
) -> None:
    """Tell the state machine how the epoch ended, if it has and if it waits."""
    if record.task_token is None or record.state not in ENDED:
        return
    try:
        if record.state is StageState.PUBLISHED:
            callbacks.succeed(
                record.task_token, {"manifest_key": s3_keys.manifest_key(*record.key)}
            )
        else:
            error = record.error or "WorkerFailed"
            error_name = "WorkerFailed" if error in WAITING_IS_REPEATED_ON else error
            callbacks.fail(record.task_token, error_name, record.problem or "no reason")
    except AlreadyDone as error:
        _log.info("the state machine no longer waits: %s", error)
    stages.forget_task_token(record, at)


def await_stage(task: Await, context: StageContext) -> None:
    """Keep the token; answer at once when the stage ended before anybody waited.

    What goes wrong here is told through the token: if this raised, the token would never be
    answered and the state machine would wait for its clock.
    """
    try:
        record = context.stages.save_task_token(task.key, task.epoch, task.task_token, context.at)
        answer_stage(record, stages=context.stages, callbacks=context.callbacks, at=context.at)
    except PorewatchError as error:
        _log.warning("cannot wait for %s: %s", task.stage, error)
        context.callbacks.fail(task.task_token, type(error).__name__, str(error))
