"""Settle budget reservations of epochs that are over: onto the bill, or released.

Whoever ends an epoch settles it. This covers the cases in which nobody could: a launcher that
reserved after its execution was stopped and then crashed, or a termination that kept failing.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.money.budget import Reservation
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.rules.liveness import held_in_vain
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.state_machine_tasks import Terminate
from porewatch.usecases.instances.query_sources import query_sources
from porewatch.usecases.instances.terminate_instances import terminate_instances

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.compute.executors import Executors
    from porewatch.usecases.instances.time_boxed_sweep import TimeBoxedSweep

_log = logging.getLogger(__name__)


def release_stale_reservations(
    *,
    stack: str,
    stages: StageLedger,
    executor: Executors,
    budget: Budget,
    at: datetime,
    turn: TimeBoxedSweep,
) -> None:
    """Settle and release stale reservations. One that fails does not block the others."""

    def free(held: Reservation) -> None:
        try:
            _freed(held, stack, stages, executor, at)
        except PorewatchError:
            _log.exception(
                "could not release the reservation of %s epoch %d", held.stage, held.epoch
            )

    turn.over({f"{h.run_id}#{h.revision}#{h.stage}#{h.epoch}": h for h in budget.held()}, free)


def _freed(
    held: Reservation, stack: str, stages: StageLedger, executor: Executors, at: datetime
) -> None:
    """A live instance is left to the instance monitor, which terminates and pays it. One that only
    the ledger knows is paid until the last sign of life of its stage."""
    record = stages.find(StageKey(held.run_id, held.revision, held.stage))
    if record is None or not held_in_vain(held, record, at):
        return
    epoch = {"run_id": held.run_id, "revision": held.revision, "epoch": held.epoch}
    owner = Owner.model_validate({**epoch, "stack": stack, "stage": held.stage})
    there = query_sources(lambda source: executor.find(owner, source))
    there.raise_if_silent(stages.asked(record.key, held.epoch))
    if any(machine.alive() for machine in there.found):
        return
    _log.warning(
        "stale budget reservation released: %s of %s epoch %d", held.stage, held.run_id, held.epoch
    )
    why = because(RunCode.HELD_IN_VAIN)
    task = Terminate.model_validate(
        {**epoch, "stage": held.stage, "reason": why.text(), "why": why}
    )
    last_heard = max(record.updated_at, held.at)
    terminate_instances(task, stack=stack, stages=stages, executor=executor, at=last_heard)
