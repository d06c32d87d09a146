"""Money that stays held for an epoch which is over goes where it belongs: to the bill, or back.

Whoever ends an epoch settles it. This is for the times when nobody could: a launcher that reserved
after its execution had been stopped and died of it, or an end that failed as often as it was tried.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.money.budget import Reservation
from porewatch.domain.rules.liveness import held_in_vain
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.state_machine_tasks import Terminate
from porewatch.usecases.instances.query_sources import query_sources
from porewatch.usecases.instances.terminate_instances import terminate_instances

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.compute.executor import Executor
    from porewatch.usecases.instances.time_boxed_sweep import TimeBoxedSweep

_log = logging.getLogger(__name__)


def release_stale_reservations(
    *,
    stack: str,
    stages: StageLedger,
    executor: Executor,
    budget: Budget,
    at: datetime,
    turn: TimeBoxedSweep,
) -> None:
    """Settle and give back what is held in vain. One that cannot be freed holds up no other."""

    def free(held: Reservation) -> None:
        try:
            _freed(held, stack, stages, executor, at)
        except PorewatchError:
            _log.exception("could not free what %s epoch %d holds", held.stage, held.epoch)

    turn.over({f"{h.run_id}#{h.revision}#{h.stage}#{h.epoch}": h for h in budget.held()}, free)


def _freed(
    held: Reservation, stack: str, stages: StageLedger, executor: Executor, at: datetime
) -> None:
    """A machine that still lives is none of our business: who watches machines ends and pays it.
    One that only the ledger remembers is paid until the stage's last word."""
    record = stages.find(StageKey(held.run_id, held.revision, held.stage))
    if record is None or not held_in_vain(held, record, at):
        return
    epoch = {"run_id": held.run_id, "revision": held.revision, "epoch": held.epoch}
    owner = Owner.model_validate({**epoch, "stack": stack, "stage": held.stage})
    there = query_sources(lambda source: executor.find(owner, source))
    there.raise_if_silent(stages.asked(record.key, held.epoch))
    if any(machine.alive() for machine in there.found):
        return
    _log.warning("%s of %s epoch %d held money in vain", held.stage, held.run_id, held.epoch)
    task = Terminate.model_validate({**epoch, "stage": held.stage, "reason": "held in vain"})
    last_heard = max(record.updated_at, held.at)
    terminate_instances(task, stack=stack, stages=stages, executor=executor, at=last_heard)
