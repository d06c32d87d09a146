"""Answer the task token of a stage as soon as the stage has ended.

Idempotent, also after the state machine stopped waiting: so every path that learns of an end may
call this, and the sweep calls it where such a path crashed.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, PorewatchError
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.state_machine_tasks import Await
from porewatch.usecases.instances.stage_context import StageContext

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.messages.callbacks import Callbacks

WAITING_IS_REPEATED_ON = frozenset({"Unavailable", "Throttled"})
"""Errors on which the state machine waits again with the next token. Right when only the waiting
failed; the end of an epoch must be reported by another name, or it would be waited for again."""

_log = logging.getLogger(__name__)


def answer_stage(
    record: StageRecord, *, stages: StageLedger, callbacks: Callbacks, at: datetime
) -> None:
    """Report the end of the epoch to the state machine, if it has ended and a token waits."""
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
    stages.apply(record.key, stage_lifecycle.forget_token, record.epoch, record.task_token, at)


def await_stage(task: Await, context: StageContext) -> None:
    """Store the token; answer at once when the stage has ended already.

    Errors are reported through the token: if this raised, the token would never be answered and the
    state machine would wait for its timeout.
    """
    try:
        record = context.stages.apply(
            task.key, stage_lifecycle.keep_token, task.epoch, task.task_token, context.at
        )
        answer_stage(record, stages=context.stages, callbacks=context.callbacks, at=context.at)
    except PorewatchError as error:
        _log.warning("cannot wait for %s: %s", task.stage, error)
        context.callbacks.fail(task.task_token, type(error).__name__, str(error))
